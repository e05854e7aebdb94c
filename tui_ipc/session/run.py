"""One run of the child: handshake, conversation, end, audit.

One task owns everything that a run opens, from the first descriptor to the last process, and closes all of it
whatever happens, even if it is cancelled.
"""

import asyncio
import os
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from tui_ipc.events import Audit, ChannelsOpen, ChildSpawned, HandshakeFailed, MessageSent, Origin
from tui_ipc.ipc.errors import IpcError
from tui_ipc.ipc.hello import SERVER_NAME_VARIABLE, InvalidHello, insert_server_name
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE
from tui_ipc.osutil.async_waits import wait_for_first
from tui_ipc.osutil.leaving import create_watched_task
from tui_ipc.osutil.spawn import TERMINAL_SIZE, SpawnError
from tui_ipc.session.conversation import RUN_OVER, Conversation, NotConnected
from tui_ipc.session.correlation import make_correlator, parse_rule
from tui_ipc.session.handshake import Channels, Handshake, HandshakeError, RunPhase
from tui_ipc.session.handshake_monitor import HandshakeMonitor
from tui_ipc.session.output import DRAIN_SECONDS, OutputReader
from tui_ipc.session.process import JobControl, Process, RunParts
from tui_ipc.session.shutdown import Leftovers, Shutdown
from tui_ipc.session.timeline import Timeline

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How a session runs its child, whichever command that is.

    Attributes:
        cwd: Where to start it; None for our own directory.
        env: Its whole environment; None for our own. ``TUI_IPC_SERVER``, the server name, is added to it, and
            nothing else is changed but for ``terminal``.
        timeout: Seconds for the whole handshake.
        grace: Seconds that the child has to end after ``"quit"``, and again after SIGTERM.
        pty: Whether its standard output is a pseudo-terminal or a pipe.
        terminal: What ``TERM`` says of the pseudo-terminal; ``COLUMNS`` and ``LINES``, which say how large
            ours is, are then left out. None leaves all three as they are.
        size: Rows and columns of the pseudo-terminal.
        match: A rule, such as ``id`` or ``$.calls[0].id,!method``, see
            :func:`~tui_ipc.session.correlation.parse_rule`: a message from the child answers the oldest one
            that waits and has the same value there, and one without the path answers nothing. None: messages
            are answered one after the other.
        max_message_size: In bytes, of a message either way. A longer one is refused, or skipped.
        origin: Who sends the messages, as their events say it.

    Raises:
        ValueError: The rule cannot be read.
    """

    cwd: str | None = None
    env: Mapping[str, str] | None = None
    timeout: float = 5.0
    grace: float = 2.0
    pty: bool = True
    terminal: str | None = None
    size: tuple[int, int] = TERMINAL_SIZE
    match: str | None = None
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE
    origin: Origin = "user"

    def __post_init__(self) -> None:
        if self.match is not None:
            parse_rule(self.match)


class Run:
    """One run of the child, from the one-shot server to the audit. Begins at once; made in an event loop.

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
        self._handshake = Handshake(number, timeline, options.max_message_size)
        self._parts: RunParts | None = None  # from the spawn on
        self._conversation: Conversation | None = None  # once the channels are open, and after
        self._receiving: asyncio.Task[None] | None = None
        self._failure: HandshakeFailed | None = None
        self._handshake_over = asyncio.Event()
        # Futures and not events: they are waited for together with others, which an asyncio.Event would need
        # a task for.
        loop = asyncio.get_running_loop()
        self._end_requested: asyncio.Future[None] = loop.create_future()
        self._skip_grace: asyncio.Future[None] = loop.create_future()
        self._task = create_watched_task(self._run())

    @property
    def phase(self) -> RunPhase:
        """How far the run has come."""
        if self._failure is not None:
            return RunPhase.FAILED
        if self._parts is not None and self._parts.process.exit_status is not None:
            return RunPhase.ENDED
        return RunPhase.HANDSHAKE if self._conversation is None else RunPhase.OPEN

    @property
    def pid(self) -> int | None:
        """The child's process id while it lives."""
        if self._parts is None or self._parts.process.exit_status is not None:
            return None
        return self._parts.process.pid

    async def ready(self) -> None:
        """Return once the channels are open.

        Raises:
            HandshakeError: They never will be.
        """
        await self._handshake_over.wait()
        if self._failure is not None:
            raise HandshakeError(self._failure.sentence, timed_out=self._failure.timed_out)

    def send(self, value: object, raw: bytes) -> Coroutine[Any, Any, MessageSent]:
        """Send a message; see :meth:`Conversation.send`."""
        match self.phase:
            case RunPhase.FAILED:
                assert self._failure is not None
                raise NotConnected(f"the handshake failed: {self._failure.sentence}")
            case RunPhase.ENDED:
                assert self._parts is not None
                raise NotConnected(f"child not running: it {self._parts.process.exit_status}")
            case RunPhase.OPEN:
                assert self._conversation is not None
                return self._conversation.send(value, raw)
            case RunPhase.HANDSHAKE | RunPhase.NOT_BEGUN | RunPhase.REPLAY:
                raise NotConnected("the child has not completed the handshake yet")
            case phase:
                assert_never(phase)

    def signal(self, number: int, reason: str) -> bool:
        """Send a signal to the child's process group; return False if no process got it."""
        return self._parts is not None and self._parts.jobs.signal(number, reason)

    def resize(self, size: tuple[int, int]) -> None:
        """Change the rows and columns of the child's terminal, if it has one."""
        if self._parts is not None:
            self._parts.process.resize(size)

    def diagnosis(self) -> "Diagnosis":
        """What the run and its child do at this moment. Looking changes nothing and waits for nothing."""
        # Most runs are never diagnosed, and this takes a while to load.
        from tui_ipc.session.collect_diagnosis import collect_diagnosis

        failure = None if self._failure is None else self._failure.sentence
        return collect_diagnosis(
            self.phase, self._timeline, self._handshake, self._parts, self._conversation, failure
        )

    async def finish(self) -> None:
        """Ask the child to end, wait for it, make it; returns once the run is over.

        Cancelling this does not call off the end.
        """
        _set_done(self._end_requested)
        await asyncio.wait([self._task])
        self._task.result()

    def skip_grace(self) -> None:
        """End the run, from now on without waiting for the child to do anything by itself."""
        _set_done(self._end_requested)
        _set_done(self._skip_grace)

    async def _run(self) -> None:
        try:
            channels = await self._shake_hands()
            if channels is not None:
                assert self._parts is not None
                await self._converse(self._parts, channels)
            if self._parts is None:
                self._close_all()
                self._emit_audit()
            else:
                await self._shut_down(self._parts)
        except BaseException:  # also where the task is cancelled; raised again
            if self._parts is not None:
                self._parts.process.kill_and_reap()
            raise
        finally:
            self._close_all()

    async def _shake_hands(self) -> Channels | None:
        """Run the handshake; None if it failed, which is an event then."""
        try:
            self._handshake.listen()
            parts = self._spawn()
        except (SpawnError, IpcError, OSError) as error:
            self._emit_handshake_failed(str(error))
            return None
        exited = parts.process.exited
        monitor = HandshakeMonitor(parts, self._handshake)
        handshake = asyncio.create_task(self._handshake.run(parts.process.pid))
        watch = asyncio.create_task(monitor.watch(self._options.timeout))
        try:
            await wait_for_first(handshake, exited, self._end_requested, timeout=self._options.timeout)
            if exited.done():  # its hello may be in the buffer of the socket
                await wait_for_first(handshake, timeout=DRAIN_SECONDS)
            timed_out = not (handshake.done() or exited.done() or self._end_requested.done())
        finally:
            handshake.cancel()
            watch.cancel()
        await asyncio.wait([handshake, watch])
        if not watch.cancelled():
            watch.result()
        problem = None
        if not handshake.cancelled():
            try:
                return handshake.result()
            except (InvalidHello, IpcError, OSError) as error:
                problem = error
        reason = await monitor.explain(problem, timed_out=timed_out)
        self._emit_handshake_failed(reason, timed_out=timed_out)
        return None

    def _spawn(self) -> RunParts:
        options, server_name = self._options, self._handshake.server_name
        command = insert_server_name(self._command, server_name)
        env = {**(os.environ if options.env is None else options.env), SERVER_NAME_VARIABLE: server_name}
        if options.pty and options.terminal is not None:
            env["TERM"] = options.terminal
            env.pop("COLUMNS", None)
            env.pop("LINES", None)
        process = Process(command, cwd=options.cwd, env=env, pty=options.pty, size=options.size)
        spawned_at = self._timeline.stamp()
        try:
            self._parts = RunParts(
                run=self.number,
                timeline=self._timeline,
                process=process,
                jobs=JobControl(self.number, self._timeline, process),
                output=OutputReader(self.number, self._timeline, process.stdout, process.stderr),
                spawned_at=spawned_at,
            )
        except BaseException:  # until it is a part of the run, only this ends it
            process.kill_and_reap()
            raise
        self._timeline.add(ChildSpawned(at=spawned_at, run=self.number, pid=process.pid, command=command))
        self._handshake.mark_reached("spawned")
        return self._parts

    def _emit_handshake_failed(self, reason: str, *, timed_out: bool = False) -> None:
        self._failure = HandshakeFailed(
            at=self._timeline.stamp(),
            run=self.number,
            step=self._handshake.step,
            sentence=reason,
            timed_out=timed_out,
        )
        self._timeline.add(self._failure)
        self._handshake_over.set()

    async def _converse(self, parts: RunParts, channels: Channels) -> None:
        """Pass messages until the child ends or is to end."""
        self._conversation = Conversation(
            self.number,
            self._timeline,
            channels.sender,
            channels.receiver,
            is_inline=channels.is_inline,
            emit_output=parts.output.emit_available,
            correlator=make_correlator(self._options.match),
            origin=self._options.origin,
        )
        self._timeline.add(ChannelsOpen(at=self._timeline.stamp(), run=self.number))
        self._handshake_over.set()
        self._receiving = create_watched_task(self._conversation.receive_all())
        await wait_for_first(parts.process.exited, self._end_requested)

    async def _shut_down(self, parts: RunParts) -> None:
        """End the child if it still lives, and what it left; close everything, and emit the audit."""
        shutdown = Shutdown(parts, self._conversation, grace=self._options.grace, skip_grace=self._skip_grace)
        await shutdown.end_child()
        ended_at = self._timeline.now()
        await self._stop_receiving()
        leftovers = await shutdown.collect_leftovers()
        self._close_all()
        self._emit_audit(leftovers, ended_at)

    async def _stop_receiving(self) -> None:
        if self._receiving is None:
            return
        self._receiving.cancel()
        await asyncio.wait([self._receiving])
        if not self._receiving.cancelled():
            self._receiving.result()

    def _emit_audit(self, leftovers: Leftovers | None = None, ended_at: int | None = None) -> None:
        """Emit the last event of the run, once everything was closed."""
        leftovers = leftovers or Leftovers()
        conversation, socket_path = self._conversation, self._handshake.server_name
        paths = (os.path.dirname(socket_path), socket_path)
        quit_at = None if conversation is None else conversation.quit_at
        self._timeline.add(
            Audit(
                at=self._timeline.stamp(),
                run=self.number,
                processes=leftovers.processes,
                commands=leftovers.commands,
                unmatched="" if conversation is None else conversation.correlator.describe_misses(),
                files=tuple(path for path in paths if path and os.path.lexists(path)),
                unread=0 if conversation is None else conversation.unread_bytes,
                unfinished=0 if conversation is None else conversation.unfinished_bytes,
                quit_elapsed=None if quit_at is None or ended_at is None else ended_at - quit_at,
                held=leftovers.held,
            )
        )

    def _close_all(self) -> None:
        """Close everything at once. Closing twice is harmless."""
        if self._receiving is not None:
            self._receiving.cancel()
        if self._conversation is not None:
            self._conversation.close(RUN_OVER)
        self._handshake.close()
        if self._parts is not None:
            self._parts.close()
        self._handshake_over.set()


def _set_done(flag: asyncio.Future[None]) -> None:
    if not flag.done():
        flag.set_result(None)
