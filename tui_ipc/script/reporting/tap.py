"""A report in the Test Anything Protocol, for ``prove`` and its like. Pure.

The one rule: it is TAP 14 that a reader of TAP 13 understands as well, and its first line says 13: Perl's
``prove`` refuses a version above the one that it knows, and TAP 14 requires of its readers to take 13.
Whatever a child said stays inside a comment or a quoted text.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from tui_ipc.script.relay import visible
from tui_ipc.script.reporting.outcome import Outcome, Status

_PLAIN: Final = re.compile(r"[a-z]+(_[a-z]+)?")
"""Keys that need no quotes."""


def tap(outcomes: Sequence[Outcome]) -> str:
    """The report: a plan, and each script a test point. An interruption bails out: nothing follows."""
    lines = ["TAP version 13", f"1..{len(outcomes)}"]
    for number, outcome in enumerate(outcomes, 1):
        lines += _point(number, outcome)
        if outcome.status is Status.INTERRUPTED:
            lines.append(f"Bail out! {_described(outcome.reason)}")
            break
    return "".join(f"{line}\n" for line in lines)


def _point(number: int, outcome: Outcome) -> list[str]:
    description = f"{number} - {_described(outcome.name)}"
    if outcome.status is Status.NOT_RUN:
        return [f"ok {description} # SKIP not run"]
    if not outcome.code:
        return [f"ok {description}"]
    return [f"not ok {description}", "  ---", *_diagnosis(outcome), "  ..."]


def _diagnosis(outcome: Outcome) -> list[str]:
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
    return [line for title, fact in facts.items() for line in _yaml(title, fact)]


def _yaml(title: str, fact: Any) -> list[str]:
    key = f"  {title if _PLAIN.fullmatch(title) else _quoted(title)}:"
    match fact:
        case dict():
            inner = [line for name, value in fact.items() for line in _yaml(name, value)]
            return [key, *(f"  {line}" for line in inner)]
        case [text]:
            return [f"{key} {_quoted(text)}"]
        case list():
            return [key, *(f"    - {_quoted(text)}" for text in fact)]
        case _:
            return [f"{key} {_quoted(fact)}"]


def _quoted(fact: Any) -> str:
    return json.dumps(visible(fact), ensure_ascii=False) if isinstance(fact, str) else str(fact)


def _described(text: str) -> str:
    """A text in which nothing begins a directive."""
    return visible(text).replace("\t", " ").replace("\\", "\\\\").replace("#", "\\#")
