"""Bodies of large messages: seen whole or not at all, and paid for by what arrived."""

import os
import select
import signal
import socket
import tracemalloc
from typing import Any

import pytest

from tests.ipc import peers
from tests.ipc.by_hand import begin_large, send_packet
from tests.ipc.conftest import MakeChannel, Pair
from tests.ipc.peers import peer
from tests.ipc.together import PATIENCE, check
from tui_ipc import Disconnected, Empty, ProtocolError, Receiver, Sender
from tui_ipc.ipc.wire import announce, encode

MIB = 1024 * 1024


def parts(data: bytes, count: int) -> list[bytes]:
    size = -(-len(data) // count)
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize(
    "value", ["x" * 200_000, bytes(200_000), [1, "x" * 200_000]], ids=["str", "bytes", "list"]
)
def test_a_large_message_is_never_seen_in_part(ends: Pair, value: object) -> None:
    """A large message is never seen in part ★: `try_recv` says Empty until its last byte is there."""
    sender, receiver = ends
    data = encode(value)
    with begin_large(sender, len(data)) as body:
        for part in (data[:1], data[1:4], data[4:6], *parts(data[6:], 10)):
            with pytest.raises(Empty):
                receiver.try_recv()
            body.sendall(part)
        check(receiver.try_recv(), value)
    with pytest.raises(Empty):
        receiver.try_recv()


def test_a_large_message_of_a_stopped_process_is_never_seen_in_part(ends: Pair) -> None:
    """A large message is never seen in part ★, cross-process: its sender is stopped in the middle of it."""
    sender, receiver = ends
    with peer(peers.send_repeated, [sender, "x", 50 * MIB, 1]) as process:
        sender.close()
        select.select([receiver], [], [])  # it is announced, and more than the kernel's buffers hold
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        for _ in range(100):
            with pytest.raises(Empty):
                receiver.try_recv()
        process.send_signal(signal.SIGCONT)
        check(receiver.recv(PATIENCE), "x" * (50 * MIB))


def test_messages_behind_a_large_one_wait_for_it(ends: Pair) -> None:
    """Order is kept: what was sent behind a large message comes behind it."""
    sender, receiver = ends
    data = encode("x" * 200_000)
    with begin_large(sender, len(data)) as body:
        sender.send("behind")
        with pytest.raises(Empty):
            receiver.try_recv()
        body.sendall(data)
    check([receiver.recv(), receiver.recv()], ["x" * 200_000, "behind"])


@pytest.mark.parametrize("arrived", [0, 3, 100_000])
def test_a_sender_that_gives_up_in_the_middle_loses_only_that_message(ends: Pair, arrived: int) -> None:
    """A sender that gives up in the middle of a large message loses only that message."""
    sender, receiver = ends
    sender.send("before")
    with begin_large(sender, 200_000) as body:
        body.sendall(bytes(arrived))
    sender.send("behind")
    sender.close()
    assert receiver.recv() == "before"
    assert receiver.recv() == "behind"
    with pytest.raises(Disconnected) as caught:
        receiver.recv()
    assert caught.value.unfinished == 0  # something whole came last


def test_a_large_message_without_an_end_is_told_at_the_end(ends: Pair) -> None:
    """`Disconnected` tells how many bytes of a last message the peer began and did not finish."""
    sender, receiver = ends
    with begin_large(sender, 200_000) as body:
        body.sendall(bytes(1000))
    sender.close()
    with pytest.raises(Disconnected) as caught:
        list(receiver)
    assert caught.value.unfinished == 1000 + len(announce(200_000))


@pytest.mark.parametrize("arrived", [0, 3, 100_000])
def test_a_body_given_up_closes_what_came_with_it(make_channel: MakeChannel, arrived: int) -> None:
    """A message that never became whole closes its descriptors ★."""
    (sender, receiver), (inner, inner_receiver) = make_channel(), make_channel()
    with begin_large(sender, 200_000, [inner.fileno(), inner.fileno()]) as body:
        inner.close()
        body.sendall(bytes(arrived))
        with pytest.raises(Empty):
            receiver.try_recv()
        with pytest.raises(Empty):
            inner_receiver.try_recv()
    sender.send("behind")
    assert receiver.recv() == "behind"
    with pytest.raises(Disconnected):
        inner_receiver.recv(PATIENCE)


def test_memory_grows_with_what_arrived(ends: Pair) -> None:
    """No memory spike: a message that is merely announced costs next to nothing."""
    sender, receiver = ends
    with begin_large(sender, 60 * MIB) as body:
        body.sendall(b"\xc6" + (60 * MIB - 5).to_bytes(4, "big") + bytes(10_000))
        tracemalloc.start()
        try:
            with pytest.raises(Empty):
                receiver.try_recv()
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert peak < 4 * MIB


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"\xc1" + bytes(9), "0xc1 begins no msgpack value"),
        (encode("short") + bytes(4), "follow the value"),
        (b"\xda\xff\xff" + bytes(7), "a value is cut off after 10 bytes"),
        (b"\xd4\x01\x05" + bytes(7), "."),
        (announce(1000)[:10], "."),
    ],
    ids=["no value", "more than one value", "cut off", "index out of range", "another announcement"],
)
def test_a_body_that_breaks_the_wire(ends: Pair, body: bytes, sentence: str) -> None:
    """Garbage, truncated values, index out of range, in a body: a typed error each, told each time."""
    sender, receiver = ends
    with begin_large(sender, len(body)) as stream:
        stream.sendall(body)
        for _ in range(2):
            with pytest.raises(ProtocolError, match=sentence):
                receiver.recv()


