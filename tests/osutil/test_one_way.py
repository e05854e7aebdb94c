"""Streams made for one message: what they hold, and that no signal comes of a reader that is gone."""

import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import F_SETPIPE_SZ, fcntl

import pytest

from tui_ipc.osutil import one_way


@contextmanager
def stream(size: int) -> Iterator[tuple[int, int]]:
    """A stream for so many bytes; both ends are closed afterwards, unless the test did."""
    ends = one_way.open_stream(size)
    try:
        yield ends
    finally:
        for end in ends:
            try:
                os.close(end)
            except OSError:
                pass


@pytest.mark.parametrize("size", [1, 40_000, 65_536, 65_541, 200_000, 262_144])
def test_a_short_body_is_held_whole(size: int) -> None:
    """So that it can be written before its reader knows of it."""
    with stream(size) as (reading, writing):
        assert one_way.write(writing, [memoryview(bytes(5)), memoryview(bytes(size - min(5, size)))]) >= size
        got = 0
        while got < size:
            got += len(os.read(reading, size))


@pytest.mark.parametrize("size", [262_145, 5_000_000])
def test_of_a_long_one_as_much_as_fits(size: int) -> None:
    """Then the writer is told to wait."""
    with stream(size) as (reading, writing):
        sent = one_way.write(writing, [memoryview(bytes(size))])
        assert sent > 128 * 1024
        if sent == size:
            assert size < 300_000
        else:
            with pytest.raises(BlockingIOError):
                one_way.write(writing, [memoryview(bytes(size - sent))])
        assert os.get_blocking(reading)


def test_pipes_that_may_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has as many pages in pipes as allowed: the writer waits, and nothing else."""

    def refuse(descriptor: int, command: int, argument: int = 0) -> int:
        if command == F_SETPIPE_SZ:
            raise PermissionError
        return fcntl(descriptor, command, argument)

    monkeypatch.setattr(one_way, "fcntl", refuse)
    with stream(100_000) as (_, writing):
        assert one_way.write(writing, [memoryview(bytes(100_000))]) == 65_536
        with pytest.raises(BlockingIOError):
            one_way.write(writing, [memoryview(bytes(1))])


@pytest.mark.parametrize("size", [1000, 1_000_000], ids=["pipe", "socket pair"])
@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL], ids=["ignored", "deadly"])
def test_a_reader_that_is_gone_is_an_error_and_no_signal(size: int, handler: signal.Handlers) -> None:
    """Also where the program wants to be ended by SIGPIPE, and in a thread."""
    before = signal.signal(signal.SIGPIPE, handler)
    outcome: list[BaseException] = []

    def write() -> None:
        with stream(size) as (reading, writing):
            os.close(reading)
            try:
                one_way.write(writing, [memoryview(b"x")])
            except OSError as error:
                outcome.append(error)

    try:
        write()
        thread = threading.Thread(target=write)
        thread.start()
        thread.join()
        assert signal.SIGPIPE not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        assert signal.SIGPIPE not in signal.sigpending()
    finally:
        signal.signal(signal.SIGPIPE, before)
    assert [type(error) for error in outcome] == [BrokenPipeError] * 2


def test_what_may_be_one_and_what_may_not() -> None:
    """A pipe, or a Unix stream socket; no file, no other socket."""
    with stream(10) as pipe, stream(10**6) as pair:
        assert all(map(one_way.is_stream, (*pipe, *pair)))
    memory = os.memfd_create("no stream")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams, socket.socket() as internet:
        for descriptor in (memory, datagrams.fileno(), internet.fileno()):
            assert not one_way.is_stream(descriptor)
    os.close(memory)
