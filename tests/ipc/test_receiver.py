"""Receivers: what a channel holds comes before its end, and no receive waits longer than it may."""

import socket
import struct
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support import peers
from tests.support.peers import peer
from tests.support.raw_wire import begin_large, send_packet
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import Closed, Disconnected, Empty, Message, MessageTooLarge, ProtocolError, Receiver, TimedOut
from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.wire import encode

MIB = 1024 * 1024
TICK = 0.5
"""Seconds that a busy machine may wake somebody late; far less than a wait that was not ended."""


# Disconnect


def test_queued_messages_arrive_before_the_end(ends: Pair) -> None:
    """Queued messages arrive before the end ★."""
    sender, receiver = ends
    for number in range(50):
        sender.send([number, None, ""])
    sender.close()
    assert [receiver.recv() for _ in range(50)] == [[number, None, ""] for number in range(50)]
    for _ in range(3):
        with pytest.raises(Disconnected, match="every sender of this channel is closed"):
            receiver.recv()


@pytest.mark.parametrize("size", [10, 30_000, 150_000, 5 * MIB])
def test_close_right_after_a_large_send_loses_nothing(ends: Pair, size: int) -> None:
    """Close right after a large send loses nothing (linger) ★."""
    sender, receiver = ends

    def send() -> None:
        sender.send("x" * size)
        sender.close()

    came: list[Any] = []
    in_threads(send, lambda: came.extend(receiver))
    check(came, ["x" * size])


@pytest.mark.parametrize("size", [10, 30_000, 150_000])
def test_what_a_process_sent_outlives_it(ends: Pair, size: int) -> None:
    """Close right after a large send loses nothing (linger) ★, cross-process: nor does the sender's exit."""
    sender, receiver = ends
    with peer(peers.send_all, [sender, ["x" * size, "last"]]):
        sender.close()
    check(list(receiver), ["x" * size, "last"])


def test_no_senders_receive_says_so(ends: Pair) -> None:
    """No senders → receive says so, in every form."""
    sender, receiver = ends
    sender.close()
    forms: list[Callable[[], object]] = [
        receiver.recv,
        receiver.try_recv,
        receiver.recv_message,
        lambda: receiver.recv(timeout=0),
        lambda: receiver.recv(timeout=PATIENCE),
    ]
    for form in forms:
        with pytest.raises(Disconnected) as caught:
            form()
        assert caught.value.unfinished == 0
    assert list(receiver) == []


def test_a_receive_that_waits_hears_the_end(ends: Pair) -> None:
    """No senders → receive says so, also to one that waits already, cross-process."""
    sender, receiver = ends
    with peer(peers.send_all, [sender, []]):
        sender.close()
        with pytest.raises(Disconnected):
            receiver.recv()


def test_a_reset_does_not_hide_what_is_queued(make_channel: MakeChannel, ends: Pair) -> None:
    """Queued messages arrive before the end ★, also if the peer left something unread (ECONNRESET)."""
    sender, receiver = ends
    with answering(receiver) as back:
        back.send("never read")
        sender.send_many([1, 2])
        sender.send(3)
        sender.close()
        assert list(receiver) == [1, 2, 3]


@pytest.mark.parametrize("large", [False, True], ids=["short", "large"])
def test_an_end_within_a_message_is_told(ends: Pair, large: bool) -> None:
    """`Disconnected` tells how many bytes of a last message the peer began and did not finish."""
    sender, receiver = ends
    if not large:
        sender.send_raw(encode("whole") + encode("cut off")[:5])
        unfinished = 5
    else:
        sender.send("whole")
        begin_large(sender, 200_000).close()
        unfinished = 11  # the announcement
    sender.close()
    assert receiver.recv() == "whole"
    for form in (receiver.recv, receiver.try_recv, lambda: next(receiver)):
        with pytest.raises(Disconnected, match=f"it ended {unfinished} bytes into a message") as caught:
            form()
        assert caught.value.unfinished == unfinished


# Without blocking


def test_try_recv(ends: Pair) -> None:
    """`try_recv`: Empty, value, Empty, Disconnected."""
    sender, receiver = ends
    with pytest.raises(Empty, match="no message is waiting"):
        receiver.try_recv()
    sender.send("value")
    assert receiver.try_recv() == "value"
    with pytest.raises(Empty):
        receiver.try_recv()
    sender.close()
    with pytest.raises(Disconnected):
        receiver.try_recv()


