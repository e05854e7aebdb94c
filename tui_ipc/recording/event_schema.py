"""What a recording holds of each kind of event, derived from the event classes; see docs/RECORDING.md.

What is taken from a file has the type and the bounds that its event class states, or is a
:class:`FieldError`: views and writers never meet an event that a session could not have made.

A recording may have millions of events, so each kind that a run has many times gets a reader and a writer of
its own, whose source is made from its fields as :mod:`dataclasses` makes an ``__init__``. That reader takes
what is as it should be; anything else it leaves to :meth:`EventSchema.read_slowly`, which explains it.
"""

import dataclasses
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from tui_ipc.events import AnyEvent, Between, ChildExited, MessageReceived, MessageSent, NotEmpty, Stream
from tui_ipc.events.message_values import decode_stored
from tui_ipc.ipc.errors import IpcError

STREAM_NUMBERS: Final[dict[str, int]] = {"stdout": 1, "stderr": 2}
"""How a recording writes a stream: the number of its descriptor."""


class FieldError(Exception):
    """A field is not what its event has there; the text continues a sentence that begins with the field."""


class FieldFormat(NamedTuple):
    """How a field is written and read.

    Attributes:
        read: Returns its value from what the file has there, or raises :class:`FieldError`.
        test: An expression that is true of what ``read`` returns unchanged; ``{0}`` is what the file has.
            Empty if ``read`` must be called.
        written: An expression for what is written; ``{0}`` is the value in the event.
    """

    read: Callable[[Any], Any]
    test: str = ""
    written: str = "{0}"


class EventSchema:
    """How the events of one class are written in a recording, after the number of their kind.

    Attributes:
        event: The class.
        names: The names of the fields, in the order of the file.
        required: How many fields are always there; the others may be absent where an array ends early.
        long_position: Where the array has the field that is bytes of any number; 0 if there is none.
        read: Returns the event of an array, which begins with the kind. Fields that are not known are
            ignored. Raises :class:`FieldError` if a field is absent, or is not what the event has there; the
            text begins with its name.
        write: Returns the array of an event.
    """

    def __init__(self, event: type[AnyEvent]) -> None:
        types = get_type_hints(event, include_extras=True)
        fields = dataclasses.fields(event)
        if event is MessageReceived:  # its value is not written, but decoded from its bytes
            fields = tuple(field for field in fields if field.name != "value")
        self.event = event
        self.names = tuple(field.name for field in fields)
        self.required = max(
            index for index, field in enumerate(fields, 1) if field.default is dataclasses.MISSING
        )
        self.long_position = next(
            (index for index, name in enumerate(self.names[: self.required], 1) if types[name] is bytes), 0
        )
        self._formats = tuple(_make_format(types[name]) for name in self.names)
        self._defaults = tuple(field.default for field in fields[self.required :])
        self.write: Callable[[AnyEvent], list[Any]] = self._compile_writer()
        self.read: Callable[[list[Any]], AnyEvent] = (
            self.read_slowly if event.ONCE_A_RUN else self._compile_reader()
        )

    def read_slowly(self, values: list[Any]) -> AnyEvent:
        """Do what :attr:`read` does, field by field."""
        fields: dict[str, Any] = {}
        name = ""
        try:
            for name, format_, value in zip(self.names, self._formats, values[1:], strict=False):
                fields[name] = format_.read(value)
        except FieldError as error:
            raise FieldError(f"{name!r} {error}") from None
        if len(values) <= self.required:
            raise FieldError(f"{self.names[len(values) - 1]!r} is absent")
        if self.event is ChildExited and fields["code"] is not None and fields["signal"] is not None:
            raise FieldError("'code' and 'signal' are both there, and a child ends in one way")
        if self.event is MessageSent:
            fields["value"] = fields["raw"] if fields["value"] else _decode_message(fields["raw"])
        elif self.event is MessageReceived:
            fields["value"] = _decode_message(fields["raw"])
        return self.event(**fields)

    def _compile_reader(self) -> Callable[[list[Any]], AnyEvent]:
        # One branch for each length that the array may have unpacks it into local variables of the fields'
        # names and gives the absent ones their defaults; one condition tests all of them; then the event.
        scope: dict[str, Any] = {
            "_class": self.event,
            "_defaults": self._defaults,
            "_decode": _decode_message,
            "_new": object.__new__,
            "_read_slowly": self.read_slowly,
        }
        lines = ["def read(_values):", " _count = len(_values)"]
        word = "if"
        for count in range(self.required, len(self.names) + 1):
            lines.append(f" {word} _count == {count + 1}:")
            lines.append(f"  _, {', '.join(self.names[:count])}, = _values")
            lines += [
                f"  {name} = _defaults[{index}]"
                for index, name in enumerate(self.names[self.required :])
                if index >= count - self.required
            ]
            word = "elif"
        lines += [" else:", "  return _read_slowly(_values)"]
        fields = list(zip(self.names, self._formats, strict=True))
        tests = " and ".join(format_.test.format(name) for name, format_ in fields if format_.test)
        lines += [f" if not ({tests}):", "  return _read_slowly(_values)"]
        for name, format_ in fields:
            if not format_.test:
                scope[f"_read_{name}"] = format_.read
                lines += [
                    " try:",
                    f"  {name} = _read_{name}({name})",
                    " except _FieldError:",
                    "  return _read_slowly(_values)",
                ]
        scope["_FieldError"] = FieldError
        if self.event is MessageSent:
            lines.append(" value = raw if value else _decode(raw)")
        elif self.event is MessageReceived:
            lines.append(" value = _decode(raw)")
        # An event is frozen: its __init__ takes twice the time, because it sets each attribute by its name.
        lines.append(" _event = _new(_class)")
        for field in dataclasses.fields(self.event):
            scope[f"_set_{field.name}"] = getattr(self.event, field.name).__set__
            lines.append(f" _set_{field.name}(_event, {field.name})")
        lines.append(" return _event")
        return _define("read", lines, scope)

    def _compile_writer(self) -> Callable[[AnyEvent], list[Any]]:
        # The shortest array comes first: it is right where all fields that may be absent have their defaults.
        written = [
            format_.written.format(f"event.{name}")
            for name, format_ in zip(self.names, self._formats, strict=True)
        ]
        scope: dict[str, Any] = {"_stream_numbers": STREAM_NUMBERS}
        lines = ["def write(event):"]
        for count in range(self.required, len(self.names) + 1):
            absent = range(count, len(self.names))
            tests = [f"event.{self.names[index]} == _default_{self.names[index]}" for index in absent]
            condition = f"if {' and '.join(tests)}: " if tests else ""
            lines.append(f" {condition}return [{', '.join([str(self.event.KIND), *written[:count]])}]")
        for name, default in zip(self.names[self.required :], self._defaults, strict=True):
            scope[f"_default_{name}"] = default
        return _define("write", lines, scope)


