"""A value as rows that open on demand, and which of them are open. Nothing here knows where a row is drawn.

The one rule: what is closed costs nothing, and what is open costs no text until it is looked at.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rich.cells import cell_len

from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural
from tui_ipc.tui.model.styled_line import Line, Span, line
from tui_ipc.tui.model.value_node import PAGE_LENGTH, Position, ValueNode, is_text, render_text

INITIAL_ROWS: Final = 250
"""How many rows are made at first: as soon as there are so many, nothing more is opened."""

INITIAL_DEPTH: Final = 12
"""How deep is opened at first."""

MIN_TEXT_WIDTH: Final = 24
"""Cells that the text of a row has at least, however deep it stands: the view is shifted to show it."""

INDENT: Final = 2

_KEY_LIMIT: Final = 60  # characters of a key


class TreeModel:
    """The rows of a value.

    Args:
        value: Anything that a message holds.
        width: The cells of a row.

    Attributes:
        root: The whole value.
        rows: What is there to be seen, in order.
    """

    def __init__(self, value: Any, width: int) -> None:
        self.root = ValueNode("value", None, value)
        self.rows: list[ValueNode] = []
        self._held = False
        self.fit(width)

    def can_open(self, node: ValueNode) -> bool:
        """Whether there is more to a row than it shows."""
        return node.can_open(self._room(node))

    def open(self, index: int) -> bool:
        """Open a row; False if it is open already, or there is nothing to open."""
        node = self.rows[index]
        if node.children is not None or not self.can_open(node):
            return False
        node.children = self._opened(node)
        self.rows[index + 1 : index + 1] = node.children
        self.hold()
        return True

    def close(self, index: int) -> bool:
        """Close a row; False if it is not open."""
        node = self.rows[index]
        if node.children is None:
            return False
        del self.rows[index + 1 : self._behind(index)]
        node.children = None
        self.hold()
        return True

    def open_all(self, index: int, limit: int) -> bool:
        """Open a row and what is in it, long texts excepted, until so many rows are there.

        Returns:
            Whether all could be opened.
        """
        behind = self._behind(index)
        while index < behind:
            node = self.rows[index]
            if len(self.rows) >= limit and node.children is None and self.can_open(node):
                return False
            before = len(self.rows)
            if not (node.is_text and len(node.value) > PAGE_LENGTH):
                self.open(index)
            behind += len(self.rows) - before
            index += 1
        return True

    def reveal(self, position: Position) -> int:
        """Open whatever a value is inside of; returns the index of its row."""
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
        """Lay the rows out for another width."""
        self._width = width
        if not self._held:
            self.root.children = None
            self._open_initially()
        for node in self.rows:
            if node.children and node.children[0].kind == "piece":
                node.children = self._opened(node)
        self.rows = list(_iterate_open_rows(self.root))

    def hold(self) -> None:
        """Let what is open stay open, and the other way round, whatever the width: somebody looks at it."""
        self._held = True

    def line(self, index: int) -> Line:
        """What a row says."""
        node = self.rows[index]
        mark = "▾ " if node.children is not None else "▸ " if self.can_open(node) else "  "
        if node is self.root and mark == "  ":
            return line(*_format_content(node, self._width))
        begin = Span(" " * (INDENT * node.depth)), Span(mark, "muted"), *_format_label(node)
        return line(*begin, *_format_content(node, self._room(node)))

    def _room(self, node: ValueNode) -> int:
        """The cells that are left on a row for its text."""
        return max(
            MIN_TEXT_WIDTH,
            self._inner_width(node.depth) - sum(cell_len(span.text) for span in _format_label(node)),
        )

    def _inner_width(self, depth: int) -> int:
        return self._width - INDENT * depth - 2

    def _opened(self, node: ValueNode) -> list[ValueNode]:
        return node.opened(max(MIN_TEXT_WIDTH, self._inner_width(node.depth + 1)))

    def _behind(self, index: int) -> int:
        """The index behind all that belongs to a row."""
        depth = self.rows[index].depth
        following = range(index + 1, len(self.rows))
        return next((place for place in following if self.rows[place].depth <= depth), len(self.rows))

    def _open_initially(self) -> None:
        """Open what is worth to be seen at once: the outer before the inner, of groups the first."""
        rows = 1
        waiting = deque((self.root,))
        while waiting and rows < INITIAL_ROWS:
            node = waiting.popleft()
            if self._is_worth_opening(node, INITIAL_ROWS - rows):
                node.children = self._opened(node)
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
    """A value in the notation, cut to some cells with the size that the notation adds to what it cuts."""
    limit = room
    text = make_visible(notation.render_value(value, limit))
    while (over := cell_len(text) - room) > 0 and limit > 1:
        limit = max(1, limit - over)
        text = make_visible(notation.render_value(value, limit))
    return text


def describe_size(node: ValueNode) -> str:
    """How much a container, a text or a group of it holds: ``map, 3 keys``; of what is neither, nothing."""
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
