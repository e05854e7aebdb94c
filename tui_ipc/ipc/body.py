"""The body of a large message, as it arrives on a stream of its own.

Memory grows with what arrived, not with what was announced. A body that ends early was given up by its sender
and never becomes a message.
"""

import os
import sys
from fcntl import ioctl
from io import BytesIO
from termios import FIONREAD

from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.wire import BLOB_HEADER_SIZE, Large, announce, blob_header
from tui_ipc.osutil.one_way import is_stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tui_ipc.ipc.builder import Builder

WHOLE, DRY, MORE, GIVEN_UP = range(4)
"""What a look at a body finds: all of it; nothing more for now; perhaps more; its end, too early."""

READS_IN_A_ROW = 256
"""Reads without a look at the deadline: a peer that always has one more byte must not hold its reader."""

BODIES_LIMIT = 64
"""Large messages that may be half there at once; each takes a descriptor."""

_BODIES_SHARE = 4
"""What they may announce together, in multiples of ``max_message_size``."""

_STEP = 256 * 1024
"""Bytes by which the memory for a body grows at least."""

_INT = bytes(4)


class Body:
    """What arrived of one large message; owns its stream and, until they are claimed, its other descriptors.

    Attributes:
        size: Bytes of the whole.
        got: How many of them have come.
        is_offered: Whether its stream may be kept for further messages.
    """

    __slots__ = (
        "_builder",
        "_descriptors",
        "_header",
        "_memory",
        "_room",
        "_stream",
        "_whole",
        "got",
        "is_offered",
        "size",
    )

    def __init__(self, announced: Large, builder: "Builder") -> None:
        """Take ownership of the announced descriptors.

        Raises:
            ProtocolError: The first of them is not a stream; all are discarded.
        """
        self._builder = builder
        self.size = announced.size
        self.is_offered = announced.number is not None
        self._stream, *self._descriptors = announced.descriptors
        self.got = 0
        # The first bytes say whether the message is one long `bytes` value: they are then kept apart, so that
        # its content is read into the very object that it becomes.
        self._header = b""
        self._memory: BytesIO | None = None
        self._room = 0  # bytes that the memory has now, all that may come next included
        self._whole = b""  # what the memory is once nothing is missing
        try:
            if not is_stream(self._stream):
                raise OSError
            os.set_blocking(self._stream, False)  # it is ours alone now: its sender keeps the other end
        except OSError:
            builder.drop(announced.descriptors)
            sentence = "a large message is announced with a descriptor that is not a stream"
            raise ProtocolError(sentence) from None

    def fileno(self) -> int:
        """What to wait for, until it is readable, after :data:`DRY`."""
        return self._stream

    def read(self) -> int:
        """Read what there is, without waiting.

        Returns:
            :data:`WHOLE`, :data:`DRY`, :data:`MORE` or :data:`GIVEN_UP`.

        Raises:
            ProtocolError: It cannot be read.
        """
        header_size = min(BLOB_HEADER_SIZE, self.size)
        try:
            for _ in range(READS_IN_A_ROW):
                if self.got < header_size:
                    piece = os.read(self._stream, header_size - self.got)
                    got = len(piece)
                    self._header += piece
                elif self.got == self.size:
                    return WHOLE
                else:
                    got = self._read_content()
                if not got:
                    return GIVEN_UP
                self.got += got
        except BlockingIOError:
            return DRY
        except ConnectionResetError:
            return GIVEN_UP
        except OSError as error:
            raise ProtocolError(f"the stream of a large message cannot be read: {error}") from None
        return WHOLE if self.got == self.size else MORE

    def _read_content(self) -> int:
        """Read once; how many bytes there were."""
        memory = self._memory
        missing = self.size - self.got
        available = int.from_bytes(ioctl(self._stream, FIONREAD, _INT), sys.byteorder)
        if memory is None:
            piece = b""
            if available >= missing:  # all at once, as a message comes that fits into its stream
                piece = os.read(self._stream, missing)
                if len(piece) == missing:
                    self._whole = piece if self._is_blob() else self._header + piece
                    return missing
            self._memory = memory = BytesIO()
            if not self._is_blob():
                memory.write(self._header)
            memory.write(piece)
            self._room = memory.tell()
            if piece:
                return len(piece)
        # A BytesIO keeps its content in a bytes object, which getvalue() gives away without a copy: so this
        # is a bytes object that can be read into, and grows with what arrives.
        place = self.got if not self._is_blob() else self.got - BLOB_HEADER_SIZE
        if self._room - place < min(missing, _STEP // 2):
            self._room = place + min(missing, max(_STEP, place // 2, 4 * available))
            memory.seek(self._room - 1)
            memory.write(b"\0")
        with memory.getbuffer() as buffer:
            got = os.readv(self._stream, (buffer[place : self._room],))
        if got == missing:
            self._whole = memory.getvalue()
            self._memory = None
        return got

    def received(self) -> int:
        """Bytes of the message that came so far, its announcement included: never 0."""
        return len(announce(self.size)) + self.got

    def value(self) -> "Any":
        """The message, once it is whole; it owns the descriptors that it claims from then on.

        Raises:
            ProtocolError: The body is not one value, or does not fit the descriptors.
        """
        if self._is_blob():
            return self._whole
        descriptors, self._descriptors = self._descriptors, []
        return build_body(self._builder, self.raw(), descriptors)

    def _is_blob(self) -> bool:
        return is_blob(self._header, self.size)

    def raw(self) -> bytes:
        """The bytes of the message, once it is whole."""
        if self.size <= BLOB_HEADER_SIZE:
            return self._header
        return self._header + self._whole if self._is_blob() else self._whole

    def release_stream(self) -> int:
        """Give away the stream of a body that is whole."""
        descriptor, self._stream = self._stream, -1
        return descriptor

    def close(self) -> None:
        """Close the stream and discard the descriptors that no message claimed."""
        if self._stream >= 0:
            self._builder.drop((self._stream,))
        self._builder.drop(self._descriptors)
        self._stream, self._descriptors = -1, []


def is_blob(header: bytes, size: int) -> bool:
    """Whether a message of that size is one long ``bytes`` value, whose content is all but this header."""
    content = size - BLOB_HEADER_SIZE
    return 0 < content < 2**32 and header == blob_header(content)


def build_body(builder: "Builder", raw: bytes, descriptors: list[int]) -> "Any":
    """The message of a whole body, which owns the descriptors that it claims from then on.

    Raises:
        ProtocolError: The body is not one value, or does not fit the descriptors.
    """
    value = builder.build(raw, descriptors)
    if isinstance(value, Large):
        builder.drop(value.descriptors)
        raise ProtocolError("the body of a large message announces another one")
    return value


def has_room(bodies: list[Body], limit: int) -> bool:
    """Whether one more may be begun beside those under way: what they take is bounded.

    Args:
        bodies: Those under way.
        limit: Bytes of a message at most.
    """
    return len(bodies) < BODIES_LIMIT and sum(body.size for body in bodies) <= _BODIES_SHARE * limit
