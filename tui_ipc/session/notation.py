"""How a message is written: the one text form that people type and read.

The rule: what ``render`` writes, ``parse`` reads back. The notation is JSON, extended only where a message
holds what JSON cannot, and a value has the same text wherever it stands.

* Text that is JSON is that value, as Python's ``json`` reads it (with ``NaN``, ``Infinity``, ``-Infinity``).
* Else text that is a Python literal of bytes, a tuple, a list or a dict is that value. Inside it the words of
  Python and of JSON mix freely (``None``, ``null``). Strings side by side are a forgotten comma, not one.
* A time stamp is ``timestamp("2026-11-24T05:00:00Z")``: ISO 8601 with its offset from UTC, anywhere.
* Anything else is a string: exactly the text as typed, spaces included.

Neither direction recurses, so depth costs memory and never the stack, and reading takes time in proportion to
the text whatever it says: one faces what a child sent, the other what a person is still typing.
"""

import json
import re
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from tui_ipc.ipc.wire import NESTING_LIMIT, encode
from tui_ipc.session.holes import HOLES, REST, Captured, Matching

_BLANK: Final = re.compile(r"[ \t\n\r]*+")  # JSON's white space
_CLOSERS: Final = {"[": "]", "(": ")", "{": "}"}
_SPELLINGS: Final = {"None": "null", "True": "true", "False": "false"}
_WORDS: Final = {"null": None, "true": True, "false": False, "None": None, "True": True, "False": False}
_MEANT: Final = re.compile(  # how text begins that wants to be more than a string
    _BLANK.pattern + r"""(?:(?P<json>[\[{"])|\(|(?:[bB][rR]?|[rR][bB])["']|timestamp\()"""
)
_SCALAR: Final = re.compile(  # possessive throughout (*+): no text makes it backtrack
    r"""
      (?P<prefix>[bB][rR]?|[rR][bB]?|[uU])?+
      (?P<string>"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+" | '[^'\\\n]*+(?:\\.[^'\\\n]*+)*+')
    | (?P<integer>[-+]?(?:0[xX][0-9a-fA-F_]++ | 0[oObB][0-7_]++ | [0-9][0-9_]*+))(?![\w.])
    | (?P<real>[-+]?(?=\.?[0-9])[0-9_]*+(?:\.[0-9_]*+)?+(?:[eE][-+]?[0-9_]++)?+ | NaN | -?Infinity)(?!\w)
    | timestamp\([ ]*+(?P<time>"[^"\\]*+"|'[^'\\]*+')[ ]*+\)
    | (?P<word>[A-Za-z]++)(?!["'])
    """,
    re.VERBOSE,
)
_QUOTE: Final = re.compile(r"""[bBrRuU]{0,2}["']""")
_ESCAPE: Final = re.compile(  # in a string; bytes take no \u and no \U
    r"""\\(?:
      (?P<hex>x[0-9a-fA-F]{2} | u[0-9a-fA-F]{4} | U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})
    | (?P<octal>[0-3][0-7]{2} | [0-7]{1,2}(?![0-7]))
    | (?P<letter>.))""",
    re.VERBOSE,
)
_JSON_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LETTERS: Final = {**_JSON_LETTERS, "a": "\a", "v": "\v", "'": "'"}

_ESCAPED: Final = {character: "\\" + letter for letter, character in _JSON_LETTERS.items()}
_SUSPECT: Final = re.compile(r'["\\]|[^ -~]')
_IN_EXPRESSION: Final = re.compile(r"\\.|/|[^ -~]", re.DOTALL)
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


def parse(text: str) -> Any:
    """The value that ``text`` stands for; the text itself if it stands for no other.

    Never fails. Of a key given twice the last value counts. The value need not fit into a message: an integer
    may be beyond 64 bits, a string may hold lone surrogates; sending says so.
    """
    return interpret(text)[0]


def describe(text: str) -> str:
    """What ``text`` would be as a message, in one line: its kind, its count and its bytes on the wire.

    For instance ``map, 3 keys, 27 bytes``. It says instead why a value cannot be sent, and adds why a text
    that begins like JSON or a literal is nevertheless a string.
    """
    value, complaint = interpret(text)
    kind, noun = _kind(value)
    if isinstance(value, list | tuple | dict):
        kind += ", " + _count(len(value), noun)
    try:
        size = len(encode(value))
    except (TypeError, ValueError) as error:
        return f"{kind}, cannot be sent: {error}"
    return f"{kind}, {_count(size, 'byte')}" + (f" — {complaint}" if complaint else "")


