"""What a view shows: lines of spans, as data. Nothing here knows where a line is drawn.

A span's text has passed the sanitiser or is our own; it is drawn as it is and never read as markup.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len, chop_cells, split_graphemes
from rich.style import Style

MATCH_PAINT = "found"
"""The paint of what a search has found."""

_SAME_LIGHT = re.compile(rb"\x00+|\x01+")

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
        right: What stands at the right edge and is never cropped.
        fill: What the room between them is filled with: one character, one cell wide.
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
        """The line without its looks, as it is copied: the right part after two spaces."""
        left = "".join(span.text for span in self.left)
        right = "".join(span.text for span in self.right)
        return f"{left}  {right.strip()}" if right.strip() else left


def line(*spans: Span | str) -> Line:
    """Make a line of spans; a bare string is painted as plain text."""
    return Line(tuple(Span(span) if isinstance(span, str) else span for span in spans))


def highlight(whole: Line, needle: re.Pattern[str], prefix: int = 0) -> Line:
    """Light in a line's left part what is found in it.

    Args:
        whole: The line.
        needle: What is looked for.
        prefix: How many spans at the beginning are left out. If nothing is found behind them, the last of
            them is lit as a whole: it stands in for what the line does not show.
    """
    kept, rest = whole.left[:prefix], whole.left[prefix:]
    text = "".join(span.text for span in rest)
    lit = bytearray(len(text))
    for match in needle.finditer(text):
        lit[match.start() : match.end()] = b"\1" * (match.end() - match.start())
    if not text.isascii():
        for start, end, _ in split_graphemes(text)[0]:  # a part of one cannot be drawn by itself
            if any(lit[start:end]):
                lit[start:end] = b"\1" * (end - start)
    if not any(lit):
        kept = (*kept[:-1], *(Span(span.text, MATCH_PAINT) for span in kept[-1:]))
    return Line((*kept, *_split_spans(rest, lit)), whole.right, whole.fill)


def find_extent(whole: Line, needle: re.Pattern[str], prefix: int = 0) -> tuple[int, int] | None:
    """From which cell of a line's left part up to which the first that is found stands; None if nothing is.

    Args:
        whole: The line.
        needle: What is looked for.
        prefix: How many spans at the beginning are left out.
    """
    skipped = "".join(span.text for span in whole.left[:prefix])
    text = "".join(span.text for span in whole.left[prefix:])
    match = needle.search(text)
    if match is None:
        return None
    start = cell_len(skipped) + cell_len(text[: match.start()])
    return start, start + cell_len(match[0])


def _split_spans(spans: Iterable[Span], lit: bytearray) -> Iterable[Span]:
    """Cut spans where light begins or ends; ``lit`` has a byte for each of their characters."""
    start = 0
    for text, paint in spans:
        for piece in _SAME_LIGHT.finditer(lit[start : start + len(text)]):
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
