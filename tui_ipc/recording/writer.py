"""Writes what happens in a session to a file, as it happens.

The one rule: a session never suffers from being recorded. Whatever goes wrong after the beginning ends the
recording, is told once, and is never an exception.
"""

import asyncio
import fcntl
import os
import stat
from collections.abc import Callable, Sequence
from typing import Final, Self

from tui_ipc.events import AnyEvent
from tui_ipc.recording import codec
from tui_ipc.recording.codec import MAGIC, RecordingError, describe_path_error

MAX_BUFFERED: Final = 256 * 1024
"""Bytes that wait for the end of a turn of the event loop at most."""


class RecordingWriter:
    """Records the events that it is called with; give it to a session as ``record``.

    Events of one turn of the event loop are written together, at its end: should this process be killed, it
    costs at most that turn. Where no loop runs, each event is written at once.

    Args:
        path: The file. It is made for its owner alone; a recording that is there is replaced, and any other
            file is left alone.
        command: What is recorded, as it was asked for.
        on_failure: Called once, with a sentence, should the recording end early.

    Attributes:
        failure: That sentence, None while all is well.
        path: As given.
        size: Bytes written, and about to be.

    Raises:
        RecordingError: The file cannot be made, or is not ours to replace.

    Example:
        >>> async def main():
        ...     with Recorder("session.rec") as recorder:
        ...         async with Session(record=recorder) as session:
        ...             await session.ready()
    """

    def __init__(
        self, path: str, *, command: Sequence[str] = (), on_failure: Callable[[str], None] | None = None
    ) -> None:
        self.failure: str | None = None
        self.path = path
        self._on_failure = on_failure
        self._gathered = bytearray()
        self._loop: asyncio.AbstractEventLoop | None = None  # the one that will write what is gathered
        self._file = _create(path)
        header = codec.encode_header(tuple(command))
        self.size = len(header)
        try:
            _write(self._file, header)
        except OSError as error:
            os.close(self._file)
            raise RecordingError(
                f"{path} cannot be written: {describe_path_error(error)}; record where there is room"
            ) from None

    def __call__(self, event: AnyEvent) -> None:
        """Record an event."""
        if self._file < 0:
            return
        head, content = codec.encode_event_parts(event)
        self._gathered += head
        self.size += len(head) + len(content)
        if content or len(self._gathered) >= MAX_BUFFERED:
            self._flush(content)
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._flush()
            return
        if loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._turn_ends)

    def close(self) -> None:
        """Write what is left and close the file. Closing twice is harmless."""
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

    def _turn_ends(self) -> None:
        self._loop = None
        self._flush()

    def _flush(self, content: bytes = b"") -> None:
        if self._file < 0:
            return
        gathered, self._gathered = self._gathered, bytearray()
        try:
            _write(self._file, gathered, content)
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


def _create(path: str) -> int:
    """The descriptor of an empty file under that path, which nobody else records to.

    Raises:
        RecordingError: It cannot be made, or is not ours to replace.
    """
    try:
        _refuse_irregular_file(path)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise RecordingError(
            f"{path} cannot be recorded to: {describe_path_error(error)}; name a file that can be made"
        ) from None
    try:
        _claim(path, file)
    except BaseException:
        os.close(file)
        raise
    return file


def _refuse_irregular_file(path: str) -> None:
    """Opening a fifo waits for its reader, and opening a device may do anything."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise RecordingError(f"{path} is a directory; name a file in it")
    if not stat.S_ISREG(mode):
        raise RecordingError(f"{path} is no regular file; name one, or a new one")


def _claim(path: str, file: int) -> None:
    """Make sure that the file is ours, and empty it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.pread(file, len(MAGIC), 0) not in (b"", MAGIC):
            raise RecordingError(f"{path} exists and is no recording; name another file")
        os.ftruncate(file, 0)
        os.fchmod(file, 0o600)
    except BlockingIOError:
        raise RecordingError(f"{path} is being recorded to by another session; name another file") from None
    except OSError as error:
        raise RecordingError(
            f"{path} cannot be recorded to: {describe_path_error(error)}; name a file that can be made"
        ) from None


def _write(file: int, *pieces: bytes | bytearray) -> None:
    """Write all of the pieces, however many calls the system needs."""
    left = [memoryview(piece) for piece in pieces if piece]
    while left:
        written = os.writev(file, left)
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if left:
            left[0] = left[0][written:]
