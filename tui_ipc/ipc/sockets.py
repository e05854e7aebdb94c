"""What the endpoints need of the operating system: sockets that are ours alone, waiting, and what its errors
mean.

The one rule: the O_NONBLOCK flag of a socket is never touched, since it is shared with every process that
holds the same socket; whoever must not wait says so call by call (MSG_DONTWAIT).
"""

import array
import errno
import os
import select
import socket
import sys
from math import ceil
from time import monotonic

from tui_ipc.ipc.errors import Closed, Disconnected, IpcError, ProtocolError, TimedOut, TooManyHandles
from tui_ipc.ipc.wire import DESCRIPTOR_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# Plain integers: combining the enum members that the socket module has costs a microsecond each time.
NONBLOCKING = int(socket.MSG_DONTWAIT)
SEND_FLAGS = int(getattr(socket, "MSG_NOSIGNAL", 0))
RECEIVE_FLAGS = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))
WHOLE = int(socket.MSG_WAITALL)
TRUNCATED = int(socket.MSG_TRUNC | socket.MSG_CTRUNC)

PACKETS: int | None = getattr(socket, "SOCK_SEQPACKET", None)
"""The socket type that keeps packets apart; macOS has none for AF_UNIX, which is found out at the first
pair."""

ENDPOINTS = (socket.SOCK_STREAM,) if PACKETS is None else (PACKETS, socket.SOCK_STREAM)
"""The socket types that an endpoint may have."""

_INT = array.array("i").itemsize
ANCILLARY_SIZE = socket.CMSG_SPACE(DESCRIPTOR_LIMIT * _INT)

LONGEST = 1_000_000
"""Seconds of one poll(2), which counts milliseconds in 31 bits."""

_GONE = (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.ECONNREFUSED, errno.ESHUTDOWN)

_SCM_PIDFD = 4
"""Control data that holds a descriptor as well, for a socket whose other holder asked for it (Linux 6.5)."""


def pair(kind: int) -> tuple[socket.socket, socket.socket]:
    """Two connected sockets."""
    left, right = socket.socketpair(socket.AF_UNIX, kind)
    return _patient(left), _patient(right)


def duplicate(descriptor: int, kind: int) -> socket.socket:
    """Another descriptor of the same socket."""
    return _patient(socket.fromfd(descriptor, socket.AF_UNIX, kind))


def _patient(one: socket.socket) -> socket.socket:
    """The same in blocking mode: ``socket.setdefaulttimeout`` makes every new socket object a hasty one."""
    if one.gettimeout() is not None:
        one.settimeout(None)
    return one


def best_pair() -> tuple[socket.socket, socket.socket]:
    """Two connected sockets of the best type for a channel that this system has: packets, else streams."""
    if PACKETS is not None:
        try:
            return pair(PACKETS)
        except OSError as error:
            if error.errno not in (errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.EPROTOTYPE):
                raise
    return pair(socket.SOCK_STREAM)


def adopted(descriptor: int, kinds: "Iterable[int]") -> socket.socket:
    """The socket behind a descriptor that a peer sent.

    Raises:
        ProtocolError: It is no AF_UNIX socket of one of these types; the descriptor stays the caller's.
    """
    try:
        one = socket.socket(fileno=descriptor)
    except OSError:
        raise ProtocolError(f"descriptor {descriptor} came as an endpoint and is no socket") from None
    if one.family != socket.AF_UNIX or one.type not in kinds:
        family, kind = one.family, one.type
        one.detach()
        raise ProtocolError(
            f"descriptor {descriptor} came as an endpoint and is a socket of {family!r}, {kind!r}"
        )
    return _patient(one)


def descriptors_in(ancillary: "list[tuple[int, int, bytes]]") -> list[int]:
    """The descriptors that came with a packet; they are close-on-exec from here on at the latest."""
    received = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            received.frombytes(data[: len(data) - len(data) % _INT])
        elif level == socket.SOL_SOCKET and kind == _SCM_PIDFD and sys.platform == "linux":
            os.close(int.from_bytes(data[:_INT], sys.byteorder))
    if not RECEIVE_FLAGS:
        for descriptor in received:
            os.set_inheritable(descriptor, False)
    return received.tolist()


def rights(descriptors: "list[int]") -> "list[tuple[int, int, Any]]":
    """The control data that attaches descriptors to a packet."""
    if not descriptors:
        return []
    return [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]


def deadline_after(timeout: float | None) -> float | None:
    """The moment, on the monotonic clock, at which ``timeout`` seconds from now have passed."""
    return None if timeout is None else monotonic() + timeout


def wait(descriptor: int, events: int, deadline: float | None, what: str) -> None:
    """Wait until a descriptor is ready or its peer is gone.

    Args:
        descriptor: What to wait for.
        events: ``select.POLLIN`` or ``select.POLLOUT``.
        deadline: On the monotonic clock; None for ever.
        what: The sentence of the error.

    Raises:
        TimedOut: The deadline passed first.
    """
    poller = select.poll()
    poller.register(descriptor, events)
    if deadline is None:
        poller.poll()
        return
    while True:
        remaining = deadline - monotonic()
        if remaining <= 0:
            raise TimedOut(what)
        if poller.poll(ceil(min(remaining, LONGEST) * 1000)):
            return


def hung_up(descriptor: int, patience: float = 0) -> bool:
    """Whether the peer of a socket is gone, waiting up to ``patience`` seconds for it."""
    poller = select.poll()
    poller.register(descriptor, 0)
    return any(events & select.POLLHUP for _, events in poller.poll(patience * 1000))


def failure(error: OSError, closed: str) -> IpcError | OSError:
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


def descriptor_of(own: socket.socket, closed: str) -> int:
    """The descriptor of an endpoint's socket; raises Closed, with that sentence, if it has none any more."""
    descriptor = own.fileno()
    if descriptor < 0:
        raise Closed(closed)
    return descriptor


def state(own: socket.socket) -> str:
    """What an endpoint's ``repr`` says of its socket."""
    descriptor = own.fileno()
    return "closed" if descriptor < 0 else f"on descriptor {descriptor}"
