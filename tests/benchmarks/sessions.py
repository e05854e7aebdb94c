"""What a session costs over the library that it is built on: the same child, the same messages.

Who keeps a session pays for what it adds: each message is an event with its bytes, its moment and what it
answers, in order with what the child prints; and, if recorded, a line of a file. A script adds its steps:
each message is sent, awaited with a deadline, and compared with the one that was expected.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, Self

from tests.benchmarks.coroutines import OneByOne, round_trips
from tests.benchmarks.measure import Figures
from tui_ipc import OneShotServer
from tui_ipc.events import AnyEvent, ChannelsOpen, MessageReceived
from tui_ipc.ipc import aio
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.script.language.steps import Expect, Repeat, Script, Send
from tui_ipc.script.runner.runner import Runner
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session

_CHILD = """
import os, sys
from tui_ipc.child import serve
os.sched_setaffinity(0, {int(sys.argv[1])})
sys.exit(serve(lambda message: message))
"""


def command(cpu: int) -> tuple[str, ...]:
    """A child that sends each message back and prints nothing."""
    return (sys.executable, "-c", _CHILD, str(cpu))


class Library(OneByOne):
    """``aio.Sender`` and ``aio.Receiver`` with the child that a session would have."""

    name = "tui_ipc.ipc.aio"

    def __init__(self, cpu: int) -> None:
        self._cpu = cpu

    async def __aenter__(self) -> Self:
        with OneShotServer() as server:
            words = (*command(self._cpu), f"channel_name:{server.name}")
            self._pid = os.posix_spawn(
                sys.executable,
                words,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)],
            )
            bootstrap, hello = await aio.accept(server, 30, self._pid)
        bootstrap.close()
        self._sender: aio.Sender[Any] = hello["to_child"]
        self._receiver: aio.Receiver[Any] = hello["from_child"]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._sender.send("quit")
        os.waitpid(self._pid, 0)
        self._sender.close()
        self._receiver.close()

    async def exchange(self, message: bytes) -> None:
        """Send a message and wait until it is back."""
        await self._sender.send(message)
        await self._receiver.recv()


class Kept(OneByOne):
    """A session; its events are taken until the answer's comes."""

    name = "session"

    def __init__(self, cpu: int, record: Callable[[AnyEvent], None] | None = None) -> None:
        self._session = Session(command(cpu), SessionOptions(timeout=30), record=record)

    async def __aenter__(self) -> Self:
        await self._session.__aenter__()
        self._events = self._session.events()
        await self._session.ready()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.__aexit__()

    async def exchange(self, message: bytes) -> None:
        """Send a message and wait until the event of its answer was taken."""
        await self._session.send(message)
        async for event in self._events:
            if isinstance(event, MessageReceived):
                return


class Recorded(Kept):
    """The same, written to a file as it happens."""

    name = "session, recorded"

    def __init__(self, cpu: int, recorder: RecordingWriter) -> None:
        super().__init__(cpu, recorder)


class Scripted:
    """A script that repeats the exchange. Its answers are counted and timed when their events are told."""

    name = "script, repeat"

    def __init__(self, cpu: int, message: bytes) -> None:
        exchange = Repeat(sys.maxsize, (Send(message), Expect(message)))
        self._runner = Runner(
            Script("exchanges", (exchange,)),
            Session(command(cpu), SessionOptions(timeout=30)),
            30,
            self._tell,
        )
        self._stamps: list[float] = []
        self._due = 0
        self._go = asyncio.Event()
        self._done = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self._runner.run())
        await self._done.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait([self._running])

    async def exchanges(self, _: bytes, count: int) -> list[float]:
        """Let the script do so many rounds; the moments before each and after the last."""
        self._done.clear()
        self._stamps, self._due = [perf_counter()], count
        self._go.set()
        await self._done.wait()
        return self._stamps

    async def _tell(self, event: AnyEvent) -> None:
        if isinstance(event, MessageReceived):
            self._stamps.append(perf_counter())
            self._due -= 1
        elif not isinstance(event, ChannelsOpen):
            return
        if not self._due:
            self._go.clear()
            self._done.set()
            await self._go.wait()


def overhead(cpu: int, size: int, each: int, rounds: int) -> Figures:
    """Microseconds of one exchange of ``size`` bytes with a child on that CPU."""
    with TemporaryDirectory() as folder, RecordingWriter(os.path.join(folder, "recording")) as recorder:
        message = os.urandom(size)
        contenders = (Library(cpu), Kept(cpu), Recorded(cpu, recorder), Scripted(cpu, message))
        figures = round_trips(contenders, message, each, rounds)
        assert recorder.failure is None, recorder.failure
    return figures
