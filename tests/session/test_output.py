"""Reading a stream of output: never more than asked for, never waiting in the kernel."""

import asyncio
import os

import pytest

from tests.support.sessions import (
    OPEN_STEPS,
    EventCollector,
    child,
    describe_events,
    environment,
    output_of,
    run_session,
    single_event,
)
from tui_ipc import events as ev
from tui_ipc.session.output import MAX_PIECE, ChildStream
from tui_ipc.session.session import Session


def test_what_is_there_is_told_from_nothing_yet_and_from_the_end() -> None:
    reading, writing = os.pipe()
    output = ChildStream("stderr", reading)
    assert output.read_available() is None
    os.write(writing, b"some")
    assert output.read_available() == b"some"
    assert output.read_available() is None
    os.write(writing, b"more")
    os.close(writing)
    assert output.read_available() == b"more"
    assert (output.read_available(), output.ended) == (b"", True)
    output.close()
    output.close()
    assert output.read_available() == b""


def test_a_piece_has_a_limit_and_gathers_what_a_terminal_gives_in_small_reads() -> None:
    master, slave = os.openpty()
    output = ChildStream("stdout", master)
    os.set_blocking(slave, False)
    written = 0
    try:
        while True:
            written += os.write(slave, b"x" * MAX_PIECE)
    except BlockingIOError:
        pass
    os.close(slave)
    sizes = []
    while piece := output.read_available():
        sizes.append(len(piece))
    assert sum(sizes) == written
    assert max(sizes) <= MAX_PIECE
    assert len(sizes) <= written // MAX_PIECE + 2
    output.close()


def test_a_cancelled_read_loses_nothing() -> None:
    async def main() -> None:
        reading, writing = os.pipe()
        output = ChildStream("stdout", reading)
        waiting = asyncio.create_task(output.read())
        await asyncio.sleep(0)
        os.write(writing, b"late")
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await output.read() == b"late"
        os.close(writing)
        assert await output.read() == b""
        output.close()

    asyncio.run(main())


def test_an_error_that_is_no_end_is_not_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    output = ChildStream("stdout", reading)

    def fail(*_: int) -> bytes:
        raise OSError(12, "Cannot allocate memory")

    with monkeypatch.context() as patch:
        patch.setattr(os, "read", fail)
        with pytest.raises(OSError, match="allocate"):
            output.read_available()
    os.close(writing)
    output.close()


def test_a_child_that_prints_plainly_is_seen_line_by_line_while_it_runs() -> None:
    """It waits for a message after each line, so that only live output gets it any further."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        for line in ("first line", "second line"):
            await watch.until_printed(line)
            await session.send("go on")
        await watch.until(ev.Audit)

    assert "PYTHONUNBUFFERED" not in environment()
    lines = describe_events(run_session(child("prints_plainly"), act))
    assert [line for line in lines if line not in OPEN_STEPS] == [
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

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("go on")
        await session.send("go on")
        await watch.until(ev.Audit)

    lines = describe_events(run_session(child("prints_plainly"), act, pty=False))[5:]
    assert "stdout 'first line\\nsecond line\\n'" in lines


@pytest.mark.parametrize("pty", [True, False])
def test_every_byte_that_a_child_prints_arrives_unchanged(pty: bool) -> None:
    """No newline is translated, no control character is obeyed, nothing is echoed."""
    events = run_session(child("prints_bytes"), lambda _, watch: watch.until(ev.Audit), pty=pty)
    assert output_of(events) == bytes(range(256)) + b"\r\n\n\x04\x03\x1a"


@pytest.mark.parametrize("pty", [True, False])
def test_ten_megabytes_without_a_newline_arrive_whole_and_before_the_message_that_follows_them(
    pty: bool,
) -> None:
    """Pieces of output have a bounded size; their sum is everything."""

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        await session.send("go")
        await watch.until(ev.MessageReceived)

    events = run_session(child("prints_much"), act, pty=pty)
    assert output_of(events) == b"0123456789" * 1_000_000 + b"Child process exiting.\n"
    pieces = [event for event in events if isinstance(event, ev.ChildOutput)]
    assert max(len(piece.data) for piece in pieces) <= 65536
    answer = events.index(single_event(events, ev.MessageReceived))
    assert sum(len(piece.data) for piece in pieces if events.index(piece) < answer) == 10_000_000


def test_what_a_child_printed_before_a_message_comes_before_it() -> None:
    """A thousand times, as fast as it can."""

    async def act(session: Session, watch: EventCollector) -> None:
        await watch.until(ev.MessageReceived, lambda event: event.value == 999)

    seen = b""
    for event in run_session(child("alternates"), act):
        if isinstance(event, ev.ChildOutput):
            seen += event.data
        elif isinstance(event, ev.MessageReceived):
            assert b"before %d\n" % event.value in seen
