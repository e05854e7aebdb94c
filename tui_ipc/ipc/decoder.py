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

import msgpack

from tui_ipc.ipc.builder import NOTHING, REFUSALS, SHORT_ARRAY, Builder, refuse_handle, scan
from tui_ipc.ipc.errors import ProtocolError, TooManyHandles
from tui_ipc.ipc.value_buffer import ValueBuffer
from tui_ipc.ipc.wire import (
    ANNOUNCEMENT,
    DEFAULT_MAX_MESSAGE_SIZE,
    DESCRIPTOR_LIMIT,
    KEPT_ANNOUNCEMENT_SIZES,
    SHORT_LIMIT,
    Large,
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
        "_chunk",
        "_chunk_begin",
        "_cut",
        "_end",
        "_held",
        "_last",
        "_origin",
        "_place",
        "_previous",
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
        self._held = ValueBuffer(b"", position)  # what was received and not yet taken

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
            self._held.append(data)
            self.pending = True
        else:
            self.drop(descriptors)
            return
        if descriptors or not complete:
            count = self._held.attach(descriptors, complete=complete)
            if count > DESCRIPTOR_LIMIT:
                self._break()
                raise ProtocolError(
                    f"{count} descriptors came before one value was whole; {DESCRIPTOR_LIMIT} are allowed",
                    self._held.begin,
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

    @property
    def position(self) -> int:
        """Where the value begins in the stream that comes next, or that was refused."""
        return self._origin + self._place if self.state in (IDLE, BATCH) else self._held.begin

    def read_ahead(self) -> int:
        """Bytes that were received and not yet taken as values."""
        return self._end - self._place if self.state == BATCH else len(self._held)

    def unfinished(self, limit: int | None = None) -> bytes:
        """The bytes that were received and not yet taken as values, or the first ``limit`` of them."""
        if self.state != BATCH:
            return self._held.peek(limit)
        return self._chunk[len(self._chunk) - self.read_ahead() :][:limit]

    def close(self) -> None:
        """Forget what was not taken; its descriptors are discarded."""
        self.drop(self._held.clear())
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
            self.drop(self._take(size)[1])
        self.pending = False

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
            ext_hook=refuse_handle,
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

    def _begin_careful(self, data: bytes, base: int) -> None:
        self.state = CAREFUL
        self.pending = True
        self._cut = self._skips = False
        self._held = ValueBuffer(data, base)

    def _next_careful(self) -> "Any":
        held = self._held
        raw, begin = b"", held.begin
        try:
            size = self._measure()
            if size is None:
                self._cut = True
                self.pending = False
                return NOTHING
            if self._skips:  # its error was told when its header came
                self._skips = False
                self.drop(self._take(size)[1])
                return self.next() if self.pending else NOTHING
            raw, descriptors, complete = self._take(size)
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
            # What is held now begins with this message, unless that was taken out as a whole before its
            # content was found to be wrong.
            error.received, error.received_offset = (raw, begin) if raw else (held.peek(), held.begin)
            self._break()
            raise

    def _measure(self) -> int | None:
        """The size of the first value that is held, None while it is not whole."""
        size = self._held.measure()
        if size is not None:
            return size
        claimed = self._held.claimed
        if claimed > self.limit and (claimed > SHORT_LIMIT or not self._skips):
            # What a channel carries is short: its rest is awaited and skipped, and what follows it is read.
            # Of anything longer, the end is too far away to wait for.
            self._skips = self._cut = True
            self.pending = False
            if claimed > SHORT_LIMIT:
                self._break()
            raise too_large(claimed, self.limit)
        return None

    def _take(self, size: int) -> "tuple[bytes, list[int], bool]":
        """Take the first value that is held; its bytes, its descriptors, and whether they are all there."""
        held = self._held
        taken = held.take(size)
        if not held:
            self.state = IDLE
            self.pending = False
            self._origin = held.begin - self._end
        elif self._cut and held.is_plain() and len(held) <= self.limit:
            # What was cut off is whole now, and what follows it is an ordinary read.
            rest = held.peek()
            held.clear()
            self._origin = held.begin - self._end
            self._begin_batch(rest)
        return taken

    def _break(self) -> None:
        self.close()
        self.state = BROKEN
