"""One whole message from its bytes and descriptors, without any I/O.

What a peer merely claims is never allocated: whatever may claim to be long (an array header, a nested tower
of them) is scanned to its end before it is built. Whatever breaks a rule of PROTOCOL.md becomes one
:class:`~tui_ipc.ipc.errors.ProtocolError` that names the byte.

Descriptors are plain integers: the caller says how one becomes an endpoint (``adopt``) and how one is given
up (``discard``).
"""

import msgpack

from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.wire import (
    BLOB_HEADER_SIZE,
    DEFAULT_MAX_MESSAGE_SIZE,
    FILE_DESCRIPTOR,
    LARGE,
    NESTING_LIMIT,
    OFFERED,
    RECEIVER,
    SENDER,
    SHARED_MEMORY,
    Large,
    check_keys,
    too_large,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    Adopt = Callable[[int, int, bytes], Handle]
    Discard = Callable[[int], None]


_HANDLES = (SENDER, RECEIVER, SHARED_MEMORY, FILE_DESCRIPTOR)

SHORT_ARRAY = 512
"""Arrays up to this length are built at once; a longer one is scanned first, since its header alone would
make the decoder allocate its list (8 bytes an item, and nested headers multiply)."""

NOTHING: "Any" = type("Nothing", (), {"__repr__": lambda self: "NOTHING", "__slots__": ()})()
"""What is returned in place of a message that is not there."""


class Builder:
    """Builds one whole message from its bytes and descriptors.

    Args:
        adopt: ``adopt(ext type, descriptor, rest of the payload)`` makes a handle, which owns the descriptor
            from then on; it raises ProtocolError, and leaves the descriptor alone, if that is not what it
            claims to be.
        discard: Closes a descriptor that no value claimed.
        limit: Bytes of one message at most.
    """

    __slots__ = ("_discard", "adopt", "limit")

    def __init__(self, adopt: "Adopt", discard: "Discard", limit: int = DEFAULT_MAX_MESSAGE_SIZE) -> None:
        self.adopt = adopt
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
            MessageTooLarge: It has, or announces, more than ``limit`` bytes.
        """
        claims = _Claims(self.adopt, descriptors)
        try:
            if len(raw) > self.limit:
                raise too_large(len(raw), self.limit)
            if not scanned:
                scan(raw, offset)
            value = _unpack(raw, claims, offset)
            if isinstance(value, _Announcement):
                descriptors, claims.descriptors = claims.descriptors, []
                return self._announcement(value.payload, descriptors)
            if claims.has_announcement:
                raise ProtocolError("ext type 4 (a large message) is inside another value", offset)
        except BaseException as error:
            if isinstance(error, ProtocolError):
                error.received, error.received_offset = raw, offset
            claims.revoke()
            self.drop(claims.unclaimed())
            raise
        self.drop(claims.unclaimed())
        return value

    def _announcement(self, payload: bytes, descriptors: "Sequence[int]") -> Large:
        """What a large message is announced with; its descriptors are discarded if that is refused."""
        size = int.from_bytes(payload[:8], "big")
        number = payload[8] if len(payload) > 8 else None
        if number is None or number == OFFERED:
            if size > self.limit:
                self.drop(descriptors)
                raise too_large(size, self.limit)
            if not descriptors:
                raise ProtocolError("a large message is announced without the descriptor of its stream")
            if len(payload) > 9:
                self.drop(descriptors)
                raise ProtocolError("a part of a large message is announced with a stream that is not kept")
        return Large(size, list(descriptors), number, payload[9:])

    def drop(self, descriptors: "Iterable[int]") -> None:
        """Discard descriptors that nobody claimed."""
        for descriptor in descriptors:
            self._discard(descriptor)


class _Announcement:
    """Ext type 4, a large message announced, before it is known to be the whole value."""

    __slots__ = ("payload",)

    def __init__(self, payload: bytes) -> None:
        self.payload = payload


class _Claims:
    """The ext hook for one message: gives each of its handles the descriptor that it names."""

    __slots__ = ("_adopt", "_handles", "descriptors", "has_announcement")

    def __init__(self, adopt: "Adopt", descriptors: "Sequence[int]") -> None:
        self._adopt = adopt
        self._handles: dict[int, tuple[int, Handle]] = {}
        self.descriptors = list(descriptors)
        self.has_announcement = False

    def __call__(self, kind: int, payload: bytes) -> "Handle | _Announcement":
        if kind == LARGE:
            if not 8 <= len(payload) <= 9 + BLOB_HEADER_SIZE:
                raise ProtocolError(
                    f"a large message is announced in {len(payload)} bytes instead of 8 to 14"
                )
            self.has_announcement = True
            return _Announcement(payload)
        if kind not in _HANDLES:
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
        try:
            handle = self._adopt(kind, self.descriptors[index], rest)
        except ProtocolError as error:
            raise ProtocolError(f"handle {index}: {error}") from None
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


def new_scanner() -> "Any":
    """A msgpack.Unpacker that finds where values end, however long they are."""
    return msgpack.Unpacker(max_buffer_size=0, read_size=4096)


def scan(data: bytes, offset: int = 0) -> int:
    """The size of the first value in ``data``, found without building anything.

    Args:
        data: What may begin with a value.
        offset: Where it begins in its stream, for errors.

    Raises:
        ProtocolError: It is cut off, no msgpack, or nested too deeply.
    """
    scanner = new_scanner()
    scanner.feed(data)
    try:
        scanner.skip()
    except msgpack.OutOfData:
        raise ProtocolError(f"a value is cut off after {len(data)} bytes", offset + len(data)) from None
    except REFUSALS as error:
        raise ProtocolError(describe_refusal(error), offset + scanner.tell()) from None
    size: int = scanner.tell()
    return size


def build_plain(raw: bytes) -> "Any":
    """Build a message from its bytes if nothing about it needs a closer look, as in BATCH; else NOTHING.

    Args:
        raw: Bytes that may be one value.
    """
    try:
        return msgpack.unpackb(
            raw, strict_map_key=False, timestamp=3, ext_hook=refuse_handle, max_array_len=SHORT_ARRAY
        )
    except REFUSALS:
        return NOTHING


def refuse_handle(_kind: int, _payload: bytes) -> "Any":
    """The ext hook where no descriptors came: no ext type can be right, and the careful way says why."""
    raise ProtocolError("a handle without descriptor")


def _unpack(raw: bytes, claims: _Claims, offset: int) -> "Any":
    """Build one whole value."""
    try:
        if not claims.descriptors:
            try:
                return msgpack.unpackb(raw, strict_map_key=False, timestamp=3, ext_hook=claims)
            except TypeError:
                pass  # a key that is a list: hashable once it is a tuple, which costs a call for each map
        return msgpack.unpackb(
            raw,
            strict_map_key=False,
            timestamp=3,
            ext_hook=claims,
            object_pairs_hook=_whole_map if claims.descriptors else _map,
        )
    except REFUSALS as error:
        raise ProtocolError(describe_refusal(error), offset) from None


def _map(pairs: "list[tuple[Any, Any]]") -> "dict[Any, Any]":
    """A map whose keys may be lists; of the same key twice the last counts, as it does for msgpack."""
    keys = [_hashable(key) if isinstance(key, list | dict) else key for key, _ in pairs]
    check_keys(keys)
    try:
        return {key: value for key, (_, value) in zip(keys, pairs, strict=True)}
    except RecursionError:  # two deep keys with the same hash are compared
        raise ProtocolError("keys of a map are nested too deeply to be compared") from None


def _whole_map(pairs: "list[tuple[Any, Any]]") -> "dict[Any, Any]":
    """A map of a message with handles: one that the same key pushed out would be left without an owner."""
    whole = _map(pairs)
    if len(whole) < len(pairs):
        raise ProtocolError("a map of a message with handles holds a key twice")
    return whole


def _hashable(key: "list[Any] | dict[Any, Any]") -> "tuple[Any, ...]":
    """The key of a map that came as a list: a tuple, as are the lists inside it.

    Without recursion, since it may be nested as deep as any value: the lists are first listed so that each
    stands before those in it, and then made tuples from the last one back.
    """
    if isinstance(key, dict):
        raise ProtocolError("a map is the key of a map")
    nested = [key]
    for each in nested:  # grows meanwhile
        for item in each:
            if isinstance(item, list):
                nested.append(item)
            elif isinstance(item, dict):
                raise ProtocolError("a map is the key of a map")
    tuples: dict[int, tuple[Any, ...]] = {}
    for each in reversed(nested):
        tuples[id(each)] = tuple([tuples[id(item)] if isinstance(item, list) else item for item in each])
    return tuples[id(key)]


def describe_refusal(error: Exception) -> str:
    """What the peer did, from what msgpack or a hook said."""
    if isinstance(error, msgpack.FormatError):
        return "0xc1 is not the first byte of a msgpack value"
    if isinstance(error, msgpack.StackError):
        return f"a value is nested deeper than {NESTING_LIMIT}"
    if isinstance(error, msgpack.ExtraData):
        return f"{len(error.extra)} bytes follow the value"
    if isinstance(error, UnicodeDecodeError):
        return f"a str is not UTF-8: {error.reason}"
    if isinstance(error, ProtocolError):
        return str(error)
    return f"a value cannot be built: {error}"
