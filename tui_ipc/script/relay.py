"""What a child prints, on its way to our own output. Pure.

The one rule: whole lines. Ours never stand in the middle of one of the child's. A file or a pipe gets the
child's bytes unchanged; a terminal gets text in which every control character is seen and none obeyed.
"""

from collections.abc import Callable
from typing import Final

from tui_ipc.session.notation import render

LIMIT: Final = 64 * 1024
"""Bytes of an unfinished line that are held back; a longer line is passed on in pieces."""


class Relay:
    """Passes on one stream.

    Args:
        encode: How text is written there.
        visible: Whether it is a terminal.
        mark: What precedes each line.
    """

    def __init__(self, encode: Callable[[str], bytes], *, visible: bool, mark: str = "") -> None:
        self._encode = encode
        self._visible = visible
        self._mark = encode(mark)
        self._held = b""
        self._in_line = False

    def feed(self, data: bytes) -> bytes:
        """What to write once the child has printed ``data``."""
        held = self._held + data
        cut = held.rfind(b"\n") + 1
        if len(held) - cut > LIMIT:
            cut = len(held)
        self._held = held[cut:]
        return self._shown(held[:cut])

    def flush(self) -> bytes:
        """What to write at the end; what is not passed on unchanged ends its last line."""
        held, self._held = self._held, b""
        shown = self._shown(held)
        ends = self._in_line and (self._visible or self._mark)
        self._in_line = False
        return shown + b"\n" if ends else shown

    def _shown(self, data: bytes) -> bytes:
        if not self._visible and not self._mark:
            return data
        pieces = []
        for line in _lines(data):
            pieces.append(b"" if self._in_line else self._mark)
            pieces.append(self._line(line))
            self._in_line = not line.endswith(b"\n")
        return b"".join(pieces)

    def _line(self, line: bytes) -> bytes:
        if not self._visible:
            return line
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode(errors="backslashreplace")
        return self._encode(visible(text) + "\n" * line.endswith(b"\n"))


def _lines(data: bytes) -> list[bytes]:
    """The lines with their ends; unlike for ``splitlines``, a carriage return ends none."""
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def visible(text: str) -> str:
    """Text in which the notation's escapes stand for what a terminal would obey or hide; tabs stay."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character == "\t" else render(character)[1:-1]
        for character in text
    )
