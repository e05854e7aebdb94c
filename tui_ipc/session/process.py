"""The child process of a run: signalled, watched for stops, reaped; and what a run has while it lives."""

import asyncio
import contextlib
import os
import resource
import select
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui_ipc.events import ChildContinued, ChildStopped, SignalSent
from tui_ipc.osutil import process_group
from tui_ipc.osutil.leaving import create_watched_task
from tui_ipc.osutil.pidfd import Exit
from tui_ipc.osutil.signals import describe_exit, signal_name
from tui_ipc.osutil.spawn import TERMINAL_SIZE, ChildGuard, SpawnError, resize_terminal, spawn_process
from tui_ipc.session.output import ChildStream, OutputReader
from tui_ipc.session.timeline import Timeline

_RSS_UNIT: Final = 1024
"""Bytes in what getrusage(2) counts resident memory in."""

_CONTINUED: Final = 0
"""No signal has this number."""

_POLL_SECONDS: Final = 0.2
"""Seconds between two looks at whether the child is stopped."""

_POLL_SECONDS_AFTER_SIGNAL: Final = (0.005, 0.02, 0.05)
"""Seconds between the looks after a signal of ours: the kernel stops a process when its turn comes."""


@dataclass(frozen=True, slots=True)
class ExitStatus:
    """How a process ended.

    Attributes:
        code: Its exit code, None if a signal ended it.
        signal: The signal that ended it, None if it exited. Both are None if the status was lost, because
            somebody else in this process collected it or SIGCHLD is ignored.
        user_seconds: CPU time of the process and its reaped children in user mode.
        system_seconds: The same in the kernel.
        max_rss: The largest resident memory of any one of them, in bytes. Never less than what the process
            that spawned it had, since the count begins before the program is loaded.
    """

    code: int | None
    signal: int | None
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    max_rss: int = 0

    def __str__(self) -> str:
        return describe_exit(self.code, self.signal)


