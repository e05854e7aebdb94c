"""A line of the child's output, broken into rows of one width as a terminal does it.

Rows break where there is no more room, and not between words. So the number of rows of a line is arithmetic,
and a flood of lines costs little.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.cells import split_graphemes

from tui_ipc.events import Stream
from tui_ipc.tui.model.styled_line import Line, Span

STDERR_MARK = Span("▌ ", "bad")
"""The mark before each row of stderr, which tells the streams apart without colour too."""


@dataclass(frozen=True, slots=True)
class OutputLine(Line):
    """A line of output, or the line between two runs.

    Attributes:
        stream: The stream that it was printed to; None for the line between two runs.
    """

    stream: Stream | None = None

    @property
    def with_mark(self) -> Line:
        """The line with the mark of its stream, if that has one."""
        return replace(self, left=(STDERR_MARK, *self.left)) if self.stream == "stderr" else self


def mark_width(line: OutputLine) -> int:
    """How many cells the mark of a line takes, 0 if it has none."""
    return len(STDERR_MARK.text) if line.stream == "stderr" else 0


def count_rows(line: OutputLine, width: int) -> int:
    """Count the rows of ``width`` cells, mark included, that a line takes."""
    if line.stream is None:
        return 1
    room = max(1, width - mark_width(line))
    length = 0
    for text, _ in line.left:
        if not text.isascii():
            return len(_chop_spans(line.left, room))  # wide characters: rows have to be made to be counted
        length += len(text)
    return max(1, -(-length // room))


def break_rows(line: OutputLine, width: int) -> list[OutputLine]:
    """Break a line into rows of ``width`` cells: as many as :func:`count_rows` returns."""
    if line.stream is None:
        return [line]
    return [replace(line, left=row) for row in _chop_spans(line.left, max(1, width - mark_width(line)))]


def _chop_spans(spans: Iterable[Span], width: int) -> list[tuple[Span, ...]]:
    rows: list[tuple[Span, ...]] = []
    row: list[Span] = []
    room = width
    for text, paint in spans:
        breaks, room = _find_breaks(text, room, width)
        start = 0
        for end in breaks:
            if end > start:
                row.append(Span(text[start:end], paint))
            rows.append(tuple(row))
            row, start = [], end
        if start < len(text):
            row.append(Span(text[start:], paint))
    return [*rows, tuple(row)] if row or not rows else rows


def _find_breaks(text: str, room: int, width: int) -> tuple[Sequence[int], int]:
    """Where rows begin in a text whose first row has ``room`` cells left; and what the last one has left."""
    if text.isascii():
        breaks = range(max(room, 0), len(text), width)
        return breaks, width - (len(text) - breaks[-1]) if breaks else room - len(text)
    starts = []
    for start, _, cells in split_graphemes(text)[0]:
        if cells > room and room < width:  # one that is wider than a whole row has that row to itself
            starts.append(start)
            room = width
        room -= cells
    return starts, room
