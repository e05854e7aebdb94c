"""One life of the child: handshake, conversation, end, audit.

The one rule: one task owns everything that a run opens, from the first descriptor to the last process, and
gives it all back whatever happens, even if it is cancelled.
"""

import asyncio
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tui_ipc.ipc.errors import Disconnected, IpcError
from tui_ipc.ipc.wire import encode
from tui_ipc.session import group
from tui_ipc.session.conversation import QUIT, Conversation, NotListening
from tui_ipc.session.events import (
    Audit,
    ChannelsOpen,
    ChildExited,
    ChildSpawned,
    HandshakeFailed,
    MessageSent,
    SignalSent,
)
from tui_ipc.session.handshake import VARIABLE, HandshakeError, command_line, explain, last_words
from tui_ipc.session.hello import NoHello
from tui_ipc.session.ladder import Channels, Ladder
from tui_ipc.session.printing import Printing
from tui_ipc.session.process import Process
from tui_ipc.session.spawn import SpawnError
from tui_ipc.session.timeline import Timeline

DRAIN_SECONDS: Final = 0.2
"""Seconds to wait, once the child has ended, for the ends of its streams: processes it left may hold them."""

DRAIN_BYTES: Final = 8 * 1024 * 1024
"""What is read of each stream after the child's end at most. The kernel holds less: more can only come from
processes that the child left behind."""

LAST_WAIT: Final = 1.0
"""Seconds that the kernel gets to carry out SIGKILL. A process that lives on then is stuck in the kernel, or
not ours to signal; the audit names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run the child; see :class:`~tui_ipc.session.session.Session`."""

    command: tuple[str, ...]
    cwd: str | None
    env: Mapping[str, str] | None
    timeout: float
    grace: float
    pty: bool


