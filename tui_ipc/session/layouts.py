"""What the fields of each kind of event are in a recording; RECORDING.md describes it.

The one rule: what is taken from a file has the type that its event declares, or is a :class:`Misfit`.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final, get_args

from tui_ipc.session import events as ev


class Misfit(Exception):
    """A field is not what its event has there."""


def _of(kind: type, *, optional: bool = False) -> Callable[[Any], Any]:
    """Takes a field of exactly that type, or None where that is allowed."""

    def take(value: Any) -> Any:
        if type(value) is kind or (optional and value is None):
            return value
        raise Misfit(f"is of type {type(value).__name__} instead of {kind.__name__}")

    return take


_int, _bool, _bytes, _str, _list = _of(int), _of(bool), _of(bytes), _of(str), _of(list)
_int_or_none = _of(int, optional=True)


def _seconds(value: Any) -> float:
    return value if type(value) is float else float(_int(value))


def _text(value: Any) -> str:
    """A str; bytes where it cannot be UTF-8, see :func:`expressible`."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise Misfit("is no text") from None
    text: str = _str(value)
    return text


def _many(take: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def take_all(value: Any) -> tuple[Any, ...]:
        return tuple(take(item) for item in _list(value))

    return take_all


texts_of = _many(_text)


def _one_of(*known: str) -> Callable[[Any], str]:
    def take(value: Any) -> str:
        if _str(value) not in known:
            raise Misfit(f"is {value!r:.40}, which is unknown")
        return str(value)

    return take


def _stream(value: Any) -> ev.Stream:
    if _int(value) not in (1, 2):
        raise Misfit(f"is {value}, which is unknown")
    return "stdout" if value == 1 else "stderr"


_step = _one_of(*get_args(ev.Step))


def expressible(value: Any) -> Any:
    """``value`` with each str that UTF-8 cannot express, such as a file's name with stray bytes, as bytes."""
    if isinstance(value, str):
        data = value.encode("utf-8", "surrogatepass")
        return value if _is_utf8(data) else data
    if isinstance(value, list | tuple):
        return [expressible(item) for item in value]
    if isinstance(value, dict):
        return {key: expressible(item) for key, item in value.items()}
    return value


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


class Layout:
    """How the events of one class stand in a recording, behind their kind.

    Attributes:
        event: The class.
        fields: The name of each field, in the order of the file, and what takes it from there.
        get: Gives the fields of an event.
        size: Values in the array of an event.
        long: Whether the last field is bytes of any number.
    """

    __slots__ = ("event", "fields", "get", "long", "size")

    def __init__(self, event: type[ev.Event], **fields: Callable[[Any], Any]) -> None:
        self.event = event
        self.fields = {"at": _int, "run": _int, **fields}
        self.get: Callable[[ev.Event], tuple[Any, ...]] = attrgetter(*self.fields)
        self.size = 1 + len(self.fields)
        self.long = [*self.fields.values()][-1] is _bytes


LAYOUTS: Final[dict[int, Layout]] = {
    1: Layout(ev.ServerListening, name=_text),
    2: Layout(ev.ChildSpawned, pid=_int, command=texts_of),
    3: Layout(ev.ChildConnected),
    4: Layout(ev.HelloReceived, name=_text, pid=_int, inline=_bool, raw=_bytes),
    5: Layout(ev.ChannelsOpen),
    6: Layout(ev.StepLate, step=_step, waited=_int, sentence=_text),
    7: Layout(ev.MessageSent, number=_int, value=_bool, raw=_bytes),
    8: Layout(ev.MessageReceived, number=_int, answers=_int_or_none, elapsed=_int_or_none, raw=_bytes),
    9: Layout(ev.ChildOutput, stream=_stream, data=_bytes),
    10: Layout(ev.ChannelClosed),
    11: Layout(ev.SignalSent, signal=_int, reason=_text),
    12: Layout(ev.ChildStopped, signal=_int),
    13: Layout(ev.ChildContinued),
    14: Layout(
        ev.ChildExited,
        code=_int_or_none,
        signal=_int_or_none,
        user_seconds=_seconds,
        system_seconds=_seconds,
        max_rss=_int,
    ),
    15: Layout(ev.HandshakeFailed, step=_step, sentence=_text, timed_out=_bool),
    16: Layout(ev.Fault, sentence=_text, byte=_int_or_none),
    17: Layout(
        ev.Audit,
        processes=_many(_int),
        files=texts_of,
        unread=_int,
        quit_elapsed=_int_or_none,
        held=texts_of,
    ),
}
"""The kinds of version 1. A kind that is added, or a field, makes a new version."""

KINDS: Final = {layout.event: (kind, layout) for kind, layout in LAYOUTS.items()}
"""The same by class."""