def render(value: Any, limit: int | None = None) -> str:
    r"""The text of a value, on one line and safe for a terminal.

    Strings are always quoted. Each character that is not printable (``str.isprintable``: controls,
    bidirectional controls, line separators, lone surrogates, unassigned and private ones) is written as an
    escape. What no message can hold is shown as its ``repr``, which does not read back.

    Args:
        value: Anything that a message can hold, nested to any depth.
        limit: Characters to show, about. A longer text is cut at ``…``, open quotes and brackets are closed,
            and the size of the whole value follows: ``b"\x00…" (67108864 bytes)``. That takes time in
            proportion to the limit, not to the value; a cut text does not read back. None shows everything.
    """
    room = sys.maxsize if limit is None else limit  # brackets still to be closed count as written
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
        text, closer = _beginning(item, room)
        pieces.append(before)
        if len(text) + len(closer) > room:
            pieces.append(_shortened(text, room) if isinstance(item, str | bytes | bytearray) else "…")
            pieces += (closer for _, closer in reversed(unfinished))
            return "".join(pieces) + _total(value)
        room -= len(text) + len(closer)
        pieces.append(text)
        if closer:
            unfinished.append((_children(item), closer))
    return "".join(pieces)


class Complaint(NamedTuple):
    """Why a text that looks like more than a string is one; ``offset`` counts from 0, None if it is all."""

    sentence: str
    offset: int | None = None

    def __str__(self) -> str:
        return self.sentence if self.offset is None else f"{self.sentence} at column {self.offset + 1}"


def interpret(text: str) -> tuple[Any, Complaint | None]:
    """What :func:`parse` returns, and a complaint if the text looks like more than the string that it is."""
    try:
        return json.loads(text), None
    except (ValueError, RecursionError):
        pass  # no JSON, or too deep for a reader that recurses
    word = text.strip()
    if word in _SPELLINGS:
        return text, Complaint(f"the JSON value is spelled {_SPELLINGS[word]}")
    meant = _MEANT.match(text)
    if not meant:
        return text, None
    try:
        value = _read(text)
        if isinstance(value, str):
            raise _NotationError("no JSON escape, or a control character, in the string", meant.end() - 1)
    except _NotationError as error:
        return text, Complaint(f"not {'JSON' if meant['json'] else 'a literal'}: {error}", error.offset)
    return value, None


