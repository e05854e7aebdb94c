"""Kept side streams: one stream for many messages that are a little too long for the channel itself."""

import asyncio
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.event_loops import AioPair, cancelled, run, turns
from tests.support.raw_wire import send_packet
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import Empty, Message, MessageTooLarge, ProtocolError, Receiver, Sender, TimedOut
from tui_ipc.ipc import kept_streams
from tui_ipc.ipc.outlet import Outlet
from tui_ipc.ipc.sender import complete
from tui_ipc.ipc.wire import KEPT_LIMIT, OFFERED, SHORT_LIMIT, announce, blob_header, encode

SIZE = 64 * 1024


def prepare(sender: Sender[Any], receiver: Receiver[Any]) -> None:
    """Send a first message, whose stream is kept from then on."""
    sender.send(bytes(SIZE))
    assert receiver.recv() == bytes(SIZE)
    assert len(receiver._kept._streams) == 1


@pytest.fixture
def kept(ends: Pair) -> Pair:
    """A channel with a kept stream."""
    prepare(*ends)
    return ends


@contextmanager
def offered(sender: Sender[Any], receiver: Receiver[Any]) -> Iterator[socket.socket]:
    """The writing end of a kept stream, number 0, as a peer has it that writes by hand."""
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            send_packet(sender, announce(2, OFFERED), [theirs.fileno()])
        ours.sendall(encode("x"))
        assert receiver.recv() == "x"
        assert ours.recv(2) == b"\0"
        yield ours


def seen(receiver: Receiver[Any]) -> bytes:
    """What is in the channel itself."""
    with socket.fromfd(receiver.socket_fileno(), socket.AF_UNIX, socket.SOCK_STREAM) as peek:
        return peek.recv(2 * SHORT_LIMIT, socket.MSG_PEEK)


def fill(sender: Sender[Any], message: object) -> int:
    """Send until there is no more room; how many left."""
    count = 0
    try:
        while True:
            sender.send(message, timeout=0)
            count += 1
    except TimedOut:
        return count


@pytest.mark.parametrize("make", [bytes, lambda size: "x" * (size - 5)], ids=["bytes", "str"])
@pytest.mark.parametrize("size", [SHORT_LIMIT + 3, KEPT_LIMIT - 5, KEPT_LIMIT, KEPT_LIMIT + 1])
def test_the_next_large_message_needs_no_new_stream(
    kept: Pair, size: int, make: Callable[[int], object]
) -> None:
    """Up to a size; value and bytes are the same."""
    sender, receiver = kept
    message = make(size)
    head = blob_header(size) if isinstance(message, bytes) else b""
    data = head + message if isinstance(message, bytes) else encode(message)
    number = 0 if len(data) <= KEPT_LIMIT else None
    for _ in range(2):
        in_threads(
            lambda: sender.send(message),
            lambda: check(receiver.recv_message(PATIENCE), Message(message, data)),
        )
    if len(data) <= KEPT_LIMIT:
        sender.send(message)
        assert seen(receiver) == announce(len(data), number, head)
        assert receiver.recv() == message
    assert len(receiver._kept._streams) == 1


def test_messages_that_are_read_at_once_keep_their_order(kept: Pair) -> None:
    """Short ones, large ones with handles and without, and what comes after them."""
    sender, receiver = kept
    sender.send_many([1, "x" * SIZE, 2, bytes(SIZE), 3])
    sender.send(["y" * SIZE, sender])
    sender.send(4)
    assert [receiver.recv() for _ in range(5)] == [1, "x" * SIZE, 2, bytes(SIZE), 3]
    text, copy = receiver.recv()
    copy.close()
    assert (text, receiver.try_recv()) == ("y" * SIZE, 4)


def test_a_sender_that_stops_before_the_announcement_holds_up_nobody(ends: Pair) -> None:
    """One that stopped in the middle of a large message ★: a body that is not announced is not looked at."""
    sender, receiver = ends
    with offered(sender, receiver) as stopped:
        stopped.sendall(encode("half")[:2])
        sender.send("x" * SIZE)
        assert receiver.recv(PATIENCE) == "x" * SIZE
        with pytest.raises(Empty):
            receiver.try_recv()
        stopped.sendall(encode("half")[2:])
        send_packet(sender, announce(5, 0))
        assert receiver.recv(PATIENCE) == "half"


