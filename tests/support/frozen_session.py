"""A session whose times, process ids and paths are the same in each run, for pictures.

The child and everything that it does are real. Only what differs from one run to the next is replaced on its
way to the screen; besides these, how much the kernel holds.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any, Final, Self

from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
)
from tui_ipc.osutil.descriptors import UnreadBytes
from tui_ipc.session.diagnosis import ChannelState, Diagnosis, LastActivity
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session

SERVER: Final = "/run/user/1000/tui-ipc-5f2c/server"
PID: Final = 4242
BEGAN: Final = datetime(2026, 5, 25, 15, 24, 48, tzinfo=UTC)
LEFT_BEHIND: Final = 4257

# When the steps of the handshake happen, in ns.
_STEP_TIMES: Final = (1_200_000, 2_100_000, 41_300_000, 41_500_000, 41_900_000)
_END_DURATION: Final = 12_000_000
_SILENT_FOR: Final = 4_200_000_000

PAUSES: Final = (3_100_000_000, 2_400_000_000, 5_300_000_000)
LATENCIES: Final = (1_400_000, 48_000_000, 310_000, 120_000)


class FrozenSession:
    """A session with nothing in it that changes from run to run.

    Args:
        command: As :class:`~tui_ipc.session.session.Session` takes it.
        cwd: Likewise.
        pauses: Nanoseconds before each message to the child, over and over.
        latencies: Nanoseconds until the child's answers, over and over.
    """

    match: str | None = None

    def __init__(
        self,
        command: Sequence[str] | None = None,
        *,
        cwd: str | None = None,
        pauses: Iterable[int] = PAUSES,
        latencies: Iterable[int] = LATENCIES,
    ) -> None:
        self._session = Session(command, SessionOptions(cwd=cwd))
        self._pauses = cycle(pauses)
        self._latencies = cycle(latencies)
        self._count = 0
        self._at = 0
        self._path = SERVER
        self._size = 0

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        return self

    async def __aexit__(self, *reason: object) -> None:
        await self._session.__aexit__(*reason)

    async def ready(self) -> None:
        """Return once the channels are open."""
        await self._session.ready()

    async def send(self, value: Any) -> MessageSent:
        """Send a message."""
        return await self._session.send(value)

    async def quit(self) -> None:
        """End the run."""
        await self._session.quit()

    async def restart(self) -> None:
        """End the run and begin the next."""
        await self._session.restart()

    def add_note(self, text: str, about: int | None = None) -> None:
        raise AssertionError("nobody writes a note into a picture")

    def resize(self, rows: int, columns: int) -> None:
        """Leave the child's terminal as it is: what a picture shows does not depend on it."""

    def signal(self, number: int) -> None:
        """Send a signal to the child's process group."""
        self._session.signal(number)

    async def events(self) -> AsyncIterator[AnyEvent]:
        """Every event, with fixed times and names."""
        async for event in self._session.events():
            yield self._freeze(event)

    def time_of(self, at: int) -> datetime:
        """Return the wall clock at a moment of the events."""
        return BEGAN + timedelta(microseconds=at // 1000)

    def diagnosis(self) -> Diagnosis:
        """What the child really does, at a fixed moment."""
        facts = self._session.diagnosis()
        traffic = facts.channels or ChannelState()
        waiting = tuple(replace(each, waited=_SILENT_FOR) for each in traffic.pending)
        unread = self._size if facts.stopped_by is not None else 0
        to_child = UnreadBytes(size=unread, any=unread > 0)
        traffic = replace(
            traffic, pending=waiting, unread_by_child=to_child, send_buffer_usage=0.0, unread_from_child=0
        )
        last = LastActivity(sent=_SILENT_FOR, received=2 * _SILENT_FOR, stdout=2 * _SILENT_FOR)
        return replace(facts, channels=traffic, unread_output=0, last_activity=last)

    def _freeze(self, event: AnyEvent) -> AnyEvent:
        match event:
            case ServerListening():
                self._path = event.name
                return self._timed(replace(event, name=SERVER))
            case ChildSpawned():
                command = ("python", *event.command[1:-1], f"channel_name:{SERVER}")
                return self._timed(replace(event, pid=PID, command=command))
            case HelloReceived():
                return self._timed(replace(event, pid=PID, raw=bytes(48)))
            case HandshakeFailed():
                return self._timed(replace(event, sentence=event.sentence.replace(self._path, SERVER)))
            case ChildOutput():
                data = event.data.replace(self._path.encode(), SERVER.encode())
                return replace(event, at=self._at, data=data)
            case ChildExited():
                return self._timed(replace(event, user_seconds=0.31, system_seconds=0.04, max_rss=43 << 20))
            case SignalSent():
                reason = re.sub(r"(?<=pid )\d+", str(LEFT_BEHIND), event.reason)
                return self._timed(replace(event, reason=reason))
            case Audit():
                left = (LEFT_BEHIND,) if event.processes else ()
                took = None if event.quit_elapsed is None else _END_DURATION
                return self._timed(replace(event, processes=left, quit_elapsed=took))
            case _:
                return self._timed(event)

    def _timed(self, event: AnyEvent) -> AnyEvent:
        elapsed = 0
        if self._count < len(_STEP_TIMES):
            self._at = _STEP_TIMES[self._count]
        elif isinstance(event, MessageSent):
            self._size = len(event.raw)
            self._at += next(self._pauses)
        elif isinstance(event, MessageReceived):
            elapsed = next(self._latencies)
            self._at += elapsed
        else:
            self._at += _END_DURATION
        self._count += 1
        event = replace(event, at=self._at)
        if isinstance(event, MessageReceived) and event.answers is not None:
            return replace(event, elapsed=elapsed)
        return event
