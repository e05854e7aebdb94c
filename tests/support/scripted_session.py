"""A session without a child: a test chooses what happens when a message is sent, and how the run ends."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self, cast

from tui_ipc.events import (
    USER_REQUESTED,
    AnyEvent,
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    MessageReceived,
    MessageSent,
    SignalSent,
    Stream,
)
from tui_ipc.ipc.wire import encode
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.diagnosis import Diagnosis
from tui_ipc.session.handshake import RunPhase
from tui_ipc.session.timeline import Timeline

if TYPE_CHECKING:
    from tui_ipc.session.session import Session


def spawned() -> AnyEvent:
    return ChildSpawned(at=0, run=1, pid=4242, command=("./child",))


def opened() -> list[AnyEvent]:
    return [spawned(), ChannelsOpen(at=0, run=1)]


def received(value: Any, answers: int | None = None, number: int = 1) -> AnyEvent:
    return MessageReceived(at=0, run=1, number=number, value=value, raw=encode(value), answers=answers)


def printed(data: bytes, stream: Stream = "stdout") -> AnyEvent:
    return ChildOutput(at=0, run=1, stream=stream, data=data)


def closed() -> AnyEvent:
    return ChannelClosed(at=0, run=1)


def exited(code: int | None = 0, signal: int | None = None) -> AnyEvent:
    return ChildExited(at=0, run=1, code=code, signal=signal, user_seconds=0.0, system_seconds=0.0, max_rss=1)


def signalled(number: int, reason: str) -> AnyEvent:
    return SignalSent(at=0, run=1, signal=number, reason=reason)


def audit(quit_elapsed: int | None = 1) -> AnyEvent:
    return Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=quit_elapsed)


class FakeSession:
    """What a script needs of a session, driven by a test.

    Args:
        opening: What happens at the start of each run.
        answer: What happens when a message is sent, bytes included. None: the child does not take it.
        ending: What happens at the end of each run.
        signalled: What happens when a signal was sent.

    Attributes:
        run: The number of the run that events belong to.
        sent: The messages that were sent.
        over: Whether the session was left.
        deaf: Why messages cannot be sent, None if they can.
        doing: What it says the child does.
        is_recorded: Whether it says that it is recorded.
        steps: The steps that were recorded: line, text, state, and why it failed.
    """

    def __init__(
        self,
        opening: Iterable[AnyEvent],
        answer: Callable[[Any], Iterable[AnyEvent] | None] = lambda value: (),
        ending: Iterable[AnyEvent] = (closed(), exited(), audit()),
        signalled: Callable[[int], Iterable[AnyEvent]] = lambda number: (),
    ) -> None:
        self.run = 1
        self.sent: list[Any] = []
        self.over = False
        self.deaf: str | None = None
        self.doing = Diagnosis(phase=RunPhase.ENDED)
        self.is_recorded = False
        self.steps: list[tuple[int, str, str, str]] = []
        self._opening = tuple(opening)
        self._answer = answer
        self._ending = tuple(ending)
        self._ended = False
        self._signalled = signalled
        self._timeline = Timeline()

    def as_session(self) -> "Session":
        """This, for those who take a session and use no more of it than there is here."""
        return cast("Session", self)

    def record_script_step(
        self, script: str, line: int, text: str, state: str, sentence: str, details: tuple[str, ...]
    ) -> None:
        """Note the step."""
        assert script
        self.steps.append((line, text, state, sentence))

    async def __aenter__(self) -> Self:
        self.feed(*self._opening)
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self.quit()
        self._timeline.close()
        self.over = True

    async def send(self, value: Any) -> MessageSent:
        if self.deaf is not None:
            raise NotConnected(self.deaf)
        answer = self._answer(value)
        if answer is None:
            await asyncio.Event().wait()
        self.sent.append(value)
        event = MessageSent(at=0, run=1, number=len(self.sent), value=value, raw=encode(value))
        self.feed(event, *(answer or ()))
        return event

    async def send_raw(self, data: bytes) -> MessageSent:
        return await self.send(data)

    def signal(self, number: int) -> None:
        if self.deaf is not None:
            raise NotConnected(self.deaf)
        self.feed(signalled(number, USER_REQUESTED), *self._signalled(number))

    async def quit(self) -> None:
        if not self._ended:
            self._ended = True
            self.feed(*self._ending)

    async def restart(self) -> None:
        await self.quit()
        self.run += 1
        self._ended = False
        self.feed(*self._opening)

    def events(self) -> Timeline:
        return self._timeline

    def diagnosis(self) -> Diagnosis:
        return self.doing

    def feed(self, *events: AnyEvent) -> None:
        """Let events happen, in the run that is under way."""
        for event in events:
            self._timeline.add(replace(event, run=self.run))
