"""Typed messages: what `encode` and `decode` do to them, and what type checkers are told."""

import asyncio
import copy
import os
import sys
from dataclasses import dataclass
from typing import Any, assert_type

import pytest

from tests.ipc.conftest import MakeChannel
from tests.support.threads import PATIENCE
from tui_ipc import (
    Arrived,
    Disconnected,
    Empty,
    IpcError,
    OneShotServer,
    Receiver,
    ReceiverSet,
    Sender,
    aio,
    channel,
    connect,
    spawn,
)
from tui_ipc.ipc.wire import Message


@dataclass
class Job:
    """A message."""

    number: int
    reply: Sender[Any] | None = None


def encode(job: Job) -> object:
    return [job.number, job.reply]


def decode(value: Any) -> Job:
    number, reply = value
    if not isinstance(number, int):
        raise TypeError(f"{number!r} is not a number")
    return Job(number, reply)


def zeros(size: int) -> bytes:
    return bytes(size)


def read(value: Any) -> Job:
    """Decode what asyncio received, whose endpoints are asyncio's."""
    return Job(value[0])


def test_every_way_to_send_encodes_and_every_way_to_receive_decodes() -> None:
    """Once each, whatever the size, the deadline or the batch; raw bytes stay what they are."""
    sender, receiver = channel(encode=encode, decode=decode)
    with sender, receiver:
        sender.send(Job(1))
        assert receiver.recv() == Job(1)
        sender.send(Job(2), timeout=PATIENCE)
        assert receiver.recv(PATIENCE) == Job(2)
        sender.send_many(Job(number) for number in range(3, 7))
        assert receiver.try_recv() == Job(3)
        assert next(receiver) == Job(4)
        assert receiver.recv_message() == Message(Job(5), b"\x92\x05\xc0")
        assert receiver.recv() == Job(6)
        sender.send_raw(b"\x92\x07\xc0")
        assert receiver.recv() == Job(7)
        with pytest.raises(Empty):
            receiver.try_recv()


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_a_large_message_is_encoded_and_decoded(timeout: float | None) -> None:
    """Also where it is one long `bytes` value."""
    sender, receiver = channel(encode=zeros, decode=len)
    with sender, receiver:
        sender.send(50_000, timeout)
        assert receiver.recv(timeout) == 50_000


def test_handles_in_typed_messages_arrive() -> None:
    """`encode` and `decode` leave handles as they are."""
    sender, receiver = channel(encode=encode, decode=decode)
    reply, answers = channel()
    with sender, receiver, answers:
        sender.send(Job(1, reply), move=True)
        assert reply.closed
        arrived = receiver.recv().reply
        assert arrived is not None
        with arrived:
            arrived.send("fine")
        assert answers.recv() == "fine"


def test_a_message_that_is_not_decoded_is_lost_and_its_handles_closed(make_channel: MakeChannel) -> None:
    """The error is that of `decode`, and the channel goes on."""
    (sender, receiver), (reply, answers) = make_channel(), make_channel()
    receiver.decode = decode
    for receive in (receiver.recv, receiver.try_recv, receiver.recv_message, lambda: receiver.recv(PATIENCE)):
        sender.send(["one", {"reply": [reply]}])
        with pytest.raises(TypeError, match="'one' is not a number"):
            receive()
    reply.close()
    with pytest.raises(Disconnected):
        answers.recv(PATIENCE)
    sender.send([1, None])
    assert receiver.recv() == Job(1)


def test_a_message_that_is_not_encoded_is_not_sent(make_channel: MakeChannel) -> None:
    """The error is that of `encode`; of many, those before it were sent."""
    sender, receiver = make_channel()
    sender.encode = lambda number: 10 // number
    with pytest.raises(ZeroDivisionError):
        sender.send(0)
    with pytest.raises(ZeroDivisionError):
        sender.send_many([1, 2, 0, 5])
    assert [receiver.recv(), receiver.recv()] == [10, 5]
    sender.encode = None
    sender.send(0)
    assert receiver.recv() == 0


def test_hooks_that_are_assigned_hold_from_then_on(make_channel: MakeChannel) -> None:
    """Also for what was read ahead, and while the descriptor is given out."""
    sender, receiver = make_channel()
    sender.send_many([1, 2, 3, 4])
    assert receiver.recv() == 1
    receiver.decode = str
    assert receiver.recv() == "2"
    receiver.fileno()
    assert receiver.recv() == "3"
    receiver.decode = None
    assert receiver.recv() == 4


