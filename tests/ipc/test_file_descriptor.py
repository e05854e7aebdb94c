"""Open files as values of messages: each holder closes its own, and what nobody takes is closed."""

import asyncio
import copy
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.raw_wire import send_packet
from tests.support.threads import PATIENCE
from tui_ipc import Closed, Disconnected, FileDescriptor, ProtocolError, aio
from tui_ipc.ipc.wire import encode


@pytest.fixture
def pipe() -> Iterator[tuple[Any, FileDescriptor]]:
    """The reading end of a pipe as a file, and its writing end as a handle, with no other."""
    reading, writing = os.pipe()
    with open(reading, "rb") as file, FileDescriptor(writing) as handle:
        os.close(writing)
        yield file, handle


@pytest.mark.parametrize("size", [0, 100_000], ids=["short message", "large message"])
def test_it_arrives_as_a_descriptor_of_its_own(
    ends: Pair, pipe: tuple[Any, FileDescriptor], size: int
) -> None:
    """Close-on-exec, of the same open file; the sender's stays open."""
    (sender, receiver), (file, handle) = ends, pipe
    sender.send({"log": [handle, handle], "more": "x" * size})
    message = receiver.recv(PATIENCE)
    arrived = message["log"][0]
    assert message["log"][1] is arrived
    assert type(arrived) is FileDescriptor
    assert arrived.fileno() != handle.fileno()
    assert not os.get_inheritable(arrived.fileno())
    os.write(handle.fileno(), b"from here, ")
    handle.close()
    with arrived:
        os.write(arrived.fileno(), b"from there")
    assert file.read() == b"from here, from there"


def test_it_moves(ends: Pair, pipe: tuple[Any, FileDescriptor]) -> None:
    """With `move=True` it is closed here once the message has left."""
    (sender, receiver), (file, handle) = ends, pipe
    sender.send(handle, move=True)
    assert handle.closed
    with open(receiver.recv().detach(), "wb") as there:
        there.write(b"hello")
    assert file.read() == b"hello"


def test_the_descriptor_is_taken_out(pipe: tuple[Any, FileDescriptor]) -> None:
    """`detach` gives the number away: to a file, or a socket."""
    left, right = socket.socketpair()
    with left, right:
        handle = FileDescriptor(left)
        number = handle.fileno()
        with socket.socket(fileno=handle.detach()) as other:
            assert other.fileno() == number
            other.sendall(b"hello")
        assert right.recv(5) == b"hello"
    assert handle.closed
    assert repr(handle) == "<FileDescriptor closed>"


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_is_closed_on_its_own(
    pipe: tuple[Any, FileDescriptor], duplicate: Callable[[Any], FileDescriptor]
) -> None:
    """And is no more inherited than the first."""
    with duplicate(pipe[1]) as other:
        assert other.fileno() != pipe[1].fileno()
        assert not os.get_inheritable(other.fileno())
    assert not pipe[1].closed


def test_once_closed_it_says_so(ends: Pair, pipe: tuple[Any, FileDescriptor]) -> None:
    """To every use; closing it twice is harmless."""
    handle = pipe[1]
    assert repr(handle) == f"<FileDescriptor {handle.fileno()}>"
    handle.close()
    handle.close()
    uses: list[Callable[[], object]] = [
        handle.fileno,
        handle.detach,
        lambda: copy.copy(handle),
        lambda: ends[0].send(handle),
    ]
    for use in uses:
        with pytest.raises(Closed, match="this FileDescriptor was closed"):
            use()
    with pytest.raises(OSError, match="Bad file descriptor"):
        FileDescriptor(2**20)


def test_dropping_it_closes_it(pipe: tuple[Any, FileDescriptor]) -> None:
    """With a warning."""
    other = FileDescriptor(pipe[1])
    with pytest.warns(ResourceWarning, match="unclosed <FileDescriptor "):
        del other
    pipe[1].close()
    assert pipe[0].read() == b""


def test_what_nobody_receives_is_closed(make_channel: MakeChannel, pipe: tuple[Any, FileDescriptor]) -> None:
    """With its message."""
    sender, receiver = make_channel()
    sender.send(pipe[1], move=True)
    receiver.close()
    assert pipe[0].read() == b""


def test_a_failed_send_leaves_it_with_you(
    make_channel: MakeChannel, pipe: tuple[Any, FileDescriptor]
) -> None:
    """Also where it was to move."""
    sender, receiver = make_channel()
    receiver.close()
    with pytest.raises(Disconnected):
        sender.send(pipe[1], move=True)
    assert not pipe[1].closed


def test_in_asyncio(pipe: tuple[Any, FileDescriptor]) -> None:
    """The same value."""

    async def main() -> Any:
        sender, receiver = aio.channel()
        async with sender, receiver:
            await sender.send([pipe[1]], move=True)
            return (await receiver.recv())[0]

    with asyncio.run(main()) as handle:
        os.write(handle.fileno(), b"hello")
    assert pipe[0].read() == b"hello"


def test_a_socket_of_a_channel_travels_as_a_file(make_channel: MakeChannel) -> None:
    """Whatever is open: nothing is asked of it."""
    (sender, receiver), (other, other_receiver) = make_channel(), make_channel()
    with FileDescriptor(other) as handle:
        sender.send(handle)
    with receiver.recv() as arrived, socket.socket(fileno=os.dup(arrived.fileno())) as sock:
        sock.sendall(encode("by hand"))
    assert other_receiver.recv(PATIENCE) == "by hand"


def test_an_open_file_itself_is_refused_with_the_remedy(ends: Pair, pipe: tuple[Any, FileDescriptor]) -> None:
    """It might be closed while the message is under way; a handle of it is the sender's own."""
    with pytest.raises(TypeError, match=r"SharedMemory and FileDescriptor; send a FileDescriptor of it$"):
        ends[0].send(pipe[0])


def test_a_peer_that_adds_something(ends: Pair, pipe: tuple[Any, FileDescriptor]) -> None:
    """The index is all that it says on the wire."""
    sender, receiver = ends
    send_packet(sender, b"\xd5\x05\x00\x07", [pipe[1].fileno()])
    pipe[1].close()
    with pytest.raises(ProtocolError, match="1 bytes follow the index of a descriptor"):
        receiver.recv(PATIENCE)
    assert pipe[0].read() == b""
