"""Compares a message with the pattern that was expected, and finds where they differ.

Values are equal if they are the same on the wire. So ``1`` is neither ``true`` nor ``1.0``, text is not
binary, and every array is an array, whether Python has a list or a tuple. The order of a map's keys does not
count. What a placeholder matches, :mod:`tui_ipc.text.placeholders` defines.

Nothing here recurses: values may nest as deeply as messages do. Nothing is written out before there is a
difference: a script may compare a message for each round of a long ``repeat``. Items are paired as they are
compared: a message may have millions that nobody expected.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice, zip_longest
from math import isnan
from typing import Any, Final, final

from tui_ipc.text.alignment import assign_items, find_anchors
from tui_ipc.text.conditions import CONDITION_TYPES, Each, Unordered, meets_condition
from tui_ipc.text.notation import name_kind, render_value
from tui_ipc.text.placeholders import ANY_REST, PLACEHOLDER_TYPES, AnyRest, Capture, Regex, Template
from tui_ipc.text.safe_text import is_plain

_NO_CAPTURES: Final[Mapping[str, Any]] = {}
_SCALARS: Final = frozenset({str, int, bool, type(None), float, bytes, datetime})
_ARRAYS: Final = (list, tuple)
_UNAMBIGUOUS_KEYS: Final = frozenset({str, bytes, datetime})  # as keys equal to none of another type
_DISTINCT_KEYS: Final = _UNAMBIGUOUS_KEYS | {int}  # as keys equal to none of another of these types

# A place is a linked list from the inside out, (place of the container, index or key in it), so that to go
# one level deeper costs the same at every depth; a Difference has it as a tuple from the outside in.
_Place = tuple[Any, Any] | None
_Pair = tuple[Any, Any, _Place]  # expected, received, where


@final
class Absent:
    """The side of a :class:`Difference` on which there is nothing."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place at which a message is not what was expected.

    Attributes:
        keys: The path to the place from the outside in: an index for each array, a key for each map; the
            index of an item that is missing is the one that it would have.
        expected: The part of the pattern, :data:`ABSENT` if nothing was expected there.
        received: The part of the message, :data:`ABSENT` if nothing is there.
        known: What the names in a placeholder stand for, :data:`ABSENT` if it has none.
    """

    keys: tuple[Any, ...]
    expected: Any
    received: Any
    known: Any = ABSENT

    @property
    def path(self) -> str:
        """The path as text: ``$`` is the message, ``.name`` an entry of a map and ``[2]`` an item of an
        array, from 0. A key that is not an identifier is in brackets, in the notation: ``$.result[2]["a
        b"]``.
        """
        return "$" + "".join(
            f".{key}"
            if isinstance(key, str) and key.isidentifier() and is_plain(key)
            else f"[{render_value(key)}]"
            for key in self.keys
        )

    def describe(self, limit: int | None = None) -> str:
        """Describe it in one line, with each value cut to ``limit`` characters as ``render_value`` does.

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
        is_value = not isinstance(self.expected, (*PLACEHOLDER_TYPES, *CONDITION_TYPES))
        if is_value and name_kind(self.expected) != name_kind(self.received):
            wanted, came = f"{wanted} ({name_kind(self.expected)})", f"{came} ({name_kind(self.received)})"
        return f"{self.path}: {wanted} was expected, and {came} came"


Search = Callable[[str, str], Mapping[str, str] | None]
"""Searches for a regular expression in a text; returns what its named groups match, None if not found."""


def search_text(expression: str, text: str) -> Mapping[str, str] | None:
    """Search however long it takes."""
    match = re.search(expression, text)
    return (
        None
        if match is None
        else {key: value for key, value in match.groupdict().items() if value is not None}
    )


def match_pattern(
    expected: Any, received: Any, known: Mapping[str, Any] = _NO_CAPTURES, search: Search = search_text
) -> tuple[Difference | None, dict[str, Any]]:
    """Compare a message with a pattern, and capture.

    Args:
        expected: A pattern; a value without placeholders is one.
        received: The message.
        known: The names captured so far, and their values; it is not changed.
        search: Searches for the regular expressions. What it raises is raised.

    Returns:
        The first difference in the order of the pattern's text, None if there is none; and what the pattern
        captures anew, which counts only if there is no difference.
    """
    if type(expected) in _SCALARS and _is_same_scalar(expected, received):
        return None, {}  # as in most rounds of a long repeat
    captured: dict[str, Any] = {}
    return next(_differences(expected, received, known, captured, search), None), captured


def find_difference(
    expected: Any, received: Any, known: Mapping[str, Any] = _NO_CAPTURES, search: Search = search_text
) -> Difference | None:
    """Find the first difference, None if there is none, as :func:`match_pattern` does."""
    return match_pattern(expected, received, known, search)[0]


def iter_differences(
    expected: Any, received: Any, known: Mapping[str, Any] = _NO_CAPTURES, search: Search = search_text
) -> Iterator[Difference]:
    """Iterate over all differences of a message from a pattern, in the order of the pattern's text."""
    return _differences(expected, received, known, {}, search)


def iter_aligned_differences(
    expected: Any, received: Any, known: Mapping[str, Any] = _NO_CAPTURES, search: Search = search_text
) -> Iterator[Difference]:
    """Iterate over all differences as a person would list them: one item too many is one difference.

    As :func:`iter_differences`, but the items of arrays are aligned: without that, all items after a missing
    one would differ from the ones at their places.
    """
    return _differences(expected, received, known, {}, search, align=True)


def is_same(expected: Any, received: Any) -> bool:
    """Whether two values that messages can hold are equal."""
    return find_difference(expected, received) is None


def _differences(  # noqa: PLR0912, PLR0915 - one branch for each kind of placeholder
    expected: Any,
    received: Any,
    known: Mapping[str, Any],
    captured: dict[str, Any],
    search: Search,
    *,
    align: bool = False,
) -> Iterator[Difference]:
    unfinished: list[Iterator[_Pair]] = [iter([(expected, received, None)])]
    while unfinished:
        pair = next(unfinished[-1], None)
        if pair is None:
            unfinished.pop()
            continue
        ours, theirs, place = pair
        value: Any = ABSENT
        if type(ours) in _SCALARS:
            matches = _is_same_scalar(ours, theirs)
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            names = {**known, **captured} if known else captured
            unfinished.append(pair_entries(ours, theirs, place, names))
            matches = True
        elif isinstance(ours, _ARRAYS) and isinstance(theirs, _ARRAYS):
            if align and ANY_REST not in ours:
                unfinished.append(_align_items(ours, theirs, place, {**known, **captured}, search))
            else:
                unfinished.append(pair_items(ours, theirs, place))
            matches = True
        elif isinstance(ours, Capture) and theirs is not ABSENT:
            matches = True
            if len(ours.alternatives) == 1:  # what it lacks is reported, and not only that it lacks something
                unfinished.append(iter([(term, theirs, place) for term in ours.alternatives[0]]))
            elif ours.alternatives:
                matches = _meets_any(ours.alternatives, theirs, known, captured, search)
            if ours.name != "_" and matches:
                value = known[ours.name] if ours.name in known else captured.setdefault(ours.name, theirs)
                matches = value is theirs or is_same(value, theirs)
        elif isinstance(ours, Each) and isinstance(theirs, (*_ARRAYS, dict)):
            unfinished.append(_pair_each(ours.pattern, theirs, place))
            matches = True
        elif isinstance(ours, Unordered) and isinstance(theirs, _ARRAYS):
            unfinished.append(iter(_pair_in_any_order(ours, theirs, place, {**known, **captured}, search)))
            matches = True
        elif isinstance(ours, Regex | Template):
            matches, value = _matches_text(ours, theirs, known, captured, search)
        elif isinstance(ours, CONDITION_TYPES):
            matches = meets_condition(ours, theirs)
        elif isinstance(ours, AnyRest):
            matches = theirs is not ABSENT
        else:  # nothing was expected, or nothing came, or a container and something else came
            matches = ours is theirs
        if not matches:
            yield Difference(_list_keys(place), ours, theirs, value)


def _pair_each(pattern: Any, theirs: Any, place: _Place) -> Iterator[_Pair]:
    entries = theirs.items() if isinstance(theirs, dict) else enumerate(theirs)
    return ((pattern, item, (place, key)) for key, item in entries)


def pair_items(
    ours: list[Any] | tuple[Any, ...], theirs: list[Any] | tuple[Any, ...], place: _Place
) -> Iterator[_Pair]:
    """Pair the items of two arrays that must be the same; one without a partner has :data:`ABSENT`."""
    if ANY_REST not in ours:
        return _pair_by_place(ours, theirs, place, 0)
    first = ours.index(ANY_REST)
    after_rest = max(len(theirs) - (len(ours) - first - 1), first)
    return chain(
        _pair_by_place(ours[:first], theirs[:first], place, 0),
        _pair_by_place(ours[first + 1 :], theirs[after_rest:], place, after_rest),
    )


def _pair_by_place(ours: Iterable[Any], theirs: Iterable[Any], place: _Place, start: int) -> Iterator[_Pair]:
    both = zip_longest(ours, theirs, fillvalue=ABSENT)
    return ((our, their, (place, index)) for index, (our, their) in enumerate(both, start))


_MAX_ALIGNED: Final = 2500
"""Comparisons of items with each other, to align two arrays; above it, they are paired by their places."""


def _align_items(
    ours: list[Any] | tuple[Any, ...],
    theirs: list[Any] | tuple[Any, ...],
    place: _Place,
    known: Mapping[str, Any],
    search: Search,
) -> Iterator[_Pair]:
    """Pair the items of two arrays so that as many as possible match, in order."""

    def matches(our: Any, their: Any) -> bool:
        return find_difference(our, their, known, search) is None

    begin = 0
    while begin < min(len(ours), len(theirs)) and matches(ours[begin], theirs[begin]):
        begin += 1
    end = 0  # items at the end that match
    while end < min(len(ours), len(theirs)) - begin and matches(ours[-1 - end], theirs[-1 - end]):
        end += 1
    our_end, their_end = len(ours) - end, len(theirs) - end
    anchors = []
    if (our_end - begin) * (their_end - begin) <= _MAX_ALIGNED:
        anchors = find_anchors(ours[begin:our_end], theirs[begin:their_end], matches)
    # Pairs that match are kept as well: a later item may have a name that one of them captures.
    yield from _pair_by_place(ours[:begin], theirs[:begin], place, 0)
    our_next = their_next = begin
    for our_anchor, their_anchor in [*anchors, (our_end - begin, their_end - begin)]:
        our_stop, their_stop = our_anchor + begin, their_anchor + begin
        between = islice(theirs, their_next, their_stop)
        yield from _pair_by_place(ours[our_next:our_stop], between, place, their_next)
        if our_stop < our_end and their_stop < their_end:
            yield ours[our_stop], theirs[their_stop], (place, their_stop)
        our_next, their_next = our_stop + 1, their_stop + 1
    yield from _pair_by_place(ours[our_end:], theirs[their_end:], place, their_end)


def pair_entries(
    ours: dict[Any, Any], theirs: dict[Any, Any], place: _Place, known: Mapping[str, Any] = _NO_CAPTURES
) -> Iterator[_Pair]:
    """Pair the values of two maps that must be the same; one without a partner has :data:`ABSENT`."""
    filled = {key: _fill_key(key, known) for key in ours if key is not ANY_REST}
    if _DISTINCT_KEYS.issuperset(map(type, theirs)) and _DISTINCT_KEYS.issuperset(map(type, filled.values())):
        found, identify = theirs, _keep_key
    else:
        found, identify = {_key_identity(key): value for key, value in theirs.items()}, _key_identity
    due = {identify(key): our for our, key in filled.items()}
    pairs = ((ours[key], found.get(apart, ABSENT), (place, key)) for apart, key in due.items())
    if ANY_REST in ours or due.keys() >= found.keys():
        return pairs
    return chain(pairs, ((ABSENT, theirs[key], (place, key)) for key in theirs if identify(key) not in due))


def _keep_key(key: Any) -> Any:
    return key


def find_key(mapping: Mapping[Any, Any], key: Any) -> Any:
    """The key of a map that is the same on the wire as a key; :data:`ABSENT` if there is none.

    ``in`` would find ``true`` where ``1`` is meant, and would not find NaN.
    """
    if type(key) in _UNAMBIGUOUS_KEYS:
        return key if key in mapping else ABSENT
    apart = _key_identity(key)
    return next((each for each in mapping if _key_identity(each) == apart), ABSENT)


def _fill_key(key: Any, known: Mapping[str, Any]) -> Any:
    """The key that a string with names stands for; itself, which no message has, if one is not known."""
    try:
        return key.fill(known) if isinstance(key, Template) else key
    except KeyError:
        return key


def _key_identity(key: Any) -> Any:
    # Hashing takes 1, 1.0 and True for equal; their notation does not.
    return key if type(key) in _UNAMBIGUOUS_KEYS else (render_value(key),)


def _matches_text(
    ours: Regex | Template, theirs: Any, known: Mapping[str, Any], captured: dict[str, Any], search: Search
) -> tuple[bool, Any]:
    """Whether a string matches; and what the names in the pattern stand for, ABSENT if it has none."""
    value: Any = ABSENT
    filled = ours.expression if isinstance(ours, Regex) else ""
    if ours.names:
        try:
            filled = ours.fill({**known, **captured})
        except KeyError:  # another alternative came than the one that has the name
            return False, ABSENT
        value = Regex(filled) if isinstance(ours, Regex) else filled
    if not isinstance(theirs, str):
        return False, value
    if isinstance(ours, Template):
        return theirs == filled, value
    groups = search(filled, theirs)
    captured.update(groups or {})
    return groups is not None, value


def _meets_any(
    alternatives: tuple[tuple[Any, ...], ...],
    theirs: Any,
    known: Mapping[str, Any],
    captured: dict[str, Any],
    search: Search,
) -> bool:
    """Whether all terms of an alternative match; the first one that does captures."""
    for terms in alternatives:
        anew = dict(captured)
        if all(next(_differences(term, theirs, known, anew, search), None) is None for term in terms):
            captured.update(anew)
            return True
    return False


def _pair_in_any_order(
    ours: Unordered, theirs: Sequence[Any], place: _Place, known: Mapping[str, Any], search: Search
) -> list[_Pair]:
    """Pair as many patterns as possible with an item that matches each; the rest has :data:`ABSENT`."""
    patterns = [pattern for pattern in ours.items if pattern is not ANY_REST]
    fitting = [
        [index for index, item in enumerate(theirs) if find_difference(pattern, item, known, search) is None]
        for pattern in patterns
    ]
    taken_by = assign_items(fitting)
    pairs: list[_Pair] = [
        (patterns[taken_by[index]], item, (place, index))
        for index, item in enumerate(theirs)
        if index in taken_by
    ]
    missing = [pattern for number, pattern in enumerate(patterns) if number not in taken_by.values()]
    pairs += [(pattern, ABSENT, (place, len(theirs) + more)) for more, pattern in enumerate(missing)]
    if ANY_REST not in ours.items:
        surplus = [index for index in range(len(theirs)) if index not in taken_by]
        pairs += [(ABSENT, theirs[index], (place, index)) for index in surplus]
    return pairs


def _is_same_scalar(ours: Any, theirs: Any) -> bool:
    if type(ours) is not type(theirs):
        return False
    return bool(ours == theirs or (type(ours) is float and isnan(ours) and isnan(theirs)))


def _list_keys(place: _Place) -> tuple[Any, ...]:
    keys = []
    while place is not None:
        place, key = place
        keys.append(key)
    return tuple(reversed(keys))
