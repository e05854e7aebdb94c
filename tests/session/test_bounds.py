"""However much a child prints or sends, and however little it reads, memory, loop and order stay as they are.

None of the bounds depends on the amount: what is consumed here is what takes a second or two.
"""

import asyncio
import fcntl
import json
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial

import pytest

from tests.support.sessions import ROOT, EventCollector, child, describe_events, environment, run_session
from tui_ipc import events as ev
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session
from tui_ipc.session.timeline import MAX_BYTES, MAX_EVENTS

MIB = 1024 * 1024
MEMORY = 64 * MIB
"""Less than what each child below prints or sends, and a third more than the session takes for any of it."""
PIECE = 64 * 1024
TURNS = 500
"""Turns of the event loop in which a wait that never ends would have ended, if it were to."""


def consumed(pace: int, stream: str, *command: str) -> dict[str, object]:
    """What came of a child, and what it took, as :mod:`tests.support.consume_events` saw it."""
    program = [sys.executable, "-m", "tests.support.consume_events", str(pace), stream, *child(*command)]
    ran = subprocess.run(program, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, check=True)
    report: dict[str, object] = json.loads(ran.stdout)
    return report


@pytest.mark.parametrize(
    ("stream", "pace", "amount"),
    [("pty", 0, 72 * MIB), ("pipe", 0, 128 * MIB), ("pipe", 20, 128 * MIB)],
    ids=["a terminal", "a pipe", "a pipe to a slow consumer"],
)
def test_much_output_costs_no_memory_and_its_last_line_is_there(stream: str, pace: int, amount: int) -> None:
    """The child waits while its events are not taken: what it printed."""
    report = consumed(pace, stream, "pours", "output", str(amount))
    assert amount > MEMORY
    assert (report["bytes"], report["last line"]) == (amount + len("the last line\n"), "the last line")
    assert isinstance(report["peak"], int)
    assert report["peak"] < MEMORY


@pytest.mark.parametrize(
    ("pace", "count"), [(0, 40_000), (3, 36_000)], ids=["a fast consumer", "a slow consumer"]
)
def test_many_messages_unasked_cost_no_memory_and_the_last_is_there(pace: int, count: int) -> None:
    """The child waits while its events are not taken: what it sent. A message is of 2000 bytes."""
    report = consumed(pace, "pipe", "pours", "messages", str(count))
    assert count * 2000 > MEMORY
    assert (report["messages"], report["last message"]) == (count + 1, "the last message")
    assert isinstance(report["peak"], int)
    assert report["peak"] < MEMORY


def test_a_child_that_never_reads_stops_the_sender_and_nothing_else() -> None:
    """A send waits once the kernel takes no more; the loop turns, and the child is heard meanwhile."""
    accepted: list[int] = []

    async def pour(session: Session) -> None:
        while True:
            accepted.append(len((await session.send(b"x" * 4096)).raw))

    async def act(session: Session, watch: EventCollector) -> None:
        await session.ready()
        pouring = asyncio.create_task(pour(session))
        await unchanged(lambda: len(accepted))
        assert not pouring.done()
        assert sum(accepted) < 8 * 1024 * 1024  # the kernel holds them: a few hundred KiB on Linux
        for number in (1, 2, 3):
            session.signal(signal.SIGUSR1)
            await watch.until(ev.MessageReceived, partial(is_number, number))
        assert not pouring.done()
        await session.quit()
        with pytest.raises(NotConnected):
            await pouring

    lines = describe_events(run_session(child("sends_on_signal"), act, grace=0.1))
    assert lines.count("stdout 'still here\\n'") == 3
    assert lines[-3:] == ["closed", "ended by SIGTERM", "clean"]


def is_number(number: int, event: ev.MessageReceived) -> bool:
    """Whether it is the message of that number."""
    return event.number == number


@pytest.mark.parametrize(
    ("what", "amount", "most"), [("output", 64 * 1024 * 1024, 4), ("messages", 20_000, 100)]
)
def test_a_flood_leaves_turns_of_the_loop_to_others(what: str, amount: int, most: int) -> None:
    """Between two turns of another task no more is taken than a few pieces, or a packet of small messages."""
    taken = 0
    turns: list[int] = []

    def record(event: ev.AnyEvent) -> None:
        nonlocal taken
        taken += isinstance(event, ev.ChildOutput | ev.MessageReceived)

    async def beat() -> None:
        while True:
            before = taken
            await asyncio.sleep(0)
            turns.append(taken - before)

    async def act(session: Session, watch: EventCollector) -> None:
        beating = asyncio.create_task(beat())
        await watch.until(ev.Audit)
        beating.cancel()

    run_session(child("pours", what, str(amount)), act, pty=False, record=record)
    assert sum(turns) > most
    assert max(turns) <= most


