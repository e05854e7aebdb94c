"""Shared memory: sent without a copy, never changed once seen, freed when the last holder lets go."""

import copy
import fcntl
import mmap
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.ipc_programs import outcome, running
from tests.support.raw_wire import send_packet
from tests.support.threads import PATIENCE
from tui_ipc import Closed, Disconnected, IpcError, OneShotServer, ProtocolError, SharedMemory, channel
from tui_ipc.ipc import shared_memory


def holders(inode: int) -> int:
    """How many descriptors and maps of all processes hold a memory file, by its inode."""
    found = 0
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # another user's, or gone
            maps = (process / "maps").read_text(encoding="utf-8", errors="replace").splitlines()
            found += sum(line.split()[4] == str(inode) and "memfd:tui-ipc" in line for line in maps)
            found += sum(is_memory_file(link, inode) for link in (process / "fd").iterdir())
    return found


def is_memory_file(link: Path, inode: int) -> bool:
    """Whether a descriptor, as /proc shows it, is of one of our memory files."""
    with suppress(OSError):
        return "memfd:tui-ipc" in os.readlink(link) and link.stat().st_ino == inode
    return False


# ----------------------------------------------------------------------------------------------- Sent, equal


@pytest.mark.parametrize("content", [b"x", b"\x00\xff" * 5000, os.urandom(3_000_001)], ids=len)
def test_sent_and_equal(ends: Pair, content: bytes) -> None:
    """Sent, equal: what arrives is what was put in, of the same length, in any kind of buffer."""
    sender, receiver = ends
    with SharedMemory(content) as memory:
        sender.send(memory)
    with receiver.recv(PATIENCE) as got:
        assert isinstance(got, SharedMemory)
        assert len(got) == len(content)
        assert bytes(got) == content
        assert got.view == content
        assert got.view is got.view, "a second look maps it again"


def test_empty(ends: Pair) -> None:
    """Empty: a memory of no bytes is sent and arrives like any other."""
    sender, receiver = ends
    with SharedMemory(b"") as memory:
        sender.send({"nothing": memory})
        assert (len(memory), bytes(memory)) == (0, b"")
    with receiver.recv(PATIENCE)["nothing"] as got:
        assert (len(got), bytes(got), got.view.readonly) == (0, b"", True)


@given(st.binary(max_size=10_000))
def test_any_content(content: bytes) -> None:
    """Sent, equal: for all content; its copy is taken when it is made, so that the buffer is free to
    change.
    """
    buffer = bytearray(content)
    sender, receiver = channel()
    with sender, receiver, SharedMemory(buffer) as memory:
        buffer[:] = b"\x00" * len(buffer)
        sender.send(memory)
        with receiver.recv(PATIENCE) as got:
            assert bytes(got) == bytes(memory) == content


def test_any_contiguous_buffer() -> None:
    """What it is made of may be any contiguous buffer, and its length counts bytes; others are refused."""
    with SharedMemory(memoryview(b"\x01\x00\x02\x00").cast("H")) as memory:
        assert (len(memory), bytes(memory)) == (4, b"\x01\x00\x02\x00")
    with pytest.raises(
        TypeError, match=r"^a shared memory cannot copy this memoryview .*; give its tobytes\(\)$"
    ):
        SharedMemory(memoryview(b"abcdef")[::2])
    layouts: list[Any] = [np.zeros((2, 3)).T, np.zeros(6)[::2], np.zeros(3, dtype="M8[s]")]
    for layout in layouts:
        with pytest.raises(TypeError, match=r"cannot copy this ndarray .*; give its tobytes\(\)$"):
            SharedMemory(layout)
    wrong: Any = "text"
    with pytest.raises(TypeError, match=r"^a shared memory cannot copy this str as it is \("):
        SharedMemory(wrong)


