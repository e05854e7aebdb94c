"""Senders: who hears that the peer is gone, how long a send waits, and many messages in few writes."""

import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import Closed, Disconnected, MessageTooLarge, Receiver, Sender, TimedOut, channel
from tui_ipc.ipc.wire import SHORT_LIMIT, encode

MIB = 1024 * 1024
TICK = 0.5
"""Seconds that a busy machine may wake somebody late; far less than a wait that was not ended."""


def fill(sender: Sender[Any]) -> int:
    """Send small messages until the channel is full; how many fitted."""
    count = 0
    try:
        while True:
            sender.send([count, "x" * 1000], timeout=0)
            count += 1
    except TimedOut:
        return count


# Disconnect


@pytest.mark.parametrize("timeout", [None, 1.0])
@pytest.mark.parametrize("size", [0, MIB])
@pytest.mark.parametrize("unread", [0, 3])
def test_no_receiver_says_the_same_error(ends: Pair, timeout: float | None, size: int, unread: int) -> None:
    """No receiver → send says the same error, also with unread data pending (ECONNRESET) ★, and each time."""
    sender, receiver = ends
    for _ in range(unread):
        sender.send("never read")
    receiver.close()
    for _ in range(3):
        with pytest.raises(Disconnected, match="the peer is gone"):
            sender.send(bytes(size), timeout)
    with pytest.raises(Disconnected):
        sender.send_many([1, 2])
    with pytest.raises(Disconnected):
        sender.send_raw(encode(1))


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("size", [10, 20_000, 300_000])
def test_the_close_races_a_send_loop(ends: Pair, size: int, timeout: float | None) -> None:
    """No receiver → send says the same error, also when the close races a send loop ★."""
    sender, receiver = ends

    def send_on() -> None:
        while True:
            sender.send("x" * size, timeout)

    def send() -> None:
        with pytest.raises(Disconnected):
            send_on()

    def receive() -> None:
        for _ in range(50):
            receiver.recv(PATIENCE)
        receiver.close()

    in_threads(send, receive)


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("size", [10, 5 * MIB])
def test_the_close_ends_a_send_that_waits(ends: Pair, size: int, timeout: float | None) -> None:
    """A send that waits for room, or in the middle of a large message, ends with the peer."""
    sender, receiver = ends
    if size < MIB:
        fill(sender)
    waiting = threading.Event()

    def send() -> None:
        waiting.set()
        with pytest.raises(Disconnected):
            sender.send("x" * size, timeout)

    def close() -> None:
        waiting.wait()
        receiver.close()

    in_threads(send, close)


def test_cloning_a_sender_after_the_receiver_went(ends: Pair) -> None:
    """Cloning a sender after the receiver went is safe."""
    sender, receiver = ends
    receiver.close()
    with sender.clone() as clone:
        for each in (clone, sender):
            with pytest.raises(Disconnected):
                each.send(1)


def test_a_clone_is_closed_on_its_own(ends: Pair) -> None:
    """The receiver's end comes when every sender is closed, clones included."""
    sender, receiver = ends
    clone = sender.clone()
    sender.close()
    clone.send("from the clone")
    assert receiver.recv() == "from the clone"
    clone.close()
    with pytest.raises(Disconnected):
        receiver.recv()


# Closed


@pytest.mark.parametrize(
    "use",
    [
        lambda sender: sender.send("small"),
        lambda sender: sender.send(bytes(MIB)),
        lambda sender: sender.send("small", timeout=1),
        lambda sender: sender.send([sender]),
        lambda sender: sender.send_many(["small"]),
        lambda sender: sender.send_many([bytes(MIB)], timeout=1),
        lambda sender: sender.send_raw(b"\xc0"),
        lambda sender: sender.clone(),
        lambda sender: sender.fileno(),
    ],
)
def test_using_a_sender_after_close(ends: Pair, use: Callable[[Sender[Any]], object]) -> None:
    """Using endpoints after `close()` raises `Closed` with a sentence."""
    sender, _ = ends
    sender.close()
    sender.close()
    with pytest.raises(Closed, match="this sender was closed"):
        use(sender)
    assert repr(sender) == "<Sender closed>"


def test_a_closed_sender_is_not_sent(make_channel: MakeChannel) -> None:
    """A closed endpoint in a message raises `Closed` at the sender, and nothing is sent."""
    (sender, receiver), (inner, _) = make_channel(), make_channel()
    inner.close()
    with pytest.raises(Closed, match="this sender was closed"):
        sender.send(["before", inner])
    sender.send("after")
    assert receiver.recv() == "after"


def test_a_with_block_closes() -> None:
    """Whoever holds a sender closes it, by leaving its ``with`` block."""
    sender, receiver = channel()
    with receiver, sender as entered:
        assert entered is sender
    assert repr(sender) == "<Sender closed>"


