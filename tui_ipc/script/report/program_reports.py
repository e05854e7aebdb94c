"""Reports to programs: lines of JSON while scripts run, TAP, JUnit and annotations once all have ended.

docs/RECORDING.md documents the lines of JSON. The TAP report follows TAP 14 but announces version 13, which a
reader of TAP 14 must accept: Perl's ``prove`` refuses higher versions. Whatever a child wrote stays inside a
string, a comment or a text.
"""

import json
import os
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, assert_never

from tui_ipc import __version__
from tui_ipc.events import AnyEvent
from tui_ipc.events.json_form import MAX_TEXT, SCHEMA_VERSION, list_members
from tui_ipc.script import ExitCode
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import (
    Outcome,
    Status,
    count_by_status,
    describe_attempts,
    describe_unclaimed,
    highest_exit_code,
)
from tui_ipc.script.output import Console
from tui_ipc.script.report.text_report import describe_outcome
from tui_ipc.text.notation import render_value
from tui_ipc.text.safe_text import make_visible


class JsonlReporter:
    """Writes lines of JSON to standard output. Each line says which script it belongs to, the last how all
    ended.

    Args:
        console: Has the standard output.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._script = 0  # the number of the one that runs

    async def begin(self, names: Sequence[str]) -> None:
        """Report which scripts will be run.

        Raises:
            OutputLostError: Standard output takes nothing more; this holds for all methods.
        """
        await self._write_line("scripts-begin", program=f"tui-ipc {__version__}", scripts=[*names])

    async def begin_script(self, number: int, script: Script, command: Sequence[str], total: int) -> None:
        """Report that a script begins, and with which child; also that it begins again."""
        self._script = number
        await self._write_line(
            "script-begin", script=number, name=script.name, command=[*command], steps=total
        )

    async def report_event(self, event: AnyEvent) -> None:
        """Report an event of the script that runs."""
        await self._write(list_members(event) | {"script": self._script})

    async def retry_script(self, number: int, outcome: Outcome, _text: str) -> None:
        """Report how an attempt failed; another begins next."""
        await self._write_line("script-retry", script=number, **_outcome_members(outcome))

    async def end_script(self, number: int, outcome: Outcome) -> None:
        """Report how a script ended; one that was not run, or is faulty, has no ``script-begin``."""
        await self._write_line("script-end", script=number, **_outcome_members(outcome))

    async def end(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Report how all ended."""
        numbers = {
            str(status).replace(" ", "-"): number for status, number in count_by_status(outcomes).items()
        }
        code, count = highest_exit_code(outcomes), len(outcomes)
        await self._write_line("summary", code=code, scripts=count, **numbers, seconds=round(seconds, 6))

    async def _write_line(self, event: str, **members: Any) -> None:
        await self._write({"schema": SCHEMA_VERSION, "event": event, **members})

    async def _write(self, members: dict[str, Any]) -> None:
        text = json.dumps(members, ensure_ascii=True, allow_nan=False)
        await self._console.write(self._console.stdout, text.encode("ascii") + b"\n")


def _outcome_members(outcome: Outcome) -> dict[str, Any]:
    return {
        "name": outcome.name,
        "status": str(outcome.status).replace(" ", "-"),
        "code": int(outcome.code),
        "steps": outcome.total,
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 6),
        "line": outcome.line or None,
        "sentence": outcome.sentence or outcome.complaint,
        "details": [{"title": title, "text": text} for title, text in outcome.details],
        "unclaimed": outcome.unclaimed,
        "unexpected": [
            {"number": message.number, "text": render_value(message.value, MAX_TEXT)}
            for message in outcome.unexpected
        ],
        "recording": outcome.recording,
        "attempts": len(outcome.failed_attempts) + 1,
    }


_PLAIN: Final = re.compile(r"[a-z]+(_[a-z]+)?")
"""The keys that YAML needs no quotes for."""


def format_tap(outcomes: Sequence[Outcome]) -> str:
    """Format a TAP report: each script is a test point. After an interruption nothing follows ("Bail
    out!").
    """
    lines = ["TAP version 13", f"1..{len(outcomes)}"]
    for number, outcome in enumerate(outcomes, 1):
        lines += _format_point(number, outcome)
        if outcome.status is Status.INTERRUPTED:
            lines.append(f"Bail out! {_escape_description(outcome.reason)}")
            break
    return "".join(f"{line}\n" for line in lines)


