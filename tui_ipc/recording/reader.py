"""Reads a recording: its header at once, its events one after the other, also while they are written."""

import os
import stat
import threading
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from datetime import datetime
from io import FileIO
from typing import Any, Final, Literal

from tui_ipc.events import AnyEvent
from tui_ipc.events.message_values import ignore_descriptor, make_recorded_handle
from tui_ipc.ipc.builder import NOTHING
from tui_ipc.ipc.decoder import StreamDecoder
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, too_large
from tui_ipc.osutil.files import describe_path_error, is_locked, lock_file
from tui_ipc.recording.codec import (
    MAGIC,
    Clock,
    End,
    Header,
    NothingRecordedError,
    RecordingError,
    UnknownKind,
    begins_sent_message,
    decode_header,
    decode_other,
)
from tui_ipc.recording.event_schema import SCHEMAS, FieldError
from tui_ipc.text.units import format_plural

MAX_EVENT_SIZE: Final = 2**32 + 64 * 1024
"""Bytes of one event at most: those of the longest bin, and those before and after them."""

USUAL_MAX_EVENT_SIZE: Final = DEFAULT_MAX_MESSAGE_SIZE + 64 * 1024
"""The same for every event except bytes that were sent as they are, which a session does not limit. A broken
file costs no more memory than this before the fault is found."""

FOLLOW_INTERVAL: Final = 0.05
"""Seconds between two looks at a recording that is still written."""

_CHUNK: Final = 64 * 1024  # bytes of one read
_NAME_REMEDY: Final = "name a file that --record or F5 wrote"
_WAIT_REMEDY: Final = "--follow waits until something is"
_BROKEN_REMEDY: Final = "all events before it are complete"
_SPOOL_PREFIX: Final = "/proc/self/fd/"
_RUNS_CHECKED: Final = 1000  # runs that may overlap; with more, second events are not found


class Recording:
    """A recording in a file. Its header has been read; the events are read as they are asked for.

    Attributes:
        path: The file.
        name: The file, as sentences name it.
        version: Of the format.
        command: What was run, as it was asked for.
        began: The wall clock when the recording began, in UTC.
        program: What wrote it, with its version.
        clock: How the events relate to the wall clock, None while nothing says it.
        is_complete: Whether its writer ended it; false before the end was read, and always of version 1.
        truncated: Bytes at the end of the file that are not a whole event, because the writer was killed or
            its disk was full; known once the events have been iterated, and 0 before.
        skipped: For each kind that is not known here, how many events of it were skipped.
        header: The bytes of the header.
        descriptor: The open file, where :meth:`growing_events` has given None.
    """

    def __init__(self, path: str, header: Header, raw_header: bytes) -> None:
        self.path = path
        self.header = raw_header
        self.name = name_file(path)
        self.version = header.version
        self.command = header.command
        self.began: datetime = header.began
        self.program = header.program
        self._reset()

    def _reset(self, offset: int = 0) -> None:
        self.descriptor = -1
        self.clock: Clock | None = None
        self.is_complete = False
        self.truncated = 0
        self.skipped: Counter[int] = Counter()
        self._decoder = make_decoder(offset)
        if offset == 0:  # who begins in the middle has read before what its runs have once
            self._kinds_of_run: dict[int, frozenset[int]] = {}  # of those, latest run last

    @property
    def start(self) -> int:
        """Where the event begins in the file that was given last."""
        return self._decoder.position - len(self._decoder.raw())

    @property
    def offset(self) -> int:
        """Where it ends: bytes of the file up to there."""
        return self._decoder.position

    def events(self, offset: int = 0, clock: Clock | None = None) -> Iterator[AnyEvent]:
        """Give the events in order. One event is in memory at a time.

        Args:
            offset: Where the first of them begins in the file; 0 for the first of all.
            clock: How they relate to the wall clock until the file says it.

        Raises:
            RecordingError: The file is broken; what came before that was given.
        """
        for event in self.growing_events(offset, clock):
            if event is None:
                return
            yield event

    def growing_events(
        self, offset: int = 0, clock: Clock | None = None
    ) -> Generator[AnyEvent | None, None, None]:
        """As :meth:`events`, but give None where nothing more can be read now, and go on from there."""
        self._reset(offset)
        self.clock = clock
        decoder, schema = self._decoder, None
        with _open(self.path) as file:
            file.seek(offset)
            try:
                while True:
                    chunk = file.read(_CHUNK)
                    if not chunk:
                        self.truncated = file.tell() - decoder.position
                        self.descriptor = file.fileno()
                        yield None
                        continue
                    value = decoder.decode(chunk)
                    while value is not NOTHING:
                        kind = value[0] if value.__class__ is list and value else None
                        schema = SCHEMAS.get(kind) if kind.__class__ is int else None
                        if schema is None:
                            self._take_other(value)
                        else:
                            event = schema.read(value)
                            if event.ONCE_A_RUN:
                                self._check_first(event)
                            yield event
                        value = decoder.next() if decoder.pending else NOTHING
                    _check_size(decoder, file)
            except FieldError as error:
                assert schema is not None
                raise self._describe_break(f"is a {schema.event.__name__} whose {error}") from None
            except (IpcError, OSError) as error:
                raise _explain_failure(self.name, decoder, error) from None

    def _take_other(self, value: Any) -> None:
        """Take what is not an event of a known kind."""
        if self.start == 0:
            return  # the header, which was read before
        match decode_other(value):
            case Clock() as clock:
                self.clock = clock
            case End():
                self.is_complete = True
            case UnknownKind(kind):
                self.skipped[kind] += 1
            case None:
                raise RecordingError(
                    f"{self.name} is broken: what begins at byte {self.start} is not an event; "
                    f"{_BROKEN_REMEDY}"
                )

    def _describe_break(self, sentence: str) -> RecordingError:
        """Return the error for the event that was read last."""
        return RecordingError(
            f"{self.name} is broken: the event at byte {self.start} {sentence}; {_BROKEN_REMEDY}"
        )

    def _check_first(self, event: AnyEvent) -> None:
        """Refuse a second event of a kind that a run has once."""
        kinds = self._kinds_of_run.pop(event.run, frozenset())
        if event.KIND in kinds:
            raise self._describe_break(f"is a second {type(event).__name__} of run {event.run}")
        self._kinds_of_run[event.run] = kinds | {event.KIND}
        if len(self._kinds_of_run) > _RUNS_CHECKED:
            del self._kinds_of_run[next(iter(self._kinds_of_run))]

    def time_of(self, at: int) -> datetime | None:
        """Return the wall clock at a moment of the events; None where nothing says it."""
        return None if self.clock is None else self.clock.time_of(at)

    def problems(self) -> list[str]:
        """Return a sentence for each thing that is wrong with the recording, once its events were read."""
        problems = []
        if self.truncated:
            cut = format_plural(self.truncated, "byte")
            problems.append(
                f"{self.name} ends in the middle of an event ({cut}): its writer was killed, or had no room; "
                f"{_BROKEN_REMEDY}"
            )
        if self.skipped:
            kinds = ", ".join(f"{count} of kind {kind}" for kind, count in sorted(self.skipped.items()))
            problems.append(
                f"{self.name}: {format_plural(self.skipped.total(), 'event')} skipped, of kinds that this "
                f"tui-ipc does not know ({kinds}); to see everything, install what recorded it "
                f"({self.program}), or a newer one"
            )
        return problems


