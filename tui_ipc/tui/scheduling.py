"""Who uses the event loop next: keys before the child's events, pictures at a bounded rate, work in slices.

From the press of a key until the screen shows its effect, the child's events wait. If they are many, the
child waits too: the session's queue fills, and nothing more is read. A key that is held down does not silence
the child, since everything else gets at least half of the time.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from time import monotonic
from types import FrameType
from typing import Any, Final

from textual import screen
from textual.app import App
from textual.message_pump import MessagePump
from textual.timer import Timer

from tui_ipc.osutil.signals import replace_signal_handlers

KEY_TIMEOUT: Final = 0.1
"""Seconds for which a key has priority at most."""

DRAW_TIMEOUT: Final = 0.05
"""Seconds of them after the key was handled: its effect may not be visible at all."""


class _PriorityState(Enum):
    """What becomes of a key that was pressed, and when each state ends by itself."""

    IDLE = auto()  # no key has priority, and the next one gets it
    HANDLING = auto()  # a key was pressed; ends KEY_TIMEOUT after that
    DRAWING = auto()  # it was handled; ends at the same moment, or DRAW_TIMEOUT after it was handled
    RESTING = auto()  # it is on the screen; ends once all else had the loop for as long as the key had


class InputPriority:
    """Knows whether a key is on its way to the screen, while everything else waits.

    Args:
        clock: Returns the time in seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._state = _PriorityState.IDLE
        self._pressed_at = 0.0
        self._until = 0.0  # when the state ends by itself

    @property
    def is_active(self) -> bool:
        """Whether everything but the key has to wait."""
        self._expire(self._clock())
        return self._state in (_PriorityState.HANDLING, _PriorityState.DRAWING)

    def begin(self) -> None:
        """Give priority to a key that was pressed, unless the one before had it just now."""
        now = self._clock()
        self._expire(now)
        if self._state is _PriorityState.IDLE:
            self._state, self._pressed_at, self._until = _PriorityState.HANDLING, now, now + KEY_TIMEOUT

    def expect_drawing(self) -> None:
        """The key has been handled: the next picture shows its effect."""
        if self.is_active:
            self._state = _PriorityState.DRAWING
            self._until = min(self._until, self._clock() + DRAW_TIMEOUT)

    def end(self) -> None:
        """The screen was drawn. A picture from before the key was handled does not end its priority."""
        now = self._clock()
        self._expire(now)
        if self._state is _PriorityState.DRAWING:
            self._rest(now)

    def _expire(self, now: float) -> None:
        if self._state in (_PriorityState.HANDLING, _PriorityState.DRAWING) and now >= self._until:
            self._rest(self._until)
        if self._state is _PriorityState.RESTING and now >= self._until:
            self._state = _PriorityState.IDLE

    def _rest(self, since: float) -> None:
        # As long as the key had: so keys take half of the time at most, however fast they come.
        self._state, self._until = _PriorityState.RESTING, since + (since - self._pressed_at)


MAX_FPS: Final = 30
"""How many times a second the screen follows the events at most."""

DRAW_SHARE: Final = 4
"""Drawing takes one part in so many of the time: a key that comes meanwhile has to wait for its end."""

PRIORITY_POLL: Final = 0.01
"""Seconds between two looks whether a key still has priority."""

DRAW_PERIOD: Final = 1 / 120
"""Seconds for which the effect of a key waits after a picture at most; Textual's own period is twice that."""


def raise_fps() -> None:
    """Let screens that are made from now on draw in shorter steps, unless the user chose Textual's own.

    Measured in a flood: the median of the time from a key to the screen is a quarter shorter.
    """
    if "TEXTUAL_FPS" not in os.environ:
        # Screens read the constant when they are made. Textual sets it from the environment as it is
        # imported: too early for us, and a variable would reach the children that we spawn.
        screen.UPDATE_PERIOD = DRAW_PERIOD  # type: ignore[misc]


