"""Keys first: from the press of a key until the screen shows what it did, what the child says has to wait.

The child waits too, then, if it says much: the session's queue fills, and nothing is read. But whoever holds
a key down does not silence the child: all else has half of the time at least.
"""

from collections.abc import Callable
from time import monotonic
from typing import Final

PATIENCE: Final = 0.1
"""For how many seconds a key is given precedence at most."""

DRAWING: Final = 0.05
"""For how many of them once it has been handled: its doing may not show."""


class Precedence:
    """Knows whether a key is on its way to the screen.

    Args:
        clock: Tells the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._since = self._until = self._next = 0.0
        self._handled = False

    @property
    def taken(self) -> bool:
        """Whether all else has to wait."""
        return self._until > 0.0 and self._clock() < self._until

    def press(self) -> None:
        """A key was pressed."""
        now = self._clock()
        if now >= max(self._until, self._next):
            self._since = now
            self._handled = False
            self._end_at(now + PATIENCE)

    def handle(self) -> None:
        """It has had its effect, which is still to be drawn."""
        if self.taken:
            self._handled = True
            self._end_at(min(self._until, self._clock() + DRAWING))

    def draw(self) -> None:
        """The screen shows all that happened so far."""
        if self._handled and self.taken:
            self._end_at(self._clock())

    def _end_at(self, moment: float) -> None:
        self._until = moment
        self._next = moment + (moment - self._since)