async def unchanged(value: Callable[[], int]) -> int:
    """Turn the loop until ``value`` has stayed the same for a while, and is not 0."""
    before, turns = value(), 0
    while turns < TURNS or not before:
        await asyncio.sleep(0)
        turns = turns + 1 if value() == before else 0
        before = value()
    return before


def queued(pid: int) -> tuple[int, int]:
    """Bytes that lie in the pipe that is a process's standard output, and how many it can hold."""
    descriptor = os.open(f"/proc/{pid}/fd/1", os.O_RDONLY | os.O_NONBLOCK)
    try:
        held = int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)
        return held, fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)
    finally:
        os.close(descriptor)


def test_a_consumer_that_stops_makes_a_printing_child_wait_and_misses_nothing() -> None:
    """The pipe is full, what we hold has its bound, and everything comes once it is taken."""
    amount = 4 * MAX_BYTES
    happened: list[int] = []

    def record(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.ChildOutput):
            happened.append(len(event.data))

    async def main() -> bytes:
        command = child("pours", "output", str(amount))
        async with Session(
            command, SessionOptions(env=environment(), timeout=20.0, pty=False), record=record
        ) as session:
            await session.ready()
            while sum(happened) < MAX_BYTES:
                await asyncio.sleep(0)
            assert session.pid is not None
            while len(set(queued(session.pid))) > 1:  # not full yet
                await asyncio.sleep(0)
            held = await unchanged(lambda: sum(happened))
            assert MAX_BYTES <= held <= MAX_BYTES + PIECE
            pieces = []
            async for event in session.events():
                if isinstance(event, ev.ChildOutput):
                    pieces.append(event.data)
                if isinstance(event, ev.Audit):
                    return b"".join(pieces)
        raise AssertionError

    output = asyncio.run(main())
    assert len(output) == amount + len("the last line\n")
    assert output.endswith(b"\nthe last line\n")


def test_a_consumer_that_stops_makes_a_sending_child_wait_and_misses_nothing() -> None:
    """As with output; the bound is of events where they are small."""
    count = 5 * MAX_EVENTS
    happened: list[int] = []

    def record(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.MessageReceived):
            happened.append(event.number)

    async def main() -> list[int]:
        command = child("pours", "messages", str(count))
        async with Session(
            command, SessionOptions(env=environment(), timeout=20.0), record=record
        ) as session:
            await session.ready()
            while len(happened) < MAX_EVENTS - 20:  # the handshake's events count as well
                await asyncio.sleep(0)
            assert await unchanged(lambda: len(happened)) <= MAX_EVENTS
            assert session.pid is not None
            numbers = []
            async for event in session.events():
                if isinstance(event, ev.MessageReceived):
                    numbers.append(event.number)
                if isinstance(event, ev.Audit):
                    return numbers
        raise AssertionError

    assert asyncio.run(main()) == list(range(1, count + 2))


@pytest.mark.parametrize(
    ("what", "amount", "size"),
    [("messages", MAX_EVENTS, MAX_EVENTS + 1), ("output", MAX_BYTES, MAX_BYTES + 14)],
)
def test_what_a_child_said_before_it_ended_waits_for_a_consumer_that_stopped(
    what: str, amount: int, size: int
) -> None:
    """Its end does not overtake what the bounds kept in the kernel until then."""

    exits: list[ev.ChildExited] = []

    def record(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.ChildExited):
            exits.append(event)

    async def main() -> int:
        command = child("pours", what, str(amount))
        async with Session(
            command, SessionOptions(env=environment(), timeout=20.0, pty=False), record=record
        ) as session:
            await session.ready()
            while not exits:
                await asyncio.sleep(0)
            return await everything(session)

    assert asyncio.run(main()) == size


async def everything(session: Session) -> int:
    """Take every event of a run; the messages received, or else the bytes printed."""
    messages = printed = 0
    async for event in session.events():
        if isinstance(event, ev.Audit):
            break
        messages += isinstance(event, ev.MessageReceived)
        printed += len(event.data) if isinstance(event, ev.ChildOutput) else 0
    return messages or printed
