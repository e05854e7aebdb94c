"""What the tests of channels share: both socket types, and endpoints that are closed afterwards."""

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tui_ipc import Receiver, Sender, channel

Pair = tuple[Sender[Any], Receiver[Any]]
MakeChannel = Callable[..., Pair]


@pytest.fixture(params=[socket.SOCK_SEQPACKET, socket.SOCK_STREAM], ids=["packets", "stream"])
def kind(request: pytest.FixtureRequest) -> int:
    """The socket type of a channel: whatever is promised of channels holds for both."""
    chosen: int = request.param
    return chosen


@pytest.fixture
def make_channel(kind: int) -> Iterator[MakeChannel]:
    """Makes channels of the socket type under test; both ends are closed after the test."""
    with ExitStack() as stack:

        def make(*arguments: int) -> Pair:
            sender, receiver = channel(*arguments, kind=kind)
            stack.enter_context(sender)
            stack.enter_context(receiver)
            return sender, receiver

        yield make


@pytest.fixture
def ends(make_channel: MakeChannel) -> Pair:
    """A channel of the socket type under test."""
    return make_channel()
