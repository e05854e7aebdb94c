"""The child's stdout and stderr, live: finished lines, then the line that each stream has begun.

The rule: an index counts rows. A row is a line, unless long lines are wrapped or a stream is left out; then a
:class:`~tui_ipc.tui.model.ring_buffer.RowIndex` knows which row shows what.
"""

from dataclasses import replace
from typing import ClassVar, Final

from textual.binding import Binding, BindingType
from textual.selection import Selection

from tui_ipc.events import Stream
from tui_ipc.text.units import format_plural
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

_NEXT: Final[dict[Stream | None, Stream | None]] = {None: "stdout", "stdout": "stderr", "stderr": None}


class OutputView(SearchableView):
    """Shows what the child prints, as it prints it."""

    BORDER_TITLE = "Child output"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash,f",
            "search",
            "Find",
            key_display="/",
            id="output.find",
            tooltip="Search in the child's output; n and N go through what is found",
        ),
        Binding(
            "w",
            "wrap",
            "Wrap",
            id="output.wrap",
            tooltip="Break long lines of the output into rows, or let them run out of sight to the right",
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
            tooltip="Copy the lines of the output that are in sight; of a search, the line that was found",
        ),
    ]

    def __init__(self, model: SessionModel) -> None:
        super().__init__(id="output")
        self._model = model
        self._partial_rows: list[
            tuple[OutputLine, int]
        ] = []  # rows of begun lines, and which of its line's each is
        self._rows: RowIndex | None = None
        self._width = 0  # what the rows were counted for
        self.is_wrapped = False
        self.shown_stream: Stream | None = None

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
        """The index after the last row, those of begun lines included."""
        return self.complete_end + len(self._partial_rows)

    def line(self, index: int) -> Line:
        """What a row shows."""
        return self._printed(index).with_mark

    def _printed(self, index: int) -> OutputLine:
        begun = index - self.complete_end
        if begun >= 0:
            return self._partial_rows[begun][0]
        number, part = self._place(index)
        return self._broken(self._model.output[number])[part]

    def _place(self, index: int) -> tuple[int, int]:
        """The number of the finished line that a row shows, and which of its rows that is."""
        return (index, 0) if self._rows is None else self._rows.locate(index)

    def _broken(self, whole: OutputLine) -> list[OutputLine]:
        return break_rows(whole, self._width) if self.is_wrapped else [whole]

    def _height(self, number: int) -> int:
        printed = self._model.output[number]
        if self.shown_stream is not None and printed.stream not in (self.shown_stream, None):
            return 0
        return count_rows(printed, self._width) if self.is_wrapped else 1

    def version(self) -> object:
        """Changes with each finished line and with what is begun."""
        if self._rows is not None:
            self._rows.update(self._model.output.first, self._model.output.end)
        begun = [each for each in self._model.partial_output() if self.shown_stream in (None, each.stream)]
        self._partial_rows = [(row, part) for each in begun for part, row in enumerate(self._broken(each))]
        return super().version(), self._partial_rows

    def sync(self) -> None:
        """Draw the rows anew; another width breaks the lines elsewhere."""
        if self.is_wrapped and self._width != self.width:
            self._recount()
        else:
            super().sync()

    def _recount(self) -> None:
        """Count the rows anew; what is at the top stays there, and the cursor on its line."""
        follows = self.follows
        top = self._number(self._known_first + self.scroll_offset.y)
        picked = None if self.cursor is None else self._number(self.cursor)
        self._width = self.width
        self._rows = RowIndex(self._height) if self.is_wrapped or self.shown_stream else None
        self.version()
        self.set_reactive(LineView.cursor, None if picked is None else self._row(picked))
        self.renumber()
        if not follows:
            self.go_to(self._row(top) - self.first)
            self.set_follows(self.scroll_y >= self.max_scroll_y and self.can_follow())

    def _number(self, index: int) -> int:
        """The number of the line that a row shows; of one that is not finished, the one that it will get."""
        return self._place(index)[0] if index < self.complete_end else self._model.output.end

    def _row(self, number: int) -> int:
        """The first row of a line."""
        held = max(number, self._model.output.first)
        return max(self.first, min(held if self._rows is None else self._rows.row(held), self.end - 1))

    # What is seen of them

    def displayed_line(self, index: int) -> Line:
        """A row, with what was found in its line lit."""
        if self.pattern is None or index >= self.complete_end:
            return self.line(index)
        number, part = self._place(index)
        return self._lit(number)[part].with_mark if self._is_found(index - part) else self.line(index)

    def searched(self, index: int) -> str:
        """The text of a finished line, at its first row; its other rows are found with it."""
        number, part = self._place(index)
        return "" if part else self._model.output[number].text

    def _shift_to(self, line: Line) -> None:
        """Bring what was found in a line into sight: by another shift, or in a later row."""
        if not self.is_wrapped or self.cursor is None:
            super()._shift_to(line)
            return
        rows = self._lit(self._place(self.cursor)[0])
        lit = (part for part, row in enumerate(rows) if any(span.paint == MATCH_PAINT for span in row.left))
        self.show_row(self.cursor - self.first + next(lit, 0))

    def _lit(self, number: int) -> list[OutputLine]:
        """The rows of a finished line, with what was found in it lit."""
        whole = self._model.output[number]
        return self._broken(replace(whole, left=self.highlight_matches(Line(whole.left)).left))

    def placeholder(self) -> list[Line]:
        """Say what will come here, or why nothing does."""
        if self.shown_stream is not None and len(self._model.output):
            return [line(Span(f"The child has printed nothing to its {self.shown_stream} yet.", "muted"))]
        return [
            line(Span("The child has printed nothing yet.", "muted")),
            line(
                Span("Its stdout and its stderr (marked ", "muted"),
                STDERR_MARK,
                Span(") appear here live.", "muted"),
            ),
        ]

    def title_parts(self) -> list[str]:
        """How the output is shown, if not as usual, then the search."""
        how = [f"{self.shown_stream} only"] if self.shown_stream else []
        return [*how, *(["wrapped"] if self.is_wrapped else []), *super().title_parts()]

    # Copying

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text: lines as they were printed, without marks (Textual calls this to copy)."""
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
        """Whether a row goes on with the line of the row before it."""
        begun = index - self.complete_end
        return (self._partial_rows[begun][1] if begun >= 0 else self._place(index)[1]) > 0

    def text_to_copy(self) -> str:
        """The line under the cursor, else the lines that are in sight, whole."""
        top = self.first + self.scroll_offset.y
        rows = range(top, min(self.end, top + self.size.height)) if self.cursor is None else [self.cursor]
        numbers = dict.fromkeys(self._place(index)[0] for index in rows if index < self.complete_end)
        lines = [self._model.output[number].text for number in numbers]
        begun = [index for index in rows if index >= self.complete_end]
        texts = [("" if self._continues(index) else "\n") + self._printed(index).text for index in begun]
        return ("\n".join(lines) + "".join(texts)).removeprefix("" if lines else "\n")

    def action_copy_output(self) -> None:
        """Copy what is in sight, or what was found."""
        try:
            text = copy_as_text(self.text_to_copy()).text
        except CopyError as refusal:
            self.notify(str(refusal), title="Not copied", severity="warning", markup=False)
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
        )  # else it would break lines anew
        self._recount()

    def action_streams(self) -> None:
        """Show the next choice of streams."""
        self.shown_stream = _NEXT[self.shown_stream]
        self._recount()

    def action_shift(self, direction: int) -> None:
        """Show what lies further right or left of lines that are cropped; wrapped ones are not."""
        if not self.is_wrapped:
            super().action_shift(direction)