def _format_point(number: int, outcome: Outcome) -> list[str]:
    description = f"{number} - {_escape_description(outcome.name)}"
    if outcome.status is Status.NOT_RUN:
        return [f"ok {description} # SKIP not run"]
    if not outcome.code:
        notes = [describe_unclaimed(outcome.unclaimed)] if outcome.unclaimed else []
        if outcome.status is Status.FLAKY:
            notes.append(describe_attempts(outcome))
        return [f"ok {description}", *(f"# {make_visible(note)}" for note in notes)]
    return [f"not ok {description}", "  ---", *_format_diagnosis(outcome), "  ..."]


def _format_diagnosis(outcome: Outcome) -> list[str]:
    """The facts of a failure as YAML, with all texts quoted as in JSON, which YAML includes."""
    facts: dict[str, Any] = {"message": outcome.reason}
    if outcome.sentence and outcome.complaint:
        facts["complaint"] = outcome.complaint
    if outcome.line:
        facts["at"] = {"file": outcome.name, "line": outcome.line}
    facts |= {"exit_code": int(outcome.code), "passed": outcome.passed, "steps": outcome.total}
    facts["duration_ms"] = round(outcome.seconds * 1000, 1)
    if outcome.recording is not None:
        facts["recording"] = outcome.recording
    details: dict[str, list[str]] = {}
    for title, text in outcome.details:
        if title:  # one without a title marks columns of the text before, which are others here
            details.setdefault(title, []).append(text)
    if details:
        facts["details"] = details
    return [line for title, fact in facts.items() for line in _format_yaml(title, fact)]


def _format_yaml(title: str, fact: Any) -> list[str]:
    key = f"  {title if _PLAIN.fullmatch(title) else _quote(title)}:"
    match fact:
        case dict():
            inner = [line for name, value in fact.items() for line in _format_yaml(name, value)]
            return [key, *(f"  {line}" for line in inner)]
        case [text]:
            return [f"{key} {_quote(text)}"]
        case list():
            return [key, *(f"    - {_quote(text)}" for text in fact)]
        case _:
            return [f"{key} {_quote(fact)}"]


def _quote(fact: Any) -> str:
    return json.dumps(make_visible(fact), ensure_ascii=False) if isinstance(fact, str) else str(fact)


def _escape_description(text: str) -> str:
    """Escape what would begin a directive."""
    return make_visible(text).replace("\\", "\\\\").replace("#", "\\#")


_TYPES: Final = {
    ExitCode.UNEXPECTED: "unexpected",
    ExitCode.USAGE: "usage",
    ExitCode.NO_HANDSHAKE: "no-handshake",
    ExitCode.TIMED_OUT: "timed-out",
    ExitCode.CHILD_FAILED: "child-failed",
}
"""The types of failures. All other codes are those of interruptions."""

_ENTITIES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


