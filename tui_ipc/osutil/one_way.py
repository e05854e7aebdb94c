"""One-way byte streams, made for one message each: what the kernel has for its size, as two descriptors."""

import os
import socket
from _signal import (  # type: ignore[import-not-found]  # the plain functions: those of signal make enum members
    SIG_BLOCK,
    SIG_IGN,
    SIG_SETMASK,
    SIGPIPE,
    getsignal,
    pthread_sigmask,
    sigtimedwait,
)
from fcntl import F_GETPIPE_SZ, F_SETPIPE_SZ, fcntl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_CAPACITY = 64 * 1024
"""Bytes that a pipe holds without being asked to, as a rule: a user with many pipes gets smaller ones."""

PIPE_LIMIT = 256 * 1024
"""Bytes up to which a pipe is faster than a socket pair, measured there and back: it is made, sent and closed
in half the time. Above, a socket pair is: what it copies stays in the cache."""

_SOCKET_BUFFER = 1024 * 1024
"""Bytes that a socket pair may hold, as far as the kernel allows: fewer switches between processes."""


def open_stream(size: int) -> tuple[int, int]:
    """A stream for ``size`` bytes, all of which it may hold at once if they are few.

    Returns:
        The end to read from, which waits as any file does that another program is given, and the end to write
        to, which never waits for that many bytes.
    """
    if size > PIPE_LIMIT:
        reading, writing = open_sockets()
        return reading, writing.detach()
    read_end, write_end = os.pipe()
    try:
        if size > _DEFAULT_CAPACITY:
            capacity = fcntl(write_end, F_SETPIPE_SZ, size)
        else:
            capacity = fcntl(write_end, F_GETPIPE_SZ)
    except OSError:  # this user has as many pages in pipes as allowed: a smaller one does as well
        capacity = 0
    if capacity < size:  # else nothing that is written will have to wait
        os.set_blocking(write_end, False)
    return read_end, write_end


def open_sockets() -> "tuple[int, socket.socket]":
    """A pair of sockets as such a stream, on whose writing end something may be answered."""
    reading, writing = socket.socketpair()
    reading.setblocking(True)  # whatever socket.setdefaulttimeout() says
    writing.setblocking(False)
    writing.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BUFFER)
    return reading.detach(), writing


def is_stream(descriptor: int) -> bool:
    """Whether a descriptor that came from elsewhere may be the reading end of such a stream."""
    try:
        return fcntl(descriptor, F_GETPIPE_SZ) > 0  # a third of the time of fstat(2) in Python
    except OSError:
        pass
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        return False
    try:
        return (sock.family, sock.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
    finally:
        sock.detach()


def write(descriptor: int, pieces: "Sequence[memoryview]") -> int:
    """Write as much as the stream takes now; a reader that is gone is an error and never a signal.

    Returns:
        How many bytes.

    Raises:
        BlockingIOError: It takes none.
        BrokenPipeError, ConnectionResetError: The reader is gone.
    """
    if getsignal(SIGPIPE) == SIG_IGN:  # as Python has it, unless the program wants to be ended by it
        return os.writev(descriptor, pieces)
    # There is no MSG_NOSIGNAL for a pipe. The signal goes to the thread that writes, and is taken back there.
    before = pthread_sigmask(SIG_BLOCK, (SIGPIPE,))
    try:
        return os.writev(descriptor, pieces)
    except BrokenPipeError:
        if SIGPIPE not in before:
            sigtimedwait((SIGPIPE,), 0)
        raise
    finally:
        pthread_sigmask(SIG_SETMASK, before)