def test_sent_several_times_and_onwards(make_channel: MakeChannel) -> None:
    """Sending duplicates it: each arrival is a holder of its own, and a holder may send it on."""
    (first, receiver), (second, onward) = make_channel(), make_channel()
    with SharedMemory(b"content") as memory:
        first.send([memory, memory])
        one, same = receiver.recv(PATIENCE)
        assert one is same
        with one:
            second.send(one)
        assert bytes(memory) == b"content"
    with onward.recv(PATIENCE) as last:
        assert bytes(last) == b"content"


# ------------------------------------------------------------------------------------------ Nobody writes it


def test_a_receiver_cannot_write_it() -> None:
    """A receiver cannot write it: a second process tries every way there is, and the content stays."""
    content = b"not to be changed" * 1000
    with (
        OneShotServer() as server,
        running("spoils", server.name) as process,
        SharedMemory(content) as memory,
    ):
        teller, to_process = server.accept(PATIENCE, process)
        with teller, to_process:
            to_process.send(memory)
            told = teller.recv(PATIENCE)
        assert outcome(process) == (0, "", "")
        assert set(told["results"].values()) == {"PermissionError", "TypeError"}, told["results"]
        assert len(told["results"]) == 7
        assert told["before"] == told["after"] == bytes(memory) == content


def test_the_sender_cannot_change_it_after_sending() -> None:
    """The sender cannot change it after sending, nor before: it is sealed before anyone sees it."""
    with SharedMemory(b"content") as memory:
        view: Any = memory.view
        descriptor = memory.fileno()
        attempts: list[Callable[[], object]] = [
            lambda: view.__setitem__(0, 0),
            lambda: os.pwrite(descriptor, b"x", 0),
            lambda: os.ftruncate(descriptor, 3),
            lambda: os.ftruncate(descriptor, 8),
            lambda: mmap.mmap(descriptor, 7, mmap.MAP_SHARED, mmap.PROT_WRITE),
            lambda: fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, 0),
        ]
        for attempt in attempts:
            with pytest.raises((PermissionError, TypeError)):
                attempt()
        assert bytes(memory) == b"content"


# ----------------------------------------------------------------------------------------------------- Freed


def test_freed_when_the_last_holder_lets_go(make_channel: MakeChannel) -> None:
    """Freed when the last holder lets go: its maker, its receiver, a view, each alone keeps it."""
    sender, receiver = make_channel()
    memory = SharedMemory(b"content")
    inode = os.fstat(memory.fileno()).st_ino
    sender.send(memory)
    memory.close()
    assert holders(inode) == 0  # in flight: the message in the channel holds it
    got = receiver.recv(PATIENCE)
    assert holders(inode) == 1
    view = got.view
    got.close()
    assert view == b"content"
    assert holders(inode) > 0
    view.release()
    del view
    assert holders(inode) == 0


def test_dropping_it_closes_it() -> None:
    """Dropping the last reference closes it, with a warning; closing it twice is harmless."""
    memory = SharedMemory(b"content")
    descriptor = memory.fileno()
    assert repr(memory) == "<SharedMemory 7 bytes>"
    with pytest.warns(ResourceWarning, match="unclosed <SharedMemory 7 bytes>"):
        del memory
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(descriptor)
    with SharedMemory(b"content") as again:
        again.close()
    assert repr(again) == "<SharedMemory closed>"


def test_closed(ends: Pair) -> None:
    """Once closed it says so, to a look and to a send; its length is still known."""
    sender, _ = ends
    memory = SharedMemory(b"content")
    memory.close()
    assert len(memory) == 7
    for use in (lambda: memory.view, lambda: bytes(memory), memory.fileno, lambda: sender.send(memory)):
        with pytest.raises(Closed, match="this SharedMemory was closed"):
            use()


def test_it_is_not_inherited() -> None:
    """Descriptors are never inherited by a child that was not given them."""
    with SharedMemory(b"content") as memory:
        assert not os.get_inheritable(memory.fileno())
        listing = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, check=True)
        assert "memfd:tui-ipc" not in listing.stdout


