"""Text, without I/O: the notation of values, patterns, differences, units, and text made safe to show.

This module itself suggests a known name for one that is unknown.
"""

from collections.abc import Iterable
from typing import Final

_CUTOFF: Final = 0.65  # similarity, at most 1: typing errors are above it, most other words below
_MAX_LENGTH: Final = 40  # characters that are compared, which takes time in proportion to their square


def suggest_name(name: str, known: Iterable[str]) -> str:
    """Return how a sentence about an unknown name ends: ``; did you mean theme?``, or empty."""
    similar = find_similar(name, known)
    return f"; did you mean {similar}?" if similar else ""


def find_similar(name: str, known: Iterable[str]) -> str:
    """Return the known name that was probably meant, upper and lower case alike; empty if none is similar."""
    from difflib import get_close_matches  # who makes no mistake does not pay for this import

    by_lower = {each.lower(): each for each in known}
    for similar in get_close_matches(name[:_MAX_LENGTH].lower(), by_lower, 1, _CUTOFF):
        return by_lower[similar]
    return ""
