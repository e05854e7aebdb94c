"""What a script may expect or send: values with holes. Pure.

The holes themselves are :mod:`tui_ipc.session.holes`, since the notation reads and writes them.
"""

from collections.abc import Iterator
from typing import Any

from tui_ipc.session.holes import HOLES, REST, Captured, Matching, Rest

__all__ = ["REST", "Captured", "Matching", "Rest", "holes", "names"]


def holes(pattern: Any) -> Iterator[Rest | Matching | Captured]:
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
    return tuple(dict.fromkeys(hole.name for hole in holes(pattern) if isinstance(hole, Captured)))
