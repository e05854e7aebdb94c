"""Which row shows which line, where a line may take several rows or none.

The lines grow at their end and are forgotten at their beginning, as in a
:class:`~tui_ipc.tui.content.ring.Ring`. So are the rows: each keeps its number for life.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable

SPARE = 1_000
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
        if self._gone > max(SPARE, len(self._lines) // 2):
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
