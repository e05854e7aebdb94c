"""How scripts ended, as a person reads it."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.outcome_strategies import FLAKY
from tests.support.scripted_session import audit, closed, exited, opened, printed, received, spawned
from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChildContinued,
    ChildStopped,
    MessageReceived,
    ServerListening,
    StepLate,
)
from tui_ipc.script import ExitCode
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.output import Console, colour_text
from tui_ipc.script.report.text_report import (
    TextReporter,
    describe_outcome,
    describe_totals,
)

PASSED = Outcome("talk.tipc", Status.PASSED, total=3, passed=3, seconds=0.049)
FAILED = Outcome(
    "talk.tipc",
    Status.FAILED,
    ExitCode.UNEXPECTED,
    total=3,
    passed=1,
    seconds=1.0,
    line=2,
    sentence="a different message came than expected",
    details=(("expected", '"y"'), ("", "~~~"), ("stderr", "\x1b[31mred")),
)
INTERRUPTED = Outcome(
    "talk.tipc", Status.INTERRUPTED, 130, line=2, sentence="SIGINT came; the child was ended"
)


def test_success_is_one_line() -> None:
    """With what a person wants to know of it."""
    assert describe_outcome(PASSED) == ["talk.tipc: 3 steps passed in 0.05 s"]
    assert describe_outcome(replace(PASSED, passed=1)) == ["talk.tipc: 1 step passed in 0.05 s"]


def test_messages_too_many_are_mentioned() -> None:
    """A few are shown, the others counted."""
    messages = [received("x" * 1000, number=number) for number in range(1, 8)]
    unexpected = tuple(message for message in messages if isinstance(message, MessageReceived))
    _, *lines, last = describe_outcome(replace(PASSED, unexpected=unexpected, unclaimed=1234))
    assert [line[:54] for line in lines] == [
        f'talk.tipc: message #{number} was not expected: "xxxxxxxxxxxxx' for number in (1, 2, 3)
    ]
    assert all(len(line) < 170 for line in lines)
    assert last == "talk.tipc: and 1 231 more"
    assert (
        describe_outcome(replace(PASSED, unexpected=unexpected, unclaimed=4))[-1] == "talk.tipc: and 1 more"
    )
    assert len(describe_outcome(replace(PASSED, unexpected=unexpected[:2], unclaimed=2))) == 3


def test_a_failure_is_described_completely() -> None:
    """The place first, as editors and log viewers look for it; the child's words cannot steer a terminal."""
    assert describe_outcome(FAILED) == [
        "talk.tipc:2: a different message came than expected",
        '  expected  "y"',
        "            ~~~",
        "  stderr    ␛[31mred",
        "talk.tipc: FAILED after 1 of 3 steps in 1.00 s",
    ]


def test_without_handshake_the_script_failed_all_the_same() -> None:
    """Whoever looks for FAILED in a log finds it."""
    outcome = Outcome(
        "talk.tipc", Status.FAILED, ExitCode.NO_HANDSHAKE, total=3, line=2, sentence="the child exited"
    )
    assert describe_outcome(outcome) == [
        "talk.tipc:2: the child exited",
        "talk.tipc: FAILED after 0 of 3 steps in 0.00 s",
    ]


def test_a_recording_is_named_with_the_command_to_show_it() -> None:
    """Ready to be copied, whatever is in its name."""
    *_, recorded, failed = describe_outcome(replace(FAILED, recording="my dir/a\x1b.rec"))
    assert recorded == ("talk.tipc: recorded in my dir/a␛.rec; tui-ipc --replay 'my dir/a␛.rec' shows it")
    assert "FAILED" in failed


@pytest.mark.parametrize("outcome", [PASSED, FAILED, INTERRUPTED])
def test_a_complaint_of_ours_comes_last(outcome: Outcome) -> None:
    """The child is not to blame for it."""
    assert describe_outcome(replace(outcome, complaint="no room\n"))[-1] == "talk.tipc: no room␊"


def test_an_interruption_and_what_it_kept_from_being_run() -> None:
    """Neither is a failure of the script's."""
    assert describe_outcome(replace(INTERRUPTED, passed=1200, total=3000)) == [
        "talk.tipc:2: SIGINT came; the child was ended",
        "talk.tipc: INTERRUPTED after 1 200 of 3 000 steps in 0.00 s",
    ]
    assert describe_outcome(Outcome("b.tipc", Status.NOT_RUN)) == ["b.tipc: not run"]


def test_several_scripts_are_summed_up() -> None:
    """What there is none of is not mentioned."""
    outcomes = [PASSED, PASSED, FAILED]
    assert describe_totals(outcomes, 1.1) == "3 scripts: 2 passed, 1 failed in 1.10 s"
    outcomes += [INTERRUPTED, FLAKY, Outcome("b.tipc", Status.NOT_RUN)]
    totals = "6 scripts: 2 passed, 1 flaky, 1 failed, 1 interrupted, 1 not run in 1.10 s"
    assert describe_totals(outcomes, 1.1) == totals


def test_a_flaky_script_names_its_last_failure_and_what_was_rewritten_is_a_difference() -> None:
    """Both come after the verdict."""
    rewritten = ("line 2 rewritten", "@@ -2 +2 @@", "-< 1", "+< \x1b")
    assert describe_outcome(replace(FLAKY, rewritten=rewritten)) == [
        "f.tipc: 3 steps passed in 0.50 s",
        "f.tipc: flaky: passed at attempt 2, after: tests/add.tipc:2: a different message came than expected",
        "f.tipc: line 2 rewritten",
        "  @@ -2 +2 @@",
        "  -< 1",
        "  +< ␛",
    ]


