"""Standard output and standard error as whoever looks at them sees them: together.

The one rule: the status line, which is rewritten in place, is never part of anything else. It is drawn only
where a line is over and nothing is being written, and erased before the next thing is written.
"""

import os
from collections.abc import Mapping
from typing import Final, TextIO

from tui_ipc.script.reporting.colours import Paint, paint
from tui_ipc.script.sink import Sink

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
        self.stdout = Sink(stdout)
        self.stderr = Sink(stderr, lossy=True)
        self.paint: Paint = paint(terminal=self.stderr.terminal, environment=environment)
        self.interactive = status and self.stderr.terminal and environment.get("TERM") != "dumb"
        self._descriptor = stderr.fileno() if stderr is not None else -1
        self._shown = False
        self._writing = 0

    async def write(self, sink: Sink, data: bytes) -> None:
        """Write bytes to one of the two.

        Raises:
            SinkLostError: Standard output takes nothing more.
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

    async def line(self, sink: Sink, text: str) -> None:
        """Write a line of our own to one of the two, on a line of its own.

        Raises:
            SinkLostError: Standard output takes nothing more.
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
