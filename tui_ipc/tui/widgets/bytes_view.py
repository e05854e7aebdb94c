"""The view of bytes: a hex dump with a cursor, and a mark over the selected bytes."""

from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui_ipc.text.msgpack_index import MsgpackIndex, PlacedToken
from tui_ipc.tui.model.hex_dump import HexDump
from tui_ipc.tui.model.styled_line import Line
from tui_ipc.tui.widgets.line_view import LineView, restyle


class BytesView(LineView):
    """Shows the bytes of a message, and their structure as far as it was read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", "Move", key_display="←↑↓→", id="bytes.left"),
        Binding("right", "move(1)", "Next byte", show=False, id="bytes.right"),
        Binding("up", "rows(-1)", "Row up", show=False, id="bytes.up"),
        Binding("down", "rows(1)", "Row down", show=False, id="bytes.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="bytes.pageup"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="bytes.pagedown"),
        Binding("home", "go_to(0)", "First byte", show=False, id="bytes.home"),
        Binding("end", "go_to(-1)", "Last byte", show=False, id="bytes.end"),
        Binding(
            "right_square_bracket,shift+right",
            "part(1)",
            "Next part",
            show=False,
            key_display="]",
            id="bytes.next",
            tooltip="Bytes: go to the start of the next value or header",
        ),
        Binding(
            "left_square_bracket,shift+left",
            "part(-1)",
            "Previous part",
            show=False,
            key_display="[",
            id="bytes.previous",
            tooltip="Bytes: go to the start of this value, or of the one before",
        ),
    ]

    @dataclass
    class CursorMoved(Message):
        """The cursor came to a byte."""

        offset: int

    @dataclass
    class StructureNeeded(Message):
        """Bytes up to an offset are shown whose structure was not read yet."""

        offset: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._index = MsgpackIndex(b"")
        self._dump = HexDump.fit(b"", 0)
        self.selected_range = (0, 0)
        """The marked bytes: the first, and the one after the last."""
        self._tokens_cache: tuple[object, list[PlacedToken]] = (None, [])
        self.cursor_byte: int | None = None
        """The byte under the cursor, None if there is no cursor."""

    @property
    def end(self) -> int:
        """The index after the last row."""
        return self._dump.rows

    @property
    def columns(self) -> int:
        """How many bytes a row has."""
        return self._dump.columns

    def line(self, index: int) -> Line:
        """A row by its index."""
        start = index * self._dump.columns
        stop = start + self._dump.columns
        return self._dump.line(
            index,
            [place for place in self._tokens(index) if place.token.end > start and place.token.start < stop],
        )

    def show(self, index: MsgpackIndex) -> None:
        """Show other bytes, from their beginning."""
        self._index = index
        self._dump = HexDump.fit(index.data, self.width)
        self.selected_range = (0, 0)
        self.cursor_byte = None
        self._tokens_cache = (None, [])
        self.scroll_to(y=0, animate=False, force=True)
        self.sync()

    def mark(self, start: int, end: int, *, follow: bool) -> None:
        """Mark bytes.

        Args:
            start: The first of them.
            end: The one after the last.
            follow: Whether the cursor goes to the first.
        """
        self.selected_range = (start, end)
        if follow:
            self.cursor_byte = start
            self._bring_into_view(start)
        self.refresh()

    def draw_row(self, index: int, width: int) -> Strip:
        """Draw a row of the dump, with the mark and the cursor."""
        strip = super().draw_row(index, width)
        for first, last in self._dump.cells(index, *self.selected_range):
            strip = restyle(strip, first, last, self._overlay("mark"))
        if self.cursor_byte is not None:
            for first, last in self._dump.cells(index, self.cursor_byte, self.cursor_byte + 1):
                strip = restyle(strip, first, last, self._overlay("byte"))
        return strip

    def _overlay(self, name: str) -> Style:
        """Return the style that is laid over a byte, which keeps its own colour."""
        style = self.component_style(name)
        return Style(bgcolor=style.bgcolor, underline=style.underline, reverse=style.reverse, bold=style.bold)

    def _tokens(self, row: int) -> list[PlacedToken]:
        """Return the tokens of the bytes around a row, found once for all rows that are shown."""
        # While the structure is still being read, they are not kept, and the rest is asked for. A message is
        # posted rather than the structure read here, because this runs while the row is drawn.
        columns, height = self._dump.columns, max(1, self.size.height)
        top = self.scroll_offset.y
        first = top if top <= row < top + height else row
        start, stop = first * columns, min((first + height) * columns, len(self._index.data))
        known = (self._index, start, stop, self._index.indexed_size >= stop or self._index.is_finished)
        if self._tokens_cache[0] != known:
            self._tokens_cache = (known, list(self._index.tokens(start, stop)))
            if not known[-1]:
                self._tokens_cache = (None, self._tokens_cache[1])
                self.post_message(self.StructureNeeded(stop))
        return self._tokens_cache[1]

    def on_resize(self, event: events.Resize) -> None:
        """Fit the dump to the new width; the cursor stays in view."""
        if not self.width:  # hidden
            return
        self._dump = HexDump.fit(self._index.data, self.width)
        super().on_resize(event)
        if self.cursor_byte is not None:
            self._bring_into_view(self.cursor_byte)

    def on_focus(self) -> None:
        """Show where keys will act."""
        if self.cursor_byte is None:
            self.go_to(self.scroll_offset.y * self._dump.columns)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the clicked byte."""
        offset = event.get_content_offset(self)
        row = self.end if offset is None else self.scroll_offset.y + offset.y
        byte = None if offset is None or row >= self.end else self._dump.byte_at(row, offset.x)
        if byte is not None:
            self.go_to(byte)

    def go_to(self, offset: int) -> None:
        """Put the cursor on a byte, at most on the last, and post its offset."""
        self.cursor_byte = max(0, min(offset, len(self._index.data) - 1))
        self._bring_into_view(self.cursor_byte)
        self.refresh()
        self.post_message(self.CursorMoved(self.cursor_byte))

    def action_move(self, bytes_: int) -> None:
        """Move the cursor by bytes."""
        self.go_to(self._cursor_or_first + bytes_)

    def action_rows(self, rows: int) -> None:
        """Move the cursor by rows, as far as there are any."""
        offset = self._cursor_or_first + rows * self._dump.columns
        if 0 <= offset // self._dump.columns < self.end:
            self.go_to(offset)

    def action_page(self, pages: int) -> None:
        """Move the cursor by screenfuls."""
        self.go_to(self._cursor_or_first + pages * max(1, self.size.height - 1) * self._dump.columns)

    def action_go_to(self, offset: int) -> None:
        """Move the cursor to the first byte (0) or the last (-1)."""
        self.go_to(offset % max(1, len(self._index.data)))

    def action_part(self, direction: int) -> None:
        """Move the cursor to the start of the next token (1), or of this one or the one before (-1)."""
        here = self._index.token_at(self._cursor_or_first)
        if here is None:
            return
        start, end = here.token.start, here.token.end
        if direction > 0:
            self.go_to(end)
        elif self._cursor_or_first > start:
            self.go_to(start)
        elif (before := self._index.token_at(start - 1)) is not None:
            self.go_to(before.token.start)

    @property
    def _cursor_or_first(self) -> int:
        return self.cursor_byte or 0

    def _bring_into_view(self, offset: int) -> None:
        row, top, height = offset // self._dump.columns, self.scroll_offset.y, self.size.height
        if height and not top <= row < top + height:
            self.scroll_to(y=row if row < top else row - height + 1, animate=False, force=True)
