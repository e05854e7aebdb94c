"""The holes that a pattern may have, where a value need not be told. Pure.

The one rule: a pattern is a value as messages hold it, in which holes stand for values, alone, in arrays or
in maps; so a pattern without holes is a value. No message holds a hole, and no hole is the key of a map, but
that ``REST`` as key and value of one entry stands for further entries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, final


@final
@dataclass(frozen=True, slots=True, eq=False)  # nothing equals it but itself: `REST in items` is quick
class AnyRest:
    """``...``: alone any value, in an array any further items, in a map any further entries."""


ANY_REST: Final = AnyRest()
"""The only one there is."""


@final
@dataclass(frozen=True, slots=True)
class Regex:
    """``/re/``: a string in which a regular expression is found, as ``re.search`` does."""

    expression: str


@final
@dataclass(frozen=True, slots=True)
class Capture:
    """``{{name}}``: where it stands first any value, which bears the name from then on; later that value."""

    name: str


ANY_VALUE: Final = Capture("_")
"""``{{_}}``: one value, whatever it is, wherever it stands; it bears no name."""

PLACEHOLDER_TYPES: Final = (AnyRest, Regex, Capture)


Placeholder = AnyRest | Regex | Capture


def iter_placeholders(pattern: Any) -> Iterator[Placeholder]:
    """The holes of a pattern in the order of its text, that of a map's further entries once.

    Does not recurse: patterns may nest deeply.
    """
    unseen = [pattern]
    while unseen:
        item = unseen.pop()
        if isinstance(item, list | tuple):
            unseen += reversed(item)
        elif isinstance(item, dict):
            unseen += reversed(item.values())
        elif isinstance(item, PLACEHOLDER_TYPES):
            yield item


def names(pattern: Any) -> tuple[str, ...]:
    """The names that a pattern captures or uses, each once, in the order of its text."""
    captured = (
        hole for hole in iter_placeholders(pattern) if isinstance(hole, Capture) and hole != ANY_VALUE
    )
    return tuple(dict.fromkeys(hole.name for hole in captured))


def replace_placeholders(pattern: Any, by: Callable[[Placeholder], Any]) -> Any:
    """A value that a pattern stands for: each hole replaced, and no further entries in its maps.

    Args:
        pattern: It is not changed, and returned itself if it has no holes. Else arrays are lists.
        by: What a hole is replaced by.
    """
    if next(iter_placeholders(pattern), None) is None:
        return pattern
    outermost = [pattern]
    unfilled: list[tuple[Any, Any]] = [(outermost, 0)]
    while unfilled:
        container, key = unfilled.pop()
        item = container[key]
        if isinstance(item, PLACEHOLDER_TYPES):
            container[key] = by(item)
        elif isinstance(item, list | tuple):
            container[key] = items = list(item)
            unfilled += ((items, index) for index in range(len(items)))
        elif isinstance(item, dict):
            container[key] = entries = {each: value for each, value in item.items() if each is not ANY_REST}
            unfilled += ((entries, each) for each in entries)
    return outermost[0]
