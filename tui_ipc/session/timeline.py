"""The session's one clock, and the bounded queue of what happened by it.

The one rule: every event is kept, in order, until the consumer takes it. Nothing is ever discarded; whoever
could add without limit waits for :meth:`Timeline.room` after adding.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Self

from tui_ipc.events import AnyEvent, ChildOutput, HelloReceived, MessageReceived, MessageSent
from tui_ipc.ipc.wakeup import Wakeup

MAX_EVENTS: Final = 1000
MAX_BYTES: Final = 8 * 1024 * 1024
"""Above either, producers wait: events, and bytes of messages and output in them."""


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
        record: Callable[[AnyEvent], None] | None = None,
    ) -> None:
        self._record = record
        self._begin = time.monotonic_ns()
        self._latest = 0
        self._events: deque[tuple[AnyEvent, int]] = deque()  # each with its weight
        self._bytes = 0
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._closed = False
        self._consumer: Wakeup | None = None
        self._waiting = False  # the consumer, for the next event
        self._gathering = False  # whoever calls add() wakes the consumer afterwards
        self._room = asyncio.Event()
        self._room.set()

    @property
    def full(self) -> bool:
        """True while producers have to wait for the consumer."""
        return not self._room.is_set()

    def begin(self) -> None:
        """Set the clock to 0, before the first event."""
        self._begin = time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since the session began."""
        return time.monotonic_ns() - self._begin

    def stamp(self, moment: int | None = None) -> int:
        """The ``at`` of the next event: ``moment``, or now, but never before an earlier event's."""
        self._latest = max(self._latest, self.now() if moment is None else moment)
        return self._latest

    def add(self, event: AnyEvent) -> None:
        """Append an event, without waiting."""
        if self._record is not None:
            self._record(event)
        weight = _count_bytes(event)
        self._events.append((event, weight))
        self._bytes += weight
        if len(self._events) >= self._max_events or self._bytes >= self._max_bytes:
            self._room.clear()
        self._wake()

    def gather(self, resume: Callable[[], None]) -> None:
        """Call what adds events, and then resume the consumer at once, instead of a turn of the loop later.

        Only for the loop to call: where a task is under way, no other can be resumed.
        """
        self._gathering = True
        try:
            resume()
        finally:
            self._gathering = False
        if self._events and self._consumer is not None:
            self._consumer.wake()

    async def room(self) -> None:
        """Wait until the consumer has caught up to below the bounds."""
        await self._room.wait()

    def close(self) -> None:
        """No event follows: the iteration ends after the last one."""
        self._closed = True
        self._wake()

    def __aiter__(self) -> Self:
        return self

    def take(self) -> AnyEvent | None:
        """The next event if it has happened already, else None; for the consumer, without waiting."""
        if not self._events:
            return None
        event, weight = self._events.popleft()
        self._bytes -= weight
        if not self._room.is_set() and len(self._events) < self._max_events and self._bytes < self._max_bytes:
            self._room.set()
        return event

    async def news(self) -> bool:
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

    async def __anext__(self) -> AnyEvent:
        while (event := self.take()) is None:
            if not await self.news():
                raise StopAsyncIteration
        return event

    def _wake(self) -> None:
        if self._consumer is not None and not self._gathering:
            self._consumer.wake_soon()


def _count_bytes(event: AnyEvent) -> int:
    match event:
        case MessageSent() | MessageReceived() | HelloReceived():
            return len(event.raw)
        case ChildOutput():
            return len(event.data)
        case _:
            return 0