def test_dropping_a_sender_closes_it_and_warns(ends: Pair) -> None:
    """Whoever holds a sender closes it, also by dropping it: as with a file, a ResourceWarning says so."""
    sender, receiver = ends
    clones = [sender.clone()]
    sender.close()
    with pytest.warns(ResourceWarning, match="unclosed"):
        clones.clear()
    with pytest.raises(Disconnected):
        receiver.recv(PATIENCE)


# Time


@pytest.mark.parametrize("timeout", [0, 0.05, 0.3])
@pytest.mark.parametrize("size", [10, MIB])
def test_a_send_times_out(ends: Pair, timeout: float, size: int) -> None:
    """A send into a full channel ends with `TimedOut`, never early, never late by more than a tick."""
    sender, receiver = ends
    count = fill(sender)
    began = monotonic()
    with pytest.raises(TimedOut, match="the channel stayed full") as caught:
        sender.send("x" * size, timeout)
    assert timeout <= monotonic() - began < timeout + TICK
    assert isinstance(caught.value, TimeoutError)
    for number in range(count):
        assert receiver.recv()[0] == number
    sender.send("next")
    assert receiver.recv() == "next"


@pytest.mark.parametrize("timeout", [0.05, 0.3])
def test_a_large_send_times_out_in_the_middle(ends: Pair, timeout: float) -> None:
    """A large send of which nobody takes the body ends with `TimedOut`, and was not sent."""
    sender, receiver = ends
    began = monotonic()
    with pytest.raises(TimedOut):
        sender.send(bytes(10 * MIB), timeout)
    assert timeout <= monotonic() - began < timeout + TICK
    sender.send("next", timeout)
    assert receiver.recv() == "next"


@pytest.mark.parametrize("timeout", [0, 1e-9, 5, 1e10, float("inf")])
@pytest.mark.parametrize("size", [10, 100_000])
def test_a_send_that_need_not_wait_does_not_time_out(ends: Pair, timeout: float, size: int) -> None:
    """A timeout is what a send waits at most, however short or long it is: there is room, so it is sent."""
    sender, receiver = ends
    sender.send("x" * size, timeout)
    assert receiver.recv(timeout) == "x" * size


def test_a_send_waits_for_room(ends: Pair) -> None:
    """A send into a full channel is done as soon as there is room."""
    sender, receiver = ends
    count = fill(sender)
    in_threads(
        lambda: sender.send("last", PATIENCE),
        lambda: [receiver.recv(PATIENCE) for _ in range(count)],
    )
    assert receiver.recv() == "last"


# Limits


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("handles", [False, True])
@pytest.mark.parametrize("limit", [1000, 70_123_456])
def test_a_message_over_the_limit(make_channel: MakeChannel, limit: int, handles: bool, many: bool) -> None:
    """More than `max_message_size` bytes is a clear error at the sender; exactly as many are sent."""
    sender, receiver = make_channel(limit)
    value: Any = bytes(limit + 1 - (len(encode(bytes(limit))) - limit))
    message = [value, sender] if handles else value
    with pytest.raises(MessageTooLarge, match="exceeds the limit of"):
        sender.send_many([message]) if many else sender.send(message)
    in_threads(lambda: sender.send(value[:-1]), lambda: check(receiver.recv(PATIENCE), value[:-1]))


def test_the_error_for_a_message_over_the_limit_has_the_numbers(make_channel: MakeChannel) -> None:
    """Error messages: the fact with its numbers, then the remedy."""
    sender, _ = make_channel(1_000_000)
    with pytest.raises(MessageTooLarge) as caught:
        sender.send("x" * 1_234_567)
    assert str(caught.value) == (
        "message of 1 234 572 bytes exceeds the limit of 1 000 000; raise it with max_message_size"
    )


def test_a_value_that_cannot_be_sent_leaves_the_sender_usable(ends: Pair) -> None:
    """A value that a message cannot hold is an error of its own kind, and nothing is sent."""
    sender, receiver = ends
    itself: list[Any] = []
    itself.append(itself)
    values = [2**64, -(2**63) - 1, "\ud800", itself, {1, 2}, object(), 1j, {"deep": [object()]}]
    for value in values:
        with pytest.raises((TypeError, ValueError), match=r"."):
            sender.send(value)
        sender.send("next")
        assert receiver.recv() == "next"


# Many at once


SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary()
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(SCALARS, inner), max_leaves=6)
SIZES = st.sampled_from([30_000, SHORT_LIMIT - 5, SHORT_LIMIT - 3, SHORT_LIMIT, 66_000, 200_000, 300_000])
LONG = SIZES.map(range)  # stands for as many bytes, which would be long to print


def received(send: Callable[[Sender[Any]], object]) -> list[Any]:
    """What arrives of what ``send`` sends."""
    sender, receiver = channel()
    messages: list[Any] = []

    def run() -> None:
        with sender:
            send(sender)

    with receiver:
        in_threads(run, lambda: messages.extend(receiver))
    return messages


