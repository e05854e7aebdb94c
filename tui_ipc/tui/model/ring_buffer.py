"""The bounded sequence that holds the log and the output, and two indexes over such a sequence.

Each item keeps its index for life: item 1 000 is number 1 000 also when items 0 to 899 are forgotten. So a
view can hold a position, a cursor or a selection while lines stream past.
"""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class RingBuffer(Generic[Item]):
    """Holds the newest items within two bounds: how many there are, and how heavy they are together.

    Args:
        limit: How many items are held at most.
        budget: How heavy they may be together, in the unit of :meth:`append`. The newest item is held
            however heavy it is.

    Attributes:
        first: The index of the oldest item that is held.
    """

    def __init__(self, limit: int, budget: int) -> None:
        self._limit = limit
        self._budget = budget
        self._items: deque[tuple[Item, int]] = deque()
        self._weight = 0
        self.first = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def end(self) -> int:
        """The index that the next item will have."""
        return self.first + len(self._items)

    def __getitem__(self, index: int) -> Item:
        offset = index - self.first
        if not 0 <= offset < len(self._items):
            raise IndexError(f"item {index} is not held; {self.first} to {self.end - 1} are")
        return self._items[offset][0]

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

    def clear(self) -> None:
        """Forget all items; those to come go on with the indexes."""
        self.first = self.end
        self._items.clear()
        self._weight = 0


TRIM_THRESHOLD = 1_000
"""How many forgotten lines stay in the lists of a row index at least: removing them takes time in proportion
to what is left."""


class RowIndex:
    """Maps lines of different heights to rows and back; the height of each line is asked for once.

    Like a line, a row keeps its number for life.

    Args:
        height: Returns how many rows the line with an index takes; a hidden one takes none.

    Attributes:
        first: The number of the first row that is held.
        end: The number after the last row.
    """

    def __init__(self, height: Callable[[int], int]) -> None:
        self._height = height
        # Of each line that has rows, its index and the number after its last row. Both lists ascend, so that
        # they can be bisected. Their first _gone items are forgotten lines: those are deleted in bulk, which
        # costs less for each line than a deletion at the front of a list.
        self._lines: list[int] = []
        self._ends: list[int] = []
        self._gone = 0
        self._measured = 0  # lines before this index have been measured
        self.first = 0
        self.end = 0

    def update(self, first: int, end: int) -> None:
        """Take into account that the lines now have the indexes from ``first`` up to ``end``."""
        self.forget(first)
        for index in range(max(self._measured, first), end):
            if rows := self._height(index):
                self.end += rows
                self._lines.append(index)
                self._ends.append(self.end)
        self._measured = max(self._measured, end)

    def forget(self, first: int) -> None:
        """Take into account that the lines now begin at index ``first``."""
        while self._gone < len(self._lines) and self._lines[self._gone] < first:
            self.first = self._ends[self._gone]
            self._gone += 1
        if self._gone > max(TRIM_THRESHOLD, len(self._lines) // 2):
            del self._lines[: self._gone], self._ends[: self._gone]
            self._gone = 0

    def locate(self, row: int) -> tuple[int, int]:
        """Return the index of the line that a row shows, and which of its rows that is."""
        slot = bisect_right(self._ends, row, lo=self._gone)
        return self._lines[slot], row - self._first_row(slot)

    def row(self, index: int) -> int:
        """Return the first row of a line, or of the next line that has rows if it has none."""
        return self._first_row(bisect_left(self._lines, index, lo=self._gone))

    def _first_row(self, slot: int) -> int:
        return self.first if slot == self._gone else self._ends[slot - 1]


class IncrementalFilter:
    """Finds the items of a sequence that pass a test, some at a time: new ones, and older ones backwards.

    What has been tested is one range that grows at both ends, from where the sequence ended at first::

        first ......... low ========== high ........ end
                         <--            -->

    The two ends take turns. So in a flood both what is new and what is older are found soon.

    Each index that passed has a position, which it keeps for life. Positions are counted from ``end`` as it
    was at the start, upwards for newer items and downwards for older ones; so the position of an index is
    never greater than the index, and never below zero.

    Args:
        passes: Tests the item with an index; called once for each.
        end: The index after the newest item.

    Attributes:
        first: The position of the oldest index that passed and is held.
    """

    def __init__(self, passes: Callable[[int], bool], end: int) -> None:
        self._passes = passes
        self._held: deque[int] = deque()
        self._low = self._high = end
        self.first = end

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, position: int) -> int:
        """The index that has a position."""
        return self._held[position - self.first]

    @property
    def end(self) -> int:
        """The position that the next index to pass will have."""
        return self.first + len(self._held)

    def find_position(self, index: int) -> int:
        """Return the position of an index, or of the next that passed; :attr:`end` if none did."""
        return self.first + bisect_left(self._held, index)

    def has_tested(self, index: int) -> bool:
        """Whether everything from an index on has been tested, so that its position is final."""
        return self._low <= index

    def forget(self, first: int) -> None:
        """Take into account that the sequence now begins at index ``first``."""
        while self._held and self._held[0] < first:
            self._held.popleft()
            self.first += 1
        self._high = max(self._high, first)

    def scan(self, first: int, end: int, until: float, clock: Callable[[], float]) -> bool:
        """Test items that have not been tested: at least one, and none after a moment.

        Args:
            first: The index of the oldest item that is held.
            end: The index after the newest.
            until: The moment, by the clock.
            clock: Returns the time in seconds.

        Returns:
            Whether everything has been tested.
        """
        self.forget(first)
        while self._high < end or self._low > first:
            if self._high < end:
                if self._passes(self._high):
                    self._held.append(self._high)
                self._high += 1
            if self._low > first:
                self._low -= 1
                if self._passes(self._low):
                    self._held.appendleft(self._low)
                    self.first -= 1
            if clock() >= until:
                break
        return self._low <= first and self._high >= end