# ------------------------------------------------------------------------------------------- Hostile senders


def memory_file(content: bytes, seals: int) -> int:
    """A memory file as a peer might make one."""
    descriptor = os.memfd_create("theirs", os.MFD_ALLOW_SEALING)
    os.write(descriptor, content)
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


ALL = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW


@pytest.mark.parametrize("missing", [fcntl.F_SEAL_WRITE, fcntl.F_SEAL_SHRINK, fcntl.F_SEAL_GROW])
def test_a_peer_that_leaves_out_a_seal(ends: Pair, missing: int) -> None:
    """A peer could change or cut off what is not sealed: it is refused, each seal."""
    refused(ends, memory_file(b"content", ALL & ~missing), 7, "without the seals")


@pytest.mark.parametrize("size", [0, 6, 8, 2**60])
def test_a_peer_that_lies_about_the_size(ends: Pair, size: int) -> None:
    """A size that is not the file's is refused: a map beyond the end would kill its reader."""
    refused(ends, memory_file(b"content", ALL), size, f"a shared memory of 7 bytes came as one of {size}")


def test_a_peer_that_sends_another_file(ends: Pair, tmp_path: Path) -> None:
    """A file, a pipe or a socket is no shared memory."""
    path = tmp_path / "file"
    path.write_bytes(b"content")
    reading, writing = os.pipe()
    os.close(writing)
    refused(ends, os.open(path, os.O_RDONLY), 7, "without the seals")
    sender, receiver = channel()
    with sender, receiver:
        refused((sender, receiver), reading, 0, "without the seals")


def refused(ends: Pair, descriptor: int, size: int, sentence: str) -> None:
    """Send a descriptor as a shared memory, and see it refused and closed."""
    sender, receiver = ends
    payload = b"\xc7\x09\x03\x00" + size.to_bytes(8, "big")
    send_packet(sender, payload, [descriptor])
    os.close(descriptor)
    with pytest.raises(ProtocolError, match=sentence):
        receiver.recv(PATIENCE)


def test_a_peer_that_leaves_out_the_size(ends: Pair) -> None:
    """The size is part of a shared memory on the wire."""
    sender, receiver = ends
    with SharedMemory(b"content") as memory:
        send_packet(sender, b"\xd4\x03\x00", [memory.fileno()])
    with pytest.raises(ProtocolError, match="given in 0 bytes instead of 8"):
        receiver.recv(PATIENCE)


