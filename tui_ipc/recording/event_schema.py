"""What the fields of each kind of event are in a recording; RECORDING.md describes it.

The one rule: what is taken from a file has the type that its event declares, or is a :class:`Misfit`.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, get_args

from tui_ipc import events as ev


class FieldError(Exception):
    """A field is not what its event has there."""


def _reader_of(kind: type, *, optional: bool = False) -> Callable[[Any], Any]:
    """Takes a field of exactly that type, or None where that is allowed."""

    def take(value: Any) -> Any:
        if type(value) is kind or (optional and value is None):
            return value
        raise FieldError(f"is of type {type(value).__name__} instead of {kind.__name__}")

    return take


_int, _bool, _bytes, _str, _list = (
    _reader_of(int),
    _reader_of(bool),
    _reader_of(bytes),
    _reader_of(str),
    _reader_of(list),
)
_int_or_none = _reader_of(int, optional=True)


def _read_seconds(value: Any) -> float:
    return value if type(value) is float else float(_int(value))


def _read_text(value: Any) -> str:
    """A str; bytes where it cannot be UTF-8, see :func:`expressible`."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise FieldError("is no text") from None
    text: str = _str(value)
    return text


def _tuple_of(take: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def take_all(value: Any) -> tuple[Any, ...]:
        return tuple(take(item) for item in _list(value))

    return take_all


read_texts = _tuple_of(_read_text)


def _one_of(*known: str) -> Callable[[Any], str]:
    def take(value: Any) -> str:
        if _str(value) not in known:
            raise FieldError(f"is {value!r:.40}, which is unknown")
        return str(value)

    return take


def _read_stream(value: Any) -> ev.Stream:
    if _int(value) not in (1, 2):
        raise FieldError(f"is {value}, which is unknown")
    return "stdout" if value == 1 else "stderr"


_read_step = _one_of(*get_args(ev.Step))


def to_encodable(value: Any) -> Any:
    """``value`` with each str that UTF-8 cannot express, such as a file's name with stray bytes, as bytes."""
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return value if _is_utf8(data) else data
    if isinstance(value, list | tuple):
        return [to_encodable(item) for item in value]
    if isinstance(value, dict):
        return {key: to_encodable(item) for key, item in value.items()}
    return value


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class EventSchema:
    """How the events of one class stand in a recording, behind their kind.

    Attributes:
        event: The class.
        fields: The name of each field, in the order of the file, and what takes it from there.
        get: Gives the fields of an event.
        size: Values in the array of an event.
        long: Whether the last field is bytes of any number.
    """

    __slots__ = ("event", "fields", "get", "long", "size")

    def __init__(self, event: type[ev.AnyEvent], **fields: Callable[[Any], Any]) -> None:
        self.event = event
        self.fields = {"at": _int, "run": _int, **fields}
        self.get: Callable[[ev.AnyEvent], tuple[Any, ...]] = attrgetter(*self.fields)
        self.size = 1 + len(self.fields)
        self.long = [*self.fields.values()][-1] is _bytes


SCHEMAS: Final[dict[int, EventSchema]] = {
    1: EventSchema(ev.ServerListening, name=_read_text),
    2: EventSchema(ev.ChildSpawned, pid=_int, command=read_texts),
    3: EventSchema(ev.ChildConnected),
    4: EventSchema(ev.HelloReceived, name=_read_text, pid=_int, inline=_bool, raw=_bytes),
    5: EventSchema(ev.ChannelsOpen),
    6: EventSchema(ev.StepLate, step=_read_step, waited=_int, sentence=_read_text),
    7: EventSchema(ev.MessageSent, number=_int, value=_bool, raw=_bytes),
    8: EventSchema(ev.MessageReceived, number=_int, answers=_int_or_none, elapsed=_int_or_none, raw=_bytes),
    9: EventSchema(ev.ChildOutput, stream=_read_stream, data=_bytes),
    10: EventSchema(ev.ChannelClosed),
    11: EventSchema(ev.SignalSent, signal=_int, reason=_read_text),
    12: EventSchema(ev.ChildStopped, signal=_int),
    13: EventSchema(ev.ChildContinued),
    14: EventSchema(
        ev.ChildExited,
        code=_int_or_none,
        signal=_int_or_none,
        user_seconds=_read_seconds,
        system_seconds=_read_seconds,
        max_rss=_int,
    ),
    15: EventSchema(ev.HandshakeFailed, step=_read_step, sentence=_read_text, timed_out=_bool),
    16: EventSchema(ev.Fault, sentence=_read_text, byte=_int_or_none),
    17: EventSchema(
        ev.Audit,
        processes=_tuple_of(_int),
        files=read_texts,
        unread=_int,
        quit_elapsed=_int_or_none,
        held=read_texts,
    ),
}
"""The kinds of version 1. A kind that is added, or a field, makes a new version."""

SCHEMA_BY_CLASS: Final = {layout.event: (kind, layout) for kind, layout in SCHEMAS.items()}
"""The same by class."""
