"""Our standard output and standard error: text, colours, and a status line, for people and for pipes.

Nothing here blocks the event loop. A slow reader of our output, such as a paused pager, makes the child wait,
but it must not keep us from a deadline, a signal or the child's end.
"""

import asyncio
import errno
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TextIO, TypeVar

from tui_ipc.osutil.leaving import catch_end_signals
from tui_ipc.script import SIGNAL_EXIT_BASE, ExitCode
from tui_ipc.text.safe_text import cell_width, make_visible
from tui_ipc.text.units import format_count, format_plural

T = TypeVar("T")

MAX_WRITE: Final = 4096
"""PIPE_BUF on Linux: a pipe that is ready to be written takes so many bytes without blocking (pipe(7))."""

_TURN: Final = 64  # writes until other tasks have a turn


class OutputLostError(Exception):
    """Standard output takes nothing more.

    Attributes:
        closed: True if its reader went away, False if it failed otherwise, as for a full disk.
        code: The exit code that it asks for: that of a process ended by SIGPIPE, or USAGE.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(f"standard output cannot be written: {error.strerror}")
        self.closed = error.errno == errno.EPIPE
        self.code = SIGNAL_EXIT_BASE + signal.SIGPIPE if self.closed else int(ExitCode.USAGE)


class OutputStream:
    """One of our output streams. One task writes to it at a time.

    Args:
        stream: The stream; None if it was closed before we began, and then all that is written is dropped.
        lossy: Whether to drop what cannot be written, instead of raising.

    Attributes:
        terminal: Whether it is a terminal.
        in_line: Whether the last write left an unfinished line.
    """

    def __init__(self, stream: TextIO | None, *, lossy: bool = False) -> None:
        self._descriptor = -1 if stream is None else stream.fileno()
        self._encoding = "utf-8" if stream is None else stream.encoding
        self._lossy = lossy
        self._mark = b""
        self._writes = 0
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
        # The descriptor may be shared with other processes, of which O_NONBLOCK would break those that do not
        # expect it. So it stays blocking, and is written to only when it is ready, and no more than it takes.
        try:
            while unwritten and self._descriptor >= 0:
                self._writes += 1
                if self._writes % _TURN == 0:
                    await asyncio.sleep(0)  # lets signals in, which a fast reader would keep out
                await self._wait_until_ready()
                unwritten = unwritten[self._write_now(unwritten[:MAX_WRITE]) :]
        except OSError as error:
            if not self._lossy:
                raise OutputLostError(error) from None
            self._descriptor = -1

    async def line(self, text: str) -> None:
        """Write a text of our own, on a line of its own.

        Raises:
            OutputLostError: It cannot be written.
        """
        begin = "\n" if self.in_line else ""
        await self.write(self.encode(f"{begin}{text}\n"))

    async def erase(self, data: bytes) -> None:
        """Write what leaves the current line empty."""
        await self.write(data)
        self.in_line = False

    def write_at_once(self, data: bytes) -> bool:
        """Write at most 4096 bytes if that needs no wait; returns whether any of them were written."""
        try:
            ready = self._descriptor >= 0 and self._is_ready()
            return ready and self._write_now(memoryview(data)[:MAX_WRITE]) > 0
        except OSError:
            return False

    def redirect(self, descriptor: int, mark: bytes) -> None:
        """Write to another descriptor from now on, unless the stream was closed.

        Args:
            descriptor: It keeps the boundaries of writes, as a socket for packets does.
            mark: What precedes each write.
        """
        if self._descriptor >= 0:
            self._descriptor, self._mark = descriptor, mark

    def encode(self, text: str) -> bytes:
        """Encode text; characters that the stream's encoding lacks become escapes."""
        return text.encode(self._encoding, "backslashreplace")

    def _write_now(self, piece: memoryview) -> int:
        try:
            return os.writev(self._descriptor, (self._mark, piece)) - len(self._mark)
        except BlockingIOError:  # another process made it non-blocking, and filled it first
            return 0

    def _is_ready(self) -> bool:
        return bool(select.select([], [self._descriptor], [], 0)[1])

    async def _wait_until_ready(self) -> None:
        if self._is_ready():
            return
        loop = asyncio.get_running_loop()
        ready: asyncio.Future[None] = loop.create_future()
        loop.add_writer(self._descriptor, _set_done, ready)
        try:
            await ready
        finally:
            loop.remove_writer(self._descriptor)


def _set_done(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)


def write_stderr(*lines: str) -> None:
    """Write lines of our own to standard error; what they quote of others must have been made visible."""
    try:
        if sys.stderr is not None:
            sys.stderr.writelines(f"{line}\n" for line in lines)
            sys.stderr.flush()
    except OSError:  # its reader went away, or the disk is full: the exit code says the rest
        pass


class EndedBySignal(Exception):
    """A signal asked this process to end; ``code`` is the exit code for that."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by signal {number}")
        self.code = SIGNAL_EXIT_BASE + number


def run_until_signal(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in an event loop of its own, until it returns or a signal asks this process to end.

    Raises:
        EndedBySignal: A signal came, and the coroutine was cancelled.
    """

    async def run() -> T:
        task = asyncio.create_task(coroutine)
        with catch_end_signals(asyncio.get_running_loop(), task.cancel) as signals:
            await asyncio.wait([task])
        if task.cancelled():
            raise EndedBySignal(signals[0])
        return task.result()

    return asyncio.run(run())


