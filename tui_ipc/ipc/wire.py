"""The wire: values to packets and packets to values, without any I/O.

The one rule: no byte of a peer's makes this module allocate more than it sent. Whatever claims to be long
(an array header, a nested tower of them) is scanned to its end before it is built, and whatever breaks a
rule of PROTOCOL.md becomes one :class:`~tui_ipc.ipc.errors.ProtocolError` that names the byte.

Nothing here opens, reads, waits or closes: descriptors are plain integers, and the caller says how one
becomes an endpoint (``adopt``) and how one is given up (``discard``).
"""

from collections import namedtuple
from types import GenericAlias

import msgpack

from tui_ipc.ipc.errors import MessageTooLarge, ProtocolError, TooManyHandles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Generic, NamedTuple, TypeVar

    T = TypeVar("T")

    Adopt = Callable[[int, int, bytes], "Handle"]
    Discard = Callable[[int], None]

PACKET_LIMIT = 128 * 1024
"""Bytes of one packet at most. Measured: up to here a packet is faster than a side stream; the kernel's
default send buffer (208 KiB) holds one with room to spare."""

STREAM_PACKET_LIMIT = 32 * 1024
"""The same where a channel is a byte stream: what Linux writes in one piece, so that senders do not
interleave."""

DESCRIPTOR_LIMIT = 253
"""Descriptors of one packet at most: the kernel's SCM_MAX_FD, see unix(7)."""

LARGE_DESCRIPTOR_LIMIT = DESCRIPTOR_LIMIT - 1
"""Handles of a large message at most: its stream takes a descriptor of its own."""

DEFAULT_MAX_MESSAGE_SIZE = 64 * 1024 * 1024

SENDER, RECEIVER, SHARED_MEMORY, LARGE = 1, 2, 3, 4
"""Ext types. The payload of a handle begins with the index of its descriptor, one unsigned byte."""

NESTING_LIMIT = 1024
"""Containers inside each other at most: what msgpack packs and unpacks."""

SHORT_ARRAY = 512
"""Arrays up to this length are built at once; a longer one is scanned first, since its header alone would
make the decoder allocate its list (8 bytes an item, and nested headers multiply)."""

NOTHING: "Any" = type("Nothing", (), {"__repr__": lambda self: "NOTHING", "__slots__": ()})()
"""What a decoder returns when it holds no whole message."""

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
            descriptors: The stream's, then those of the message's handles.
        """

        size: int
        descriptors: list[int]
else:
    Message = namedtuple("Message", ("value", "raw"))
    Large = namedtuple("Large", ("size", "descriptors"))


class Handle:
    """What travels inside a message by its descriptor: a sender, a receiver or a shared memory."""

    __slots__ = ()

    def fileno(self) -> int:
        """The descriptor; raises :class:`~tui_ipc.ipc.errors.Closed` if there is none any more."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the descriptor. Closing twice is harmless."""
        raise NotImplementedError

    def _describe(self) -> "tuple[int, bytes]":
        """The ext type, and what its payload says after the index; raises if the handle may not travel
        now.
        """
        raise NotImplementedError

    def _left(self) -> None:
        """Called once the message that holds this handle is on its way."""


if TYPE_CHECKING:

    class TypedHandle(Handle, Generic[T]):
        """A handle that is typed by the messages it carries."""
