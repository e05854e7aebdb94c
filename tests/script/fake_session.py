"""A session without a child: a test says what happens when a message is sent, and how the end goes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any, Self

from tui_ipc.ipc.wire import encode
from tui_ipc.session.conversation import NotListening
from tui_ipc.session.diagnosis import Diagnosis
from tui_ipc.session.events import (
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Event,
    MessageReceived,
    MessageSent,
    SignalSent,
    Stream,
)


def spawned() -> Event:
    return ChildSpawned(at=0, run=1, pid=4242, command=("./child",))


def opened() -> list[Event]:
    return [spawned(), ChannelsOpen(at=0, run=1)]


def received(value: Any, answers: int | None = None, number: int = 1) -> Event:
    return MessageReceived(at=0, run=1, number=number, value=value, raw=encode(value), answers=answers)


def printed(data: bytes, stream: Stream = "stdout") -> Event:
    return ChildOutput(at=0, run=1, stream=stream, data=data)


def closed() -> Event:
    return ChannelClosed(at=0, run=1)


def exited(code: int | None = 0, signal: int | None = None) -> Event:
    return ChildExited(at=0, run=1, code=code, signal=signal, user_seconds=0.0, system_seconds=0.0, max_rss=1)


def signalled(number: int, reason: str) -> Event:
    return SignalSent(at=0, run=1, signal=number, reason=reason)


def audit(quit_elapsed: int | None = 1) -> Event:
    return Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=quit_elapsed)


class FakeSession:
    """What a script needs of a session, played by a test.

    Args:
        opening: What happens at the start.
        answer: What happens when a message is sent. None: the child does not take it.
        ending: What happens at the end.

    Attributes:
        sent: The messages that were sent.
        over: Whether the session was left.
        doing: What it says the child does.
    """

    def __init__(
        self,
        opening: Iterable[Event],
        answer: Callable[[Any], Iterable[Event] | None] = lambda value: (),
        ending: Iterable[Event] = (closed(), exited(), audit()),
    ) -> None:
        self.sent: list[Any] = []
        self.over = False
        self.deaf: str | None = None
        self.doing = Diagnosis(phase="ended")
        self._opening = opening
        self._answer = answer
        self._ending = iter(ending)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def __aenter__(self) -> Self:
        self.feed(*self._opening)
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.quit()
        self._events.put_nowait(None)
        self.over = True

    async def send(self, value: Any) -> MessageSent:
        if self.deaf is not None:
            raise NotListening(self.deaf)
        answer = self._answer(value)
        if answer is None:
            await asyncio.Event().wait()
        self.sent.append(value)
        event = MessageSent(at=0, run=1, number=len(self.sent), value=value, raw=encode(value))
        self.feed(event, *(answer or ()))
        return event

    async def quit(self) -> None:
        self.feed(*self._ending)

    async def events(self) -> AsyncIterator[Event]:
        while (event := await self._events.get()) is not None:
            yield event

    def diagnosis(self) -> Diagnosis:
        return self.doing

    def feed(self, *events: Event) -> None:
        """Let events happen."""
        for event in events:
            self._events.put_nowait(event)
