"""What the tests of channels share: endpoints that are closed afterwards."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.support.event_loops import AioPair
from tui_ipc import Receiver, Sender, channel
from tui_ipc.ipc import aio
from tui_ipc.ipc.channel import answering

Pair = tuple[Sender[Any], Receiver[Any]]
MakeChannel = Callable[..., Pair]


@pytest.fixture
def make_channel() -> Iterator[MakeChannel]:
    """Makes channels; both ends are closed after the test."""
    with ExitStack() as stack:

        def make(*arguments: int) -> Pair:
            sender, receiver = channel(*arguments)
            stack.enter_context(sender)
            stack.enter_context(receiver)
            return sender, receiver

        yield make


@pytest.fixture
def ends(make_channel: MakeChannel) -> Pair:
    """A channel."""
    return make_channel()


@pytest.fixture
def aio_ends(make_channel: MakeChannel) -> Iterator[AioPair]:
    """A channel for asyncio."""
    sender, receiver = make_channel()
    with aio.Sender(sender) as aio_sender, aio.Receiver(receiver) as aio_receiver:
        yield aio_sender, aio_receiver


@contextmanager
def inline_ends() -> Iterator[AioPair]:
    """One direction of a connection that carries both, and no handles; for asyncio."""
    left, right = (Receiver[Any](one) for one in socket.socketpair())
    with left, right, aio.Sender(answering(left)) as sender, aio.Receiver(right) as receiver:
        yield sender, receiver


@pytest.fixture
def aio_inline() -> Iterator[AioPair]:
    """One direction of a connection that carries both, and no handles; for asyncio."""
    with inline_ends() as found:
        yield found


@pytest.fixture(params=["inline", "channel"])
def aio_either(request: pytest.FixtureRequest) -> Iterator[AioPair]:
    """A channel, or one direction of an inline connection; for asyncio."""
    if request.param == "inline":
        with inline_ends() as found:
            yield found
        return
    sender, receiver = channel()
    with aio.Sender(sender) as aio_sender, aio.Receiver(receiver) as aio_receiver:
        yield aio_sender, aio_receiver
