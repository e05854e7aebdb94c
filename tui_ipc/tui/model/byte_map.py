"""A message as value and as bytes: which bytes hold which part of the value, and the other way round.

The bytes are indexed a little at a time, by :meth:`ByteMap.advance`. No question waits for that: the answer
is None where it has not been found yet.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple, assert_never

from tui_ipc import events as ev
from tui_ipc.events.message_values import decode_stored
from tui_ipc.ipc.errors import IpcError
from tui_ipc.text import notation
from tui_ipc.text.msgpack_index import MsgpackIndex, Path, PlacedToken, Token
from tui_ipc.tui.model.tree_model import Position, ValueNode

WALK_STEPS: Final = 500
"""Tokens that one call of :meth:`ByteMap.advance` indexes; takes about 2 ms."""

SCAN_LIMIT: Final = 1000
"""Up to which entry a map is counted through to find one; beyond, its keys are listed once."""

TEXT_SCAN_LIMIT: Final = 1 << 20
"""The longest text, in characters, in which the bytes of a piece are found if it is not ASCII."""

DUPLICATE_KEY_LIMIT: Final = 10_000
"""The largest map, in keys, in which duplicate keys are found."""

DECODE_LIMIT: Final = 1 << 20
"""The longest message sent as raw bytes, in bytes, that is decoded to show the value."""

_MAP_OF_ONE, _NIL = b"\x81", b"\xc0"  # msgpack of the beginning of a map with one entry, and of None
_KEY_LIMIT: Final = 40  # characters of a key in the name of a position


class ByteRange(NamedTuple):
    """Bytes that belong together, and the token that they are or are part of."""

    start: int
    end: int
    token: Token


class Location(NamedTuple):
    """The value that some bytes belong to.

    Attributes:
        position: Where the value is in the message.
        is_key: Whether the bytes are those of its key, and not its own.
    """

    position: Position
    is_key: bool


class _EntryOrder(NamedTuple):
    """How the entries of a dict correspond to the pairs of a map in the bytes.

    They differ if a key is there more than once: the dict has it at the place of the first pair, with the
    value of the last. Both lists are empty if they do not differ.

    Attributes:
        pairs: For each entry, its pair in the bytes.
        entries: For each pair in the bytes, the entry with its key.
    """

    pairs: list[int]
    entries: list[int]

    def find_pair(self, entry: int) -> int:
        """Return the pair whose value an entry has."""
        return self.pairs[entry] if self.pairs else entry

    def find_entry(self, pair: int) -> int:
        """Return the entry that has the key of a pair."""
        return self.entries[pair] if self.entries else pair


_SAME_ORDER: Final = _EntryOrder([], [])


class ByteMap:
    """Maps the parts of one message to its bytes and back.

    Args:
        value: The message.
        raw: Its bytes.

    Attributes:
        raw: The bytes.
        index: The tokens of the bytes, as far as they have been indexed.
        value: The value that the bytes encode.
        is_value: Whether they encode one; if not, ``value`` is the bytes themselves.
    """

    def __init__(self, value: Any, raw: bytes) -> None:
        self.raw = raw
        self.index = MsgpackIndex(raw)
        self.value, self.is_value = _decode_raw(value, raw)
        self._orders: dict[Path, _EntryOrder] = {}
        self._key_lists: dict[int, list[Any]] = {}
        self.advance()

    def advance(self) -> bool:
        """Index some more of the bytes; False if there was nothing left to index."""
        return self.index.advance(WALK_STEPS)

    def byte_range(self, node: ValueNode) -> ByteRange | None:
        """Return the bytes of a node; None if they are not indexed yet, or it has none of its own."""
        if not self.is_value:
            start, stop = (0, len(self.raw)) if node.kind == "value" else (node.start, node.stop)
            return ByteRange(start, stop, Token(start, start, stop, "bytes as they were sent", "bin"))
        path = self._path(node.position)
        if path is None:
            return None
        if node.kind == "value" and node.parent is None:
            whole = self.index.find_token(path)  # its end is that of the bytes, indexed or not
            return None if whole is None else ByteRange(0, len(self.raw), whole)
        if node.kind == "value":
            return self._find_range(path, path)
        if node.is_text:
            return self._find_text_range(path, node)
        first, last = self._child(path, node.owner, node.start), self._child(path, node.owner, node.stop - 1)
        if first is None or last is None:
            return None
        if isinstance(node.value, Mapping):
            first = (*first[:-1], first[-1] - 1)  # a map's path has its keys at even places: begin at the key
        return self._find_range(first, last)

    def location(self, place: PlacedToken) -> Location | None:
        """Return the value that a token belongs to; None if it is not in the value, or not known yet."""
        if not self.is_value or place.path[0] != 0:
            return None
        value: Any = self.value
        position: Position = ()
        for depth, child in enumerate(place.path[1:], 1):
            if isinstance(value, Mapping):
                order = self._find_order(place.path[:depth], value)
                if order is None:
                    return None
                entry = order.find_entry(child // 2)
                position = (*position, entry)
                if child % 2 == 0:  # even places are keys, odd ones values
                    return Location(position, is_key=True)
                value = self._entry(value, entry)[1]
            elif isinstance(value, list | tuple) and child < len(value):
                position = (*position, child)
                value = value[child]
            else:
                break  # a handle and the like are shown as one word
        return Location(position, is_key=False)

    def name(self, position: Position) -> str:
        """Name a position as JSONPath does: ``$.result[2]``."""
        value, name = self.value, "$"
        for place in position:
            if isinstance(value, Mapping):
                key, value = self._entry(value, place)
                plain = isinstance(key, str) and key.isidentifier() and key.isascii()
                name += f".{key}" if plain else f"[{notation.render_value(key, _KEY_LIMIT)}]"
            else:
                name += f"[{place}]"
                value = value[place]
        return name

    def _entry(self, value: Mapping[Any, Any], place: int) -> tuple[Any, Any]:
        """An entry of a map by its place."""
        if place < SCAN_LIMIT:
            return next(islice(value.items(), place, None))
        keys = self._key_lists.get(id(value))
        if keys is None:
            keys = self._key_lists[id(value)] = list(value)
        return keys[place], value[keys[place]]

    def _find_range(self, first: Path, last: Path) -> ByteRange | None:
        """Return the bytes from the beginning of one value to the end of another."""
        beginning, ending = self.index.find_value(first), self.index.find_value(last)
        if beginning is None or ending is None or ending.end is None:
            return None
        return ByteRange(beginning.token.start, ending.end, beginning.token)

    def _find_text_range(self, path: Path, node: ValueNode) -> ByteRange | None:
        found = self.index.find_value(path)
        if found is None:
            return None
        if len(node.value) > TEXT_SCAN_LIMIT and isinstance(node.value, str) and not node.value.isascii():
            return ByteRange(found.token.start, found.token.end, found.token)
        start, stop = (
            found.token.payload_start + _encoded_length(node.value, number)
            for number in (node.start, node.stop)
        )
        return ByteRange(start, min(stop, found.token.end), found.token)

    def _path(self, position: Position) -> Path | None:
        """Return the path of a value in the index, which counts a map's keys and values one by one."""
        value: Any = self.value
        path: Path = (0,)
        for place in position:
            if isinstance(value, Mapping):
                order = self._find_order(path, value)
                if order is None:
                    return None
                path = (*path, 2 * order.find_pair(place) + 1)
                value = self._entry(value, place)[1]
            else:
                path = (*path, place)
                value = value[place]
        return path

    def _child(self, path: Path, owner: ValueNode, place: int) -> Path | None:
        if not isinstance(owner.value, Mapping):
            return (*path, place)
        return self._path((*owner.position, place))

    def _find_order(self, path: Path, value: Mapping[Any, Any]) -> _EntryOrder | None:
        """Return the order of a map's entries; None if it is not known yet, or is not searched for."""
        token = self.index.find_token(path)
        if token is None:
            return None
        if token.items == len(value):
            return _SAME_ORDER
        if path not in self._orders:
            whole = self._find_range(path, path)
            if whole is None or token.items > DUPLICATE_KEY_LIMIT:
                return None
            self._orders[path] = _order_entries(self._keys(path, whole))
        order = self._orders[path]
        return order if len(order.pairs) == len(value) else None

    def _keys(self, path: Path, whole: ByteRange) -> Iterator[Any]:
        """Decode the keys of a map in the bytes, duplicates included."""
        for place in self.index.tokens(whole.start, whole.end):
            if len(place.path) == len(path) + 1 and place.path[-1] % 2 == 0:
                key = self._find_range(place.path, place.path)
                assert key is not None, "the whole map is indexed"
                # A list as a key is decoded to a tuple, which can be hashed: so it is decoded as a key here.
                yield from decode_stored(_MAP_OF_ONE + self.raw[key.start : key.end] + _NIL)


