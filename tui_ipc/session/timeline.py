"""The clock of a session, and the bounded queue of its events.

Every event is kept, in order, until the consumer takes it. Whatever could add without limit waits for
:meth:`Timeline.wait_for_space` after adding.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Self, assert_never

from tui_ipc import events as ev
from tui_ipc.events.message_values import estimate_memory
from tui_ipc.ipc.wakeup import Wakeup

MAX_EVENTS: Final = 1000
MAX_BYTES: Final = 8 * 1024 * 1024
"""Above either, producers wait: events, and bytes of memory for messages and output in them."""


class Timeline:
    """What happens in a session, from its first event to its last; an asynchronous iterator for one consumer.

    The iteration ends once the timeline was closed and its last event taken. It may be broken off and taken
    up again. Taking an event is cancel-safe.

    Args:
        max_events: See :data:`MAX_EVENTS`.
        max_bytes: See :data:`MAX_BYTES`.
        record: Called with each event when it happens, before the consumer gets it; must neither wait nor
            raise.
    """

    def __init__(
        self,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
        *,
        record: Callable[[ev.AnyEvent], None] | None = None,
    ) -> None:
        self._record = record
        self._begin = time.monotonic_ns()
        self._latest = 0
        self._events: deque[tuple[ev.AnyEvent, int]] = deque()  # each with its weight
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._closed = False
        self._consumer: Wakeup | None = None
        self._waiting = False  # the consumer, for the next event
        self._delivering = False  # deliver() wakes the consumer afterwards
        self._space = asyncio.Event()
        self._space.set()

    @property
    def is_full(self) -> bool:
        """True while producers have to wait for the consumer."""
        return not self._space.is_set()

    @property
    def is_recorded(self) -> bool:
        """Whether something records the events."""
        return self._record is not None

    def begin(self) -> None:
        """Set the clock to 0, before the first event."""
        self._begin = time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since the session began."""
        return time.monotonic_ns() - self._begin

    def stamp(self, at: int | None = None) -> int:
        """The ``at`` of the next event: this one, or now, but never before an earlier event's."""
        self._latest = max(self._latest, self.now() if at is None else at)
        return self._latest

    def add(self, event: ev.AnyEvent) -> None:
        """Append an event, without waiting."""
        if self._record is not None:
            self._record(event)
        weight = _count_bytes(event)
        self._events.append((event, weight))
        self._bytes += weight
        if len(self._events) >= self._max_events or self._bytes >= self._max_bytes:
            self._space.clear()
        self._wake()

    def record_only(self, event: ev.AnyEvent) -> None:
        """Record an event that the consumer of the events has no use for."""
        if self._record is not None:
            self._record(event)

    def deliver(self, resume: Callable[[], None]) -> None:
        """Call what adds events, and then resume the consumer at once, instead of a turn of the loop later.

        A receiver of :mod:`tui_ipc.ipc.aio` has its waiting task resumed through this, so that a message
        becomes an event, and reaches the consumer, in the turn of the loop in which it came. Only the loop
        may call this: inside a task, no other can be resumed.
        """
        self._delivering = True
        try:
            resume()
        finally:
            self._delivering = False
        if self._events and self._consumer is not None:
            self._consumer.wake()

    async def wait_for_space(self) -> None:
        """Wait until the consumer has caught up to below the bounds."""
        await self._space.wait()

    def close(self) -> None:
        """No event follows: the iteration ends after the last one."""
        self._closed = True
        self._wake()

    def __aiter__(self) -> Self:
        return self

    def take(self) -> ev.AnyEvent | None:
        """The next event if it has happened already, else None; for the consumer, without waiting."""
        if not self._events:
            return None
        event, weight = self._events.popleft()
        self._bytes -= weight
        if (
            not self._space.is_set()
            and len(self._events) < self._max_events
            and self._bytes < self._max_bytes
        ):
            self._space.set()
        return event

    async def wait(self) -> bool:
        """Wait, where there is no event to take, until there may be one; False if no event follows.

        Raises:
            RuntimeError: Another task waits.
        """
        if self._closed:
            return False
        if self._waiting:
            raise RuntimeError("a session's events have one consumer; another task waits for them already")
        if self._consumer is None:
            self._consumer = Wakeup(asyncio.get_running_loop())
        self._waiting = True
        try:
            await self._consumer
        finally:
            self._waiting = False
        return True

    async def __anext__(self) -> ev.AnyEvent:
        while (event := self.take()) is None:
            if not await self.wait():
                raise StopAsyncIteration
        return event

    def _wake(self) -> None:
        if self._consumer is not None and not self._delivering:
            self._consumer.wake_soon()


def _count_bytes(event: ev.AnyEvent) -> int:
    match event:
        case ev.MessageSent() | ev.MessageReceived():
            return estimate_memory(event.value, event.raw)
        case ev.HelloReceived():
            return len(event.raw)
        case ev.ChildOutput():
            return len(event.data)
        case ev.Fault():
            return len(event.received)
        case ev.Note():
            return len(event.text)
        case (
            ev.ServerListening()
            | ev.ChildSpawned()
            | ev.ChildConnected()
            | ev.ChannelsOpen()
            | ev.StepLate()
            | ev.HandshakeFailed()
            | ev.ChannelClosed()
            | ev.SignalSent()
            | ev.ChildStopped()
            | ev.ChildContinued()
            | ev.ChildExited()
            | ev.Audit()
            | ev.ScriptStep()
        ):
            return 0  # a few hundred bytes each: MAX_EVENTS bounds them
        case _:
            assert_never(event)
