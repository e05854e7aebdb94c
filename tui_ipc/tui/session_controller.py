"""The session beside the screen: begins it, passes its events on, ends it, and records it on demand.

However the explorer ends, the session is left, and so the child is ended.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from enum import Enum, auto
from time import monotonic
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.ipc.errors import IpcError
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.handshake import HandshakeError
from tui_ipc.tui.model.run_summary import RunSummary, shift_events
from tui_ipc.tui.scheduling import InputPriority

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

EVENT_SLICE = 0.002
"""Seconds for which events are passed on at a time, before other tasks get a turn."""

EVENT_PAUSE = 0.001
"""Seconds that this turn takes at least."""


LAST_SLICE = 0.2
"""Seconds for what was put off when the session has ended; after a flood not all of it is done."""


class ExplorableSession(Protocol):
    """What the explorer needs of a session; :class:`~tui_ipc.session.session.Session` is one."""

    @property
    def match(self) -> str | None: ...
    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *reason: Any) -> Any: ...
    async def ready(self) -> None: ...
    async def send(self, value: Any) -> MessageSent: ...
    async def quit(self) -> None: ...
    async def restart(self) -> None: ...
    def signal(self, number: int) -> None: ...
    def resize(self, rows: int, columns: int) -> None: ...
    def add_note(self, text: str, about: int | None = None) -> None: ...
    def events(self) -> AsyncIterator[AnyEvent]: ...
    def diagnosis(self) -> "Diagnosis": ...
    def time_of(self, at: int) -> datetime | None: ...


class SessionPhase(Enum):
    """What a controller does with its session."""

    RUNNING = auto()
    RESTARTING = auto()  # waits for the end of a run, to begin the next
    ENDING = auto()  # waits for the end of a run; the session stays without a child
    LEAVING = auto()  # waits for the end of the session; nothing follows


class SessionController:
    """Begins a session, passes its events on, sends messages, and ends it.

    Args:
        session: A session that has not begun.
        on_event: Called with each event, in order.
        on_refused: Called with the tag of a message that could not be sent, and a sentence that says why.
        on_ended: Called when no event will follow, with what is wrong with the recording that the events came
            from, if anything is.
        input_priority: While a key has priority, no event is passed on.
        catch_up: Does what was put off when events were passed on, until a moment of the monotonic clock;
            returns whether nothing is left to do. None if nothing is put off.

    Attributes:
        phase: What it does with the session.
    """

    def __init__(
        self,
        session: ExplorableSession,
        on_event: Callable[[AnyEvent], None],
        on_refused: Callable[[str, str], None],
        on_ended: Callable[[RecordingError | None], None],
        input_priority: InputPriority | None = None,
        catch_up: Callable[[float], bool] | None = None,
    ) -> None:
        self.phase = SessionPhase.RUNNING
        self._session = session
        self._on_event = on_event
        self._on_refused = on_refused
        self._on_ended = on_ended
        self._input_priority = input_priority or InputPriority()
        self._catch_up = catch_up
        self._is_behind = asyncio.Event()
        self._outbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._leave_requested = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None  # None until the session's task runs
        self._session_task: asyncio.Task[None] | None = None

    def start(self, on_over: Callable[[BaseException | None], None]) -> None:
        """Begin the session; ``on_over`` is called at its end, with what went wrong, if anything."""
        self._session_task = asyncio.create_task(self._run_session())
        self._session_task.add_done_callback(lambda task: on_over(_find_cause(task)))

    def post(self, tag: str, value: Any) -> None:
        """Send a value once those before it are sent and the handshake is complete."""
        self._outbox.put_nowait((tag, value))

    def restart(self) -> None:
        """End the run and begin the next. Messages still to be sent were meant for the old run: they go."""
        if self._tasks is None or self.phase in (SessionPhase.RESTARTING, SessionPhase.LEAVING):
            return
        self._drop_outbox()
        self.phase = SessionPhase.RESTARTING
        # Tasks of the group: leaving the session waits for them, and an error in them ends it.
        self._tasks.create_task(self._restart_run())

    def end(self) -> None:
        """End the run, and keep the session. Messages still to be sent were meant for the run: they go."""
        if self._tasks is None or self.phase is not SessionPhase.RUNNING:
            return
        self._drop_outbox()
        self.phase = SessionPhase.ENDING
        self._tasks.create_task(self._end_run())

    def leave(self) -> None:
        """End the session; called again, end it without waiting for the child to quit."""
        if self.phase is SessionPhase.LEAVING and self._session_task is not None:
            self._session_task.cancel()
        self._request_leave()

    async def wait_until_left(self) -> None:
        """Leave the session, and return once it has ended."""
        self._request_leave()
        if self._session_task is not None:
            await asyncio.wait([self._session_task])

    def _request_leave(self) -> None:
        self.phase = SessionPhase.LEAVING
        self._leave_requested.set()

    def _drop_outbox(self) -> None:
        while not self._outbox.empty():
            self._outbox.get_nowait()

    async def _run_session(self) -> None:
        async with asyncio.TaskGroup() as self._tasks:
            catching_up = self._tasks.create_task(self._keep_up())
            async with self._session:
                # The stream of events ends after the session was left, and with it the task that reads it.
                passing = self._tasks.create_task(self._pass_events())
                sending = self._tasks.create_task(self._send_posted())
                await self._leave_requested.wait()
                sending.cancel()
            await asyncio.wait([passing])
            catching_up.cancel()
            if self._catch_up is not None:
                self._catch_up(monotonic() + LAST_SLICE)  # the last words of the child are seen

    async def _pass_events(self) -> None:
        """Pass the events on. Should that fail, go on reading them: the session waits until they are read."""
        try:
            await self._pass_all_events()
        except Exception:
            self._discarding = asyncio.create_task(self._discard_events())
            raise

    async def _discard_events(self) -> None:
        async for _ in self._session.events():
            await asyncio.sleep(0)

    async def _pass_all_events(self) -> None:
        pause_at = monotonic() + EVENT_SLICE
        broken: RecordingError | None = None
        try:
            async for event in self._session.events():
                self._on_event(event)
                self._is_behind.set()
                # The stream does not yield to the loop while events are queued: in a flood this loop would
                # keep the keys and the screen waiting for as long as the child prints.
                if monotonic() >= pause_at:
                    await self._let_others_run()
                    pause_at = monotonic() + EVENT_SLICE
        except RecordingError as error:
            broken = error
        self._on_ended(broken)

    async def _keep_up(self) -> None:
        """Do what was put off, beside the events: whatever comes next does not wait for it."""
        while self._catch_up is not None:
            await self._is_behind.wait()
            if self._catch_up(monotonic() + EVENT_SLICE):
                self._is_behind.clear()
            await self._let_others_run()

    async def _let_others_run(self) -> None:
        """Give other tasks a turn; while a key has priority, as many turns as it needs."""
        while True:
            await asyncio.sleep(EVENT_PAUSE)
            if not self._input_priority.is_active:
                break

    async def _send_posted(self) -> None:
        while True:
            tag, value = await self._outbox.get()
            try:
                await self._session.ready()
                await self._session.send(value)
            except (HandshakeError, NotConnected, IpcError, TypeError, ValueError) as error:
                self._on_refused(tag, str(error))

    async def _restart_run(self) -> None:
        try:
            await self._session.restart()
        except NotConnected:
            return  # the session was left meanwhile
        finally:
            self._finish(SessionPhase.RESTARTING)

    async def _end_run(self) -> None:
        try:
            await self._session.quit()
        finally:
            self._finish(SessionPhase.ENDING)

    def _finish(self, phase: SessionPhase) -> None:
        if self.phase is phase:  # else it was restarted or left meanwhile, which is still going on
            self.phase = SessionPhase.RUNNING


def _find_cause(task: asyncio.Task[None]) -> BaseException | None:
    """Return the error that ended a session's task, out of its groups; None if it was left or cancelled."""
    error = None if task.cancelled() else task.exception()
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


