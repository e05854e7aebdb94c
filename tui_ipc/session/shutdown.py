"""The end of a run: the child is asked, then made to; what it still said is taken; what it left is ended.

The one rule: every wait is bounded, and whatever had to be done to a process is an event with its reason.
"""

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Any, Final

from tui_ipc.events import Audit, ChildExited, SignalSent
from tui_ipc.ipc.wire import encode
from tui_ipc.osutil import process_group
from tui_ipc.osutil.descriptors import has_hung_up
from tui_ipc.session.conversation import QUIT, Conversation
from tui_ipc.session.job_control import JobControl
from tui_ipc.session.output import OutputReader
from tui_ipc.session.process import Process
from tui_ipc.session.timeline import Timeline

DRAIN_SECONDS: Final = 0.2
"""Seconds to wait, once the child has ended, for the ends of its streams: processes it left may hold them."""

DRAIN_BYTES: Final = 8 * 1024 * 1024
"""What is read of each stream after the child's end at most. The kernel holds less: more can only come from
processes that the child left behind."""

KILL_TIMEOUT: Final = 1.0
"""Seconds that the kernel gets to carry out SIGKILL. A process that lives on then is stuck in the kernel, or
not ours to signal; the audit names it."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a child left behind.

    Attributes:
        processes: Those of its session that were alive after its end.
        held: Streams that somebody still held once these had been ended: a process in a session of its own.
    """

    processes: tuple[int, ...] = ()
    held: tuple[str, ...] = ()


