"""Events as the bytes of a recording, and back; the format is described in RECORDING.md.

The one rule: a recording is read as what a stranger wrote. Whatever is in the file, reading it gives events
of the right types, or one :class:`RecordingError` that names the place.
"""

import os
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from io import FileIO
from operator import attrgetter
from typing import Any, Final, get_args

from tui_ipc import __version__
from tui_ipc.ipc.builder import Builder
from tui_ipc.ipc.decoder import NOTHING, StreamDecoder
from tui_ipc.ipc.errors import IpcError, ProtocolError
from tui_ipc.ipc.wire import Encoder, Handle, Large, Message, blob_header
from tui_ipc.session import events as ev
from tui_ipc.session.hello import FormerHandle, settled

VERSION: Final = 1
MAGIC: Final = b"\x93\xb1tui-ipc recording"
"""The first bytes of every recording, of whatever version: the version follows."""

LIMIT: Final = 2**32 + 64 * 1024
"""Bytes of one event at most: those of the longest bin, and what stands before them."""

_CHUNK: Final = 64 * 1024  # bytes of one read
_LONG: Final = 0xFFFF  # bytes of a message or of output; more is written apart, so that it is not copied
_NAME: Final = "tui-ipc recording"


class RecordingError(Exception):
    """A file cannot be recorded to, or is no recording that can be read; the text says why."""


class _Misfit(Exception):
    """A field is not what its event has there."""


# ------------------------------------------------------------------------------------------- what fields hold


def _of(kind: type, *, optional: bool = False) -> Callable[[Any], Any]:
    """Takes a field of exactly that type, or None where that is allowed."""

    def take(value: Any) -> Any:
        if type(value) is kind or (optional and value is None):
            return value
        raise _Misfit(f"is of type {type(value).__name__} instead of {kind.__name__}")

    return take


_int, _bool, _bytes, _str, _list = _of(int), _of(bool), _of(bytes), _of(str), _of(list)
_int_or_none = _of(int, optional=True)


def _seconds(value: Any) -> float:
    return value if type(value) is float else float(_int(value))


def _text(value: Any) -> str:
    """A str; bytes where it cannot be UTF-8, see :func:`_expressible`."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise _Misfit("is no text") from None
    text: str = _str(value)
    return text


def _many(take: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def take_all(value: Any) -> tuple[Any, ...]:
        return tuple(take(item) for item in _list(value))

    return take_all


_texts = _many(_text)


def _one_of(*known: str) -> Callable[[Any], str]:
    def take(value: Any) -> str:
        if _str(value) not in known:
            raise _Misfit(f"is {value!r:.40}, which is unknown")
        return str(value)

    return take


def _stream(value: Any) -> ev.Stream:
    if _int(value) not in (1, 2):
        raise _Misfit(f"is {value}, which is unknown")
    return "stdout" if value == 1 else "stderr"


_step = _one_of(*get_args(ev.Step))


class _Layout:
    """How the events of one class stand in a recording, behind their kind.

    Args:
        event: The class.
        fields: For each field, in the order of the file, its name and what takes it from there. The first two
            are always ``at`` and ``run``. What may be long, if anything is, stands last.
    """

    __slots__ = ("event", "fields", "get", "long", "size")

    def __init__(self, event: type[ev.Event], **fields: Callable[[Any], Any]) -> None:
        self.event = event
        self.fields = {"at": _int, "run": _int, **fields}
        self.get: Callable[[ev.Event], tuple[Any, ...]] = attrgetter(*self.fields)
        self.size = 1 + len(self.fields)
        self.long = fields and [*fields.values()][-1] is _bytes


LAYOUTS: Final[dict[int, _Layout]] = {
    1: _Layout(ev.ServerListening, name=_text),
    2: _Layout(ev.ChildSpawned, pid=_int, command=_texts),
    3: _Layout(ev.ChildConnected),
    4: _Layout(ev.HelloReceived, name=_text, pid=_int, inline=_bool, raw=_bytes),
    5: _Layout(ev.ChannelsOpen),
    6: _Layout(ev.StepLate, step=_step, waited=_int, sentence=_text),
    7: _Layout(ev.MessageSent, number=_int, value=_bool, raw=_bytes),
    8: _Layout(ev.MessageReceived, number=_int, answers=_int_or_none, elapsed=_int_or_none, raw=_bytes),
    9: _Layout(ev.ChildOutput, stream=_stream, data=_bytes),
    10: _Layout(ev.ChannelClosed),
    11: _Layout(ev.SignalSent, signal=_int, reason=_text),
    12: _Layout(ev.ChildStopped, signal=_int),
    13: _Layout(ev.ChildContinued),
    14: _Layout(
        ev.ChildExited,
        code=_int_or_none,
        signal=_int_or_none,
        user_seconds=_seconds,
        system_seconds=_seconds,
        max_rss=_int,
    ),
    15: _Layout(ev.HandshakeFailed, step=_step, sentence=_text, timed_out=_bool),
    16: _Layout(ev.Fault, sentence=_text, byte=_int_or_none),
    17: _Layout(
        ev.Audit,
        processes=_many(_int),
        files=_texts,
        unread=_int,
        quit_elapsed=_int_or_none,
        held=_texts,
    ),
}
"""The kinds of version 1. A kind that is added, or a field, makes a new version."""

_KINDS: Final = {layout.event: (kind, layout) for kind, layout in LAYOUTS.items()}
_encoder: Final = Encoder()


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
    kind, layout = _KINDS[type(event)]
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
        return _encoder.pack(_expressible(value))


def _expressible(value: Any) -> Any:
    """``value`` with each str that UTF-8 cannot express, such as a file's name with stray bytes, as bytes."""
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return value if _is_utf8(data) else data
    if isinstance(value, list | tuple):
        return [_expressible(item) for item in value]
    if isinstance(value, dict):
        return {key: _expressible(item) for key, item in value.items()}
    return value


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


