"""A part of a message's bytes in words: what msgpack calls it, how long it is, what it says."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tui_ipc.events.message_values import decode_stored
from tui_ipc.ipc.errors import IpcError
from tui_ipc.ipc.wire import LARGE, RECEIVER, SENDER, SHARED_MEMORY
from tui_ipc.text import notation
from tui_ipc.text.msgpack_index import PlacedToken, Token
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural
from tui_ipc.tui.model.styled_line import Line, Paint, Span

BRIEF_BYTES: Final = 24
"""Bytes of a scalar that are shown where there is little room."""

_FAMILY_PAINTS: Final = {"str": "string", "bin": "string", "int": "number", "float": "number", "ext": "note"}
_EXT_TYPES: Final = {
    SENDER: "a sender",
    RECEIVER: "a receiver",
    SHARED_MEMORY: "a shared memory",
    LARGE: "a large message, announced",
    0xFF: "a time stamp",
}


def describe_token(part: Token, data: bytes) -> str:
    """What a part is, with its sizes: ``str 8, 12 bytes behind a header of 2``."""
    header, body = part.payload - part.start, part.end - part.payload
    match part.family:
        case "map":
            return (
                f"{part.kind}, {format_plural(part.items, 'pair')}, header of {format_plural(header, 'byte')}"
            )
        case "array":
            return (
                f"{part.kind}, {format_plural(part.items, 'item')}, header of {format_plural(header, 'byte')}"
            )
        case "ext":
            kind = data[part.payload - 1]
            known = f" ({_EXT_TYPES[kind]})" if kind in _EXT_TYPES else ""
            return (
                f"{part.kind}, type {kind}{known}, {format_plural(body, 'byte')} behind a header of {header}"
            )
        case _ if body:
            return f"{part.kind}, {format_plural(body, 'byte')} behind a header of {header}"
        case _:
            return f"{part.kind}, {format_plural(header, 'byte')}"


def abbreviate_token(part: Token, data: bytes) -> Span:
    """What a part says, in few cells."""
    match part.family:
        case "map" | "array":
            return Span(f"{part.family} {format_count(part.items)}", "key")
        case "str":
            start = data[part.payload : min(part.end, part.payload + BRIEF_BYTES)]
            more = "…" if part.end - part.payload > BRIEF_BYTES else ""
            return Span(make_visible(notation.render_value(start.decode(errors="replace"))) + more, "string")
        case "bin" if part.end - part.payload > BRIEF_BYTES // 4:
            return Span(f"binary {format_count(part.end - part.payload)}", "string")
        case family:
            return Span(_format_scalar(part, data), _FAMILY_PAINTS.get(family, "constant"))


def _format_scalar(part: Token, data: bytes) -> str:
    """A short scalar in the notation; what cannot be built by the name of its format."""
    try:
        return make_visible(
            notation.render_value(decode_stored(data[part.start : part.end]), 2 * BRIEF_BYTES)
        )
    except IpcError:
        return part.kind


def describe_byte(part: Token, offset: int) -> str:
    """What a byte does in its part."""
    if offset >= part.payload:
        return (
            f"content, byte {format_count(offset - part.payload)} of {format_count(part.end - part.payload)}"
        )
    if part.end - part.start == 1:
        return "kind and content in one"
    if offset == part.start:
        return "header: the kind"
    return "header: the type" if part.family == "ext" and offset == part.payload - 1 else "header: the length"


NOTES_WIDTH = 28
"""From how many cells on beside the bytes their structure is shown there."""


@dataclass(frozen=True, slots=True)
class HexDump:
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
    def fitting(cls, data: bytes, width: int) -> "HexDump":
        """Choose 16, 8 or 4 bytes for a row, as many as fit in ``width`` cells."""
        digits = 4 if len(data) <= 1 << 16 else 8
        columns = next((number for number in (16, 8) if digits + 3 + 4 * number <= width), 4)
        return cls(data, columns, digits, digits + 3 + 4 * columns + NOTES_WIDTH <= width)

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

    def line(self, row: int, places: Sequence[PlacedToken]) -> Line:
        """A row of the dump.

        Args:
            row: Its number, from 0.
            places: What stands in its bytes, as far as that is known.
        """
        start = row * self.columns
        piece = self.data[start : start + self.columns]
        paints = _choose_paints(start, len(piece), [place.part for place in places])
        digits = [piece[at : at + 1].hex() + " " for at in range(len(piece))]
        characters = [chr(byte) if 0x20 <= byte < 0x7F else "·" for byte in piece]
        blank = Span("   " * (self.columns - len(piece)) + " ")
        begin = Span(f"{start:0{self.digits}x}  ", "muted")
        return Line(
            (
                begin,
                *_join_spans(digits, paints),
                blank,
                *_join_spans(characters, paints),
                *self._notes(start, places),
            )
        )

    def _notes(self, start: int, places: Sequence[PlacedToken]) -> Iterator[Span]:
        """What begins in a row, in words."""
        if not self.margin:
            return
        begun = [place.part for place in places if start <= place.part.start < start + self.columns]
        missing = self.columns - min(self.columns, len(self.data) - start)
        for number, part in enumerate(begun):
            yield Span("  " + " " * missing if number == 0 else " · ", "muted")
            yield abbreviate_token(part, self.data)


def _choose_paints(start: int, length: int, parts: Sequence[Token]) -> list[Paint]:
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


def _join_spans(texts: Sequence[str], paints: Sequence[Paint]) -> Iterator[Span]:
    """Spans of texts, neighbours of one paint together."""
    begun = 0
    for at in range(1, len(texts) + 1):
        if at == len(texts) or paints[at] != paints[begun]:
            yield Span("".join(texts[begun:at]), paints[begun])
            begun = at
