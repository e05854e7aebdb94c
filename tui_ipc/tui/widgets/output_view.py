"""The child's stdout and stderr, live: finished lines, then the partial line of each stream.

An index counts rows. A row is a line, unless long lines are wrapped or a stream is hidden; then a
:class:`~tui_ipc.tui.model.ring_buffer.RowIndex` maps rows to lines.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.selection import Selection

from tui_ipc.events import Stream
from tui_ipc.text.units import format_count, format_plural
from tui_ipc.tui.model.clipboard import CopyError, copy_as_text
from tui_ipc.tui.model.ring_buffer import RowIndex
from tui_ipc.tui.model.session_model import SessionModel
from tui_ipc.tui.model.styled_line import (
    MATCH_PAINT,
    STDERR_MARK,
    Line,
    OutputLine,
    Span,
    break_rows,
    count_rows,
    line,
    mark_width,
)
from tui_ipc.tui.widgets.line_view import LineView
from tui_ipc.tui.widgets.searchable_view import SearchableView

MIN_LINES_BEHIND: Final = 1_000
"""From how many lines on that wait to be decoded the title says so: fewer are there in a moment."""

_NEXT: Final[dict[Stream | None, Stream | None]] = {None: "stdout", "stdout": "stderr", "stderr": None}


class OutputView(SearchableView):
    """Shows what the child prints, as it prints it.

    Args:
        model: Holds the lines.
        resize_terminal: Called with the rows and columns that there are for the child's output.
    """

    BORDER_TITLE = "Child output"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash,f",
            "search",
            "Find",
            key_display="/",
            id="output.find",
            tooltip="Search in the child's output; n and N go to the next and the previous match",
        ),
        Binding(
            "w",
            "wrap",
            "Wrap",
            id="output.wrap",
            tooltip="Wrap long lines of the output, or crop them at the right edge",
        ),
        Binding(
            "o",
            "streams",
            "Streams",
            id="output.streams",
            tooltip="Show the child's stdout only, its stderr only, or both",
        ),
        Binding(
            "c",
            "copy_output",
            "Copy output",
            show=False,
            id="output.copy",
            tooltip="Copy the lines of the output that are shown; after a search, the matching line",
        ),
    ]

    def __init__(self, model: SessionModel, resize_terminal: Callable[[int, int], None]) -> None:
        super().__init__(id="output")
        self._model = model
        self._resize_terminal = resize_terminal
        self._partial_rows: list[tuple[OutputLine, int]] = []  # rows of partial lines, and their numbers
        self._rows: RowIndex | None = None
        self._width = 0  # what the rows were counted for
        self.is_wrapped = False
        self.shown_stream: Stream | None = None

    def on_resize(self, event: events.Resize) -> None:  # Textual calls the base class's as well
        """Give the child's terminal the size of the pane."""
        if self.width and self.size.height:
            self._resize_terminal(self.size.height, self.width)

    # Which rows there are

    @property
    def first(self) -> int:
        """The index of the oldest row that is held."""
        if self._rows is None:
            return self._model.output.first
        self._rows.forget(self._model.output.first)
        return self._rows.first

    @property
    def complete_end(self) -> int:
        """The index after the last row of a finished line."""
        return self._model.output.end if self._rows is None else self._rows.end

    @property
    def end(self) -> int:
        """The index after the last row, including those of partial lines."""
        return self.complete_end + len(self._partial_rows)

    def line(self, index: int) -> Line:
        """Return a row."""
        return self._printed(index).with_mark

    def _printed(self, index: int) -> OutputLine:
        partial = index - self.complete_end
        if partial >= 0:
            return self._partial_rows[partial][0]
        number, part = self._locate(index)
        return self._break_line(self._model.output[number])[part]

    def _locate(self, index: int) -> tuple[int, int]:
        """Return the number of the finished line that a row shows, and which of its rows that is."""
        return (index, 0) if self._rows is None else self._rows.locate(index)

    def _break_line(self, whole: OutputLine) -> list[OutputLine]:
        return break_rows(whole, self._width) if self.is_wrapped else [whole]

    def _height(self, number: int) -> int:
        printed = self._model.output[number]
        if self.shown_stream is not None and printed.stream not in (self.shown_stream, None):
            return 0
        return count_rows(printed, self._width) if self.is_wrapped else 1

    def version(self) -> object:
        """Return a value that differs whenever a line is finished or a partial line changes."""
        if self._rows is not None:
            self._rows.update(self._model.output.first, self._model.output.end)
        begun = [
            each for each in self._model.output_queue.partial if self.shown_stream in (None, each.stream)
        ]
        self._partial_rows = [
            (row, part) for each in begun for part, row in enumerate(self._break_line(each))
        ]
        return super().version(), self._partial_rows

    def sync(self) -> None:
        """Show the rows after they changed; a new width wraps the lines again."""
        if self.is_wrapped and self._width != self.width:
            self._recount()
        else:
            super().sync()

    def _recount(self) -> None:
        """Count the rows again; the line at the top stays there, and the cursor on its line."""
        follows = self.follows
        top = self._line_number(self._known_first + self.scroll_offset.y)
        cursor_line = None if self.cursor is None else self._line_number(self.cursor)
        self._width = self.width
        self._rows = RowIndex(self._height) if self.is_wrapped or self.shown_stream else None
        self.version()
        # Without watch_cursor: the cursor stays on its line, only the number of its row is another.
        self.set_reactive(LineView.cursor, None if cursor_line is None else self._first_row(cursor_line))
        self.renumber()
        if not follows:
            self.go_to(self._first_row(top) - self.first)
            self.set_follows(self.scroll_y >= self.max_scroll_y and self.can_follow())

    def _line_number(self, index: int) -> int:
        """Return the number of the line that a row shows; of a partial line, the number that it will get."""
        return self._locate(index)[0] if index < self.complete_end else self._model.output.end

    def _first_row(self, number: int) -> int:
        """Return the first row of a line."""
        held = max(number, self._model.output.first)
        return max(self.first, min(held if self._rows is None else self._rows.row(held), self.end - 1))

    # What is displayed

    def displayed_line(self, index: int) -> Line:
        """Return a row, with the matches in its line highlighted."""
        if self.pattern is None or index >= self.complete_end:
            return self.line(index)
        number, part = self._locate(index)
        return (
            self._highlighted_rows(number)[part].with_mark
            if self._is_found(index - part)
            else self.line(index)
        )

    def searched(self, index: int) -> str:
        """Return the text of a finished line for its first row, and nothing for its other rows."""
        number, part = self._locate(index)
        return "" if part else self._model.output[number].text

    def _shift_to(self, line: Line) -> None:
        """Bring the match in a line into view: by another shift, or in a later row."""
        if not self.is_wrapped or self.cursor is None:
            super()._shift_to(line)
            return
        rows = self._highlighted_rows(self._locate(self.cursor)[0])
        lit = (part for part, row in enumerate(rows) if any(span.paint == MATCH_PAINT for span in row.left))
        self.show_row(self.cursor - self.first + next(lit, 0))

    def _highlighted_rows(self, number: int) -> list[OutputLine]:
        """Return the rows of a finished line, with its matches highlighted."""
        whole = self._model.output[number]
        return self._break_line(replace(whole, left=self.highlight_matches(Line(whole.left)).left))

    def placeholder(self) -> list[Line]:
        """Return what the view is for, or why it is empty."""
        if self.shown_stream is not None and len(self._model.output):
            return [line(Span(f"The child has printed nothing to its {self.shown_stream} yet.", "muted"))]
        if self._model.status.is_tapped:
            return [
                line(Span("A tap does not see what the child prints.", "muted")),
                line(Span("It goes where it goes without a tap.", "muted")),
            ]
        return [
            line(Span("The child has printed nothing yet.", "muted")),
            line(
                Span("Its stdout and its stderr (marked ", "muted"),
                STDERR_MARK,
                Span(") appear here live.", "muted"),
            ),
        ]

    def title_parts(self) -> list[str]:
        """Return which stream is shown and whether lines are wrapped, then the search."""
        how = [f"{self.shown_stream} only"] if self.shown_stream else []
        behind = self._model.output_queue.lines_behind
        if behind >= MIN_LINES_BEHIND:
            how.append(f"{format_count(behind)} lines behind")
        return [*how, *(["wrapped"] if self.is_wrapped else []), *super().title_parts()]

    # Copying

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as it was printed, without marks (Textual calls this to copy)."""
        start = self.first if selection.start is None else max(self.first, selection.start.y)
        stop = self.end if selection.end is None else min(self.end, selection.end.y + 1)
        pieces: list[str] = []
        for index in range(start, stop):
            low, high = selection.get_span(index) or (0, 0)
            row = self._printed(index)
            before = mark_width(row)
            text = row.text[max(0, low - before) : None if high == -1 else max(0, high - before)]
            pieces.append(text if index == start or self._continues(index) else f"\n{text}")
        return ("".join(pieces), "\n") if pieces else None

    def _continues(self, index: int) -> bool:
        """Return whether a row continues the line of the row before it."""
        partial = index - self.complete_end
        return (self._partial_rows[partial][1] if partial >= 0 else self._locate(index)[1]) > 0

    def text_to_copy(self) -> str:
        """Return the line under the cursor, else the lines that are shown, uncropped."""
        top = self.first + self.scroll_offset.y
        rows = range(top, min(self.end, top + self.size.height)) if self.cursor is None else [self.cursor]
        numbers = dict.fromkeys(self._locate(index)[0] for index in rows if index < self.complete_end)
        lines = [self._model.output[number].text for number in numbers]
        begun = [index for index in rows if index >= self.complete_end]
        texts = [("" if self._continues(index) else "\n") + self._printed(index).text for index in begun]
        return ("\n".join(lines) + "".join(texts)).removeprefix("" if lines else "\n")

    def action_copy_output(self) -> None:
        """Copy the lines that are shown, or the matching line."""
        try:
            text = copy_as_text(self.text_to_copy()).text
        except CopyError as refusal:
            self.notify(str(refusal), title="Not copied", severity="warning")
            return
        self.app.copy_to_clipboard(text)
        self.notify(f"Copied {format_plural(len(text), 'character')}.")

    # How it is shown

    def action_wrap(self) -> None:
        """Wrap long lines, or crop them."""
        self.is_wrapped = not self.is_wrapped
        self.shift = 0
        self.styles.scrollbar_gutter = (
            "stable" if self.is_wrapped else "auto"
        )  # a scrollbar that appears would wrap again
        self._recount()

    def action_streams(self) -> None:
        """Show both streams, stdout only, or stderr only, in turn."""
        self.shown_stream = _NEXT[self.shown_stream]
        self._recount()

    def action_shift(self, direction: int) -> None:
        """Shift cropped lines; wrapped lines are not cropped."""
        if not self.is_wrapped:
            super().action_shift(direction)
