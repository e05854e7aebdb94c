"""The body of a large message, as it arrives on its own stream.

The one rule: memory grows with what arrived, not with what was announced. A body that ends early was given
up by its sender and never becomes a message.
"""

import socket

from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.wire import BLOB_HEADER_SIZE, Large, announce, blob_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tui_ipc.ipc.builder import Builder

_PIECE = 1024 * 1024
"""Bytes asked for at once where a read may give only a part of them."""

READS_IN_A_ROW = 256
"""Reads without a look at the deadline: a peer that always has one more byte must not hold its reader."""

_SMALL = 64 * 1024
"""Pieces below this size are gathered."""


class Body:
    """What arrived of one large message; owns its stream and, until they are claimed, its other
    descriptors.
    """

    __slots__ = ("_builder", "_descriptors", "_missing", "_pieces", "_size", "_stream")

    def __init__(self, announced: Large, builder: "Builder") -> None:
        """Take ownership of the announced descriptors.

        Raises:
            ProtocolError: The first of them is no stream; all are discarded.
        """
        self._builder = builder
        self._size = self._missing = announced.size
        self._pieces: list[bytes | bytearray] = []
        self._descriptors = announced.descriptors[1:]
        try:
            self._stream = sockets.adopted(announced.descriptors[0], (socket.SOCK_STREAM,))
        except ProtocolError:
            builder.drop(announced.descriptors)
            raise

    def fileno(self) -> int:
        """What to wait for, until it is readable, after BlockingIOError."""
        return self._stream.fileno()

    def read(self, flags: int) -> bool:
        """Read on.

        Args:
            flags: ``sockets.NONBLOCKING``, or 0 to wait in the kernel.

        Returns:
            True once the body is whole, False if its sender gave it up.

        Raises:
            BlockingIOError: Wait until ``fileno()`` is readable, then read on.
            ProtocolError: It is no stream that can be read.
        """
        for _ in range(READS_IN_A_ROW):
            if not self._missing:
                return True
            # The header alone first: the content of a `bytes` value is then read into the object it becomes.
            wanted = self._missing if self._pieces else min(BLOB_HEADER_SIZE, self._missing)
            if flags & sockets.NONBLOCKING:
                wanted = min(wanted, _PIECE)
            try:
                piece = self._stream.recv(wanted, flags | sockets.WHOLE)
            except ConnectionResetError:
                piece = b""
            except BlockingIOError:
                raise
            except OSError as error:
                raise ProtocolError(f"the stream of a large message cannot be read: {error}") from None
            if not piece:
                return False
            self._keep(piece)
            self._missing -= len(piece)
        if self._missing:
            raise BlockingIOError
        return True

    def _keep(self, piece: bytes) -> None:
        """Keep a piece. Small ones are gathered: each by itself would cost many times its length."""
        last = self._pieces[-1] if len(self._pieces) > 1 else None
        if isinstance(last, bytearray) and len(last) < _PIECE:
            last += piece
        elif len(piece) < _SMALL and self._pieces:
            self._pieces.append(bytearray(piece))
        else:
            self._pieces.append(piece)

    def arrived(self) -> int:
        """Bytes of the message that came so far, its announcement included: never 0."""
        return len(announce(self._size)) + self._size - self._missing

    def value(self) -> "Any":
        """The message, once it is whole; it owns the descriptors that it claims from then on.

        Raises:
            ProtocolError: The body is not one value, or does not fit the descriptors.
        """
        descriptors, self._descriptors = self._descriptors, []
        if not descriptors and self._is_blob():
            return b"".join(self._pieces[1:])
        raw = b"".join(self._pieces)
        self._pieces = [raw]
        value = self._builder.build(raw, descriptors)
        if isinstance(value, Large):
            self._builder.drop(value.descriptors)
            raise ProtocolError("the body of a large message announces another one")
        return value

    def _is_blob(self) -> bool:
        """Whether the message is one long ``bytes`` value, so that its content is all but the first piece."""
        content = self._size - BLOB_HEADER_SIZE
        return 0 < content < 2**32 and self._pieces[0] == blob_header(content)

    def raw(self) -> bytes:
        """The bytes of the message."""
        return b"".join(self._pieces)

    def close(self) -> None:
        """Close the stream and discard the descriptors that no message claimed."""
        self._stream.close()
        self._builder.drop(self._descriptors)
        self._descriptors = []
