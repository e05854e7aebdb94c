"""The sockets below the endpoints: how they are made, how descriptors travel, and what their errors mean.

The O_NONBLOCK flag of a socket is never touched, since it is shared with every process that holds the same
socket; whoever must not wait says so call by call (MSG_DONTWAIT).
"""

import array
import errno
import os
import socket
import sys

from tui_ipc.ipc.errors import Closed, Disconnected, IpcError, ProtocolError, TooManyHandles
from tui_ipc.ipc.wire import DESCRIPTOR_LIMIT, SHORT_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Plain integers: combining the enum members that the socket module has costs a microsecond each time.
NONBLOCKING = int(socket.MSG_DONTWAIT)
SEND_FLAGS = NONBLOCKING | int(socket.MSG_NOSIGNAL)
RECEIVE_FLAGS = int(socket.MSG_CMSG_CLOEXEC)
DESCRIPTORS_LOST = int(socket.MSG_CTRUNC)

_INT = array.array("i").itemsize
ANCILLARY_SIZE = socket.CMSG_SPACE(DESCRIPTOR_LIMIT * _INT)

_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.ECONNREFUSED, errno.ESHUTDOWN)

_SCM_PIDFD = 4
"""Control data that holds a descriptor as well, for a socket whose other holder asked for it (Linux 6.5)."""


def pair() -> tuple[socket.socket, socket.socket]:
    """Two connected byte streams."""
    left, right = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    return make_blocking(left), make_blocking(right)


def duplicate(descriptor: int) -> socket.socket:
    """Another descriptor of the same byte stream."""
    return make_blocking(socket.fromfd(descriptor, socket.AF_UNIX, socket.SOCK_STREAM))


def make_blocking(sock: socket.socket) -> socket.socket:
    """The same in blocking mode: ``socket.setdefaulttimeout`` makes every new socket object another."""
    if sock.gettimeout() is not None:
        sock.settimeout(None)
    return sock


def socket_from_fd(descriptor: int) -> socket.socket:
    """The byte stream behind a descriptor that a peer sent.

    Raises:
        ProtocolError: It is not an AF_UNIX stream; the descriptor stays the caller's.
    """
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        raise ProtocolError("an endpoint came with a descriptor that is not a socket") from None
    if sock.family != socket.AF_UNIX or sock.type != socket.SOCK_STREAM:
        family, kind = (getattr(each, "name", each) for each in (sock.family, sock.type))
        sock.detach()
        raise ProtocolError(
            f"an endpoint came with a socket of {family}, {kind}; AF_UNIX, SOCK_STREAM is wanted"
        )
    return make_blocking(sock)


def atomic_size(sock: socket.socket) -> int:
    """Bytes that the kernel queues as one piece: what several senders may write without mixing.

    Half the send buffer less 64 is where ``unix_stream_sendmsg`` begins a second piece.
    """
    return min(SHORT_LIMIT, sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) // 2 - 64)


def descriptors_in(ancillary: "list[tuple[int, int, bytes]]") -> list[int]:
    """The descriptors that came with a read."""
    received = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            received.frombytes(data[: len(data) - len(data) % _INT])
        elif level == socket.SOL_SOCKET and kind == _SCM_PIDFD:
            os.close(int.from_bytes(data[:_INT], sys.byteorder))
    return received.tolist()


def rights(descriptors: "list[int]") -> "list[tuple[int, int, Any]]":
    """The control data that attaches descriptors to what is sent."""
    if not descriptors:
        return []
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]


def translate_error(error: OSError, closed: str) -> IpcError | OSError:
    """What an error of a socket call means.

    Args:
        error: As the kernel gave it.
        closed: The sentence for an endpoint that was closed on this side.

    Returns:
        Disconnected, Closed or TooManyHandles; the error itself where it is about this machine (out of
        memory, …).
    """
    if error.errno in _GONE or error.errno == errno.EINVAL:  # EINVAL: a socket that never had a peer
        return Disconnected("the peer is gone: it closed its end of the channel, or its process ended")
    if error.errno == errno.EBADF:
        return Closed(closed)
    if error.errno == errno.ETOOMANYREFS:
        return TooManyHandles(
            "the kernel takes no more handles in flight: as many as this user may open are sent and not yet "
            "received; receive some of them, or raise the limit of open files (ulimit -n)"
        )
    return error


def open_fileno(sock: socket.socket, closed: str) -> int:
    """The descriptor of an endpoint's socket; raises Closed, with that sentence, if it has none any more."""
    descriptor = sock.fileno()
    if descriptor < 0:
        raise Closed(closed)
    return descriptor


def describe(sock: socket.socket) -> str:
    """What an endpoint's ``repr`` says of its socket."""
    descriptor = sock.fileno()
    return "closed" if descriptor < 0 else f"on descriptor {descriptor}"