Paint = Callable[[str, str], str]
"""Gives a text a colour: ``paint(text, RED)``."""

BOLD: Final = "1"
DIM: Final = "2"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"


def leave_plain(text: str, _colour: str) -> str:
    """Return the text as it is."""
    return text


def colour_text(text: str, colour: str) -> str:
    """Put the text between the sequences that set a colour and end it (ECMA-48, SGR)."""
    return f"\x1b[{colour}m{text}\x1b[m"


def choose_paint(*, terminal: bool, environment: Mapping[str, str]) -> Paint:
    """Choose how to paint what goes to a stream: in colour on a terminal that can, unless the user says.

    ``NO_COLOR`` set to anything but an empty text forbids it (https://no-color.org). ``FORCE_COLOR`` likewise
    asks for it on any stream, for logs that show colours.
    """
    if environment.get("NO_COLOR"):
        return leave_plain
    if environment.get("FORCE_COLOR"):
        return colour_text
    return colour_text if terminal and environment.get("TERM") != "dumb" else leave_plain


_ERASE: Final = "\r\x1b[K"
"""Moves to the beginning of the line, and erases to its end (ECMA-48, EL)."""

_DEFAULT_WIDTH: Final = 80  # cells, of a terminal that does not say


class Console:
    """Our two streams, and below them a status line if standard error is a terminal.

    The status line is drawn only between writes and on an empty line, and is erased before anything else is
    written to a terminal, so that it never mixes with other text.

    Args:
        stdout: The stream for data, None if it was closed before we began.
        stderr: The stream for messages to people; what it does not take is dropped.
        environment: The environment, for ``TERM`` and ``NO_COLOR``.
        status: Whether a status line is wanted.

    Attributes:
        stdout: The stream for data.
        stderr: The stream for messages to people.
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
        self._shown = False  # whether the status line is on the screen
        self._writing = 0  # the writes that are under way; each may wait for a slow reader

    def redirect(self, stdout: tuple[int, bytes], stderr: tuple[int, bytes]) -> None:
        """Write to other descriptors from now on, as :meth:`OutputStream.redirect`; without a status line."""
        self.stdout.redirect(*stdout)
        self.stderr.redirect(*stderr)
        self.interactive = False

    async def write(self, stream: OutputStream, data: bytes) -> None:
        """Write bytes to one of the two streams.

        Raises:
            OutputLostError: Standard output takes nothing more.
        """
        if not data:
            return
        self._writing += 1
        try:
            if self._shown and stream.terminal:
                await self._erase()
            await stream.write(data)
        finally:
            self._writing -= 1

    async def line(self, stream: OutputStream, text: str) -> None:
        """Write a text of our own to one of the two streams, on a line of its own.

        Raises:
            OutputLostError: Standard output takes nothing more.
        """
        self._writing += 1
        try:
            if self._shown and stream.terminal:
                await self._erase()
            await stream.line(text)
        finally:
            self._writing -= 1

    @property
    def width(self) -> int:
        """The width of the terminal, in cells."""
        try:
            return os.get_terminal_size(self._descriptor).columns or _DEFAULT_WIDTH
        except OSError:
            return _DEFAULT_WIDTH

    def show(self, status: str) -> None:
        """Draw the status line, unless that would need a wait or disturb another line."""
        in_line = self.stderr.in_line or (self.stdout.terminal and self.stdout.in_line)
        if self.interactive and not in_line and not self._writing:
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


SHOW_AFTER: Final = 1.0
"""Seconds after which the status line is first shown: a script that is over sooner needs none."""

INTERVAL: Final = 0.2
"""Seconds between two updates of the status line."""

FREE_CELLS: Final = 3
"""Cells left free after the status line: for the cursor, and for the ``^C`` that a terminal may echo
there."""

_ELLIPSIS: Final = "…"


@asynccontextmanager
async def show_progress(
    console: Console, label: str, unit: str, total: int, count_done: Callable[[], int]
) -> AsyncIterator[None]:
    """Show in the status line how far something is, for as long as the context lasts.

    Args:
        console: Where; it must be interactive.
        label: What runs; it may be empty.
        unit: What it consists of: ``step``.
        total: How many of them.
        count_done: Returns how many of them are done.
    """
    task = asyncio.create_task(_update_status(console, label, unit, total, count_done))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await console.clear()


async def _update_status(
    console: Console, label: str, unit: str, total: int, count_done: Callable[[], int]
) -> None:
    await asyncio.sleep(SHOW_AFTER)
    while True:
        console.show(format_progress(label, unit, count_done(), total, console.width - FREE_CELLS))
        await asyncio.sleep(INTERVAL)


def format_progress(label: str, unit: str, done: int, total: int, width: int) -> str:
    """Format a status line of at most ``width`` cells; what does not fit is cut from the label's
    beginning.
    """
    figures = f"{format_count(done)} of {format_plural(total, unit)}"
    shown = _cut_beginning(make_visible(label), width - len(figures) - 2)
    return f"{shown}: {figures}" if shown else figures[: max(width, 0)]


def _cut_beginning(text: str, width: int) -> str:
    """The end of a text, in at most ``width`` cells."""
    if cell_width(text) <= width:
        return text
    kept, left = "", width - 1
    for character in reversed(text):
        left -= cell_width(character)
        if left < 0:
            break
        kept = character + kept
    return _ELLIPSIS + kept if width > 0 else ""
