"""What is unread in sockets and pipes, and how full they are."""

import os
import socket
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from tui_ipc.osutil import descriptors
from tui_ipc.osutil.descriptors import (
    UnreadBytes,
    count_unread,
    measure_send_buffer_usage,
    measure_unread_by_peer,
    read_count,
)

SEQPACKET, STREAM = socket.SOCK_SEQPACKET, socket.SOCK_STREAM


@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def test_bytes_in_a_socket_are_counted(kind: int) -> None:
    """Those of all packets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        assert count_unread(theirs.fileno()) == 0
        ours.send(b"x" * 61)
        ours.send(b"x" * 10)
        assert count_unread(theirs.fileno()) == 71
        theirs.recv(61)
        assert count_unread(theirs.fileno()) == 10


def test_bytes_in_a_pipe_are_counted_and_of_others_nothing_is_known() -> None:
    """No error comes out of a look."""
    left, right = os.pipe()
    os.write(right, b"four")
    assert count_unread(left) == 4
    os.close(left)
    os.close(right)
    assert count_unread(left) is None
    with Path(os.devnull).open("rb") as file:
        assert count_unread(file.fileno()) is None
        assert read_count(file.fileno(), termios.TIOCOUTQ) is None


@pytest.mark.parametrize("kind", [SEQPACKET, STREAM])
def test_bytes_that_the_peer_has_not_read_are_counted(kind: int) -> None:
    """All packets of the queue, on our side of it and seen from the other."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        reader = os.fstat(theirs.fileno()).st_ino
        assert measure_unread_by_peer(ours.fileno()) == UnreadBytes(size=0, any=False, reader_inode=reader)
        ours.send(b"x" * 61)
        ours.send(b"x" * 10)
        assert measure_unread_by_peer(ours.fileno()) == UnreadBytes(size=71, any=True, reader_inode=reader)
        theirs.recv(61)
        assert measure_unread_by_peer(ours.fileno()) == UnreadBytes(size=10, any=True, reader_inode=reader)
        theirs.close()
        assert measure_unread_by_peer(ours.fileno()).size is None


def test_where_sock_diag_is_missing_it_is_known_whether_anything_is_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not how much: what the kernel counts includes what it needs itself."""
    monkeypatch.setattr(descriptors, "_NETLINK_SOCK_DIAG", 31)  # a netlink family that there is not
    ours, theirs = socket.socketpair(socket.AF_UNIX, SEQPACKET)
    with ours, theirs:
        assert measure_unread_by_peer(ours.fileno()) == UnreadBytes(any=False)
        ours.send(b"x")
        assert measure_unread_by_peer(ours.fileno()) == UnreadBytes(any=True)


def test_what_is_no_socket_has_no_peer_and_what_cannot_be_counted_is_unknown() -> None:
    """No error comes out of a look."""
    left, right = os.pipe()
    os.write(right, b"four")
    assert measure_unread_by_peer(right).size is None
    os.close(left)
    os.close(right)
    with Path(os.devnull).open("rb") as file:
        assert measure_unread_by_peer(file.fileno()) == UnreadBytes()


@pytest.mark.parametrize("kind", [socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def test_how_full_a_channel_is_is_told_from_empty_to_full(kind: int) -> None:
    """What is sent and not read takes room, until a sender has to wait; reading gives it back."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with ours, theirs:
        ours.setblocking(False)
        assert measure_send_buffer_usage(ours.fileno()) == 0
        ours.send(b"x" * 20_000)
        some = measure_send_buffer_usage(ours.fileno())
        assert some is not None
        assert 0 < some < 0.5
        with suppress(BlockingIOError):
            while ours.send(b"x" * 1000):
                pass
        assert (measure_send_buffer_usage(ours.fileno()) or 0) > 0.95
        while theirs.recv(100_000, socket.MSG_DONTWAIT) and measure_send_buffer_usage(ours.fileno()):
            pass
        assert measure_send_buffer_usage(ours.fileno()) == 0
    read, write = os.pipe()
    os.close(read)
    assert measure_send_buffer_usage(write) is None
    os.close(write)
