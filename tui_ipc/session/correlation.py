"""Which message answers which.

An answer goes to the oldest message that waits for one; by a key path, to the oldest whose value there is the
same. Where more messages wait than are kept, none is matched rather than the wrong one.
"""

import re
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Protocol

from tui_ipc.text.conditions import NotationError
from tui_ipc.text.notation_reader import read_value
from tui_ipc.text.units import format_plural

MAX_PENDING: Final = 65_536
"""How many messages may wait for an answer. In order, a child that owes more is taken not to answer at all:
from then on nothing in its run is matched. By a key path the oldest is forgotten."""

PendingMessage = tuple[int, int]
"""The number of a sent message, and the moment at which it left, in nanoseconds."""

DEPTH_LIMIT: Final = 64
"""Containers inside each other, at most, in a value that is compared: comparing recurses."""

UNSOLICITED: Final = (None, None)

_PLAIN: Final = (str, bool, int, float, bytes)  # a bool is an int as well, and comes first


class Correlator(Protocol):
    """Pairs what comes with what was sent, in one run."""

    def sent(self, number: int, at: int, value: object) -> None:
        """Note a message that was sent, and waits for an answer if it can have one."""

    def answered(self, value: object) -> PendingMessage | tuple[None, None]:
        """Return the message that a received one answers, and forget it; else :data:`UNSOLICITED`."""

    def count(self) -> int | None:
        """Return how many messages wait; None if they are not counted any more."""

    def oldest(self, limit: int) -> tuple[PendingMessage, ...]:
        """Return the first messages that wait, in the order in which they were sent."""

    def describe_misses(self) -> str:
        """Say that no answer was ever matched though messages passed both ways; empty if that is not so."""


def make_correlator(path: str | None = None) -> Correlator:
    """Make a correlator that matches in order, or by a rule such as ``header.id``, see :func:`parse_rule`.

    Raises:
        ValueError: The rule cannot be read.
    """
    return InOrderCorrelator() if path is None else KeyCorrelator(parse_rule(path))


