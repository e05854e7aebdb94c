"""Events as the bytes of a recording, and back; the format is described in RECORDING.md.

The one rule: a recording is read as what a stranger wrote. Whatever is in the file, reading it gives events
of the right types, or one :class:`RecordingError` that names the place.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from typing import Any, Final

from tui_ipc import __version__
from tui_ipc import events as ev
from tui_ipc.events.message_values import decode_stored, ignore_descriptor, make_recorded_handle
from tui_ipc.ipc.builder import scan
from tui_ipc.ipc.decoder import NOTHING, StreamDecoder
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, Encoder, Message, blob_header
from tui_ipc.recording.event_schema import SCHEMA_BY_CLASS, SCHEMAS, FieldError, read_texts, to_encodable

VERSION: Final = 1
MAGIC: Final = b"\x93\xb1tui-ipc recording"
"""The first bytes of every recording, of whatever version: the version follows."""

MAX_EVENT_SIZE: Final = 2**32 + 64 * 1024
"""Bytes of one event at most: those of the longest bin, and what stands before them."""

USUAL_MAX_EVENT_SIZE: Final = DEFAULT_MAX_MESSAGE_SIZE + 64 * 1024
"""The same for every event but bytes that were sent as they are, for which a session has no limit. A broken
file costs no more memory than this before it is found out."""

_CHUNK: Final = 64 * 1024  # bytes of one read
_LONG: Final = 0xFFFF  # bytes of a message or of output; more is written apart, so that it is not copied
_NAME: Final = "tui-ipc recording"
_encoder: Final = Encoder()


class RecordingError(Exception):
    """A file cannot be recorded to, or is no recording that can be read; the text says why."""


# ------------------------------------------------------------------------------------------------- to bytes


def encode_header(command: tuple[str, ...], began: datetime | None = None) -> bytes:
    """What a recording begins with.

    Args:
        command: What is run, as it was asked for.
        began: The wall clock when it began, with its time zone; None for now.
    """
    facts = {
        "began": began or datetime.now(UTC),
        "command": list(command),
        "program": f"tui-ipc {__version__}",
    }
    return _pack([_NAME, VERSION, facts])


def encode_event(event: ev.AnyEvent) -> bytes:
    """The bytes of an event."""
    return b"".join(encode_event_parts(event))


def encode_event_parts(event: ev.AnyEvent) -> tuple[bytes, bytes]:
    """The bytes of an event in two parts: the second is the event's own message or output, not copied, or
    empty where that is short.
    """
    kind, layout = SCHEMA_BY_CLASS[type(event)]
    fields = [kind, *layout.get(event)]
    if isinstance(event, ev.MessageSent):
        fields[4] = isinstance(event.value, bytes) and event.value == event.raw  # the bytes of send_raw
    elif isinstance(event, ev.ChildOutput):
        fields[3] = 1 if event.stream == "stdout" else 2
    if not layout.long or len(fields[-1]) <= _LONG:
        return _pack(fields), b""
    content: bytes = fields.pop()
    # An empty bin, C4 00, holds the place of the long one.
    return _pack([*fields, b""])[:-2] + blob_header(len(content)), content


def _pack(value: Any) -> bytes:
    try:
        return _encoder.pack(value)
    except UnicodeEncodeError:
        return _encoder.pack(to_encodable(value))


# ----------------------------------------------------------------------------------------------- from bytes


@dataclass(slots=True)
class Recording:
    """A recording in a file. Its header has been read; the events are read as they are asked for.

    Attributes:
        path: The file.
        command: What was run, as it was asked for.
        began: The wall clock when the recording began, in UTC.
        program: What wrote it, with its version.
        place: Bytes of the file up to the end of the event that was given last.
        truncated: Bytes at the end of the file that are no whole event, because the writer was killed or its
            disk was full; known once the events have been iterated, and 0 before.
    """

    path: str
    command: tuple[str, ...]
    began: datetime
    program: str
    truncated: int = 0
    place: int = 0

    def events(self) -> Iterator[ev.AnyEvent]:
        """The events in order, from the first. One event is in memory at a time.

        Raises:
            RecordingError: The file is broken; what came before that was given.
        """
        with _open(self.path) as file:
            end = 0
            for message in _read_values(self.path, file):
                start, end = end, end + len(message.raw)
                self.place = end
                if start:  # behind the header
                    yield _decode_event(self.path, start, message.value)
            self.truncated = file.tell() - end


def open_recording(path: str) -> Recording:
    """Open a recording.

    Raises:
        RecordingError: There is none, or one of a newer version.
    """
    with _open(path) as file:
        first = file.read(len(MAGIC))
        if not first:
            raise RecordingError(f"{path} is empty: nothing was recorded to it")
        if first != MAGIC[: len(first)]:
            raise RecordingError(f"{path} is no recording of tui-ipc")
        file.seek(0)
        for message in _read_values(path, file):
            return _parse_header(path, message.value)
    raise RecordingError(f"{path} breaks off before its first event: nothing was recorded to it")


def _open(path: str) -> FileIO:
    """The file, for reading; never waits for a fifo's writer."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise RecordingError(f"{path} is no regular file, so no recording that can be read")
        return FileIO(path)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise RecordingError(f"{path} cannot be read: {describe_path_error(error)}") from None


