"""The last that a child printed, for reports. Pure."""

from typing import Final

from tui_ipc.script.relay import visible
from tui_ipc.session.events import ChildOutput, Event
from tui_ipc.session.units import count

LIMIT: Final = 16 * 1024
"""Bytes of each stream that are kept."""


class Tails:
    """Keeps the end of both of a child's streams."""

    def __init__(self) -> None:
        self._kept = {"stdout": b"", "stderr": b""}
        self._sizes = {"stdout": 0, "stderr": 0}

    def note(self, event: Event) -> None:
        """Take in what was printed."""
        if isinstance(event, ChildOutput):
            stream = event.stream
            self._kept[stream] = (self._kept[stream] + event.data)[-LIMIT:]
            self._sizes[stream] += len(event.data)

    def text(self, stream: str) -> str:
        """What was printed, in lines in which every control character is seen and none obeyed."""
        kept = self._kept[stream]
        lines = [
            visible(line.removesuffix(b"\r").decode(errors="backslashreplace")) for line in kept.split(b"\n")
        ]
        text = "\n".join(lines)
        cut = self._sizes[stream] - len(kept)
        return f"({count(cut)} bytes before this are left out)\n{text}" if cut else text
