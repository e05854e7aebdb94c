"""Handles in messages: senders, receivers and shared memory arrive, in order, and nobody loses one."""

import asyncio
import gc
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support import peers
from tests.support.peers import peer
from tests.support.raw_wire import begin_large, send_packet
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import (
    Closed,
    Disconnected,
    Empty,
    IpcError,
    MessageTooLarge,
    OneShotServer,
    Receiver,
    ReceiverSet,
    Sender,
    SharedMemory,
    TimedOut,
    TooManyHandles,
    channel,
    connect,
)
from tui_ipc.ipc import aio

MIB = 1024 * 1024


def test_a_handle_alone(make_channel: MakeChannel) -> None:
    """A handle alone."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    sender.send(inner_sender)
    with receiver.recv() as arrived:
        arrived.send("through it")
    assert inner_receiver.recv() == "through it"
    sender.send(inner_receiver)
    with receiver.recv() as moved:
        inner_sender.send("to its new place")
        assert moved.recv() == "to its new place"


def test_handles_nested_in_a_message(make_channel: MakeChannel) -> None:
    """Senders, receivers, shared memory inside messages, nested."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    with SharedMemory(b"content") as memory:
        sender.send({"a": [inner_sender, {"b": (inner_receiver, "text")}], "memory": [[memory]], 7: None})
        message = receiver.recv()
        arrived, moved, copy = message["a"][0], message["a"][1]["b"][0], message["memory"][0][0]
        with arrived, moved, copy:
            assert message == {"a": [arrived, {"b": [moved, "text"]}], "memory": [[copy]], 7: None}
            assert (type(arrived), type(moved)) == (Sender, Receiver)
            arrived.send(1)
            inner_sender.send(2)
            assert [moved.recv(), moved.recv()] == [1, 2]
            assert copy.view == b"content"


