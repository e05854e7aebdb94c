"""The conditions that a pattern sets: types, ranges, lengths, and what the items of arrays and maps are.

They are written in ``{{name: CONDITION}}``; see :class:`~tui_ipc.text.placeholders.Capture`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from math import isinf
from typing import Any, Final, assert_never, final

from tui_ipc.text import find_similar

TYPES: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (float,),
    "number": (int, float),
    "string": (str,),
    "bool": (bool,),
    "bytes": (bytes,),
    "list": (list, tuple),
    "map": (dict,),
    "timestamp": (datetime,),
}
"""The types that a condition can ask for."""


@final
@dataclass(frozen=True, slots=True)
class IsType:
    """``int``: a value of a type of :data:`TYPES`; ``true`` is not a number."""

    name: str


@final
@dataclass(frozen=True, slots=True)
class InRange:
    """``1..5``, ``1..`` or ``..5``: a number from ``minimum`` to ``maximum``, each None if there is none."""

    minimum: float | None
    maximum: float | None


@final
@dataclass(frozen=True, slots=True)
class Near:
    """``3.14 +- 0.01``: a number that differs by at most ``tolerance``."""

    number: float
    tolerance: float


@final
@dataclass(frozen=True, slots=True)
class HasLength:
    """``length 3`` or ``length 1..5``: a string, bytes, an array or a map of such a length."""

    minimum: int | None
    maximum: int | None


@final
@dataclass(frozen=True, slots=True)
class Unordered:
    """``unordered [...]``: an array whose items match these patterns in any order."""

    items: tuple[Any, ...]


@final
@dataclass(frozen=True, slots=True)
class Each:
    """``each PATTERN``: an array or a map whose items, or values, all match."""

    pattern: Any


Condition = IsType | InRange | Near | HasLength | Unordered | Each
"""A condition that is not a pattern."""

CONDITION_TYPES: Final = (IsType, InRange, Near, HasLength, Unordered, Each)
"""The same, for ``isinstance``."""


def meets_condition(condition: Condition, value: Any) -> bool:
    """Whether a value meets a condition; of the items of arrays and maps only that there are some."""
    match condition:
        case IsType():
            return type(value) in TYPES[condition.name]
        case InRange():
            is_number = type(value) in TYPES["number"]
            return is_number and _is_between(condition.minimum, value, condition.maximum)
        case Near():
            return type(value) in TYPES["number"] and abs(value - condition.number) <= condition.tolerance
        case HasLength():
            has_length = isinstance(value, str | bytes | list | tuple | dict)
            return has_length and _is_between(condition.minimum, len(value), condition.maximum)
        case Unordered() | Each():
            return False  # it is not an array or a map; those are looked into
        case _:
            assert_never(condition)


def _is_between(minimum: float | None, number: float, maximum: float | None) -> bool:
    return (minimum is None or minimum <= number) and (maximum is None or number <= maximum)


class NotationError(Exception):
    """A text is not in the notation; ``offset`` is the place of the error, from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class PlaceholderError(NotationError):
    """A placeholder, or a condition in it, is invalid, or cannot be at this place."""


_MAX_DIGITS: Final = 400  # of a number in a condition
_BLANK: Final = re.compile(r"[ \t]*+")
_NUMBER: Final = r"-?[0-9]++(?:\.[0-9]++)?(?:[eE][-+]?[0-9]++)?"
_RANGE: Final = re.compile(rf"(?=\.\.[-0-9]|[-0-9])({_NUMBER})?\.\.({_NUMBER})?(?![\w.])")
_NEAR: Final = re.compile(rf"({_NUMBER})[ \t]*+(?:\+-|\xb1)[ \t]*+({_NUMBER})(?![\w.])")
_LENGTH: Final = re.compile(r"([0-9]{1,18})(?:(\.\.)([0-9]{1,18})?)?(?![\w.])|\.\.([0-9]{1,18})(?![\w.])")
_WORD: Final = re.compile(r"""[A-Za-z]++(?![\w"'])""")  # and no prefix of bytes
_VALUE_WORDS: Final = {"null", "true", "false", "None", "True", "False", "NaN", "Infinity"}
_SYNONYMS: Final = {
    "integer": "int",
    "double": "float",
    "real": "float",
    "str": "string",
    "text": "string",
    "boolean": "bool",
    "binary": "bytes",
    "array": "list",
    "object": "map",
    "dict": "map",
    "any": "each",
    "all": "each",
    "len": "length",
}
_REMEDIES: Final = {
    "or": "alternatives are separated by |",
    "and": "conditions in a row are all met",
    "not": "a condition says what a value is, and not what it is not",
}
_Reader = Callable[[int], tuple[Any, int]]