def describe_path_error(error: OSError | ValueError) -> str:
    """Why a path could not be opened: what the system said, in its own words, or why it was not asked."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, UnicodeError) else "a path holds no null character"


def _read_values(path: str, file: FileIO) -> Iterator[Message]:
    """The values of a file, one after the other, up to the last whole one."""
    decoder = StreamDecoder(make_recorded_handle, ignore_descriptor, MAX_EVENT_SIZE)
    start = 0
    try:
        while chunk := file.read(_CHUNK):
            message = decoder.decode_message(chunk)
            while message is not NOTHING:
                yield message
                start += len(message.raw)
                message = decoder.next_message() if decoder.pending else NOTHING
            if decoder.read_ahead() > USUAL_MAX_EVENT_SIZE and not _is_sent_message(file, start):
                raise _endless_error(path, start)
    except ProtocolError as error:
        place = "" if error.offset is not None else f" (in the event at byte {start})"
        raise RecordingError(f"{path} is broken: {error}{place}") from None
    except IpcError:
        raise _endless_error(path, start) from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be read on: {describe_path_error(error)}") from None


def _endless_error(path: str, start: int) -> RecordingError:
    return RecordingError(f"{path} is broken: the event at byte {start} has no end")


def _is_sent_message(file: FileIO, start: int) -> bool:
    """Whether the event that begins there is a MessageSent up to the header of its long bin."""
    head = os.pread(file.fileno(), 64, start)
    kind, layout = SCHEMA_BY_CLASS[ev.MessageSent]
    place = 2
    if head[:place] != bytes((0x90 | layout.size, kind)):
        return False
    try:
        for _ in range(len(layout.fields) - 1):
            place += scan(head[place:])
    except ProtocolError:
        return False
    return head[place : place + 1] == blob_header(0)[:1]


def _parse_header(path: str, value: Any) -> Recording:
    """What the header says."""
    match value:
        case [_, int(version), *_] if version > VERSION:
            raise RecordingError(
                f"{path} is a recording of version {version}, and this tui-ipc reads version {VERSION}; "
                "install a newer one"
            )
        case [_, 1, {"began": datetime() as began, "command": list(command), "program": str(program)}]:
            try:
                return Recording(path, read_texts(command), began, program)
            except FieldError:
                pass
    raise RecordingError(f"{path} is broken: its header is none of version {VERSION}")


def _decode_event(path: str, start: int, value: Any) -> ev.AnyEvent:
    """The event that a value is."""
    kind = value[0] if isinstance(value, list) and value else None
    layout = SCHEMAS.get(kind) if type(kind) is int else None
    if layout is None or len(value) != layout.size:
        raise RecordingError(f"{path} is broken: what stands at byte {start} is no event")
    name = ""
    fields: dict[str, Any] = {}
    try:
        for (name, take), field in zip(layout.fields.items(), value[1:], strict=True):
            fields[name] = take(field)
        if layout.event is ev.MessageSent:
            name = "raw"
            fields["value"] = fields["raw"] if fields["value"] else _decode_message(fields["raw"])
        elif layout.event is ev.MessageReceived:
            name = "raw"
            fields["value"] = _decode_message(fields["raw"])
    except FieldError as misfit:
        event = layout.event.__name__
        raise RecordingError(
            f"{path} is broken: the event at byte {start} is a {event} whose {name!r} {misfit}"
        ) from None
    return layout.event(**fields)


def _decode_message(raw: bytes) -> Any:
    """What a session showed for a message of these bytes."""
    try:
        return decode_stored(raw)
    except IpcError as error:
        raise FieldError(f"is no message: {error}") from None
