"""What Python users do with objects: a handle that is copied or pickled is duplicated or refused, and never
shares its number.
"""

import copy
import os
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair, inline_ends
from tests.support.ipc_programs import outcome, running
from tui_ipc import Disconnected, OneShotServer, ReceiverSet, SharedMemory
from tui_ipc.ipc import aio

COPIES: list[Callable[[Any], Any]] = [copy.copy, copy.deepcopy]


@pytest.mark.parametrize("duplicate", COPIES)
def test_a_copied_sender_is_closed_on_its_own(ends: Pair, duplicate: Callable[[Any], Any]) -> None:
    """It sends into the same channel, with the same limit, and the channel ends with the last of them."""
    sender, receiver = ends
    sender.max_message_size = 1000
    with duplicate(sender) as other:
        assert other.fileno() != sender.fileno()
        assert other.max_message_size == 1000
        other.send("the copy's")
        sender.close()
        other.send("still open")
    assert list(receiver) == ["the copy's", "still open"]


@pytest.mark.parametrize("duplicate", COPIES)
def test_a_copied_asyncio_sender_is_one(ends: Pair, duplicate: Callable[[Any], Any]) -> None:
    """And has a descriptor of its own."""
    with aio.Sender(ends[0]) as sender, duplicate(sender) as other:
        assert type(other) is aio.Sender
        assert other.fileno() != sender.fileno()


@pytest.mark.parametrize("duplicate", COPIES)
def test_a_copied_shared_memory_is_closed_on_its_own(duplicate: Callable[[Any], Any]) -> None:
    """`copy.deepcopy` of a SharedMemory: closing the copy closes nobody else's file."""
    with SharedMemory(b"content") as memory:
        other = duplicate(memory)
        assert not os.get_inheritable(other.fileno())
        descriptor = other.fileno()
        assert descriptor != memory.fileno()
        other.close()
        stranger = os.open("/dev/null", os.O_RDONLY)
        try:
            other.close()
            os.fstat(stranger)
        finally:
            os.close(stranger)
        assert bytes(memory) == b"content"


def test_a_dataclass_that_holds_handles_as_a_dict(ends: Pair) -> None:
    """`dataclasses.asdict` copies: the handles in the dict are the caller's to close."""

    @dataclass
    class Job:
        reply: Any
        picture: Any

    sender, receiver = ends
    with SharedMemory(b"content") as memory:
        made = asdict(Job(sender, [memory]))
        with made["reply"] as reply, made["picture"][0] as picture:
            sender.close()
            reply.send(bytes(picture))
    assert receiver.recv() == b"content"
    with pytest.raises(Disconnected):
        receiver.recv()


@pytest.mark.parametrize("duplicate", COPIES)
def test_what_there_is_one_of_is_not_copied(
    make_channel: MakeChannel, duplicate: Callable[[Any], Any]
) -> None:
    """A receiver, a set, a server, an inline sender: each says why, and goes on."""
    (sender, receiver), (_, other) = make_channel(), make_channel()
    with OneShotServer() as server, ReceiverSet() as several, aio.Receiver(other) as for_asyncio:
        for item, error in (
            (receiver, "a channel has one receiver; send it in a message to move it"),
            (for_asyncio, "a channel has one receiver; send it in a message to move it"),
            (several, "pass on its receivers"),
            (server, "pass on its name"),
        ):
            with pytest.raises(TypeError, match=error):
                duplicate(item)
        with inline_ends() as (inline, _), pytest.raises(ValueError, match="cannot be cloned"):
            duplicate(inline)
    sender.send("goes on")
    assert receiver.recv() == "goes on"


def test_bytes_carry_no_descriptor(make_channel: MakeChannel) -> None:
    """`pickle.dumps` of whatever has a descriptor: one clear TypeError, multiprocessing loaded or not."""
    import multiprocessing.reduction  # noqa: F401 - loaded is enough

    (sender, receiver), (one, other) = make_channel(), make_channel()
    with (
        SharedMemory(b"content") as memory,
        OneShotServer() as server,
        ReceiverSet() as several,
        aio.Sender(one) as aio_sender,
        aio.Receiver(other) as aio_receiver,
    ):
        for handle in (sender, receiver, memory, aio_sender, aio_receiver):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                with pytest.raises(TypeError, match="which bytes cannot carry: send it in a message"):
                    pickle.dumps({"in": [handle]}, protocol)
        for item in (server, several):
            with pytest.raises(TypeError, match="cannot be pickled: it belongs to the process that made it"):
                pickle.dumps(item)


@pytest.mark.parametrize("method", ["spawn", "forkserver", "fork"])
def test_a_handle_as_an_argument_of_a_process_and_of_a_pool(method: str) -> None:
    """Under spawn, fork and forkserver, and of a pool's task: it arrives with a descriptor of its own."""
    with running("multiprocesses", method) as process:
        assert outcome(process) == (
            0,
            "started hello b'content' 1000\n"
            + 3 * "pool: False False False False\n"
            + "executor: False False False False\nasyncio: True from asyncio's\n",
            "",
        )


def test_a_closed_handle_is_not_pickled() -> None:
    """Nor a receiver that has read ahead: what may not travel in a message may not travel so either."""
    from multiprocessing.reduction import ForkingPickler

    from tui_ipc import Closed, channel

    sender, receiver = channel()
    with receiver:
        with sender:
            sender.send_many([1, 2])
        assert receiver.recv() == 1
        with pytest.raises(ValueError, match="read 1 bytes of messages ahead"):
            ForkingPickler.dumps(receiver)
    for handle in (sender, receiver):
        with pytest.raises(Closed):
            ForkingPickler.dumps(handle)
