"""The base of every view of lines: it asks for a line when the line is on the screen, and never before.

Measured: a widget per line, or a renderable that holds all of them, is ten to a hundred times slower than
    this.
"""

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui_ipc.tui.line import FOUND, Line, Paint, wrap
from tui_ipc.tui.paint import paint, restyle

ROLES = (
    FOUND,
    "muted",
    "strong",
    "sent",
    "received",
    "good",
    "warn",
    "bad",
    "note",
    "key",
    "string",
    "number",
    "constant",
)
"""What a span can be, apart from plain ``text``; the style sheet gives each a look (``line--ROLE``)."""


class LineView(ScrollView, can_focus=True):
    """Shows lines with indexes from :attr:`first` up to :attr:`end`; subclasses say what they are.

    Lines wider than the view are cropped; :attr:`shift` says from where.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"line--{role}" for role in (*ROLES, "cursor")}

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "app.foot",
            "Back",
            id="view.back",
            tooltip="Go to the box at the bottom; the panes take their usual places",
        ),
    ]

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """As every widget has it, but no change of it lays out the screen anew: nothing depends on it."""

    shift: reactive[int] = reactive(0)
    """How many cells of each line's left part are hidden at the left edge."""

    cursor: reactive[int | None] = reactive(None)
    """The index of the line under the cursor, None if there is no cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._styles: dict[Paint, Style] = {}

    @property
    def first(self) -> int:
        """The index of the first line there is."""
        return 0

    @property
    def end(self) -> int:
        """The index after the last line."""
        return 0

    def line(self, index: int) -> Line:
        """The line with an index from :attr:`first` up to :attr:`end`."""
        raise NotImplementedError

    def shown(self, index: int) -> Line:
        """A line as its row shows it; a subclass may light parts of it."""
        return self.line(index)

    @property
    def width(self) -> int:
        """How many cells a row has, the scrollbar left out."""
        return self.scrollable_content_region.width

    def placeholder(self) -> list[Line]:
        """What is shown while there are no lines: a sentence that teaches."""
        return []

    def sync(self) -> None:
        """Take in that the lines have changed."""
        self.fit()
        self.refresh()

    def fit(self) -> None:
        """Take in how many lines there are: what can be scrolled, and what the scrollbar shows."""
        rows, height = self.end - self.first, self.container_size.height
        self.virtual_size = Size(self.width, rows)
        self.show_vertical_scrollbar = rows > height > 0
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = rows
            self.vertical_scrollbar.window_size = height

    def render_line(self, y: int) -> Strip:
        """Draw one row of the view (Textual calls this)."""
        width = self.width
        index = self.first + self.scroll_offset.y + y
        if self.end == self.first:
            rows = wrap(self.placeholder(), width)
            return paint(rows[y] if y < len(rows) else Line(), width, self._style_of)
        if index >= self.end:
            return Strip.blank(width, self.rich_style)
        strip = paint(self.shown(index), width, self._style_of, self.shift)
        if index == self.cursor:
            strip = restyle(strip, 0, None, self._style_of("cursor"))
        return self._selected(strip, index).apply_offsets(self.shift, index)

    def _selected(self, strip: Strip, index: int) -> Strip:
        """Show which part of a row the mouse has selected."""
        selection = self.text_selection
        span = None if selection is None else selection.get_span(index)
        if span is None:
            return strip
        start, end = span
        style = self.screen.get_component_rich_style("screen--selection")
        return restyle(strip, start - self.shift, None if end == -1 else end - self.shift, style)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, whole lines uncropped (Textual calls this to copy)."""
        start = self.first if selection.start is None else max(self.first, selection.start.y)
        stop = self.end if selection.end is None else min(self.end, selection.end.y + 1)
        rows: list[str] = []
        for index in range(start, stop):
            text = self.line(index).text
            low, high = selection.get_span(index) or (0, 0)
            rows.append(text[low:] if high == -1 else text[low:high])
        return ("\n".join(rows), "\n") if rows else None

    def selection_updated(self, selection: Selection | None) -> None:
        """Redraw what the mouse selects (Textual calls this)."""
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget the looks of an old theme (Textual calls this)."""
        super().notify_style_update()
        self._styles.clear()

    def _style_of(self, look: Paint) -> Style:
        style = self._styles.get(look)
        if style is None:
            if isinstance(look, Style):
                style = self.rich_style + look
            elif look == "text":
                style = self.rich_style
            else:
                style = self.get_component_rich_style(f"line--{look}")
                if look == "cursor":
                    style = Style(bgcolor=style.bgcolor)  # laid over a row, whose spans keep their colours
            self._styles[look] = style
        return style

    def on_resize(self, event: events.Resize) -> None:
        """Fit the lines to a new width."""
        self.sync()
