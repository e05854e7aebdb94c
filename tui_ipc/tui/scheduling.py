"""Keys first: from the press of a key until the screen shows what it did, what the child says has to wait.

The child waits too, then, if it says much: the session's queue fills, and nothing is read. But whoever holds
a key down does not silence the child: all else has half of the time at least.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from types import FrameType
from typing import Any, Final

from textual import screen
from textual.app import App
from textual.message_pump import MessagePump
from textual.timer import Timer

KEY_TIMEOUT: Final = 0.1
"""For how many seconds a key is given precedence at most."""

DRAW_TIMEOUT: Final = 0.05
"""For how many of them once it has been handled: its doing may not show."""


class InputPriority:
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
            self._end_at(now + KEY_TIMEOUT)

    def handle(self) -> None:
        """It has had its effect, which is still to be drawn."""
        if self.taken:
            self._handled = True
            self._end_at(min(self._until, self._clock() + DRAW_TIMEOUT))

    def draw(self) -> None:
        """The screen shows all that happened so far."""
        if self._handled and self.taken:
            self._end_at(self._clock())

    def _end_at(self, moment: float) -> None:
        self._until = moment
        self._next = moment + (moment - self._since)


MAX_FPS: Final = 30
"""How often in a second the screen follows what happens, at most."""

DRAW_SHARE: Final = 4
"""Drawing takes one part in so many of the time: a key that comes meanwhile has to wait for its end."""

PRIORITY_POLL: Final = 0.01
"""How often it is looked whether a key still goes first, in seconds."""

DRAW_PERIOD: Final = 1 / 120
"""How long what a key did waits after a picture, in seconds, at most; Textual's own step is twice that."""


def raise_fps() -> None:
    """Have screens that are made from now on draw in smaller steps, unless the user tells Textual how often.

    Measured in a flood: the median of the time from a key to the screen shrinks by a quarter.
    """
    if "TEXTUAL_FPS" not in os.environ:
        screen.UPDATE_PERIOD = DRAW_PERIOD  # type: ignore[misc]  # Textual has no other way to say this to one program


class RefreshThrottle:
    """Brings the screen up to date some time after it was asked to, once for all that asked meanwhile.

    Args:
        app: Whose screen it is.
        update: Brings the widgets up to date; the app draws them afterwards.

    Attributes:
        precedence: Whether a key goes first.
        next_at: The earliest moment of the next picture, by the monotonic clock.
    """

    def __init__(self, app: App[Any], update: Callable[[], None]) -> None:
        self._app = app
        self._update = update
        self._due = False
        self._began_at = 0.0
        self.precedence = InputPriority()
        self.next_at = 0.0

    def ask(self) -> None:
        """The screen is out of date."""
        if self._due or not self._app.is_running:
            return
        self._due = True
        delay = self.next_at - monotonic()
        if delay > 0:
            self._app.set_timer(delay, self._begin)
        else:
            self._app.call_later(self._begin)

    def _begin(self) -> None:
        if self.precedence.taken:
            self._app.set_timer(PRIORITY_POLL, self._begin)
        else:
            self.now()

    def now(self) -> None:
        """Bring the screen up to date at once."""
        self._due = False
        self._began_at = monotonic()
        self._app.call_after_refresh(self._drawn)
        self._update()

    def _drawn(self) -> None:
        """Let the next picture wait in proportion to what this one took."""
        took = monotonic() - self._began_at
        self.next_at = self._began_at + max(1 / MAX_FPS, DRAW_SHARE * took)


BACKGROUND_SLICE: Final = 0.008
"""Seconds of work at a time."""

BACKGROUND_PAUSE: Final = 0.002
"""Seconds until the next slice, for whatever else there is to do."""


class BackgroundSteps:
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
        until = monotonic() + BACKGROUND_SLICE
        try:
            while self._chores and monotonic() < until:
                self._step(next(iter(self._chores)))
        finally:
            self._working = False
        if self._chores and self._timer is None:
            self._timer = self._owner.set_timer(BACKGROUND_PAUSE, self._resume)

    def _step(self, name: str) -> None:
        steps = self._chores[name]
        for _ in steps:
            return
        if self._chores.get(name) is steps:
            del self._chores[name]

    def _resume(self) -> None:
        self._timer = None
        self._work()


class TimeLimitExceeded(Exception):
    """What was begun did not come to its end in time."""


@contextmanager
def limit_cpu_time(seconds: float) -> Iterator[None]:
    """Break off what runs inside after some seconds of computing.

    Python looks at signals between its own steps and, as of 3.11, within the steps of a regular expression.
    Only the main thread can be broken off; another is left alone.

    Args:
        seconds: Of CPU time in user mode.

    Raises:
        TakesTooLong: The time is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def bite(_number: int, _frame: FrameType | None) -> None:
        if armed:
            raise TimeLimitExceeded(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, bite)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