class Run:
    """One life of the child, from the one-shot server to the audit. Begins at once; made in an event loop.

    Args:
        number: Counts the runs of a session, from 1.
        settings: How to run the child.
        timeline: Where its events go.

    Attributes:
        number: As given.
    """

    def __init__(self, number: int, settings: Settings, timeline: Timeline) -> None:
        self.number = number
        self._settings = settings
        self._timeline = timeline
        self._ladder = Ladder(number, timeline)
        self._process: Process | None = None
        self._spawned_at = 0
        self._printing: Printing | None = None
        self._conversation: Conversation | None = None
        self._pump: asyncio.Task[None] | None = None
        self._failure: HandshakeFailed | None = None
        self._settled = asyncio.Event()  # the handshake is over, one way or the other
        loop = asyncio.get_running_loop()
        self._end: asyncio.Future[None] = loop.create_future()  # somebody wants the run to end
        self._hurry: asyncio.Future[None] = loop.create_future()  # and without a time of grace
        self._life = asyncio.create_task(self._live())

    @property
    def pid(self) -> int | None:
        """The child's process id while it lives."""
        return self._process.pid if self._process is not None and self._process.exit is None else None

    async def ready(self) -> None:
        """Return once the channels are open.

        Raises:
            HandshakeError: They never will be.
        """
        await self._settled.wait()
        if self._failure is not None:
            raise HandshakeError(self._failure.sentence, timed_out=self._failure.timed_out)

    async def send(self, value: object, raw: bytes) -> MessageSent:
        """Send a message; see :meth:`Conversation.send`."""
        if self._process is not None and self._process.exit is not None:
            raise NotListening(f"the child {self._process.exit}: nobody listens")
        if self._failure is not None:
            raise NotListening(f"the handshake failed: {self._failure.sentence}")
        if self._conversation is None:
            raise NotListening("the child has not completed the handshake yet: nobody listens so far")
        return await self._conversation.send(value, raw)

    def signal(self, number: int, reason: str) -> bool:
        """Send a signal to the child's process group; False if it reached nobody."""
        if self._process is None or not self._process.signal(number):
            return False
        self._timeline.add(
            SignalSent(at=self._timeline.stamp(), run=self.number, signal=int(number), reason=reason)
        )
        return True

    async def finish(self) -> None:
        """Ask the child to end, wait for it, make it; returns once the run is over.

        Cancelling this does not call the end off.
        """
        _set(self._end)
        await asyncio.wait([self._life])
        self._life.result()

    def hurry(self) -> None:
        """From now on the end goes without waiting for the child to do anything in good order."""
        _set(self._end)
        _set(self._hurry)

    async def _live(self) -> None:
        try:
            channels = await self._shake_hands()
            if channels is not None:
                await self._converse(channels)
            if self._process is not None:
                await self._make_it_end(self._process)
                await self._conclude(self._process)
            else:
                self._audit((), None)
        except BaseException:  # ours to clean up even now; it goes on upwards
            if self._process is not None:
                self._process.destroy()
            raise
        finally:
            self._abandon()

    async def _shake_hands(self) -> Channels | None:
        """Climb the ladder; None, and the failure is told, if that does not succeed."""
        try:
            self._ladder.listen()
            process = self._spawn()
        except (SpawnError, IpcError, OSError) as error:
            self._fail(str(error))
            return None
        climb = asyncio.create_task(self._ladder.climb(process.pid))
        try:
            await _first(climb, process.exited, self._end, within=self._settings.timeout)
            if process.exited.done():  # what it did last may have been to say hello
                await _first(climb, within=DRAIN_SECONDS)
            timed_out = not (climb.done() or process.exited.done() or self._end.done())
        finally:
            climb.cancel()
        await asyncio.wait([climb])
        problem = None
        if not climb.cancelled():
            try:
                return climb.result()
            except (NoHello, IpcError, OSError) as error:
                problem = error
        await self._explain(process, problem, timed_out=timed_out)
        return None

    def _spawn(self) -> Process:
        command = command_line(self._settings.command, self._ladder.name)
        env = {
            **(os.environ if self._settings.env is None else self._settings.env),
            VARIABLE: self._ladder.name,
        }
        process = Process(command, cwd=self._settings.cwd, env=env, pty=self._settings.pty)
        self._process = process
        self._spawned_at = self._timeline.stamp()
        self._timeline.add(
            ChildSpawned(at=self._spawned_at, run=self.number, pid=process.pid, command=command)
        )
        self._printing = Printing(self.number, self._timeline, process.stdout, process.stderr)
        self._ladder.step = "connected"
        return process

    async def _explain(self, process: Process, error: BaseException | None, *, timed_out: bool) -> None:
        """Tell why the handshake failed; the evidence is what the child printed and how it ended."""
        assert self._printing is not None
        if isinstance(error, Disconnected):  # it is ending, if it has not ended
            await _first(process.exited, within=DRAIN_SECONDS)
        if process.exited.done():
            await self._printing.drain(DRAIN_SECONDS, DRAIN_BYTES)
        else:
            self._printing.catch_up()
        connected_at = self._ladder.connected_at
        sentence = explain(
            connected=connected_at is not None,
            ended=None if process.exit is None else str(process.exit),
            error=error,
            silence=(self._timeline.now() - (connected_at or self._spawned_at)) / 1e9 if timed_out else None,
            words=last_words(*self._printing.tails),
        )
        self._fail(sentence, timed_out=timed_out)

    def _fail(self, sentence: str, *, timed_out: bool = False) -> None:
        self._failure = HandshakeFailed(
            at=self._timeline.stamp(),
            run=self.number,
            step=self._ladder.step,
            sentence=sentence,
            timed_out=timed_out,
        )
        self._timeline.add(self._failure)
        self._settled.set()

    async def _converse(self, channels: Channels) -> None:
        """Pass messages until the child ends or somebody wants it to."""
        assert self._process is not None
        assert self._printing is not None
        self._conversation = Conversation(self.number, self._timeline, *channels, self._printing.catch_up)
        self._timeline.add(ChannelsOpen(at=self._timeline.stamp(), run=self.number))
        self._settled.set()
        self._pump = asyncio.create_task(self._conversation.pump())
        await _first(self._process.exited, self._end)

    async def _make_it_end(self, process: Process) -> None:
        """End a child that still lives: ``"quit"``, SIGTERM, SIGKILL, each after its time of grace."""
        grace = self._settings.grace
        if process.exited.done():
            return
        if self._conversation is None:
            reason = "the handshake failed"
        else:
            reason = await self._ask_to_end(self._conversation, process)
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, LAST_WAIT)):
            if process.exited.done():
                return
            self.signal(number, reason)
            hurry = [self._hurry] if number == signal.SIGTERM else []
            await _first(process.exited, *hurry, within=patience)
            reason = f"the child had not ended {grace:g} s after SIGTERM"

    async def _ask_to_end(self, conversation: Conversation, process: Process) -> str:
        """Say ``"quit"`` unless somebody has, and give the child its time; why that was not enough."""
        grace = self._settings.grace
        begun = conversation.quit_at or conversation.closed_at or self._timeline.now()
        reason = f'the child had not ended {grace:g} s after "quit"'
        if conversation.quit_at is None:
            asking = asyncio.create_task(conversation.send(QUIT, encode(QUIT)))
            await _first(asking, process.exited, self._hurry, within=grace)
            asking.cancel()
            await asyncio.wait([asking])
            if asking.cancelled():
                reason = f'the child reads nothing: "quit" could not be sent in {grace:g} s'
            elif asking.exception() is not None:
                reason = f'"quit" could not be said: {asking.exception()}'
            else:
                begun = asking.result().at
        left = grace - (self._timeline.now() - begun) / 1e9
        await _first(process.exited, self._hurry, within=max(left, 0))
        return reason

    async def _conclude(self, process: Process) -> None:
        """Take what the child has still said and printed, end what it left behind, and tell."""
        ended_at = self._timeline.now()
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.wait([self._pump])
            if not self._pump.cancelled():
                self._pump.result()
        if self._conversation is not None:
            await self._conversation.drain(DRAIN_SECONDS, DRAIN_BYTES)
        if self._printing is not None:
            await self._printing.drain(DRAIN_SECONDS, DRAIN_BYTES)
        if self._conversation is not None:
            self._conversation.end()
            self._conversation.close("the child has ended: nobody listens")
        told = self._tell_exit(process)
        survivors = group.members(process.pid)
        await self._end_survivors(process.pid)
        if not told:  # neither we nor the kernel could end it in time; a last look
            process.destroy(0)
            self._tell_exit(process)
        self._audit(survivors, ended_at)

    def _tell_exit(self, process: Process) -> bool:
        """Emit how the child ended; False if it has not been reaped."""
        how = process.exit
        if how is None:
            return False
        self._timeline.add(
            ChildExited(
                at=self._timeline.stamp(),
                run=self.number,
                code=how.code,
                signal=how.signal,
                user_seconds=how.user_seconds,
                system_seconds=how.system_seconds,
                max_rss=how.max_rss,
            )
        )
        return True

    async def _end_survivors(self, session: int) -> None:
        for number in (signal.SIGTERM, signal.SIGKILL):
            pids = group.members(session)
            if not pids:
                return
            listed = ", ".join(map(str, pids))
            reason = f"the child ended and left processes behind: {listed}"
            self._timeline.add(
                SignalSent(at=self._timeline.stamp(), run=self.number, signal=int(number), reason=reason)
            )
            group.send(session, pids, number)
            waiting = asyncio.create_task(group.ended(session, self._settings.grace))
            try:
                await _first(waiting, self._hurry)
            finally:
                waiting.cancel()
            await asyncio.wait([waiting])

    def _audit(self, survivors: tuple[int, ...], ended_at: int | None) -> None:
        """What the run left behind; nothing of the run follows."""
        self._abandon()
        conversation = self._conversation
        quit_at = None if conversation is None else conversation.quit_at
        directory = os.path.dirname(self._ladder.name)
        self._timeline.add(
            Audit(
                at=self._timeline.stamp(),
                run=self.number,
                processes=survivors,
                files=tuple(
                    path for path in (directory, self._ladder.name) if path and os.path.lexists(path)
                ),
                unread=0 if conversation is None else conversation.unread,
                quit_elapsed=None if quit_at is None or ended_at is None else ended_at - quit_at,
            )
        )

    def _abandon(self) -> None:
        """Close everything at once. Closing twice is harmless."""
        if self._pump is not None:
            self._pump.cancel()
        if self._printing is not None:
            self._printing.abandon()
        if self._conversation is not None:
            self._conversation.close("the run is over: nobody listens")
        self._ladder.close()
        if self._process is not None:
            self._process.close()
        self._settled.set()


async def _first(*futures: asyncio.Future[Any], within: float | None = None) -> None:
    """Wait until one of the futures is done, or the time has passed. None of them is cancelled."""
    await asyncio.wait(futures, timeout=within, return_when=asyncio.FIRST_COMPLETED)


def _set(flag: asyncio.Future[None]) -> None:
    if not flag.done():
        flag.set_result(None)
