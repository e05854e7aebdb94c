"""What the headless face knows of a session, from its events and nothing else.

The one rule: one task reads the events; everybody else asks this object what happened.
"""

import asyncio
import signal
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final

from tui_ipc.session.events import (
    ChannelClosed,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Event,
    Fault,
    MessageReceived,
    MessageSent,
    SignalSent,
)

_TAIL: Final = 4096  # bytes of stderr that are kept
_LINES: Final = 5  # of them that are told
_PATIENCE: Final = 0.5  # seconds for the exit status of a child that closed its channel


class ChildGoneError(Exception):
    """No message will come any more; the text says why."""


class Watcher:
    """Follows the events of one run.

    Args:
        tell: Called with each event, in order.

    Attributes:
        received: Messages that nobody took yet, oldest first.
        exited: How the child ended, None while it lives.
        signals: What was sent to the child to end it.
    """

    def __init__(self, tell: Callable[[Event], None]) -> None:
        self._tell = tell
        self._news = asyncio.Event()
        self._fault: Fault | None = None
        self._closed = False
        self._errors = b""
        self._pid: int | None = None
        self._sent = 0
        self._answered = 0
        self.received: deque[MessageReceived] = deque()
        self.exited: ChildExited | None = None
        self.signals: list[int] = []

    async def follow(self, events: AsyncIterator[Event]) -> None:
        """Read the events to their end."""
        async for event in events:
            self._note(event)
            self._tell(event)
            self._news.set()

    def _note(self, event: Event) -> None:
        match event:
            case MessageReceived():
                self._answered += 1
                self.received.append(event)
            case MessageSent():
                self._sent += 1
            case ChildOutput(stream="stderr"):
                self._errors = (self._errors + event.data)[-_TAIL:]
            case ChildSpawned():
                self._pid = event.pid
            case ChannelClosed():
                self._closed = True
            case Fault():
                self._fault = event
            case SignalSent():
                self.signals.append(event.signal)
            case ChildExited():
                self.exited = event

    async def next_message(self, timeout: float) -> MessageReceived:
        """The oldest message that nobody took yet.

        Raises:
            TimeoutError: None came within ``timeout`` seconds.
            ChildGoneError: None can come any more.
        """
        async with asyncio.timeout(timeout):
            while not self.received:
                if self._fault is not None or self._closed or self.exited is not None:
                    break
                await self._change()
        if not self.received:
            await self._end()
            raise ChildGoneError(self._fault.sentence if self._fault else f"the child {self.state()}")
        return self.received.popleft()

    async def _end(self) -> None:
        """Give a child that closed its channel a moment to end, so that its status can be told."""
        try:
            async with asyncio.timeout(_PATIENCE):
                while self.exited is None and self._fault is None:
                    await self._change()
        except TimeoutError:
            pass

    async def _change(self) -> None:
        self._news.clear()
        await self._news.wait()

    def state(self) -> str:
        """What the child is or became, as the rest of a sentence."""
        if self.exited is None:
            doing = "closed its channel and lives on" if self._closed else "is alive"
            return f"{doing} (pid {self._pid})"
        if self.exited.signal is not None:
            return f"was ended by {signal.Signals(self.exited.signal).name}"
        return f"exited with code {self.exited.code}"

    def unanswered(self) -> int:
        """Messages that went out and that no message answered, first in, first out."""
        return max(0, self._sent - self._answered)

    def last_errors(self) -> list[str]:
        """The last lines that the child wrote to stderr."""
        return self._errors.decode(errors="replace").splitlines()[-_LINES:]