def test_the_same_sender_three_times_in_one_message(make_channel: MakeChannel) -> None:
    """The same sender three times in one message ★: one handle on one descriptor, wherever it stands."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    sender.send([inner_sender, inner_sender, {"again": inner_sender}])
    inner_sender.close()
    first, second, third = receiver.recv()
    assert first is second
    assert first is third["again"]
    for number, each in enumerate((first, second, third["again"])):
        each.send(number)
    first.close()
    assert list(inner_receiver) == [0, 1, 2]


def test_two_handles_keep_order(make_channel: MakeChannel) -> None:
    """Two handles keep order."""
    (sender, receiver), (one, one_end), (two, two_end) = make_channel(), make_channel(), make_channel()
    sender.send([two, one])
    second, first = receiver.recv()
    with first, second:
        first.send("one")
        second.send("two")
    assert (one_end.recv(), two_end.recv()) == ("one", "two")


def test_a_receiver_with_pending_messages_that_hold_one_with_pending_messages(
    make_channel: MakeChannel,
) -> None:
    """A receiver that has pending messages, one of which holds another receiver with pending messages, sent
    to a child process ★★."""
    (teller, told), (outer, outer_end) = make_channel(), make_channel()
    (middle, middle_end), (inner, inner_end) = make_channel(), make_channel()
    for number in range(3):
        inner.send(number)
    middle.send(["second", inner_end])
    outer.send(["first", middle_end])
    with peer(peers.receive_nested, [teller, outer_end]):
        inner.send("sent after all of it moved")
        inner.close()
        assert told.recv(PATIENCE) == ["first", "second", [0, 1, 2, "sent after all of it moved"]]


def test_a_sender_travels_through_two_processes(make_channel: MakeChannel) -> None:
    """A sender that travelled there and back again still sends into its channel."""
    (to_peer, theirs), (their_sender, from_peer), (sender, receiver) = (make_channel() for _ in range(3))
    with peer(peers.echo, [their_sender, theirs]), to_peer:
        to_peer.send({"sender": sender})
        with from_peer.recv(PATIENCE)["sender"] as travelled:
            travelled.send("home")
    assert receiver.recv() == "home"


# ------------------------------------------------------------------------------------------- How many of them


@pytest.fixture
def many() -> Iterator[Callable[[int], list[Any]]]:
    """Makes that many handles, each of a channel of its own, and closes them and their other ends."""
    with ExitStack() as stack:

        def make(count: int) -> list[Any]:
            made = []
            for _ in range(count):
                sender, receiver = channel()
                stack.enter_context(sender)
                stack.enter_context(receiver)
                made.append((sender, receiver))
            return made

        yield make


def assert_in_order(arrived: list[Sender[Any]], made: list[Any]) -> None:
    """Each sender that arrived leads to the receiver that was made with it."""
    assert len(arrived) == len(made)
    for number, (sender, (_, receiver)) in enumerate(zip(arrived, made, strict=True)):
        with sender:
            sender.send(number)
        assert receiver.try_recv() == number


@pytest.mark.parametrize("count", [1, 2, 64, 252, 253])
def test_many_handles_in_one_message(ends: Pair, many: Callable[[int], list[Any]], count: int) -> None:
    """64 and 253 handles in one message: they arrive in order ★."""
    sender, receiver = ends
    made = many(count)
    sender.send([one for one, _ in made])
    assert_in_order(receiver.recv(), made)


def test_253_handles_in_a_full_message(ends: Pair, many: Callable[[int], list[Any]]) -> None:
    """A message with 253 handles ★ that is full of bytes, too."""
    sender, receiver = ends
    made = many(253)
    filling = "x" * 31_000
    sender.send([filling, *(one for one, _ in made)])
    came, *arrived = receiver.recv()
    check(came, filling)
    assert_in_order(arrived, made)


@pytest.mark.parametrize(("size", "limit"), [(0, 253), (MIB, 252)])
def test_one_handle_too_many(ends: Pair, many: Callable[[int], list[Any]], size: int, limit: int) -> None:
    """A clear error at 254 ★, at the sender; all handles are still usable, and so is the channel."""
    sender, receiver = ends
    made = many(limit + 1)
    handles = [one for one, _ in made]
    with pytest.raises(TooManyHandles, match=f"more than {limit} handles in one message; spread them over"):
        sender.send([bytes(size), handles])
    assert_in_order([one.clone() for one in handles], made)
    sender.send("the channel goes on")
    assert receiver.recv() == "the channel goes on"


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 5, 6, 252])
def test_a_large_message_with_handles(ends: Pair, many: Callable[[int], list[Any]], count: int) -> None:
    """Large message with 0…6 handles ★."""
    sender, receiver = ends
    made = many(count)
    message = [bytes(range(256)) * 4096, *(one for one, _ in made)]
    came: list[Any] = []
    in_threads(lambda: sender.send(message), lambda: came.extend(receiver.recv(PATIENCE)))
    data, *arrived = came
    check(data, message[0])
    assert_in_order(arrived, made)


# ------------------------------------------------------------------------------ Whose they are after an error


def closed_peer(sender: Sender[Any], receiver: Receiver[Any]) -> None:
    receiver.close()


def full_channel(sender: Sender[Any], receiver: Receiver[Any]) -> None:
    with suppress(TimedOut):
        while True:
            sender.send("x" * 10_000, timeout=0)


def small_limit(sender: Sender[Any], receiver: Receiver[Any]) -> None:
    sender.max_message_size = 1000


def nothing(sender: Sender[Any], receiver: Receiver[Any]) -> None:
    pass


@pytest.mark.parametrize(
    ("prepare", "beside", "error"),
    [
        (full_channel, "", TimedOut),
        (full_channel, bytes(MIB), TimedOut),
        (nothing, bytes(5 * MIB), TimedOut),  # gives up in the middle of the body
        (closed_peer, "", Disconnected),
        (closed_peer, bytes(MIB), Disconnected),
        (small_limit, bytes(1001), MessageTooLarge),
        (nothing, 2**64, ValueError),
        (nothing, "\ud800", ValueError),
        (nothing, object(), TypeError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
@pytest.mark.parametrize("first", [True, False])
def test_a_failed_send_leaves_the_receiver_with_you(
    make_channel: MakeChannel,
    prepare: Callable[[Sender[Any], Receiver[Any]], None],
    beside: object,
    error: type[Exception],
    first: bool,
) -> None:
    """A failed send leaves the receiver with you ★, and every other handle, whatever made it fail."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    prepare(sender, receiver)
    handles = [inner_receiver, inner_sender]
    with pytest.raises(error):
        sender.send([handles, beside] if first else [beside, handles], timeout=0.01)
    inner_sender.send("still mine")
    assert inner_receiver.recv(PATIENCE) == "still mine"
    inner_sender.close()
    receiver.close()  # lets go of what a body that was given up came with
    with pytest.raises(Disconnected):
        inner_receiver.recv(PATIENCE)


