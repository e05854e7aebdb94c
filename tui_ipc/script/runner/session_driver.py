"""Drives a session for a script: reads its events while something is waited for, sends, signals, restarts,
quits.

Whoever waits reads the events, and reports them, until what it waits for is so. No other task does that,
and a message that leaves at once costs neither a task nor a timer.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from math import inf
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from tui_ipc.events import AnyEvent, MessageReceived, MessageSent, ScriptStepState
from tui_ipc.osutil.async_waits import LAST_LOOKS
from tui_ipc.script.output import OutputLostError
from tui_ipc.script.runner.run_state import RunState

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis
    from tui_ipc.session.session import Session

T = TypeVar("T")

_FINAL_REPORT_TIMEOUT: Final = 0.5  # seconds for the last reports of a run that was broken off
_SENDS_PER_TURN: Final = 64  # messages that may leave at once before the events are read
_MAX_UNCLAIMED: Final = 100  # messages that no step took, kept of runs that are over


class TooManyMessages(Exception):
    """The child sent more messages than are kept while something else is waited for."""


class SessionDriver:
    """Drives a session. An asynchronous context manager that begins the session and leaves it.

    Args:
        session: A session that has not begun.
        report_event: Called with each event, in order; the next one is read once it has returned. The time
            that it takes does not count for any deadline.

    Attributes:
        run_state: The state of the run that the latest event belongs to.
        unclaimed: The first messages of earlier runs that no step took.
        unclaimed_count: The number of such messages.
    """

    def __init__(self, session: "Session", report_event: Callable[[AnyEvent], Awaitable[None]]) -> None:
        self.run_state = RunState(0)
        self.unclaimed: list[MessageReceived] = []
        self.unclaimed_count = 0
        self._session = session
        self._report_event = report_event
        self._last_looks = 0  # turns of the loop that are left after the deadline
        self._sent_at_once = 0  # messages that left without a wait since the events were read for their sake
        self._at_deadline: Diagnosis | None = None  # when a message had not been taken in time
        self._report_broken_off = False  # an event was reported in part or not at all: none can follow it

    async def __aenter__(self) -> Self:
        self._clock = asyncio.get_running_loop().time
        self._wait = InterruptibleWait()
        await self._session.__aenter__()
        self._events = self._session.events()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the run and report its last events; after an exception only those that can be reported soon."""
        self._wait.close()
        self.run_state.ending = True
        # The session waits until its events are read, so they are read by a task while it is left.
        reading = asyncio.create_task(self._read_to_end())
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

    def read_events_until(
        self, condition: Callable[[], object], timeout: float | None = None, *, holding: bool = False
    ) -> Coroutine[Any, Any, bool]:
        """Read events until something is so.

        Args:
            condition: Called before each event.
            timeout: Seconds to wait at most, without the time that reports take.
            holding: Whether to stop reading once no more messages can be kept, so that the child has to wait.

        Returns:
            Whether the condition was met; False if the time passed first, or the session is over.

        Raises:
            OutputLostError: An event cannot be reported.
            TooManyMessages: More messages came than are kept, and ``holding`` is not set.
        """
        self._wait.deadline = inf if timeout is None else self._clock() + timeout
        self._last_looks = LAST_LOOKS if timeout else 0
        return self.continue_until(condition, holding=holding)

    async def continue_until(self, condition: Callable[[], object], *, holding: bool = False) -> bool:
        """As :meth:`read_events_until`, with the deadline that its last call set."""
        wait = self._wait
        while not condition():
            held = holding and self.run_state.received.is_full
            event = None if held else self._events.take()
            if event is None:
                more = await wait.wait(_wait_forever if held else self._events.wait)
                if more is False:
                    return bool(condition())
                if more is None and wait.is_expired:
                    if not self._last_looks:
                        return bool(condition())
                    # This process may have been stopped until after the deadline: what has arrived counts.
                    self._last_looks -= 1
                    await asyncio.sleep(0)
                continue
            self._apply(event)
            began = self._clock()
            try:
                await self._report_event(event)
            except BaseException:
                self._report_broken_off = True
                raise
            wait.deadline += self._clock() - began  # a slow reader of our output is not the child's fault
            if self.run_state.received.dropped and not self.run_state.ending:
                raise TooManyMessages
        return True

    @property
    def seconds_left(self) -> float:
        """The seconds until the deadline of the last wait; none are left if it has passed."""
        return max(self._wait.deadline - self._clock(), 0.0)

    def send(self, value: Any, timeout: float) -> Coroutine[Any, Any, bool]:
        """Send a message; returns False if the child did not take it in time.

        Raises:
            NotConnected: No child can be sent to.
            TypeError: A message cannot hold such a value.
            ValueError: A message cannot hold this value, or it is too large.
        """
        return self._read_while_sending(self._session.send(value), timeout)

    def send_raw(self, data: bytes, timeout: float) -> Coroutine[Any, Any, bool]:
        """Send bytes as they are; as :meth:`send`."""
        return self._read_while_sending(self._session.send_raw(data), timeout)

    @property
    def is_recorded(self) -> bool:
        """Whether the session is recorded."""
        return self._session.is_recorded

    def record_step(
        self,
        script: str,
        line: int,
        text: str,
        state: ScriptStepState,
        sentence: str = "",
        details: tuple[str, ...] = (),
    ) -> None:
        """Record that a step begins, has passed, or has failed and why."""
        self._session.record_script_step(script, line, text, state, sentence, details)

    def signal(self, number: int) -> None:
        """Send a signal to the child.

        Raises:
            NotConnected: No child runs.
            ValueError: The machine has no such signal.
        """
        self._session.signal(number)

    async def quit(self) -> RunState:
        """End the run; returns its state."""
        run_state = self.run_state
        run_state.ending = True
        await self._read_events_while(asyncio.create_task(self._session.quit()))
        await self.read_events_until(lambda: run_state.audit is not None)
        return run_state

    async def restart(self) -> RunState:
        """End the run, begin the next one, and wait for its handshake; returns the state of the next run."""
        before = self.run_state
        await self._read_events_while(asyncio.create_task(self._session.restart()))
        await self.read_events_until(lambda: self.run_state is not before)
        return await self.wait_for_handshake()

    async def wait_for_handshake(self) -> RunState:
        """Wait until the handshake has succeeded or failed, for which the session has a deadline."""
        await self.read_events_until(
            lambda: self.run_state.is_open or self.run_state.handshake_failure is not None
        )
        return self.run_state

    def diagnose(self, count: int) -> tuple[str, ...]:
        """The sentences that best explain why nothing happens; none of a child that has ended."""
        if self.run_state.exited is not None:
            return ()
        return (self._at_deadline or self._session.diagnosis()).sentences[:count]

    async def _read_while_sending(self, sending: Coroutine[Any, Any, MessageSent], timeout: float) -> bool:
        task = start_eagerly(sending)
        if task is not None:
            return await self._read_events_while(task, timeout)
        self._sent_at_once += 1
        # A script that only sends never waits, and its events would pile up.
        if self._sent_at_once == _SENDS_PER_TURN:
            self._sent_at_once = 0
            await self.read_events_until(lambda: False, 0, holding=True)
        return True

    async def _read_events_while(self, task: asyncio.Future[Any], timeout: float | None = None) -> bool:
        """Read events until a task is done; if it is not done in time, cancel it and return False."""
        task.add_done_callback(lambda _: self._wait.interrupt())
        try:
            await self.read_events_until(task.done, timeout)
            if not task.done():
                self._at_deadline = self._session.diagnosis()  # while the message still waits
        finally:
            task.cancel()  # does nothing if it is done
            await asyncio.wait([task])
        if task.cancelled():
            return False
        task.result()
        return True

    def _apply(self, event: AnyEvent) -> None:
        if event.run != self.run_state.run:
            left = self.run_state.received
            self.unclaimed += left.first(_MAX_UNCLAIMED - len(self.unclaimed))
            self.unclaimed_count += len(left) + left.dropped
            self.run_state = RunState(event.run)
        self.run_state.apply(event)

    async def _read_to_end(self) -> OutputLostError | None:
        """Read the events to their end, even if they cannot be reported: the session waits for that."""
        lost = None
        while True:
            event = self._events.take()
            if event is None:
                if await self._events.wait():
                    continue
                return lost
            self._apply(event)
            if not self._report_broken_off:
                try:
                    await self._report_event(event)
                except OutputLostError as error:
                    lost, self._report_broken_off = error, True


