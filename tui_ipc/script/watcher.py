"""What the headless face knows of a session, from its events and nothing else.

The one rule: one task reads the events; everybody else asks this object what happened, or waits for it.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from tui_ipc.script.sink import SinkLostError
from tui_ipc.session.events import (
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Event,
    Fault,
    HandshakeFailed,
    MessageReceived,
    MessageSent,
    SignalSent,
)
from tui_ipc.session.process import Exit

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

_TAIL: Final = 4096  # bytes of stderr that are kept
_LAST_TELLING: Final = 0.5  # seconds for what is still to be told when the run was broken off


class Watched(Protocol):
    """What is needed of a session; :class:`~tui_ipc.session.session.Session` has it and documents it."""

    async def __aenter__(self) -> Any: ...
    async def __aexit__(self, *reason: Any) -> Any: ...

    async def send(self, value: Any) -> MessageSent:
        """Send a message."""

    async def quit(self) -> None:
        """End the run."""

    def events(self) -> AsyncIterator[Event]:
        """Everything that happens."""

    def diagnosis(self) -> "Diagnosis":
        """What the child does at this moment."""


class Watcher:
    """Follows the events of one run. An asynchronous context manager that begins the session and leaves it.

    Args:
        session: A session that has not begun.
        tell: Called with each event, in order; the next is read once it has returned.

    Attributes:
        open: Whether messages may pass.
        failed: Why there was no handshake, None if there was.
        received: Messages that nobody took yet, oldest first.
        unanswered: Messages sent that no message answered, by number.
        fault: What the child broke, None if nothing.
        closed: Whether no message can come any more.
        exited: How the child ended, None while it lives.
        signals: What was sent to the child to end it.
        audit: What the run left behind, None until it is over.
    """

    def __init__(self, session: Watched, tell: Callable[[Event], Awaitable[None]]) -> None:
        self._session = session
        self._tell = tell
        self._following: asyncio.Task[None] | None = None
        self._news = asyncio.Event()
        self._lost: SinkLostError | None = None
        self._telling = False
        self._told_for = 0.0
        self._errors = b""
        self._pid: int | None = None
        self.open = False
        self.failed: HandshakeFailed | None = None
        self.received: deque[MessageReceived] = deque()
        self.unanswered: dict[int, MessageSent] = {}
        self.fault: Fault | None = None
        self.closed = False
        self.exited: ChildExited | None = None
        self.signals: list[SignalSent] = []
        self.audit: Audit | None = None

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End the run and tell what there is to tell; of a run that was broken off, not at any price."""
        assert self._following is not None
        try:
            await self._session.__aexit__(None, None, None)
            await asyncio.wait([self._following], timeout=None if kind is None else _LAST_TELLING)
        finally:
            self._following.cancel()
            await asyncio.wait([self._following])
        if not self._following.cancelled():
            self._following.result()
        if self._lost is not None:
            raise self._lost

    async def until(self, happened: Callable[[], bool], within: float | None = None) -> bool:
        """Wait until something is so.

        Args:
            happened: Asked after each event.
            within: Seconds to wait at most. Time in which whoever reads our output kept us waiting is none.

        Returns:
            False if the time passed first.

        Raises:
            SinkLostError: What happens cannot be told any more.
        """
        clock = asyncio.get_running_loop().time
        begun, told_for = clock(), self._told_for
        while not happened():
            if self._lost is not None:
                raise self._lost
            left = None
            if within is not None and not self._telling:
                left = within - (clock() - begun) + (self._told_for - told_for)
                if left <= 0:
                    return False
            self._news.clear()
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                pass
        return True

    async def send(self, value: Any, within: float) -> bool:
        """Send a message; False if the child did not take it in time.

        Raises:
            NotListening: There is nobody to send to.
            ValueError: It is too large.
        """
        sending = asyncio.create_task(self._session.send(value))
        sending.add_done_callback(lambda _: self._news.set())
        try:
            await self.until(sending.done, within)
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        if sending.cancelled():
            return False
        sending.result()
        return True

    async def quit(self) -> None:
        """End the run, and see how it ended."""
        await self._session.quit()
        await self.until(lambda: self.audit is not None)

    def state(self) -> str:
        """What the child is or became, as the rest of a sentence."""
        if self.exited is not None:
            return str(Exit(self.exited.code, self.exited.signal))
        doing = "closed its channel and lives on" if self.closed else "is alive"
        return f"{doing} (pid {self._pid})"

    def diagnosis(self, sentences: int) -> tuple[str, ...]:
        """Why nothing happens, the most telling first; nothing of a child that ended: its state says all."""
        return () if self.exited is not None else self._session.diagnosis().sentences[:sentences]

    def last_errors(self, lines: int) -> list[str]:
        """The last lines that the child wrote to stderr."""
        return self._errors.decode(errors="replace").splitlines()[-lines:]

    async def _follow(self) -> None:
        """Read the events to their end, even when nobody can be told of them: the session waits for that."""
        clock = asyncio.get_running_loop().time
        async for event in self._session.events():
            self._note(event)
            if self._lost is None:
                begun, self._telling = clock(), True
                try:
                    await self._tell(event)
                except SinkLostError as error:
                    self._lost = error
                self._telling = False
                self._told_for += clock() - begun
            self._news.set()

    def _note(self, event: Event) -> None:
        match event:
            case ChildSpawned():
                self._pid = event.pid
            case ChannelsOpen():
                self.open = True
            case HandshakeFailed():
                self.failed = event
            case MessageSent():
                self.unanswered[event.number] = event
            case MessageReceived():
                self.received.append(event)
                if event.answers is not None:
                    self.unanswered.pop(event.answers, None)
            case ChildOutput(stream="stderr"):
                self._errors = (self._errors + event.data)[-_TAIL:]
            case Fault():
                self.fault = event
            case ChannelClosed():
                self.closed = True
            case SignalSent() if self.exited is None:  # later ones are for what the child left behind
                self.signals.append(event)
            case ChildExited():
                self.exited = event
                self.closed = True
            case Audit():
                self.audit = event