def test_a_send_refused_by_the_receiver_leaves_the_receiver_with_you(make_channel: MakeChannel) -> None:
    """A failed send leaves the receiver with you ★: also when the other side refused the message."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    small = Receiver[Any](socket.socket(fileno=os.dup(receiver.socket_fileno())), max_message_size=MIB)

    def refuse() -> None:
        with pytest.raises(MessageTooLarge):
            small.recv(PATIENCE)

    def send() -> None:
        with pytest.raises(MessageTooLarge, match="the receiver refused a message of 8388617 bytes"):
            sender.send([inner_receiver, bytes(8 * MIB)])

    with small:
        in_threads(refuse, send)
    inner_sender.send("still mine")
    assert inner_receiver.recv(PATIENCE) == "still mine"


def test_a_receiver_that_has_read_ahead_does_not_move(make_channel: MakeChannel) -> None:
    """Sending a receiver that has read ahead is a ValueError; once the messages are taken, it moves."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    inner_sender.send_many([1, 2, 3])
    assert inner_receiver.recv() == 1
    with pytest.raises(ValueError, match="has read 2 bytes of messages ahead"):
        sender.send(inner_receiver)
    assert [inner_receiver.recv(), inner_receiver.try_recv()] == [2, 3]
    sender.send(inner_receiver)
    with receiver.recv() as moved:
        inner_sender.send(4)
        assert moved.recv() == 4


def test_a_receiver_in_the_middle_of_a_large_message_does_not_move(make_channel: MakeChannel) -> None:
    """Sending a receiver that has read ahead is a ValueError: so is one with a part of a large message."""
    (sender, _), (inner_sender, inner_receiver) = make_channel(), make_channel()
    with begin_large(inner_sender, 200_000):
        with pytest.raises(Empty):
            inner_receiver.try_recv()
        with pytest.raises(ValueError, match="receive them"):
            sender.send(inner_receiver)


def test_a_receiver_that_moved_is_closed(make_channel: MakeChannel) -> None:
    """Using an endpoint after it travelled raises `Closed` with a sentence."""
    (sender, receiver), (_, inner_receiver) = make_channel(), make_channel()
    sender.send(inner_receiver)
    with receiver.recv():
        uses: list[Callable[[], object]] = [
            inner_receiver.recv,
            lambda: inner_receiver.recv(timeout=1),
            inner_receiver.recv_message,
            inner_receiver.try_recv,
            inner_receiver.fileno,
            lambda: next(inner_receiver),
            lambda: sender.send(inner_receiver),
        ]
        for use in uses:
            with pytest.raises(Closed, match="this receiver moved to another process in a message"):
                use()
        inner_receiver.close()
        assert repr(inner_receiver) == "<Receiver closed>"


def test_a_sender_that_travelled_stays_with_its_owner(make_channel: MakeChannel) -> None:
    """Sending a sender duplicates it: the channel ends when both are closed."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    sender.send(inner_sender)
    with receiver.recv() as travelled:
        inner_sender.send("mine")
        inner_sender.close()
        travelled.send("the copy's")
        assert [inner_receiver.recv(), inner_receiver.recv()] == ["mine", "the copy's"]
    with pytest.raises(Disconnected):
        inner_receiver.recv()


def test_a_dead_sender_can_still_travel(make_channel: MakeChannel) -> None:
    """A dead sender can still travel: who receives it is told that the peer is gone."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    inner_receiver.close()
    sender.send(inner_sender)
    with receiver.recv() as travelled, pytest.raises(Disconnected):
        travelled.send(1)


# ------------------------------------------------------------------------------------------ Nothing is leaked


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.parametrize("size", [0, 200_000])
def test_a_message_dropped_unread_closes_its_descriptors(make_channel: MakeChannel, size: int) -> None:
    """A message dropped unread closes its descriptors ★: those it carries and, if it is large, its stream."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    before = open_descriptors()
    sender.send([inner_sender, bytes(size)])
    inner_sender.close()
    sender.close()
    receiver.close()
    with pytest.raises(Disconnected):  # there is no sender left, not even in a message
        inner_receiver.recv(PATIENCE)
    assert open_descriptors() == before - 3


def test_a_thousand_messages_dropped_unread_leave_no_descriptor_open(make_channel: MakeChannel) -> None:
    """1 000 messages dropped unread leave no descriptor open."""
    before = open_descriptors()
    for _ in range(100):
        (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
        with sender, receiver, inner_sender, inner_receiver:
            for _ in range(10):
                sender.send([inner_sender])
    assert open_descriptors() == before


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_thousand_handles_received_and_dropped_leave_no_descriptor_open(ends: Pair) -> None:
    """Whoever holds an endpoint closes it, also by dropping it: 1 000 received ones leave nothing open."""
    sender, receiver = ends
    before = open_descriptors()
    for _ in range(1000):
        sender.send([sender])
        receiver.recv()
    gc.collect()
    assert open_descriptors() == before


def test_a_refused_message_closes_its_descriptors(make_channel: MakeChannel) -> None:
    """A message that breaks the wire closes its descriptors ★."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    broken = b"\x93\xd4\x01\x00\xd4\x01\x09\xc0"  # [sender 0, sender 9, None] with two descriptors
    for data in (broken, b"\xa1x"):
        send_packet(sender, data, [inner_sender.fileno(), inner_sender.fileno()])
    inner_sender.close()
    with pytest.raises(IpcError, match="names descriptor 9, but 2 came"):
        receiver.recv()
    sender.close()
    receiver.close()
    with pytest.raises(Disconnected):
        inner_receiver.recv(PATIENCE)


