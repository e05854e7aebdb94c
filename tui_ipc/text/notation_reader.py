"""Reads what JSON's reader does not: literals and patterns, the rest of :mod:`tui_ipc.text.notation`.

It reads one value and says where that ends, or what the first error is and where. It does not recurse, and it
reads no character twice, whatever the text is.
"""

import re
import warnings
from datetime import datetime
from typing import Any, Final

from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.text.conditions import TYPES, NotationError, PlaceholderError, read_alternatives
from tui_ipc.text.placeholders import (
    ANY_REST,
    NAME,
    Capture,
    Placeholder,
    PlaceholderRules,
    Regex,
    Template,
    split_at_names,
)
from tui_ipc.text.safe_text import find_hidden

MAX_NESTED_CONDITIONS: Final = 16
"""How deeply conditions may nest."""

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
_NAME_ALONE: Final = re.compile(rf"\{{\{{[ \t]*+({NAME})[ \t]++[^ \t}}]")
_CONDITION_ALONE: Final = re.compile(r"\{\{[ \t]*+(?::|-?[0-9]*\.\.)")
_PAIR: Final = re.compile(r"\\.")
_NAME: Final = re.compile(rf"\{{\{{[ \t]*+({NAME})[ \t]*+(\}}\}}|:)")


class _Container:
    """A list, tuple or map that is being read.

    What it holds so far says what comes next:

    ================  ==================  ============  ==============================
    opener            items so far        next is       and is followed by
    ================  ==================  ============  ==============================
    ``[``             any                 an item       ``,`` or ``]``
    ``(``             none                an item       ``,``: one item is a tuple too
    ``(``             one or more         an item       ``,`` or ``)``
    ``{``             an even number      a key         ``:``
    ``{``             an odd number       its value     ``,`` or ``}``
    ================  ==================  ============  ==============================

    ``...`` where a key is due is both key and value. A comma may be followed by the closing bracket.

    Attributes:
        opener: Its opening bracket.
        offset: Where that is in the text.
        items: What it holds so far; keys and values in turn if it is a map.
        has_rest: Whether ``...`` is among them.
        is_key: Whether it is the key of a map, or inside of one.
    """

    __slots__ = ("has_rest", "is_key", "items", "offset", "opener")

    def __init__(self, opener: str, offset: int, is_key: bool) -> None:
        self.opener = opener
        self.is_key = is_key
        self.offset = offset
        self.items: list[Any] = []
        self.has_rest = False

    @property
    def wants_value(self) -> bool:
        """Whether the last item is a key without its value."""
        return self.opener == "{" and len(self.items) % 2 == 1

    @property
    def wants_key(self) -> bool:
        """Whether what comes next is a key or a part of one."""
        return self.is_key or (self.opener == "{" and not self.wants_value)

    def add(self, item: Any, offset: int) -> str:
        """Take the item that began at ``offset``; return the characters of which one must follow."""
        if item is ANY_REST and not self.wants_value:
            self._add_rest(offset)
        self.items.append(item)
        if not self.wants_value:
            return "," if self.opener == "(" and len(self.items) == 1 else "," + _CLOSERS[self.opener]
        try:
            hash(item)
        except TypeError:
            raise NotationError("a list or a map cannot be a key", offset) from None
        return ":"

    def _add_rest(self, offset: int) -> None:
        if self.has_rest:
            raise PlaceholderError(f"a second ... in {self.opener}…{_CLOSERS[self.opener]}", offset)
        self.has_rest = True
        if self.opener == "{":
            self.items.append(ANY_REST)

    def close(self, rules: PlaceholderRules | None) -> tuple[Any, int]:
        """Return the value, and where it began."""
        if self.opener == "{":
            return _make_dict(self.items, rules), self.offset
        return (tuple(self.items) if self.opener == "(" else self.items), self.offset


def _make_dict(items: list[Any], rules: PlaceholderRules | None) -> dict[Any, Any]:
    """Make a map of keys and values in turn."""
    keys = items[::2]
    made = dict(zip(keys, items[1::2], strict=True))
    if rules is not None and len(made) < len(keys):
        rules.note_repeated(keys)
    return made


def read_value(
    text: str, position: int = 0, rules: PlaceholderRules | None = None, depth: int = 0
) -> tuple[Any, int]:
    """Read JSON or a literal.

    Args:
        text: Begins with a value; anything may follow.
        position: Where the value begins.
        rules: About placeholders; None if there may be none, and then their texts are errors.
        depth: How many conditions it is within.

    Returns:
        The value and where it ends.

    Raises:
        NotationError: The first error.
    """
    unfinished: list[_Container] = []
    while True:
        position = start = skip_blank(text, position)
        character = text[start : start + 1]
        placeholder = None
        if rules is not None and character in _PLACEHOLDER_STARTS:
            placeholder = _read_placeholder(text, start, rules, unfinished, depth)
        if placeholder is None and character in _CLOSERS:
            # As a key it is hashed, and hashing recurses in C without a check. No message nests deeper.
            if character == "(" and len(unfinished) >= NESTING_LIMIT:
                raise NotationError(f"tuple more than {NESTING_LIMIT} levels deep", start)
            is_key = bool(unfinished) and unfinished[-1].wants_key
            unfinished.append(_Container(character, start, is_key))
            position += 1
            continue
        if placeholder is not None:
            value, position = placeholder
        elif unfinished and character == _CLOSERS[unfinished[-1].opener] and not unfinished[-1].wants_value:
            value, start = unfinished.pop().close(rules)
            position += 1
        else:
            value, position = _read_scalar(text, start, rules)
        while unfinished:  # add the value; while that closes a container, this is the next value to add
            position = _expect_mark(text, position, value, unfinished[-1].add(value, start))
            if text[position - 1] in ",:":
                break
            value, start = unfinished.pop().close(rules)
        else:
            return value, position


