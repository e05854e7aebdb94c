"""A bounded sequence that forgets its oldest items, and counts its items from the beginning of time.

Every item keeps its index for life: index 1 000 stays 1 000 when items 0 to 899 are forgotten. So a view can
hold a place, a cursor or a selection while lines stream past.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class RingBuffer(Generic[Item]):
    """Holds the newest items within two bounds: their number, and their weight together.

    Args:
        limit: How many items are held at most.
        budget: How heavy they may be together, in whatever unit :meth:`append` is told. The newest item is
            held however heavy it is.
    """

    def __init__(self, limit: int, budget: int) -> None:
        self._limit = limit
        self._budget = budget
        self._items: deque[tuple[Item, int]] = deque()
        self._weight = 0
        self.first = 0
        """The index of the oldest item that is held."""

    def __len__(self) -> int:
        return len(self._items)

    @property
    def end(self) -> int:
        """The index that the next item will have."""
        return self.first + len(self._items)

    def __getitem__(self, index: int) -> Item:
        if not self.first <= index < self.end:
            raise IndexError(f"item {index} is not held; {self.first} to {self.end - 1} are")
        return self._items[index - self.first][0]

    def newest_first(self) -> Iterator[tuple[int, Item]]:
        """Each item with its index, from the newest to the oldest."""
        for back, (item, _) in enumerate(reversed(self._items), 1):
            yield self.end - back, item

    def append(self, item: Item, weight: int = 1) -> None:
        """Add an item, and forget the oldest ones until both bounds hold."""
        self._items.append((item, weight))
        self._weight += weight
        while len(self._items) > self._limit or (self._weight > self._budget and len(self._items) > 1):
            self._weight -= self._items.popleft()[1]
            self.first += 1


TRIM_THRESHOLD = 1_000
"""How many forgotten lines are kept at least before the lists are cut: cutting them costs their length."""


class RowIndex:
    """Counts the rows of lines, each line once.

    Args:
        height: How many rows the line with an index takes.

    Attributes:
        first: The number of the first row that is held.
        end: The number after the last row.
    """

    def __init__(self, height: Callable[[int], int]) -> None:
        self._height = height
        self._lines: list[int] = []
        self._ends: list[int] = []
        self._gone = 0  # so many at the beginning of both lists are forgotten
        self._known = 0
        self.first = 0
        self.end = 0

    def update(self, first: int, end: int) -> None:
        """Take in that there are lines with indexes from ``first`` up to ``end``."""
        self.forget(first)
        for index in range(max(self._known, first), end):
            if rows := self._height(index):
                self.end += rows
                self._lines.append(index)
                self._ends.append(self.end)
        self._known = max(self._known, end)

    def forget(self, first: int) -> None:
        """Take in that the lines now begin at an index."""
        while self._gone < len(self._lines) and self._lines[self._gone] < first:
            self.first = self._ends[self._gone]
            self._gone += 1
        if self._gone > max(TRIM_THRESHOLD, len(self._lines) // 2):
            del self._lines[: self._gone], self._ends[: self._gone]
            self._gone = 0

    def locate(self, row: int) -> tuple[int, int]:
        """The index of the line that a row shows, and which of its rows that is."""
        place = bisect_right(self._ends, row, lo=self._gone)
        return self._lines[place], row - self._start(place)

    def row(self, index: int) -> int:
        """The first row of a line; of the next one that has rows, if it has none."""
        return self._start(bisect_left(self._lines, index, lo=self._gone))

    def _start(self, place: int) -> int:
        return self.first if place == self._gone else self._ends[place - 1]
