"""The view of a value as a tree whose rows are opened and closed."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_ipc.text.units import format_count
from tui_ipc.tui.model.styled_line import Line
from tui_ipc.tui.model.tree_model import INDENT, MIN_TEXT_WIDTH, Position, TreeModel, ValueNode
from tui_ipc.tui.widgets.line_view import LineView

MAX_OPENED_ROWS: Final = 5_000
"""The most rows that opening a whole subtree may lead to."""


class TreeView(LineView):
    """Shows a value whose parts open on demand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", "Move", key_display="↑↓", id="tree.up"),
        Binding("down", "move(1)", "Move down", show=False, id="tree.down"),
        Binding("right", "open", "Open", show=False, id="tree.open"),
        Binding("left", "close", "Close", show=False, id="tree.close"),
        Binding(
            "enter,space",
            "toggle_row",
            "Open/close",
            key_display="⏎",
            id="tree.toggle",
            tooltip="Open or close the part of the value under the cursor",
        ),
        Binding(
            "asterisk,shift+right",
            "open_all",
            "Open all",
            show=False,
            key_display="*",
            id="tree.open_all",
            tooltip="Open the part of the value under the cursor, and everything in it",
        ),
        Binding("home", "go_to(0)", "First row", show=False, id="tree.home"),
        Binding("end", "go_to(-1)", "Last row", show=False, id="tree.end"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="tree.pageup"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="tree.pagedown"),
    ]

    @dataclass
    class CursorMoved(Message):
        """The cursor came to a row."""

        node: ValueNode

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.tree_model = TreeModel(None, MIN_TEXT_WIDTH)

    @property
    def end(self) -> int:
        """The index after the last row."""
        return len(self.tree_model.rows)

    def line(self, index: int) -> Line:
        """A row by its index."""
        return self.tree_model.line(index)

    @property
    def node(self) -> ValueNode | None:
        """What is under the cursor, None if there is no cursor."""
        return None if self.cursor is None else self.tree_model.rows[self.cursor]

    def show(self, value: Any) -> None:
        """Show another value, from its beginning."""
        self.cursor = None
        self.shift = 0
        for node in self.tree_model.rows:
            node.children = None  # else nodes refer to others in a circle, and a flood's values stay for long
        width = self.width
        self.tree_model = TreeModel(value, width)
        self.scroll_to(y=0, animate=False, force=True)
        self.sync()
        if self.width not in (0, width):  # the scrollbar of the value before went, or one came
            self.tree_model.fit(self.width)
            self.sync()
        if self.has_focus:
            self.select(0)

    def reveal(self, position: Position) -> None:
        """Put the cursor on a part of the value, without a message: the caller set it."""
        with self.prevent(self.CursorMoved):
            self.select(self.tree_model.reveal(position))

    def select(self, index: int) -> None:
        """Put the cursor on a row, and bring the row into view."""
        self.cursor = max(0, min(index, self.end - 1))
        self.tree_model.keep_open()
        self.sync()
        node = self.tree_model.rows[self.cursor]
        self._bring_into_view(self.cursor)
        self.post_message(self.CursorMoved(node))

    def on_focus(self) -> None:
        """Show where keys will act."""
        if self.cursor is None:
            self.select(self.scroll_offset.y)

    def on_resize(self, event: events.Resize) -> None:
        """Fit long texts to the new width; the cursor stays, or goes to the text that its piece is of."""
        if not self.width:  # hidden
            return
        node = self.node
        self.tree_model.fit(self.width)
        if node is not None:
            rows = self.tree_model.rows
            self.cursor = rows.index(node) if node in rows else self.tree_model.reveal(node.position)
        super().on_resize(event)
        if self.cursor is not None:
            self._bring_into_view(self.cursor)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked row; a click on its mark opens or closes it."""
        offset = event.get_content_offset(self)
        index = self.end if offset is None else self.scroll_offset.y + offset.y
        if offset is None or index >= self.end:
            return
        mark = INDENT * self.tree_model.rows[index].depth - self.shift
        self.select(index)
        if event.chain == 2 or mark <= offset.x < mark + INDENT:
            self.action_toggle_row()

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.select(self._cursor_or_first + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screenfuls."""
        self.select(self._cursor_or_first + pages * max(1, self.size.height - 1))

    def action_go_to(self, index: int) -> None:
        """Move the cursor to the first row (0) or the last (-1)."""
        self.select(index % self.end)

    def action_open(self) -> None:
        """Open the row under the cursor; if it is open, go to its first child."""
        at = self._cursor_or_first
        if not self.tree_model.open(at) and self.tree_model.rows[at].children:
            at += 1
        self.select(at)

    def action_close(self) -> None:
        """Close the row under the cursor; if it is closed, go to its parent."""
        at = self._cursor_or_first
        if not self.tree_model.close(at) and (parent := self.tree_model.rows[at].parent) is not None:
            at = self.tree_model.rows.index(parent)
        self.select(at)

    def action_toggle_row(self) -> None:
        """Open the row under the cursor, or close it."""
        at = self._cursor_or_first
        if not self.tree_model.close(at):
            self.tree_model.open(at)
        self.select(at)

    def action_open_all(self) -> None:
        """Open the row under the cursor and everything in it, up to :data:`MAX_OPENED_ROWS`."""
        if not self.tree_model.open_all(self._cursor_or_first, MAX_OPENED_ROWS):
            self.notify(
                f"Opened up to {format_count(MAX_OPENED_ROWS)} rows; the rest stays closed.",
                severity="warning",
            )
        self.select(self._cursor_or_first)

    def _bring_into_view(self, index: int) -> None:
        """Scroll to a row, and shift its indent out of view as far as its text needs the room."""
        indent = INDENT * self.tree_model.rows[index].depth
        self.shift = max(0, min(indent, indent + MIN_TEXT_WIDTH - self.width))
        top, height = self.scroll_offset.y, self.size.height
        if height and not top <= index < top + height:
            row = index if index < top else index - height + 1
            self.scroll_to(y=row, animate=False, force=True)

    @property
    def _cursor_or_first(self) -> int:
        return self.cursor or 0