class Shutdown:
    """How the child of one run comes to its end. Owns nothing: whoever made what it uses closes it.

    Args:
        run: The run's number, for events.
        timeline: Where its events go.
        process: The child.
        jobs: Signals the child, and continues it if it is stopped.
        printing: What the child prints.
        conversation: The open channels, None if the handshake failed. Nobody may pump it in
            :meth:`conclude`.
        grace: Seconds that the child has to end after ``"quit"``, and again after SIGTERM.
        hurry: Once it is done there is no grace any more.
    """

    def __init__(
        self,
        run: int,
        timeline: Timeline,
        process: Process,
        *,
        jobs: JobControl,
        printing: OutputReader,
        conversation: Conversation | None,
        grace: float,
        hurry: asyncio.Future[None],
    ) -> None:
        self._run = run
        self._timeline = timeline
        self._process = process
        self._jobs = jobs
        self._printing = printing
        self._conversation = conversation
        self._grace = grace
        self._hurry = hurry

    async def end_child(self) -> None:
        """End a child that still lives: ``"quit"``, SIGTERM, SIGKILL, each after its time of grace."""
        process, grace = self._process, self._grace
        if process.exited.done():
            return
        if self._conversation is None:
            reason = "the handshake failed"
        else:
            reason = await self._ask(self._conversation)
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, KILL_TIMEOUT)):
            if process.exited.done():
                return
            self._jobs.signal(number, reason)
            hurry = []
            if number == signal.SIGTERM:
                self._jobs.keep_continuing()  # it may have been stopped since
                hurry = [self._hurry]
            await wait_for_first(process.exited, *hurry, within=patience)
            reason = f"the child had not ended {grace:g} s after SIGTERM"

    async def conclude(self) -> Leftovers:
        """Take what the child has still said and printed, tell how it ended, end what it left behind."""
        if self._conversation is not None:
            await self._conversation.drain(DRAIN_SECONDS, DRAIN_BYTES)
        await self._printing.drain(DRAIN_SECONDS, DRAIN_BYTES)
        channel = None if self._conversation is None else self._conversation.hold()
        try:
            if self._conversation is not None:
                self._conversation.end()
                self._conversation.close("the child has ended: nobody listens")
            told = self._emit_exit()
            survivors = process_group.session_processes(self._process.pid)
            await self._end_survivors()
            held: tuple[str, ...] = self._printing.held  # what the survivors held is free by now
            if channel is not None and not has_hung_up(channel):
                held = (*held, "channel")
        finally:
            if channel is not None:
                os.close(channel)
        if not told:  # neither we nor the kernel could end it in time; a last look
            self._process.destroy(0)
            self._emit_exit()
        return Leftovers(survivors, held)

    async def _ask(self, conversation: Conversation) -> str:
        """Say ``"quit"`` unless somebody has, and give the child its time; why that was not enough."""
        grace = self._grace
        self._jobs.keep_continuing()
        begun = conversation.quit_at or conversation.closed_at or self._timeline.now()
        begun = max(begun, self._jobs.continued_at or 0)  # a child that is stopped hears nothing
        reason = f'the child had not ended {grace:g} s after "quit"'
        if conversation.quit_at is None:
            asking = asyncio.create_task(conversation.send(QUIT, encode(QUIT)))
            await wait_for_first(asking, self._process.exited, self._hurry, within=grace)
            asking.cancel()
            await asyncio.wait([asking])
            if asking.cancelled():
                reason = f'the child reads nothing: "quit" could not be sent in {grace:g} s'
            elif asking.exception() is not None:
                reason = f'"quit" could not be said: {asking.exception()}'
            else:
                begun = asking.result().at
        left = grace - (self._timeline.now() - begun) / 1e9
        await wait_for_first(self._process.exited, self._hurry, within=max(left, 0))
        return reason

    def _emit_exit(self) -> bool:
        """Emit how the child ended; False if it has not been reaped."""
        how = self._process.exit
        if how is None:
            return False
        self._timeline.add(
            ChildExited(
                at=self._timeline.stamp(),
                run=self._run,
                code=how.code,
                signal=how.signal,
                user_seconds=how.user_seconds,
                system_seconds=how.system_seconds,
                max_rss=how.max_rss,
            )
        )
        return True

    async def _end_survivors(self) -> None:
        session = self._process.pid
        for number in (signal.SIGTERM, signal.SIGKILL):
            pids = process_group.session_processes(session)
            if not pids:
                return
            self._signal_survivors(pids, number, "the child ended and left processes behind")
            if stopped := process_group.stopped_processes(session):
                self._signal_survivors(stopped, signal.SIGCONT, "a stopped process cannot end")
            waiting = asyncio.create_task(process_group.wait_for_processes(session, self._grace))
            try:
                await wait_for_first(waiting, self._hurry)
            finally:
                waiting.cancel()
            await asyncio.wait([waiting])

    def _signal_survivors(self, pids: tuple[int, ...], number: signal.Signals, reason: str) -> None:
        reason = f"{reason}: {', '.join(map(str, pids))}"
        self._timeline.add(
            SignalSent(at=self._timeline.stamp(), run=self._run, signal=int(number), reason=reason)
        )
        process_group.signal_processes(self._process.pid, pids, number)


def emit_audit(
    run: int,
    timeline: Timeline,
    *,
    server: str,
    remains: Leftovers | None = None,
    conversation: Conversation | None = None,
    ended_at: int | None = None,
) -> None:
    """Tell what a run left behind, once all of it was closed; nothing of the run follows.

    Args:
        run: The run's number.
        timeline: Where the event goes.
        server: The name of the one-shot server, empty if there was none.
        remains: What :meth:`Ending.conclude` found, None if there was no child.
        conversation: The channels, if they were open.
        ended_at: When the child ended, None if there was no child.
    """
    quit_at = None if conversation is None else conversation.quit_at
    timeline.add(
        Audit(
            at=timeline.stamp(),
            run=run,
            processes=() if remains is None else remains.processes,
            files=tuple(path for path in (os.path.dirname(server), server) if path and os.path.lexists(path)),
            unread=0 if conversation is None else conversation.unread,
            quit_elapsed=None if quit_at is None or ended_at is None else ended_at - quit_at,
            held=() if remains is None else remains.held,
        )
    )


async def wait_for_first(*futures: asyncio.Future[Any], within: float | None = None) -> None:
    """Wait until one of the futures is done, or the time has passed. None of them is cancelled."""
    await asyncio.wait(futures, timeout=within, return_when=asyncio.FIRST_COMPLETED)