def map_event_bytes(event: ev.AnyEvent | None) -> ByteMap | None:
    """Return the byte map of an event that has bytes, None for any other."""
    match event:
        case ev.MessageSent() | ev.MessageReceived():
            return ByteMap(event.value, event.raw)
        case ev.HelloReceived():
            return ByteMap(event.raw, event.raw)
        case ev.Fault(received=bytes(received)) if received:
            return ByteMap(received, received)
        case (
            ev.ServerListening()
            | ev.ChildSpawned()
            | ev.ChildConnected()
            | ev.ChannelsOpen()
            | ev.StepLate()
            | ev.ChildOutput()
            | ev.ChannelClosed()
            | ev.SignalSent()
            | ev.ChildStopped()
            | ev.ChildContinued()
            | ev.ChildExited()
            | ev.HandshakeFailed()
            | ev.Fault()
            | ev.Audit()
            | ev.ScriptStep()
            | ev.Note()
            | None
        ):
            return None  # no msgpack came with it
        case _:
            assert_never(event)


def _decode_raw(value: Any, raw: bytes) -> tuple[Any, bool]:
    """Return the value of a message, and whether its bytes encode it: raw bytes are sent as they are."""
    if not isinstance(value, bytes) or value != raw:
        return value, True
    try:
        return (decode_stored(raw), True) if len(raw) <= DECODE_LIMIT else (raw, False)
    except IpcError:
        return raw, False


def _order_entries(keys: Iterable[Any]) -> _EntryOrder:
    """Find the order of the dict that these keys make."""
    found: dict[Any, int] = {}
    order = _EntryOrder([], [])
    for pair, key in enumerate(keys):
        entry = found.setdefault(key, len(found))
        order.entries.append(entry)
        order.pairs[entry : entry + 1] = [pair]  # appends a new entry, or gives an old one its later pair
    return order


def _encoded_length(text: Any, number: int) -> int:
    """How many bytes the first ``number`` characters of a text take."""
    if isinstance(text, str) and not text.isascii():
        return len(text[:number].encode("utf-8", "surrogatepass"))
    return number
