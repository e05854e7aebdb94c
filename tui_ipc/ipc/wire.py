"""The wire: what a message may hold, how it is packed, and the limits that PROTOCOL.md states.

Pure: nothing here opens, reads, waits or closes. Descriptors are plain integers, and a handle is whatever
owns one.
"""

from collections import namedtuple
from datetime import UTC, datetime, timedelta
from itertools import chain

import msgpack

from tui_ipc.ipc.errors import MessageTooLarge, TooManyHandles
from tui_ipc.ipc.handle import Handle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, NamedTuple

SHORT_LIMIT = 32 * 1024
"""Bytes of the longest message that goes in the channel itself; a longer one gets a stream of its own.

Linux queues what one ``sendmsg`` carries as one piece up to half the send buffer, and no more than 48 KiB of
it, so that messages of several senders cannot mix below this size."""

DESCRIPTOR_LIMIT = 253
"""Descriptors of one message at most: the kernel's SCM_MAX_FD, see unix(7)."""

LARGE_DESCRIPTOR_LIMIT = DESCRIPTOR_LIMIT - 1
"""Handles of a large message at most: its stream takes a descriptor of its own."""

DEFAULT_MAX_MESSAGE_SIZE = 64 * 1024 * 1024

KEPT_LIMIT = 192 * 1024
"""Bytes of the longest message that goes on a side stream which is kept for the next ones. The least buffer
that Linux gives when asked for a large one, 208 KiB times two, takes twice as much."""

KEPT_STREAMS = 64
"""Side streams that a receiver keeps at most."""

OFFERED = 0xFF
"""In place of the number of a kept stream: this one may be kept."""

SENDER, RECEIVER, SHARED_MEMORY, LARGE, FILE_DESCRIPTOR = range(1, 6)
"""Ext types. The payload of a handle begins with the index of its descriptor, one unsigned byte."""

NESTING_LIMIT = 1024
"""Containers inside each other at most: what msgpack unpacks. It packs one more if that is empty, which
:func:`check_receivable` finds."""

COLLISION_LIMIT = 16
"""Pairs of tuple keys with the same hash, for each tuple key of a map, at most. Python's hash of a tuple has
no secret: whoever chooses the keys can make all of them collide, and building their map takes quadratic
time."""

if TYPE_CHECKING:

    class Message(NamedTuple):
        """A received message.

        Attributes:
            value: The message.
            raw: Its bytes on the wire, msgpack.
        """

        value: Any
        raw: bytes

    class Large(NamedTuple):
        """The announcement of a message whose body comes on a stream of its own.

        Attributes:
            size: Bytes of the body.
            descriptors: The stream's, unless it is a kept one, then those of the message's handles.
            number: That of the kept stream, :data:`OFFERED`, or None for a stream that serves once.
            head: The first bytes of the body, which do not come on a kept stream.
        """

        size: int
        descriptors: list[int]
        number: int | None = None
        head: bytes = b""
else:
    Message = namedtuple("Message", ("value", "raw"))
    Large = namedtuple("Large", ("size", "descriptors", "number", "head"), defaults=(None, b""))


class Encoder:
    """Packs values one after the other and collects the handles that they hold.

    Attributes:
        pack: ``pack(value) -> bytes``; raises TypeError or ValueError for what no message can hold. What
            is not of a type in :data:`PLAIN` is for :func:`check_receivable` to see, with the bytes.
        handles: The handles of the values packed since this list was last cleared, each once.
    """

    __slots__ = ("handles", "pack")

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        # The buffer grows; 256 KiB at once, msgpack's default, would be mapped afresh for each encoder.
        self.pack: Callable[[object], bytes] = msgpack.Packer(default=self._replace, buf_size=4096).pack

    def _replace(self, value: object) -> object:
        """Called by msgpack for what it does not know."""
        if isinstance(value, Handle):
            return msgpack.ExtType(*self._attach(value))
        if isinstance(value, datetime):
            return _timestamp(value)
        if isinstance(value, int):
            bits = value.bit_length()
            raise ValueError(f"an integer of {bits} bits does not fit into 64; send it as a str or as bytes")
        raise _make_type_error(value)

    def _attach(self, handle: Handle) -> tuple[int, bytes]:
        kind, rest = handle._describe()
        index = next((i for i, other in enumerate(self.handles) if other is handle), len(self.handles))
        if index == DESCRIPTOR_LIMIT:
            raise too_many_handles(DESCRIPTOR_LIMIT)
        if index == len(self.handles):
            self.handles.append(handle)
        return kind, bytes((index,)) + rest