def test_a_set_gives_decoded_messages(make_channel: MakeChannel) -> None:
    """An error of `decode` comes out of select, and what came beside it out of the next."""
    (first, first_end), (second, second_end) = make_channel(), make_channel()
    first_end.decode, second_end.decode = str, decode
    with ReceiverSet() as several:
        one, other = several.add(first_end), several.add(second_end)
        first.send(1)
        assert several.select(PATIENCE) == [Arrived(one, "1")]
        first.send_many([2, 3])
        assert several.select(PATIENCE) == [Arrived(one, "2"), Arrived(one, "3")]
        second.send(["x", None])
        with pytest.raises(TypeError, match="is not a number"):
            several.select(PATIENCE)
        second.send([5, None])
        assert several.select(PATIENCE) == [Arrived(other, Job(5))]


def test_a_copy_has_the_hook(make_channel: MakeChannel) -> None:
    """Cloned and copied; an end that travels is an ordinary one where it arrives."""
    sender, receiver = make_channel()
    sender.encode = str
    with sender.clone() as one, copy.copy(sender) as other:
        one.send(1)
        other.send(2)
    assert [receiver.recv(), receiver.recv()] == ["1", "2"]
    sender.encode = None
    sender.send(sender)
    with receiver.recv() as arrived:
        assert arrived.encode is None


def test_typed_from_the_first_message_on() -> None:
    """`connect(encode=…)` and `accept(decode=…)`."""
    with OneShotServer() as server, connect(server.name, encode=encode) as client:
        client.send(Job(1))
        receiver, first = server.accept(PATIENCE, decode=decode)
        with receiver:
            assert_type(first, Job)
            assert first == Job(1)
            client.send(Job(2))
            assert receiver.recv() == Job(2)


def test_typed_in_asyncio() -> None:
    """The same, of `aio.channel` and `aio.accept`, at once and in turn."""

    async def main() -> None:
        sender, receiver = aio.channel(encode=encode, decode=read)
        async with sender, receiver:
            sending = [asyncio.ensure_future(sender.send(Job(number))) for number in range(120)]
            assert [await receiver.recv() for _ in sending] == [Job(number) for number in range(120)]
            await asyncio.gather(*sending)
            await sender.send_many([Job(1), Job(2)])
            assert await receiver.recv() == Job(1)
            assert receiver.try_recv() == Job(2)
            await sender.send(Job(3))
            assert await receiver.recv_message() == Message(Job(3), b"\x92\x03\xc0")
            await sender.send(Job(4))
            async for job in receiver:
                assert job == Job(4)
                break
        with OneShotServer() as server, connect(server.name) as client:
            client.send([7, None])
            connection, first = await aio.accept(server, PATIENCE, decode=read)
            async with connection:
                assert_type(first, Job)
                assert first == Job(7)

    asyncio.run(main())


def test_a_typed_child() -> None:
    """`spawn(encode=…, decode=…)`; "quit" is sent as it is, and what comes after it is not decoded."""
    code = (
        "from tui_ipc.child import serve; import sys; sys.exit(serve(lambda message: [message[0] * 2, None]))"
    )
    command = [sys.executable, "-c", code]
    with spawn(command, encode=encode, decode=decode, timeout=PATIENCE) as (child, to_child, from_child):
        assert_type(to_child, Sender[Job])
        to_child.send(Job(21))
        assert from_child.recv(PATIENCE) == Job(42)
        to_child.encode = None
        to_child.send(("not a number",))  # type: ignore[arg-type]
    assert child.returncode == 0


def test_what_type_checkers_are_told(make_channel: MakeChannel) -> None:
    """A sender takes less special messages, a receiver gives more special ones; mypy reads this test."""
    sender, receiver = channel(encode=encode, decode=decode)
    with sender, receiver:
        assert_type(sender, Sender[Job])
        assert_type(receiver, Receiver[Job])
        wide: Receiver[object] = receiver
        narrow: Receiver[bool] = receiver  # type: ignore[assignment]
        takes_anything: Sender[object] = make_channel()[0]
        takes_jobs: Sender[Job] = takes_anything
        takes_anything = sender  # type: ignore[assignment]
        sender.send(Job(1))
        assert_type(receiver.recv(), Job)
        assert receiver.decode is decode
        wide.close()
        narrow.close()
        assert sender is takes_anything
        takes_jobs.close()


def test_an_endpoint_is_an_ordinary_error_s_origin() -> None:
    """A decoder that raises an error of ours is not taken for a broken channel."""

    def refuse(_value: object) -> object:
        raise IpcError("refused")

    sender, receiver = channel(decode=refuse)
    with sender, receiver:
        for _ in range(2):
            sender.send(os.getpid())
            with pytest.raises(IpcError, match="refused"):
                receiver.recv()
