"""A byte stream and its descriptors in, messages out, without any I/O.

``decode(data, descriptors)`` takes in what one read gave and returns the first message that is whole,
``next()`` each further one while ``pending``; ``NOTHING`` means: read on. Whatever arrives, the result is a
message, :class:`~tui_ipc.ipc.wire.Large`, ``NOTHING`` or one typed error, and every descriptor has found an
owner or was discarded.

There are two ways to take a message, and the decoder is in one of these states:

========  ======================================  ==========================================================
state     holds                                   left for
========  ======================================  ==========================================================
IDLE      nothing                                 BATCH by a read; CAREFUL by one with descriptors
BATCH     what one read gave, unlooked at         IDLE after its last value; CAREFUL at one that is cut off,
                                                  long, a handle or wrong
CAREFUL   bytes, of which one value after the     IDLE after the last value; BATCH once the value that was
          other is measured and then built        cut off is whole, with what follows it
BROKEN    nothing                                 never: where the next value begins is not known
========  ======================================  ==========================================================

In BATCH msgpack builds each value straight from the bytes. That is safe as long as nothing in them can claim
to be long, and right as long as no value needs a descriptor. CAREFUL looks at each byte once as well: a value
that is not whole is kept with the place where the scan of it broke off, so that a message which comes byte by
byte costs no more than one that comes at once.
"""

from collections import deque

import msgpack