async def _wait_forever() -> bool:
    never: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    return await never


class InterruptibleWait:
    """Waits of one task, one after the other, each with a deadline; created in that task.

    A wait is broken off by cancelling the task, as ``asyncio.timeout`` does, so what is waited for must be
    safe to cancel. A wait that ends in time sets no timer: one timer serves all waits, and it is moved when
    it fires and not whenever a deadline is set.

    Attributes:
        deadline: When a wait ends at the latest, by the loop's clock. It may be moved at any time.
    """

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancel_requests = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_fires_at = inf
        self._is_waiting = False
        self._is_interrupted = False
        self.deadline = inf

    @property
    def is_expired(self) -> bool:
        """Whether the deadline has passed."""
        return self._loop.time() >= self.deadline

    async def wait(self, begin: Callable[[], Awaitable[T]]) -> T | None:
        """Wait for what ``begin`` returns; None if the deadline or an interruption came first."""
        if self._loop.time() >= self.deadline:
            return None
        if self.deadline < self._timer_fires_at:
            self._set_timer()
        self._is_waiting = True
        try:
            return await begin()
        except asyncio.CancelledError:
            # Our own request to cancel is taken back. If more are left than when this was created, somebody
            # else cancelled the task as well, and that must not be lost.
            if not self._is_interrupted or self._task.uncancel() > self._cancel_requests:
                raise
            return None
        finally:
            self._is_waiting = self._is_interrupted = False

    def interrupt(self) -> None:
        """Break off the wait, if there is one."""
        if self._is_waiting and not self._is_interrupted:
            self._is_interrupted = True
            self._task.cancel()

    def close(self) -> None:
        """Cancel the timer."""
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        self.close()
        self._timer_fires_at = self.deadline
        self._timer = self._loop.call_at(self.deadline, self._fire)

    def _fire(self) -> None:
        self._timer_fires_at = inf
        if not self._is_waiting:
            return
        if self.is_expired:
            self.interrupt()
        elif self.deadline < inf:  # it was moved since the timer was set
            self._set_timer()


def start_eagerly(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
    """Run a coroutine up to its first wait, as an eager task of Python 3.12 does.

    Args:
        coroutine: It may not ask for its task before its first wait: until then it runs in the caller's.

    Returns:
        The task that runs the rest of it; None if nothing is left, and then its result is lost.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    task = asyncio.create_task(_run_to_end(_StartedCoroutine(coroutine, awaited)))
    # A task that is cancelled before its first turn never reaches the coroutine, which would stay open.
    task.add_done_callback(lambda _: coroutine.close())
    return task


class _StartedCoroutine(Generator[Any, Any, T]):
    """The rest of a coroutine that waits already, to be awaited by a task.

    What the coroutine waits for was yielded to :func:`start_eagerly` and not to an event loop. The task has
    to yield it once more, for only what a task yields to its loop is waited for.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: Any) -> None:
        self._coroutine = coroutine
        self._awaited = [awaited]

    def __await__(self) -> Generator[Any, Any, T]:
        return self  # "await" needs an iterator with send() and throw(), which this is

    def send(self, value: Any) -> Any:
        return self._awaited.pop() if self._awaited else self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)


async def _run_to_end(rest: _StartedCoroutine[T]) -> T:
    return await rest