def read_alternatives(
    text: str, position: int, read_value: _Reader
) -> tuple[tuple[tuple[Any, ...], ...], int]:
    """Read what follows ``{{name:`` up to the ``}}`` after it.

    Args:
        text: Any text.
        position: Where the first condition begins.
        read_value: Reads the pattern that begins at a position; returns it and where it ends.

    Returns:
        The alternatives, each of one or more conditions and patterns; and where the ``}}`` ends.

    Raises:
        NotationError: The first error.
    """
    alternatives: list[tuple[Any, ...]] = []
    terms: list[Any] = []
    while True:
        position = _skip_blank(text, position)
        is_end = text.startswith("}}", position)
        if is_end or text.startswith("|", position):
            if not terms:
                raise PlaceholderError("expecting a condition, such as int, 1..5, /re/ or a value", position)
            alternatives.append(tuple(terms))
            terms = []
            position += 2 if is_end else 1
            if is_end:
                return tuple(alternatives), position
            continue
        term, position = _read_term(text, position, read_value)
        if not text.startswith((" ", "\t", "|", "}}"), position):
            raise PlaceholderError("expecting a space, | or }} after a condition", position)
        terms.append(term)


def _skip_blank(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position


def _read_term(text: str, position: int, read_value: _Reader) -> tuple[Any, int]:
    if match := _RANGE.match(text, position):
        minimum, maximum = (_parse_number(bound, position) if bound else None for bound in match.groups())
        _check_order(minimum, maximum, position)
        return InRange(minimum, maximum), match.end()
    if match := _NEAR.match(text, position):
        number, tolerance = (_parse_number(each, position) for each in match.groups())
        if tolerance < 0:
            raise PlaceholderError("a tolerance is not negative", match.start(2))
        return Near(number, tolerance), match.end()
    if text.startswith(("<", ">"), position):
        raise PlaceholderError("a range is written 5.. or ..5", position)
    word = _WORD.match(text, position)
    if word is None or word[0] in _VALUE_WORDS:
        return read_value(position)
    if word[0] in TYPES:
        if word[0] == "timestamp" and text.startswith("(", word.end()):
            return read_value(position)
        return IsType(word[0]), word.end()
    return _read_word(text, word, read_value)


def _read_word(text: str, word: re.Match[str], read_value: _Reader) -> tuple[Any, int]:
    """Read a condition that is written as a word and what it is about."""
    position = _skip_blank(text, word.end())
    match word[0]:
        case "each":
            if text.startswith("each", position):
                raise PlaceholderError("write each {{_: each ...}}", position)
            pattern, end = _read_term(text, position, read_value)
            return Each(pattern), end
        case "unordered":
            items, end = read_value(position)
            if not isinstance(items, list):
                raise PlaceholderError("unordered is followed by a list: unordered [1, 2, ...]", position)
            return Unordered(tuple(items)), end
        case "length":
            bounds = _LENGTH.match(text, position)
            if bounds is None:
                raise PlaceholderError("a number or a range must follow: length 3, length 1..5", position)
            exact, dots, last, at_most = bounds.groups()
            minimum = int(exact) if exact else None
            maximum = int(last or at_most) if last or at_most else None if dots else minimum
            _check_order(minimum, maximum, position)
            return HasLength(minimum, maximum), bounds.end()
        case _:
            known = (*TYPES, "length", "unordered", "each")
            similar = _SYNONYMS.get(word[0].lower()) or find_similar(word[0], known)
            remedy = f"did you mean {similar}?" if similar else f"those in words are {', '.join(known)}"
            remedy = _REMEDIES.get(word[0].lower(), remedy)
            raise PlaceholderError(f"unknown condition {word[0]}; {remedy}", word.start())


def _check_order(minimum: float | None, maximum: float | None, position: int) -> None:
    if minimum is not None and maximum is not None and minimum > maximum:
        raise PlaceholderError("an empty range: its first number is the larger one", position)


def _parse_number(text: str, position: int) -> float:
    if len(text) > _MAX_DIGITS or isinf(number := float(text)):
        raise PlaceholderError("not a number that a message can hold", position)
    return int(text) if text.removeprefix("-").isdigit() else number
