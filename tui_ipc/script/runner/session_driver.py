"""What the headless face does with a session and sees of it.

The one rule: whoever waits reads the events, and tells them, until what it waits for is so. There is no other
task for that, and none is made for a message that leaves at once.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from math import inf
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from tui_ipc.events import AnyEvent, MessageReceived, MessageSent
from tui_ipc.script.output import OutputLostError
from tui_ipc.script.runner.async_waits import InterruptibleWait, start_eagerly
from tui_ipc.script.runner.run_state import RunState

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

_FINAL_REPORT_TIMEOUT: Final = 0.5  # seconds for what is still to be told when the run was broken off
_SENDS_PER_TURN: Final = 64  # messages that leave at once before the events are looked at
_KEPT: Final = 100  # messages that no step took, of runs that are over


class Events(Protocol):
    """Everything that happens, in order; :class:`~tui_ipc.session.timeline.Timeline` documents it."""

    def take(self) -> AnyEvent | None:
        """The next event, if there is one already."""

    def news(self) -> Coroutine[Any, Any, bool]:
        """Wait until there may be one; False if none follows."""


class Watched(Protocol):
    """What is needed of a session; :class:`~tui_ipc.session.session.Session` has it and documents it."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *reason: Any) -> Any: ...

    def send(self, value: Any) -> Coroutine[Any, Any, MessageSent]:
        """Send a message."""

    def send_raw(self, data: bytes) -> Coroutine[Any, Any, MessageSent]:
        """Send bytes."""

    def signal(self, number: int) -> None:
        """Send a signal to the child."""

    def quit(self) -> Coroutine[Any, Any, None]:
        """End the run."""

    def restart(self) -> Coroutine[Any, Any, None]:
        """End the run and begin the next."""

    def events(self) -> Events:
        """Everything that happens."""

    def diagnosis(self) -> "Diagnosis":
        """What the child does at this moment."""


class TooManyMessages(Exception):
    """More messages came, unasked, than are kept while something else is waited for."""


