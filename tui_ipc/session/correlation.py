"""Which message answers which.

An answer goes to the oldest message that waits for one; by a key path, to the oldest whose value there is the
same. Where more messages wait than are kept, none is matched rather than the wrong one.
"""

from collections import deque
from collections.abc import Hashable
from itertools import islice
from typing import Any, Final, Protocol

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


def make_correlator(path: str | None = None) -> Correlator:
    """Make a correlator that matches in order, or by a key path such as ``header.id``.

    Raises:
        ValueError: The path, or a part of it, is empty.
    """
    return InOrderCorrelator() if path is None else KeyCorrelator(parse_key_path(path))


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


class KeyCorrelator:
    """By the value at a key path: for a child that answers in any order, or not every message.

    Args:
        path: From :func:`parse_key_path`.
    """

    def __init__(self, path: tuple[str, ...]) -> None:
        self._path = path
        self._waiting: dict[int, tuple[int, Hashable]] = {}  # by number, oldest first
        self._numbers: dict[Hashable, deque[int]] = {}

    def sent(self, number: int, at: int, value: object) -> None:
        """Note a message that has a value at the path."""
        key = comparable_at(value, self._path)
        if key is None:
            return
        self._waiting[number] = (at, key)
        self._numbers.setdefault(key, deque()).append(number)
        if len(self._waiting) > MAX_PENDING:
            self._take(self._waiting[next(iter(self._waiting))][1])

    def answered(self, value: object) -> PendingMessage | tuple[None, None]:
        """Return the oldest that waits with the same value."""
        key = comparable_at(value, self._path)
        return self._take(key) if key in self._numbers else UNSOLICITED

    def count(self) -> int | None:
        """Return how many wait."""
        return len(self._waiting)

    def oldest(self, limit: int) -> tuple[PendingMessage, ...]:
        """Return the first that wait."""
        return tuple((number, at) for number, (at, _) in islice(self._waiting.items(), limit))

    def _take(self, key: Hashable) -> PendingMessage:
        numbers = self._numbers[key]
        number = numbers.popleft()
        if not numbers:
            del self._numbers[key]
        return number, self._waiting.pop(number)[0]


def parse_key_path(path: str) -> tuple[str, ...]:
    """Split a key path into its parts.

    Raises:
        ValueError: One of them is empty.
    """
    found = tuple(path.split("."))
    if not path:
        raise ValueError("the key path is empty; name the key to match messages by, such as id or header.id")
    if not all(found):
        raise ValueError(f"the key path {path!r} has an empty part; join keys by single dots")
    return found


def comparable_at(value: Any, path: tuple[str, ...]) -> Hashable | None:
    """Return what is at a key path, in a form to compare by; None if there is nothing.

    Two are equal only if their types are as well: 1, True and 1.0 are three. A tuple is a list. What is
    nested deeper than a key of a map may be (PROTOCOL.md) counts as nothing.
    """
    for part in path:
        if isinstance(value, dict) and part in value:
            value = value[part]
            continue
        index = int(part) if part.isascii() and part.isdigit() else None
        if index is None or not _has_index(value, index):
            return None
        value = value[index]
    try:
        return _to_comparable(value)
    except _TooDeepError:
        return None


def _has_index(value: Any, index: int) -> bool:
    """Tell whether a list has such an index, or a map such a key, which True and 1.0 are not."""
    if isinstance(value, dict):
        return any(type(key) is int and key == index for key in value)
    return isinstance(value, list | tuple) and index < len(value)


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