else:

    class TypedHandle(Handle):
        """Makes ``Sender[int]`` an expression without importing ``typing``, 3 ms of every child's start."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)


class Encoder:
    """Packs values one after the other and collects the handles that they hold.

    Attributes:
        pack: ``pack(value) -> bytes``; raises TypeError or ValueError for what no message can hold.
        handles: The handles of the values packed since this list was last cleared, each once.
    """

    __slots__ = ("handles", "pack")

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.pack: Callable[[object], bytes] = msgpack.Packer(default=self._replace, datetime=True).pack

    def _replace(self, value: object) -> object:
        """Called by msgpack for what it does not know."""
        if isinstance(value, Handle):
            return msgpack.ExtType(*self._attach(value))
        if isinstance(value, int):
            bits = value.bit_length()
            raise ValueError(f"an integer of {bits} bits does not fit into 64; send it as a str or as bytes")
        if hasattr(value, "utcoffset"):
            raise ValueError(f"{value!r} has no time zone; a time stamp on the wire is UTC, so give it one")
        raise TypeError(
            f"a message cannot hold a {type(value).__name__}; it holds None, bool, int, float, str, bytes, "
            "list, tuple, dict, datetime, Sender, Receiver and SharedMemory"
        )

    def _attach(self, handle: Handle) -> tuple[int, bytes]:
        kind, rest = handle._describe()
        index = next((i for i, other in enumerate(self.handles) if other is handle), len(self.handles))
        if index == DESCRIPTOR_LIMIT:
            raise too_many_handles(DESCRIPTOR_LIMIT)
        if index == len(self.handles):
            self.handles.append(handle)
        return kind, bytes((index,)) + rest


def explained(error: ValueError) -> ValueError:
    """What is wrong with a value that msgpack refused to pack, in words that tell the remedy."""
    if isinstance(error, UnicodeEncodeError):
        return ValueError(
            f"the str holds a lone surrogate, {error.object[error.start]!a}, at index {error.start}, which "
            "UTF-8 cannot express; send it as bytes"
        )
    if str(error).startswith("recursion limit"):
        return ValueError(f"the value is nested deeper than {NESTING_LIMIT}, or holds itself")
    return error


def encode(value: object) -> bytes:
    """Pack one value that holds no handles.

    Raises:
        TypeError: A message cannot hold such a value, or it holds a handle.
        ValueError: An integer beyond 64 bits, a time without zone, a lone surrogate, nested too deeply.
    """
    encoder = Encoder()
    try:
        data = encoder.pack(value)
    except ValueError as error:
        raise explained(error) from None
    if encoder.handles:
        raise TypeError("handles have no bytes of their own; only a Sender can send them")
    return data


BLOB_HEADER_SIZE = 5


def blob_header(size: int) -> bytes:
    """What precedes the content of a long ``bytes`` value: the bin 32 header."""
    return b"\xc6" + size.to_bytes(4, "big")


def announce(size: int) -> bytes:
    """The packet that stands for a message of ``size`` bytes which comes on a stream of its own."""
    return b"\xc7\x08\x04" + size.to_bytes(8, "big")


def too_large(size: int, limit: int) -> MessageTooLarge:
    """The error for a message over the limit."""
    sentence = f"message of {size:,} bytes exceeds the limit of {limit:,}".replace(",", " ")
    return MessageTooLarge(f"{sentence}; raise it with max_message_size")


def too_many_handles(limit: int) -> TooManyHandles:
    """The error for a message with more handles than its packet can carry."""
    return TooManyHandles(f"more than {limit} handles in one message; spread them over several messages")


class Builder:
    """Builds one whole message from its bytes and descriptors: what both kinds of decoder share.

    Args:
        adopt: ``adopt(ext type, descriptor, rest of the payload)`` makes a handle, which owns the descriptor
            from then on; it raises ProtocolError, and leaves the descriptor alone, if that is not what it
            claims to be.
        discard: Closes a descriptor that no value claimed.
        limit: Bytes of one message at most.
    """

    __slots__ = ("_adopt", "_discard", "limit")

    def __init__(self, adopt: "Adopt", discard: "Discard", limit: int = DEFAULT_MAX_MESSAGE_SIZE) -> None:
        self._adopt = adopt
        self._discard = discard
        self.limit = limit

    def build(
        self, raw: bytes, descriptors: "Sequence[int]" = (), offset: int = 0, *, scanned: bool = False
    ) -> "Any":
        """One whole message, or its :class:`Large` announcement.

        Every descriptor has an owner afterwards: a handle in the value, the announcement, or it is discarded.

        Args:
            raw: The bytes of exactly one value.
            descriptors: Those that came with it.
            offset: Where ``raw`` begins in the stream, for errors.
            scanned: Whether ``raw`` is known to be one whole value.

        Raises:
            ProtocolError: ``raw`` is not one value, or its handles and descriptors do not fit each other.
            MessageTooLarge: It announces more than ``limit`` bytes.
        """
        claims = _Claims(self._adopt, descriptors)
        try:
            if not scanned:
                scan(raw, offset)
            value = _unpack(raw, claims, offset)
            if isinstance(value, _Announcement):
                return self._announced(value.size, claims)
            if claims.announced:
                raise ProtocolError("ext type 4 (a large message) stands inside another value", offset)
        except BaseException:
            claims.revoke()
            self.drop(claims.unclaimed())
            raise
        self.drop(claims.unclaimed())
        return value

    def _announced(self, size: int, claims: "_Claims") -> Large:
        if size > self.limit:
            raise too_large(size, self.limit)
        if not claims.descriptors:
            raise ProtocolError("a large message is announced without the descriptor of its stream")
        return Large(size, claims.descriptors)

    def drop(self, descriptors: "Iterable[int]") -> None:
        """Discard descriptors that nobody claimed."""
        for descriptor in descriptors:
            self._discard(descriptor)


class _Announcement:
    """Ext type 4 as it stands in a packet."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size


