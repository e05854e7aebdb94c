"""A message's bytes as a hex dump with their structure beside them, and tokens of msgpack in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tui_ipc.events.message_values import decode_stored
from tui_ipc.ipc.errors import IpcError
from tui_ipc.ipc.wire import FILE_DESCRIPTOR, LARGE, RECEIVER, SENDER, SHARED_MEMORY
from tui_ipc.text import notation
from tui_ipc.text.msgpack_index import PlacedToken, Token
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural
from tui_ipc.tui.model.styled_line import Line, Paint, Span

BRIEF_BYTES: Final = 24
"""How many bytes of a scalar are shown beside the dump."""

_FAMILY_PAINTS: Final = {"str": "string", "bin": "string", "int": "number", "float": "number", "ext": "note"}
_EXT_TYPES: Final = {
    SENDER: "a sender",
    RECEIVER: "a receiver",
    SHARED_MEMORY: "a shared memory",
    LARGE: "a large message, announced",
    FILE_DESCRIPTOR: "a file descriptor",
    0xFF: "a time stamp",
}


def describe_token(part: Token, data: bytes) -> str:
    """Describe a token with its sizes: ``str 8, 12 bytes after a header of 2 bytes``."""
    header, body = part.payload_start - part.start, part.end - part.payload_start
    match part.family:
        case "map":
            return f"{part.kind}, {format_plural(part.items, 'pair')}, header of {_bytes(header)}"
        case "array":
            return f"{part.kind}, {format_plural(part.items, 'item')}, header of {_bytes(header)}"
        case "ext":
            kind = data[part.payload_start - 1]
            known = f" ({_EXT_TYPES[kind]})" if kind in _EXT_TYPES else ""
            return f"{part.kind}, type {kind}{known}, {_bytes(body)} after a header of {_bytes(header)}"
        case _ if body:
            return f"{part.kind}, {_bytes(body)} after a header of {_bytes(header)}"
        case _:
            return f"{part.kind}, {_bytes(header)}"


def _bytes(count: int) -> str:
    return format_plural(count, "byte")


def abbreviate_token(part: Token, data: bytes) -> Span:
    """Abbreviate what a token says to a few cells."""
    match part.family:
        case "map" | "array":
            return Span(f"{part.family} {format_count(part.items)}", "key")
        case "str":
            start = data[part.payload_start : min(part.end, part.payload_start + BRIEF_BYTES)]
            more = "…" if part.end - part.payload_start > BRIEF_BYTES else ""
            return Span(make_visible(notation.render_value(start.decode(errors="replace"))) + more, "string")
        case "bin" if part.end - part.payload_start > BRIEF_BYTES // 4:
            return Span(f"binary {format_count(part.end - part.payload_start)}", "string")
        case family:
            return Span(_format_scalar(part, data), _FAMILY_PAINTS.get(family, "constant"))


def _format_scalar(part: Token, data: bytes) -> str:
    """Write a short scalar in the notation; one that cannot be decoded, as the name of its format."""
    try:
        return make_visible(
            notation.render_value(decode_stored(data[part.start : part.end]), 2 * BRIEF_BYTES)
        )
    except IpcError:
        return part.kind


def describe_byte(part: Token, offset: int) -> str:
    """Describe what a byte is in its token."""
    if offset >= part.payload_start:
        position, size = offset - part.payload_start, part.end - part.payload_start
        return f"content, byte {format_count(position)} of {format_count(size)}"
    if part.end - part.start == 1:
        return "kind and content in one"
    if offset == part.start:
        return "header: the kind"
    return (
        "header: the type"
        if part.family == "ext" and offset == part.payload_start - 1
        else "header: the length"
    )


NOTES_WIDTH = 28
"""How many cells must be free beside the bytes to show their structure there."""


@dataclass(frozen=True, slots=True)
class HexDump:
    """The layout of a hex dump.

    Attributes:
        data: The bytes.
        columns: How many bytes a row has.
        digits: How many digits an offset has.
        has_notes: Whether the structure is shown beside the bytes.
    """

    data: bytes
    columns: int
    digits: int
    has_notes: bool

    @classmethod
    def fit(cls, data: bytes, width: int) -> "HexDump":
        """Make a dump of 16, 8 or 4 bytes a row, as many as fit in ``width`` cells."""
        digits = 4 if len(data) <= 1 << 16 else 8
        columns = next((number for number in (16, 8) if digits + 3 + 4 * number <= width), 4)
        return cls(data, columns, digits, digits + 3 + 4 * columns + NOTES_WIDTH <= width)

    @property
    def rows(self) -> int:
        """How many rows the dump has."""
        return (len(self.data) + self.columns - 1) // self.columns

    def cells(self, row: int, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the cells of the bytes from ``start`` up to ``end`` in a row: digits, then characters."""
        first = max(start - row * self.columns, 0)
        last = min(end - row * self.columns, self.columns)
        if first < last:
            digits, characters = self.digits + 2, self.digits + 3 + 3 * self.columns
            yield digits + 3 * first, digits + 3 * last - 1
            yield characters + first, characters + last

    def byte_at(self, row: int, cell: int) -> int | None:
        """Return the byte that a row shows in a cell, None if it shows none there."""
        digits, characters = self.digits + 2, self.digits + 3 + 3 * self.columns
        column = cell - characters if cell >= characters else (cell - digits) // 3
        offset = row * self.columns + column
        return offset if 0 <= column < self.columns and offset < len(self.data) else None

    def line(self, row: int, places: Sequence[PlacedToken]) -> Line:
        """Make a row of the dump.

        Args:
            row: Its number, from 0.
            places: The tokens of its bytes, as far as they are known.
        """
        start = row * self.columns
        piece = self.data[start : start + self.columns]
        paints = _choose_paints(start, len(piece), [place.token for place in places])
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
        """The tokens that begin in a row, abbreviated."""
        if not self.has_notes:
            return
        begun = [place.token for place in places if start <= place.token.start < start + self.columns]
        missing = self.columns - min(self.columns, len(self.data) - start)
        for number, part in enumerate(begun):
            yield Span("  " + " " * missing if number == 0 else " · ", "muted")
            yield abbreviate_token(part, self.data)


def _choose_paints(start: int, length: int, parts: Sequence[Token]) -> list[Paint]:
    """Choose a paint for each byte of a row: the kind, the length or type, and the content look different."""
    paints: list[Paint] = ["muted"] * length
    for part in parts:
        body = "string" if part.family in ("str", "bin") else "text"
        for at in range(max(part.start, start), min(part.end, start + length)):
            if at >= part.payload_start:
                paint = body
            elif at > part.start:
                paint = "number"
            else:
                paint = "strong" if part.family in ("array", "map") else "key"
            paints[at - start] = paint
    return paints


def _join_spans(texts: Sequence[str], paints: Sequence[Paint]) -> Iterator[Span]:
    """Make spans of texts, joining neighbours of one paint."""
    begun = 0
    for at in range(1, len(texts) + 1):
        if at == len(texts) or paints[at] != paints[begun]:
            yield Span("".join(texts[begun:at]), paints[begun])
            begun = at
