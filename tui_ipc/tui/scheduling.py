"""Who uses the event loop next: keys, one by one, before the child's events; pictures at a bounded rate.

From the press of a key until the screen shows its effect, the child's events wait. If they are many, the
child waits too: the session's queue fills, and nothing more is read. A key that is held down does not silence
the child, since everything else gets at least half of the time.
"""

import asyncio
import os
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from itertools import count
from time import monotonic
from types import FrameType
from typing import Any, Final

from textual import events, screen
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


INPUT_TIMEOUT: Final = 0.5
"""Seconds after which a key is delivered although the one before has not been handled yet."""

INPUT_TURNS: Final = 200
"""Turns of the event loop that it waits at least: on a busy machine, few of them fit into that time."""


class InputQueue:
    """Delivers keys and pastes one after the other, each when all that the one before it caused is done.

    Textual hands a key to the widget that has the focus, and takes the next one before the first has acted:
    of keys that come at once, the later ones would go where the first one leaves. What a key does is a chain
    of messages from widget to widget, of which each may add others and mount or remove widgets. It is done
    once every widget is mounted and waits for its next message.

    Args:
        app: The app whose input it is.
        deliver: Called in the app's message loop, to hand an event to the widget that has the focus.
        on_handled: Called when an event was handled.
    """

    def __init__(
        self,
        app: App[Any],
        deliver: "Callable[[events.Key | events.Paste], Awaitable[None]]",
        on_handled: Callable[[], None],
    ) -> None:
        self._app = app
        self._deliver = deliver
        self._on_handled = on_handled
        self._waiting: asyncio.Queue[events.Key | events.Paste] = asyncio.Queue()

    def add(self, event: "events.Key | events.Paste") -> None:
        """Deliver an event after those before it."""
        self._waiting.put_nowait(event)

    async def run(self) -> None:
        """Deliver what is added, until this is cancelled."""
        while True:
            event = await self._waiting.get()
            await self._wait_until_idle()
            self._app.call_later(self._deliver, event)
            await self._wait_until_idle()
            self._on_handled()

    async def _wait_until_idle(self) -> None:
        """Return once nothing is under way, or after a while: an action may wait for something else."""
        until = monotonic() + INPUT_TIMEOUT
        # No event says that all nodes are idle. Nearly always they are after some twenty turns.
        for turn in count():
            if self._is_idle() or (turn >= INPUT_TURNS and monotonic() >= until):
                return
            await asyncio.sleep(0)

    def _is_idle(self) -> bool:
        # Private: Textual tells nobody which of its nodes is busy. Its list holds every node of all screens.
        nodes = (self._app, *self._app._registry)
        searches = (worker for worker in self._app.workers if worker.node is self._app.screen)
        return all(map(_is_waiting, nodes)) and all(worker.is_finished for worker in searches)


def _is_waiting(node: MessagePump) -> bool:
    """Whether a node has nothing to do: its loop waits for its next message, or has ended."""
    if node._closing or node._closed:
        return True
    queue: Any = node._message_queue
    return queue.empty() and bool(queue.ready_event._waiters)  # empty, too, while the last one is handled


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
