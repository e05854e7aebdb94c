"""The end of a run: the child is asked to quit, then made to; what it left behind is read, and ended.

Every wait is bounded, and every signal is an event with its reason.
"""

import asyncio
import os
import signal
from dataclasses import dataclass
from typing import Final

from tui_ipc.events import ChildExited, SignalSent
from tui_ipc.ipc.hello import QUIT
from tui_ipc.ipc.wire import encode
from tui_ipc.osutil import process_group
from tui_ipc.osutil.async_waits import wait_for_first
from tui_ipc.osutil.procfs import read_process_name
from tui_ipc.osutil.waiting import has_hung_up
from tui_ipc.session.conversation import CHILD_ENDED, Conversation
from tui_ipc.session.output import DRAIN_BYTES, DRAIN_SECONDS
from tui_ipc.session.process import RunParts

KILL_TIMEOUT: Final = 1.0
"""Seconds that the kernel gets to carry out SIGKILL. A process that lives on then is stuck in the kernel, or
not ours to signal; the audit names it."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a child left behind.

    Attributes:
        processes: Those of its session that were alive after its end.
        commands: Their command lines, shortened.
        held: Streams that some process still held once these had been ended: one in a session of its own.
    """

    processes: tuple[int, ...] = ()
    commands: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


class Shutdown:
    """Ends the child of one run. Owns nothing: whoever made what it uses closes it.

    Args:
        parts: The run's.
        conversation: The open channels, None if the handshake failed. No task may receive from it in
            :meth:`collect_leftovers`.
        grace: Seconds that the child has to end after ``"quit"``, and again after SIGTERM.
        skip_grace: Once it is done there is no grace any more.
    """

    def __init__(
        self,
        parts: RunParts,
        conversation: Conversation | None,
        *,
        grace: float,
        skip_grace: asyncio.Future[None],
    ) -> None:
        self._parts = parts
        self._conversation = conversation
        self._grace = grace
        self._skip_grace = skip_grace

    async def end_child(self) -> None:
        """End a child that still lives: ``"quit"``, SIGTERM, SIGKILL, each after its time of grace."""
        exited, jobs = self._parts.process.exited, self._parts.jobs
        if exited.done():
            return
        if self._conversation is None:
            reason = "the handshake failed"
        else:
            reason = await self._request_quit(self._conversation)
        if exited.done():
            return
        jobs.signal(signal.SIGTERM, reason)
        jobs.keep_continuing()  # it may have been stopped since
        await wait_for_first(exited, self._skip_grace, timeout=self._grace)
        if exited.done():
            return
        jobs.signal(signal.SIGKILL, f"the child had not ended {self._grace:g} s after SIGTERM")
        await wait_for_first(exited, timeout=KILL_TIMEOUT)

    async def collect_leftovers(self) -> Leftovers:
        """Emit what the child still sent and printed, and how it ended; end what it left behind."""
        process, output = self._parts.process, self._parts.output
        if self._conversation is not None:
            await self._conversation.receive_remaining(DRAIN_SECONDS, DRAIN_BYTES)
        await output.drain(DRAIN_SECONDS, DRAIN_BYTES)
        # Our end is closed before the survivors are ended, so that they see it. A duplicate of its descriptor
        # is kept: it hangs up once no process has the other end any more.
        duplicate = None if self._conversation is None else self._conversation.dup_receiver()
        try:
            if self._conversation is not None:
                self._conversation.mark_ended()
                self._conversation.close(CHILD_ENDED)
            is_reaped = self._emit_exit()
            survivors = process_group.session_processes(process.pid)
            commands = tuple(read_process_name(pid).command for pid in survivors)
            await self._end_survivors()
            held: tuple[str, ...] = output.held_streams  # what the survivors held is closed by now
            if duplicate is not None and not has_hung_up(duplicate):
                held = (*held, "channel")
        finally:
            if duplicate is not None:
                os.close(duplicate)
        if not is_reaped:  # neither we nor the kernel could end it in time; a last look
            process.kill_and_reap(0)
            self._emit_exit()
        return Leftovers(survivors, commands, held)

    async def _request_quit(self, conversation: Conversation) -> str:
        """Send ``"quit"`` unless it was sent, and give the child its time; return why that was not enough."""
        grace, exited, jobs = self._grace, self._parts.process.exited, self._parts.jobs
        now = self._parts.timeline.now
        jobs.keep_continuing()
        # The time of grace began when the child was asked, or when it could not be asked any more; but a
        # child that is stopped reads nothing, and has its time from when it was continued.
        since = max(conversation.quit_at or conversation.closed_at or now(), jobs.continued_at or 0)
        reason = f'the child had not ended {grace:g} s after "quit"'
        if conversation.quit_at is None:
            sending = asyncio.create_task(conversation.send(QUIT, encode(QUIT)))
            conversation.measure_sent()  # what is read from here on is compared with
            await wait_for_first(sending, exited, self._skip_grace, timeout=grace)
            _, progress = conversation.measure_sent()
            sending.cancel()
            await asyncio.wait([sending])
            if sending.cancelled():
                reads = "does not read" if progress.read_within is None else "reads slowly"
                reason = f'the child {reads}: "quit" could not be sent in {grace:g} s'
            elif sending.exception() is not None:
                reason = f'"quit" could not be sent: {sending.exception()}'
            else:
                since = sending.result().at
        left = grace - (now() - since) / 1e9
        await wait_for_first(exited, self._skip_grace, timeout=max(left, 0))
        return reason

    def _emit_exit(self) -> bool:
        """Emit how the child ended; False if it has not been reaped."""
        status = self._parts.process.exit_status
        if status is None:
            return False
        self._parts.timeline.add(
            ChildExited(
                at=self._parts.timeline.stamp(),
                run=self._parts.run,
                code=status.code,
                signal=status.signal,
                user_seconds=status.user_seconds,
                system_seconds=status.system_seconds,
                max_rss=status.max_rss,
            )
        )
        return True

    async def _end_survivors(self) -> None:
        sid = self._parts.process.pid
        for number in (signal.SIGTERM, signal.SIGKILL):
            pids = process_group.session_processes(sid)
            if not pids:
                return
            self._signal_survivors(pids, number, "the child ended and left processes behind")
            if stopped := process_group.stopped_processes(sid):
                self._signal_survivors(stopped, signal.SIGCONT, "a stopped process cannot end")
            waiting = asyncio.create_task(process_group.wait_for_processes(sid, self._grace))
            try:
                await wait_for_first(waiting, self._skip_grace)
            finally:
                waiting.cancel()
            await asyncio.wait([waiting])

    def _signal_survivors(self, pids: tuple[int, ...], number: signal.Signals, reason: str) -> None:
        parts = self._parts
        reason = f"{reason}: {', '.join(str(read_process_name(pid)) for pid in pids)}"
        parts.timeline.add(
            SignalSent(at=parts.timeline.stamp(), run=parts.run, signal=int(number), reason=reason)
        )
        process_group.signal_processes(parts.process.pid, pids, number)
