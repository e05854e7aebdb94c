"""The body of a large message: what a single read does with a stream that gives little at a time."""

import itertools
import socket
from collections.abc import Iterator
from typing import Any, cast

import pytest

from tui_ipc.ipc import sockets
from tui_ipc.ipc.body import READS_IN_A_ROW, Body
from tui_ipc.ipc.builder import Builder
from tui_ipc.ipc.wire import Large, encode


class Trickle:
    """A stream that always has one byte more."""

    def __init__(self, content: Iterator[int]) -> None:
        self._content = content

    def recv(self, size: int, flags: int) -> bytes:
        return bytes(itertools.islice(self._content, min(size, 1)))


def trickling(size: int, content: Iterator[int]) -> Body:
    """A body whose bytes come one by one, and always at once."""
    stream, other = socket.socketpair()
    with stream, other:
        body = Body(Large(size, [stream.fileno()]), Builder(_nothing, _nothing))
        body._stream.detach()
    body._stream = cast(socket.socket, Trickle(content))
    return body


def _nothing(*_: object) -> Any:
    raise AssertionError("there are no descriptors here")


def test_a_body_that_always_has_one_byte_more_does_not_hold_its_reader() -> None:
    """After so many reads the caller gets to look at its deadline."""
    content = itertools.count()
    body = trickling(10**6, (number % 128 for number in content))
    for turn in (1, 2):
        with pytest.raises(BlockingIOError):
            body.read(sockets.NONBLOCKING)
        assert next(content) == turn * READS_IN_A_ROW + turn - 1


@pytest.mark.parametrize("size", [READS_IN_A_ROW - 1, READS_IN_A_ROW])
def test_a_body_that_is_whole_is_not_waited_for(size: int) -> None:
    """Also where its last byte came with the last of these reads: nothing may ever follow it."""
    message = encode(b"x" * (size - 2))
    body = trickling(len(message), iter(message))
    assert body.read(sockets.NONBLOCKING)
    assert encode(body.value()) == body.raw() == message


def test_a_body_that_ends_early_is_given_up() -> None:
    """And says how much of it came, its announcement included."""
    body = trickling(100, iter(b"only"))
    assert not body.read(sockets.NONBLOCKING)
    assert body.arrived() == len("only") + 11
