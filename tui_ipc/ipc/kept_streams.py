"""Side streams that are kept: one for many messages that are a little too long for the channel itself.

To make a stream, send its descriptor and close it takes as long as all else that a message of 64 KiB needs.
So a sender offers the side stream of its first such message, and a receiver that accepts gives it a number.
From then on a message takes two writes: its body goes into the kept stream, *whole*, and only then its
announcement with the number into the channel. A receiver therefore never waits for such a body, and a sender
that is stopped between the two delays no other.
"""

import os
import socket
import sys
from fcntl import ioctl
from termios import TIOCOUTQ

from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.sockets import NONBLOCKING, SEND_FLAGS
from tui_ipc.ipc.wire import KEPT_LIMIT, KEPT_STREAMS
from tui_ipc.osutil.one_way import open_sockets
from tui_ipc.osutil.waiting import has_hung_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_PEEK = int(socket.MSG_PEEK) | NONBLOCKING

_INT = bytes(4)


class KeptStream:
    """The sender's end of a side stream; used by one message at a time.

    Attributes:
        limit: Bytes of a message that it takes whole whenever it is writable.
        number: What its receiver calls it; -1 while it has not accepted it.
    """

    __slots__ = ("_quarter", "_socket", "limit", "number")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        # The kernel calls a Unix socket writable while a quarter of its buffer is in use at most, and takes
        # more until all is. What one write brings is thus never cut in two if it is, with the kernel's own
        # part, no more than the other three quarters.
        room = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        self._quarter = room // 4
        self.limit = min(KEPT_LIMIT, room // 2)
        self.number = -1

    def fileno(self) -> int:
        """What to wait for, until it is writable."""
        return self._socket.fileno()

    def is_accepted(self) -> bool:
        """Whether the receiver has accepted it; raises ConnectionError once it never will."""
        if self.number < 0:
            try:
                answer = self._socket.recv(1, NONBLOCKING)
            except BlockingIOError:
                return False
            if not answer:
                raise ConnectionResetError
            self.number = answer[0]
        return True

    def write(self, data: "bytes | memoryview") -> None:
        """Write up to ``limit`` bytes, whole.

        Raises:
            BlockingIOError: Nothing was written; wait until it is writable.
            OSError: The stream is of no further use: the receiver gave it up.
        """
        queued = int.from_bytes(ioctl(self._socket, TIOCOUTQ, _INT), sys.byteorder)
        if queued >= self._quarter:
            raise BlockingIOError
        if self._socket.send(data, SEND_FLAGS) != len(data):
            raise ConnectionResetError  # a part, for want of memory: what is there belongs to no message

    def close(self) -> None:
        """Close it. What was announced is still received."""
        self._socket.close()


def open_kept() -> tuple[int, KeptStream]:
    """A side stream that is to be offered: the descriptor to send, and our end."""
    reading, writing = open_sockets()
    return reading, KeptStream(writing)


class KeptStreams:
    """The receiver's ends of the streams that it has accepted, by number."""

    __slots__ = ("_streams",)

    def __init__(self) -> None:
        self._streams: dict[int, socket.socket] = {}

    def accept(self, descriptor: int, is_dry: "Callable[[], bool]") -> None:
        """Keep a stream whose first message was read, if there is room, or close it.

        Args:
            descriptor: Of the stream.
            is_dry: Whether every announcement that was sent by now is known.
        """
        try:
            sock = socket.socket(fileno=descriptor)
        except OSError:  # a pipe, on which nothing can be answered
            os.close(descriptor)
            return
        self._drop_ended(is_dry)
        number = next((each for each in range(KEPT_STREAMS) if each not in self._streams), None)
        try:
            if number is None:
                raise BlockingIOError
            sock.send(bytes((number,)), SEND_FLAGS)
        except OSError:  # perhaps its sender is gone
            sock.close()
        else:
            self._streams[number] = sock

    def read(self, number: int, size: int) -> bytes:
        """Read what a kept stream holds of a message.

        Args:
            number: Of the stream.
            size: How many bytes.

        Raises:
            ProtocolError: No stream has that number, or it does not hold all that was announced.
        """
        stream = self._streams.get(number)
        if stream is None:
            raise ProtocolError(f"a large message names side stream {number}, which is not kept")
        if not 0 < size <= KEPT_LIMIT:
            raise ProtocolError(f"{size} bytes are announced on a kept stream, not 1 to {KEPT_LIMIT}")
        try:
            data = stream.recv(size, NONBLOCKING)
        except OSError:
            data = b""
        if len(data) != size:
            raise ProtocolError(f"{len(data)} of {size} bytes are on the kept stream of a large message")
        return data

    def shut(self) -> int:
        """Let nothing more be written: senders will offer new streams, perhaps to another receiver.

        Returns:
            How many of the streams hold a message that was not received.
        """
        unread = 0
        for stream in self._streams.values():
            stream.shutdown(socket.SHUT_RD)  # what was written before is still there
            unread += bool(_peek(stream))
        return unread

    def close(self) -> None:
        """Close them all."""
        for stream in self._streams.values():
            stream.close()
        self._streams.clear()

    def _drop_ended(self, is_dry: "Callable[[], bool]") -> None:
        """Close those whose sender closed its end, unless they hold a message that may be announced yet."""
        for number, stream in tuple(self._streams.items()):
            content = _peek(stream)
            if content == b"" or (content and has_hung_up(stream.fileno()) and is_dry()):
                del self._streams[number]
                stream.close()


def _peek(stream: socket.socket) -> bytes | None:
    """The next byte of a stream; none at its end; None if there is none now."""
    try:
        return stream.recv(1, _PEEK)
    except BlockingIOError:
        return None
    except OSError:
        return b""