# ------------------------------------------------------------------------------------------ Moved, and closed


@pytest.mark.parametrize("size", [0, 100_000])
def test_handles_that_move_are_closed_once_the_message_has_left(ends: Pair, size: int) -> None:
    """`send(…, move=True)`: a sender and a shared memory too, so that the channel ends with the other's."""
    sender, receiver = ends
    inner_sender, inner_receiver = channel()
    memory = SharedMemory(b"content")
    sender.send([inner_sender, memory, bytes(size)], move=True)
    assert (inner_sender.closed, memory.closed) == (True, True)
    arrived, copy, _ = receiver.recv()
    with arrived, copy, inner_receiver:
        arrived.send(bytes(copy))
        arrived.close()
        assert list(inner_receiver) == [b"content"]


def test_handles_of_a_failed_send_do_not_move(make_channel: MakeChannel) -> None:
    """`send(…, move=True)` that fails: all of them are still yours."""
    (sender, receiver), (inner_sender, inner_receiver) = make_channel(), make_channel()
    receiver.close()
    with pytest.raises(Disconnected):
        sender.send([inner_sender], move=True)
    inner_sender.send("still mine")
    assert inner_receiver.recv() == "still mine"


def test_a_sender_moves_through_itself(ends: Pair) -> None:
    """`send(…, move=True)` of the very sender: it leaves, and is closed here."""
    sender, receiver = ends
    sender.send(sender, move=True)
    assert sender.closed
    with receiver.recv() as arrived:
        arrived.send("from there")
    assert list(receiver) == ["from there"]


@pytest.mark.parametrize("is_turn_due", [False, True])
def test_handles_that_move_in_asyncio_are_closed(is_turn_due: bool) -> None:
    """`await send(…, move=True)`, at once and after other sends."""

    async def main() -> None:
        sender, receiver = aio.channel()
        inner_sender, inner_receiver = aio.channel()
        async with sender, receiver, inner_receiver:
            for _ in range(100 if is_turn_due else 0):
                await sender.send(0)
                await receiver.recv()
            sending = [asyncio.ensure_future(sender.send(n)) for n in range(60 if is_turn_due else 0)]
            await sender.send({"reply": inner_sender}, move=True)
            assert inner_sender.closed
            for message in [await receiver.recv() for _ in range(len(sending) + 1)]:
                if isinstance(message, dict):
                    async with message["reply"] as reply:
                        await reply.send("answer")
            await asyncio.gather(*sending)
            assert [message async for message in inner_receiver] == ["answer"]

    asyncio.run(main())


def test_whether_it_is_closed(make_channel: MakeChannel) -> None:
    """`.closed`, of everything that can be."""
    (sender, receiver), (one, other) = make_channel(), make_channel()
    things: list[Any] = [
        sender,
        receiver,
        SharedMemory(b"content"),
        aio.Sender(one),
        aio.Receiver(other),
        OneShotServer(),
        ReceiverSet(),
    ]
    assert [each.closed for each in things] == [False] * len(things)
    for each in things:
        each.close()
    assert [each.closed for each in things] == [True] * len(things)


def test_a_receiver_that_moved_and_a_server_that_accepted_are_closed(make_channel: MakeChannel) -> None:
    """`.closed` whatever closed it."""
    (sender, receiver), (_, inner_receiver) = make_channel(), make_channel()
    sender.send(inner_receiver)
    receiver.recv().close()
    assert inner_receiver.closed
    with OneShotServer() as server, connect(server.name) as client:
        client.send(None)
        server.accept(PATIENCE)[0].close()
        assert server.closed
