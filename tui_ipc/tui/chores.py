"""Long work for a widget, done in slices between which keys are served and the screen is drawn."""

from collections.abc import Iterator
from time import monotonic
from typing import Final

from textual.message_pump import MessagePump
from textual.timer import Timer

SLICE: Final = 0.008
"""Seconds of work at a time."""

PAUSE: Final = 0.002
"""Seconds until the next slice, for whatever else there is to do."""


class Chores:
    """Does chores, each an iterator whose every step takes a millisecond or few.

    Args:
        owner: Whose timers time the slices; its end is theirs.
    """

    def __init__(self, owner: MessagePump) -> None:
        self._owner = owner
        self._chores: dict[str, Iterator[None]] = {}
        self._working = False
        self._timer: Timer | None = None

    def begin(self, name: str, steps: Iterator[None]) -> None:
        """Do a chore instead of that of the same name; its first slice at once."""
        self._chores[name] = steps
        self._work()

    def drop(self) -> None:
        """Leave undone what is not done."""
        self._chores.clear()

    def _work(self) -> None:
        if self._working:  # a chore began another: its turn comes
            return
        self._working = True
        until = monotonic() + SLICE
        try:
            while self._chores and monotonic() < until:
                self._step(next(iter(self._chores)))
        finally:
            self._working = False
        if self._chores and self._timer is None:
            self._timer = self._owner.set_timer(PAUSE, self._resume)

    def _step(self, name: str) -> None:
        steps = self._chores[name]
        for _ in steps:
            return
        if self._chores.get(name) is steps:
            del self._chores[name]

    def _resume(self) -> None:
        self._timer = None
        self._work()
