"""Whether a message is the one that was expected. Pure.

The one rule: values are equal if they are the same on the wire. So ``1`` is neither ``true`` nor ``1.0``,
text is not binary, and every array is an array, however Python holds it. The order of a map's keys does not
count.
"""

from datetime import datetime
from math import isnan
from typing import Any

from tui_ipc.session.notation import render


def same(expected: Any, received: Any) -> bool:
    """Whether two values that messages can hold are equal. Does not recurse: values may nest deeply."""
    pairs = [(expected, received)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, list | tuple):
            if not isinstance(right, list | tuple) or len(left) != len(right):
                return False
            pairs += zip(left, right, strict=True)
        elif isinstance(left, dict):
            if not isinstance(right, dict) or len(left) != len(right):
                return False
            ours, theirs = _by_text(left), _by_text(right)
            if ours.keys() != theirs.keys():
                return False
            pairs += ((value, theirs[key]) for key, value in ours.items())
        elif not _same_scalar(left, right):
            return False
    return True


def _by_text(map_: dict[Any, Any]) -> dict[str, Any]:
    """A map by the notation of its keys, which tells apart what Python's hashing takes for equal: 1 and
    True.
    """
    return {render(key): value for key, value in map_.items()}


def _same_scalar(left: Any, right: Any) -> bool:
    if isinstance(left, datetime) and isinstance(right, datetime):
        return left == right  # the same moment, by whatever clock
    if type(left) is not type(right):
        return False
    return bool(left == right or (isinstance(left, float) and isnan(left) and isnan(right)))
