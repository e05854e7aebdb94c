"""What a script may expect or send: values with holes. Pure.

The holes themselves are :mod:`tui_ipc.session.holes`, since the notation reads and writes them.
"""

from collections.abc import Callable, Iterator
from typing import Any

from tui_ipc.session.holes import ANYTHING, HOLES, REST, Captured, Matching, Rest

__all__ = ["ANYTHING", "REST", "Captured", "Hole", "Matching", "Rest", "filled", "holes", "names"]

Hole = Rest | Matching | Captured


def holes(pattern: Any) -> Iterator[Hole]:
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
        elif isinstance(item, HOLES):
            yield item


def names(pattern: Any) -> tuple[str, ...]:
    """The names that a pattern captures or uses, each once, in the order of its text."""
    captured = (hole for hole in holes(pattern) if isinstance(hole, Captured) and hole != ANYTHING)
    return tuple(dict.fromkeys(hole.name for hole in captured))


def filled(pattern: Any, by: Callable[[Hole], Any]) -> Any:
    """A value that a pattern stands for: each hole replaced, and no further entries in its maps.

    Args:
        pattern: It is not changed, and returned itself if it has no holes. Else arrays are lists.
        by: What a hole is replaced by.
    """
    if next(holes(pattern), None) is None:
        return pattern
    outermost = [pattern]
    unfilled: list[tuple[Any, Any]] = [(outermost, 0)]
    while unfilled:
        container, key = unfilled.pop()
        item = container[key]
        if isinstance(item, HOLES):
            container[key] = by(item)
        elif isinstance(item, list | tuple):
            container[key] = items = list(item)
            unfilled += ((items, index) for index in range(len(items)))
        elif isinstance(item, dict):
            container[key] = entries = {each: value for each, value in item.items() if each is not REST}
            unfilled += ((entries, each) for each in entries)
    return outermost[0]