def test_empty_is_not_disconnected_also_when_the_close_comes_late(make_channel: MakeChannel) -> None:
    """Empty is not Disconnected, also when the close comes late: cross-process, by a peer told when to."""
    (to_peer, theirs), (their_sender, receiver) = make_channel(), make_channel()

    def first_but_empty() -> object:
        while True:
            try:
                return receiver.try_recv()
            except Empty:
                pass

    with peer(peers.echo, [their_sender, theirs]):
        their_sender.close()
        with pytest.raises(Empty):
            receiver.try_recv()
        to_peer.send("value")
        assert first_but_empty() == "value"
        with pytest.raises(Empty):
            receiver.try_recv()
        to_peer.close()
        with pytest.raises(Disconnected):
            first_but_empty()


@pytest.mark.parametrize("timeout", [0, 0.05, 0.3])
def test_a_receive_times_out(ends: Pair, timeout: float) -> None:
    """Receive with a timeout: waits, returns early, then TimedOut, never late by more than a tick."""
    sender, receiver = ends
    sender.send("there already")
    assert receiver.recv(timeout) == "there already"
    began = monotonic()
    with pytest.raises(TimedOut, match=f"no message came within {timeout} s") as caught:
        receiver.recv(timeout)
    assert timeout <= monotonic() - began < timeout + TICK
    assert isinstance(caught.value, TimeoutError)
    sender.send("after that")
    assert receiver.recv(timeout) == "after that"


@pytest.mark.parametrize("timeout", [PATIENCE, 1e10, float("inf")])
def test_a_receive_returns_early(ends: Pair, timeout: float) -> None:
    """Receive with a timeout: returns early, cross-process, however long it would have waited."""
    sender, receiver = ends
    began = monotonic()
    with peer(peers.send_all, [sender, ["came"]]):
        assert receiver.recv(timeout) == "came"
    assert monotonic() - began < PATIENCE


@pytest.mark.parametrize("timeout", [0, 0.05, 0.3])
def test_a_receive_times_out_in_the_middle_of_a_large_message(ends: Pair, timeout: float) -> None:
    """Receive with a timeout, also in the middle of a large message ★; what came of it is kept."""
    sender, receiver = ends
    message = encode("x" * 200_000)
    with begin_large(sender, len(message)) as body:
        for part in (message[:1000], message[1000:100_000]):
            body.sendall(part)
            began = monotonic()
            with pytest.raises(TimedOut):
                receiver.recv(timeout)
            assert timeout <= monotonic() - began < timeout + TICK
        body.sendall(message[100_000:])
        check(receiver.recv(timeout), "x" * 200_000)


def test_a_receive_times_out_in_the_middle_of_a_value_on_a_stream() -> None:
    """Receive with a timeout in the middle of a value of a byte stream: what came of it is kept."""
    left, right = socket.socketpair()
    with left, Receiver[Any](right) as receiver:
        for byte in encode({"slow": [1, 2, 3]}):
            with pytest.raises(TimedOut):
                receiver.recv(timeout=0)
            with pytest.raises(Empty):
                receiver.try_recv()
            left.send(bytes((byte,)))
        assert receiver.recv(timeout=0) == {"slow": [1, 2, 3]}


# Forms of a receive


def test_a_message_with_its_bytes(ends: Pair) -> None:
    """`recv_message` gives the message's bytes as well, wherever it came from."""
    sender, receiver = ends
    values = [1, "two", {"three": [3]}, None]
    sender.send_many(values)
    assert [receiver.recv_message() for _ in values] == [Message(value, encode(value)) for value in values]
    sender.send_many(values)
    assert receiver.recv() == 1
    assert receiver.recv_message() == ("two", encode("two"))
    assert receiver.recv() == {"three": [3]}
    assert receiver.recv_message(timeout=1) == (None, b"\xc0")
    came: list[Any] = []
    large = [bytes(300_000), "x" * 300_000]
    in_threads(
        lambda: sender.send_many(large), lambda: came.extend(receiver.recv_message(PATIENCE) for _ in large)
    )
    check(came, [Message(value, encode(value)) for value in large])


def test_iteration_ends_when_every_sender_is_closed(ends: Pair) -> None:
    """`for message in receiver` ends when every sender is gone."""
    sender, receiver = ends
    clone = sender.clone()
    sender.send(1)
    sender.close()
    clone.send_many([2, 3])
    clone.close()
    assert [message for message in receiver] == [1, 2, 3]  # noqa: C416 - list() would be another form