class InOrderCorrelator:
    """First in, first out: for a child that answers each message once, one after the other."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: deque[PendingMessage] | None = deque()

    def sent(self, number: int, at: int, value: object) -> None:  # noqa: ARG002 - the order decides alone
        """Note a message, whatever it is."""
        waiting = self._waiting
        if waiting is not None:
            waiting.append((number, at))
            if len(waiting) > MAX_PENDING:
                self._waiting = None

    def answered(self, value: object) -> PendingMessage | tuple[None, None]:  # noqa: ARG002
        """Return the oldest that waits."""
        waiting = self._waiting
        return waiting.popleft() if waiting else UNSOLICITED

    def count(self) -> int | None:
        """Return how many wait; None if too many did."""
        return None if self._waiting is None else len(self._waiting)

    def oldest(self, limit: int) -> tuple[PendingMessage, ...]:
        """Return the first that wait."""
        return tuple(islice(self._waiting or (), limit))

    def describe_misses(self) -> str:
        """Nothing: in order, whatever comes is an answer."""
        return ""


class KeyCorrelator:
    """By the value at a key path: for a child that answers in any order, or not every message.

    Args:
        rule: From :func:`parse_rule`.
    """

    def __init__(self, rule: "MatchRule") -> None:
        self._rule = rule
        self._path = rule.path
        self._sent_count = self._sent_with_value = 0
        self._received_count = self._received_with_value = 0
        self._has_matched = False
        self._waiting: dict[int, tuple[int, Hashable]] = {}  # by number, oldest first
        self._numbers: dict[Hashable, deque[int]] = {}

    def sent(self, number: int, at: int, value: object) -> None:
        """Note a message that has a value at the path."""
        key = comparable_at(value, self._path)
        self._sent_count += 1
        if key is None:
            return
        self._sent_with_value += 1
        self._waiting[number] = (at, key)
        self._numbers.setdefault(key, deque()).append(number)
        if len(self._waiting) > MAX_PENDING:
            self._take(self._waiting[next(iter(self._waiting))][1])

    def answered(self, value: object) -> PendingMessage | tuple[None, None]:
        """Return the oldest that waits with the same value, unless this one has what no answer has."""
        self._received_count += 1
        key = comparable_at(value, self._path)
        if key is None or any(has_value_at(value, path) for path in self._rule.absent):
            return UNSOLICITED
        self._received_with_value += 1
        if key not in self._numbers:
            return UNSOLICITED
        self._has_matched = True
        return self._take(key)

    def count(self) -> int | None:
        """Return how many wait."""
        return len(self._waiting)

    def oldest(self, limit: int) -> tuple[PendingMessage, ...]:
        """Return the first that wait."""
        return tuple((number, at) for number, (at, _) in islice(self._waiting.items(), limit))

    def describe_misses(self) -> str:
        """Say on which side the path leads nowhere, or that no two values were the same."""
        if self._has_matched or not (self._sent_count and self._received_count):
            return ""
        sent, came = (format_plural(count, "message") for count in (self._sent_count, self._received_count))
        if not self._sent_with_value:
            reason = f"of {sent} that we sent, none has a value there"
        elif not self._received_with_value:
            reason = f"of {came} that came, none has a value there and can be an answer"
        else:
            reason = f"of {came} that came, none has the same value there as one of {sent} that we sent"
        return f"no answer was matched by {self._rule.text}: {reason}"

    def _take(self, key: Hashable) -> PendingMessage:
        numbers = self._numbers[key]
        number = numbers.popleft()
        if not numbers:
            del self._numbers[key]
        return number, self._waiting.pop(number)[0]


KeyPath = tuple[Any, ...]
"""A str leads to a key, and one of digits to an index or a number as well; an int to an index, or a number as
a key; anything else to a key."""


@dataclass(frozen=True, slots=True)
class MatchRule:
    """Which messages belong together.

    Attributes:
        text: As it was written.
        path: Where the message and its answer have the same value.
        absent: Where an answer has none.
    """

    text: str
    path: KeyPath
    absent: tuple[KeyPath, ...] = ()


def parse_rule(text: str) -> MatchRule:
    """Read a key path, and after commas further ones with a ``!``, at which an answer has nothing.

    Raises:
        ValueError: A path is empty or cannot be read, or a further one has no ``!``.
    """
    path, end = _read_key_path(text, 0)
    absent = []
    while end < len(text):  # at a comma
        if text[end + 1 : end + 2] != "!":
            raise ValueError(
                f"{text[end + 1 :]!r} follows a comma; only !KEYPATH may, for what an answer does not have"
            )
        more, end = _read_key_path(text, end + 2)
        absent.append(more)
    return MatchRule(text, path, tuple(absent))


_DOTTED: Final = re.compile(r"[^,]*")
_NAME: Final = re.compile(r"\.([^.,\[\]]+)")


def _read_key_path(text: str, begin: int) -> tuple[KeyPath, int]:
    """Read the path at a place; it, and where it ends: at a comma, or at the end of the text."""
    match = _DOTTED.match(text, begin)
    assert match is not None
    written = match[0]
    if not written:
        raise ValueError("the key path is empty; name the key to match messages by, such as id or header.id")
    if written.startswith("$"):
        return _read_report_path(text, begin + 1)
    found = tuple(written.split("."))
    if not all(found):
        raise ValueError(f"the key path {written!r} has an empty part; join keys by single dots")
    return found, match.end()


def _read_report_path(text: str, position: int) -> tuple[KeyPath, int]:
    """Read a path as reports print it, from behind its ``$`` on."""
    parts: list[Any] = []
    while position < len(text) and text[position] != ",":
        name = _NAME.match(text, position)
        if name:
            parts.append(name[1])
            position = name.end()
            continue
        key, end = _read_bracketed(text, position)
        if end is None:
            raise ValueError(
                f"the key path {text!r} cannot be read from {text[position:]!r} on; "
                'after $ come .name, [index] and ["key"]'
            )
        parts.append(key)
        position = end
    return tuple(parts), position


def _read_bracketed(text: str, position: int) -> tuple[Any, int | None]:
    """Read an index or a key in brackets; it, and where they end, None if there are none."""
    try:
        key, end = read_value(text, position + 1)
    except NotationError:
        return None, None
    return key, end + 1 if text[position] == "[" and text[end : end + 1] == "]" else None


_NOTHING: Final = object()


def _value_at(value: Any, path: KeyPath) -> Any:
    """Return what is at a key path, or _NOTHING."""
    for part in path:
        if isinstance(part, str) and isinstance(value, dict) and part in value:
            value = value[part]
            continue
        key = int(part) if _is_digits(part) else part
        if not _has_key(value, key):
            return _NOTHING
        value = value[key]
    return value


def _is_digits(part: Any) -> bool:
    return isinstance(part, str) and part.isascii() and part.isdigit()


def has_value_at(value: Any, path: KeyPath) -> bool:
    """Tell whether there is anything at a key path."""
    return _value_at(value, path) is not _NOTHING


def comparable_at(value: Any, path: KeyPath) -> Hashable | None:
    """Return what is at a key path, in a form to compare by; None if there is nothing.

    Two are equal only if their types are as well: 1, True and 1.0 are three. A tuple is a list. What is
    nested deeper than a key of a map may be (PROTOCOL.md) counts as nothing.
    """
    found = _value_at(value, path)
    if found is _NOTHING:
        return None
    try:
        return _to_comparable(found)
    except _TooDeepError:
        return None


def _has_key(value: Any, key: Any) -> bool:
    """Tell whether a list has such an index, or a map such a key: 1, True and 1.0 are three."""
    if isinstance(value, dict):
        return any(type(other) is type(key) and other == key for other in value)
    return isinstance(value, list | tuple) and type(key) is int and 0 <= key < len(value)


class _TooDeepError(Exception):
    """A value is nested too deeply to be compared."""


def _to_comparable(value: Any, depth: int = 0) -> Hashable:
    for kind in _PLAIN:
        if isinstance(value, kind):
            return kind, value
    if depth == DEPTH_LIMIT:  # a child may send what Python cannot recurse into
        raise _TooDeepError
    if isinstance(value, dict):
        pairs = (
            (_to_comparable(key, depth + 1), _to_comparable(item, depth + 1)) for key, item in value.items()
        )
        return dict, frozenset(pairs)
    if isinstance(value, list | tuple):
        return list, tuple(_to_comparable(item, depth + 1) for item in value)
    if isinstance(value, bytearray | memoryview):
        return bytes, bytes(value)
    return type(value), value
