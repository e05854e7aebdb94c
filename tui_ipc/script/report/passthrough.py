"""What children print: passed on to one of our streams, held back, or its end kept for a report."""

from collections import deque
from collections.abc import Callable
from typing import Final

from tui_ipc.events import AnyEvent, ChildOutput
from tui_ipc.text.safe_text import decode_output, make_visible
from tui_ipc.text.units import format_count

MAX_UNFINISHED_LINE: Final = 64 * 1024
"""Bytes of an unfinished line that are held back; a longer line is passed on in pieces."""


class Passthrough:
    """Passes on what a child prints on one stream to one of ours.

    It passes on whole lines, so that our own lines never come in the middle of one of the child's. A file
    or a pipe gets the child's bytes unchanged; a terminal gets text that cannot steer it.

    Args:
        encode: Encodes text for our stream.
        for_terminal: Whether our stream is a terminal.
        mark: What precedes each line.
    """

    def __init__(self, encode: Callable[[str], bytes], *, for_terminal: bool, mark: str = "") -> None:
        self._encode = encode
        self._for_terminal = for_terminal
        self._mark = encode(mark)
        self._held = b""
        self._in_line = False

    def feed(self, data: bytes) -> bytes:
        """Take what the child printed; returns what to write now."""
        held = self._held + data
        cut = held.rfind(b"\n") + 1
        if len(held) - cut > MAX_UNFINISHED_LINE:
            cut = len(held)
        self._held = held[cut:]
        return self._convert(held[:cut])

    def flush(self) -> bytes:
        """Return what to write at the end; the last line gets an end unless the bytes are passed on
        unchanged.
        """
        held, self._held = self._held, b""
        shown = self._convert(held)
        ends = self._in_line and (self._for_terminal or self._mark)
        self._in_line = False
        return shown + b"\n" if ends else shown

    def _convert(self, data: bytes) -> bytes:
        if not self._for_terminal and not self._mark:
            return data
        pieces = []
        for line in _split_lines(data):
            pieces.append(b"" if self._in_line else self._mark)
            pieces.append(self._convert_line(line))
            self._in_line = not line.endswith(b"\n")
        return b"".join(pieces)

    def _convert_line(self, line: bytes) -> bytes:
        if not self._for_terminal:
            return line
        text = _show_line(line.removesuffix(b"\n"))
        return self._encode(text + "\n" * line.endswith(b"\n"))


def _split_lines(data: bytes) -> list[bytes]:
    """Split at line feeds only, which stay; ``splitlines`` also splits at carriage returns."""
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


MAX_TAIL: Final = 16 * 1024
"""Bytes of each stream that are kept for a report."""


MAX_HELD: Final = 256 * 1024
"""Bytes that are held back."""


class HeldOutput:
    """What a child printed and is shown later, if at all.

    Attributes:
        events: The output, in its order; of much output the end.
        dropped: The number of bytes before that.
    """

    def __init__(self) -> None:
        self.events: deque[ChildOutput] = deque()
        self.dropped = 0
        self._size = 0

    def add(self, event: ChildOutput) -> None:
        """Hold more."""
        self.events.append(event)
        self._size += len(event.data)
        while self._size > MAX_HELD and len(self.events) > 1:
            size = len(self.events.popleft().data)
            self._size -= size
            self.dropped += size


class OutputTails:
    """Keeps the end of what a child prints on both streams."""

    def __init__(self) -> None:
        self._kept = {"stdout": b"", "stderr": b""}
        self._sizes = {"stdout": 0, "stderr": 0}

    def add(self, event: AnyEvent) -> None:
        """Keep what was printed; all other events are ignored."""
        if isinstance(event, ChildOutput):
            stream = event.stream
            self._kept[stream] = (self._kept[stream] + event.data)[-MAX_TAIL:]
            self._sizes[stream] += len(event.data)

    def text(self, stream: str) -> str:
        """What was printed on a stream, safe to show."""
        kept = self._kept[stream]
        text = "\n".join(_show_line(line) for line in kept.split(b"\n"))
        cut = self._sizes[stream] - len(kept)
        return f"({format_count(cut)} bytes before this are left out)\n{text}" if cut else text


def _show_line(line: bytes) -> str:
    return make_visible(decode_output(line.removesuffix(b"\r")), keep_tabs=True)
