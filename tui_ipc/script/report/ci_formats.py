"""A report in the Test Anything Protocol, for ``prove`` and its like. Pure.

The one rule: it is TAP 14 that a reader of TAP 13 understands as well, and its first line says 13: Perl's
``prove`` refuses a version above the one that it knows, and TAP 14 requires of its readers to take 13.
Whatever a child said stays inside a comment or a quoted text.
"""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.report.passthrough import visible
from tui_ipc.script.report.text_report import describe_outcome

_PLAIN: Final = re.compile(r"[a-z]+(_[a-z]+)?")
"""Keys that need no quotes."""


def format_tap(outcomes: Sequence[Outcome]) -> str:
    """The report: a plan, and each script a test point. An interruption bails out: nothing follows."""
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
        return [f"ok {description}"]
    return [f"not ok {description}", "  ---", *_format_diagnosis(outcome), "  ..."]


def _format_diagnosis(outcome: Outcome) -> list[str]:
    """What is known of a failure, as YAML: of its many ways to write a text that of JSON, which has one."""
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
        if title:  # else it marks characters of the one before, which here stand elsewhere
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
    return json.dumps(visible(fact), ensure_ascii=False) if isinstance(fact, str) else str(fact)


def _escape_description(text: str) -> str:
    """A text in which nothing begins a directive."""
    return visible(text).replace("\t", " ").replace("\\", "\\\\").replace("#", "\\#")


_TYPES: Final = {
    ExitCode.UNEXPECTED: "unexpected",
    ExitCode.USAGE: "usage",
    ExitCode.NO_HANDSHAKE: "no-handshake",
    ExitCode.TIMED_OUT: "timed-out",
    ExitCode.CHILD_FAILED: "child-failed",
}
"""What a failure is, for programs. Whatever else ended a script interrupted it."""

_ENTITIES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


def format_junit(outcomes: Sequence[Outcome], began: datetime) -> str:
    """The report: one suite, in which each script is a test.

    Args:
        outcomes: Of all scripts, in order.
        began: When the first began, in UTC.
    """
    results = [_result_element(outcome) for outcome in outcomes]
    totals = {
        "name": "tui-ipc",
        "tests": str(len(outcomes)),
        "failures": str(results.count("failure")),
        "errors": str(results.count("error")),
        "time": f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    }
    suite = totals | {"skipped": str(results.count("skipped")), "timestamp": f"{began:%Y-%m-%dT%H:%M:%S}"}
    tests = [_format_test(outcome, result) for outcome, result in zip(outcomes, results, strict=True)]
    document = _format_element("testsuites", totals, _format_element("testsuite", suite, *tests))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'


def _result_element(outcome: Outcome) -> str:
    """The name of the element that tells how a test ended, empty if it passed.

    A failure is a verdict on what the child did; an error is that there could be none.
    """
    if outcome.status is Status.NOT_RUN:
        return "skipped"
    if outcome.code == ExitCode.PASSED:
        return ""
    verdict = outcome.code in (ExitCode.UNEXPECTED, ExitCode.TIMED_OUT, ExitCode.CHILD_FAILED)
    return "failure" if verdict else "error"


def _format_test(outcome: Outcome, result: str) -> str:
    inner = []
    if result:
        facts = {"type": _failure_type(outcome), "message": outcome.reason}
        inner.append(_format_element(result, facts, _escape_text("\n".join(describe_outcome(outcome)))))
    for name, printed in (("system-out", outcome.stdout), ("system-err", outcome.stderr)):
        if printed:
            inner.append(_format_element(name, {}, _escape_text(printed)))
    name = outcome.name
    facts = {"name": name, "classname": _class_name(name), "time": f"{outcome.seconds:.3f}"}
    return _format_element("testcase", facts, *inner)


def _failure_type(outcome: Outcome) -> str:
    if outcome.status is Status.NOT_RUN:
        return "not-run"
    return next((name for code, name in _TYPES.items() if code == outcome.code), "interrupted")


def _class_name(name: str) -> str:
    """``tests.talk`` for ``tests/talk.tipc``: readers take what is before the last dot for a package."""
    return ".".join(part for part in name.removesuffix(".tipc").split("/") if part.strip(".")) or name


def _format_element(name: str, attributes: dict[str, str], *inner: str) -> str:
    facts = "".join(f' {key}="{_escape_attribute(value)}"' for key, value in attributes.items())
    return f"<{name}{facts}>{''.join(inner)}</{name}>\n" if inner else f"<{name}{facts}/>\n"


def _escape_attribute(text: str) -> str:
    """Readers make spaces of the ends of lines and the tabs in an attribute, so these are escaped, too."""
    return visible(text).replace("\t", "\\t").translate(_ENTITIES)


def _escape_text(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n")).translate(_ENTITIES)
