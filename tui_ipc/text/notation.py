"""The notation of messages: the one text form of a value that people type and read.

What :func:`render_value` writes, :func:`parse_value` reads back. The notation is JSON, extended only where a
message holds what JSON cannot, and a value has the same text wherever it is.

* Text that is JSON is that value, as Python's ``json`` reads it (with ``NaN``, ``Infinity``, ``-Infinity``).
* Else text that is a Python literal of bytes, a tuple, a list or a dict is that value. Inside it the words of
  Python and of JSON mix freely (``None``, ``null``). Two strings side by side are an error, a forgotten
  comma.
* A time stamp is ``timestamp("2026-11-24T05:00:00Z")``: ISO 8601 with its offset from UTC, anywhere.
* Anything else is a string: exactly the text as typed, spaces included.

Neither direction recurses, so that depth costs memory and never the stack, and reading takes time in
proportion to the text, whatever it is: what is rendered, a child sent, and what is parsed, a person is still
typing.
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from itertools import cycle
from typing import Any, Final, NamedTuple, assert_never

from tui_ipc.ipc.wire import encode
from tui_ipc.text.conditions import (
    CONDITION_TYPES,
    Condition,
    Each,
    HasLength,
    InRange,
    IsType,
    Near,
    NotationError,
    PlaceholderError,
    Unordered,
)
from tui_ipc.text.notation_reader import (
    JSON_LETTERS,
    escape_in_regex,
    read_value,
    skip_blank,
)
from tui_ipc.text.placeholders import (
    ANY_REST,
    NAME_IN_TEXT,
    PLACEHOLDER_TYPES,
    AnyRest,
    Capture,
    Placeholder,
    PlaceholderRules,
    Regex,
    Template,
)
from tui_ipc.text.safe_text import is_plain, replace_hidden
from tui_ipc.text.units import format_plural

_JSON: Final = json.JSONDecoder()
_SPELLINGS: Final = {"None": "null", "True": "true", "False": "false"}
_VALUE_START: Final = re.compile(  # how text begins that is meant as JSON or a literal
    r"""(?P<json>[\[{"])|\(|(?:[bB][rR]?|[rR][bB])["']|timestamp\("""
)
_ESCAPED: Final = {character: "\\" + letter for letter, character in JSON_LETTERS.items()}
_SUSPECT: Final = re.compile(r'["\\]|[^ -~]')
_UNSAFE_IN_REGEX: Final = re.compile(r"\\.|/|[^ -~]", re.DOTALL)
_BRACES: Final = re.compile(r"\{(?=\{)")
_WHOLE_ESCAPES: Final = re.compile(r"(?:[^\\]|\\x..|\\u....|\\[^xu])*+")
_KINDS: Final[tuple[tuple[type | tuple[type, ...], str, str], ...]] = (
    (type(None), "null", ""),
    (bool, "boolean", ""),  # before int, which it is too
    (int, "integer", ""),
    (float, "float", ""),
    (str, "string", "character"),
    ((bytes, bytearray), "binary", "byte"),
    ((list, tuple), "array", "item"),
    (dict, "map", "key"),
    (datetime, "time stamp", ""),
)


def parse_value(text: str) -> Any:
    """Return the value of a text; the text itself if it is neither JSON nor a literal.

    Never fails. Of a key that occurs twice the last value counts. The value need not fit into a message: an
    integer may be beyond 64 bits, a string may hold lone surrogates; sending it fails then.
    """
    return interpret(text)[0]


def describe_text(text: str) -> str:
    """Describe in one line what a text is as a message: its kind, its count and its bytes on the wire.

    For instance ``map, 3 keys, 27 bytes``; or why the value cannot be sent. For a text that begins like JSON
    or a literal and is a string, the reason is added.
    """
    value, problem = interpret(text)
    kind, noun = _kind_and_noun(value)
    if isinstance(value, list | tuple | dict):
        kind += ", " + format_plural(len(value), noun)
    try:
        size = len(encode(value))
    except (TypeError, ValueError) as error:
        return f"{kind}, cannot be sent: {error}"
    return f"{kind}, {format_plural(size, 'byte')}" + (f" — {problem}" if problem else "")


def render_value(value: Any, limit: int | None = None) -> str:
    r"""Write a value as text, on one line and safe for a terminal.

    Strings are always quoted. Each character that cannot be seen (:mod:`tui_ipc.text.safe_text`) or is not
    printable (``str.isprintable``: unassigned and private ones, too) is written as an escape. What no message
    can hold is shown as its ``repr``, which does not read back.

    Args:
        value: Anything that a message can hold, nested to any depth.
        limit: About how many characters to write, None for all. A longer text is cut at ``…``, open quotes
            and brackets are closed, and the size of the whole value follows: ``b"\x00…" (67 108 864 bytes)``.
            That takes time in proportion to the limit, not to the value; a cut text does not read back.
    """
    # `room` counts down. A container takes the room of its closing bracket as it is opened, so that what is
    # cut can always be closed within the limit.
    room = sys.maxsize if limit is None else limit
    pieces: list[str] = []
    unfinished: list[tuple[Iterator[tuple[str, Any]], str]] = [(iter([("", value)]), "")]
    while unfinished:
        children, closer = unfinished[-1]
        child = next(children, None)
        if child is None:
            pieces.append(closer)
            unfinished.pop()
            continue
        before, item = child
        room -= len(before)
        text, closer = _opening(item, room)
        pieces.append(before)
        if len(text) + len(closer) > room:
            pieces.append(_shorten(text, room) if isinstance(item, str | bytes | bytearray) else "…")
            pieces += (closer for _, closer in reversed(unfinished))
            return "".join(pieces) + _size_note(value)
        room -= len(text) + len(closer)
        pieces.append(text)
        if closer:
            unfinished.append((_children(item), closer))
    return "".join(pieces)


class NotationProblem(NamedTuple):
    """Why a text that begins like JSON or a literal is neither.

    Attributes:
        message: What is wrong.
        offset: Where, from 0; None if it is all of the text.
        is_placeholder: Whether a placeholder of a pattern is what is wrong.
    """

    message: str
    offset: int | None = None
    is_placeholder: bool = False

    def __str__(self) -> str:
        return self.message if self.offset is None else f"{self.message} at column {self.offset + 1}"


def interpret(text: str) -> tuple[Any, NotationProblem | None]:
    """Parse as :func:`parse_value` does, and say why a text that is meant as JSON or a literal is neither."""
    parsed = parse_leading_value(text)
    if isinstance(parsed, NotationProblem):
        return text, parsed
    if parsed is not None:
        value, end = parsed
        end = skip_blank(text, end)
        if end == len(text):
            return value, None
        if looks_like_value(text):
            return text, _make_problem(text, NotationError("text after the value", end))
    word = text.strip()
    if word in _SPELLINGS:
        return text, NotationProblem(f"the JSON value is spelled {_SPELLINGS[word]}")
    return text, None


def looks_like_value(text: str) -> bool:
    """Whether a text begins so that it is meant as JSON or a literal: if it is neither, that is an error."""
    return _VALUE_START.match(text, skip_blank(text, 0)) is not None


def parse_leading_value(
    text: str, rules: PlaceholderRules | None = None
) -> tuple[Any, int] | NotationProblem | None:
    """Parse the JSON value or the literal that a text begins with; more may follow.

    Args:
        text: Any text.
        rules: Makes it a pattern, in which placeholders may stand for values, written ``...``, ``/re/`` and
            ``{{name}}``. Without it there are no placeholders.

    Returns:
        One of three:

        * the value, and where its text ends,
        * a problem, if the text is meant as JSON or a literal and is neither,
        * None, if it is a mere string.
    """
    begin = skip_blank(text, 0)
    is_json = False
    try:
        value, end = (_JSON if rules is None else rules.json_decoder).raw_decode(text, begin)
        if rules is None or not NAME_IN_TEXT.search(text, begin, end):
            return value, end
        is_json = True  # a string in it has a name
        rules.repeated.clear()
    except (ValueError, RecursionError):
        pass  # not JSON, or too deep for a reader that recurses
    if not _VALUE_START.match(text, begin):
        return None
    try:
        value, end = read_value(text, begin, rules)
        if isinstance(value, str) and not is_json:  # Python reads it, and JSON does not
            raise NotationError(
                "an escape that JSON does not have, or a control character, in the string", begin
            )
    except NotationError as error:
        return _make_problem(text, error)
    return value, end


def _make_problem(text: str, error: NotationError) -> NotationProblem:
    if isinstance(error, PlaceholderError):
        return NotationProblem(str(error), error.offset, is_placeholder=True)
    start = _VALUE_START.match(text, skip_blank(text, 0))
    return NotationProblem(f"not {'JSON' if start and start['json'] else 'a literal'}: {error}", error.offset)


def _opening(item: Any, room: int) -> tuple[str, str]:
    """Return the text of a scalar, or both brackets; of a string, no more than overflows ``room``."""
    if isinstance(item, str):
        return f'"{_escape_text(item[: max(room, 0)])}"', ""
    if isinstance(item, bytes | bytearray):
        return f'b"{_escape_bytes(bytes(item[: max(room, 0)]))}"', ""
    if isinstance(item, list):
        return "[", "]"
    if isinstance(item, dict):
        return "{", "}"
    if isinstance(item, tuple):
        return "(", ",)" if len(item) == 1 else ")"
    return _render_atom(item), ""


def _render_atom(item: Any) -> str:
    if isinstance(item, bool | float | None):
        return json.dumps(item)
    if isinstance(item, int):
        # Python refuses to write thousands of digits, which no message holds but a person may type.
        return int.__repr__(item) if item.bit_length() < 1024 else hex(item)
    if isinstance(item, datetime):
        return f'timestamp("{re.sub("[+]00:00$", "Z", item.isoformat())}")'
    if isinstance(item, PLACEHOLDER_TYPES):
        return _render_placeholder(item)
    return _render_condition(item) if isinstance(item, CONDITION_TYPES) else _escape_text(repr(item))


def _render_placeholder(item: Placeholder) -> str:
    match item:
        case AnyRest():
            return "..."
        case Regex():
            expression = _UNSAFE_IN_REGEX.sub(_escape_in_regex, item.expression)
            return f"/{replace_hidden(expression, escape_in_regex)}/"
        case Template():
            return f'"{"".join(map(_render_part, item.parts, cycle((False, True))))}"'
        case Capture():
            alternatives = " | ".join(" ".join(map(render_value, terms)) for terms in item.alternatives)
            return f"{{{{{item.name}{alternatives and f': {alternatives}'}}}}}"
        case _:
            assert_never(item)


def _render_part(part: str, is_name: bool) -> str:
    return f"{{{{{part}}}}}" if is_name else _BRACES.sub(r"\\u007b", _escape_text(part))


def _render_condition(item: Condition) -> str:
    match item:
        case IsType():
            return item.name
        case InRange():
            return _render_range(item.minimum, item.maximum)
        case Near():
            return f"{_render_atom(item.number)} +- {_render_atom(item.tolerance)}"
        case HasLength():
            is_exact = item.minimum == item.maximum
            return f"length {item.minimum if is_exact else _render_range(item.minimum, item.maximum)}"
        case Unordered():
            return f"unordered {render_value(list(item.items))}"
        case Each():
            return f"each {render_value(item.pattern)}"
        case _:
            assert_never(item)


def _render_range(minimum: float | None, maximum: float | None) -> str:
    return "..".join("" if number is None else _render_atom(number) for number in (minimum, maximum))


def _escape_in_regex(match: re.Match[str]) -> str:
    # What ``re`` reads alike; an escape stays.
    text = match.group()
    if text == "/":
        return r"\/"
    character = text[-1]
    if len(text) == 1 and not is_plain(character):
        return text  # it may be a joiner in its place: replace_hidden decides
    return text if text.isprintable() and is_plain(character) else escape_in_regex(character)


def _children(item: Any) -> Iterator[tuple[str, Any]]:
    """Iterate over what a container holds, each with the text before it."""
    before = ""
    if isinstance(item, dict):
        for key, value in item.items():
            yield before, key
            if key is not ANY_REST:
                yield ": ", value
            before = ", "
    else:
        for value in item:
            yield before, value
            before = ", "


def _escape_text(text: str) -> str:
    if text.isprintable():
        text = text.replace("\\", r"\\").replace('"', r"\"")
    else:
        text = _SUSPECT.sub(_escape_suspect, text)
    # Last, because whether a joiner is in its place depends on what is written beside it.
    return replace_hidden(text, escape_character)


def _escape_suspect(match: re.Match[str]) -> str:
    character = match.group()
    if character in _ESCAPED:
        return _ESCAPED[character]
    return character if character.isprintable() or not is_plain(character) else escape_character(character)


def escape_character(character: str) -> str:
    r"""Write a character as JSON escapes it: ``\u202e``."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _escape_bytes(data: bytes) -> str:
    # repr() chooses double quotes where it sees a single one and no double one.
    return r"\"".join(repr(b"'" + part)[3:-1] for part in data.split(b'"'))


def _shorten(text: str, room: int) -> str:
    """Cut a quoted text to about ``room`` characters, between two escapes."""
    whole = _WHOLE_ESCAPES.match(text[:-1][: max(room - 1, 2)])
    kept = whole.group() if whole else ""
    return replace_hidden(kept + '…"', lambda joiner: "")  # one at the cut has nothing to join


def _size_note(value: Any) -> str:
    _, noun = _kind_and_noun(value)
    return f" ({format_plural(len(value), noun)})" if noun else ""


def name_kind(value: Any) -> str:
    """Name the kind of a value, for instance ``map`` or ``integer``."""
    return _kind_and_noun(value)[0]


def _kind_and_noun(value: Any) -> tuple[str, str]:
    """Name the kind of a value, and what its length counts."""
    return next(((kind, noun) for types, kind, noun in _KINDS if isinstance(value, types)), ("object", ""))
