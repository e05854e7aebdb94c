"""A message as value and as bytes: which bytes hold which part of the value, and the other way round.

The one rule: nothing here waits. What the bytes have not been walked to is None, and :meth:`Dissection.walk`
walks on, a little at a time.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple

from tui_ipc.events import AnyEvent, HelloReceived, MessageReceived, MessageSent
from tui_ipc.events.message_values import decode_stored
from tui_ipc.ipc.errors import IpcError
from tui_ipc.text import notation
from tui_ipc.text.msgpack_index import MsgpackIndex, Path, PlacedToken, Token
from tui_ipc.tui.model.value_node import Position, ValueNode

WALK_STEPS: Final = 500
"""Steps of one walk: 2 ms or so."""

SCAN_LIMIT: Final = 1000
"""Entries of a map that are counted through to find one."""

TEXT_SCAN_LIMIT: Final = 1 << 20
"""In texts of up to so many characters the bytes of a piece are found; in longer ones if they are ASCII."""

DUPLICATE_KEY_LIMIT: Final = 10_000
"""In maps of up to so many keys it is found out which of them are there twice."""

DECODE_LIMIT: Final = 1 << 20
"""Up to so many bytes that were sent as they are, are shown as the value that they make, if they do."""

_MAP_OF_ONE, _NIL = b"\x81", b"\xc0"  # a list as a key is built as such only where it is one
_KEY_LIMIT: Final = 40  # characters of a key in the name of a place


class ByteRange(NamedTuple):
    """Bytes that belong together, and what they are, or are inside of."""

    start: int
    end: int
    part: Token


class Location(NamedTuple):
    """Whose bytes these are.

    Attributes:
        position: The value that they belong to.
        is_key: Whether they are not its own, but its key's.
    """

    position: Position
    is_key: bool


class _EntryOrder(NamedTuple):
    """How the entries of a map stand in the bytes; empty if they stand there as they are shown.

    Attributes:
        shown: For each entry that is shown, its pair in the bytes.
        places: For each pair in the bytes, the entry that is shown of its key.
    """

    shown: list[int]
    places: list[int]

    def pair(self, place: int) -> int:
        """Which pair is shown at a place."""
        return self.shown[place] if self.shown else place

    def place(self, pair: int) -> int:
        """At which place the key of a pair is shown."""
        return self.places[pair] if self.places else pair


_SAME_ORDER: Final = _EntryOrder([], [])


class ByteMap:
    """What is known of one message.

    Args:
        value: The message.
        raw: Its bytes.

    Attributes:
        raw: Those bytes.
        anatomy: Their structure.
        value: What they mean.
        is_value: Whether they mean something; if not, they are the value themselves.
    """

    def __init__(self, value: Any, raw: bytes) -> None:
        self.raw = raw
        self.anatomy = MsgpackIndex(raw)
        self.value, self.is_value = _decode_raw(value, raw)
        self._orders: dict[Path, _EntryOrder] = {}
        self._key_lists: dict[int, list[Any]] = {}
        self.walk()

    def walk(self) -> bool:
        """Walk on a little; False if there is nothing more to walk."""
        return self.anatomy.advance(WALK_STEPS)

    def byte_range(self, node: ValueNode) -> ByteRange | None:
        """The bytes of a node; None if they have not been walked to, or it has none of its own."""
        if not self.is_value:
            start, stop = (0, len(self.raw)) if node.kind == "value" else (node.start, node.stop)
            return ByteRange(start, stop, Token(start, start, stop, "bytes as they were sent", "bin"))
        path = self._path(node.position)
        if path is None:
            return None
        if node.kind == "value" and node.parent is None:
            whole = self.anatomy.part(path)  # where it ends is known before it is walked to
            return None if whole is None else ByteRange(0, len(self.raw), whole)
        if node.kind == "value":
            return self._of(path, path)
        if node.is_text:
            return self._find_text_range(path, node)
        first, last = self._child(path, node.owner, node.start), self._child(path, node.owner, node.stop - 1)
        if first is None or last is None:
            return None
        if isinstance(node.value, Mapping):
            first = (*first[:-1], first[-1] - 1)  # with its key
        return self._of(first, last)

    def location(self, place: PlacedToken) -> Location | None:
        """The value that a part of the bytes belongs to; None if it is not in the value, or not known yet."""
        if not self.is_value or place.path[0] != 0:
            return None
        value: Any = self.value
        position: Position = ()
        for depth, child in enumerate(place.path[1:], 1):
            if isinstance(value, Mapping):
                order = self._order(place.path[:depth], value)
                if order is None:
                    return None
                number = order.place(child // 2)
                position = (*position, number)
                if child % 2 == 0:
                    return Location(position, is_key=True)
                value = self._entry(value, number)[1]
            elif isinstance(value, list | tuple) and child < len(value):
                position = (*position, child)
                value = value[child]
            else:
                break  # a handle or the like, shown as a word
        return Location(position, is_key=False)

    def name(self, position: Position) -> str:
        """The place of a value in words that many tools know: ``$.result[2]``."""
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
        """An entry of a map by its place, which takes a list of its keys where it has many."""
        if place < SCAN_LIMIT:
            return next(islice(value.items(), place, None))
        keys = self._key_lists.get(id(value))
        if keys is None:
            keys = self._key_lists[id(value)] = list(value)
        return keys[place], value[keys[place]]

    def _of(self, first: Path, last: Path) -> ByteRange | None:
        """From the beginning of one value to the end of another."""
        beginning, ending = self.anatomy.find(first), self.anatomy.find(last)
        if beginning is None or ending is None or ending.end is None:
            return None
        return ByteRange(beginning.part.start, ending.end, beginning.part)

    def _find_text_range(self, path: Path, node: ValueNode) -> ByteRange | None:
        found = self.anatomy.find(path)
        if found is None:
            return None
        if len(node.value) > TEXT_SCAN_LIMIT and isinstance(node.value, str) and not node.value.isascii():
            return ByteRange(found.part.start, found.part.end, found.part)
        start, stop = (
            found.part.payload + _encoded_length(node.value, number) for number in (node.start, node.stop)
        )
        return ByteRange(start, min(stop, found.part.end), found.part)

    def _path(self, position: Position) -> Path | None:
        """Where the bytes of a value are."""
        value: Any = self.value
        path: Path = (0,)
        for place in position:
            if isinstance(value, Mapping):
                order = self._order(path, value)
                if order is None:
                    return None
                path = (*path, 2 * order.pair(place) + 1)
                value = self._entry(value, place)[1]
            else:
                path = (*path, place)
                value = value[place]
        return path

    def _child(self, path: Path, owner: ValueNode, place: int) -> Path | None:
        if not isinstance(owner.value, Mapping):
            return (*path, place)
        return self._path((*owner.position, place))

    def _order(self, path: Path, value: Mapping[Any, Any]) -> _EntryOrder | None:
        """How the entries of a map stand in the bytes; None if that is not known yet, or cannot be."""
        part = self.anatomy.part(path)
        if part is None:
            return None
        if part.items == len(value):
            return _SAME_ORDER
        if path not in self._orders:
            whole = self._of(path, path)
            if whole is None or part.items > DUPLICATE_KEY_LIMIT:
                return None
            self._orders[path] = _order(self._keys(path, whole))
        order = self._orders[path]
        return order if len(order.shown) == len(value) else None

    def _keys(self, path: Path, whole: ByteRange) -> Iterator[Any]:
        """The keys of a map in the bytes, as often as they are there."""
        for place in self.anatomy.parts(whole.start, whole.end):
            if len(place.path) == len(path) + 1 and place.path[-1] % 2 == 0:
                key = self._of(place.path, place.path)
                assert key is not None, "what is inside of a known map is known"
                yield from decode_stored(_MAP_OF_ONE + self.raw[key.start : key.end] + _NIL)


def map_event_bytes(event: AnyEvent | None) -> ByteMap | None:
    """The dissection of an event that brought bytes, None of any other."""
    match event:
        case MessageSent() | MessageReceived():
            return ByteMap(event.value, event.raw)
        case HelloReceived():
            return ByteMap(event.raw, event.raw)
        case _:
            return None


def _decode_raw(value: Any, raw: bytes) -> tuple[Any, bool]:
    """The value of a message, and whether it is that of its bytes, which were perhaps sent as they are."""
    if not isinstance(value, bytes) or value != raw:
        return value, True
    try:
        return (decode_stored(raw), True) if len(raw) <= DECODE_LIMIT else (raw, False)
    except IpcError:
        return raw, False


def _order(keys: Iterable[Any]) -> _EntryOrder:
    """As a dict does it: of a key given again the last value counts, at the place of the first."""
    found: dict[Any, int] = {}
    order = _EntryOrder([], [])
    for pair, key in enumerate(keys):
        place = found.setdefault(key, len(found))
        order.places.append(place)
        order.shown[place : place + 1] = [pair]
    return order


def _encoded_length(text: Any, number: int) -> int:
    """How many bytes the first characters of a text take."""
    if isinstance(text, str) and not text.isascii():
        return len(text[:number].encode("utf-8", "surrogatepass"))
    return number
