"""What lies unread in sockets, pipes and whatever else there is."""

import os
import socket
import termios
from pathlib import Path

import pytest

from tui_ipc.osutil.descriptors import count_unread, read_count


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
