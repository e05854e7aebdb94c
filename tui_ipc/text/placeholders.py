"""The placeholders of a pattern: any value, a string that a regular expression finds, a capture.

A pattern is a value as messages hold it, in which placeholders stand for values, alone, in arrays or in maps;
so a pattern without placeholders is a value. No message holds a placeholder, and none is the key of a map,
except that :data:`ANY_REST` as key and value of one entry stands for further entries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, final


@final
@dataclass(frozen=True, slots=True, eq=False)  # equal to itself only: `ANY_REST in items` compares no values
class AnyRest:
    """``...``: alone any value, in an array any further items, in a map any further entries."""


ANY_REST: Final = AnyRest()
"""The only instance."""


@final
@dataclass(frozen=True, slots=True)
class Regex:
    """``/re/``: a string in which a regular expression is found, as ``re.search`` does."""

    expression: str


@final
@dataclass(frozen=True, slots=True)
class Capture:
    """``{{name}}``: the first time any value, which has the name from then on; later that value."""

    name: str


ANY_VALUE: Final = Capture("_")
"""``{{_}}``: any one value, which gets no name."""

Placeholder = AnyRest | Regex | Capture

PLACEHOLDER_TYPES: Final = (AnyRest, Regex, Capture)
"""The same, for ``isinstance``, which is quicker with a tuple."""


def iter_placeholders(pattern: Any) -> Iterator[Placeholder]:
    """Iterate over the placeholders of a pattern in the order of its text, that of further entries once.

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


def list_capture_names(pattern: Any) -> tuple[str, ...]:
    """List the names that a pattern captures or uses, each once, in the order of its text."""
    names = (
        each.name for each in iter_placeholders(pattern) if isinstance(each, Capture) and each != ANY_VALUE
    )
    return tuple(dict.fromkeys(names))


def replace_placeholders(pattern: Any, by: Callable[[Placeholder], Any]) -> Any:
    """Make a value of a pattern: each placeholder is replaced, and its maps have no further entries.

    Args:
        pattern: It is not changed, and returned itself if it has no placeholders. Else arrays become lists.
        by: Returns what replaces a placeholder.
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
