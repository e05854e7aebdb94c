"""What children print: live, whole, unchanged, and in its place among the messages."""

import pytest

from tests.session.playing import OPEN, Watch, child, environment, only, play, printed, transcript
from tui_ipc.session import events as ev
from tui_ipc.session.session import Session


def test_a_child_that_prints_plainly_is_seen_line_by_line_while_it_runs() -> None:
    """It waits for a message after each line, so that only live output gets it any further."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        for line in ("first line", "second line"):
            await watch.until_printed(line)
            await session.send("go on")
        await watch.until(ev.Audit)

    assert "PYTHONUNBUFFERED" not in environment()
    lines = transcript(play(child("prints_plainly"), act))
    assert [line for line in lines if line not in OPEN] == [
        "stdout 'first line\\n'",
        "> 'go on'",
        "stdout 'second line\\n'",
        "> 'go on'",
        "closed",
        "exited 0",
        "clean",
    ]


def test_through_a_pipe_the_same_child_keeps_its_output_back() -> None:
    """What the pseudo-terminal is for."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        await session.send("go on")
        await session.send("go on")
        await watch.until(ev.Audit)

    lines = transcript(play(child("prints_plainly"), act, pty=False))[5:]
    assert "stdout 'first line\\nsecond line\\n'" in lines


@pytest.mark.parametrize("pty", [True, False])
def test_every_byte_that_a_child_prints_arrives_unchanged(pty: bool) -> None:
    """No newline is translated, no control character is obeyed, nothing is echoed."""
    events = play(child("prints_bytes"), lambda _, watch: watch.until(ev.Audit), pty=pty)
    assert printed(events) == bytes(range(256)) + b"\r\n\n\x04\x03\x1a"


@pytest.mark.parametrize("pty", [True, False])
def test_ten_megabytes_without_a_newline_arrive_whole_and_before_the_message_that_follows_them(
    pty: bool,
) -> None:
    """Pieces of output have a bounded size; their sum is everything."""

    async def act(session: Session, watch: Watch) -> None:
        await session.ready()
        await session.send("go")
        await watch.until(ev.MessageReceived)

    events = play(child("prints_much"), act, pty=pty)
    assert printed(events) == b"0123456789" * 1_000_000 + b"Child process exiting.\n"
    pieces = [event for event in events if isinstance(event, ev.ChildOutput)]
    assert max(len(piece.data) for piece in pieces) <= 65536
    answer = events.index(only(events, ev.MessageReceived))
    assert sum(len(piece.data) for piece in pieces if events.index(piece) < answer) == 10_000_000


def test_what_a_child_printed_before_a_message_comes_before_it() -> None:
    """A thousand times, as fast as it can."""

    async def act(session: Session, watch: Watch) -> None:
        await watch.until(ev.MessageReceived, lambda event: event.value == 999)

    seen = b""
    for event in play(child("alternates"), act):
        if isinstance(event, ev.ChildOutput):
            seen += event.data
        elif isinstance(event, ev.MessageReceived):
            assert b"before %d\n" % event.value in seen
