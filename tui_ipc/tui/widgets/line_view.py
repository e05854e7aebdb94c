"""The base of all views of lines: crops, pads and colours lines, and paints only what changed."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import Reactive, reactive
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tui_ipc.tui.model.styled_line import MATCH_PAINT, Line, Paint, Span, wrap

ELLIPSIS = "…"

MUTED = "$foreground 60%"
"""The style of text that matters less than its neighbours, in Textual's own markup of styles."""

StyleLookup = Callable[[Paint], Style]


def line_to_strip(line: Line, width: int, style_of: StyleLookup, shift: int = 0) -> Strip:
    """Return a line as exactly ``width`` cells.

    The right part is at the right edge. The left part is shifted ``shift`` cells to the left and cropped
    to what room remains; where something is cropped, the last (or first) cell is an ellipsis.
    """
    right = line.right if _cell_width(line.right) <= width // 2 else ()
    room = width - _cell_width(right)
    spans = _crop(line.left, room, shift)
    padding = room - _cell_width(spans)
    segments = [Segment(span.text, style_of(span.paint)) for span in spans]
    if padding > 0:
        segments.append(Segment(line.fill * padding, style_of("text" if line.fill == " " else "muted")))
    segments.extend(Segment(span.text, style_of(span.paint)) for span in right)
    return Strip(segments, width)


def restyle(strip: Strip, start: int, end: int | None, style: Style) -> Strip:
    """Lay a style over the characters from ``start`` up to ``end`` (None: to the end of the strip)."""
    segments: list[Segment] = []
    position = 0
    for text, own, _ in strip:
        low = min(max(start - position, 0), len(text))
        high = len(text) if end is None else min(max(end - position, 0), len(text))
        position += len(text)
        if low >= high:
            segments.append(Segment(text, own))
            continue
        laid = style if own is None else own + style
        parts = ((text[:low], own), (text[low:high], laid), (text[high:], own))
        segments.extend(Segment(part, look) for part, look in parts if part)
    return Strip(segments, strip.cell_length)


def _cell_width(spans: Iterable[Span]) -> int:
    return sum(cell_len(span.text) for span in spans)


def _crop(spans: tuple[Span, ...], room: int, shift: int) -> list[Span]:
    """Keep the cells from ``shift`` up to ``shift + room``."""
    kept: list[Span] = []
    total = _cell_width(spans)
    if shift:
        skip = shift + 1  # the ellipsis takes the first cell
        if total <= skip:
            return [Span(ELLIPSIS, "muted")] if total and room > 0 else []
        spans = (Span(ELLIPSIS, "muted"), *_drop_cells(spans, skip))
        total = _cell_width(spans)
    if total <= room:
        return list(spans)
    left = room - 1
    for text, look in spans:
        length = cell_len(text)
        if length <= left:
            kept.append(Span(text, look))
            left -= length
            continue
        kept.append(Span(set_cell_size(text, max(0, left)), look))
        break
    if room > 0:
        kept.append(Span(ELLIPSIS, "muted"))
    return kept


def _drop_cells(spans: tuple[Span, ...], cells: int) -> list[Span]:
    """Leave out the first ``cells`` cells; half of a wide character becomes a blank."""
    rest: list[Span] = []
    for text, look in spans:
        length = cell_len(text)
        if length <= cells:
            cells -= length
            continue
        kept = text
        while cells > 0:
            taken = cell_len(kept[0])
            kept = " " * max(0, taken - cells) + kept[1:]
            cells = max(0, cells - taken)
        rest.append(Span(kept, look))
    return rest


