"""The body of a large message: what a single look at a stream that gives little at a time finds."""

import itertools
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tui_ipc import ProtocolError
from tui_ipc.ipc import body as module
from tui_ipc.ipc import sockets
from tui_ipc.ipc.body import DRY, GIVEN_UP, MORE, READS_IN_A_ROW, WHOLE, Body
from tui_ipc.ipc.builder import Builder
from tui_ipc.ipc.wire import Large, encode


class Trickle:
    """The system calls that a body reads with, on a stream that always has one byte more."""

    def __init__(self, content: Iterator[int]) -> None:
        self._content = content

    def read(self, _descriptor: int, size: int) -> bytes:
        return bytes(itertools.islice(self._content, min(size, 1)))

    def readv(self, _descriptor: int, buffers: tuple[memoryview]) -> int:
        piece = self.read(0, len(buffers[0]))
        buffers[0][: len(piece)] = piece
        return len(piece)


@pytest.fixture
def stream() -> Iterator[tuple[int, int]]:
    """A pipe: the end to read from, which its body closes, and the one to write to."""
    reading, writing = os.pipe()
    yield reading, writing
    os.close(writing)


def body_of(size: int, reading: int) -> Body:
    return Body(Large(size, [reading]), Builder(_nothing, os.close))


def _nothing(*_: object) -> Any:
    raise AssertionError("there are no handles here")


def test_a_body_that_always_has_one_byte_more_does_not_hold_its_reader(
    stream: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many reads the caller gets to look at its deadline."""
    content = itertools.count()
    body = body_of(10**6, stream[0])
    with monkeypatch.context() as patch:
        patch.setattr(module, "os", Trickle(number % 128 for number in content))
        for turn in (1, 2):
            assert body.read() == MORE
            assert next(content) == turn * READS_IN_A_ROW + turn - 1
    body.close()


@pytest.mark.parametrize("size", [READS_IN_A_ROW - 1, READS_IN_A_ROW])
@pytest.mark.parametrize("message", [b"x", "x"], ids=["bytes", "str"])
def test_a_body_that_is_whole_is_not_waited_for(
    stream: tuple[int, int], monkeypatch: pytest.MonkeyPatch, size: int, message: Any
) -> None:
    """Also where its last byte came with the last of these reads: nothing may ever follow it."""
    data = encode(message * (size - 2))
    body = body_of(len(data), stream[0])
    with monkeypatch.context() as patch:
        patch.setattr(module, "os", Trickle(iter(data)))
        assert body.read() == WHOLE
    assert encode(body.value()) == body.raw() == data
    body.close()


@pytest.mark.parametrize("size", [1, 4, 5, 6, 100, 70_000, 300_000, 3_000_000])
@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_body_in_pieces(stream: tuple[int, int], size: int, pieces: int) -> None:
    """Of every size and however it is cut: the same value and the same bytes."""
    reading, writing = stream
    for data in (encode("x" * size), b"\xc6" + size.to_bytes(4, "big") + bytes(size), encode(size)):
        body = body_of(len(data), os.dup(reading))
        found = DRY
        cuts = sorted({len(data) * number // pieces for number in range(pieces + 1)})
        for start, end in itertools.pairwise(cuts):
            for begin in range(start, end, 65_536):
                assert body.read() == DRY
                os.write(writing, data[begin : min(end, begin + 65_536)])
                found = body.read()
        assert found == WHOLE
        assert body.raw() == data
        assert encode(body.value()) == encode(Builder(_nothing, os.close).build(data))
        body.close()
    os.close(reading)


def test_a_body_of_which_a_read_brings_less_than_there_is() -> None:
    """A read ends behind a piece that descriptors came with, which a peer may send for no reason."""
    data = encode("x" * 1000)
    reading, writing = socket.socketpair()
    with writing:
        writing.sendall(data[:100])
        writing.sendmsg([data[100:300]], sockets.rights([writing.fileno()]))
        writing.sendall(data[300:])
        body = body_of(len(data), reading.detach())
        assert body.read() == WHOLE
        assert body.raw() == data
        body.close()


def test_a_body_that_ends_early_is_given_up(stream: tuple[int, int]) -> None:
    """And says how much of it came, its announcement included."""
    reading, writing = os.pipe()
    body = body_of(100, reading)
    os.write(writing, b"only")
    assert body.read() == DRY
    os.close(writing)
    assert body.read() == GIVEN_UP
    assert body.received() == len("only") + 11
    body.close()
    os.close(stream[0])


def test_what_is_no_stream_is_refused() -> None:
    """Before anything is read; its descriptors are closed."""
    descriptor = os.memfd_create("no stream")
    with pytest.raises(ProtocolError, match="announced with a descriptor that is not a stream"):
        body_of(100, descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