def test_a_receiver_can_be_waited_for(ends: Pair) -> None:
    """`fileno()` is readable when a message came, and when the last sender went."""
    import select

    sender, receiver = ends
    poller = select.poll()
    poller.register(receiver, select.POLLIN)
    assert poller.poll(0) == []
    sender.send(1)
    assert [descriptor for descriptor, _ in poller.poll(0)] == [receiver.fileno()]
    assert receiver.recv() == 1
    assert poller.poll(0) == []
    sender.close()
    assert [descriptor for descriptor, _ in poller.poll(0)] == [receiver.fileno()]


# Closed


@pytest.mark.parametrize(
    "use",
    [
        lambda receiver: receiver.recv(),
        lambda receiver: receiver.recv(timeout=1),
        lambda receiver: receiver.recv_message(),
        lambda receiver: receiver.try_recv(),
        lambda receiver: [*receiver],
        lambda receiver: receiver.fileno(),
        answering,
    ],
)
@pytest.mark.parametrize("pending", [0, 5])
def test_using_a_receiver_after_close(
    ends: Pair, use: Callable[[Receiver[Any]], object], pending: int
) -> None:
    """Using endpoints after `close()` raises `Closed` with a sentence; what was read ahead is gone."""
    sender, receiver = ends
    sender.send_many(range(pending + 1))
    assert receiver.recv() == 0
    receiver.close()
    receiver.close()
    with pytest.raises(Closed, match="this receiver was closed"):
        use(receiver)
    assert repr(receiver) == "<Receiver closed>"


def test_close_in_the_middle_of_a_large_message(ends: Pair) -> None:
    """A receiver closed in the middle of a large message lets go of its stream: the sender hears it there."""
    sender, receiver = ends
    with begin_large(sender, 200_000) as body:
        with pytest.raises(Empty):
            receiver.try_recv()
        receiver.close()
        assert body.recv(1) == b""


# Errors of the peer's


def test_a_broken_wire_is_told_each_time(ends: Pair) -> None:
    """`ProtocolError`: the channel is of no further use, each later receive raises this again."""
    sender, receiver = ends
    sender.send("whole")
    sender.send_raw(b"\xc1")
    sender.send("never heard")
    assert receiver.recv() == "whole"
    for form in (receiver.recv, receiver.try_recv, lambda: receiver.recv(timeout=1), lambda: next(receiver)):
        with pytest.raises(ProtocolError, match="0xc1 is not the first byte of a msgpack value"):
            form()


def test_a_message_over_the_receivers_limit(make_channel: MakeChannel) -> None:
    """The receiver refusing too large a message says so with the numbers; the channel goes on."""
    sender, receiver = make_channel()
    with socket.fromfd(receiver.socket_fileno(), socket.AF_UNIX, -1) as own:
        small = Receiver[Any](socket.socket(fileno=own.detach()), max_message_size=150_000)
    with small:
        begin_large(sender, 150_001).close()
        sender.send("next")
        with pytest.raises(MessageTooLarge, match="message of 150 001 bytes exceeds the limit of 150 000"):
            small.recv()
        assert small.recv() == "next"


def test_descriptors_that_no_value_claims_are_closed(make_channel: MakeChannel) -> None:
    """Received descriptors that no value claims are closed; the value arrives."""
    (sender, receiver), (inner, inner_receiver) = make_channel(), make_channel()
    send_packet(sender, encode([1]), [inner.fileno()] * 3)
    inner.close()
    assert receiver.recv() == [1]
    with pytest.raises(Disconnected):
        inner_receiver.recv()


def test_control_data_of_other_kinds_is_passed_over(ends: Pair) -> None:
    """Control data that brings no descriptors, such as credentials that a holder asked for, is no matter."""
    sender, receiver = ends
    with socket.fromfd(receiver.socket_fileno(), socket.AF_UNIX, -1) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, struct.pack("i", 1))
    sender.send([sender, "x"])
    copy, text = receiver.recv()
    copy.close()
    assert text == "x"
    sender.send("plain")
    assert receiver.recv() == "plain"


def test_what_was_read_ahead(ends: Pair) -> None:
    """Messages that share a read are read together, and counted until they are received."""
    sender, receiver = ends
    assert receiver.read_ahead() == 0
    sender.send_many(["a", "bc"])
    assert receiver.recv() == "a"
    assert receiver.read_ahead() == len(encode("bc"))
    assert receiver.recv() == "bc"
    assert receiver.read_ahead() == 0
