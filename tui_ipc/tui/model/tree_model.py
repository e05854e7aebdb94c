"""A value as a tree of rows that open on demand.

A closed node costs nothing, and the text of a row is made when it is shown. No step makes more than some
hundred nodes or reads more than a page of text: a long list or map opens into groups of its items, a long
text into groups of its characters, and large groups into smaller ones.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal

from rich.cells import cell_len

from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural
from tui_ipc.tui.model.styled_line import Line, Span, line

NodeKind = Literal["value", "group", "piece"]
Position = tuple[int, ...]
"""Where a value is in another: its place among the items or entries of each container around it."""

CHILD_LIMIT: Final = 100
"""How many items a container or a group opens into at most; with more items it opens into groups."""

PAGE_LENGTH: Final = 1000
"""How many characters or bytes a text or a group opens into at most; longer ones open into groups."""


@dataclass(slots=True, eq=False)
class ValueNode:
    """A value inside of a value, a group of its items or characters, or a piece of text that fits on a row.

    Attributes:
        kind: Which of the three it is.
        parent: The node that opened into this one, None for the whole value.
        value: The value; of a group or a piece, the value that it is part of.
        start: Its place among the items, entries or characters around it; of a group, that of the first.
        stop: The place after the last of a group or a piece.
        key: Its key, if it is the value of a map's entry.
        depth: How many nodes are around it.
        children: The nodes that it opened into, None while it is closed.
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
        """Where the value that this is or is part of is in the whole."""
        places = []
        node = self.owner
        while node.parent is not None:
            places.append(node.start)
            node = node.parent.owner
        return tuple(reversed(places))

    @property
    def content(self) -> Any:
        """The value; of a group or a piece, that part of the value."""
        if self.kind == "value":
            return self.value
        if isinstance(self.value, Mapping):
            return dict(islice(self.value.items(), self.start, self.stop))
        return self.value[self.start : self.stop]

    @property
    def keys(self) -> list[Any]:
        """The keys of a map, as a list that is made once."""
        if self._keys is None:
            self._keys = list(self.value)
        return self._keys

    @property
    def is_text(self) -> bool:
        """Whether it consists of characters or bytes, and not of values."""
        return is_text(self.value)

    def can_open(self, room: int) -> bool:
        """Whether it does not fit on one row of ``room`` cells."""
        if self.kind != "value":
            return self.kind == "group"
        if self.is_text:
            return not _is_short_text(self.value, room)
        return isinstance(self.value, list | tuple | Mapping) and len(self.value) > 0

    def make_children(self, room: int) -> list["ValueNode"]:
        """Return the nodes that it opens into.

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
    """Render a string or binary in the notation, without its quotes, safe to show."""
    return make_visible(notation.render_value(text)[1 if isinstance(text, str) else 2 : -1])


def _is_short_text(text: Any, room: int) -> bool:
    return len(text) <= room and cell_len(notation.render_value(text)) <= room


def _group_size(length: int, most: int) -> int:
    """How large the groups are that ``length`` items are divided into, 0 if they need no groups.

    The least of ``most``, ``most`` × 100, ``most`` × 100², … of which :data:`CHILD_LIMIT` groups suffice.
    """
    if length <= most:
        return 0
    size = most
    while length > size * CHILD_LIMIT:
        size *= CHILD_LIMIT
    return size


def _split_text(text: Any, start: int, stop: int, room: int) -> Iterator[tuple[int, int]]:
    """Divide a text into pieces that fit into ``room`` cells.

    A piece ends after the first line feed in it, else after the last space in its last third, else where
    there is no more room.
    """
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


INITIAL_ROWS: Final = 250
"""With how many rows no further node is opened at first."""

INITIAL_DEPTH: Final = 12
"""The depth down to which nodes are opened at first."""

MIN_TEXT_WIDTH: Final = 24
"""The least cells for the text of a row, however deep it is: the view scrolls sideways to show it."""

INDENT: Final = 2

_KEY_LIMIT: Final = 60  # characters of a key


class TreeModel:
    """The rows of a value, and which of them are open.

    Args:
        value: A message or what it holds.
        width: The cells of a row.

    Attributes:
        root: The whole value.
        rows: The visible nodes, in order.
    """

    def __init__(self, value: Any, width: int) -> None:
        self.root = ValueNode("value", None, value)
        self.rows: list[ValueNode] = []
        self._is_kept_open = False
        self.fit(width)

    def can_open(self, node: ValueNode) -> bool:
        """Whether a node does not fit on its row."""
        return node.can_open(self._room(node))

    def open(self, index: int) -> bool:
        """Open a row; False if it is open already, or cannot be opened."""
        node = self.rows[index]
        if node.children is not None or not self.can_open(node):
            return False
        node.children = self._make_children(node)
        self.rows[index + 1 : index + 1] = node.children
        self.keep_open()
        return True

    def close(self, index: int) -> bool:
        """Close a row; False if it is not open."""
        node = self.rows[index]
        if node.children is None:
            return False
        del self.rows[index + 1 : self._subtree_end(index)]
        node.children = None
        self.keep_open()
        return True

    def open_all(self, index: int, limit: int) -> bool:
        """Open a row and the rows in it, except long texts, until there are ``limit`` rows.

        Returns:
            Whether all were opened.
        """
        end = self._subtree_end(index)
        while index < end:
            node = self.rows[index]
            if len(self.rows) >= limit and node.children is None and self.can_open(node):
                return False
            before = len(self.rows)
            if not (node.is_text and len(node.value) > PAGE_LENGTH):
                self.open(index)
            end += len(self.rows) - before
            index += 1
        return True

    def reveal(self, position: Position) -> int:
        """Open all that is around a value; return the index of its row."""
        index = 0
        for place in position:
            found = False
            while not found:
                self.open(index)
                children = self.rows[index].children or []
                child = next(child for child in children if child.start <= place < child.stop)
                index = self.rows.index(child, index)
                found = child.kind == "value"
        return index

    def fit(self, width: int) -> None:
        """Adapt the rows to another width."""
        self._width = width
        if not self._is_kept_open:
            self.root.children = None
            self._open_initially()
        for node in self.rows:
            if node.children and node.children[0].kind == "piece":
                node.children = self._make_children(node)
        self.rows = list(_iterate_open_rows(self.root))

    def keep_open(self) -> None:
        """Keep what is open and what is closed from now on, at any width: the user has looked at it."""
        self._is_kept_open = True

    def line(self, index: int) -> Line:
        """The line that a row shows."""
        node = self.rows[index]
        mark = "▾ " if node.children is not None else "▸ " if self.can_open(node) else "  "
        if node is self.root and mark == "  ":
            return line(*_format_content(node, self._width))
        begin = Span(" " * (INDENT * node.depth)), Span(mark, "muted"), *_format_label(node)
        return line(*begin, *_format_content(node, self._room(node)))

    def _room(self, node: ValueNode) -> int:
        """The cells of a row that are free for its text."""
        return max(
            MIN_TEXT_WIDTH,
            self._inner_width(node.depth) - sum(cell_len(span.text) for span in _format_label(node)),
        )

    def _inner_width(self, depth: int) -> int:
        return self._width - INDENT * depth - 2

    def _make_children(self, node: ValueNode) -> list[ValueNode]:
        return node.make_children(max(MIN_TEXT_WIDTH, self._inner_width(node.depth + 1)))

    def _subtree_end(self, index: int) -> int:
        """The index after the last row inside of a row."""
        depth = self.rows[index].depth
        following = range(index + 1, len(self.rows))
        return next((place for place in following if self.rows[place].depth <= depth), len(self.rows))

    def _open_initially(self) -> None:
        """Open what is worth seeing at once: outer nodes before inner ones, and of groups the first."""
        rows = 1
        waiting = deque((self.root,))
        while waiting and rows < INITIAL_ROWS:
            node = waiting.popleft()
            if self._is_worth_opening(node, INITIAL_ROWS - rows):
                node.children = self._make_children(node)
                rows += len(node.children)
                waiting.extend(node.children)

    def _is_worth_opening(self, node: ValueNode, room: int) -> bool:
        if not self.can_open(node) or node.depth > INITIAL_DEPTH:
            return False
        if node.kind == "group":
            return node.start == 0
        if node is self.root:
            return True
        if is_text(node.value):
            return len(node.value) <= PAGE_LENGTH and room > PAGE_LENGTH // MIN_TEXT_WIDTH
        return len(node.value) <= room and not self._is_short(node)

    def _is_short(self, node: ValueNode) -> bool:
        room = self._room(node)
        return cell_len(notation.render_value(node.value, limit=room)) <= room


def _iterate_open_rows(root: ValueNode) -> Iterator[ValueNode]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children or ()))


def _format_label(node: ValueNode) -> tuple[Span, ...]:
    if node.kind == "piece" or node.parent is None:
        return ()
    if node.kind == "group":
        return (Span(f"[{format_count(node.start)} … {format_count(node.stop - 1)}]  ", "muted"),)
    if isinstance(node.parent.value, Mapping):
        return Span(make_visible(notation.render_value(node.key, _KEY_LIMIT)), "key"), Span(": ")
    return (Span(f"{format_count(node.start)}: ", "muted"),)


def _format_content(node: ValueNode, room: int) -> tuple[Span, ...]:
    if node.kind == "piece":
        return (Span(render_text(node.content), "string"),)
    if node.children is not None or node.kind == "group":
        return (Span(describe_size(node), "muted"),)
    return (Span(_truncate(node.value, room), _choose_paint(node.value)),)


def _truncate(value: Any, room: int) -> str:
    """Render a value in at most ``room`` cells, with the size that the notation adds to what it cuts."""
    limit = room
    text = make_visible(notation.render_value(value, limit))
    while (over := cell_len(text) - room) > 0 and limit > 1:
        limit = max(1, limit - over)
        text = make_visible(notation.render_value(value, limit))
    return text


def describe_size(node: ValueNode) -> str:
    """Describe the size of a container, a text or a group of either: ``map, 3 keys``; empty for a scalar."""
    value = node.value
    if isinstance(value, Mapping):
        kind, noun = "map", "key"
    elif isinstance(value, list | tuple):
        kind, noun = "array", "item"
    elif is_text(value):
        kind, noun = ("string", "character") if isinstance(value, str) else ("binary", "byte")
    else:
        return ""
    if node.kind == "group":
        return format_plural(node.stop - node.start, noun)
    return f"{kind}, {format_plural(len(value), noun)}"


def _choose_paint(value: Any) -> str:
    if is_text(value):
        return "string"
    if value is None or isinstance(value, bool):
        return "constant"
    return "number" if isinstance(value, int | float) else "text"
