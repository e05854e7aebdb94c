"""The values of a recording as bytes, and back: its header, its events, and what it says of itself.

docs/RECORDING.md describes the format. A file is not trusted: whatever its bytes are, reading gives events
that a session could have made, or a :class:`RecordingError` that names the byte and the field.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from tui_ipc import __version__
from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.ipc.builder import scan
from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.wire import Encoder, blob_header
from tui_ipc.recording.event_schema import SCHEMAS, FieldError, read_texts, to_encodable

VERSION: Final = 2
"""Raised when something in a recording changes its meaning; not when a kind or a field is added."""

MAGIC: Final = b"\x93\xb1tui-ipc recording"
"""The first bytes of every recording, of whatever version: the version follows."""

CLOCK_KIND: Final = 0
"""``[0, at, time]``: the wall clock of an event at that moment, and of those that follow."""

END_KIND: Final = 127
"""``[127]``: the recording is complete. What a writer that was killed leaves does not have it."""

_LONG: Final = 0xFFFF  # bytes of a message or of output; more is written apart, so that it is not copied
_NAME: Final = "tui-ipc recording"
_encoder: Final = Encoder()


class RecordingError(Exception):
    """A file cannot be recorded to, or is not a recording that can be read; the text says why."""


class NothingRecordedError(RecordingError):
    """The file does not exist yet, or has no whole header."""


class Header(NamedTuple):
    """What a recording says of itself before the first event.

    Attributes:
        command: What was run, as it was asked for; empty for the built-in child.
        began: The wall clock when the recording began, in UTC.
        program: What wrote it, with its version.
        version: Of the format.
    """

    command: tuple[str, ...]
    began: datetime
    program: str
    version: int


class Clock(NamedTuple):
    """How the clock of the events relates to the wall clock.

    Attributes:
        at: A moment, as an event has it.
        time: The wall clock at that moment, in UTC.
    """

    at: int
    time: datetime

    def time_of(self, at: int) -> datetime | None:
        """Return the wall clock at a moment; None if no calendar goes that far."""
        try:
            return self.time + timedelta(microseconds=(at - self.at) // 1000)
        except OverflowError:
            return None


class End(NamedTuple):
    """The recording is complete."""


class UnknownKind(NamedTuple):
    """An event of a kind that a newer program writes.

    Attributes:
        kind: Its number.
    """

    kind: int


# ------------------------------------------------------------------------------------------------- to bytes


def encode_header(command: tuple[str, ...], began: datetime | None = None) -> bytes:
    """Return what a recording begins with.

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


def encode_clock(clock: Clock) -> bytes:
    """Return what says when the events happen by the wall clock."""
    return _pack([CLOCK_KIND, *clock])


def encode_end() -> bytes:
    """Return what ends a complete recording."""
    return _pack([END_KIND])


def encode_event(event: AnyEvent) -> bytes:
    """Return the bytes of an event."""
    return b"".join(encode_event_parts(event))


def encode_event_parts(event: AnyEvent) -> tuple[bytes, bytes, bytes]:
    """Return the bytes of an event in three parts.

    The second part is the event's own message or output, which is not copied; it and the third are empty
    where that is short.
    """
    schema = SCHEMAS[event.KIND]
    fields = schema.write(event)
    position = schema.long_position
    if not position or len(fields[position]) <= _LONG:
        return _pack(fields), b"", b""
    # The bytes are between what is packed of the fields before and after them, in an array of at most 15.
    content: bytes = fields[position]
    head = bytes((0x90 | len(fields),)) + b"".join(map(_pack, fields[:position])) + blob_header(len(content))
    return head, content, b"".join(map(_pack, fields[position + 1 :]))


def _pack(value: Any) -> bytes:
    try:
        return _encoder.pack(value)
    except UnicodeEncodeError:
        return _encoder.pack(to_encodable(value))


# ----------------------------------------------------------------------------------------------- from bytes


def decode_header(path: str, value: Any) -> Header:
    """Return what the first value of a file says.

    Raises:
        RecordingError: It is of a newer version, or not a header.
    """
    match value:
        case [_, int(version), *_] if version > VERSION:
            raise RecordingError(
                f"{path} is a recording of version {version}, and this tui-ipc reads versions up to {VERSION}"
                "; install a newer one"
            )
        case [
            _,
            int(version),
            {"began": datetime() as began, "command": list(command), "program": str(program)},
        ] if version >= 1 and version is not True:
            try:
                return Header(read_texts(command), began, program, version)
            except FieldError:
                pass
    raise RecordingError(
        f"{path} is broken: its header is not one of version 1 to {VERSION}; "
        "copy it again from where it was made"
    )


def decode_other(value: Any) -> Clock | End | UnknownKind | None:
    """Return what a value after the header is that is not an event of a known kind; None if it is wrong."""
    match value:
        case [int(kind), *rest] if type(kind) is int and kind >= 0:
            if kind == END_KIND:
                return End()
            if kind != CLOCK_KIND:
                return UnknownKind(kind)
            if len(rest) >= 2 and type(rest[0]) is int and rest[0] >= 0 and isinstance(rest[1], datetime):
                return Clock(rest[0], rest[1])
    return None


def begins_sent_message(head: bytes) -> bool:
    """Whether an event's first bytes are those of a MessageSent up to the header of its long bin."""
    if len(head) < 2 or head[0] & 0xF0 != 0x90 or head[1] != MessageSent.KIND:
        return False
    position = 2
    try:
        for _ in ("at", "run", "number", "value"):
            position += scan(head[position:])
    except ProtocolError:
        return False
    return head[position : position + 1] == blob_header(0x10000)[:1]
