"""Our standard output and standard error, written without ever holding up the event loop.

The one rule: who reads us slowly makes the child wait, and nothing else. A paused pager must not keep us from
a deadline, a signal or the child's end.
"""

import asyncio
import errno
import os
import select
import signal
import sys
from typing import Final, TextIO

from tui_ipc.script.exit_codes import SIGNAL_EXIT_BASE, ExitCode

_MAX_WRITE: Final = 4096
"""PIPE_BUF on Linux: a pipe that is ready to be written takes so many bytes without blocking, see pipe(7)."""


class OutputLostError(Exception):
    """Standard output takes nothing more.

    Attributes:
        closed: True if its reader went away, False if it failed: a full disk, for instance.
        code: The exit code that it asks for: that of a process that SIGPIPE ended, or of a fault of ours.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")
        self.closed = error.errno == errno.EPIPE
        self.code = SIGNAL_EXIT_BASE + signal.SIGPIPE if self.closed else int(ExitCode.USAGE)


class OutputStream:
    """One of our output streams. One task writes to it at a time.

    Args:
        stream: Which; None if it was closed before we began, and then all that is written is dropped.
        lossy: Drop what cannot be written, instead of raising: for narration.

    Attributes:
        terminal: Whether a person reads it directly.
        in_line: Whether what was written last began a line and did not end it.
    """

    def __init__(self, stream: TextIO | None, *, lossy: bool = False) -> None:
        self._descriptor = -1 if stream is None else stream.fileno()
        self._encoding = "utf-8" if stream is None else stream.encoding
        self._lossy = lossy
        self.in_line = False
        self.terminal = stream is not None and stream.isatty()

    async def write(self, data: bytes) -> None:
        """Write bytes as they are. Cancelling it loses what was not yet written.

        Raises:
            OutputLostError: They cannot be written.
        """
        if data:
            self.in_line = not data.endswith(b"\n")
        unwritten = memoryview(data)
        try:
            while unwritten and self._descriptor >= 0:
                await self._ready()
                unwritten = unwritten[self._write_now(unwritten[:_MAX_WRITE]) :]
        except OSError as error:
            if not self._lossy:
                raise OutputLostError(error) from None
            self._descriptor = -1

    async def line(self, text: str) -> None:
        """Write a line of our own, on a line of its own.

        Raises:
            OutputLostError: It cannot be written.
        """
        begin = "\n" if self.in_line else ""
        await self.write(self.encode(f"{begin}{text}\n"))

    async def erase(self, data: bytes) -> None:
        """As :meth:`write`, for what leaves the line as empty as it was."""
        await self.write(data)
        self.in_line = False

    def write_at_once(self, data: bytes) -> bool:
        """Write what will be erased again, at most 4096 bytes, unless it had to wait or fails.

        Returns:
            Whether any of it was written.
        """
        try:
            ready = self._descriptor >= 0 and self._is_ready()
            return ready and self._write_now(memoryview(data)[:_MAX_WRITE]) > 0
        except OSError:
            return False

    def encode(self, text: str) -> bytes:
        """Text as the reader's encoding has it; what that lacks becomes an escape."""
        return text.encode(self._encoding, "backslashreplace")

    def _write_now(self, piece: memoryview) -> int:
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:  # somebody who shares it with us made it non-blocking, and was faster
            return 0

    def _is_ready(self) -> bool:
        return bool(select.select([], [self._descriptor], [], 0)[1])

    async def _ready(self) -> None:
        if self._is_ready():
            return
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._descriptor, _wake, ready)
        try:
            await ready
        finally:
            loop.remove_writer(self._descriptor)


def _wake(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def write_stderr(*lines: str) -> None:
    """Write lines of our own; what they quote of others must have been made visible."""
    try:
        if sys.stderr is not None:
            sys.stderr.writelines(f"{line}\n" for line in lines)
            sys.stderr.flush()
    except OSError:  # a reader that went away, a full disk: the exit code says the rest
        pass