def _make_type_error(value: object) -> TypeError:
    """The error for a value of a type that no message can hold."""
    remedy = ""
    if hasattr(value, "tobytes") and hasattr(value, "tolist"):  # what numpy has: arrays and scalars
        remedy = "; send its tolist(), or its tobytes() beside its shape and type"
    elif isinstance(value, msgpack.Timestamp):
        remedy = "; send its to_datetime()"
    elif isinstance(value, msgpack.ExtType):
        remedy = "; send its code and its data as a list"
    elif hasattr(value, "fileno"):  # open files and sockets
        remedy = "; send a FileDescriptor of it"
    kind = type(value)  # numpy has a bool of its own
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    return TypeError(
        f"a message cannot hold a {name}; it holds None, bool, int, float, str, bytes, "
        f"list, tuple, dict, datetime, Sender, Receiver, SharedMemory and FileDescriptor{remedy}"
    )


IDLE: "list[Encoder]" = []
"""Encoders not in use. Taking one out makes packing safe in any thread and inside any finalizer, and costs
less than making one; only those that packed a short message return, so that none keeps a large buffer."""


def idle_encoder() -> Encoder:
    """One from :data:`IDLE`, or a new one; threads may ask at once."""
    try:
        return IDLE.pop()
    except IndexError:
        return Encoder()


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime.min.replace(tzinfo=UTC) - _EPOCH, datetime.max.replace(tzinfo=UTC) - _EPOCH


def _timestamp(moment: datetime) -> "msgpack.Timestamp":
    if moment.utcoffset() is None:
        raise ValueError(f"{moment!r} has no time zone; a time stamp on the wire is UTC, so give it one")
    since: timedelta = moment - _EPOCH
    if not _FIRST <= since <= _LAST:
        raise ValueError(f"{moment!r} is outside the years 1 to 9999 in UTC; send it as a str")
    return msgpack.Timestamp(since.days * 86_400 + since.seconds, since.microseconds * 1000)


def explain_refusal(error: ValueError | BufferError) -> ValueError:
    """What is wrong with a value that msgpack refused to pack, in words that tell the remedy."""
    if isinstance(error, UnicodeEncodeError):
        return ValueError(
            f"the str holds a lone surrogate, {error.object[error.start]!a}, at index {error.start}, which "
            "UTF-8 cannot express; send it as bytes"
        )
    if isinstance(error, BufferError):
        return ValueError(f"the memoryview cannot be read in one piece ({error}); send its tobytes()")
    if str(error).startswith("recursion limit"):
        return _make_depth_error()
    return error


def _make_depth_error() -> ValueError:
    return ValueError(f"the value is nested deeper than {NESTING_LIMIT}, or holds itself")


PLAIN = frozenset((type(None), bool, int, float, str, bytes))
"""Types of messages that :func:`check_receivable` need not see."""

_LISTS = (list, tuple)
_CONTAINERS = frozenset((dict, *_LISTS))
_FOREIGN = (msgpack.ExtType, msgpack.Timestamp)

_SHORT = 128
"""Bytes of a message up to which it is never nested too deeply, and keys never collide too often."""

_EXT_HEADERS = b"\xc7\xc8\xc9\xd4\xd5\xd6\xd7\xd8"
_TRACES = [bytes((header,)) for header in b"\x80\x90\xde\xdf" + _EXT_HEADERS]
"""Of one container too many, which is packed only if it is empty: a fixmap or a fixarray of no items. Of many
keys: map 16 and map 32. Of ext values."""

_MANY = 2 * COLLISION_LIMIT + 2
"""Keys of the smallest map whose keys can collide too often: all with the same hash are n(n - 1)/2 pairs."""


def check_receivable(value: object, data: bytes) -> None:
    """Refuse what can be packed and would be refused on arrival, so that it does not cost the channel.

    Such values are rare, and to look for them everywhere would cost more than packing does. Each leaves a
    trace in the bytes, which is found faster: only then is the value looked at.

    Args:
        value: What was packed, of a type that is not in :data:`PLAIN`.
        data: Its bytes.

    Raises:
        TypeError: It holds an ExtType or a Timestamp of msgpack's, which would pass for ours.
        ValueError: It is nested too deeply, or the keys of a map collide.
    """
    size = len(data)
    if size <= _SHORT:
        if len(data.translate(None, _EXT_HEADERS)) < size:
            _check_content(value)
        return
    if any(trace in data for trace in _TRACES):
        _check_content(value)