class SessionDriver:
    """Follows a session. An asynchronous context manager that begins the session and leaves it.

    Args:
        session: A session that has not begun.
        tell: Called with each event, in order; the next is read once it has returned. Time that it takes
            counts for no deadline.

    Attributes:
        life: The run that the latest event belongs to.
        untaken: The first messages of earlier runs that no step took.
        untaken_count: How many there were.
    """

    def __init__(self, session: Watched, tell: Callable[[AnyEvent], Awaitable[None]]) -> None:
        self.life = RunState(0)
        self.untaken: list[MessageReceived] = []
        self.untaken_count = 0
        self._session = session
        self._tell = tell
        self._at_once = 0  # messages that left without a wait since the events were looked at for their sake
        self._mute = False  # something was told in part, or not at all: nothing can follow it

    async def __aenter__(self) -> Self:
        self._clock = asyncio.get_running_loop().time
        self._alarm = InterruptibleWait()
        await self._session.__aenter__()
        self._events = self._session.events()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the run and tell what there is to tell; of a run that was broken off, not at any price."""
        self._alarm.close()
        self.life.ending = True
        reading = asyncio.create_task(self._read_out())
        try:
            await self._session.__aexit__(None, None, None)
            await asyncio.wait([reading], timeout=None if kind is None else _FINAL_REPORT_TIMEOUT)
        finally:
            reading.cancel()
            await asyncio.wait([reading])
        if not reading.cancelled():
            lost = reading.result()
            if lost is not None:
                raise lost

    def until(
        self, happened: Callable[[], object], within: float | None = None, *, holding: bool = False
    ) -> Coroutine[Any, Any, bool]:
        """Read events until something is so.

        Args:
            happened: Asked before each event.
            within: Seconds to wait at most. Time in which whoever reads our output kept us waiting is none.
            holding: Read no more of a child that sends more messages than are kept: it has to wait.

        Returns:
            False if the time passed first, or the session is over.

        Raises:
            OutputLostError: What happens cannot be told any more.
            TooManyMessages: There is no room for the messages of a child that must not be held up.
        """
        self._alarm.deadline = inf if within is None else self._clock() + within
        return self.still_until(happened, holding=holding)

    async def still_until(self, happened: Callable[[], object], *, holding: bool = False) -> bool:
        """As :meth:`until`, with the deadline that was set by the last call of that."""
        alarm = self._alarm
        while not happened():
            held = holding and self.life.received.full
            event = None if held else self._events.take()
            if event is None:
                more = await alarm.wait(_wait_forever if held else self._events.news)
                if more is False or (more is None and alarm.passed):
                    return bool(happened())
                continue
            self._note(event)
            begun_at = self._clock()
            try:
                await self._tell(event)
            except BaseException:
                self._mute = True
                raise
            alarm.deadline += self._clock() - begun_at
            if self.life.received.dropped and not self.life.ending:
                raise TooManyMessages
        return True

    def send(self, value: Any, within: float) -> Coroutine[Any, Any, bool]:
        """Send a message; False if the child did not take it in time.

        Raises:
            NotConnected: There is nobody to send to.
            TypeError: A message cannot hold such a value.
            ValueError: Nor this one, or it is too large.
        """
        return self._sent(self._session.send(value), within)

    def send_raw(self, data: bytes, within: float) -> Coroutine[Any, Any, bool]:
        """Send bytes as they are; as :meth:`send`."""
        return self._sent(self._session.send_raw(data), within)

    def signal(self, number: int) -> None:
        """Send a signal to the child.

        Raises:
            NotConnected: There is none.
            ValueError: There is no such signal.
        """
        self._session.signal(number)

    async def quit(self) -> RunState:
        """End the run, and see how it ended."""
        life = self.life
        life.ending = True
        await self._meanwhile(asyncio.create_task(self._session.quit()))
        await self.until(lambda: life.audit is not None)
        return life

    async def restart(self) -> RunState:
        """Begin the next run, once the one before has ended; returns when its handshake is over."""
        before = self.life
        await self._meanwhile(asyncio.create_task(self._session.restart()))
        await self.until(lambda: self.life is not before)
        return await self.settled()

    async def settled(self) -> RunState:
        """The run, once its handshake has succeeded or failed; the session has a deadline for that."""
        await self.until(lambda: self.life.open or self.life.failed is not None)
        return self.life

    def diagnosis(self, sentences: int) -> tuple[str, ...]:
        """Why nothing happens, the most telling first; nothing of a child that ended: its state says all."""
        return () if self.life.exited is not None else self._session.diagnosis().sentences[:sentences]

    async def _sent(self, sending: Coroutine[Any, Any, MessageSent], within: float) -> bool:
        rest = start_eagerly(sending)
        if rest is not None:
            return await self._meanwhile(rest, within)
        self._at_once += 1
        if (
            self._at_once == _SENDS_PER_TURN
        ):  # a script that only sends waits for nothing, and each message is an event
            self._at_once = 0
            await self.until(lambda: False, 0, holding=True)
        return True

    async def _meanwhile(self, doing: asyncio.Future[Any], within: float | None = None) -> bool:
        """Read events until something is done; if it is not in time, call it off and return False."""
        doing.add_done_callback(lambda _: self._alarm.ring())
        try:
            await self.until(doing.done, within)
        finally:
            doing.cancel()  # unless it is done
            await asyncio.wait([doing])
        if doing.cancelled():
            return False
        doing.result()
        return True

    def _note(self, event: AnyEvent) -> None:
        if event.run != self.life.run:
            left = self.life.received
            self.untaken += left.first(_KEPT - len(self.untaken))
            self.untaken_count += len(left) + left.dropped
            self.life = RunState(event.run)
        self.life.note(event)

    async def _read_out(self) -> OutputLostError | None:
        """Read the events to their end, even when nobody can be told of them: the session waits for that."""
        lost = None
        while True:
            event = self._events.take()
            if event is None:
                if await self._events.news():
                    continue
                return lost
            self._note(event)
            if not self._mute:
                try:
                    await self._tell(event)
                except OutputLostError as error:
                    lost, self._mute = error, True


async def _wait_forever() -> bool:
    """Wait for nothing at all."""
    never: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    return await never
