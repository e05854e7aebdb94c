"""Reads the notation of :mod:`tui_ipc.text.notation`, character by character.

The one rule: it reads one value and says where that ends, or names the first fault and where it stands. It
does not recurse, and no text makes it go back.
"""

import re
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.text.placeholders import ANY_REST, AnyRest, Capture, Regex
from tui_ipc.text.safe_text import find_hidden

PlaceholderCheck = Callable[[AnyRest | Regex | Capture], str]
"""Says what is wrong with a hole where it stands; the empty string if nothing."""

_BLANK: Final = re.compile(r"[ \t\n\r]*+")  # JSON's white space
_CLOSERS: Final = {"[": "]", "(": ")", "{": "}"}
_WORDS: Final = {"null": None, "true": True, "false": False, "None": None, "True": True, "False": False}
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
JSON_LETTERS: Final = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_LETTERS: Final = {**JSON_LETTERS, "a": "\a", "v": "\v", "'": "'"}

_PLACEHOLDER_STARTS: Final = frozenset("./{")
_REGEX: Final = re.compile(r"/((?:[^/\\]|\\.)*+)/")
_PAIR: Final = re.compile(r"\\.")
_NAME: Final = re.compile(r"\{\{[ \t]*+([A-Za-z_][A-Za-z0-9_]*+)[ \t]*+\}\}")


class NotationError(Exception):
    """Text is not in the notation; ``offset`` is the place of the fault, from 0."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


class PlaceholderError(NotationError):
    """A hole is faulty, or cannot be where it stands."""


class _Container:
    """A list, tuple or map that is being read.

    Attributes:
        opener: Its opening bracket.
        offset: Where that stands in the text.
        items: What it holds so far; keys and values in turn if it is a map.
        open: Whether it may hold more than the pattern tells.
        key: Whether it is the key of a map, or inside one.
    """

    __slots__ = ("items", "key", "offset", "open", "opener")

    def __init__(self, opener: str, offset: int, key: bool) -> None:
        self.opener = opener
        self.key = key
        self.offset = offset
        self.items: list[Any] = []
        self.open = False

    @property
    def wants_value(self) -> bool:
        """Whether the last item is a key without its value."""
        return self.opener == "{" and len(self.items) % 2 == 1

    @property
    def wants_key(self) -> bool:
        """Whether what comes next is a key or a part of one."""
        return self.key or (self.opener == "{" and not self.wants_value)

    def add(self, item: Any, offset: int) -> str:
        """Take the item that began at ``offset``; returns the characters of which one must follow."""
        if item is ANY_REST and not self.wants_value:
            self._leave_open(offset)
        self.items.append(item)
        if not self.wants_value:
            return "," if self.opener == "(" and len(self.items) == 1 else "," + _CLOSERS[self.opener]
        try:
            hash(item)
        except TypeError:
            raise NotationError("a list or a map cannot be a key", offset) from None
        return ":"

    def _leave_open(self, offset: int) -> None:
        if self.open:
            raise PlaceholderError(f"a second ... in {self.opener}…{_CLOSERS[self.opener]}", offset)
        self.open = True
        if self.opener == "{":
            self.items.append(ANY_REST)

    def close(self) -> tuple[Any, int]:
        """The value, and where it began."""
        if self.opener == "{":
            return dict(zip(self.items[::2], self.items[1::2], strict=True)), self.offset
        return (tuple(self.items) if self.opener == "(" else self.items), self.offset


def read_value(text: str, position: int = 0, objection: PlaceholderCheck | None = None) -> tuple[Any, int]:
    """Read JSON or a literal.

    Args:
        text: Begins with a value; anything may follow.
        position: Where the value begins.
        objection: Asked about each hole; None if there may be none, and then their texts are faults.

    Returns:
        The value and where it ends.

    Raises:
        NotationError: The first fault.
    """
    unfinished: list[_Container] = []
    while True:
        position = start = skip_blank(text, position)
        character = text[start : start + 1]
        hole = None
        if objection is not None and character in _PLACEHOLDER_STARTS:
            hole = _read_placeholder(text, start, objection, unfinished)
        if hole is None and character in _CLOSERS:
            # As a key it is hashed, and hashing recurses in C without a check. No message nests deeper.
            if character == "(" and len(unfinished) >= NESTING_LIMIT:
                raise NotationError(f"tuple more than {NESTING_LIMIT} levels deep", start)
            key = bool(unfinished) and unfinished[-1].wants_key
            unfinished.append(_Container(character, start, key))
            position += 1
            continue
        if hole is not None:
            value, position = hole
        elif unfinished and character == _CLOSERS[unfinished[-1].opener] and not unfinished[-1].wants_value:
            value, start = unfinished.pop().close()
            position += 1
        else:
            value, position = _read_scalar(text, start)
        while unfinished:
            position = _expect_mark(text, position, value, unfinished[-1].add(value, start))
            if text[position - 1] in ",:":
                break
            value, start = unfinished.pop().close()
        else:
            return value, position


def skip_blank(text: str, position: int) -> int:
    """Where the white space ends that begins at ``position``."""
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _expect_mark(text: str, position: int, value: Any, allowed: str) -> int:
    """Read one of the ``allowed`` characters, which follow ``value``; returns where it ends."""
    position = skip_blank(text, position)
    character = text[position : position + 1]
    if not character or character not in allowed:
        sentence = "expecting " + " or ".join(f"'{mark}'" for mark in allowed)
        if isinstance(value, Regex):
            sentence += r" (a / inside /re/ is written \/)"
        raise NotationError(sentence, position)
    return position + 1


def read_regex(text: str, position: int) -> tuple[Regex, int]:
    """Read ``/re/`` at ``position``; returns it and where it ends.

    Raises:
        HoleError: It does not end, or is no regular expression, or may be meant in two ways.
    """
    match = _REGEX.match(text, position)
    if not match:
        raise PlaceholderError("a regular expression that begins with / ends with another /", position)
    body = match[1]
    if fault := _find_regex_error(body):
        sentence, offset = fault
        raise PlaceholderError(sentence, position + 1 + offset)
    return Regex(_PAIR.sub(lambda pair: "/" if pair[0] == r"\/" else pair[0], body)), match.end()


def _find_regex_error(body: str) -> tuple[str, int] | None:
    """Why a text is no regular expression, and at which of its characters; None if it is one."""
    if (offset := find_hidden(body)) >= 0:
        return f"an invisible character; write {escape_in_regex(body[offset])}", offset
    try:
        with warnings.catch_warnings():  # about what a later Python may read differently
            warnings.simplefilter("error")
            re.compile(body)
    except re.error as error:
        sentence, offset = error.msg, error.pos or 0
    except (FutureWarning, DeprecationWarning) as warning:
        sentence, _, place = str(warning).partition(" at position ")
        offset = int(place) if place.isdigit() else 0
    except (ValueError, OverflowError, RecursionError) as error:
        sentence, offset = str(error), 0
    else:
        return None
    return f"not a regular expression: {sentence}", offset


def escape_in_regex(character: str) -> str:
    """How ``re`` spells a character that is not to be printed."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _read_placeholder(
    text: str, position: int, objection: PlaceholderCheck, unfinished: list[_Container]
) -> tuple[AnyRest | Regex | Capture, int] | None:
    """Read the hole at ``position``, if there is one."""
    hole: AnyRest | Regex | Capture
    if text.startswith("...", position):
        hole, end = ANY_REST, position + 3
    elif text.startswith("/", position):
        hole, end = read_regex(text, position)
    elif text.startswith("{{", position):
        match = _NAME.match(text, position)
        if not match:
            raise PlaceholderError("a captured value is written {{name}}", position)
        hole, end = Capture(match[1]), match.end()
    else:
        return None
    if unfinished and unfinished[-1].wants_key and (unfinished[-1].key or hole is not ANY_REST):
        raise PlaceholderError("the key of a map must be told; ... stands for any further entries", position)
    sentence = objection(hole)
    if sentence:
        raise PlaceholderError(sentence, position)
    return hole, end