@given(plan=st.lists(VALUES | LONG, max_size=20), times=st.integers(1, 3))
def test_send_many_equals_send_one_by_one(plan: list[Any], times: int) -> None:
    """`send_many`: they arrive as the same separate messages as sent one by one, whatever their sizes."""
    values = [bytes(len(value)) if isinstance(value, range) else value for value in plan]

    def one_by_one(sender: Sender[Any]) -> None:
        for value in values * times:
            sender.send(value)

    messages = received(lambda sender: sender.send_many(iter(values * times)))
    assert messages == received(one_by_one) == values * times


def test_send_many_packs_many_values_into_each_write(ends: Pair) -> None:
    """`send_many(values)` writes many values with one system call."""
    sender, receiver = ends
    sender.send_many(range(1000))
    with socket.fromfd(receiver.socket_fileno(), socket.AF_UNIX, -1) as own:
        assert own.recv(SHORT_LIMIT, socket.MSG_PEEK) == b"".join(map(encode, range(1000)))
    assert [receiver.recv() for _ in range(1000)] == list(range(1000))


def test_send_many_keeps_order_around_handles_and_large_messages(make_channel: MakeChannel) -> None:
    """`send_many`: messages that are sent by themselves keep their place among the others."""
    (sender, receiver), (inner, _) = make_channel(), make_channel()
    values = [1, [inner], 2, 3, "x" * MIB, 4, [inner, "y" * MIB], "5"]
    came: list[Any] = []
    in_threads(lambda: sender.send_many(values), lambda: came.extend(receiver.recv(PATIENCE) for _ in values))
    came[1].pop().close()
    came[6].pop(0).close()
    assert came[:4] + came[5:6] + came[7:] == [1, [], 2, 3, 4, "5"]
    check(came[4], values[4])
    check(came[6], ["y" * MIB])


def failing() -> Iterator[object]:
    yield from (1, 2)
    raise KeyError("the iterable's own")


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ([1, 2, object(), 3], TypeError),
        ([1, 2, 2**64, 3], ValueError),
        ([1, 2, "x" * 1500, 3], MessageTooLarge),
        ([1, 2, "x" * MIB, 3], MessageTooLarge),
        ([1, 2, list(range(-1000, 0)), 3], MessageTooLarge),
        (None, KeyError),
    ],
    ids=["type", "value", "over the limit", "far over", "of many parts", "iterable"],
)
def test_send_many_with_a_faulty_value(
    make_channel: MakeChannel, values: Iterable[object] | None, error: type[Exception]
) -> None:
    """`send_many`: an error comes after everything before the faulty value was sent, and nothing after it."""
    sender, receiver = make_channel(1000)
    with pytest.raises(error):
        sender.send_many(failing() if values is None else values)
    sender.send("next")
    assert [receiver.try_recv() for _ in range(3)] == [1, 2, "next"]


def test_send_many_times_out(ends: Pair) -> None:
    """`send_many`: the timeout is for all of them together; what was sent is whole."""
    sender, receiver = ends
    began = monotonic()
    with pytest.raises(TimedOut):
        sender.send_many((["x" * 500, number] for number in range(1_000_000)), timeout=0.2)
    assert 0.2 <= monotonic() - began < 0.2 + 4 * TICK  # packing takes its time as well
    sender.close()
    numbers = [number for _, number in receiver]
    assert numbers == list(range(len(numbers)))


def test_send_many_through_a_small_send_buffer(ends: Pair) -> None:
    """`send_many`: a send buffer smaller than our writes takes smaller ones."""
    sender, receiver = ends
    with socket.fromfd(sender.fileno(), socket.AF_UNIX, -1) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    values = ["x" * 100] * 2000 + ["y" * 10_000] * 5
    came: list[Any] = []
    in_threads(lambda: sender.send_many(values), lambda: came.extend(receiver.recv(PATIENCE) for _ in values))
    check(came, values)


def test_send_many_of_nothing_sends_nothing(ends: Pair) -> None:
    """`send_many` of no values is no message."""
    sender, receiver = ends
    sender.send_many([])
    sender.close()
    assert list(receiver) == []


# Raw bytes


def test_raw_bytes_are_sent_as_they_are(ends: Pair) -> None:
    """`send_raw`: bytes as they are."""
    sender, receiver = ends
    sender.send_raw(b"\x81\xa1k\xcd\x00\x07")  # 7 in more bytes than it needs
    assert receiver.recv_message() == ({"k": 7}, b"\x81\xa1k\xcd\x00\x07")


def test_a_sender_sends_in_the_child_of_a_fork(ends: Pair) -> None:
    """A sender may be shared by processes: a fork has it as well, and closes its own."""
    sender, receiver = ends
    pid = os.fork()
    if not pid:
        try:
            sender.send("from the child")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    sender.close()
    assert list(receiver) == ["from the child"]


def test_a_receiver_is_made_of_any_connected_socket() -> None:
    """The endpoints take ownership of a connected socket, wherever it comes from."""
    left, right = socket.socketpair()
    with Sender[int](left) as sender, Receiver[int](right) as receiver:
        sender.send(1)
        assert receiver.recv() == 1