RecorderState = Literal["off", "on", "failed"]


class SessionRecorder:
    """Writes the events of a session to a file while it is switched on; the session calls it with each event.

    A recording that begins in the middle of a run begins with the steps of that run so far.

    Args:
        command: The session's command, as the user gave it.

    Attributes:
        on_failure: Called with a sentence if a recording ends early.
        failures: The sentences of those that did.
        finished: The paths of the others that were stopped, and their sizes in bytes.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.on_failure: Callable[[str], None] | None = None
        self.failures: list[str] = []
        self.finished: list[tuple[str, int]] = []
        self._command = tuple(command)
        self._writer: RecordingWriter | None = None
        self._summary = RunSummary(0)
        self._latest = 0

    @property
    def state(self) -> RecorderState:
        """Whether it records; ``failed`` if it is on and cannot write."""
        if self._writer is None:
            return "off"
        return "on" if self._writer.failure is None else "failed"

    @property
    def path(self) -> str:
        """The path of the file while it is on, else empty."""
        return "" if self._writer is None else self._writer.path

    @property
    def replaced(self) -> str:
        """A sentence about the recording that the file held before, empty if it held none."""
        return "" if self._writer is None else self._writer.replaced

    @property
    def size(self) -> int:
        """Bytes in that file, including those about to be written."""
        return 0 if self._writer is None else self._writer.size

    def __call__(self, event: AnyEvent) -> None:
        """Record an event, if it is on."""
        if event.run != self._summary.run:
            self._summary = RunSummary(event.run)
        self._summary.add(event)
        self._latest = event.at
        if self._writer is not None:
            self._writer(event)

    def start(self, path: str) -> None:
        """Record from now on.

        Raises:
            RecordingError: The file cannot be made, or exists and is not a recording.
        """
        self.stop()
        self._writer = RecordingWriter(path, command=self._command, on_failure=self._on_failure)
        for event in shift_events(self._summary.events, self._latest):
            self._writer(event)
        self._writer.write_clock()  # the next event may be long after these

    def stop(self) -> None:
        """Stop recording. Stopping twice is harmless."""
        if self._writer is not None:
            self._writer.close()
            if self._writer.failure is None:
                self.finished.append((self._writer.path, self._writer.size))
            self._writer = None

    def _on_failure(self, sentence: str) -> None:
        self.failures.append(sentence)
        if self.on_failure is not None:
            self.on_failure(sentence)