class _NotationError(Exception):
    """Text is not in the notation."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


class _Container:
    """A list, tuple or map that is being read.

    Attributes:
        opener: Its opening bracket.
        offset: Where that stands in the text.
        items: What it holds so far; keys and values in turn if it is a map.
    """

    __slots__ = ("items", "offset", "opener")

    def __init__(self, opener: str, offset: int) -> None:
        self.opener = opener
        self.offset = offset
        self.items: list[Any] = []

    @property
    def wants_value(self) -> bool:
        """Whether the last item is a key without its value."""
        return self.opener == "{" and len(self.items) % 2 == 1

    def add(self, item: Any, offset: int) -> str:
        """Take the item that began at ``offset``; returns the characters of which one must follow."""
        self.items.append(item)
        if not self.wants_value:
            return "," if self.opener == "(" and len(self.items) == 1 else "," + _CLOSERS[self.opener]
        try:
            hash(item)
        except TypeError:
            raise _NotationError("a list or a map cannot be a key", offset) from None
        return ":"

    def close(self) -> tuple[Any, int]:
        """The value, and where it began."""
        if self.opener == "{":
            return dict(zip(self.items[::2], self.items[1::2], strict=True)), self.offset
        return (tuple(self.items) if self.opener == "(" else self.items), self.offset


def _read(text: str) -> Any:
    """Read JSON or a literal; raises _NotationError for the first fault."""
    unfinished: list[_Container] = []
    position = 0
    while True:
        position = start = _skip_blank(text, position)
        character = text[start : start + 1]
        if character in _CLOSERS:
            # As a key it is hashed, and hashing recurses in C without a check. No message nests deeper.
            if character == "(" and len(unfinished) >= NESTING_LIMIT:
                raise _NotationError(f"tuple more than {NESTING_LIMIT} levels deep", start)
            unfinished.append(_Container(character, start))
            position += 1
            continue
        if unfinished and character == _CLOSERS[unfinished[-1].opener] and not unfinished[-1].wants_value:
            value, start = unfinished.pop().close()
            position += 1
        else:
            value, position = _read_scalar(text, start)
        while unfinished:
            allowed = unfinished[-1].add(value, start)
            position = _skip_blank(text, position)
            character = text[position : position + 1]
            if not character or character not in allowed:
                raise _NotationError("expecting " + " or ".join(f"'{mark}'" for mark in allowed), position)
            position += 1
            if character in ",:":
                break
            value, start = unfinished.pop().close()
        else:
            position = _skip_blank(text, position)
            if position < len(text):
                raise _NotationError("text after the value", position)
            return value


def _skip_blank(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _read_scalar(text: str, position: int) -> tuple[Any, int]:
    """Read what is no container; returns it and where it ends."""
    match = _SCALAR.match(text, position)
    if not match:
        unterminated = _QUOTE.match(text, position)
        raise _NotationError("unterminated string" if unterminated else "expecting a value", position)
    value: Any
    try:
        match match.lastgroup:
            case "string":
                value = _unquoted(match)
            case "integer":
                value = int(match["integer"], 0)
            case "real":
                value = float(match["real"])
            case "time":
                value = _time_stamp(match["time"][1:-1], position)
            case _:
                value = _WORDS[match["word"]]
    except ValueError:
        raise _NotationError("not a number", position) from None
    except KeyError:
        raise _NotationError("expecting a value (a string needs quotes)", position) from None
    return value, match.end()


def _unquoted(match: re.Match[str]) -> str | bytes:
    """The string or bytes of a quoted token."""
    prefix, body, start = (match["prefix"] or "").lower(), match["string"][1:-1], match.start("string") + 1
    binary = "b" in prefix

    def character(escape: re.Match[str]) -> str:
        if escape["octal"]:
            return chr(int(escape["octal"], 8))
        if escape["hex"] and (escape["hex"][0] == "x" or not binary):
            return chr(int(escape["hex"][1:], 16))
        if escape["letter"] in _LETTERS:
            return _LETTERS[escape["letter"]]
        if escape["letter"] == "/" and not binary:
            return "/"
        raise _NotationError("unknown escape", start + escape.start())

    if binary and not body.isascii():
        raise _NotationError(r"bytes hold ASCII characters and \x escapes only", start - 1)
    plain = body if "r" in prefix else _ESCAPE.sub(character, body)
    if binary:
        return plain.encode("latin-1")
    if "\\u" in body:  # JSON writes a character beyond U+FFFF as two surrogates
        return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return plain


def _time_stamp(text: str, offset: int) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _NotationError("not an ISO 8601 time", offset) from None
    if moment.tzinfo is None:
        raise _NotationError("a time without offset from UTC, such as Z,", offset)
    return moment


def _beginning(item: Any, room: int) -> tuple[str, str]:
    """The text of a scalar, or both brackets of a container. Of a string, no more than overflows ``room``."""
    if isinstance(item, str):
        return f'"{_escaped(item[: max(room, 0)])}"', ""
    if isinstance(item, bytes | bytearray):
        return f'b"{_escaped_bytes(bytes(item[: max(room, 0)]))}"', ""
    if isinstance(item, list):
        return "[", "]"
    if isinstance(item, dict):
        return "{", "}"
    if isinstance(item, tuple):
        return "(", ",)" if len(item) == 1 else ")"
    return _atom(item), ""


def _atom(item: Any) -> str:
    """The text of what is never cut in two."""
    if isinstance(item, bool | float | None):
        return json.dumps(item)
    if isinstance(item, int):
        # Python refuses to write thousands of digits, which no message holds but a person may type.
        return int.__repr__(item) if item.bit_length() < 1024 else hex(item)
    if isinstance(item, datetime):
        return f'timestamp("{re.sub("[+]00:00$", "Z", item.isoformat())}")'
    return _hole(item) if isinstance(item, HOLES) else _escaped(repr(item))


def _hole(item: Any) -> str:
    if isinstance(item, Matching):
        return f"/{_IN_EXPRESSION.sub(_escape_in_expression, item.expression)}/"
    return f"{{{{{item.name}}}}}" if isinstance(item, Captured) else "..."


def _escape_in_expression(match: re.Match[str]) -> str:
    """What must not stand in ``/re/`` as it is, spelled so that ``re`` reads it alike; an escape stays."""
    text = match.group()
    if text == "/":
        return r"\/"
    if text.isprintable():
        return text
    code = ord(text[-1])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _children(item: Any) -> Iterator[tuple[str, Any]]:
    """What a container holds, in order, each with the text before it."""
    before = ""
    if isinstance(item, dict):
        for key, value in item.items():
            yield before, key
            if key is not REST:
                yield ": ", value
            before = ", "
    else:
        for value in item:
            yield before, value
            before = ", "


def _escaped(text: str) -> str:
    if text.isprintable():
        return text.replace("\\", r"\\").replace('"', r"\"")
    return _SUSPECT.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    """One character as JSON writes it."""
    character = match.group()
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character.isprintable():
        return character
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _escaped_bytes(data: bytes) -> str:
    # repr() chooses double quotes where it sees a single one and no double one.
    return r"\"".join(repr(b"'" + part)[3:-1] for part in data.split(b'"'))


def _shortened(text: str, room: int) -> str:
    """A quoted text cut to about ``room`` characters, between two escapes."""
    kept = _WHOLE_ESCAPES.match(text[:-1][: max(room - 1, 2)])
    return (kept.group() if kept else "") + '…"'


def _total(value: Any) -> str:
    """The size of a value that was cut, as a note behind it."""
    _, noun = _kind(value)
    return f" ({_count(len(value), noun)})" if noun else ""


def kind(value: Any) -> str:
    """What a value is called, for instance ``map`` or ``integer``."""
    return _kind(value)[0]


def _kind(value: Any) -> tuple[str, str]:
    """What a value is called, and what its length counts."""
    return next(((kind, noun) for types, kind, noun in _KINDS if isinstance(value, types)), ("object", ""))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