def test_colour_changes_no_text() -> None:
    """It only marks what to look at first."""
    reported = describe_outcome(FAILED, colour_text)
    assert reported[0] == "\x1b[1mtalk.tipc:2: a different message came than expected\x1b[m"
    assert reported[1] == '  expected  \x1b[32m"y"\x1b[m'
    assert reported[-1] == "talk.tipc: \x1b[31mFAILED\x1b[m after 1 of 3 steps in 1.00 s"
    plain = [
        line.replace("\x1b[m", "") for line in (*reported, describe_totals([PASSED, FAILED], 1, colour_text))
    ]
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m"):
        plain = [line.replace(code, "") for line in plain]
    assert plain == [*describe_outcome(FAILED), describe_totals([PASSED, FAILED], 1)]


def written(place: Path, *events: AnyEvent, is_builtin: bool, stdout_taken: bool = False) -> tuple[str, str]:
    """What is written of events, on stdout and on stderr."""

    async def main(console: Console) -> None:
        reporter = TextReporter(console, is_builtin=is_builtin, stdout_taken=stdout_taken)
        await reporter.begin_script(1, Script("talk.tipc", ()), ["./child"], 0)
        for event in events:
            await reporter.report_event(event)

    paths = place / "stdout", place / "stderr"
    with paths[0].open("w", encoding="utf-8") as stdout, paths[1].open("w", encoding="utf-8") as stderr:
        asyncio.run(main(Console(stdout, stderr, {})))
    return paths[0].read_text(encoding="utf-8"), paths[1].read_text(encoding="utf-8")


RUN: tuple[AnyEvent, ...] = (
    ServerListening(at=0, run=1, name="/run/server"),
    *opened(),
    printed(b"one\nhal"),
    printed(b"careful\n", "stderr"),
    printed(b"f\n"),
    received("fine"),
    received({"a": 1}),
    received("two\nlines"),
    printed(b"bye"),
    closed(),
    exited(),
    audit(),
)


def test_the_seeds_words_stand_between_the_childs(tmp_path: Path) -> None:
    """Each on a line of its own; an answer that does not fit on one is in the notation."""
    stdout, stderr = written(tmp_path, *RUN, is_builtin=True)
    assert stdout.splitlines() == [
        "Parent process started",
        "One Shot Server name - Parent: /run/server",
        "Child process ID: 4242",
        "one",
        "half",
        "Received from child: fine",
        'Received from child: {"a": 1}',
        r'Received from child: "two\nlines"',
        "bye",
        "Child process finished.",
    ]
    assert stderr == "child stderr: careful\n"


def test_of_a_script_stdout_has_what_the_child_printed(tmp_path: Path) -> None:
    """Its bytes and nothing else; its stderr is marked, on ours."""
    assert written(tmp_path, *RUN, is_builtin=False) == ("one\nhalf\nbye", "child stderr: careful\n")


def test_remarkable_events_are_reported_on_stderr(tmp_path: Path) -> None:
    """A late step, a child that was stopped and goes on, and what the run left behind: notes, no failures."""
    events = (
        StepLate(at=0, run=1, step="hello", waited=1, sentence="it is late\x1b[m"),
        ChildStopped(at=0, run=1, signal=19),
        ChildContinued(at=0, run=1),
        printed(b"hal", "stderr"),
        exited(),
        Audit(at=0, run=1, processes=(7,), files=("/s",), held=("stdout",), unread=2, quit_elapsed=None),
        audit(),
    )
    stdout, stderr = written(tmp_path, *events, is_builtin=False)
    assert stdout == ""
    assert stderr.splitlines() == [
        "talk.tipc: it is late␛[m",
        "talk.tipc: SIGSTOP stopped the child; it does nothing until it is continued",
        "talk.tipc: the child goes on",
        "child stderr: hal",
        "talk.tipc: left behind: 1 process (pid 7) · stdout held open · 1 file (/s) · 2 unread bytes",
    ]


def test_a_child_that_was_never_spawned_finishes_nothing(tmp_path: Path) -> None:
    """Words come from events only."""
    assert written(tmp_path, spawned(), is_builtin=True)[0] == "Child process ID: 4242\n"


@pytest.mark.parametrize(("outcome", "shown"), [(PASSED, False), (FAILED, True), (INTERRUPTED, True)])
def test_a_quiet_report_shows_the_output_of_failures_only(
    outcome: Outcome, shown: bool, tmp_path: Path
) -> None:
    """Before the verdict; a script that did not begin shows nothing of the one before."""
    with (tmp_path / "log").open("w+", encoding="utf-8") as log:
        reporter = TextReporter(Console(log, log, {}), is_builtin=False, stdout_taken=False, quiet=True)

        async def main() -> None:
            await reporter.begin_script(1, Script("talk.tipc", ()), ["./child"], 0)
            for event in (printed(b"one\n"), printed(b"two", "stderr"), exited()):
                await reporter.report_event(event)
            await reporter.end_script(1, outcome)
            await reporter.end_script(2, replace(FAILED, name="faulty.tipc"))

        asyncio.run(main())
        log.seek(0)
        lines = log.read().splitlines()
    assert lines[: 2 * shown] == ["one", "child stderr: two"] * shown
    assert (lines.count("one"), lines[2 * shown]) == (shown, describe_outcome(outcome)[0])


def test_where_stdout_is_taken_all_goes_to_stderr(tmp_path: Path) -> None:
    """Each line marked by its stream; what has no end is ended when the child is."""
    stdout, stderr = written(tmp_path, *RUN, is_builtin=False, stdout_taken=True)
    assert stdout == ""
    assert stderr.splitlines() == [
        "child stdout: one",
        "child stderr: careful",
        "child stdout: half",
        "child stdout: bye",
    ]
    assert "Child process finished." in written(tmp_path, *RUN, is_builtin=True, stdout_taken=True)[1]
