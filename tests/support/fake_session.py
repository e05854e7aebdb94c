"""A session without a child: a test makes events happen, and sees what the explorer asked for."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from tests.support.frozen_session import BEGAN
from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildConnected,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    HelloReceived,
    MessageReceived,
    MessageSent,
    Note,
    ServerListening,
    Stream,
)
from tui_ipc.ipc.wire import encode
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.diagnosis import Diagnosis
from tui_ipc.session.handshake import RunPhase
from tui_ipc.tui.session_controller import SessionRecorder

MILLISECOND = 1_000_000


@dataclass(frozen=True, kw_only=True)
class FakeDiagnosis(Diagnosis):
    """A diagnosis whose sentences a test chooses."""

    said: tuple[str, ...]

    @property
    def sentences(self) -> tuple[str, ...]:
        return self.said


class FakeSession:
    """What the explorer needs of a session, driven by a test.

    Attributes:
        match: The rule by which answers would be matched.
        run: The current run.
        asked: What the explorer called, in order: ``enter``, ``send``, ``restart``, ``quit``,
            ``hurry`` (it was cancelled while it waited for the child).
        may_end: Until this is set, leaving the session waits, as for a child that takes its time.
        refusal: Why sending fails, None while the child is connected.
        signals: The signals that were to be sent.
        reasons: The sentences of its diagnosis.
        facts: The other attributes of its diagnosis.
    """

    def __init__(self) -> None:
        self.match: str | None = None
        self.run = 1
        self.asked: list[str] = []
        self.sent: list[Any] = []
        self.may_end = asyncio.Event()
        self.may_end.set()
        self.refusal: str | None = None
        self.size = (0, 0)
        self.reasons: tuple[str, ...] = ("Nothing waits.",)
        self.signals: list[int] = []
        self.facts: dict[str, Any] = {"phase": RunPhase.OPEN}
        self.at = 0
        self._events: asyncio.Queue[AnyEvent | None] = asyncio.Queue()
        self._open = asyncio.Event()
        self._sent = 0
        self._received = 0

    async def __aenter__(self) -> Self:
        self.asked.append("enter")
        return self

    async def __aexit__(self, *reason: object) -> None:
        self.asked.append("quit")
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.asked.append("hurry")
            raise
        finally:
            self._events.put_nowait(None)

    async def ready(self) -> None:
        await self._open.wait()

    async def send(self, value: Any) -> MessageSent:
        if self.refusal is not None:
            raise NotConnected(self.refusal)
        self.asked.append("send")
        self.sent.append(value)
        self._sent += 1
        event = MessageSent(at=self.at, run=self.run, number=self._sent, value=value, raw=encode(value))
        self.feed(event)
        return event

    async def restart(self) -> None:
        self.asked.append("restart")
        await self.may_end.wait()
        self.run += 1
        self._sent = self._received = 0
        self.refusal = None
        self.listen()

    async def quit(self) -> None:
        self.asked.append("end")
        await self.may_end.wait()
        self.exit()

    def signal(self, number: int) -> None:
        if self.refusal is not None:
            raise NotConnected(self.refusal)
        self.signals.append(number)

    def resize(self, rows: int, columns: int) -> None:
        self.size = (rows, columns)

    def add_note(self, text: str, about: int | None = None) -> None:
        self.feed(Note(at=60_000_000, run=1, text=text, about=about))

    async def events(self) -> AsyncIterator[AnyEvent]:
        while (event := await self._events.get()) is not None:
            yield event

    def time_of(self, at: int) -> datetime:
        return BEGAN + timedelta(microseconds=at // 1000)

    def diagnosis(self) -> FakeDiagnosis:
        return FakeDiagnosis(said=self.reasons, **self.facts)

    # What a test makes happen.

    def feed(self, *events: AnyEvent) -> None:
        """Let events happen."""
        for event in events:
            self._events.put_nowait(event)

    def listen(self) -> None:
        """Begin a run, no further than to a listening server."""
        self.feed(ServerListening(at=self.at, run=self.run, name="/run/tui-ipc/server"))

    def handshake(self, name: str = "echo", pid: int = 4242) -> None:
        """Let a whole handshake happen."""
        at, run = self.at, self.run
        command = ("./echo", "channel_name:/run/tui-ipc/server")
        self.listen()
        self.feed(
            ChildSpawned(at=at + 12 * MILLISECOND, run=run, pid=pid, command=command),
            ChildConnected(at=at + 40 * MILLISECOND, run=run),
            HelloReceived(at=at + 41 * MILLISECOND, run=run, name=name, pid=pid, inline=False, raw=b"\x81"),
            ChannelsOpen(at=at + 42 * MILLISECOND, run=run),
        )
        self.at += 48 * MILLISECOND
        self._open.set()

    def answer(self, value: Any, elapsed: int = 61_000) -> None:
        """Let the child answer the newest message."""
        self._received += 1
        self.feed(
            MessageReceived(
                at=self.at + elapsed,
                run=self.run,
                number=self._received,
                value=value,
                raw=encode(value),
                answers=self._sent,
                elapsed=elapsed,
            )
        )

    def output(self, data: bytes, stream: Stream = "stdout") -> None:
        """Let the child print."""
        self.feed(ChildOutput(at=self.at, run=self.run, stream=stream, data=data))

    def exit(self, code: int | None = 0, signal: int | None = None) -> None:
        """Let the child end."""
        at, run = self.at, self.run
        self.refusal = "the child has ended"
        usage = {"user_seconds": 0.02, "system_seconds": 0.01}
        self.feed(
            ChannelClosed(at=at, run=run),
            ChildExited(at=at, run=run, code=code, signal=signal, max_rss=12 << 20, **usage),
            Audit(at=at, run=run, processes=(), files=(), unread=0, quit_elapsed=None),
        )


class RecordingFakeSession(FakeSession):
    """A session that records what happens, as a real one does."""

    def __init__(self, tape: SessionRecorder) -> None:
        super().__init__()
        self._tape = tape

    def feed(self, *events: AnyEvent) -> None:
        for event in events:
            self._tape(event)
        super().feed(*events)
