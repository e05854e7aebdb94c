"""Bytes and descriptors in, messages out: the two framings of the wire, without any I/O.

The one rule: bytes are looked at once. What is not yet whole is kept with the place where the scan of it
broke off, so that a message which comes byte by byte costs no more than one that comes at once.

Both kinds have the same face. ``decode(data, descriptors)`` takes in what one read gave and returns the
first message that is whole, ``next()`` each further one while ``pending``, and ``NOTHING`` means: read on.
The ``_message`` forms give each message together with its bytes. Whatever arrives, the result is a message,
:class:`~tui_ipc.ipc.wire.Large`, ``NOTHING`` or one typed error, and every descriptor has found an owner or
was discarded.
"""

from collections import deque

import msgpack

from tui_ipc.ipc.builder import REFUSALS, Builder, new_scanner, refusal, scan
from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.wire import (
    DEFAULT_MAX_MESSAGE_SIZE,
    DESCRIPTOR_LIMIT,
    PACKET_LIMIT,
    Large,
    Message,
    too_large,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tui_ipc.ipc.builder import Adopt, Discard

SHORT_ARRAY = 512
"""Arrays up to this length are built at once; a longer one is scanned first, since its header alone would
make the decoder allocate its list (8 bytes an item, and nested headers multiply)."""

_LONG = (0xC6, 0xC9, 0xDB)
"""What begins a bin 32, an ext 32 or a str 32, whose length the next four bytes are."""

_LONG_COUNTS = {0xDD: 1, 0xDF: 2}
"""What begins an array 32 or a map 32, whose count the next four bytes are; the least bytes of an item."""

_LONGEST_SHORT = 0xFFFF + 1
"""Bytes that may follow the length in any other: an ext 16 with its type. Where the scan breaks off in front
of more, it broke off behind the four bytes of a length."""

NOTHING: "Any" = type("Nothing", (), {"__repr__": lambda self: "NOTHING", "__slots__": ()})()
"""What a decoder returns when it holds no whole message."""


class PacketDecoder(Builder):
    """Decodes a channel whose kernel buffer keeps packets apart: each packet holds whole values."""

    __slots__ = ("_packet", "_taken", "_unpacker", "pending")

    def __init__(self, adopt: "Adopt", discard: "Discard", limit: int = DEFAULT_MAX_MESSAGE_SIZE) -> None:
        super().__init__(adopt, discard, limit)
        self.pending = False
        """True while values of the last packet may still be taken with :meth:`next`."""
        self._packet = b""  # the values of the last packet that the unpacker was given
        self._taken = 0  # bytes of that packet before them
        self._unpacker: Any = None

    def decode(self, data: bytes, descriptors: "Sequence[int]" = ()) -> "Any":
        """The first value of a packet, or :class:`Large`; further ones become :attr:`pending`."""
        if descriptors:
            return self.build(data, descriptors)
        if len(data) > self.limit:  # which its values need not be
            return self._first(data, 0)
        try:
            return msgpack.unpackb(
                data, strict_map_key=False, timestamp=3, ext_hook=_no_descriptor, max_array_len=SHORT_ARRAY
            )
        except msgpack.ExtraData as several:
            self._keep(several.extra, len(data) - len(several.extra))
            return several.unpacked
        except REFUSALS:
            return self._first(data, 0)

    def decode_message(self, data: bytes, descriptors: "Sequence[int]" = ()) -> "Any":
        """As :meth:`decode`, as a :class:`Message`."""
        value = self.decode(data, descriptors)
        if isinstance(value, Large):
            return value
        return Message(value, data[: len(data) - len(self._packet)])

    def next(self) -> "Any":
        """The next value of the packet, or :data:`NOTHING`."""
        start = self._unpacker.tell()
        if start == len(self._packet):
            self.close()
            return NOTHING
        if len(self._packet) > self.limit:
            return self._first(self._packet[start:], self._taken + start)
        try:
            return self._unpacker.unpack()
        except (msgpack.OutOfData, *REFUSALS):
            return self._first(self._packet[start:], self._taken + start)

    def next_message(self) -> "Any":
        """As :meth:`next`, as a :class:`Message`."""
        packet, start = self._packet, self._unpacker.tell()
        value = self.next()
        if value is NOTHING:
            return NOTHING
        return Message(value, packet[start : len(packet) - self.read_ahead()])

    def read_ahead(self) -> int:
        """Bytes of values that were received and not yet taken."""
        return len(self._packet) - self._unpacker.tell() if self.pending else 0

    def close(self) -> None:
        """Forget what was not taken."""
        self._unpacker = None
        self._packet = b""
        self.pending = False

    def _keep(self, rest: bytes, taken: int) -> None:
        self._unpacker = msgpack.Unpacker(
            strict_map_key=False,
            timestamp=3,
            ext_hook=_no_descriptor,
            max_array_len=SHORT_ARRAY,
            max_buffer_size=PACKET_LIMIT,
            read_size=len(rest),
        )
        self._unpacker.feed(rest)
        self._packet = rest
        self._taken = taken
        self.pending = True

    def _first(self, data: bytes, taken: int) -> "Any":
        """The first value of the rest of a packet, scanned to its end before it is built."""
        self.close()
        size = scan(data, taken)
        if size < len(data):
            self._keep(data[size:], taken + size)
        return self.build(data[:size], offset=taken, scanned=True)


class StreamDecoder(Builder):
    """Decodes a byte stream, on which values follow each other with nothing between them.

    Descriptors that came with a piece of the stream belong to the value that holds the last byte of that
    piece: Linux ends a read behind a piece that carries descriptors, and a sender attaches them to one
    value's bytes.
    """

    __slots__ = ("_attached", "_awaited", "_base", "_buffer", "_fed", "_scanned", "_scanner", "pending")

    def __init__(self, adopt: "Adopt", discard: "Discard", limit: int = DEFAULT_MAX_MESSAGE_SIZE) -> None:
        super().__init__(adopt, discard, limit)
        self.pending = False
        """True while :meth:`next` may find a whole value."""
        self._buffer = bytearray()  # what was received and not yet taken
        self._base = 0  # where it begins in the stream
        self._scanner: Any = None  # has looked at the buffer up to where a value ends or breaks off
        self._scanned = 0  # where the buffer begins for the scanner, which counts from its own first byte
        self._fed = 0  # up to where the scanner was fed
        self._awaited = 0  # no value is whole before the buffer reaches up to here
        self._attached: deque[tuple[int, Sequence[int]]] = deque()

    def decode(self, data: bytes, descriptors: "Sequence[int]" = ()) -> "Any":
        """Take in a piece of the stream; the first value that is whole by now, :class:`Large`, or NOTHING."""
        return _value_of(self.decode_message(data, descriptors))

    def decode_message(self, data: bytes, descriptors: "Sequence[int]" = ()) -> "Any":
        """As :meth:`decode`, as a :class:`Message`."""
        if not self._buffer and not descriptors and len(data) <= self.limit:
            try:
                value = msgpack.unpackb(
                    data,
                    strict_map_key=False,
                    timestamp=3,
                    ext_hook=_no_descriptor,
                    max_array_len=SHORT_ARRAY,
                )
            except REFUSALS:
                pass  # more or less than one value, or one to look at more closely
            else:
                self._base += len(data)
                return Message(value, data)
        self._feed(data, descriptors)
        return self.next_message()

    def next(self) -> "Any":
        """The next value, :class:`Large`, or :data:`NOTHING` while none is whole."""
        return _value_of(self.next_message())

    def next_message(self) -> "Any":
        """As :meth:`next`, as a :class:`Message`."""
        size = self._whole_value()
        if size is None:
            self.pending = False
            return NOTHING
        if size > self.limit:
            raise too_large(size, self.limit)
        if size == len(self._buffer):
            self._scanner = None  # with its copy of the value
        raw, start = bytes(memoryview(self._buffer)[:size]), self._base
        self._forget(size)
        value = self.build(raw, self._descriptors_up_to(start + size), start, scanned=True)
        return value if isinstance(value, Large) else Message(value, raw)

    def read_ahead(self) -> int:
        """Bytes that were received and not yet taken as values."""
        return len(self._buffer)

    def close(self) -> None:
        """Forget what was not taken; its descriptors are discarded."""
        while self._attached:
            self.drop(self._attached.popleft()[1])
        self._buffer.clear()
        self.pending = False

    def _feed(self, data: bytes, descriptors: "Sequence[int]") -> None:
        if not self._buffer:
            self._scanner = new_scanner(self.limit + PACKET_LIMIT)
            self._scanned = self._fed = self._awaited = 0
        self._buffer += data
        self.pending = True
        if descriptors:
            self._attached.append((self._base + len(self._buffer), descriptors))
            held = sum(len(some) for _, some in self._attached)
            if held > DESCRIPTOR_LIMIT:
                raise ProtocolError(
                    f"{held} descriptors came before one value was whole; {DESCRIPTOR_LIMIT} are allowed",
                    self._base,
                )

    def _whole_value(self) -> int | None:
        """The size of the value at the head of the buffer, None while it is not whole."""
        received = self._scanned + len(self._buffer)
        if not self._buffer or received < self._awaited:
            return None
        with memoryview(self._buffer) as buffer:
            self._scanner.feed(buffer[self._fed - self._scanned :])
        self._fed = received
        try:
            self._scanner.skip()
        except msgpack.OutOfData:
            size = max(len(self._buffer), self._least_size())
            if max(size, self._claim()) > self.limit:
                raise too_large(max(size, self._claim()), self.limit) from None
            self._awaited = self._scanned + size
            return None
        except REFUSALS as error:
            offset = self._base + self._scanner.tell() - self._scanned
            raise ProtocolError(refusal(error), offset) from None
        end: int = self._scanner.tell()
        return end - self._scanned

    def _least_size(self) -> int:
        """What the value at the head of the buffer must measure, as far as its bytes tell.

        The scanner keeps a copy of a str, a bytes or an ext value until that is whole; it is not fed before.
        """
        buffer = self._buffer
        if len(buffer) >= 5 and buffer[0] in _LONG:
            return 5 + int.from_bytes(buffer[1:5], "big")
        broke_off: int = self._scanner.tell() - self._scanned
        if len(buffer) - broke_off > _LONGEST_SHORT:
            return broke_off + int.from_bytes(buffer[broke_off - 4 : broke_off], "big")
        return 0

    def _claim(self) -> int:
        """What an array or a map at the head of the buffer must measure by its count, 0 if it is none.

        Unlike for :meth:`_least_size` nothing is awaited because of it: nonsense in the first item is told at
        once.
        """
        buffer = self._buffer
        if len(buffer) < 5 or buffer[0] not in _LONG_COUNTS:
            return 0
        return 5 + _LONG_COUNTS[buffer[0]] * int.from_bytes(buffer[1:5], "big")

    def _forget(self, size: int) -> None:
        del self._buffer[:size]
        self._base += size
        self._scanned += size

    def _descriptors_up_to(self, end: int) -> list[int]:
        """The descriptors of the value that ends at this place of the stream."""
        own: list[int] = []
        while self._attached and self._attached[0][0] <= end:
            own += self._attached.popleft()[1]
        return own


def _no_descriptor(_kind: int, _payload: bytes) -> "Any":
    """The ext hook where no descriptors came: no ext type can be right, and the careful way tells why."""
    raise ProtocolError("a handle without descriptor")


def _value_of(message: "Any") -> "Any":
    return message.value if isinstance(message, Message) else message
