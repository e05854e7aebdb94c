"""What is written of a run, and where."""

import asyncio
from pathlib import Path

from tests.script.fake_session import audit, closed, exited, opened, printed, received, spawned
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import parse
from tui_ipc.script.report import Transcript, story
from tui_ipc.script.runner import Verdict
from tui_ipc.script.sink import Sink
from tui_ipc.session.events import (
    Audit,
    ChildContinued,
    ChildStopped,
    Event,
    MessageReceived,
    ServerListening,
    StepLate,
)

SCRIPT = parse("> x\n< y\nquit", "talk.tipc")


def written(place: Path, *events: Event, narrated: bool) -> tuple[str, str]:
    """What a transcript writes of events, on stdout and on stderr."""

    async def main(stdout: Sink, stderr: Sink) -> None:
        transcript = Transcript(stdout, stderr, name="talk.tipc", narrated=narrated)
        for event in events:
            await transcript.tell(event)

    paths = place / "stdout", place / "stderr"
    with paths[0].open("w", encoding="utf-8") as stdout, paths[1].open("w", encoding="utf-8") as stderr:
        asyncio.run(main(Sink(stdout), Sink(stderr)))
    return paths[0].read_text(encoding="utf-8"), paths[1].read_text(encoding="utf-8")


RUN: tuple[Event, ...] = (
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
    stdout, stderr = written(tmp_path, *RUN, narrated=True)
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
    assert written(tmp_path, *RUN, narrated=False) == ("one\nhalf\nbye", "child stderr: careful\n")


def test_what_is_worth_a_look_is_told_on_stderr(tmp_path: Path) -> None:
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
    stdout, stderr = written(tmp_path, *events, narrated=False)
    assert stdout == ""
    assert stderr.splitlines() == [
        r"talk.tipc: it is late\u001b[m",
        "talk.tipc: SIGSTOP stopped the child; it does nothing until it is continued",
        "talk.tipc: the child goes on",
        "child stderr: hal",
        "talk.tipc: left behind: 1 process (pid 7) · stdout held open · 1 file (/s) · 2 unread bytes",
    ]


def test_success_is_one_line() -> None:
    """With what a person wants to know of it."""
    assert story(SCRIPT, Verdict(ExitCode.PASSED, 0.049, 3)) == ["talk.tipc: 3 steps passed in 0.05 s"]
    assert story(SCRIPT, Verdict(ExitCode.PASSED, 0.049, 1)) == ["talk.tipc: 1 step passed in 0.05 s"]


def test_messages_too_many_are_mentioned() -> None:
    """A few are shown, the others counted."""
    messages = [received("x" * 1000, number=number) for number in range(1, 8)]
    unexpected = tuple(message for message in messages if isinstance(message, MessageReceived))
    _, *lines, last = story(SCRIPT, Verdict(ExitCode.PASSED, 0.0, 3, unexpected=unexpected))
    assert [line[:54] for line in lines] == [
        f'talk.tipc: message #{number} was not expected: "xxxxxxxxxxxxx' for number in (1, 2, 3)
    ]
    assert all(len(line) < 170 for line in lines)
    assert last == "talk.tipc: and 4 more"


def test_a_failure_is_told_whole() -> None:
    """The place first, as editors and log viewers look for it; the child's words cannot steer a terminal."""
    details = (("expected", '"y"'), ("stderr", "\x1b[31mred"))
    verdict = Verdict(ExitCode.UNEXPECTED, 1.0, 1, 2, "another message came than expected", details)
    assert story(SCRIPT, verdict) == [
        "talk.tipc:2: another message came than expected",
        '  expected  "y"',
        r"  stderr    \u001b[31mred",
        "talk.tipc: FAILED after 1 of 3 steps in 1.00 s",
    ]


def test_without_handshake_no_step_failed() -> None:
    """One sentence says it all."""
    verdict = Verdict(ExitCode.NO_HANDSHAKE, 1.0, sentence="the child exited")
    assert story(SCRIPT, verdict) == ["talk.tipc: the child exited"]


def test_a_child_that_was_never_spawned_finishes_nothing(tmp_path: Path) -> None:
    """Words come from events only."""
    assert written(tmp_path, spawned(), narrated=True)[0] == "Child process ID: 4242\n"