ROLES = (
    MATCH_PAINT,
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
"""The roles of spans, apart from plain ``text``; the style sheet has a class ``line--ROLE`` for each."""

LINE_CLASSES = frozenset(f"line--{role}" for role in (*ROLES, "cursor", "partner", "mark", "byte"))
"""The component classes that an app with such views must have: the styles of spans and of the overlays.

They belong to the app because Textual computes a widget's own at every change of a style: in five views that
took a tenth of the time from the start to the first frame.
"""


@dataclass(frozen=True, slots=True)
class Frame:
    """What is around the rows of a view.

    Attributes:
        size: The size of the whole widget.
        width: The width of a row in cells.
        rows: The rows of the widget above and below the view's own, by their y.
        left: What is to the left of each row.
        right: What is to the right of it.
    """

    size: Size
    width: int
    rows: Mapping[int, Strip]
    left: Strip
    right: Strip


class LineView(ScrollView, can_focus=True):
    """Shows the lines with indexes from :attr:`first` up to :attr:`end`; subclasses define them.

    Lines wider than the view are cropped, from :attr:`shift` on.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "escape",
            "app.focus_bottom_bar",
            "Back",
            id="view.back",
            tooltip="Go to the bar at the bottom, and show all panes again",
        ),
    ]

    virtual_size: Reactive[Size] = Reactive(Size(0, 0), repaint=False)
    """As in every widget, but a change does not lay out the whole screen again, as Textual otherwise does."""

    shift: reactive[int] = reactive(0)
    """How many cells of each line's left part are hidden at the left edge."""

    cursor: reactive[int | None] = reactive(None)
    """The index of the line under the cursor, None if there is no cursor."""

    def __init__(self, *, id: str | None = None) -> None:
        self._frame: Frame | None = None
        self._painted: dict[int, Strip] = {}  # rows as they are on the screen, by their y in the widget
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

    def displayed_line(self, index: int) -> Line:
        """The line as it is displayed; a subclass may highlight parts of it."""
        return self.line(index)

    @property
    def width(self) -> int:
        """How many cells a row has, the scrollbar left out."""
        return self.scrollable_content_region.width

    def placeholder(self) -> list[Line]:
        """What is shown while there are no lines: a sentence that explains the view."""
        return []

    def sync(self) -> None:
        """Show the lines after they have changed."""
        self.fit()
        self.refresh_rows()

    def refresh_rows(self) -> None:
        """Draw the rows again, but not the frame around them."""
        # A region that begins left of the content spans whole rows of the widget, and leaves the border out.
        gutter, (width, height) = self.gutter, self.outer_size
        self.refresh(Region(-gutter.left, 0, width, height - gutter.height))

    def refresh(self, *regions: Region, **options: Any) -> Self:
        """Draw everything again, or of the frame only some regions (Textual calls this, too)."""
        # The rows are cheap and always drawn again; the frame is kept unless the whole widget is out of date.
        self._painted.clear()
        if not regions:
            self._frame = None
        return super().refresh(*regions, **options)

    def fit(self) -> None:
        """Set what can be scrolled, and what the scrollbar shows, to the number of lines."""
        rows, height = self.end - self.first, self.container_size.height
        self.virtual_size = Size(self.width, rows)
        self.show_vertical_scrollbar = rows > height > 0
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = rows
            self.vertical_scrollbar.window_size = height

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw some of the widget's rows (Textual calls this to paint the screen).

        This replaces Textual's own painting, which draws the frame again for each row and takes two to three
        times as long. Here Textual draws the frame once, and it is kept until its size changes. The rows lack
        the offsets of their characters: only the mouse needs them, and it calls :meth:`render_line`.
        """
        size, width = self.outer_size, self.width
        if width <= 0 or size.height <= self.gutter.height:
            return super().render_lines(crop)
        if self._frame is None or (self._frame.size, self._frame.width) != (size, width):
            self._frame = self._draw_frame(size, width)
            self._painted.clear()
        known = {**self._frame.rows, **self._painted}
        missing = [y for y in crop.line_range if y not in known]
        if missing:
            self._painted.update(self._draw_rows(missing, self._frame))
            known.update(self._painted)
        strips = [known[y] for y in crop.line_range]
        start, end = crop.column_span
        return strips if (start, end) == (0, size.width) else [strip.crop(start, end) for strip in strips]

    def _draw_frame(self, size: Size, width: int) -> Frame:
        top, _, bottom, left = self.gutter
        *above, sample = super().render_lines(Region(0, 0, size.width, top + 1))
        below = super().render_lines(Region(0, size.height - bottom, size.width, bottom)) if bottom else []
        rows = [*enumerate(above), *enumerate(below, size.height - bottom)]
        return Frame(size, width, dict(rows), sample.crop(0, left), sample.crop(left + width, size.width))

    def _draw_rows(self, ys: Iterable[int], frame: Frame) -> Iterable[tuple[int, Strip]]:
        top = self.gutter.top
        filters, background = self.get_line_filters(), self.background_colors[1]
        for y in ys:
            strip = self._draw_screen_row(y - top, frame.width)
            for each in filters:
                strip = strip.apply_filter(each, background)
            yield y, Strip([*frame.left, *strip, *frame.right], frame.size.width)

    def render_line(self, y: int) -> Strip:
        """Draw one row of the view, with the offset of each character (Textual calls this)."""
        index = self.first + self.scroll_offset.y + y
        strip = self._draw_screen_row(y, self.width)
        return strip.apply_offsets(self.shift, index) if index < self.end else strip

    def _draw_screen_row(self, y: int, width: int) -> Strip:
        first, end = self.first, self.end
        index = first + self.scroll_offset.y + y
        if end == first:
            rows = wrap(self.placeholder(), width)
            return line_to_strip(rows[y] if y < len(rows) else Line(), width, self._style_of)
        if index >= end:
            return Strip.blank(width, self._style_of("text"))
        return self._selected(self.draw_row(index, width), index)

    def draw_row(self, index: int, width: int) -> Strip:
        """Draw the row of a line; a subclass may mark parts of it."""
        strip = line_to_strip(self.displayed_line(index), width, self._style_of, self.shift)
        return restyle(strip, 0, None, self._style_of("cursor")) if index == self.cursor else strip

    def _selected(self, strip: Strip, index: int) -> Strip:
        """Highlight the part of a row that the mouse has selected."""
        selection = self.text_selection
        span = None if selection is None else selection.get_span(index)
        if span is None:
            return strip
        start, end = span
        style = self.screen.get_component_rich_style("screen--selection")
        return restyle(strip, start - self.shift, None if end == -1 else end - self.shift, style)

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text, uncropped (Textual calls this to copy)."""
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
        """Drop the styles of the old theme (Textual calls this)."""
        super().notify_style_update()
        self._styles.clear()

    def component_style(self, name: str) -> Style:
        """Return the style of one of the :data:`LINE_CLASSES`, by its role."""
        return self.app.get_component_styles(f"line--{name}").rich_style

    def _style_of(self, look: Paint) -> Style:
        style = self._styles.get(look)
        if style is None:
            if isinstance(look, Style):
                style = self.rich_style + look
            elif look == "text":
                style = self.rich_style
            else:
                style = self.component_style(look)
                if look in ("cursor", "partner"):
                    style = Style(
                        bgcolor=style.bgcolor, bold=style.bold
                    )  # laid over a row, whose spans keep their colours
            self._styles[look] = style
        return style

    def on_resize(self, event: events.Resize) -> None:
        """Fit the lines to a new width."""
        self.sync()
