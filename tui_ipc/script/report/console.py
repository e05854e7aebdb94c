"""Colour for people who read us on a terminal, and for nobody else. Pure."""

import os
from collections.abc import Callable, Mapping
from typing import Final, TextIO

from tui_ipc.script.output import OutputStream

Paint = Callable[[str, str], str]
"""Gives a text in a colour: ``paint(text, RED)``."""

BOLD: Final = "1"
DIM: Final = "2"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"


def leave_plain(text: str, _colour: str) -> str:
    """The text as it is."""
    return text


def colour_text(text: str, colour: str) -> str:
    """The text between the sequences that set a colour and end it (ECMA-48, SGR)."""
    return f"\x1b[{colour}m{text}\x1b[m"


def choose_paint(*, terminal: bool, environment: Mapping[str, str]) -> Paint:
    """How to paint what goes to a stream: not at all unless it is a terminal that can, for one who wants it.

    ``NO_COLOR`` set to anything but nothing forbids it (https://no-color.org), as ``TERM=dumb`` does.
    """
    wanted = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return colour_text if terminal and wanted else leave_plain


_ERASE: Final = "\r\x1b[K"
"""To the line's beginning, and erase to its end (ECMA-48, EL)."""

_WIDTH: Final = 80  # cells, of a terminal that does not say


class Console:
    """Our two streams, and a status line below them where a person looks at standard error.

    Args:
        stdout: The stream for data, None if it was closed before we began.
        stderr: The stream for narration; what it does not take is lost without a word.
        environment: What the user said of the terminal: ``TERM``, ``NO_COLOR``.
        status: Whether a status line is wanted.

    Attributes:
        stdout: For data.
        stderr: For narration.
        paint: How to paint what goes to stderr.
        interactive: Whether there can be a status line.
    """

    def __init__(
        self,
        stdout: TextIO | None,
        stderr: TextIO | None,
        environment: Mapping[str, str],
        *,
        status: bool = True,
    ) -> None:
        self.stdout = OutputStream(stdout)
        self.stderr = OutputStream(stderr, lossy=True)
        self.paint: Paint = choose_paint(terminal=self.stderr.terminal, environment=environment)
        self.interactive = status and self.stderr.terminal and environment.get("TERM") != "dumb"
        self._descriptor = stderr.fileno() if stderr is not None else -1
        self._shown = False
        self._writing = 0

    async def write(self, sink: OutputStream, data: bytes) -> None:
        """Write bytes to one of the two.

        Raises:
            OutputLostError: Standard output takes nothing more.
        """
        if not data:
            return
        self._writing += 1
        try:
            if self._shown and sink.terminal:
                await self._erase()
            await sink.write(data)
        finally:
            self._writing -= 1

    async def line(self, sink: OutputStream, text: str) -> None:
        """Write a line of our own to one of the two, on a line of its own.

        Raises:
            OutputLostError: Standard output takes nothing more.
        """
        self._writing += 1
        try:
            if self._shown and sink.terminal:
                await self._erase()
            await sink.line(text)
        finally:
            self._writing -= 1

    @property
    def width(self) -> int:
        """The cells of the terminal's lines."""
        try:
            return os.get_terminal_size(self._descriptor).columns or _WIDTH
        except OSError:
            return _WIDTH

    def show(self, status: str) -> None:
        """Draw the status line, if now is a moment for it: it never waits, and never disturbs a line."""
        begun = self.stderr.in_line or (self.stdout.terminal and self.stdout.in_line)
        if self.interactive and not begun and not self._writing:
            self._shown = self.stderr.write_at_once(self.stderr.encode(_ERASE + status)) or self._shown

    async def clear(self) -> None:
        """Erase the status line."""
        if self._shown:
            self._writing += 1
            try:
                await self._erase()
            finally:
                self._writing -= 1

    async def _erase(self) -> None:
        self._shown = False
        await self.stderr.erase(self.stderr.encode(_ERASE))