def skip_blank(text: str, position: int) -> int:
    """Return where the white space ends that begins at ``position``."""
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _expect_mark(text: str, position: int, value: Any, allowed: str) -> int:
    """Read one of the ``allowed`` characters, which follow ``value``; return where it ends."""
    position = skip_blank(text, position)
    character = text[position : position + 1]
    if not character or character not in allowed:
        message = "expecting " + " or ".join(f"'{mark}'" for mark in allowed)
        if isinstance(value, Regex):
            message += r" (a / inside /re/ is written \/)"
        raise NotationError(message, position)
    return position + 1


def read_regex(text: str, position: int, rules: PlaceholderRules | None = None) -> tuple[Regex, int]:
    """Read ``/re/`` at ``position``; return it and where it ends. Without rules it has no names.

    Raises:
        PlaceholderError: It does not end, is not a regular expression, or may be meant in two ways.
    """
    match = _REGEX.match(text, position)
    if not match:
        raise PlaceholderError("a regular expression that begins with / ends with another /", position)
    body = match[1]
    if error := _find_regex_error(body):
        message, offset = error
        raise PlaceholderError(message, position + 1 + offset)
    names: tuple[str, ...] = ()
    if rules is not None and "{{" in body:
        parts, unknown = split_at_names(body, rules.is_known)
        names = tuple(dict.fromkeys(parts[1::2]))
        rules.unknown.extend(unknown)
    return Regex(_PAIR.sub(lambda pair: "/" if pair[0] == r"\/" else pair[0], body), names), match.end()


def _find_regex_error(body: str) -> tuple[str, int] | None:
    """Say why a text is not a regular expression, and at which character; None if it is one."""
    if (offset := find_hidden(body)) >= 0:
        return f"an invisible character; write {escape_in_regex(body[offset])}", offset
    try:
        with warnings.catch_warnings():  # about what a later Python may read differently
            warnings.simplefilter("error")
            re.compile(body)
    except re.error as error:
        message, offset = error.msg, error.pos or 0
    except (FutureWarning, DeprecationWarning) as warning:
        message, _, position = str(warning).partition(" at position ")
        offset = int(position) if position.isdigit() else 0
    except (ValueError, OverflowError, RecursionError) as error:
        message, offset = str(error), 0
    else:
        return None
    return f"not a regular expression: {message}", offset


def escape_in_regex(character: str) -> str:
    """Write a character as ``re`` escapes it."""
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _read_placeholder(
    text: str, position: int, rules: PlaceholderRules, unfinished: list[_Container], depth: int
) -> tuple[Placeholder, int] | None:
    placeholder: Placeholder
    if text.startswith("...", position):
        placeholder, end = ANY_REST, position + 3
    elif text.startswith("/", position):
        placeholder, end = read_regex(text, position, rules)
    elif text.startswith("{{", position):
        match = _NAME.match(text, position)
        if not match:
            raise PlaceholderError(_explain_not_name(text[position:]), position)
        placeholder, end = Capture(match[1]), match.end()
        if match[2] == ":":
            if depth == MAX_NESTED_CONDITIONS:
                sentence = f"conditions nest at most {MAX_NESTED_CONDITIONS} deep"
                raise PlaceholderError(sentence, position)
            alternatives, end = read_alternatives(
                text, end, lambda start: read_value(text, start, rules, depth + 1)
            )
            placeholder = Capture(match[1], alternatives)
    else:
        return None
    if unfinished and unfinished[-1].wants_key and (unfinished[-1].is_key or placeholder is not ANY_REST):
        raise PlaceholderError(
            "the key of a map cannot be a placeholder; ... stands for any further entries", position
        )
    if problem := rules.find_objection(placeholder):
        raise PlaceholderError(problem, position)
    return placeholder, end


def _explain_not_name(text: str) -> str:
    if match := _NAME_ALONE.match(text):
        return f"a colon comes between a name and its condition: {{{{{match[1]}: …}}}}"
    if _CONDITION_ALONE.match(text):
        return "a condition without a name is written {{_: CONDITION}}"
    return "a captured value is written {{name}}"


def _read_scalar(text: str, position: int, rules: PlaceholderRules | None) -> tuple[Any, int]:
    """Read what is not a container; return it and where it ends."""
    match = _SCALAR.match(text, position)
    if not match:
        unterminated = _QUOTE.match(text, position)
        raise NotationError("unterminated string" if unterminated else "expecting a value", position)
    value: Any
    try:
        match match.lastgroup:
            case "string":
                value = _read_string(match, rules)
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
        is_type = rules is not None and match["word"] in TYPES
        remedy = f"a type is written {{{{_: {match['word']}}}}}" if is_type else "a string needs quotes"
        raise NotationError(f"expecting a value ({remedy})", position) from None
    return value, match.end()


def _read_string(match: re.Match[str], rules: PlaceholderRules | None) -> str | bytes | Template:
    prefix, body, start = (match["prefix"] or "").lower(), match["string"][1:-1], match.start("string") + 1
    if rules is None or "b" in prefix or "{{" not in body:
        return _unquote(prefix, body, start)
    parts, unknown = split_at_names(body, rules.is_known)
    rules.unknown.extend(unknown)
    plain = [str(_unquote(prefix, part, start)) for part in parts[::2]]
    if len(parts) == 1:
        return plain[0]
    parts[::2] = plain
    return Template(tuple(parts))


def _unquote(prefix: str, body: str, start: int) -> str | bytes:
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
