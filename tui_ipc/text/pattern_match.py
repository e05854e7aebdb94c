"""Whether a message is the one that was expected, and where it differs. Pure.

The one rule: values are equal if they are the same on the wire. So ``1`` is neither ``true`` nor ``1.0``,
text is not binary, and every array is an array, however Python holds it. The order of a map's keys does not
count. A hole of a pattern is met by what :mod:`tui_ipc.text.placeholders` says of it.

Nothing here recurses: values may nest as deeply as messages do. Nothing is written out before there is a
difference: a script may compare a message for each round of a long ``repeat``.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import zip_longest
from math import isnan
from typing import Any, Final, final

from tui_ipc.text.notation import kind, render_value
from tui_ipc.text.placeholders import (
    ANY_REST,
    ANY_VALUE,
    PLACEHOLDER_TYPES,
    Capture,
    Placeholder,
    Regex,
    replace_placeholders,
)

_NO_CAPTURES: Final[Mapping[str, Any]] = {}
_SCALARS: Final = frozenset({str, int, bool, type(None), float, bytes, datetime})
_ARRAYS: Final = (list, tuple)
_UNAMBIGUOUS_KEYS: Final = frozenset({str, bytes, datetime})  # as keys equal to none of another type

_Place = tuple[Any, Any] | None  # the place of the container, and the index or key in it
_Pair = tuple[Any, Any, _Place]  # expected, received, where


@final
class Absent:
    """Stands in a :class:`Difference` for the side on which there is nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which a message is not what was expected.

    Attributes:
        keys: The way to the place from the outside in: an index for each array, a key for each map; the index
            of an item that is missing is where it would stand.
        expected: The part of the pattern, :data:`ABSENT` if nothing was expected there.
        received: The part of the message, :data:`ABSENT` if nothing is there.
        known: What a :class:`~tui_ipc.text.placeholders.Captured` stands for, :data:`ABSENT` for all others.
    """

    keys: tuple[Any, ...]
    expected: Any
    received: Any
    known: Any = ABSENT

    @property
    def path(self) -> str:
        """The way as text: ``$`` is the message, ``.name`` an entry of a map and ``[2]`` an item of an array,
        from 0. A key that is no identifier is in brackets, in the notation: ``$.result[2]["a b"]``.
        """
        return "$" + "".join(
            f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{render_value(key)}]"
            for key in self.keys
        )

    def told(self, limit: int | None = None) -> str:
        """One line about it, with each value cut to ``limit`` characters, as :func:`render` does.

        For instance ``$.result: 5 was expected, and 6 came``.
        """
        if self.expected is ABSENT:
            return f"{self.path}: {render_value(self.received, limit)} came, and nothing was expected there"
        wanted = render_value(self.expected, limit)
        if self.known is not ABSENT:
            wanted += f", which is {render_value(self.known, limit)},"
        if self.received is ABSENT:
            return f"{self.path}: {wanted} was expected, and nothing is there"
        came = render_value(self.received, limit)
        if not isinstance(self.expected, PLACEHOLDER_TYPES) and kind(self.expected) != kind(self.received):
            wanted, came = f"{wanted} ({kind(self.expected)})", f"{came} ({kind(self.received)})"
        return f"{self.path}: {wanted} was expected, and {came} came"


def match(
    expected: Any, received: Any, known: Mapping[str, Any] = _NO_CAPTURES
) -> tuple[Difference | None, dict[str, Any]]:
    """Compare a message with a pattern, and capture.

    Args:
        expected: A pattern; a value without holes is one.
        received: A message as it came.
        known: The names captured so far; they are not changed.

    Returns:
        The first difference in the order of the pattern's text, None if there is none; and the names that the
        pattern captures anew, which are worth something only then.
    """
    if type(expected) in _SCALARS and _is_same_scalar(expected, received):
        return None, {}  # as in most rounds of a long repeat
    captured: dict[str, Any] = {}
    return next(_differences(expected, received, known, captured), None), captured


def find_difference(
    expected: Any, received: Any, known: Mapping[str, Any] = _NO_CAPTURES
) -> Difference | None:
    """The first difference, None if there is none; as :func:`match` for who needs no captures."""
    return match(expected, received, known)[0]


def iter_differences(
    expected: Any, received: Any, known: Mapping[str, Any] = _NO_CAPTURES
) -> Iterator[Difference]:
    """All places at which a message differs from a pattern, in the order of the pattern's text.

    How many there are says how near a message is. Each is found when it is asked for.
    """
    return _differences(expected, received, known, {})


def is_same(expected: Any, received: Any) -> bool:
    """Whether two values that messages can hold are equal."""
    return find_difference(expected, received) is None


def fill_captures(value: Any, known: Mapping[str, Any]) -> Any:
    """What is to be sent: ``value`` with each ``{{name}}`` replaced, itself if it has none.

    Args:
        value: A value whose only holes are :class:`~tui_ipc.text.placeholders.Captured`. It is not changed.
        known: The names captured so far.

    Raises:
        KeyError: A name is not known. A script that was parsed has no such name.
    """

    def meaning(hole: Placeholder) -> Any:
        assert isinstance(hole, Capture), "a message that is sent has no other holes"
        return known[hole.name]

    return replace_placeholders(value, meaning)


def _differences(
    expected: Any, received: Any, known: Mapping[str, Any], captured: dict[str, Any]
) -> Iterator[Difference]:
    pairs: list[_Pair] = [(expected, received, None)]
    while pairs:
        ours, theirs, place = pairs.pop()
        meaning: Any = ABSENT
        if type(ours) in _SCALARS:
            met = _is_same_scalar(ours, theirs)
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            pairs += reversed(pair_entries(ours, theirs, place))
            met = True
        elif isinstance(ours, _ARRAYS) and isinstance(theirs, _ARRAYS):
            pairs += reversed(pair_items(ours, theirs, place))
            met = True
        elif isinstance(ours, Capture) and ours != ANY_VALUE and theirs is not ABSENT:
            name = ours.name
            meaning = known[name] if name in known else captured.setdefault(name, theirs)
            met = meaning is theirs or is_same(meaning, theirs)
        else:
            met = _matches_placeholder(ours, theirs)
        if not met:
            yield Difference(_keys(place), ours, theirs, meaning)


def pair_items(
    ours: list[Any] | tuple[Any, ...], theirs: list[Any] | tuple[Any, ...], place: _Place
) -> list[_Pair]:
    """The items of two arrays, each with the one that it must be; all that is no pair has :data:`ABSENT`."""
    if ANY_REST not in ours:
        both = zip_longest(ours, theirs, fillvalue=ABSENT)
        return [(our, their, (place, index)) for index, (our, their) in enumerate(both)]
    first = ours.index(ANY_REST)
    last = len(ours) - first - 1
    resumed = max(len(theirs) - last, first)
    begin = zip_longest(ours[:first], theirs[:first], fillvalue=ABSENT)
    end = zip_longest(ours[first + 1 :], theirs[resumed:], fillvalue=ABSENT)
    return [
        *((our, their, (place, index)) for index, (our, their) in enumerate(begin)),
        *((our, their, (place, index)) for index, (our, their) in enumerate(end, resumed)),
    ]


def pair_entries(ours: dict[Any, Any], theirs: dict[Any, Any], place: _Place) -> list[_Pair]:
    """The values of two maps, each with the one that it must be; all that is no pair has :data:`ABSENT`."""
    found = theirs
    if not _UNAMBIGUOUS_KEYS.issuperset(map(type, theirs)):
        found = {_key_identity(key): value for key, value in theirs.items()}
    due = {_key_identity(key): key for key in ours if key is not ANY_REST}
    pairs: list[_Pair] = [(ours[key], found.get(apart, ABSENT), (place, key)) for apart, key in due.items()]
    if ANY_REST not in ours and not due.keys() >= found.keys():
        pairs += ((ABSENT, theirs[key], (place, key)) for key in theirs if _key_identity(key) not in due)
    return pairs


def _key_identity(key: Any) -> Any:
    """A key, or for most types its notation, which tells apart what hashing takes for equal: 1 and True."""
    return key if type(key) in _UNAMBIGUOUS_KEYS else (render_value(key),)


def _matches_placeholder(ours: Any, theirs: Any) -> bool:
    """Whether a hole without a name is met; nothing else can be that is neither scalar nor container."""
    if isinstance(ours, Regex):
        return isinstance(theirs, str) and re.search(ours.expression, theirs) is not None
    return ours is theirs or (theirs is not ABSENT and (ours is ANY_REST or ours == ANY_VALUE))


def _is_same_scalar(ours: Any, theirs: Any) -> bool:
    if type(ours) is not type(theirs):
        return False
    return bool(ours == theirs or (type(ours) is float and isnan(ours) and isnan(theirs)))


def _keys(place: _Place) -> tuple[Any, ...]:
    keys = []
    while place is not None:
        place, key = place
        keys.append(key)
    return tuple(reversed(keys))