def _check_content(value: object) -> None:
    """Look at what a value holds, one level of its containers after the other: that is done by C."""
    from_each = chain.from_iterable
    depth = 0
    level: Sequence[Any] = (value,)
    while kinds := set(map(type, level)) - PLAIN:
        depth += 1
        if not kinds <= _CONTAINERS:
            for item in level:
                if isinstance(item, _FOREIGN):
                    raise _make_type_error(item)
        maps = [item for item in level if isinstance(item, dict)]
        for item in maps:
            if len(item) >= _MANY:
                check_keys(item)
        lists = [item for item in level if isinstance(item, _LISTS)]
        if depth > NESTING_LIMIT and (maps or lists):
            raise _make_depth_error()
        level = [*from_each(lists), *from_each(maps), *from_each(map(dict.values, maps))]


def check_keys(keys: "Iterable[object]") -> None:
    """Raise ValueError if keys of a map collide so often that building it would take too long.

    Only tuples are counted. The hash of a str or bytes is seeded, and of other keys few have the same.
    """
    counts: dict[int, int] = {}
    total = 0
    for key in keys:
        if isinstance(key, tuple):
            value = hash(key)
            counts[value] = counts.get(value, 0) + 1
            total += 1
    pairs = sum(count * (count - 1) // 2 for count in counts.values() if count > 1)
    if pairs > COLLISION_LIMIT * total:
        raise ValueError(
            f"{total} tuples as keys of a map make {pairs} pairs with the same hash; "
            f"{COLLISION_LIMIT * total} are allowed"
        )


def encode(value: object) -> bytes:
    """Pack one value that holds no handles.

    Raises:
        TypeError: A message cannot hold such a value, or it holds a handle.
        ValueError: An integer beyond 64 bits, a time without zone or outside the years 1 to 9999, a lone
            surrogate, nested too deeply, keys that collide.
    """
    encoder = idle_encoder()
    data = pack_checked(encoder, value)
    if encoder.handles:
        raise TypeError("handles have no bytes of their own; only a Sender can send them")
    if len(data) <= SHORT_LIMIT:
        IDLE.append(encoder)
    return data


def pack_checked(encoder: Encoder, value: object) -> bytes:
    """The bytes of a message that a receiver will take; its handles are the encoder's then."""
    try:
        data = encoder.pack(value)
    except (ValueError, BufferError) as error:
        raise explain_refusal(error) from None
    if value.__class__ not in PLAIN:
        check_receivable(value, data)
    return data


BLOB_HEADER_SIZE = 5


def blob_header(size: int) -> bytes:
    """What precedes the content of a long ``bytes`` value: the bin 32 header."""
    return b"\xc6" + size.to_bytes(4, "big")


ANNOUNCEMENT = b"\xc7\x08\x04"
"""How a large message is announced: ext type 4, and 8 bytes that give its size."""

KEPT_ANNOUNCEMENT_SIZES = range(12, 12 + BLOB_HEADER_SIZE + 1)
"""Bytes of an announcement with a number: of a kept stream, which the first bytes of the body may follow, or
:data:`OFFERED`."""


def announce(size: int, number: int | None = None, head: bytes = b"") -> bytes:
    """What goes into the channel for a message of ``size`` bytes, which comes on a side stream; see Large."""
    if number is None:
        return ANNOUNCEMENT + size.to_bytes(8, "big")
    return b"\xc7%c\x04%b%b" % (9 + len(head), (size << 8 | number).to_bytes(9, "big"), head)


def is_numbered(data: bytes) -> bool:
    """Whether bytes of one of those sizes are an announcement with a number."""
    return data[0] == 0xC7 and data[2] == LARGE and data[1] == len(data) - 3


def too_large(size: int, limit: int) -> MessageTooLarge:
    """The error for a message over the limit."""
    sentence = f"message of {size:,} bytes exceeds the limit of {limit:,}".replace(",", " ")
    return MessageTooLarge(f"{sentence}; raise it with max_message_size")


def too_many_handles(limit: int) -> TooManyHandles:
    """The error for a message with more handles than can travel with it."""
    return TooManyHandles(f"more than {limit} handles in one message; spread them over several messages")
