"""One session from its beginning to its end, beside the screen: nothing here knows how anything looks.

The rule: however the explorer comes to its end, the session is left, and so the child is ended.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from time import monotonic
from typing import TYPE_CHECKING, Any, Protocol

from tui_ipc.ipc.errors import IpcError
from tui_ipc.session.events import Event, MessageSent
from tui_ipc.session.recording import RecordingError
from tui_ipc.session.session import HandshakeError, NotListening
from tui_ipc.tui.precedence import Precedence

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

SLICE = 0.002
"""After how many seconds of taking in events everybody else gets a turn."""

REST = 0.001
"""How long that turn is at least, in seconds."""


class Explored(Protocol):
    """What the explorer needs of a session; :class:`~tui_ipc.session.session.Session` is one."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *reason: Any) -> Any: ...
    async def ready(self) -> None: ...
    async def send(self, value: Any) -> MessageSent: ...
    async def quit(self) -> None: ...
    async def restart(self) -> None: ...
    def signal(self, number: int) -> None: ...
    def events(self) -> AsyncIterator[Event]: ...
    def diagnosis(self) -> "Diagnosis": ...


class SessionKeeper:
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
        session: Explored,
        on_event: Callable[[Event], None],
        on_refused: Callable[[str, str], None],
        on_ended: Callable[[RecordingError | None], None],
        precedence: Precedence | None = None,
    ) -> None:
        self._session = session
        self._on_event = on_event
        self._on_refused = on_refused
        self._on_ended = on_ended
        self._precedence = precedence or Precedence()
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
        self._life.add_done_callback(lambda life: on_over(_cause(life)))

    def post(self, tag: str, value: Any) -> None:
        """Send a value when its turn comes and somebody listens."""
        self._outbox.put_nowait((tag, value))

    def restart(self) -> None:
        """End the run and begin the next. Messages still to be sent were meant for the old one: they go."""
        if self._tasks is None or self.leaving or self.restarting:
            return
        self._drop_outbox()
        self._restart = self._tasks.create_task(self._restarted())

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
        rest_at = monotonic() + SLICE
        broken: RecordingError | None = None
        try:
            async for event in self._session.events():
                self._on_event(event)
                if monotonic() >= rest_at:
                    await self._rest()
                    rest_at = monotonic() + SLICE
        except RecordingError as error:
            broken = error
        self._on_ended(broken)

    async def _rest(self) -> None:
        """Let everybody else have a turn, and a key as many as it needs."""
        while True:
            await asyncio.sleep(REST)
            if not self._precedence.taken:
                break

    async def _post(self) -> None:
        while True:
            tag, value = await self._outbox.get()
            try:
                await self._session.ready()
                await self._session.send(value)
            except (HandshakeError, NotListening, IpcError, TypeError, ValueError) as error:
                self._on_refused(tag, str(error))

    async def _restarted(self) -> None:
        try:
            await self._session.restart()
        except NotListening:
            return  # the session was left meanwhile


def _cause(life: asyncio.Task[None]) -> BaseException | None:
    """What a life ended of: None if it was left or cut short, else the error, unwrapped from its groups."""
    error = None if life.cancelled() else life.exception()
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