def format_junit(outcomes: Sequence[Outcome], began: datetime) -> str:
    """Format a JUnit report: each script is a suite of one test, because only a suite may name its file.

    Args:
        outcomes: How the scripts ended, in their order.
        began: When the first script began, in UTC.
    """
    results = [_result_element(outcome) for outcome in outcomes]
    totals = {"name": "tui-ipc", **_count_results(results, outcomes)}
    suites = [
        _format_suite(outcome, result, began) for outcome, result in zip(outcomes, results, strict=True)
    ]
    document = _format_element("testsuites", totals, *suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'


def _count_results(results: Sequence[str], outcomes: Sequence[Outcome]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(results.count("failure")),
        "errors": str(results.count("error")),
        "time": f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    }


def _format_suite(outcome: Outcome, result: str, began: datetime) -> str:
    facts = {
        "name": outcome.name,
        **_count_results([result], [outcome]),
        "skipped": str(int(result == "skipped")),
        "timestamp": f"{began:%Y-%m-%dT%H:%M:%S}",
        "file": outcome.name,
    }
    inner = [_format_test(outcome, result)]
    if outcome.line:
        line = _format_element("property", {"name": "line", "value": str(outcome.line)})
        inner.insert(0, _format_element("properties", {}, line))
    return _format_element("testsuite", facts, *inner)


def _result_element(outcome: Outcome) -> str:
    """The name of the element that says how a test ended, empty if it passed.

    A failure is what the child did; an error is that its behaviour could not be judged.
    """
    match outcome.status:
        case Status.NOT_RUN:
            return "skipped"
        case Status.PASSED | Status.FLAKY:
            return ""
        case Status.FAILED | Status.INTERRUPTED:
            is_judged = outcome.code in (ExitCode.UNEXPECTED, ExitCode.TIMED_OUT, ExitCode.CHILD_FAILED)
            return "failure" if is_judged else "error"
        case _:
            assert_never(outcome.status)


def _format_test(outcome: Outcome, result: str) -> str:
    inner = []
    if result:
        inner.append(_format_result(result, outcome))
    prefix = "flaky" if outcome.status is Status.FLAKY else "rerun"  # names of Maven's Surefire, which
    inner += (  # Jenkins reads
        _format_result(f"{prefix}{_result_element(attempt).capitalize()}", attempt)
        for attempt in outcome.failed_attempts
    )
    stderr = outcome.stderr
    if outcome.unclaimed:
        stderr += ("\n" if stderr and not stderr.endswith("\n") else "") + describe_unclaimed(
            outcome.unclaimed
        )
    for name, printed in (("system-out", outcome.stdout), ("system-err", stderr)):
        if printed:
            inner.append(_format_element(name, {}, _escape_text(printed)))
    name = outcome.name
    facts = {"name": name, "classname": _class_name(name), "time": f"{outcome.seconds:.3f}"}
    return _format_element("testcase", facts, *inner)


def _format_result(element: str, outcome: Outcome) -> str:
    facts = {"type": _failure_type(outcome), "message": outcome.reason}
    return _format_element(element, facts, _escape_text("\n".join(describe_outcome(outcome))))


def _failure_type(outcome: Outcome) -> str:
    if outcome.status is Status.NOT_RUN:
        return "not-run"
    return next((name for code, name in _TYPES.items() if code == outcome.code), "interrupted")


def _class_name(name: str) -> str:
    """``tests.talk`` for ``tests/talk.tipc``: readers take the part before the last dot for a package."""
    return ".".join(part for part in name.removesuffix(".tipc").split("/") if part.strip(".")) or name


def _format_element(name: str, attributes: dict[str, str], *inner: str) -> str:
    facts = "".join(f' {key}="{_escape_attribute(value)}"' for key, value in attributes.items())
    return f"<{name}{facts}>{''.join(inner)}</{name}>\n" if inner else f"<{name}{facts}/>\n"


def _escape_attribute(text: str) -> str:
    """Escape a text for an attribute. Tabs and line ends as well: XML readers turn them into spaces."""
    return make_visible(text).translate(_ENTITIES)


def _escape_text(text: str) -> str:
    return "\n".join(make_visible(line, keep_tabs=True) for line in text.split("\n")).translate(_ENTITIES)


_MAX_TITLE: Final = 120  # characters of an annotation's title; its text has all of it


def format_github(outcomes: Sequence[Outcome], root: str | None) -> str:
    """Format annotations as GitHub reads them from the output of a workflow's step: an error for each script
    that failed, a warning for each that is flaky.

    Args:
        outcomes: How the scripts ended, in their order.
        root: The directory of the repository, to which the files' paths are made relative; None for ours.
    """
    lines = []
    for outcome in outcomes:
        if outcome.code and outcome.status is not Status.NOT_RUN:
            title, text = outcome.reason, "\n".join(describe_outcome(outcome))
            lines.append(_format_annotation("error", outcome, title, text, root))
        elif outcome.status is Status.FLAKY:
            text = describe_attempts(outcome)
            lines.append(_format_annotation("warning", outcome.failed_attempts[-1], "flaky", text, root))
    return "".join(f"{line}\n" for line in lines)


def _format_annotation(level: str, outcome: Outcome, title: str, text: str, root: str | None) -> str:
    path = os.path.abspath(outcome.name)
    inside = root is not None and path.startswith(os.path.join(root, ""))
    facts = {"file": os.path.relpath(path, root) if inside else outcome.name}
    facts |= {name: str(value) for name, value in (("line", outcome.line), ("col", outcome.column)) if value}
    heading = f"{outcome.name}: {title}"
    facts["title"] = heading if len(heading) <= _MAX_TITLE else f"{heading[: _MAX_TITLE - 1]}…"
    properties = ",".join(f"{name}={_escape_property(make_visible(value))}" for name, value in facts.items())
    message = "\n".join(make_visible(line) for line in text.split("\n"))
    return f"::{level} {properties}::{_escape_message(message)}"


def _escape_message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escape_property(text: str) -> str:
    return _escape_message(text).replace(":", "%3A").replace(",", "%2C")
