"""Deliveries: steps that never wait by themselves, and a message that leaves whole or not at all."""

import select
import socket
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import Disconnected, Empty, MessageTooLarge, Receiver, Sender, TimedOut, channel
from tui_ipc.ipc import sockets
from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.delivery import Delivery
from tui_ipc.ipc.outlet import Outlet
from tui_ipc.ipc.sender import complete
from tui_ipc.ipc.wire import SHORT_LIMIT, encode

MIB = 1024 * 1024


@pytest.fixture
def one_way() -> Iterator[tuple[Sender[Any], Receiver[Any]]]:
    """An inline sender, as of a peer that takes no descriptors, and the receiver at the other end."""
    left, right = socket.socketpair()
    with Sender[Any](left, inline=True) as sender, Receiver[Any](right) as receiver:
        yield sender, receiver


# A small send buffer


@pytest.fixture
def narrow(make_channel: MakeChannel) -> Pair:
    """A channel whose send buffer was made far smaller than a short message may be."""
    sender, receiver = make_channel()
    with socket.fromfd(sender.fileno(), socket.AF_UNIX, -1) as own:
        own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return sender, receiver


def test_what_was_begun_on_a_byte_stream_goes_out_before_the_next_message() -> None:
    """A short message does not overtake the rest of one that ran out of time half sent."""
    sender, receiver = channel()
    with sender, receiver:
        with socket.fromfd(sender.fileno(), socket.AF_UNIX, -1) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        with pytest.raises(TimedOut):
            sender.send("x" * 20_000, timeout=0)
        came: list[str] = []
        in_threads(
            lambda: sender.send("next"), lambda: came.extend(receiver.recv(PATIENCE) for _ in range(2))
        )
        assert came == ["x" * 20_000, "next"]


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_small_send_buffer_still_delivers(narrow: Pair, timeout: float | None) -> None:
    """A small SO_SNDBUF still delivers: every size, in order, whatever came before."""
    sender, receiver = narrow
    sizes = [1, 100, 4000, 9000, 100, SHORT_LIMIT - 10, 9000, MIB, 20_000, 3000, 1]
    messages = ["x" * size for size in sizes] + [bytes(size) for size in sizes]
    came: list[Any] = []

    def send() -> None:
        for message in messages:
            sender.send(message, timeout)

    in_threads(send, lambda: came.extend(receiver.recv(PATIENCE) for _ in messages))
    check(came, messages)


@pytest.mark.parametrize("size", [10, 60_000, 200_000])
def test_a_small_send_buffer_delivers_handles(narrow: Pair, make_channel: MakeChannel, size: int) -> None:
    """A small SO_SNDBUF still delivers: handles as well, and a receiver moves once."""
    (sender, receiver), (inner, inner_receiver) = narrow, make_channel()
    came: list[Any] = []
    in_threads(
        lambda: sender.send(["x" * size, inner, inner_receiver]), lambda: came.extend(receiver.recv(PATIENCE))
    )
    text, copy, moved = came
    check(text, "x" * size)
    with copy, moved:
        copy.send("through")
        assert moved.recv() == "through"
    assert repr(inner_receiver) == "<Receiver closed>"


# Steps


def test_a_step_never_waits(ends: Pair) -> None:
    """A step does what the kernel takes now, then says what to wait for."""
    sender, receiver = ends
    count = filled(sender._outlet)
    delivery = Delivery(sender._outlet, [encode("last")], [])
    with pytest.raises(BlockingIOError):
        delivery.step()
    assert delivery.fileno() == sender.fileno()
    came = []
    while not select.select([], [delivery], [], 0)[1]:
        came.append(receiver.try_recv())
    delivery.step()
    delivery.leave()
    sender.close()
    check([*came, *receiver], ["x" * 20_000] * count + ["last"])


def filled(outlet: Outlet) -> int:
    """Step deliveries through an outlet until its channel is full; how many left."""
    count = 0
    try:
        while True:
            Delivery(outlet, [encode("x" * 20_000)], []).step()
            count += 1
    except BlockingIOError:
        return count


def test_a_large_message_waits_for_its_own_stream(ends: Pair) -> None:
    """Once a large message is announced, it waits for its own stream; what others send passes it."""
    sender, receiver = ends
    data = encode("x" * (5 * MIB))
    delivery = Delivery(sender._outlet, [data], [])
    with pytest.raises(BlockingIOError):
        delivery.step()
    assert delivery.fileno() != sender.fileno()
    sender.send("meanwhile")
    assert receiver.recv(PATIENCE) == "meanwhile"

    def finish() -> None:
        complete(delivery, monotonic() + PATIENCE)
        sender.send("after")

    came: list[Any] = []
    in_threads(finish, lambda: came.extend(receiver.recv(PATIENCE) for _ in range(2)))
    check(came, ["x" * (5 * MIB), "after"])


