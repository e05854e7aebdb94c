"""One life of the child: handshake, conversation, end, audit.

The one rule: one task owns everything that a run opens, from the first descriptor to the last process, and
gives it all back whatever happens, even if it is cancelled.
"""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui_ipc.events import ChannelsOpen, ChildSpawned, HandshakeFailed, MessageSent
from tui_ipc.ipc.errors import IpcError
from tui_ipc.session.conversation import Conversation, NotConnected
from tui_ipc.session.correlation import make_correlator, parse_key_path
from tui_ipc.session.handshake import Channels, Handshake, InvalidHello
from tui_ipc.session.handshake_monitor import (
    SERVER_NAME_VARIABLE,
    HandshakeError,
    HandshakeMonitor,
    insert_server_name,
)
from tui_ipc.session.job_control import JobControl
from tui_ipc.session.output import OutputReader
from tui_ipc.session.process import Process, SpawnError
from tui_ipc.session.shutdown import DRAIN_SECONDS, Shutdown, emit_audit, wait_for_first
from tui_ipc.session.timeline import Timeline

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How a session runs its child, whatever the child is.

    Attributes:
        cwd: Where to start it; None for our own directory.
        env: Its whole environment; None for our own. ``TUI_IPC_SERVER``, the server name, is added to it, and
            nothing else is changed.
        timeout: Seconds for the whole handshake.
        grace: Seconds that the child has to end after ``"quit"``, and again after SIGTERM.
        pty: Whether its standard output is a pseudo-terminal or a pipe.
        match: A key path, such as ``id`` or ``header.id``: a message from the child answers the oldest one
            that waits and has the same value there, and one without the path answers nothing. None: messages
            are answered one after the other.

    Raises:
        ValueError: A part of the key path is empty.
    """

    cwd: str | None = None
    env: Mapping[str, str] | None = None
    timeout: float = 5.0
    grace: float = 2.0
    pty: bool = True
    match: str | None = None

    def __post_init__(self) -> None:
        if self.match is not None:
            parse_key_path(self.match)


class Run:
    """One life of the child, from the one-shot server to the audit. Begins at once; made in an event loop.

    Args:
        number: Counts the runs of a session, from 1.
        command: The child's program and its arguments.
        options: How to run it.
        timeline: Where its events go.

    Attributes:
        number: As given.
    """

    def __init__(
        self, number: int, command: tuple[str, ...], options: SessionOptions, timeline: Timeline
    ) -> None:
        self.number = number
        self._command = command
        self._options = options
        self._timeline = timeline
        self._ladder = Handshake(number, timeline)
        self._process: Process | None = None
        self._spawned_at: int | None = None
        self._jobs: JobControl | None = None
        self._printing: OutputReader | None = None
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

    def send(self, value: object, raw: bytes) -> Coroutine[Any, Any, MessageSent]:
        """Send a message; see :meth:`Conversation.send`."""
        if self._process is not None and self._process.exit is not None:
            raise NotConnected(f"the child {self._process.exit}: nobody listens")
        if self._failure is not None:
            raise NotConnected(f"the handshake failed: {self._failure.sentence}")
        if self._conversation is None:
            raise NotConnected("the child has not completed the handshake yet: nobody listens so far")
        return self._conversation.send(value, raw)

    def signal(self, number: int, reason: str) -> bool:
        """Send a signal to the child's process group; False if it reached nobody."""
        return self._jobs is not None and self._jobs.signal(number, reason)

    def diagnosis(self) -> "Diagnosis":
        """What the run and its child do at this moment."""
        from tui_ipc.session.examination import diagnose_run  # most runs are never asked

        return diagnose_run(
            self._timeline,
            self._ladder,
            spawned_at=self._spawned_at,
            process=self._process,
            printing=self._printing,
            conversation=self._conversation,
            failure=self._failure,
        )

    async def finish(self) -> None:
        """Ask the child to end, wait for it, make it; returns once the run is over.

        Cancelling this does not call the end off.
        """
        _set_done(self._end)
        await asyncio.wait([self._life])
        self._life.result()

    def hurry(self) -> None:
        """From now on the end goes without waiting for the child to do anything in good order."""
        _set_done(self._end)
        _set_done(self._hurry)

    async def _live(self) -> None:
        try:
            channels = await self._shake_hands()
            if channels is not None:
                await self._converse(channels)
            if self._process is None:
                self._abandon()
                emit_audit(self.number, self._timeline, server=self._ladder.name)
            else:
                await self._shut_down(self._process)
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
        doctor = self._doctor(process)
        climb = asyncio.create_task(self._ladder.climb(process.pid))
        watch = asyncio.create_task(doctor.watch(self._options.timeout))
        try:
            await wait_for_first(climb, process.exited, self._end, within=self._options.timeout)
            if process.exited.done():  # what it did last may have been to say hello
                await wait_for_first(climb, within=DRAIN_SECONDS)
            timed_out = not (climb.done() or process.exited.done() or self._end.done())
        finally:
            climb.cancel()
            watch.cancel()
        await asyncio.wait([climb, watch])
        if not watch.cancelled():
            watch.result()
        problem = None
        if not climb.cancelled():
            try:
                return climb.result()
            except (InvalidHello, IpcError, OSError) as error:
                problem = error
        self._fail(await doctor.explain_failure(problem, timed_out=timed_out), timed_out=timed_out)
        return None

    def _spawn(self) -> Process:
        command = insert_server_name(self._command, self._ladder.name)
        env = {
            **(os.environ if self._options.env is None else self._options.env),
            SERVER_NAME_VARIABLE: self._ladder.name,
        }
        process = Process(command, cwd=self._options.cwd, env=env, pty=self._options.pty)
        self._process = process
        self._spawned_at = self._timeline.stamp()
        self._timeline.add(
            ChildSpawned(at=self._spawned_at, run=self.number, pid=process.pid, command=command)
        )
        self._jobs = JobControl(self.number, self._timeline, process)
        self._printing = OutputReader(self.number, self._timeline, process.stdout, process.stderr)
        self._ladder.step = "connected"
        return process

    def _doctor(self, process: Process) -> HandshakeMonitor:
        assert self._jobs is not None
        assert self._printing is not None
        return HandshakeMonitor(
            self.number, self._timeline, self._ladder, process, jobs=self._jobs, printing=self._printing
        )

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
        self._conversation = Conversation(
            self.number,
            self._timeline,
            *channels,
            self._printing.catch_up,
            make_correlator(self._options.match),
        )
        self._timeline.add(ChannelsOpen(at=self._timeline.stamp(), run=self.number))
        self._settled.set()
        self._pump = asyncio.create_task(self._conversation.pump())
        await wait_for_first(self._process.exited, self._end)

    async def _shut_down(self, process: Process) -> None:
        """End the child if it still lives, and what it left; close everything, and tell what there was."""
        assert self._printing is not None
        assert self._jobs is not None
        ending = Shutdown(
            self.number,
            self._timeline,
            process,
            jobs=self._jobs,
            printing=self._printing,
            conversation=self._conversation,
            grace=self._options.grace,
            hurry=self._hurry,
        )
        await ending.end_child()
        ended_at = self._timeline.now()
        await self._stop_pump()
        remains = await ending.conclude()
        self._abandon()
        emit_audit(
            self.number,
            self._timeline,
            server=self._ladder.name,
            remains=remains,
            conversation=self._conversation,
            ended_at=ended_at,
        )

    async def _stop_pump(self) -> None:
        if self._pump is None:
            return
        self._pump.cancel()
        await asyncio.wait([self._pump])
        if not self._pump.cancelled():
            self._pump.result()

    def _abandon(self) -> None:
        """Close everything at once. Closing twice is harmless."""
        if self._pump is not None:
            self._pump.cancel()
        if self._jobs is not None:
            self._jobs.close()
        if self._printing is not None:
            self._printing.abandon()
        if self._conversation is not None:
            self._conversation.close("the run is over: nobody listens")
        self._ladder.close()
        if self._process is not None:
            self._process.close()
        self._settled.set()


def _set_done(flag: asyncio.Future[None]) -> None:
    if not flag.done():
        flag.set_result(None)
