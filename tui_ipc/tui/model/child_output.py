"""A line that the child printed, and how it is broken into rows of one width, as a terminal does it.

The rule: rows are as wide as there is room, wherever words end. So how many a line takes is arithmetic, and a
flood of lines costs little.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from rich.cells import cell_len

from tui_ipc.events import Stream
from tui_ipc.tui.model.styled_line import Line, Span

STDERR_MARK = Span("▌ ", "bad")
"""What stands before each row of stderr, so that the streams stay apart without colour too."""


@dataclass(frozen=True, slots=True)
class OutputLine(Line):
    """A line of output, or the rule between two runs.

    Attributes:
        stream: Where it was printed; None if it was not.
    """

    stream: Stream | None = None

    @property
    def marked(self) -> Line:
        """The line with its mark, if it has one."""
        return replace(self, left=(STDERR_MARK, *self.left)) if self.stream == "stderr" else self


def mark_width(line: OutputLine) -> int:
    """How many cells the mark of a line takes."""
    return len(STDERR_MARK.text) if line.stream == "stderr" else 0


def count_rows(line: OutputLine, width: int) -> int:
    """How many rows of a width a line takes, its mark included."""
    if line.stream is None:
        return 1
    room = max(1, width - mark_width(line))
    length = 0
    for text, _ in line.left:
        if not text.isascii():
            return len(_chop_spans(line.left, room))
        length += len(text)
    return max(1, -(-length // room))


def break_rows(line: OutputLine, width: int) -> list[OutputLine]:
    """The rows of a width that a line takes: as many as :func:`height` says."""
    if line.stream is None:
        return [line]
    return [replace(line, left=row) for row in _chop_spans(line.left, max(1, width - mark_width(line)))]


def _chop_spans(spans: Iterable[Span], width: int) -> list[tuple[Span, ...]]:
    rows: list[tuple[Span, ...]] = []
    row: list[Span] = []
    room = width
    for text, paint in spans:
        start = 0
        while start < len(text):
            end, room = _fit_text(text, start, room)
            if end == start and room < width:
                rows.append(tuple(row))
                row, room = [], width
                continue
            end = max(end, start + 1)  # a wide character where a row has one cell
            row.append(Span(text[start:end], paint))
            start = end
    return [*rows, tuple(row)] if row or not rows else rows


def _fit_text(text: str, start: int, room: int) -> tuple[int, int]:
    """How far a text fits into a room from ``start`` on, and what room is left."""
    if text.isascii():
        end = min(len(text), start + room)
        return end, room - (end - start)
    end = start
    while end < len(text) and (cells := cell_len(text[end])) <= room:
        room -= cells
        end += 1
    return end, room