def _read_scalar(text: str, position: int) -> tuple[Any, int]:
    """Read what is no container; returns it and where it ends."""
    match = _SCALAR.match(text, position)
    if not match:
        unterminated = _QUOTE.match(text, position)
        raise NotationError("unterminated string" if unterminated else "expecting a value", position)
    value: Any
    try:
        match match.lastgroup:
            case "string":
                value = _unquote(match)
            case "integer":
                value = int(match["integer"], 0)
            case "real":
                value = float(match["real"])
            case "time":
                value = _parse_timestamp(match["time"][1:-1], position)
            case _:
                value = _WORDS[match["word"]]
    except ValueError:
        raise NotationError("not a number", position) from None
    except KeyError:
        raise NotationError("expecting a value (a string needs quotes)", position) from None
    return value, match.end()


def _unquote(match: re.Match[str]) -> str | bytes:
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
        raise NotationError("unknown escape", start + escape.start())

    if binary and not body.isascii():
        raise NotationError(r"bytes hold ASCII characters and \x escapes only", start - 1)
    plain = body if "r" in prefix else _ESCAPE.sub(character, body)
    if binary:
        return plain.encode("latin-1")
    if "\\u" in body:  # JSON writes a character beyond U+FFFF as two surrogates
        return plain.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return plain


def _parse_timestamp(text: str, offset: int) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise NotationError("not an ISO 8601 time", offset) from None
    if moment.tzinfo is None:
        raise NotationError("a time without offset from UTC, such as Z,", offset)
    return moment