class Process:
    """A running child and its output. Must be made in an event loop; owns the process until it is reaped.

    Args:
        command: The program and its arguments.
        cwd: Where to start it; None for our own directory.
        env: Its whole environment.
        pty: Whether its standard output is a pseudo-terminal or a pipe.
        size: Rows and columns of the pseudo-terminal.

    Raises:
        SpawnError: It could not be started, or could not be watched and was ended.

    Attributes:
        pid: Its process id, and that of its group and session.
        stdout: Its standard output.
        stderr: Its standard error.
        exited: Done once the process was reaped. Wait for it by ``asyncio.wait``, which does not cancel it.
        stopped_by: The signal that it is stopped by, as of the last :meth:`poll_job_changes`; None while it
            runs.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        cwd: str | None = None,
        env: Mapping[str, str],
        pty: bool = True,
        size: tuple[int, int] = TERMINAL_SIZE,
    ) -> None:
        self.pid, stdout, stderr = spawn_process(command, cwd=cwd, env=env, pty=pty, size=size)
        self.stdout = ChildStream("stdout", stdout)
        self.stderr = ChildStream("stderr", stderr)
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[ExitStatus] = self._loop.create_future()
        self.stopped_by: int | None = None
        self._sigcont_sent = False  # since the last look
        self._exit: Exit | None = None
        self._guard: ChildGuard | None = None
        try:
            self._guard = ChildGuard(self.pid)
            self._exit = Exit(self.pid)
            for descriptor in self._exit.descriptors():
                self._loop.add_reader(descriptor, self._reap)
            if not self._exit.descriptors():
                # Where SIGCHLD is ignored, the kernel reaps a child that ends, and then there is nothing to
                # watch.
                self._loop.call_soon(self._reap)
        except OSError as error:  # no descriptor or no process left
            self.kill_and_reap()
            raise SpawnError(f"the child cannot be watched, and was ended: {error.strerror}") from None

    @property
    def exit_status(self) -> ExitStatus | None:
        """How it ended, None while it has not been reaped."""
        return self.exited.result() if self.exited.done() else None

    def signal(self, number: int) -> bool:
        """Send a signal to the process group; return False if no process got it.

        That is so once the process was reaped, and where it runs as another user (``sudo``).
        """
        if self.exited.done():
            return False
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        self._sigcont_sent = self._sigcont_sent or number == signal.SIGCONT
        return True

    def resize(self, size: tuple[int, int]) -> None:
        """Change the rows and columns of its terminal, if it has one, and send it SIGWINCH."""
        if not self.exited.done():
            resize_terminal(self.stdout.fileno(), self.pid, size)

    def poll_job_changes(self) -> tuple[int | None, ...]:
        """Look, without waiting, whether the process was stopped or continued since the last look.

        Returns:
            What happened, in order: the signal that stopped it, or None where it was continued. Nothing once
            it was reaped.
        """
        if self.exited.done():
            return ()
        # The kernel reports only the latest change, and forgets it when the process ends. What came before
        # follows from the state at the last look:
        #
        #   was stopped, reported     what happened
        #   yes          stopped      continued, then stopped again
        #   yes          continued    continued
        #   yes          nothing      nothing; continued if we sent SIGCONT, for the process has ended since
        #   no           stopped      stopped
        #   no           anything else: nothing that lasted
        change = _read_job_change(self.pid)
        is_continued = self.stopped_by is not None and (self._sigcont_sent or change is not None)
        self._sigcont_sent = False
        changes: list[int | None] = []
        if is_continued:
            self.stopped_by = None
            changes.append(None)
        if change not in (None, _CONTINUED):
            self.stopped_by = change
            changes.append(change)
        return tuple(changes)

    def close(self) -> None:
        """Close the output. No task may wait for more of it."""
        self.stdout.close()
        self.stderr.close()
        if self._guard is not None:
            self._guard.close()

    def kill_and_reap(self, timeout: float = 1.0) -> None:
        """End everything at once: SIGKILL to the session, reap, close. The event loop may be closed already.

        Args:
            timeout: Seconds to block at most until the kernel has done its part. A process that is stuck in
                the kernel, or not ours to signal, is then left unreaped.
        """
        # First the group of the child, which cannot grow any more then; then what left that group.
        process_group.signal_processes(self.pid, () if self.exited.done() else (self.pid,), signal.SIGKILL)
        process_group.signal_processes(self.pid, process_group.session_processes(self.pid), signal.SIGKILL)
        if self._exit is not None:
            select.select(self._exit.descriptors(), [], [], timeout)
            self._reap()
            self._unwatch()
        elif not self.exited.done():  # it cannot be watched, but SIGKILL ends it
            self._set_exit_status(_reap_child(self.pid, 0))
        self.close()

    def _unwatch(self) -> None:
        if self._exit is None:
            return
        for descriptor in self._exit.descriptors():
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                self._loop.remove_reader(descriptor)
        self._exit.close()
        self._exit = None

    def _reap(self) -> None:
        # The kernel reports the end of a process whose other threads are still ending; then there is nothing
        # to reap yet, and the loop calls again, because the descriptor stays readable.
        status = _reap_child(self.pid, os.WNOHANG)
        if status is not None:
            self._unwatch()
            self._set_exit_status(status)

    def _set_exit_status(self, status: ExitStatus | None) -> None:
        if status is not None and not self.exited.done():
            self.stopped_by = None
            self.exited.set_result(status)


def _read_job_change(pid: int) -> int | None:
    """Return the signal that stopped a child, or _CONTINUED, whichever came last; None if neither came.

    The kernel tells each once. The exit is not asked for, so that it can still be collected.
    """
    try:
        change = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
    except ChildProcessError:  # it has ended
        return None
    if change is None:
        return None
    return change.si_status if change.si_code == os.CLD_STOPPED else _CONTINUED


def _reap_child(pid: int, options: int) -> ExitStatus | None:
    try:
        found, status, usage = os.wait4(pid, options)
    except ChildProcessError:
        return ExitStatus(None, None)
    return _parse_exit_status(status, usage) if found else None


def _parse_exit_status(status: int, usage: resource.struct_rusage) -> ExitStatus:
    code = os.waitstatus_to_exitcode(status)
    return ExitStatus(
        code if code >= 0 else None,
        -code if code < 0 else None,
        usage.ru_utime,
        usage.ru_stime,
        usage.ru_maxrss * _RSS_UNIT,
    )


class JobControl:
    """Signals the child of one run, and emits an event when it is stopped or continued.

    Must be made in an event loop. Emits nothing any more once the child was reaped.

    Args:
        run: The run's number, for events.
        timeline: Where the events go.
        process: The child.

    Attributes:
        continued_at: When the child was last continued, None if it never was stopped.
    """

    def __init__(self, run: int, timeline: Timeline, process: Process) -> None:
        self.continued_at: int | None = None
        self._run = run
        self._timeline = timeline
        self._process = process
        self._keeps_continuing = False
        self._signalled = asyncio.Event()
        self._task = create_watched_task(self._watch())

    def signal(self, number: int, reason: str) -> bool:
        """Send a signal to the child's process group; return False if no process got it."""
        if not self._process.signal(number):
            return False
        self._timeline.add(
            SignalSent(at=self._timeline.stamp(), run=self._run, signal=int(number), reason=reason)
        )
        self.poll()  # a process is continued by the call that sends the signal
        self._signalled.set()
        return True

    def keep_continuing(self) -> None:
        """Continue the child if it is stopped, and from now on whenever it is."""
        self._keeps_continuing = True
        self.poll()
        self._continue()

    def poll(self) -> None:
        """Emit what has happened to the child since the last look."""
        for number in self._process.poll_job_changes():
            at = self._timeline.stamp()
            if number is None:
                self.continued_at = at
                self._timeline.add(ChildContinued(at=at, run=self._run))
            else:
                self._timeline.add(ChildStopped(at=at, run=self._run, signal=number))

    def close(self) -> None:
        """Stop looking. Closing twice is harmless."""
        self._task.cancel()

    async def _watch(self) -> None:
        # Polling: SIGCHLD would tell at once, but a program has one handler for it, which is not ours to
        # take, and a pidfd does not tell of stops.
        while True:
            self.poll()
            self._continue()
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._signalled.wait()
            except TimeoutError:
                continue
            self._signalled.clear()
            for delay in _POLL_SECONDS_AFTER_SIGNAL:
                await asyncio.sleep(delay)
                self.poll()

    def _continue(self) -> None:
        if not self._keeps_continuing or self._process.stopped_by is None:
            return
        name = signal_name(self._process.stopped_by)
        self.signal(signal.SIGCONT, f"the child is stopped by {name}, and a stopped child cannot quit")


@dataclass(frozen=True, slots=True)
class RunParts:
    """What a run has from the moment at which its child was spawned.

    Attributes:
        run: The run's number, for events.
        timeline: Where its events go.
        process: The child.
        jobs: Signals the child.
        output: What the child prints.
        spawned_at: When it was spawned.
    """

    run: int
    timeline: Timeline
    process: Process
    jobs: JobControl
    output: OutputReader
    spawned_at: int

    def close(self) -> None:
        """Close all of it at once. Closing twice is harmless."""
        self.jobs.close()
        self.output.cancel()
        self.process.close()