@pytest.mark.parametrize("steps", [0, 1])
def test_a_delivery_given_up_loses_only_its_message(ends: Pair, steps: int) -> None:
    """A delivery that is abandoned, announced or not, never becomes a message and holds nothing up."""
    sender, receiver = ends
    delivery = Delivery(sender._outlet, [bytes(5 * MIB)], [])
    for _ in range(steps):
        with pytest.raises(BlockingIOError):
            delivery.step()
    delivery.abandon()
    sender.send("next")
    assert receiver.recv() == "next"
    with pytest.raises(Empty):
        receiver.try_recv()


# What the peer does meanwhile


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_the_receiver_refuses_too_large_a_message(make_channel: MakeChannel, timeout: float | None) -> None:
    """The receiver refusing too large a message gives `MessageTooLarge` at both, and all goes on."""
    sender, receiver = make_channel()
    small = Receiver[Any](sockets.duplicate(receiver.socket_fileno()), max_message_size=MIB)
    receiver.close()

    def send() -> None:
        with pytest.raises(MessageTooLarge, match="the receiver refused a message of 8388612 bytes"):
            sender.send("x" * (8 * MIB - 1), timeout)

    def receive() -> None:
        with pytest.raises(
            MessageTooLarge, match="message of 8 388 612 bytes exceeds the limit of 1 048 576"
        ):
            small.recv(PATIENCE)

    with small:
        in_threads(send, receive)
        sender.send("next", timeout)
        assert small.recv(PATIENCE) == "next"


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_the_receiver_goes_in_the_middle_of_a_large_message(ends: Pair, timeout: float | None) -> None:
    """No receiver → send says the same error ★, also in the middle of a large message."""
    sender, receiver = ends

    def send() -> None:
        with pytest.raises(
            Disconnected, match=r"the peer is gone with \d+ of the message's \d+ bytes unsent"
        ):
            sender.send(bytes(50 * MIB), timeout)

    def close() -> None:
        select.select([receiver], [], [])
        with pytest.raises(Empty):
            receiver.try_recv()
        receiver.close()

    in_threads(send, close)


# Inline


@pytest.mark.parametrize("size", [MIB, 5 * MIB])
def test_an_inline_timeout_keeps_the_stream_whole(one_way: Pair, size: int) -> None:
    """Inline senders: a timeout in the middle of a message; what was begun goes out before the next one."""
    sender, receiver = one_way
    with pytest.raises(TimedOut):
        sender.send("x" * size, timeout=0.01)
    with pytest.raises(TimedOut):
        sender.send("not begun", timeout=0.01)
    came: list[Any] = []
    in_threads(
        lambda: sender.send_many(["next", "last"], PATIENCE),
        lambda: came.extend(receiver.recv(PATIENCE) for _ in range(3)),
    )
    check(came, ["x" * size, "next", "last"])


def test_an_inline_timeout_while_another_thread_sends(one_way: Pair) -> None:
    """Inline senders: a send that has a timeout does not wait longer for another thread's message either."""
    sender, receiver = one_way

    def receive() -> None:
        select.select([receiver], [], [])  # the long one is on its way, and fills the channel
        with pytest.raises(TimedOut):
            sender.send("short", timeout=0.01)
        check(receiver.recv(PATIENCE), "x" * (5 * MIB))

    in_threads(lambda: sender.send("x" * (5 * MIB)), receive)
    sender.send("next")
    assert receiver.recv() == "next"


def test_an_inline_sender_closed_in_the_middle_of_a_message(one_way: Pair) -> None:
    """Inline senders: an end in the middle of a message is told by the number of bytes that came of it."""
    sender, receiver = one_way
    with pytest.raises(TimedOut):
        sender.send("x" * MIB, timeout=0.01)
    sender.close()
    with pytest.raises(Disconnected) as caught:
        list(receiver)
    assert 0 < caught.value.unfinished < MIB


def test_a_peer_that_sends_handles_hears_no_refusal(make_channel: MakeChannel) -> None:
    """Inline mode: what arrives may hold handles, since it is only the answers that carry none."""
    (inner, inner_receiver), (left, right) = make_channel(), socket.socketpair()
    with Sender[Any](left) as sender, Receiver[Any](right) as receiver, answering(receiver) as back:
        sender.send([inner])
        with receiver.recv()[0] as copy:
            copy.send(1)
        assert inner_receiver.recv() == 1
        back.send("answer")
        with Receiver[Any](sockets.duplicate(sender.fileno())) as answers:
            assert answers.recv() == "answer"
