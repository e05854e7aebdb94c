"""A report in the XML that continuous integration reads as JUnit's. Pure.

The one rule: it is valid whatever a child said. The format is what Jenkins' ``junit-10.xsd`` allows, which is
what Maven's Surefire writes; XML 1.0 has no control characters at all, so each stands there as its escape.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.relay import visible
from tui_ipc.script.reporting.outcome import Outcome, Status
from tui_ipc.script.reporting.report import story

_TYPES: Final = {
    ExitCode.UNEXPECTED: "unexpected",
    ExitCode.USAGE: "usage",
    ExitCode.NO_HANDSHAKE: "no-handshake",
    ExitCode.TIMED_OUT: "timed-out",
    ExitCode.CHILD_FAILED: "child-failed",
}
"""What a failure is, for programs. Whatever else ended a script interrupted it."""

_ENTITIES: Final = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;", ord('"'): "&quot;"}


def junit(outcomes: Sequence[Outcome], began: datetime) -> str:
    """The report: one suite, in which each script is a test.

    Args:
        outcomes: Of all scripts, in order.
        began: When the first began, in UTC.
    """
    results = [_result(outcome) for outcome in outcomes]
    totals = {
        "name": "tui-ipc",
        "tests": str(len(outcomes)),
        "failures": str(results.count("failure")),
        "errors": str(results.count("error")),
        "time": f"{sum(outcome.seconds for outcome in outcomes):.3f}",
    }
    suite = totals | {"skipped": str(results.count("skipped")), "timestamp": f"{began:%Y-%m-%dT%H:%M:%S}"}
    tests = [_test(outcome, result) for outcome, result in zip(outcomes, results, strict=True)]
    document = _element("testsuites", totals, _element("testsuite", suite, *tests))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{document}'


def _result(outcome: Outcome) -> str:
    """The name of the element that tells how a test ended, empty if it passed.

    A failure is a verdict on what the child did; an error is that there could be none.
    """
    if outcome.status is Status.NOT_RUN:
        return "skipped"
    if outcome.code == ExitCode.PASSED:
        return ""
    verdict = outcome.code in (ExitCode.UNEXPECTED, ExitCode.TIMED_OUT, ExitCode.CHILD_FAILED)
    return "failure" if verdict else "error"


def _test(outcome: Outcome, result: str) -> str:
    inner = []
    if result:
        facts = {"type": _type(outcome), "message": outcome.reason}
        inner.append(_element(result, facts, _text("\n".join(story(outcome)))))
    for name, printed in (("system-out", outcome.stdout), ("system-err", outcome.stderr)):
        if printed:
            inner.append(_element(name, {}, _text(printed)))
    name = outcome.name
    facts = {"name": name, "classname": _class_name(name), "time": f"{outcome.seconds:.3f}"}
    return _element("testcase", facts, *inner)


def _type(outcome: Outcome) -> str:
    if outcome.status is Status.NOT_RUN:
        return "not-run"
    return next((name for code, name in _TYPES.items() if code == outcome.code), "interrupted")


def _class_name(name: str) -> str:
    """``tests.talk`` for ``tests/talk.tipc``: readers take what is before the last dot for a package."""
    return ".".join(part for part in name.removesuffix(".tipc").split("/") if part.strip(".")) or name


def _element(name: str, attributes: dict[str, str], *inner: str) -> str:
    facts = "".join(f' {key}="{_attribute(value)}"' for key, value in attributes.items())
    return f"<{name}{facts}>{''.join(inner)}</{name}>\n" if inner else f"<{name}{facts}/>\n"


def _attribute(text: str) -> str:
    """Readers make spaces of the ends of lines and the tabs in an attribute, so these are escaped, too."""
    return visible(text).replace("\t", "\\t").translate(_ENTITIES)


def _text(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n")).translate(_ENTITIES)
