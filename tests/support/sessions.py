"""Runs a session with a real child to its end, and describes its events as a transcript to compare with."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tui_ipc import Closed
from tui_ipc import events as ev
from tui_ipc.ipc.handle import Handle
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.handshake import HandshakeError
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session

ROOT = Path(__file__).parents[2]
E = TypeVar("E", bound=ev.EventBase)

CONNECT_STEPS = ["listening", "spawned", "connected"]
OPEN_STEPS = [*CONNECT_STEPS, "hello by-library", "open"]


def child(name: str, *arguments: str) -> list[str]:
    """The command that runs one of ``tests/support/children``."""
    return [sys.executable, "-m", f"tests.support.children.{name}", *arguments]


class EventCollector:
    """Consumes the events of a session in a task of its own."""

    def __init__(self, session: Session) -> None:
        self.events: list[ev.AnyEvent] = []
        self._news = asyncio.Condition()
        self._task = asyncio.create_task(self._consume(session))

    async def _consume(self, session: Session) -> None:
        async for event in session.events():
            async with self._news:
                self.events.append(event)
                self._news.notify_all()

    async def until(self, kind: type[E], when: Callable[[E], bool] = lambda _: True) -> E:
        """The first event of that kind for which ``when`` holds, past or to come."""
        async with self._news:
            while True:
                for event in self.events:
                    if isinstance(event, kind) and when(event):
                        return event
                await self._news.wait()

    async def until_printed(self, text: str, stream: str = "stdout") -> None:
        """Return once the child has printed ``text``."""
        async with self._news:
            await self._news.wait_for(lambda: text.encode() in output_of(self.events, stream))

    async def end(self) -> None:
        """Return once the events have ended."""
        await self._task


Action = Callable[[Session, EventCollector], Awaitable[object]]


async def _wait_until_ready(session: Session, watch: EventCollector) -> None:
    await session.ready()


def make_options(**changes: Any) -> SessionOptions:
    """The options of a session in a test: children can import the tests, and have plenty of time."""
    return SessionOptions(**{"env": environment(), "timeout": 20.0, "grace": 20.0, **changes})


def run_session(
    command: list[str] | None,
    act: Action = _wait_until_ready,
    *,
    record: Callable[[ev.AnyEvent], None] | None = None,
    **options: Any,
) -> list[ev.AnyEvent]:
    """Run a session in an event loop of its own: ``act``, then leave it; every event of it.

    Args:
        command: As :class:`Session` takes it.
        act: What to do with the session.
        record: As :class:`Session` takes it.
        options: See :func:`make_options`.
    """

    async def main() -> list[ev.AnyEvent]:
        async with Session(command, make_options(**options), record=record) as session:
            watch = EventCollector(session)
            await act(session, watch)
        await watch.end()
        return watch.events

    return asyncio.run(main())


async def wait_for_failed_handshake(session: Session, _: EventCollector) -> HandshakeError:
    """Wait for the handshake to fail."""
    with pytest.raises(HandshakeError) as caught:
        await session.ready()
    return caught.value


def environment(**more: str) -> Mapping[str, str]:
    """This process's environment, with the tests on Python's path."""
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def describe_events(events: list[ev.AnyEvent]) -> list[str]:
    """A line for each event, pieces of output joined, without what differs from run to run."""
    lines: list[str] = []
    output: list[ev.ChildOutput] = []
    for event in events:
        if isinstance(event, ev.ChildOutput) and (not output or output[0].stream == event.stream):
            output.append(event)
            continue
        lines += _output_line(output)
        output = [event] if isinstance(event, ev.ChildOutput) else []
        if not output:
            lines.append(_line(event))
    return lines + _output_line(output)


def output_of(events: list[ev.AnyEvent], stream: str = "stdout") -> bytes:
    """All that the child printed on a stream."""
    return b"".join(
        event.data for event in events if isinstance(event, ev.ChildOutput) and event.stream == stream
    )


def single_event(events: list[ev.AnyEvent], kind: type[E]) -> E:
    """The one event of a kind."""
    (found,) = (event for event in events if isinstance(event, kind))
    return found


def name_leftover(events: list[ev.AnyEvent]) -> str:
    """The one process that a child left behind, as it is named where it is signalled."""
    audit = single_event(events, ev.Audit)
    (pid,), (command,) = audit.processes, audit.commands
    assert "tests.support" in command
    return f"{command} (pid {pid})"


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be reaped by whoever adopted it does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def _output_line(pieces: list[ev.ChildOutput]) -> list[str]:
    text = b"".join(piece.data for piece in pieces).decode(errors="backslashreplace")
    return [f"{pieces[0].stream} {text!r}"] if pieces else []


_PLAIN: dict[type[ev.AnyEvent], str] = {
    ev.ServerListening: "listening",
    ev.ChildSpawned: "spawned",
    ev.ChildConnected: "connected",
    ev.ChannelsOpen: "open",
    ev.ChannelClosed: "closed",
    ev.ChildContinued: "continued",
}


def _line(event: ev.AnyEvent) -> str:
    match event:
        case ev.HelloReceived(name=name, inline=inline):
            return f"hello {name}{' inline' if inline else ''}"
        case ev.MessageSent(value=value):
            return f"> {value!r}"
        case ev.MessageReceived(value=value, answers=answers):
            return f"< {value!r}" + (f" answers {answers}" if answers else "")
        case ev.SignalSent() | ev.ChildStopped() | ev.ChildExited():
            return _process_line(event)
        case ev.StepLate(step=step):
            return f"late to reach {step!r}"
        case ev.HandshakeFailed(step=step, timed_out=timed_out):
            return f"failed to reach {step!r}{' in time' if timed_out else ''}"
        case ev.Fault(sentence=sentence, ends_channel=ends_channel):
            return f"{'fault' if ends_channel else 'skipped'}: {sentence}"
        case ev.Note(text=text):
            return f"note {text}"
        case ev.Audit(processes=processes, unread=unread, held=held):
            left = f"left {len(processes)} processes, {unread} bytes unread"
            return "clean" if event.clean else left + (f", {', '.join(held)} held" if held else "")
    return _PLAIN[type(event)]


def _process_line(event: ev.SignalSent | ev.ChildStopped | ev.ChildExited) -> str:
    match event:
        case ev.SignalSent(signal=number, reason=reason):
            return f"{signal_name(number)}: {reason}"
        case ev.ChildStopped(signal=number):
            return f"stopped by {signal_name(number)}"
        case ev.ChildExited(code=code, signal=number):
            return f"exited {code}" if number is None else f"ended by {signal_name(number)}"


def is_closed(handle: Handle) -> bool:
    """Whether a handle was closed."""
    try:
        handle.fileno()
    except Closed:
        return True
    return False