class FollowedRecording:
    """A recording that may still be written.

    Args:
        path: The file.
        offset: Where the first event to give begins in the file; 0 for the first of all.
        clock: How the events relate to the wall clock until the file says it.

    Attributes:
        recording: The recording.
        ending: Why no event will follow; empty while one may. ``complete``: its writer ended it.
            ``abandoned``: its writer was killed, or could not write on. ``replaced``: the file is another
            recording now.

    Raises:
        NothingRecordedError: The file holds no recording yet.
        RecordingError: The file is not a recording, or one of a newer version.
    """

    def __init__(self, path: str, offset: int = 0, clock: Clock | None = None) -> None:
        self.recording = open_recording(path)
        self.ending: Literal["", "complete", "abandoned", "replaced"] = ""
        self._events = self.recording.growing_events(offset, clock)
        self._is_at_end = False  # nothing was there at the last look

    def take(self) -> AnyEvent | None:
        """Return the next event that was written, None if none was; then see :attr:`ending`.

        Raises:
            RecordingError: The file is broken.
        """
        if self.ending:
            return None
        is_written = True
        if self._is_at_end:
            # Both are asked before the next look: what the writer wrote before it went, that look finds; and
            # bytes of another recording must not be taken for more of this one.
            with suppress(OSError):  # a file system without locks: only the end of the recording counts
                is_written = is_locked(self.recording.descriptor)
            if self._differs():
                if self._find_other():
                    self.ending = "replaced"
                return None
        event = next(self._events)
        self._is_at_end = event is None
        if event is None and self.recording.is_complete:
            self.ending = "complete"
        elif event is None and not is_written:
            self.ending = "complete" if self.recording.version == 1 else "abandoned"
        return event

    def close(self) -> None:
        """Close the file. Closing twice is harmless."""
        self._events.close()

    def problems(self) -> list[str]:
        """Return a sentence for each thing that is wrong with the recording, once no event follows."""
        problems = self.recording.problems()
        if self.ending == "abandoned":
            problems.append(
                f"{self.recording.name} is incomplete: its writer was killed, or could not write on; "
                "all that was recorded was shown"
            )
        return problems

    def _find_other(self) -> bool:
        """Whether the recording that replaced this one can be read by now."""
        try:
            open_recording(self.recording.path)
        except NothingRecordedError:
            return False
        return True

    def _differs(self) -> bool:
        """Whether another file has the name, or another recording is written to this file."""
        recording = self.recording
        if os.pread(recording.descriptor, len(recording.header), 0) != recording.header:
            return True
        try:
            found = os.stat(recording.path)
        except OSError:
            return False  # it was deleted or cannot be reached, and may be written on all the same
        opened = os.fstat(recording.descriptor)
        return (found.st_dev, found.st_ino) != (opened.st_dev, opened.st_ino)


