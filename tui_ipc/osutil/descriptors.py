"""What is queued in sockets, pipes and terminals.

What the kernel does not count is None, never a guess and never an error. sock_diag(7) describes how the
kernel is asked about sockets.
"""

import fcntl
import socket
import struct
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass
from os import fstat
from typing import Final

_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_NLM_F_REQUEST: Final = 1
_SHOW_PEER, _SHOW_QUEUE = 0x04, 0x10  # UDIAG_SHOW_…
_PEER, _QUEUE = 2, 4  # UNIX_DIAG_…
_NLMSG, _DIAG, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBIII"), struct.Struct("=HH")


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadBytes:
    """What was sent on a socket and was not read yet.

    Attributes:
        size: How many, None if the kernel does not say.
        any: Whether there are any, None if the kernel does not say.
        reader_inode: The inode of the socket that they are to be read from.
    """

    size: int | None = None
    any: bool | None = None
    reader_inode: int | None = None


def count_unread(descriptor: int) -> int | None:
    """Count the bytes that can be read from a socket, a pipe or a terminal, see FIONREAD in ioctl_tty(2)."""
    return read_count(descriptor, termios.FIONREAD)


def read_count(descriptor: int, request: int) -> int | None:
    """Return the number that an ioctl(2) gives."""
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, request, bytes(4)), sys.byteorder)
    except OSError:  # closed meanwhile, or not counted for such a descriptor
        return None


def measure_unread_by_peer(descriptor: int) -> UnreadBytes:
    """Measure what the other end of a socket has not read of what was sent on this one."""
    with suppress(OSError, struct.error):
        reader = _query_sock_diag(fstat(descriptor).st_ino)[0]
        if reader is not None:
            return UnreadBytes(
                size=(size := _query_sock_diag(reader)[1]), any=_is_positive(size), reader_inode=reader
            )
    return UnreadBytes(any=_is_positive(read_count(descriptor, termios.TIOCOUTQ)))


def measure_send_buffer_usage(descriptor: int) -> float | None:
    """Measure how full the send buffer of a socket is: 1 where a sender has to wait; None if unknown.

    The kernel counts what each message takes of its memory, which is more than the message's bytes; see
    SO_SNDBUF in socket(7).
    """
    used = read_count(descriptor, termios.TIOCOUTQ)
    try:
        borrowed = socket.socket(fileno=descriptor)
    except OSError:  # not a socket
        return None
    try:
        capacity = borrowed.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    except OSError:
        return None
    finally:
        borrowed.detach()
    return None if used is None or capacity <= 0 else min(1.0, used / capacity)


def _is_positive(size: int | None) -> bool | None:
    return None if size is None else size > 0


def _query_sock_diag(inode: int) -> tuple[int | None, int | None]:
    """Return the inode of a UNIX socket's peer, and how many bytes are unread in the socket itself.

    Raises:
        OSError: The kernel has no sock_diag, or does not know the socket.
        struct.error: The inode is not that of a socket.
    """
    request = _DIAG.pack(socket.AF_UNIX, 0, 0, 0, 0xFFFFFFFF, inode, _SHOW_PEER | _SHOW_QUEUE)
    request += b"\xff" * 8  # the cookie that matches any socket
    header = _NLMSG.pack(_NLMSG.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as link:
        link.setblocking(False)  # the answer is there when send() returns
        link.send(header + request)
        answer = link.recv(4096)
    if _NLMSG.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        raise OSError("the kernel does not know the socket")
    attributes = dict(_parse_attributes(answer[_NLMSG.size + 16 :]))
    return _first_number(attributes.get(_PEER)), _first_number(attributes.get(_QUEUE))


def _parse_attributes(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while len(data) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data)
        found.append((kind, data[_ATTRIBUTE.size : size]))
        data = data[max(_ATTRIBUTE.size, (size + 3) & ~3) :]
    return found


def _first_number(data: bytes | None) -> int | None:
    """Return the first number of an attribute; of a queue (UNIX_DIAG_RQLEN) that is what can be read."""
    return int.from_bytes(data[:4], sys.byteorder) if data else None
