"""What is written of a run while it happens, and where."""

import asyncio
from pathlib import Path

from tests.script.fake_session import audit, closed, exited, opened, printed, received, spawned
from tui_ipc.script.reporting.console import Console
from tui_ipc.script.reporting.transcript import Transcript
from tui_ipc.session.events import (
    Audit,
    ChildContinued,
    ChildStopped,
    Event,
    ServerListening,
    StepLate,
)


def written(place: Path, *events: Event, narrated: bool, taken: bool = False) -> tuple[str, str]:
    """What a transcript writes of events, on stdout and on stderr."""

    async def main(console: Console) -> None:
        transcript = Transcript(console, name="talk.tipc", narrated=narrated, taken=taken)
        for event in events:
            await transcript.tell(event)

    paths = place / "stdout", place / "stderr"
    with paths[0].open("w", encoding="utf-8") as stdout, paths[1].open("w", encoding="utf-8") as stderr:
        asyncio.run(main(Console(stdout, stderr, {})))
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


def test_a_child_that_was_never_spawned_finishes_nothing(tmp_path: Path) -> None:
    """Words come from events only."""
    assert written(tmp_path, spawned(), narrated=True)[0] == "Child process ID: 4242\n"


def test_where_stdout_is_taken_all_goes_to_stderr(tmp_path: Path) -> None:
    """Each line marked by its stream; what has no end is ended when the child is."""
    stdout, stderr = written(tmp_path, *RUN, narrated=False, taken=True)
    assert stdout == ""
    assert stderr.splitlines() == [
        "child stdout: one",
        "child stderr: careful",
        "child stdout: half",
        "child stdout: bye",
    ]
    assert "Child process finished." in written(tmp_path, *RUN, narrated=True, taken=True)[1]
