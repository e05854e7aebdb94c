"""How scripts ended, as a person reads it."""

from dataclasses import replace

import pytest

from tests.script.fake_session import received
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.reporting.colours import coloured
from tui_ipc.script.reporting.outcome import Outcome, Status
from tui_ipc.script.reporting.report import story, summary
from tui_ipc.session.events import MessageReceived

PASSED = Outcome("talk.tipc", Status.PASSED, total=3, passed=3, seconds=0.049)
FAILED = Outcome(
    "talk.tipc",
    Status.FAILED,
    ExitCode.UNEXPECTED,
    total=3,
    passed=1,
    seconds=1.0,
    line=2,
    sentence="another message came than expected",
    details=(("expected", '"y"'), ("", "~~~"), ("stderr", "\x1b[31mred")),
)
INTERRUPTED = Outcome(
    "talk.tipc", Status.INTERRUPTED, 130, line=2, sentence="SIGINT came; the child was ended"
)


def test_success_is_one_line() -> None:
    """With what a person wants to know of it."""
    assert story(PASSED) == ["talk.tipc: 3 steps passed in 0.05 s"]
    assert story(replace(PASSED, passed=1)) == ["talk.tipc: 1 step passed in 0.05 s"]


def test_messages_too_many_are_mentioned() -> None:
    """A few are shown, the others counted."""
    messages = [received("x" * 1000, number=number) for number in range(1, 8)]
    unexpected = tuple(message for message in messages if isinstance(message, MessageReceived))
    _, *lines, last = story(replace(PASSED, unexpected=unexpected, untaken=1234))
    assert [line[:54] for line in lines] == [
        f'talk.tipc: message #{number} was not expected: "xxxxxxxxxxxxx' for number in (1, 2, 3)
    ]
    assert all(len(line) < 170 for line in lines)
    assert last == "talk.tipc: and 1 231 more"
    assert story(replace(PASSED, unexpected=unexpected, untaken=4))[-1] == "talk.tipc: and 1 more"
    assert len(story(replace(PASSED, unexpected=unexpected[:2], untaken=2))) == 3


def test_a_failure_is_told_whole() -> None:
    """The place first, as editors and log viewers look for it; the child's words cannot steer a terminal."""
    assert story(FAILED) == [
        "talk.tipc:2: another message came than expected",
        '  expected  "y"',
        "            ~~~",
        r"  stderr    \u001b[31mred",
        "talk.tipc: FAILED after 1 of 3 steps in 1.00 s",
    ]


def test_without_handshake_no_step_failed() -> None:
    """One sentence says it all."""
    outcome = Outcome("talk.tipc", Status.FAILED, ExitCode.NO_HANDSHAKE, sentence="the child exited")
    assert story(outcome) == ["talk.tipc: the child exited"]


def test_a_recording_is_told_with_the_command_that_shows_it() -> None:
    """Ready to be copied, whatever is in its name."""
    *_, recorded, failed = story(replace(FAILED, recording="my dir/a\x1b.rec"))
    assert recorded == (
        r"talk.tipc: recorded in my dir/a\u001b.rec; tui-ipc --replay 'my dir/a\u001b.rec' shows it"
    )
    assert "FAILED" in failed


@pytest.mark.parametrize("outcome", [PASSED, FAILED, INTERRUPTED])
def test_a_complaint_of_ours_comes_last(outcome: Outcome) -> None:
    """The child is not to blame for it."""
    assert story(replace(outcome, complaint="no room\n"))[-1] == r"talk.tipc: no room\n"


def test_an_interruption_and_what_it_kept_from_being_run() -> None:
    """Neither is a failure of the script's."""
    assert story(replace(INTERRUPTED, passed=1200, total=3000)) == [
        "talk.tipc:2: SIGINT came; the child was ended",
        "talk.tipc: INTERRUPTED after 1 200 of 3 000 steps in 0.00 s",
    ]
    assert story(Outcome("b.tipc", Status.NOT_RUN)) == ["b.tipc: not run"]


def test_several_scripts_are_summed_up() -> None:
    """What there is none of is not mentioned."""
    outcomes = [PASSED, PASSED, FAILED]
    assert summary(outcomes) == "3 scripts: 2 passed, 1 failed in 1.10 s"
    outcomes += [INTERRUPTED, Outcome("b.tipc", Status.NOT_RUN)]
    assert summary(outcomes) == "5 scripts: 2 passed, 1 failed, 1 interrupted, 1 not run in 1.10 s"


def test_colour_changes_no_text() -> None:
    """It only marks what to look at first."""
    told = story(FAILED, coloured)
    assert told[0] == "\x1b[1mtalk.tipc:2: another message came than expected\x1b[m"
    assert told[1] == '  expected  \x1b[32m"y"\x1b[m'
    assert told[-1] == "talk.tipc: \x1b[31mFAILED\x1b[m after 1 of 3 steps in 1.00 s"
    plain = [line.replace("\x1b[m", "") for line in (*told, summary([PASSED, FAILED], coloured))]
    for code in ("\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m"):
        plain = [line.replace(code, "") for line in plain]
    assert plain == [*story(FAILED), summary([PASSED, FAILED])]