def test_back_pressure_waits_and_a_deadline_loses_nothing(kept: Pair) -> None:
    """What a slow receiver has not taken makes the sender wait; a message that did not leave never comes."""
    sender, receiver = kept
    count = fill(sender, bytes(SIZE))
    assert count > 1
    with pytest.raises(TimedOut):
        sender.send(b"n" * (SIZE + 1), timeout=0.01)
    waiting = sender._start(bytes(SIZE + 2))
    assert waiting is not None
    check([receiver.recv() for _ in range(count)], [bytes(SIZE)] * count)
    complete(waiting, None)
    assert receiver.recv() == bytes(SIZE + 2)
    assert len(receiver._kept._streams) == 1


def test_a_body_whose_announcement_did_not_leave_never_comes(kept: Pair) -> None:
    """The channel is full, the stream is not: it is given up, and its place is free once all is read."""
    sender, receiver = kept
    count = fill(sender, "x" * 1000)
    with pytest.raises(TimedOut):
        sender.send(b"n" * (SIZE + 1), timeout=0)
    for _ in range(count):
        receiver.recv()
    prepare(sender, receiver)
    sender.send(bytes(SIZE + 2))
    assert receiver.recv() == bytes(SIZE + 2)


def test_a_message_over_the_limit_is_skipped(kept: Pair) -> None:
    """And the next one on the same stream comes; a receiver may be given another limit at any time."""
    sender, receiver = kept
    receiver.max_message_size = SIZE
    sender.send(bytes(SIZE))
    sender.send("x" * (SIZE - 5))
    with pytest.raises(MessageTooLarge, match="message of 65 541 bytes exceeds the limit of 65 536"):
        receiver.recv()
    assert receiver.recv() == "x" * (SIZE - 5)


