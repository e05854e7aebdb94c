"""Bytes in rows: their offset, each as two digits, as characters, and what msgpack says there.

The one rule: a row is made of the bytes in it and of the parts that touch it, whatever stands before or
after.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tui_ipc.session.anatomy import Part, Place
from tui_ipc.tui.content.line import Line, Paint, Span
from tui_ipc.tui.content.part_text import brief

MARGIN = 28
"""From how many cells on beside the bytes their structure is shown there."""


@dataclass(frozen=True, slots=True)
class Dump:
    """How bytes are laid out.

    Attributes:
        data: The bytes.
        columns: How many stand in a row.
        digits: How many digits an offset has.
        margin: Whether their structure stands beside them.
    """

    data: bytes
    columns: int
    digits: int
    margin: bool

    @classmethod
    def fitting(cls, data: bytes, width: int) -> "Dump":
        """Choose 16, 8 or 4 bytes for a row, as many as fit in ``width`` cells."""
        digits = 4 if len(data) <= 1 << 16 else 8
        columns = next((number for number in (16, 8) if digits + 3 + 4 * number <= width), 4)
        return cls(data, columns, digits, digits + 3 + 4 * columns + MARGIN <= width)

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return (len(self.data) + self.columns - 1) // self.columns

    def cells(self, row: int, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The cells in which a row shows the bytes from ``start`` up to ``end``: as digits, as characters."""
        first = max(start - row * self.columns, 0)
        last = min(end - row * self.columns, self.columns)
        if first < last:
            digits, characters = self.digits + 2, self.digits + 3 + 3 * self.columns
            yield digits + 3 * first, digits + 3 * last - 1
            yield characters + first, characters + last

    def byte_at(self, row: int, cell: int) -> int | None:
        """The byte that a row shows in a cell, None if it shows none there."""
        digits, characters = self.digits + 2, self.digits + 3 + 3 * self.columns
        column = cell - characters if cell >= characters else (cell - digits) // 3
        offset = row * self.columns + column
        return offset if 0 <= column < self.columns and offset < len(self.data) else None

    def line(self, row: int, places: Sequence[Place]) -> Line:
        """A row of the dump.

        Args:
            row: Its number, from 0.
            places: What stands in its bytes, as far as that is known.
        """
        start = row * self.columns
        piece = self.data[start : start + self.columns]
        paints = _paints(start, len(piece), [place.part for place in places])
        digits = [piece[at : at + 1].hex() + " " for at in range(len(piece))]
        characters = [chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in piece]
        blank = Span("   " * (self.columns - len(piece)) + " ")
        begin = Span(f"{start:0{self.digits}x}  ", "muted")
        return Line(
            (
                begin,
                *_joined(digits, paints),
                blank,
                *_joined(characters, paints),
                *self._notes(start, places),
            )
        )

    def _notes(self, start: int, places: Sequence[Place]) -> Iterator[Span]:
        """What begins in a row, in words."""
        if not self.margin:
            return
        begun = [place.part for place in places if start <= place.part.start < start + self.columns]
        missing = self.columns - min(self.columns, len(self.data) - start)
        for number, part in enumerate(begun):
            yield Span("  " + " " * missing if number == 0 else " · ", "muted")
            yield brief(part, self.data)


def _paints(start: int, length: int, parts: Sequence[Part]) -> list[Paint]:
    """How each byte of a row looks: what announces, how long, of which type, or what is said."""
    paints: list[Paint] = ["muted"] * length
    for part in parts:
        body = "string" if part.family in ("str", "bin") else "text"
        for at in range(max(part.start, start), min(part.end, start + length)):
            if at >= part.payload:
                paint = body
            elif at > part.start:
                paint = "number"
            else:
                paint = "strong" if part.family in ("array", "map") else "key"
            paints[at - start] = paint
    return paints


def _joined(texts: Sequence[str], paints: Sequence[Paint]) -> Iterator[Span]:
    """Spans of texts, neighbours of one paint together."""
    begun = 0
    for at in range(1, len(texts) + 1):
        if at == len(texts) or paints[at] != paints[begun]:
            yield Span("".join(texts[begun:at]), paints[begun])
            begun = at
