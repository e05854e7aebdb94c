"""The report for ``prove`` and its like."""

import itertools
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tests.script.outcomes import FAILED, INTERRUPTED, NOT_RUN, PASSED, REFUSED, UNRECORDED, outcomes
from tests.script.tap_reader import read
from tui_ipc.script.relay import visible
from tui_ipc.script.reporting.outcome import Outcome, Status
from tui_ipc.script.reporting.tap import tap


def test_each_script_is_a_point() -> None:
    """With a diagnosis where it failed, every text of it quoted."""
    assert tap([PASSED, FAILED]).splitlines() == [
        "TAP version 13",
        "1..2",
        "ok 1 - tests/talk.tipc",
        "not ok 2 - tests/add.tipc",
        "  ---",
        '  message: "another message came than expected"',
        "  at:",
        '    file: "tests/add.tipc"',
        "    line: 2",
        "  exit_code: 1",
        "  passed: 1",
        "  steps: 3",
        "  duration_ms: 1000.0",
        '  recording: "failures/add.rec"',
        "  details:",
        r'    expected: "\"y\""',
        "    stderr:",
        '      - "one"',
        r'      - "\\u001b[31mtwo"',
        "  ...",
    ]


def test_what_has_no_line_names_none() -> None:
    """A failed handshake, and what was our fault."""
    refused, unrecorded = read(tap([REFUSED, UNRECORDED])).points
    assert "at" not in refused.diagnosis
    assert refused.diagnosis["message"] == "the child exited"
    assert unrecorded.diagnosis["message"] == "no room"


def test_an_interruption_bails_out() -> None:
    """At the script that it ended; the plan still counts those that were not run."""
    made = read(tap([PASSED, INTERRUPTED, NOT_RUN]))
    assert (made.planned, [point.passed for point in made.points]) == (3, [True, False])
    assert made.bailed_out == "SIGINT came; the child was ended"


def test_what_was_not_run_is_skipped() -> None:
    """Where no interruption tells it: our output was lost, for instance."""
    [point] = read(tap([NOT_RUN])).points
    assert (point.passed, point.skipped, point.description) == (True, True, "e.tipc")


def test_a_name_is_no_directive() -> None:
    """Whatever the file is called."""
    text = tap([Outcome("a # SKIP \\# x.tipc", Status.PASSED)])
    assert "ok 1 - a \\# SKIP \\\\\\# x.tipc" in text
    [point] = read(text).points
    assert (point.skipped, point.description) == (False, "a # SKIP \\# x.tipc")


@given(st.lists(outcomes(), max_size=4))
def test_whatever_was_said_it_can_be_read(told: Sequence[Outcome]) -> None:
    """And says which passed."""
    made = read(tap(told))
    reported = [*itertools.takewhile(lambda each: each.status is not Status.INTERRUPTED, told)]
    reported += told[len(reported) :][:1]
    assert made.planned == len(told)
    assert len(made.points) == len(reported)
    for point, outcome in zip(made.points, reported, strict=True):
        skipped = outcome.status is Status.NOT_RUN
        assert (point.passed, point.skipped) == (skipped or not outcome.code, skipped)
        assert bool(point.diagnosis) == (not point.passed)
        if point.diagnosis:
            assert point.diagnosis["message"] == visible(outcome.reason)
            titles = {visible(title) for title, _ in outcome.details if title}
            assert set(point.diagnosis.get("details", {})) == titles
