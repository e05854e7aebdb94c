"""Writes what happens in a session to a file, as it happens.

A session never suffers from being recorded: what goes wrong once the file is made ends the recording and is
reported once, and raises nothing.
"""

import os
import stat
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from tui_ipc.events import AnyEvent
from tui_ipc.osutil.files import describe_path_error, lock_file
from tui_ipc.recording import codec
from tui_ipc.recording.codec import MAGIC, Clock, NothingRecordedError, RecordingError
from tui_ipc.recording.reader import open_recording
from tui_ipc.text.units import format_size

if TYPE_CHECKING:
    import asyncio

MAX_BUFFERED: Final = 256 * 1024
"""Bytes that wait for the end of a turn of the event loop at most."""

_CLOCK_INTERVAL: Final = 60_000_000_000  # ns; a machine that slept has another wall clock afterwards


class RecordingWriter:
    """Records the events that it is called with; give it to a session as ``record``.

    Events of one turn of the event loop are written together, at its end: if this process is killed,
    at most that turn is lost. Where no loop runs, each event is written at once, or by :meth:`flush`.

    Args:
        path: The file. It is made for its owner alone; a recording that is there is replaced (see
            :attr:`replaced`), and any other file is left alone.
        command: What is recorded, as it was asked for.
        on_failure: Called once, with a sentence, if the recording ends early.
        is_flushed: Whether :meth:`flush` is called whenever events are to be written.

    Attributes:
        failure: That sentence, None while all is well.
        path: As given.
        replaced: A sentence about the recording that the file held before; empty if it held none.

    Raises:
        RecordingError: The file cannot be made, or is not ours to replace.

    Example:
        >>> async def main():
        ...     with RecordingWriter("session.rec") as recorder:
        ...         async with Session(record=recorder) as session:
        ...             await session.ready()
    """

    def __init__(
        self,
        path: str,
        *,
        command: Sequence[str] = (),
        on_failure: Callable[[str], None] | None = None,
        is_flushed: bool = False,
    ) -> None:
        self.failure: str | None = None
        self.path = path
        self._on_failure = on_failure
        self._is_flushed = is_flushed
        self._buffer = bytearray()
        self._clock_due = 0  # the first event from this moment on is written with the wall clock
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that will write the buffer
        self._file, self.replaced = _create(path)
        header = codec.encode_header(tuple(command))
        self._written = len(header)
        try:
            _write(self._file, header)
        except OSError as error:
            os.close(self._file)
            raise RecordingError(
                f"{path} cannot be written: {describe_path_error(error)}; record where there is room"
            ) from None

    @property
    def size(self) -> int:
        """Bytes written, and about to be."""
        return self._written + len(self._buffer)

    def __call__(self, event: AnyEvent) -> None:
        """Record an event."""
        if self._file < 0:
            return
        if event.at >= self._clock_due:
            self._clock_due = event.at + _CLOCK_INTERVAL
            self._buffer += codec.encode_clock(Clock(event.at, datetime.now(UTC)))
        head, content, tail = codec.encode_event_parts(event)
        self._buffer += head
        if content or len(self._buffer) >= MAX_BUFFERED:
            self._flush(content, tail)
            return
        if self._is_flushed:
            return
        from asyncio import get_running_loop  # who has no loop need not load it

        try:
            loop = get_running_loop()
        except RuntimeError:
            self._flush()
            return
        if loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._end_turn)  # after what else this turn of the loop brings

    def write_clock(self) -> None:
        """Write the wall clock with the next event, as the one after a pause of the recording needs it."""
        self._clock_due = 0

    def flush(self) -> None:
        """Write the events that are not written yet."""
        if self._buffer:
            self._flush()

    def close(self) -> None:
        """Write what is left and that the recording is complete, and close it. Closing twice is harmless."""
        if self._file >= 0:
            self._buffer += codec.encode_end()
        self._flush()
        if self._file >= 0:
            file, self._file = self._file, -1
            try:
                os.close(file)
            except OSError as error:  # what a network's file system says of earlier writes
                self._fail(error)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _end_turn(self) -> None:
        self._loop = None
        self._flush()

    def _flush(self, *further: bytes) -> None:
        if self._file < 0:
            return
        buffer, self._buffer = self._buffer, bytearray()
        self._written += len(buffer) + sum(map(len, further))
        try:
            _write(self._file, buffer, *further)
        except OSError as error:
            file, self._file = self._file, -1
            os.close(file)
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self.failure = (
            f"the recording in {self.path} ends here, it cannot be written: {describe_path_error(error)}; "
            "what came before can be replayed; record again where there is room"
        )
        if self._on_failure is not None:
            self._on_failure(self.failure)


def _create(path: str) -> tuple[int, str]:
    """Return the descriptor of an empty file under that path, which no other session records to.

    With it comes :attr:`RecordingWriter.replaced`.

    Raises:
        RecordingError: It cannot be made, or is not ours to replace.
    """
    try:
        _refuse_irregular_file(path)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _describe_refusal(path, error) from None
    try:
        return file, _claim(path, file)
    except BaseException:
        os.close(file)
        raise


def _describe_refusal(path: str, error: OSError | ValueError) -> RecordingError:
    remedy = "name a file that can be made"
    directory = os.path.dirname(path)
    if directory and not os.path.isdir(directory) and not isinstance(error, ValueError):
        remedy = f"make the directory {directory} first, or {remedy}"
    elif isinstance(error, PermissionError):
        remedy = "name a file that you may write"
    return RecordingError(f"{path} cannot be recorded to: {describe_path_error(error)}; {remedy}")


def _refuse_irregular_file(path: str) -> None:
    """Opening a fifo waits for its reader, and opening a device may do anything."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise RecordingError(f"{path} is a directory; name a file in it")
    if not stat.S_ISREG(mode):
        raise RecordingError(f"{path} is not a regular file; name one, or a new one")


def _claim(path: str, file: int) -> str:
    """Make sure that the file is ours, and empty it; return what is lost by that."""
    try:
        # Before anything is changed: what another session writes must stay. Who follows this recording sees
        # by the lock that its writer is still there.
        if not lock_file(file):
            raise RecordingError(f"{path} is being recorded to by another session; name another file")
        if os.pread(file, len(MAGIC), 0) not in (b"", MAGIC):
            raise RecordingError(f"{path} exists and is not a recording; name another file")
        replaced = _describe_recording(path)
        os.ftruncate(file, 0)
        os.fchmod(file, 0o600)
    except OSError as error:
        raise _describe_refusal(path, error) from None
    return replaced


def _describe_recording(path: str) -> str:
    try:
        what = f"of {open_recording(path).began:%Y-%m-%d %H:%M} UTC"
    except NothingRecordedError:
        return ""
    except RecordingError:
        what = "that this tui-ipc cannot read"
    return f"{path} replaces a recording {what} ({format_size(os.path.getsize(path))})"


def _write(file: int, *pieces: bytes | bytearray) -> None:
    """Write all of the pieces, however many calls the system needs."""
    left = [memoryview(piece) for piece in pieces if piece]
    while left:
        written = os.writev(file, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if left:
            left[0] = left[0][written:]