def test_a_body_announces_no_other_body(make_channel: MakeChannel) -> None:
    """A body that is itself an announcement breaks the wire, and all its descriptors are closed."""
    (sender, receiver), (inner, inner_receiver) = make_channel(), make_channel()
    with begin_large(sender, 11, [inner.fileno()]) as body:
        inner.close()
        body.sendall(announce(200_000))
        with pytest.raises(ProtocolError, match="announces another one"):
            receiver.recv()
    with pytest.raises(Disconnected):
        inner_receiver.recv(PATIENCE)


def test_a_body_comes_on_a_stream_and_on_nothing_else(make_channel: MakeChannel) -> None:
    """An announcement whose first descriptor is no stream breaks the wire, and all are closed."""
    (sender, receiver), (inner, inner_receiver) = make_channel(), make_channel()
    reading, writing = os.pipe()
    send_packet(sender, announce(200_000), [reading, inner.fileno()])
    os.close(reading)
    inner.close()
    with pytest.raises(ProtocolError, match="is no socket"):
        receiver.recv()
    with pytest.raises(Disconnected):
        inner_receiver.recv(PATIENCE)
    with pytest.raises(BrokenPipeError):
        os.write(writing, b"x")
    os.close(writing)


def test_a_body_may_come_on_a_stream_that_does_not_block(ends: Pair) -> None:
    """`O_NONBLOCK` set by the peer on the stream of a large message does not break a blocking receive."""
    sender, receiver = ends
    data = encode("x" * 200_000)
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.setblocking(False)
            send_packet(sender, announce(len(data)), [theirs.fileno()])
        with pytest.raises(TimeoutError):
            receiver.recv(timeout=0.05)
        ours.sendall(data)
        check(receiver.recv(), "x" * 200_000)


def test_many_small_pieces_make_a_body(ends: Pair) -> None:
    """A large message that comes in small pieces is the same message."""
    sender, receiver = ends
    value: list[Any] = [bytes(range(256)) * 400, "x" * 100_000, {"deep": [None] * 1000}]
    data = encode(value)
    with begin_large(sender, len(data)) as body:
        *first, last = parts(data, 700)
        for part in first:
            body.sendall(part)
            with pytest.raises(Empty):
                receiver.try_recv()
        body.sendall(last)
        check(receiver.recv_message().raw, data)


def test_a_receiver_takes_a_body_of_the_limit_exactly() -> None:
    """A message of exactly `max_message_size` bytes is taken."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with Sender[str](left) as sender, Receiver[str](right, max_message_size=200_005) as receiver:
        sender.send("x" * 200_000)
        check(receiver.recv(), "x" * 200_000)