class _Claims:
    """The ext hook for one message: gives each of its handles the descriptor that it names."""

    __slots__ = ("_adopt", "_handles", "announced", "descriptors")

    def __init__(self, adopt: "Adopt", descriptors: "Sequence[int]") -> None:
        self._adopt = adopt
        self._handles: dict[int, tuple[int, Handle]] = {}
        self.descriptors = list(descriptors)
        self.announced = False

    def __call__(self, kind: int, payload: bytes) -> "Handle | _Announcement":
        if kind == LARGE:
            if len(payload) != 8:
                raise ProtocolError(
                    f"the size of a large message is given in {len(payload)} bytes instead of 8"
                )
            self.announced = True
            return _Announcement(int.from_bytes(payload, "big"))
        if kind not in (SENDER, RECEIVER, SHARED_MEMORY):
            raise ProtocolError(f"unknown ext type {kind}")
        if not payload:
            raise ProtocolError("a handle without the index of its descriptor")
        return self._claim(kind, payload[0], payload[1:])

    def _claim(self, kind: int, index: int, rest: bytes) -> Handle:
        known = self._handles.get(index)
        if known is not None:
            if known[0] != kind:
                raise ProtocolError(f"descriptor {index} is claimed as ext type {known[0]} and as {kind}")
            return known[1]
        if index >= len(self.descriptors):
            raise ProtocolError(
                f"a handle names descriptor {index}, but {len(self.descriptors)} came with its message"
            )
        handle = self._adopt(kind, self.descriptors[index], rest)
        self._handles[index] = (kind, handle)
        return handle

    def unclaimed(self) -> list[int]:
        """The descriptors that no handle owns."""
        return [one for index, one in enumerate(self.descriptors) if index not in self._handles]

    def revoke(self) -> None:
        """Close the handles made so far: their message will not be delivered."""
        for _, handle in self._handles.values():
            handle.close()


REFUSALS = (ValueError, TypeError, OverflowError, ProtocolError)
"""What msgpack raises for bytes that it will not build, and what an ext hook raises."""


def new_scanner(capacity: int) -> "Any":
    """A msgpack.Unpacker that finds where values end; it holds up to ``capacity`` bytes."""
    return msgpack.Unpacker(max_buffer_size=capacity, read_size=min(capacity, 4096))


def scan(data: bytes, offset: int = 0) -> int:
    """The size of the first value in ``data``, found without building anything.

    Args:
        data: What may begin with a value.
        offset: Where it begins in its packet or stream, for errors.

    Raises:
        ProtocolError: It is cut off, no msgpack, or nested too deeply.
    """
    scanner = new_scanner(max(len(data), 1))
    scanner.feed(data)
    try:
        scanner.skip()
    except msgpack.OutOfData:
        raise ProtocolError(f"a value is cut off after {len(data)} bytes", offset + len(data)) from None
    except REFUSALS as error:
        raise ProtocolError(refusal(error), offset + scanner.tell()) from None
    size: int = scanner.tell()
    return size


def _unpack(raw: bytes, claims: _Claims, offset: int) -> "Any":
    """Build one whole value."""
    try:
        try:
            return msgpack.unpackb(raw, strict_map_key=False, timestamp=3, ext_hook=claims)
        except TypeError:
            # A key that is a list: hashable once it is a tuple, which costs a call for each map.
            return msgpack.unpackb(
                raw,
                strict_map_key=False,
                timestamp=3,
                ext_hook=claims,
                object_pairs_hook=_map_with_frozen_keys,
            )
    except REFUSALS as error:
        raise ProtocolError(refusal(error), offset) from None


def _map_with_frozen_keys(pairs: "list[tuple[Any, Any]]") -> "dict[Any, Any]":
    return {_frozen(key): value for key, value in pairs}


def _frozen(key: "Any") -> "Any":
    if isinstance(key, list):
        return tuple(_frozen(item) for item in key)
    if isinstance(key, dict):
        raise ProtocolError("a map is the key of a map")
    return key


def refusal(error: Exception) -> str:
    """What the peer did, from what msgpack or a hook said."""
    if isinstance(error, msgpack.FormatError):
        return "0xc1 begins no msgpack value"
    if isinstance(error, msgpack.StackError):
        return f"a value is nested deeper than {NESTING_LIMIT}"
    if isinstance(error, msgpack.ExtraData):
        return f"{len(error.extra)} bytes follow the value in a packet that carries descriptors"
    if isinstance(error, UnicodeDecodeError):
        return f"a str is not UTF-8: {error.reason}"
    if isinstance(error, ProtocolError):
        return str(error)
    return f"a value cannot be built: {error}"
