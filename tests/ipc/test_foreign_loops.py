"""Waiting from outside: ``fileno()`` of a receiver and of a set, in loops that know nothing of either."""

import asyncio
import os
import select
import selectors
import socket
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.raw_wire import begin_large
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import Closed, Disconnected, Empty, Ended, ProtocolError, Receiver, ReceiverSet
from tui_ipc.ipc.wire import encode

MIB = 1024 * 1024
PLAN = [1, "x" * 200, b"y" * 100_000, [2], "z" * MIB, 3, b"w" * (3 * MIB), "end"]


def is_readable(descriptor: Any) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def take_all(receiver: Receiver[Any], came: list[Any]) -> bool:
    """The recipe: take until Empty, then wait; False at the end."""
    try:
        while True:
            came.append(receiver.try_recv())
    except Empty:
        return True
    except Disconnected:
        return False


def send_plan(sender: Any) -> None:
    with sender:
        for message in PLAN * 3:
            sender.send(message)


def test_selectors(ends: Pair) -> None:
    """`selectors`: registered once, whatever comes."""
    sender, receiver = ends
    came: list[Any] = []

    def wait() -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(receiver, selectors.EVENT_READ)
            while take_all(receiver, came):
                assert selector.select(PATIENCE)

    in_threads(lambda: send_plan(sender), wait)
    check(came, PLAN * 3)


def test_add_reader(ends: Pair) -> None:
    """asyncio's `add_reader`, with the blocking receiver."""
    sender, receiver = ends
    came: list[Any] = []

    async def main() -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def ready() -> None:
            if not take_all(receiver, came):
                loop.remove_reader(receiver)
                over.set()

        loop.add_reader(receiver, ready)
        await asyncio.wait_for(over.wait(), PATIENCE)

    in_threads(lambda: send_plan(sender), lambda: asyncio.run(main()))
    check(came, PLAN * 3)


def test_one_message_each_time(ends: Pair) -> None:
    """Also for who takes one message and waits again: what was read ahead counts as ready."""
    sender, receiver = ends
    poller = select.poll()
    poller.register(receiver, select.POLLIN)
    sender.send_many([1, 2, [3]])
    for message in (1, 2, [3]):
        assert poller.poll(0)
        assert receiver.recv() == message
    assert not poller.poll(0)
    sender.send_many(["a", "b"])
    assert receiver.recv_message().value == "a"
    assert poller.poll(0)
    assert receiver.recv(1) == "b"
    assert not poller.poll(0)


def test_a_large_message_that_is_half_there(ends: Pair) -> None:
    """Its next bytes come on another descriptor: it is ready when they do, and for what others send."""
    sender, receiver = ends
    number = receiver.fileno()
    data = encode("x" * 100_000)
    with begin_large(sender, len(data)) as body:
        assert is_readable(number)
        with pytest.raises(Empty):
            receiver.try_recv()
        assert not is_readable(number)
        body.sendall(data[:1000])
        assert is_readable(number)
        with pytest.raises(Empty):
            receiver.try_recv()
        assert not is_readable(number)
        sender.send("another's")
        assert is_readable(number)
        assert receiver.try_recv() == "another's"
        assert not is_readable(number)
        body.sendall(data[1000:])
        assert is_readable(number)
        assert receiver.try_recv() == "x" * 100_000
    assert not is_readable(number)
    assert receiver.fileno() == number


def test_an_end_an_error_and_a_close(make_channel: MakeChannel) -> None:
    """Ready for the end and, each time, for what broke the protocol; gone when closed."""
    (sender, receiver), (hostile, broken) = make_channel(), make_channel()
    sender.close()
    assert is_readable(receiver)
    hostile.send_raw(b"\x01\xc1")
    assert is_readable(broken)
    assert broken.recv() == 1
    for _ in range(2):
        assert is_readable(broken)
        with pytest.raises(ProtocolError):
            broken.recv()
    receiver.close()
    with pytest.raises(Closed):
        receiver.fileno()


def test_a_receiver_that_was_asked_for_its_descriptor_still_moves(make_channel: MakeChannel) -> None:
    """What travels is the channel."""
    (sender, receiver), (inner, inner_receiver) = make_channel(), make_channel()
    number = inner_receiver.fileno()
    sender.send(inner_receiver)
    with receiver.recv() as moved:
        inner.send("through")
        assert moved.recv() == "through"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)


def test_a_set(make_channel: MakeChannel) -> None:
    """The descriptor of a set is ready while `select` would return at once."""
    (first, first_end), (second, second_end) = make_channel(), make_channel()
    with ReceiverSet() as several:
        number = several.fileno()
        one, other = several.add(first_end), several.add(second_end)
        assert not is_readable(number)
        first.send_many(range(100))
        assert is_readable(number)
        came = several.select(0)
        while is_readable(number):
            came += several.select(0)
        assert came == [(one, value) for value in range(100)]
        data = encode("x" * 100_000)
        with begin_large(second, len(data)) as body:
            several.select(0)
            assert not is_readable(number)
            body.sendall(data)
            assert is_readable(number)
            assert several.select(0) == [(other, "x" * 100_000)]
        assert not is_readable(number)
        second_end.close()
        assert is_readable(number)
        (ended,) = several.select(0)
        assert ended.id == other
        assert not is_readable(number)
    with pytest.raises(Closed):
        several.fileno()


def test_a_receiver_in_a_set_that_was_waited_for_before(ends: Pair) -> None:
    """Its own descriptor goes on to be right, in the set and out of it."""
    sender, receiver = ends
    number = receiver.fileno()
    with ReceiverSet() as several:
        identity = several.add(receiver)
        sender.send_many(["a", "b"])
        assert is_readable(number)
        assert several.select(0) == [(identity, "a"), (identity, "b")]
        assert not is_readable(number)
        assert several.remove(identity) is receiver
        sender.send("c")
        assert is_readable(number)
        assert receiver.recv() == "c"
        assert not is_readable(number)


def test_a_receiver_in_a_set_is_waited_for_by_the_set(ends: Pair) -> None:
    """Asked for a descriptor there, it says so."""
    with ReceiverSet() as several:
        several.add(ends[1])
        with pytest.raises(ValueError, match="is in a set; wait for the set instead"):
            ends[1].fileno()


def test_a_set_notices_a_receiver_that_was_closed_under_it(make_channel: MakeChannel) -> None:
    """And takes a new one with the same descriptor number."""
    (_, receiver), (other, other_end) = make_channel(), make_channel()
    with ReceiverSet() as several:
        identity = several.add(receiver)
        number = receiver.socket_fileno()
        left, right = socket.socketpair()
        receiver.close()
        assert len(several) == 0
        with left:
            with right:
                fresh = Receiver[Any](socket.socket(fileno=os.dup2(right.fileno(), number)))
            second = several.add(fresh)
            left.send(b"\x07")
            (ended, arrived) = several.select(PATIENCE)
            assert (ended.id, arrived) == (identity, (second, 7))
            assert isinstance(ended, Ended)
            assert isinstance(ended.error, Closed)
            third = several.add(other_end)
            other.send(8)
            assert several.select(PATIENCE) == [(third, 8)]
