"""A bounded sequence that forgets its oldest items, and counts its items from the beginning of time.

Every item keeps its index for life: index 1 000 stays 1 000 when items 0 to 899 are forgotten. So a view can
hold a place, a cursor or a selection while lines stream past.
"""

from collections import deque
from collections.abc import Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Ring(Generic[Item]):
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