from tui_ipc.ipc.builder import REFUSALS, Builder, describe_refusal, new_scanner, scan
from tui_ipc.ipc.errors import ProtocolError, TooManyHandles
from tui_ipc.ipc.wire import (
    ANNOUNCEMENT,
    DEFAULT_MAX_MESSAGE_SIZE,
    DESCRIPTOR_LIMIT,
    KEPT_ANNOUNCEMENT_SIZES,
    SHORT_LIMIT,
    Large,
    Message,
    is_numbered,
    too_large,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from tui_ipc.ipc.builder import Adopt, Discard

IDLE, BATCH, CAREFUL, BROKEN = range(4)

_KEPT = 4096
"""Bytes that an unpacker's buffer begins with."""

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


class StreamDecoder(Builder):
    """Decodes a byte stream, on which values follow each other with nothing between them.

    Descriptors that came with a read belong to the value that holds the last byte of that read: Linux ends a
    read behind the first piece that carries descriptors, and a sender attaches them to one value's bytes.

    Attributes:
        pending: True while :meth:`next` may find a whole value.
        state: One of the above.

    Args:
        adopt: See :class:`Builder`.
        discard: See :class:`Builder`.
        limit: Bytes of one message at most.
        position: Where the first byte is in its stream.
    """

    __slots__ = (
        "_attached",
        "_awaited",
        "_base",
        "_buffer",
        "_chunk",
        "_chunk_begin",
        "_cut",
        "_end",
        "_fed",
        "_last",
        "_origin",
        "_place",
        "_previous",
        "_scanned",
        "_scanner",
        "_skips",
        "_unpacker",
        "pending",
        "state",
    )

    def __init__(
        self, adopt: "Adopt", discard: "Discard", limit: int = DEFAULT_MAX_MESSAGE_SIZE, position: int = 0
    ) -> None:
        super().__init__(adopt, discard, limit)
        self.pending = False
        self.state = IDLE
        # BATCH. Places are counted as the unpacker counts, from the first byte that it was given,
        self._unpacker: Any = None
        self._origin = position  # which has this place in the stream.
        self._chunk = b""  # what the last read gave,
        self._chunk_begin = 0  # from here on
        self._end = 0  # where it ends
        self._previous = 0  # where the value that was given last begins
        self._place = 0  # and ends; the next one begins there
        # CAREFUL
        self._last: bytes | None = None  # the bytes of the value that was given last, unless by BATCH
        self._cut = False  # whether the value at the head was not whole when it was looked at
        self._skips = False  # whether it is too large, and to be forgotten once it is whole
        self._buffer = bytearray()  # what was received and not yet taken
        self._base = 0  # where it begins in the stream
        self._scanner: Any = None  # has looked at the buffer up to where a value ends or breaks off
        self._scanned = 0  # where the buffer begins for the scanner, which counts from its own first byte
        self._fed = 0  # up to where the scanner was fed
        self._awaited = 0  # no value is whole before the buffer reaches up to here
        self._attached: deque[tuple[int, Sequence[int], bool]] = deque()  # (end of their read, they, all?)

    def decode(self, data: bytes, descriptors: "Sequence[int]" = ()) -> "Any":
        """Take in what one read gave; the first value that is whole by now, :class:`Large`, or NOTHING."""
        size = len(data)
        if self.state != IDLE or descriptors or size > self.limit or not size:
            return self.decode_carefully(data, descriptors)
        if size in KEPT_ANNOUNCEMENT_SIZES and is_numbered(data):
            return self._decode_announcement(data, ())
        # The usual read: nothing was held, and no descriptor came. As feed() and next(), without the calls.
        unpacker = self._unpacker or self._new_unpacker()
        begin = self._end
        self._chunk = data
        self._chunk_begin = self._previous = self._place = begin
        self._end = end = begin + size
        self._last = None
        try:
            unpacker.feed(data)
            value = unpacker.unpack()
        except (msgpack.OutOfData, *REFUSALS):
            return self._look_closely()
        self._place = place = unpacker.tell()
        if place != end:
            self.state = BATCH
            self.pending = True
        return value

    def decode_carefully(
        self, data: bytes, descriptors: "Sequence[int]" = (), *, complete: bool = True
    ) -> "Any":
        """As :meth:`decode` of whatever is not the usual read; arguments as for :meth:`feed`."""
        if self.state == IDLE and descriptors and complete and len(data) <= self.limit:
            # A read ends with what descriptors came with. As a rule that is all of it, and one message.
            size = len(data)
            if (
                data.startswith(ANNOUNCEMENT)
                if size == 11
                else size in KEPT_ANNOUNCEMENT_SIZES and is_numbered(data)
            ):
                return self._decode_announcement(data, descriptors)
            try:
                whole = scan(data) == len(data)
            except ProtocolError:
                whole = False
            if whole:
                begin = self._origin + self._end
                self._origin += len(data)
                self._last = data
                return self.build(data, descriptors, begin, scanned=True)
        self.feed(data, descriptors, complete=complete)
        return self.next() if self.pending else NOTHING

    def _decode_announcement(self, data: bytes, descriptors: "Sequence[int]") -> "Large":
        """A large message's announcement that is all of a read, while nothing was held."""
        self._origin += len(data)
        self._last = data
        return self._announcement(data[3:], descriptors)

    def feed(self, data: bytes, descriptors: "Sequence[int]" = (), *, complete: bool = True) -> None:
        """Take in what one read gave, for :meth:`next` to find.

        Args:
            data: The bytes.
            descriptors: Those that came with them.
            complete: Whether they are all that were sent: the kernel drops what finds no room.

        Raises:
            ProtocolError: More descriptors came than one message may have.
        """
        if not data:
            self.drop(descriptors)
            return
        if self.state == IDLE and not descriptors and complete and len(data) <= self.limit:
            self._begin_batch(data)
            return
        if self.state == BATCH:  # fed before it was emptied
            self._leave_batch()
        if self.state == IDLE:
            self._begin_careful(data, self._origin + self._end)
        elif self.state == CAREFUL:
            self._buffer += data
            self.pending = True
        else:
            self.drop(descriptors)
            return
        if descriptors or not complete:
            self._attached.append((self._base + len(self._buffer), descriptors, complete))
            held = sum(len(some) for _, some, _ in self._attached)
            if held > DESCRIPTOR_LIMIT:
                self._break()
                raise ProtocolError(
                    f"{held} descriptors came before one value was whole; {DESCRIPTOR_LIMIT} are allowed",
                    self._base,
                )

    def next(self) -> "Any":
        """The next value, :class:`Large`, or :data:`NOTHING` while none is whole."""
        if self.state == BATCH:
            try:
                value = self._unpacker.unpack()
            except (msgpack.OutOfData, *REFUSALS):
                return self._look_closely()
            self._last = None
            self._previous = self._place
            self._place = place = self._unpacker.tell()
            if place == self._end:
                self.state = IDLE
                self.pending = False
                if len(self._chunk) > SHORT_LIMIT:  # do not keep so much until the next read
                    self._last = self.raw()
                    self._forget_unpacker()
            return value
        return self._next_careful() if self.state == CAREFUL else NOTHING

    def raw(self) -> bytes:
        """The bytes of the value that was returned last."""
        if self._last is not None:
            return self._last
        begin = self._chunk_begin
        return self._chunk[self._previous - begin : self._place - begin]

    def decode_message(self, data: bytes, descriptors: "Sequence[int]" = ()) -> "Any":
        """As :meth:`decode`, as a :class:`Message`."""
        return self._with_bytes(self.decode(data, descriptors))

    def next_message(self) -> "Any":
        """As :meth:`next`, as a :class:`Message`."""
        return self._with_bytes(self.next())

    def _with_bytes(self, value: "Any") -> "Any":
        return value if value is NOTHING or value.__class__ is Large else Message(value, self.raw())

    @property
    def position(self) -> int:
        """Where the value begins in the stream that comes next, or that was refused."""
        return self._origin + self._place if self.state in (IDLE, BATCH) else self._base

    def read_ahead(self) -> int:
        """Bytes that were received and not yet taken as values."""
        return self._end - self._place if self.state == BATCH else len(self._buffer)

    def unfinished(self, limit: int | None = None) -> bytes:
        """The bytes that were received and not yet taken as values, or the first ``limit`` of them."""
        if self.state != BATCH:
            return bytes(self._buffer[:limit])
        return self._chunk[len(self._chunk) - self.read_ahead() :][:limit]

    def close(self) -> None:
        """Forget what was not taken; its descriptors are discarded."""
        while self._attached:
            self.drop(self._attached.popleft()[1])
        self._buffer.clear()
        self._scanner = None
        self._forget_unpacker()
        self.state = IDLE
        self.pending = False

    def forget_whole(self) -> None:
        """Forget the values that are whole and not taken: after a fork they are the parent's."""
        if self.state == BATCH:
            self._leave_batch()
        while self.state == CAREFUL:
            size = self._measure()
            if size is None:
                break
            self._cut = False  # go on one by one
            self.drop(self._forget(size)[0])
        self.pending = False

    # ------------------------------------------------------------------------------------------------ BATCH

    def _begin_batch(self, data: bytes) -> None:
        unpacker = self._unpacker or self._new_unpacker()
        self._chunk = data
        self._chunk_begin = self._previous = self._place = self._end
        self._end += len(data)
        unpacker.feed(data)
        self.state = BATCH
        self.pending = True

    def _new_unpacker(self) -> "Any":
        self._unpacker = unpacker = msgpack.Unpacker(
            strict_map_key=False,
            timestamp=3,
            ext_hook=_no_descriptor,
            max_array_len=SHORT_ARRAY,
            max_buffer_size=0,  # no limit of its own: it is given what one read brought
            read_size=_KEPT,
        )
        self._origin += self._end
        self._end = self._place = 0
        return unpacker

    def _look_closely(self) -> "Any":
        """Go on carefully from the value on that msgpack did not build: it tells what is the matter."""
        begin = self._place - self._chunk_begin
        end = begin + 3 + int.from_bytes(self._chunk[begin + 1 : begin + 2], "big")
        announcement = self._chunk[begin:end]
        if len(announcement) in KEPT_ANNOUNCEMENT_SIZES and is_numbered(announcement):
            # One of several messages that were read at once, and nothing is the matter.
            rest = self._chunk[end:]
            self._end -= len(self._chunk) - begin  # so far; what it goes on with is counted again
            self._forget_unpacker()
            self.state = IDLE
            self.pending = False
            found = self._decode_announcement(announcement, ())
            if rest:
                self._begin_batch(rest)
                self._last = announcement
            return found
        self._leave_batch()
        return self._next_careful()

    def _leave_batch(self) -> None:
        rest, place = self._chunk[self._place - self._chunk_begin :], self._origin + self._place
        self._forget_unpacker()  # it may hold a half-built value
        self._begin_careful(rest, place)

    def _forget_unpacker(self) -> None:
        self._unpacker = None
        self._origin += self._end
        self._chunk = b""
        self._chunk_begin = self._previous = self._place = self._end = 0

    # ---------------------------------------------------------------------------------------------- CAREFUL

    def _begin_careful(self, data: bytes, base: int) -> None:
        self.state = CAREFUL
        self.pending = True
        self._cut = self._skips = False
        self._buffer = bytearray(data)
        self._base = base
        self._scanner = new_scanner()
        self._scanned = self._fed = self._awaited = 0

    def _next_careful(self) -> "Any":
        raw, begin = b"", self._base
        try:
            size = self._measure()
            if size is None:
                self._cut = True
                self.pending = False
                return NOTHING
            if self._skips:  # its error was told when its header came
                self._skips = False
                self.drop(self._forget(size)[0])
                return self.next() if self.pending else NOTHING
            raw, begin = bytes(memoryview(self._buffer)[:size]), self._base
            descriptors, complete = self._forget(size)
            self._last = raw
            if size > self.limit:
                self.drop(descriptors)
                raise too_large(size, self.limit)
            if not complete:
                self.drop(descriptors)
                raise TooManyHandles(
                    f"a message came with more than the {len(descriptors)} descriptors that may still be "
                    "opened; raise the limit of open files (ulimit -n) or close some"
                )
            return self.build(raw, descriptors, begin, scanned=True)
        except ProtocolError as error:
            # What is in the buffer now begins with this message, unless that was taken out as a whole before
            # its content was found to be wrong.
            error.received, error.received_offset = (raw, begin) if raw else (bytes(self._buffer), self._base)
            self._break()
            raise

    def _measure(self) -> int | None:
        """The size of the value at the head of the buffer, None while it is not whole."""
        received = self._scanned + len(self._buffer)
        if received < self._awaited:
            return None
        with memoryview(self._buffer) as buffer:
            self._scanner.feed(buffer[self._fed - self._scanned :])
        self._fed = received
        try:
            self._scanner.skip()
        except msgpack.OutOfData:
            size = max(len(self._buffer), self._least_size())
            claimed = max(size, self._claim())
            self._awaited = self._scanned + size
            if claimed > self.limit and (claimed > SHORT_LIMIT or not self._skips):
                # What a channel carries is short: its rest is awaited and skipped, and what follows it is
                # read. Of anything longer, the end is too far away to wait for.
                self._skips = self._cut = True
                self.pending = False
                if claimed > SHORT_LIMIT:
                    self._break()
                raise too_large(claimed, self.limit) from None
            return None
        except REFUSALS as error:
            offset = self._base + self._scanner.tell() - self._scanned
            raise ProtocolError(describe_refusal(error), offset) from None
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

    def _forget(self, size: int) -> "tuple[list[int], bool]":
        """Take the value at the head out of the buffer; its descriptors, and whether they are all there."""
        if size == len(self._buffer):
            self._scanner = None  # with its copy of the value
        del self._buffer[:size]
        self._base += size
        self._scanned += size
        descriptors: list[int] = []
        complete = True
        while self._attached and self._attached[0][0] <= self._base:
            _, some, whole = self._attached.popleft()
            descriptors += some
            complete &= whole
        if not self._buffer:
            self.state = IDLE
            self.pending = False
            self._origin = self._base - self._end
        elif self._cut and not self._attached and len(self._buffer) <= self.limit:
            # What was cut off is whole now, and what follows it is an ordinary read.
            rest = bytes(self._buffer)
            self._buffer.clear()
            self._scanner = None
            self._origin = self._base - self._end
            self._begin_batch(rest)
        return descriptors, complete

    def _break(self) -> None:
        self.close()
        self.state = BROKEN


def build_plain(raw: bytes) -> "Any":
    """Build a message from its bytes if nothing about it needs a closer look, as in BATCH; else NOTHING.

    Args:
        raw: Bytes that may be one value.
    """
    try:
        return msgpack.unpackb(
            raw, strict_map_key=False, timestamp=3, ext_hook=_no_descriptor, max_array_len=SHORT_ARRAY
        )
    except REFUSALS:
        return NOTHING


def _no_descriptor(_kind: int, _payload: bytes) -> "Any":
    """The ext hook where no descriptors came: no ext type can be right, and the careful way tells why."""
    raise ProtocolError("a handle without descriptor")