def open_recording(path: str) -> Recording:
    """Open a recording.

    Raises:
        NothingRecordedError: The file does not exist, or nothing was recorded to it.
        RecordingError: It is not a recording, or one of a newer version.
    """
    name = name_file(path)
    decoder = make_decoder()
    with _open(path) as file:
        try:
            first = file.read(len(MAGIC))
            if not first:
                raise NothingRecordedError(f"{name} is empty: nothing was recorded to it; {_WAIT_REMEDY}")
            if first != MAGIC[: len(first)]:
                is_script = name.endswith(".tipc")
                remedy = f"run a script with --script {name}" if is_script else _NAME_REMEDY
                raise RecordingError(f"{name} is not a tui-ipc recording; {remedy}")
            value = decoder.decode(first)
            while value is NOTHING and (chunk := file.read(_CHUNK)):
                value = decoder.decode(chunk)
                _check_size(decoder, file)
        except (IpcError, OSError) as error:
            raise _explain_failure(name, decoder, error) from None
    if value is NOTHING:
        raise NothingRecordedError(
            f"{name} breaks off in its header, after {format_plural(decoder.read_ahead(), 'byte')}: "
            f"nothing was recorded to it; {_WAIT_REMEDY}"
        )
    return Recording(path, decode_header(name, value), decoder.raw())


def name_file(path: str) -> str:
    """Return how sentences name a file; that of :func:`spool` is what it was read from."""
    return "standard input" if path.startswith(_SPOOL_PREFIX) else path


def spool(descriptor: int, *, in_background: bool) -> str:
    """Copy what a pipe gives to a file without a name, so that it can be read as a recording.

    Args:
        descriptor: The pipe's. It is closed at its end.
        in_background: Whether a thread copies, and the file is locked until it is done, as a recording is
            while it is written; or all is copied before this returns.

    Returns:
        A path of the file, for this process and as long as it runs.
    """
    file = os.memfd_create("tui-ipc recording", os.MFD_CLOEXEC)
    path = f"{_SPOOL_PREFIX}{file}"

    def copy(writer: int) -> None:
        with open(descriptor, "rb", buffering=0) as source, open(writer, "wb", buffering=0) as target:
            while data := source.read(_CHUNK):
                target.write(data)

    writer = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    lock_file(writer)
    if in_background:
        threading.Thread(target=copy, args=(writer,), daemon=True).start()
    else:
        copy(writer)
    return path


def _open(path: str) -> FileIO:
    """Open the file for reading, but never wait for a fifo's writer."""
    name = name_file(path)
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            raise RecordingError(f"{name} is a directory; name a recording in it")
        if not stat.S_ISREG(mode):
            raise RecordingError(f"{name} is not a regular file; read it as standard input, with --replay -")
        return FileIO(path)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        kind, remedy = RecordingError, _NAME_REMEDY
        if isinstance(error, FileNotFoundError):
            kind, remedy = NothingRecordedError, f"{_NAME_REMEDY}, or wait for one with --follow"
        elif isinstance(error, PermissionError):
            remedy = "only its owner may read a recording, unless they permit more with chmod"
        raise kind(f"{name} cannot be read: {describe_path_error(error)}; {remedy}") from None


def make_decoder(offset: int = 0) -> StreamDecoder:
    """Make a decoder of what a recording has from that byte on."""
    return StreamDecoder(make_recorded_handle, ignore_descriptor, MAX_EVENT_SIZE, offset)


def _check_size(decoder: StreamDecoder, file: FileIO) -> None:
    """Refuse an event that is longer than one of its kind can be, before all of it is read."""
    if decoder.read_ahead() > USUAL_MAX_EVENT_SIZE and not begins_sent_message(
        os.pread(file.fileno(), 64, decoder.position)
    ):
        raise too_large(decoder.read_ahead(), USUAL_MAX_EVENT_SIZE)


def _explain_failure(name: str, decoder: StreamDecoder, error: IpcError | OSError) -> RecordingError:
    """Return the error for a file that cannot be read on."""
    if isinstance(error, OSError):
        return RecordingError(f"{name} cannot be read on: {describe_path_error(error)}")
    if isinstance(error, ProtocolError):
        where = "" if error.offset is not None else f" (in the event at byte {error.received_offset})"
        return RecordingError(f"{name} is broken: {error}{where}; {_BROKEN_REMEDY}")
    return RecordingError(
        f"{name} is broken: the event at byte {decoder.position} has no end; {_BROKEN_REMEDY}"
    )
