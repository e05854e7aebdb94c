"""One session from its beginning to its end, beside the screen: nothing here knows how anything looks.

The rule: however the explorer comes to its end, the session is left, and so the child is ended.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
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
"""After how many seconds of taking in events everybody else gets a turn."""

EVENT_PAUSE = 0.001
"""How long that turn is at least, in seconds."""


class ExplorableSession(Protocol):
    """What the explorer needs of a session; :class:`~tui_ipc.session.session.Session` is one."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *reason: Any) -> Any: ...
    async def ready(self) -> None: ...
    async def send(self, value: Any) -> MessageSent: ...
    async def quit(self) -> None: ...
    async def restart(self) -> None: ...
    def signal(self, number: int) -> None: ...
    def events(self) -> AsyncIterator[AnyEvent]: ...
    def diagnosis(self) -> "Diagnosis": ...


class SessionController:
    """Begins a session, passes its events on, sends what is to be sent, and ends it.

    Args:
        session: A session that has not begun.
        on_event: Called with each event, in order.
        on_refused: Called with the tag of a message that could not be sent, and the sentence that says why.
        on_ended: Called when no event will follow, with what is wrong with the recording that they came from,
            if anything is.
        precedence: While it is taken, no event is passed on.
    """

    def __init__(
        self,
        session: ExplorableSession,
        on_event: Callable[[AnyEvent], None],
        on_refused: Callable[[str, str], None],
        on_ended: Callable[[RecordingError | None], None],
        precedence: InputPriority | None = None,
    ) -> None:
        self._session = session
        self._on_event = on_event
        self._on_refused = on_refused
        self._on_ended = on_ended
        self._precedence = precedence or InputPriority()
        self._outbox: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        self._leaving = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None
        self._life: asyncio.Task[None] | None = None
        self._restart: asyncio.Task[None] | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def leaving(self) -> bool:
        """True once the session is being left."""
        return self._leaving.is_set()

    @property
    def restarting(self) -> bool:
        """True while the end of one run is awaited to begin the next."""
        return self._restart is not None and not self._restart.done()

    @property
    def ending(self) -> bool:
        """True while the end of a run is awaited, and nothing is to follow."""
        return self._ending is not None and not self._ending.done()

    def start(self, on_over: Callable[[BaseException | None], None]) -> None:
        """Begin the session; ``on_over`` is called at its end, with what went wrong, if anything."""
        self._life = asyncio.create_task(self._live())
        self._life.add_done_callback(lambda life: on_over(_find_cause(life)))

    def post(self, tag: str, value: Any) -> None:
        """Send a value when its turn comes and somebody listens."""
        self._outbox.put_nowait((tag, value))

    def restart(self) -> None:
        """End the run and begin the next. Messages still to be sent were meant for the old one: they go."""
        if self._tasks is None or self.leaving or self.restarting:
            return
        self._drop_outbox()
        self._restart = self._tasks.create_task(self._run_restart())

    def end(self) -> None:
        """End the run, and stay. Messages still to be sent were meant for it: they go."""
        if self._tasks is None or self.leaving or self.restarting or self.ending:
            return
        self._drop_outbox()
        self._ending = self._tasks.create_task(self._session.quit())

    def leave(self) -> None:
        """End the session; asked for again, end it without waiting for the child's leave."""
        if self.leaving and self._life is not None:
            self._life.cancel()
        self._leaving.set()

    async def left(self) -> None:
        """Leave the session, and return once nothing is left of it."""
        self._leaving.set()
        if self._life is not None:
            await asyncio.wait([self._life])

    def _drop_outbox(self) -> None:
        while not self._outbox.empty():
            self._outbox.get_nowait()

    async def _live(self) -> None:
        async with asyncio.TaskGroup() as self._tasks, self._session:
            # The stream of events ends when the session was left, and with it the task that follows it.
            self._tasks.create_task(self._follow())
            posting = self._tasks.create_task(self._post())
            await self._leaving.wait()
            posting.cancel()

    async def _follow(self) -> None:
        rest_at = monotonic() + EVENT_SLICE
        broken: RecordingError | None = None
        try:
            async for event in self._session.events():
                self._on_event(event)
                if monotonic() >= rest_at:
                    await self._let_others_run()
                    rest_at = monotonic() + EVENT_SLICE
        except RecordingError as error:
            broken = error
        self._on_ended(broken)

    async def _let_others_run(self) -> None:
        """Let everybody else have a turn, and a key as many as it needs."""
        while True:
            await asyncio.sleep(EVENT_PAUSE)
            if not self._precedence.taken:
                break

    async def _post(self) -> None:
        while True:
            tag, value = await self._outbox.get()
            try:
                await self._session.ready()
                await self._session.send(value)
            except (HandshakeError, NotConnected, IpcError, TypeError, ValueError) as error:
                self._on_refused(tag, str(error))

    async def _run_restart(self) -> None:
        try:
            await self._session.restart()
        except NotConnected:
            return  # the session was left meanwhile


def _find_cause(life: asyncio.Task[None]) -> BaseException | None:
    """What a life ended of: None if it was left or cut short, else the error, unwrapped from its groups."""
    error = None if life.cancelled() else life.exception()
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


RecorderState = Literal["off", "on", "failed"]


class SessionRecorder:
    """Give it to a session as ``record``; it passes events on while it is on.

    Args:
        command: What is recorded, as it was asked for.

    Attributes:
        on_failure: Called with a sentence should a recording end early.
        failures: What was said of those that did.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self.on_failure: Callable[[str], None] | None = None
        self.failures: list[str] = []
        self._command = tuple(command)
        self._recorder: RecordingWriter | None = None
        self._summary = RunSummary(0)
        self._latest = 0

    @property
    def state(self) -> RecorderState:
        """Whether it writes; ``failed`` if it should and cannot."""
        if self._recorder is None:
            return "off"
        return "on" if self._recorder.failure is None else "failed"

    @property
    def path(self) -> str:
        """The file of the recording that is on; empty while none is."""
        return "" if self._recorder is None else self._recorder.path

    @property
    def size(self) -> int:
        """Bytes in that file, with those about to be written."""
        return 0 if self._recorder is None else self._recorder.size

    def __call__(self, event: AnyEvent) -> None:
        """Take in an event."""
        if event.run != self._summary.run:
            self._summary = RunSummary(event.run)
        self._summary.add(event)
        self._latest = event.at
        if self._recorder is not None:
            self._recorder(event)

    def start(self, path: str) -> None:
        """Record from now on.

        Raises:
            RecordingError: The file cannot be made, or is not ours to replace.
        """
        self.stop()
        self._recorder = RecordingWriter(path, command=self._command, on_failure=self._on_failure)
        for event in shift_events(self._summary.events, self._latest):
            self._recorder(event)

    def stop(self) -> None:
        """Record no more. Stopping twice is harmless."""
        if self._recorder is not None:
            self._recorder.close()
            self._recorder = None

    def _on_failure(self, sentence: str) -> None:
        self.failures.append(sentence)
        if self.on_failure is not None:
            self.on_failure(sentence)
