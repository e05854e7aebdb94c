"""What a value opens into, one step at a time.

The one rule: no step makes more than some hundred nodes or reads more than a page of text. So a long list or
map opens into groups of its items, a long text into groups of its characters, and groups into groups.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from rich.cells import cell_len

from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_visible

NodeKind = Literal["value", "group", "piece"]
Position = tuple[int, ...]
"""Where a value stands in another: its place among the items, or the entries, of each container around it."""

CHILD_LIMIT: Final = 100
"""How many items a container or a group shows at most; above, it shows groups, at most as many."""

PAGE_LENGTH: Final = 1000
"""The same for the characters of a text, or its bytes."""


@dataclass(slots=True, eq=False)
class ValueNode:
    """A value inside of a value, a group of its items or characters, or a piece of text that fits on a row.

    Attributes:
        kind: Which of these it is.
        parent: What it was opened from, None for the whole value.
        value: The value; that which a group or a piece is part of.
        start: Its place among the items, entries or characters of its container; where a group begins.
        stop: Where a group or a piece ends.
        key: Its key, if it is the value of a map's entry.
        depth: How many nodes it is inside of.
        children: What it was opened into, None while it is closed.
    """

    kind: NodeKind
    parent: "ValueNode | None"
    value: Any
    start: int = 0
    stop: int = 0
    key: Any = None
    depth: int = 0
    children: "list[ValueNode] | None" = None
    _keys: list[Any] | None = None

    @property
    def owner(self) -> "ValueNode":
        """The node of the value that this is or is part of."""
        node = self
        while node.kind != "value" and node.parent is not None:
            node = node.parent
        return node

    @property
    def position(self) -> Position:
        """Where the value that this is or is part of stands in the whole."""
        places = []
        node = self.owner
        while node.parent is not None:
            places.append(node.start)
            node = node.parent.owner
        return tuple(reversed(places))

    @property
    def content(self) -> Any:
        """The value that this stands for; of a group or a piece, that part of the value."""
        if self.kind == "value":
            return self.value
        if isinstance(self.value, Mapping):
            return dict(islice(self.value.items(), self.start, self.stop))
        return self.value[self.start : self.stop]

    @property
    def keys(self) -> list[Any]:
        """The keys of a map, listed once."""
        if self._keys is None:
            self._keys = list(self.value)
        return self._keys

    @property
    def is_text(self) -> bool:
        """Whether it consists of characters, or of bytes, and not of values."""
        return is_text(self.value)

    def can_open(self, room: int) -> bool:
        """Whether there is more to it than fits on one row of so many cells."""
        if self.kind != "value":
            return self.kind == "group"
        if self.is_text:
            return not _is_short_text(self.value, room)
        return isinstance(self.value, list | tuple | Mapping) and len(self.value) > 0

    def opened(self, room: int) -> list["ValueNode"]:
        """What it opens into.

        Args:
            room: The cells that a piece of text may take.
        """
        start, stop = (0, len(self.value)) if self.kind == "value" else (self.start, self.stop)
        size = _group_size(stop - start, PAGE_LENGTH if self.is_text else CHILD_LIMIT)
        if size:
            parts = [(first, min(stop, first + size)) for first in range(start, stop, size)]
            return [self._child("group", first, last) for first, last in parts]
        if self.is_text:
            return [self._child("piece", *part) for part in _split_text(self.value, start, stop, room)]
        return list(self._items(start, stop))

    def _child(self, kind: NodeKind, start: int, stop: int) -> "ValueNode":
        return ValueNode(kind, self, self.value, start, stop, depth=self.depth + 1)

    def _items(self, start: int, stop: int) -> Iterator["ValueNode"]:
        if isinstance(self.value, Mapping):
            keys = self.owner.keys[start:stop]
            entries = [(key, self.value[key]) for key in keys]
        else:
            entries = [(None, item) for item in self.value[start:stop]]
        for place, (key, item) in enumerate(entries, start):
            yield ValueNode("value", self, item, place, place + 1, key, self.depth + 1)


def is_text(value: Any) -> bool:
    """Whether a value is a string or binary."""
    return isinstance(value, str | bytes | bytearray)


def render_text(text: Any) -> str:
    """A string or binary in the notation, without its quotes, safe to show."""
    return make_visible(notation.render_value(text)[1 if isinstance(text, str) else 2 : -1])


def _is_short_text(text: Any, room: int) -> bool:
    return len(text) <= room and cell_len(notation.render_value(text)) <= room


def _group_size(length: int, most: int) -> int:
    """Into groups of how many something long is divided, 0 if it is not long."""
    if length <= most:
        return 0
    size = most
    while length > size * CHILD_LIMIT:
        size *= CHILD_LIMIT
    return size


def _split_text(text: Any, start: int, stop: int, room: int) -> Iterator[tuple[int, int]]:
    """Divide a text into pieces that fit into ``room`` cells, between lines or words where it can be."""
    while start < stop:
        end = _find_piece_end(text, start, min(stop, start + room), room)
        if isinstance(text, str):
            if line := text.find("\n", start, end) + 1:
                end = line
            elif end < stop and (word := text.rfind(" ", start + (end - start) * 2 // 3, end) + 1):
                end = word
        yield start, end
        start = end


def _find_piece_end(text: Any, start: int, end: int, room: int) -> int:
    while (cells := cell_len(render_text(text[start:end]))) > room and end - start > 1:
        end = start + max(1, (end - start) * room // cells)
    return end