# ----------------------------------------------------------------------------------------------- from bytes


@dataclass(slots=True)
class Recorded:
    """A recording in a file. Its header has been read; the events are read as they are asked for.

    Attributes:
        path: The file.
        command: What was run, as it was asked for.
        began: The wall clock when the recording began, in UTC.
        program: What wrote it, with its version.
        truncated: Bytes at the end of the file that are no whole event, because the writer was killed or its
            disk was full; known once the events have been iterated, and 0 before.
    """

    path: str
    command: tuple[str, ...]
    began: datetime
    program: str
    truncated: int = 0

    def events(self) -> Iterator[ev.Event]:
        """The events in order, from the first. One event is in memory at a time.

        Raises:
            RecordingError: The file is broken; what came before that was given.
        """
        with _opened(self.path) as file:
            end = 0
            for message in _values(self.path, file):
                start, end = end, end + len(message.raw)
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
    """What the system said, in its own words."""
    said = error.strerror if isinstance(error, OSError) else None
    return said or str(error)


def _values(path: str, file: FileIO) -> Iterator[Message]:
    """The values of a file, one after the other, up to the last whole one."""
    decoder = StreamDecoder(_former, _let_go, LIMIT)
    start = 0
    try:
        while chunk := file.read(_CHUNK):
            message = decoder.decode_message(chunk)
            while message is not NOTHING:
                yield message
                start += len(message.raw)
                message = decoder.next_message() if decoder.pending else NOTHING
    except ProtocolError as error:
        place = "" if error.offset is not None else f" (in the event at byte {start})"
        raise RecordingError(f"{path} is broken: {error}{place}") from None
    except IpcError:
        raise RecordingError(f"{path} is broken: the event at byte {start} has no end") from None
    except OSError as error:
        raise RecordingError(f"{path} cannot be read on: {reason(error)}") from None


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
                return Recorded(path, _texts(command), began, program)
            except _Misfit:
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
    except _Misfit as misfit:
        event = layout.event.__name__
        raise RecordingError(
            f"{path} is broken: the event at byte {start} is a {event} whose {name!r} {misfit}"
        ) from None
    return layout.event(**fields)


def _message(raw: bytes) -> Any:
    """What a session showed for a message of these bytes."""
    try:
        return _builder.build(raw)
    except IpcError:
        pass  # it holds handles, or is broken
    try:
        value = _builder.build(raw, _DESCRIPTORS)
    except IpcError as error:
        raise _Misfit(f"is no message: {error}") from None
    if isinstance(value, Large):
        raise _Misfit("is no message: it only announces one")
    return settled(value)


def _former(kind: int, _descriptor: int, _payload: bytes) -> Handle:
    return FormerHandle(kind)


def _let_go(_descriptor: int) -> None:
    pass


_DESCRIPTORS: Final = range(256)  # made up: as many as a message can name
_builder: Final = Builder(_former, _let_go, LIMIT)
