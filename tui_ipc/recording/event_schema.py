"""What a recording holds of each kind of event, derived from the event classes; see docs/RECORDING.md.

What is taken from a file has the type and the bounds that its event class states, or is a
:class:`FieldError`: views and writers never meet an event that a session could not have made.
"""

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from tui_ipc.events import AnyEvent, Between, ChildExited, MessageReceived, NotEmpty, Stream

STREAM_NUMBERS: Final[dict[str, int]] = {"stdout": 1, "stderr": 2}
"""How a recording writes a stream: the number of its descriptor."""

FieldReader = Callable[[Any], Any]
"""Returns the value of a field from what the file has there, or raises :class:`FieldError`."""


class FieldError(Exception):
    """A field is not what its event has there; the text continues a sentence that begins with the field."""


class EventSchema:
    """How the events of one class are written in a recording, after the number of their kind.

    Attributes:
        event: The class.
        names: The names of the fields, in the order of the file.
        readers: What reads each of them.
        required: How many fields are always there; the others may be absent where an array ends early.
        defaults: The values that those others have then.
        get: Returns the fields of an event as a tuple.
        get_required: Returns those that are always there.
        get_optional: Returns the others; a tuple if there are several, None if there are none.
        all_defaults: What that returns where all have their defaults.
        long_position: Where the array has the field that is bytes of any number; 0 if there is none.
    """

    __slots__ = (
        "all_defaults",
        "defaults",
        "event",
        "get",
        "get_optional",
        "get_required",
        "long_position",
        "names",
        "readers",
        "required",
    )

    def __init__(self, event: type[AnyEvent]) -> None:
        types = get_type_hints(event, include_extras=True)
        fields = dataclasses.fields(event)
        if event is MessageReceived:  # its value is not written, but decoded from its bytes
            fields = tuple(field for field in fields if field.name != "value")
        self.event = event
        self.names = tuple(field.name for field in fields)
        self.readers = tuple(_make_reader(types[name]) for name in self.names)
        self.required = max(
            index for index, field in enumerate(fields, 1) if field.default is dataclasses.MISSING
        )
        self.defaults = tuple(field.default for field in fields[self.required :])
        self.get: Callable[[AnyEvent], tuple[Any, ...]] = attrgetter(*self.names)
        # As a rule all optional fields have their defaults; to see that at once is half the time of an event.
        self.get_required: Callable[[AnyEvent], tuple[Any, ...]] = attrgetter(*self.names[: self.required])
        optional = self.names[self.required :]
        self.get_optional: Callable[[AnyEvent], Any] | None = attrgetter(*optional) if optional else None
        self.all_defaults = self.defaults[0] if len(self.defaults) == 1 else self.defaults
        required = self.names[: self.required]
        self.long_position = next(
            (index for index, name in enumerate(required, 1) if types[name] is bytes), 0
        )

    def read_fields(self, values: list[Any]) -> dict[str, Any]:
        """Return the fields of an event.

        Args:
            values: The array in the file, which begins with the kind. Fields that are not known are ignored.

        Raises:
            FieldError: A field is absent, or is not what the event has there; the text begins with its name.
        """
        fields: dict[str, Any] = {}
        name = ""
        try:
            for name, read, value in zip(self.names, self.readers, values[1:], strict=False):
                fields[name] = read(value)
        except FieldError as error:
            raise FieldError(f"{name!r} {error}") from None
        if len(values) <= self.required:
            raise FieldError(f"{self.names[len(values) - 1]!r} is absent")
        if self.event is ChildExited and fields["code"] is not None and fields["signal"] is not None:
            raise FieldError("'code' and 'signal' are both there, and a child ends in one way")
        return fields


def read_text(value: Any) -> str:
    """Return a text: a str, or bytes where UTF-8 cannot express it, see :func:`to_encodable`."""
    if type(value) is str:
        return value
    if type(value) is not bytes:
        raise _wrong_type(value, str)
    try:
        return value.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        raise FieldError("is not text") from None


def read_texts(value: Any) -> tuple[str, ...]:
    """Return an array of texts."""
    if type(value) is not list:
        raise _wrong_type(value, list)
    return tuple(map(read_text, value))


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


def _wrong_type(value: Any, wanted: type) -> FieldError:
    return FieldError(f"is of type {type(value).__name__} instead of {wanted.__name__}")


def _make_reader(hint: Any) -> FieldReader:
    """Make the reader of a field from the type that its event class states."""
    if hint is str:
        return read_text
    if hint in (bool, bytes):
        return _make_exact_reader(hint)
    if hint is Any:  # the value of a sent message is a flag in the file: whether it is the bytes themselves
        return _make_exact_reader(bool)
    if hint == Stream:
        return _make_choice_reader(int, {number: stream for stream, number in STREAM_NUMBERS.items()})
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return _make_choice_reader(str, {choice: choice for choice in arguments})
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _make_optional_reader(_make_reader(inner))
    if origin is tuple:
        return _make_tuple_reader(_make_reader(arguments[0]))
    assert origin is Annotated, hint
    base, bounds = arguments
    if isinstance(bounds, NotEmpty):
        return _make_nonempty_reader(_make_reader(base))
    assert isinstance(bounds, Between), hint
    return _make_float_reader(bounds) if base is float else _make_int_reader(bounds)


def _make_exact_reader(kind: type) -> FieldReader:
    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise _wrong_type(value, kind)

    return read


def _make_int_reader(bounds: Between) -> FieldReader:
    least, most = bounds

    def read(value: Any) -> int:
        if type(value) is not int:
            raise _wrong_type(value, int)
        if least <= value <= most:
            return value
        raise FieldError(f"is {value}, below {least}" if value < least else f"is {value}, above {most}")

    return read


def _make_float_reader(bounds: Between) -> FieldReader:
    least, most = bounds

    def read(value: Any) -> float:
        if type(value) is not float and type(value) is not int:
            raise _wrong_type(value, float)
        if least <= value <= most:  # which neither NaN nor infinity is
            return float(value)
        raise FieldError(f"is {value}, not a number from {least} to {most}")

    return read


def _make_choice_reader(kind: type, choices: dict[Any, str]) -> FieldReader:
    def read(value: Any) -> str:
        if type(value) is not kind:
            raise _wrong_type(value, kind)
        if value not in choices:
            raise FieldError(f"is {value!r:.40}, which is unknown")
        return choices[value]

    return read


def _make_optional_reader(read_present: FieldReader) -> FieldReader:
    def read(value: Any) -> Any:
        return None if value is None else read_present(value)

    return read


def _make_tuple_reader(read_item: FieldReader) -> FieldReader:
    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise _wrong_type(value, list)
        return tuple(map(read_item, value))

    return read


def _make_nonempty_reader(read_all: FieldReader) -> FieldReader:
    def read(value: Any) -> Any:
        items = read_all(value)
        if not items or not items[0]:
            raise FieldError("is empty")
        return items

    return read


SCHEMAS: Final = {event.KIND: EventSchema(event) for event in get_args(AnyEvent)}
"""The schema of each kind that is known, by its number."""
