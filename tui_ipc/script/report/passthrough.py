"""What a child prints, on its way to our own output. Pure.

The one rule: whole lines. Ours never stand in the middle of one of the child's. A file or a pipe gets the
child's bytes unchanged; a terminal gets text in which every control character is seen and none obeyed.
"""

from collections.abc import Callable
from typing import Final

from tui_ipc.events import AnyEvent, ChildOutput
from tui_ipc.text.notation import render_value
from tui_ipc.text.units import format_count

MAX_UNFINISHED_LINE: Final = 64 * 1024
"""Bytes of an unfinished line that are held back; a longer line is passed on in pieces."""


class Passthrough:
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
        if len(held) - cut > MAX_UNFINISHED_LINE:
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
        character if character.isprintable() or character == "\t" else render_value(character)[1:-1]
        for character in text
    )


MAX_TAIL: Final = 16 * 1024
"""Bytes of each stream that are kept."""


class OutputTails:
    """Keeps the end of both of a child's streams."""

    def __init__(self) -> None:
        self._kept = {"stdout": b"", "stderr": b""}
        self._sizes = {"stdout": 0, "stderr": 0}

    def note(self, event: AnyEvent) -> None:
        """Take in what was printed."""
        if isinstance(event, ChildOutput):
            stream = event.stream
            self._kept[stream] = (self._kept[stream] + event.data)[-MAX_TAIL:]
            self._sizes[stream] += len(event.data)

    def text(self, stream: str) -> str:
        """What was printed, in lines in which every control character is seen and none obeyed."""
        kept = self._kept[stream]
        lines = [
            visible(line.removesuffix(b"\r").decode(errors="backslashreplace")) for line in kept.split(b"\n")
        ]
        text = "\n".join(lines)
        cut = self._sizes[stream] - len(kept)
        return f"({format_count(cut)} bytes before this are left out)\n{text}" if cut else text