class RefreshThrottle:
    """Brings the screen up to date some time after it was asked to, once for all that asked meanwhile.

    Args:
        app: The app whose screen it is.
        update: Brings the widgets up to date; the app draws them afterwards.

    Attributes:
        input_priority: Whether a key has priority; no picture begins while one has.
        next_at: The earliest moment of the next picture, by the monotonic clock.
    """

    def __init__(self, app: App[Any], update: Callable[[], None]) -> None:
        self._app = app
        self._update = update
        self._is_due = False
        self._began_at = 0.0
        self.input_priority = InputPriority()
        self.next_at = 0.0

    def request(self) -> None:
        """Have the screen brought up to date soon."""
        if self._is_due or not self._app.is_running:
            return
        self._is_due = True
        delay = self.next_at - monotonic()
        if delay > 0:
            self._app.set_timer(delay, self._begin)
        else:
            self._app.call_later(self._begin)

    def _begin(self) -> None:
        if not self._is_due:
            return  # refresh() was called meanwhile
        if self.input_priority.is_active:
            self._app.set_timer(PRIORITY_POLL, self._begin)
        else:
            self.refresh()

    def refresh(self) -> None:
        """Bring the screen up to date at once."""
        self._is_due = False
        self._began_at = monotonic()
        # The widgets only note that they changed; Textual draws them in turns of its own. What it calls after
        # that sees how long all of it took.
        self._app.call_after_refresh(self._measure)
        self._update()

    def _measure(self) -> None:
        took = monotonic() - self._began_at
        self.next_at = self._began_at + max(1 / MAX_FPS, DRAW_SHARE * took)


BACKGROUND_SLICE: Final = 0.008
"""Seconds of work in a slice."""

BACKGROUND_PAUSE: Final = 0.002
"""Seconds between two slices, for everything else."""


class BackgroundSteps:
    """Does long work in slices. Each task is an iterator whose steps take a millisecond or a few.

    Args:
        owner: The widget whose timers begin the slices; they end with it.
    """

    def __init__(self, owner: MessagePump) -> None:
        self._owner = owner
        self._tasks: dict[str, Iterator[None]] = {}
        self._is_working = False
        self._timer: Timer | None = None

    def begin(self, name: str, steps: Iterator[None]) -> None:
        """Do a task in place of the one with the same name; its first slice at once."""
        self._tasks[name] = steps
        self._work()

    def cancel_all(self) -> None:
        """Do no more of any task."""
        self._tasks.clear()

    def _work(self) -> None:
        if self._is_working:  # a step of a task began another task, which gets its turn
            return
        self._is_working = True
        until = monotonic() + BACKGROUND_SLICE
        try:
            while self._tasks and monotonic() < until:
                self._step(next(iter(self._tasks)))
        finally:
            self._is_working = False
        if self._tasks and self._timer is None:
            self._timer = self._owner.set_timer(BACKGROUND_PAUSE, self._resume)

    def _step(self, name: str) -> None:
        steps = self._tasks[name]
        for _ in steps:
            return
        if self._tasks.get(name) is steps:
            del self._tasks[name]

    def _resume(self) -> None:
        self._timer = None
        self._work()


class TimeLimitExceeded(Exception):
    """A computation took longer than it may."""


@contextmanager
def limit_cpu_time(seconds: float) -> Iterator[None]:
    """Interrupt what runs inside after some seconds of computing.

    Python checks for signals between bytecode instructions and, since 3.11, inside of a regular expression's
    search. Signals are handled in the main thread only, so another thread is not interrupted.

    Args:
        seconds: The CPU time in user mode, which is what ITIMER_VIRTUAL counts.

    Raises:
        TimeLimitExceeded: The time is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    is_armed = True

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if is_armed:
            raise TimeLimitExceeded(f"more than {seconds} s")

    with replace_signal_handlers({signal.SIGVTALRM: interrupt}):
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        try:
            yield
        finally:
            # The timer may fire between the end of the block and the next line: its handler must not raise
            # here, where the work is done and nothing would catch it.
            is_armed = False
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