def _define(name: str, lines: list[str], scope: dict[str, Any]) -> Callable[[Any], Any]:
    """Return the function of that name that these lines define."""
    exec("\n".join(lines), scope)  # noqa: S102 - of names and numbers in our own event classes
    function: Callable[[Any], Any] = scope[name]
    return function


def _decode_message(raw: bytes) -> Any:
    """Return what a session showed for a message of these bytes."""
    try:
        return decode_stored(raw)
    except IpcError as error:
        raise FieldError(f"'raw' is not a message: {error}") from None


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


def _make_format(hint: Any) -> FieldFormat:
    """Make the format of a field from the type that its event class states."""
    if hint is str:
        return FieldFormat(read_text, "{0}.__class__ is str")
    if hint in (bool, bytes):
        return _make_exact_format(hint)
    if hint is Any:  # of a sent message: whether it is the bytes themselves, which send_raw takes
        written = "isinstance({0}, bytes) and {0} == event.raw"
        return _make_exact_format(bool)._replace(test="{0}.__class__ is bool", written=written)
    if hint == Stream:
        read = _make_choice_reader(int, {number: stream for stream, number in STREAM_NUMBERS.items()})
        return FieldFormat(read, written="_stream_numbers[{0}]")
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        read = _make_choice_reader(str, {choice: choice for choice in arguments})
        return FieldFormat(read, f"{{0}}.__class__ is str and {{0}} in {arguments!r}")
    if origin in (Union, UnionType):
        (inner,) = (argument for argument in arguments if argument is not NoneType)
        return _make_optional_format(_make_format(inner))
    if origin is tuple:
        return FieldFormat(_make_tuple_reader(_make_format(arguments[0]).read))
    assert origin is Annotated, hint
    base, bounds = arguments
    if isinstance(bounds, NotEmpty):
        return FieldFormat(_make_nonempty_reader(_make_format(base).read))
    assert isinstance(bounds, Between), hint
    return FieldFormat(_make_float_reader(bounds)) if base is float else _make_int_format(bounds)


def _make_exact_format(kind: type) -> FieldFormat:
    def read(value: Any) -> Any:
        if type(value) is kind:
            return value
        raise _wrong_type(value, kind)

    return FieldFormat(read, f"{{0}}.__class__ is {kind.__name__}")


def _make_int_format(bounds: Between) -> FieldFormat:
    least, most = bounds

    def read(value: Any) -> int:
        if type(value) is not int:
            raise _wrong_type(value, int)
        if least <= value <= most:
            return value
        raise FieldError(f"is {value}, below {least}" if value < least else f"is {value}, above {most}")

    return FieldFormat(read, f"{{0}}.__class__ is int and {least} <= {{0}} <= {most}")


def _make_float_reader(bounds: Between) -> Callable[[Any], float]:
    least, most = bounds

    def read(value: Any) -> float:
        if type(value) is not float and type(value) is not int:
            raise _wrong_type(value, float)
        if least <= value <= most:  # which neither NaN nor infinity is
            return float(value)
        raise FieldError(f"is {value}, not a number from {least} to {most}")

    return read


def _make_choice_reader(kind: type, choices: dict[Any, str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if type(value) is not kind:
            raise _wrong_type(value, kind)
        if value not in choices:
            raise FieldError(f"is {value!r:.40}, which is unknown")
        return choices[value]

    return read


def _make_optional_format(present: FieldFormat) -> FieldFormat:
    def read(value: Any) -> Any:
        return None if value is None else present.read(value)

    return FieldFormat(read, f"({{0}} is None or {present.test})" if present.test else "")


def _make_tuple_reader(read_item: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, ...]]:
    def read(value: Any) -> tuple[Any, ...]:
        if type(value) is not list:
            raise _wrong_type(value, list)
        return tuple(map(read_item, value))

    return read


def _make_nonempty_reader(read_all: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        items = read_all(value)
        if not items or not items[0]:
            raise FieldError("is empty")
        return items

    return read


SCHEMAS: Final = {event.KIND: EventSchema(event) for event in get_args(AnyEvent)}
"""The schema of each kind that is known, by its number."""