def test_a_system_without_sealed_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without sealed memory files: a clear error, before anything is made."""
    monkeypatch.setattr(shared_memory, "_SEALED", 0)
    with pytest.raises(IpcError, match="sealed memory files"):
        SharedMemory(b"content")


def test_a_send_that_fails_leaves_it_with_you(ends: Pair) -> None:
    """A failed send leaves the shared memory with the sender."""
    sender, receiver = ends
    receiver.close()
    with SharedMemory(b"content") as memory:
        with pytest.raises(Disconnected):
            sender.send(memory)
        assert bytes(memory) == b"content"


# ------------------------------------------------------------------------------ Written in place, then sealed


@pytest.mark.parametrize("size", [0, 1, 5000, 3_000_001])
def test_written_in_place_and_sent(ends: Pair, size: int) -> None:
    """`allocate`: zeros that are written through the view; sending seals it."""
    sender, receiver = ends
    content = os.urandom(size)
    with SharedMemory.allocate(size) as memory:
        assert repr(memory) == f"<SharedMemory {size} bytes, not sealed>"
        assert bytes(memory) == bytes(size)
        memory.view[:] = content
        sender.send(memory)
        assert repr(memory) == f"<SharedMemory {size} bytes>"
        assert memory.view.readonly
        with receiver.recv(PATIENCE) as got:
            assert bytes(got) == bytes(memory) == content


def test_nobody_writes_it_once_it_is_sealed() -> None:
    """`seal`: neither an earlier view nor the descriptor changes it any more."""
    with SharedMemory.allocate(7) as memory:
        earlier = memory.view
        os.pwrite(memory.fileno(), b"content", 0)
        memory.seal()
        memory.seal()
        with pytest.raises(ValueError, match="released"):
            earlier[0] = 0
        view: Any = memory.view
        with pytest.raises(TypeError):
            view[0] = 0
        for attempt in (
            lambda: os.pwrite(memory.fileno(), b"x", 0),
            lambda: os.ftruncate(memory.fileno(), 3),
            lambda: mmap.mmap(memory.fileno(), 7, mmap.MAP_SHARED, mmap.PROT_WRITE),
        ):
            with pytest.raises(PermissionError):
                attempt()
        assert bytes(memory) == b"content"


@pytest.mark.parametrize("hold", [lambda view: view[1:3], memoryview, lambda view: view.cast("B")])
def test_what_still_may_write_it_keeps_it_from_being_sealed(
    ends: Pair, hold: Callable[[memoryview], memoryview]
) -> None:
    """`seal` and a send say so, and it stays yours, to be written on."""
    sender, receiver = ends
    with SharedMemory.allocate(5) as memory:
        held = hold(memory.view)
        for attempt in (memory.seal, lambda: sender.send([memory]), lambda: copy.copy(memory)):
            with pytest.raises(
                ValueError, match="cannot be sealed while something may write it: release its vi"
            ):
                attempt()
        held[0] = 7
        memory.view[4] = 9
        held.release()
        sender.send(memory)
        with receiver.recv(PATIENCE) as got:
            assert {7, 9} <= {*bytes(got)}


def test_memory_that_was_closed_or_cannot_be() -> None:
    """Each says what is wrong."""
    memory = SharedMemory.allocate(5)
    view = memory.view
    memory.close()
    view[0] = 1  # valid as long as somebody holds it
    with pytest.raises(Closed):
        memory.seal()
    with pytest.raises(ValueError, match="cannot have -1 bytes"):
        SharedMemory.allocate(-1)
    before = os.listdir("/proc/self/fd")
    with pytest.raises(OverflowError):
        SharedMemory.allocate(2**63)
    assert os.listdir("/proc/self/fd") == before
    with (
        SharedMemory.allocate(2**62) as memory,
        pytest.raises(IpcError, match="no room for a shared memory of"),
    ):
        _ = memory.view


# ------------------------------------------------------------------------------ Equality, the buffer protocol


def test_equal_by_content() -> None:
    """Two of the same content are equal, sealed or not; a closed one only to itself."""
    with SharedMemory(b"content") as one, SharedMemory(b"content") as same, SharedMemory(b"CONTENT") as other:
        with SharedMemory.allocate(7) as written, SharedMemory(b"conten") as shorter:
            written.view[:] = b"content"
            assert one == same == written
            assert one not in (other, shorter, b"content", None)
        assert one != written
        assert written == written  # noqa: PLR0124 - the same object
        with pytest.raises(TypeError, match="unhashable"):
            hash(one)


@pytest.mark.parametrize("with_view", [True, *([False] if sys.version_info >= (3, 12) else [])])
def test_it_is_a_buffer(with_view: bool) -> None:
    """From Python 3.12 on it is one itself, read-only once it is sealed."""
    with SharedMemory(b"content") as memory:
        buffer: Any = memory.view if with_view else memory
        with memoryview(buffer) as view:
            assert (view.readonly, bytes(view[1:3]), bytes(buffer)) == (True, b"on", b"content")
        with pytest.raises((BufferError, TypeError)):
            struct.pack_into("B", buffer, 0, 1)
    # Numpy lets go of a buffer whose owner does not want to be told, and reads it all the same.
    assert callable(SharedMemory.__release_buffer__)
    with SharedMemory.allocate(2) as memory:
        buffer = memory.view if with_view else memory
        struct.pack_into("B", buffer, 0, 65)
        assert bytes(memory) == b"A\0"
