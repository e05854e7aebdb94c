"""Lines of spans, which is what views show, and the rows that they are broken into.

The text of a span has passed the sanitizer or is our own. It is drawn as it is, and never read as markup.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, split_graphemes
from rich.style import Style

from tui_ipc.events import Stream

MATCH_PAINT = "found"
"""The paint of a search's matches."""

_EQUAL_BYTES = re.compile(rb"\x00+|\x01+")

Paint = str | Style
"""How a span looks: a role, whose colour the theme decides, or a style that the child asked for."""


class Span(NamedTuple):
    """A piece of a line in one paint."""

    text: str
    paint: Paint = "text"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a view.

    Attributes:
        left: What is read first; it is cropped where there is no room.
        right: What is at the right edge, and never cropped.
        fill: The character, one cell wide, that fills the room between them.
    """

    left: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    fill: str = " "

    @property
    def right_width(self) -> int:
        """How many cells the right part takes."""
        return sum(cell_len(span.text) for span in self.right)

    @property
    def text(self) -> str:
        """The line without paint, as it is copied: the right part after two spaces."""
        left = "".join(span.text for span in self.left)
        right = "".join(span.text for span in self.right)
        return f"{left}  {right.strip()}" if right.strip() else left


def line(*spans: Span | str) -> Line:
    """Make a line of spans; a bare string is painted as plain text."""
    return Line(tuple(Span(span) if isinstance(span, str) else span for span in spans))


def highlight(whole: Line, pattern: re.Pattern[str], prefix: int = 0) -> Line:
    """Paint what a pattern finds in the left part of a line.

    Args:
        whole: The line.
        pattern: The search pattern.
        prefix: How many spans at the beginning are not searched. If nothing is found after them, the last of
            them is painted: the match is in what the line does not show.
    """
    kept, rest = whole.left[:prefix], whole.left[prefix:]
    text = "".join(span.text for span in rest)
    marks = bytearray(len(text))
    for match in pattern.finditer(text):
        marks[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    if not text.isascii():
        for start, end, _ in split_graphemes(text)[0]:  # a part of one cannot be drawn by itself
            if any(marks[start:end]):
                marks[start:end] = b"\1" * (end - start)
    if not any(marks):
        kept = (*kept[:-1], *(Span(span.text, MATCH_PAINT) for span in kept[-1:]))
    return Line((*kept, *_split_spans(rest, marks)), whole.right, whole.fill)


def find_extent(whole: Line, pattern: re.Pattern[str], prefix: int = 0) -> tuple[int, int] | None:
    """Return from which up to which cell the first match in the left part of a line is; None without one.

    Args:
        whole: The line.
        pattern: The search pattern.
        prefix: How many spans at the beginning are not searched.
    """
    skipped = "".join(span.text for span in whole.left[:prefix])
    text = "".join(span.text for span in whole.left[prefix:])
    match = pattern.search(text)
    if match is None:
        return None
    start = cell_len(skipped) + cell_len(text[: match.start()])
    return start, start + cell_len(match[0])


def _split_spans(spans: Iterable[Span], marks: bytearray) -> Iterable[Span]:
    """Split spans where a match begins or ends; ``marks`` has a byte for each character, 1 in a match."""
    start = 0
    for text, paint in spans:
        for piece in _EQUAL_BYTES.finditer(marks[start : start + len(text)]):
            yield Span(text[piece.start() : piece.end()], MATCH_PAINT if piece[0][0] else paint)
        start += len(text)


def wrap(lines: Iterable[Line], width: int) -> list[Line]:
    """Break lines so that each fits in ``width`` cells; the right parts are left out.

    Breaks fall between words where a word boundary lies in the last third of the row, else anywhere.
    """
    rows: list[Line] = []
    for whole in lines:
        rows.extend(_wrap_one(whole.left, max(1, width)))
    return rows


def _wrap_one(spans: Sequence[Span], width: int) -> list[Line]:
    rows: list[Line] = []
    row: list[Span] = []
    room = width
    for text, paint in spans:
        rest = text
        while cell_len(rest) > room:
            head, rest = _break(rest, room, fresh=not row)
            if head:
                row.append(Span(head, paint))
            rows.append(Line(tuple(row)))
            row, room = [], width
        if rest:
            row.append(Span(rest, paint))
            room -= cell_len(rest)
    if row or not rows:
        rows.append(Line(tuple(row)))
    return rows


def _break(text: str, room: int, fresh: bool) -> tuple[str, str]:
    """Split text that is wider than ``room`` cells; on a fresh row at least one character is taken."""
    head = chop_cells(text, room)[0] if room > 0 else ""
    if cell_len(head) > room or not head:
        head = text[:1] if fresh else ""
    space = head.rfind(" ")
    if space > len(head) * 2 // 3:
        head = head[: space + 1]
    return head, text[len(head) :]


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
    """Return where rows begin in a text, and the room that its last row has left.

    Rows break where there is no more room, and not between words. So for ASCII the breaks are arithmetic, and
    a flood of lines costs little.
    """
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