def test_so_many_streams_are_kept_at_most(ends: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others' messages come as before, and the place of a sender that is gone is another's."""
    sender, receiver = ends
    monkeypatch.setattr(kept_streams, "KEPT_STREAMS", 1)
    with sender.clone() as first:
        prepare(first, receiver)
        for _ in range(3):
            sender.send(bytes(SIZE))
            assert receiver.recv() == bytes(SIZE)
        assert not sender._outlet._offers
        first.send("x" * SIZE)
    with sender.clone() as third:
        third.send(bytes(SIZE))
        assert receiver.recv() == "x" * SIZE  # of one that was closed meanwhile
        assert receiver.recv() == bytes(SIZE)
        third.send("y" * SIZE)
        assert seen(receiver)[11] == 0
        assert receiver.recv() == "y" * SIZE


def test_the_last_message_of_a_sender_that_is_gone_still_comes(kept: Pair) -> None:
    """Though another one's stream is accepted meanwhile, for which those that ended are given up."""
    sender, receiver = kept
    with sender.clone() as other:
        other.send("b" * SIZE)
        sender.send("a" * SIZE)
        sender.close()
        assert receiver.recv() == "b" * SIZE
        assert receiver.recv() == "a" * SIZE


def test_a_receiver_moves_and_its_sender_makes_a_new_stream(kept: Pair, make_channel: MakeChannel) -> None:
    """What lies on a kept stream would not move: it is received first."""
    (sender, receiver), (way, end) = kept, make_channel()
    sender.send("x" * SIZE)
    with pytest.raises(ValueError, match="1 of this receiver's kept streams hold messages"):
        way.send(receiver)
    sender.send("y" * SIZE)  # finds its stream shut
    assert seen(receiver).endswith(announce(len(encode("y" * SIZE)), OFFERED))
    assert receiver.recv() == "x" * SIZE
    assert receiver.recv() == "y" * SIZE
    way.send(receiver)
    sender.send("z" * SIZE)
    with end.recv() as moved:
        assert moved.recv() == "z" * SIZE
        prepare(sender, moved)


def test_two_processes_with_one_sender_do_not_mix(kept: Pair) -> None:
    """A fork: the kept stream is the parent's."""
    sender, receiver = kept
    pid = os.fork()
    if not pid:
        try:
            sender.send("c" * SIZE)
            sender.send("c" * SIZE)
        finally:
            os._exit(0)
    sender.send("p" * SIZE)
    found = sorted(receiver.recv(PATIENCE)[:1] for _ in range(3))
    os.waitpid(pid, 0)
    assert found == ["c", "c", "p"]
    sender.send("q" * SIZE)
    assert receiver.recv() == "q" * SIZE


def test_threads_have_a_stream_each(ends: Pair) -> None:
    """Bodies of messages that are sent at the same time do not mix."""
    sender, receiver = ends

    def flow(letter: str) -> None:
        for number in range(30):
            sender.send(letter * (SIZE + number))

    counts = dict.fromkeys("abc", 0)

    def receive() -> None:
        for _ in range(90):
            text = receiver.recv(PATIENCE)
            assert text == text[0] * (SIZE + counts[text[0]])
            counts[text[0]] += 1

    in_threads(*(lambda letter=letter: flow(letter) for letter in counts), receive)


def test_a_cancelled_send_gives_the_stream_back(aio_ends: AioPair) -> None:
    """It waited for room, so that nothing of it was written."""
    sender, receiver = aio_ends

    async def main() -> None:
        await sender.send(bytes(SIZE))
        assert await receiver.recv() == bytes(SIZE)
        count = 0
        while True:
            sending = asyncio.create_task(sender.send(bytes(SIZE)))
            await turns(2)
            if not sending.done():
                break
            count += 1
        assert count > 1
        await cancelled(sending)
        for _ in range(count):
            assert await receiver.recv() == bytes(SIZE)
        await sender.send("x" * SIZE)
        assert await receiver.recv() == "x" * SIZE
        assert len(receiver._blocking._kept._streams) == len(sender._blocking._outlet._idle) == 1

    run(main(), sender, receiver)


@pytest.mark.parametrize(
    ("content", "announcement", "sentence"),
    [
        (b"", announce(5, 0), "0 of 5 bytes are on the kept stream"),
        (b"\xa4bod", announce(5, 0), "4 of 5 bytes are on the kept stream"),
        (b"", announce(5, 0, bytes(5)), "0 bytes are announced on a kept stream, not 1 to 196608"),
        (b"", announce(2**60, 0), "1152921504606846976 bytes are announced on a kept stream"),
        (b"", announce(5, 1), "names side stream 1, which is not kept"),
        (announce(9), announce(11, 0), "the body of a large message announces another one"),
        (b"\xc1", announce(1, 0), "0xc1 is not the first byte"),
    ],
)
def test_a_peer_that_breaks_the_rules_of_a_kept_stream(
    ends: Pair, make_channel: MakeChannel, content: bytes, announcement: bytes, sentence: str
) -> None:
    """A typed error, and the descriptors that came with it are closed."""
    (sender, receiver), (inner, _) = ends, make_channel()
    with ExitStack() as stack:
        ours = stack.enter_context(offered(sender, receiver))
        ours.sendall(content)
        send_packet(sender, announcement, [inner.fileno()])
        with pytest.raises(ProtocolError, match=sentence):
            receiver.recv()
        assert ours.recv(1) == b""


class ClosedMeanwhile:
    """The socket of an outlet that another thread closes while this one looks whether it is open."""

    def __init__(self, outlet: Outlet) -> None:
        self.outlet = outlet
        self.socket = outlet.socket

    def fileno(self) -> int:
        number = self.socket.fileno()
        self.outlet.socket = self.socket
        self.outlet.close()
        return number


def test_a_stream_given_back_while_its_sender_is_closed(ends: Pair) -> None:
    """By another thread, at any moment: it is closed with the others."""
    outlet: Any = ends[0]._outlet
    reading, stream = kept_streams.open_kept()
    os.close(reading)
    outlet.socket = ClosedMeanwhile(outlet)
    outlet.give_back(stream)
    assert stream.fileno() == -1
