"""The relay by itself: what each side sees of the other's end, and of a full buffer."""

import os
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress

import pytest

from tui_ipc.tap.links import Body, Endpoint, Link
from tui_ipc.tap.relay import Relay


class Seen:
    """Keeps what an observer is shown."""

    def __init__(self) -> None:
        self.data = b""
        self.has_ended = False

    def observe(self, data: bytes, endpoints: Sequence[Endpoint], at: int) -> Sequence[Body]:
        self.data += data
        return ()

    def end(self) -> None:
        self.has_ended = True


class Sides:
    """A relay with one link: ``host`` and ``child`` are what the two sides hold."""

    def __init__(self, *, is_connection: bool) -> None:
        self.relay = Relay()
        self.host, host = socket.socketpair()
        self.child, child = socket.socketpair()
        for each in (self.host, self.child, host, child):
            each.setblocking(False)
        self.link = Link(host, child, is_connection=is_connection)
        self.seen = {direction: Seen() for direction in (True, False)}
        for direction, observer in self.seen.items():
            self.link.flows[direction].observer = observer
        self.relay.add(self.link)

    def turn(self, times: int = 8) -> None:
        """Let the relay do all that it can do now."""
        for _ in range(times):
            self.relay.run_once(0)

    def close(self) -> None:
        self.relay.close()
        self.host.close()
        self.child.close()


@pytest.fixture(params=[True, False], ids=["connection", "channel"])
def sides(request: pytest.FixtureRequest) -> Iterator[Sides]:
    made = Sides(is_connection=request.param)
    yield made
    made.close()


@pytest.fixture
def connection() -> Iterator[Sides]:
    made = Sides(is_connection=True)
    yield made
    made.close()


def test_bytes_pass_both_ways_and_are_shown(sides: Sides) -> None:
    sides.host.send(b"question")
    sides.child.send(b"answer")
    sides.turn()
    assert (sides.child.recv(99), sides.host.recv(99)) == (b"question", b"answer")
    assert (sides.seen[True].data, sides.seen[False].data) == (b"question", b"answer")


def test_what_was_sent_before_the_end_arrives_before_it(sides: Sides) -> None:
    sides.child.send(b"last words")
    sides.child.close()
    sides.turn()
    assert sides.host.recv(99) == b"last words"
    assert sides.host.recv(99) == b""
    assert sides.seen[False].has_ended


def test_a_side_that_is_gone_cannot_be_sent_to(sides: Sides) -> None:
    sides.host.close()
    sides.turn()
    with pytest.raises(BrokenPipeError):
        sides.child.send(b"too late")
    assert sides.relay.is_idle or sides.link.is_connection


def test_one_direction_may_end_alone(sides: Sides) -> None:
    sides.child.shutdown(socket.SHUT_WR)
    sides.turn()
    assert sides.host.recv(99) == b""
    sides.host.send(b"still here")
    sides.turn()
    assert sides.child.recv(99) == b"still here"
    sides.host.close()
    sides.turn()
    assert sides.relay.is_idle


def test_what_one_side_sent_arrives_though_it_did_not_wait_for_the_other(connection: Sides) -> None:
    """A host that sends "quit" and closes at once, while the child sends: the child still gets it."""
    connection.host.send(b"quit")
    connection.child.send(b"unwanted")
    connection.host.close()
    connection.turn()
    assert connection.child.recv(99) == b"quit"
    with pytest.raises(BrokenPipeError):
        connection.child.send(b"too late")


def test_a_side_that_does_not_read_stops_the_other(sides: Sides) -> None:
    """What the relay itself holds is bounded by one read; the rest stays where it was."""
    sent = 0
    with suppress(BlockingIOError):
        while sent < 5_000_000:
            sent += sides.host.send(b"x" * 10_000)
            sides.turn(1)
    assert sent < 2_000_000
    received = 0
    while received < sent:
        received += len(sides.child.recv(1 << 20))
        sides.turn(2)
    assert received == sent


def test_what_passes_is_shown_only_after_it_was_passed_on(sides: Sides) -> None:
    """Neither side waits until it is decoded and recorded."""
    arrived = []

    class Late(Seen):
        def observe(self, data: bytes, endpoints: Sequence[Endpoint], at: int) -> Sequence[Body]:
            arrived.append(sides.child.recv(99))
            return super().observe(data, endpoints, at)

    sides.link.flows[True].observer = Late()
    sides.host.send(b"question")
    sides.turn()
    assert arrived == [b"question"]


def test_what_passed_is_shown_before_anything_else_is_done(sides: Sides) -> None:
    """Else the end of the child would come before its last words."""
    reader, writer = os.pipe()
    seen = sides.seen[False]
    at_exit = []

    def notice_exit() -> None:
        at_exit.append(seen.data)
        sides.relay.unwatch(reader)

    sides.relay.watch(reader, notice_exit)
    sides.child.send(b"last words")
    os.write(writer, b"x")
    sides.relay.run_once()
    assert at_exit == [b"last words"]
    os.close(reader)
    os.close(writer)
