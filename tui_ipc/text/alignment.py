"""Pairs the items of two arrays so that as many as possible match: in their order, or in any order."""

from collections.abc import Callable, Sequence
from typing import Any


def find_anchors(
    ours: Sequence[Any], theirs: Sequence[Any], matches: Callable[[Any, Any], bool]
) -> list[tuple[int, int]]:
    """The longest common subsequence, as pairs of indexes; by the usual table, filled from its end."""
    table = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    same = [[matches(our, their) for their in theirs] for our in ours]
    for i in reversed(range(len(ours))):
        for j in reversed(range(len(theirs))):
            if same[i][j]:
                table[i][j] = table[i + 1][j + 1] + 1
            else:
                table[i][j] = max(table[i + 1][j], table[i][j + 1])
    anchors = []
    i = j = 0
    while i < len(ours) and j < len(theirs):
        if same[i][j]:
            anchors.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1][j] >= table[i][j + 1]:
            i += 1
        else:
            j += 1
    return anchors


def assign_items(fitting: Sequence[Sequence[int]]) -> dict[int, int]:
    """Assign to as many patterns as possible an item of their own; returns item → pattern.

    Args:
        fitting: For each pattern the items that match it.
    """
    taken_by: dict[int, int] = {}
    for pattern in range(len(fitting)):
        _find_item(pattern, fitting, taken_by)
    return taken_by


def _find_item(pattern: int, fitting: Sequence[Sequence[int]], taken_by: dict[int, int]) -> None:
    """Give a pattern an item: that of another one, if that can have a further one, and so on."""
    wanted_by: dict[int, int] = {}
    waiting = [pattern]
    for waiter in waiting:
        for item in fitting[waiter]:
            if item in wanted_by:
                continue
            wanted_by[item] = waiter
            if item in taken_by:
                waiting.append(taken_by[item])
                continue
            previous = {owner: taken for taken, owner in taken_by.items()}
            free: int = item
            while (owner := wanted_by[free]) != pattern:
                taken_by[free], free = owner, previous[owner]
            taken_by[free] = pattern
            return
