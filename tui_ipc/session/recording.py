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
from tui_ipc.ipc.builder import scan
from tui_ipc.ipc.decoder import NOTHING, StreamDecoder
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, Encoder, Message, blob_header
from tui_ipc.session import events as ev
from tui_ipc.session.layouts import KINDS, LAYOUTS, Misfit, expressible, texts_of
from tui_ipc.session.rebuilding import former_handle, let_go, rebuilt

VERSION: Final = 1
MAGIC: Final = b"\x93\xb1tui-ipc recording"
"""The first bytes of every recording, of whatever version: the version follows."""

LIMIT: Final = 2**32 + 64 * 1024
"""Bytes of one event at most: those of the longest bin, and what stands before them."""

USUAL_LIMIT: Final = DEFAULT_MAX_MESSAGE_SIZE + 64 * 1024
"""The same for every event but bytes that were sent as they are, for which a session has no limit. A broken
file costs no more memory than this before it is found out."""

_CHUNK: Final = 64 * 1024  # bytes of one read
_LONG: Final = 0xFFFF  # bytes of a message or of output; more is written apart, so that it is not copied
_NAME: Final = "tui-ipc recording"
_encoder: Final = Encoder()


class RecordingError(Exception):
    """A file cannot be recorded to, or is no recording that can be read; the text says why."""


# ------------------------------------------------------------------------------------------------- to bytes


def header(command: tuple[str, ...], began: datetime | None = None) -> bytes:
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
    return _packed([_NAME, VERSION, facts])


def pack(event: ev.Event) -> bytes:
    """The bytes of an event."""
    return b"".join(parts(event))


def parts(event: ev.Event) -> tuple[bytes, bytes]:
    """The bytes of an event in two parts: the second is the event's own message or output, not copied, or
    empty where that is short.
    """
    kind, layout = KINDS[type(event)]
    fields = [kind, *layout.get(event)]
    if isinstance(event, ev.MessageSent):
        fields[4] = isinstance(event.value, bytes) and event.value == event.raw  # the bytes of send_raw
    elif isinstance(event, ev.ChildOutput):
        fields[3] = 1 if event.stream == "stdout" else 2
    if not layout.long or len(fields[-1]) <= _LONG:
        return _packed(fields), b""
    content: bytes = fields.pop()
    # An empty bin, C4 00, holds the place of the long one.
    return _packed([*fields, b""])[:-2] + blob_header(len(content)), content


def _packed(value: Any) -> bytes:
    try:
        return _encoder.pack(value)
    except UnicodeEncodeError:
        return _encoder.pack(expressible(value))


# ----------------------------------------------------------------------------------------------- from bytes


@dataclass(slots=True)
class Recorded:
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

    def events(self) -> Iterator[ev.Event]:
        """The events in order, from the first. One event is in memory at a time.

        Raises:
            RecordingError: The file is broken; what came before that was given.
        """
        with _opened(self.path) as file:
            end = 0
            for message in _values(self.path, file):
                start, end = end, end + len(message.raw)
                self.place = end
                if start:  # behind the header
                    yield _event(self.path, start, message.value)
            self.truncated = file.tell() - end


def read(path: str) -> Recorded:
    """Open a recording.

    Raises:
        RecordingError: There is none, or one of a newer version.
    """
    with _opened(path) as file:
        first = file.read(len(MAGIC))
        if not first:
            raise RecordingError(f"{path} is empty: nothing was recorded to it")
        if first != MAGIC[: len(first)]:
            raise RecordingError(f"{path} is no recording of tui-ipc")
        file.seek(0)
        for message in _values(path, file):
            return _recorded(path, message.value)
    raise RecordingError(f"{path} breaks off before its first event: nothing was recorded to it")


def _opened(path: str) -> FileIO:
    """The file, for reading; never waits for a fifo's writer."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise RecordingError(f"{path} is no regular file, so no recording that can be read")
        return FileIO(path)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise RecordingError(f"{path} cannot be read: {reason(error)}") from None


def reason(error: OSError | ValueError) -> str:
    """Why a path could not be opened: what the system said, in its own words, or why it was not asked."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return str(error) if isinstance(error, UnicodeError) else "a path holds no null character"


def _values(path: str, file: FileIO) -> Iterator[Message]:
    """The values of a file, one after the other, up to the last whole one."""
    decoder = StreamDecoder(former_handle, let_go, LIMIT)
    start = 0
    try:
        while chunk := file.read(_CHUNK):
            message = decoder.decode_message(chunk)
            while message is not NOTHING:
                yield message
                start += len(message.raw)
                message = decoder.next_message() if decoder.pending else NOTHING
            if decoder.read_ahead() > USUAL_LIMIT and not _is_sent(file, start):
                raise _endless(path, start)
    except ProtocolError as error:
        place = "" if error.offset is not None else f" (in the event at byte {start})"
        raise RecordingError(f"{path} is broken: {error}{place}") from None
    except IpcError:
        raise _endless(path, start) from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be read on: {reason(error)}") from None


def _endless(path: str, start: int) -> RecordingError:
    return RecordingError(f"{path} is broken: the event at byte {start} has no end")


def _is_sent(file: FileIO, start: int) -> bool:
    """Whether the event that begins there is a MessageSent up to the header of its long bin."""
    head = os.pread(file.fileno(), 64, start)
    kind, layout = KINDS[ev.MessageSent]
    place = 2
    if head[:place] != bytes((0x90 | layout.size, kind)):
        return False
    try:
        for _ in range(len(layout.fields) - 1):
            place += scan(head[place:])
    except ProtocolError:
        return False
    return head[place : place + 1] == blob_header(0)[:1]


def _recorded(path: str, value: Any) -> Recorded:
    """What the header says."""
    match value:
        case [_, int(version), *_] if version > VERSION:
            raise RecordingError(
                f"{path} is a recording of version {version}, and this tui-ipc reads version {VERSION}; "
                "install a newer one"
            )
        case [_, 1, {"began": datetime() as began, "command": list(command), "program": str(program)}]:
            try:
                return Recorded(path, texts_of(command), began, program)
            except Misfit:
                pass
    raise RecordingError(f"{path} is broken: its header is none of version {VERSION}")


def _event(path: str, start: int, value: Any) -> ev.Event:
    """The event that a value is."""
    kind = value[0] if isinstance(value, list) and value else None
    layout = LAYOUTS.get(kind) if type(kind) is int else None
    if layout is None or len(value) != layout.size:
        raise RecordingError(f"{path} is broken: what stands at byte {start} is no event")
    name = ""
    fields: dict[str, Any] = {}
    try:
        for (name, take), field in zip(layout.fields.items(), value[1:], strict=True):
            fields[name] = take(field)
        if layout.event is ev.MessageSent:
            name = "raw"
            fields["value"] = fields["raw"] if fields["value"] else _message(fields["raw"])
        elif layout.event is ev.MessageReceived:
            name = "raw"
            fields["value"] = _message(fields["raw"])
    except Misfit as misfit:
        event = layout.event.__name__
        raise RecordingError(
            f"{path} is broken: the event at byte {start} is a {event} whose {name!r} {misfit}"
        ) from None
    return layout.event(**fields)


def _message(raw: bytes) -> Any:
    """What a session showed for a message of these bytes."""
    try:
        return rebuilt(raw)
    except IpcError as error:
        raise Misfit(f"is no message: {error}") from None
