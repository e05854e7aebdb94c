"""The child's process: started, signalled, and always reaped.

The one rule: whatever happens, the exit status is collected by us, once, and by nobody else. The kernel
tells of the end through a pidfd in the event loop, without a thread; where it cannot, a thread waits for
it.
"""

import asyncio
import contextlib
import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui_ipc.session import group
from tui_ipc.session.output import Output
from tui_ipc.session.spawn import spawn

_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in what getrusage(2) counts resident memory in."""

_CONTINUED: Final = 0
"""No signal has this number."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended.

    Attributes:
        code: Its exit code, None if a signal ended it.
        signal: The signal that ended it, None if it exited. Both are None if the status was lost, because
            somebody else in this process collected it or SIGCHLD is ignored.
        user_seconds: CPU time of the process and its reaped children in user mode.
        system_seconds: The same in the kernel.
        max_rss: The largest resident memory of any one of them, in bytes. On Linux never less than what the
            process that spawned it had, since the count begins before the program is loaded.
    """

    code: int | None
    signal: int | None
    user_seconds: float = 0.0
    system_seconds: float = 0.0
    max_rss: int = 0

    def __str__(self) -> str:
        if self.code is not None:
            return f"exited with code {self.code}"
        if self.signal is not None:
            return f"was ended by {signal_name(self.signal)}"
        return "ended, and its exit status was lost"


def signal_name(number: int) -> str:
    """``SIGTERM`` for 15; ``signal 42`` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class Process:
    """A running child and its output. Must be made in an event loop; owns the process until it is reaped.

    Args:
        command: The program and its arguments.
        cwd: Where to start it; None for our own directory.
        env: Its whole environment.
        pty: Whether its standard output is a pseudo-terminal or a pipe.

    Raises:
        SpawnError: It could not be started.

    Attributes:
        pid: Its process id, and that of its group and session.
        stdout: Its standard output.
        stderr: Its standard error.
        exited: Done once the process was reaped. Wait for it by ``asyncio.wait``, which does not cancel it.
        stopped: The signal that it is stopped by, as far as :meth:`stops` has seen, None while it goes on.
    """

    def __init__(
        self, command: Sequence[str], *, cwd: str | None = None, env: Mapping[str, str], pty: bool = True
    ) -> None:
        self.pid, stdout, stderr = spawn(command, cwd=cwd, env=env, pty=pty)
        self.stdout = Output("stdout", stdout)
        self.stderr = Output("stderr", stderr)
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[Exit] = self._loop.create_future()
        self.stopped: int | None = None
        self._sent_on = False  # by a SIGCONT of ours, which it may not live to be seen to follow
        self._pidfd = -1
        self._thread: threading.Thread | None = None
        self._watch()

    @property
    def exit(self) -> Exit | None:
        """How it ended, None while it has not been reaped."""
        return self.exited.result() if self.exited.done() else None

    def signal(self, number: int) -> bool:
        """Send a signal to the process group; False if there is nobody whom it reached.

        That is so once the process was reaped, and where it runs as another user (``sudo``).
        """
        if self.exited.done():
            return False
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            return False
        self._sent_on = self._sent_on or number == signal.SIGCONT
        return True

    def stops(self) -> tuple[int | None, ...]:
        """Look whether the process was stopped or continued since the last look, without waiting.

        Returns:
            What happened, in order: the signal that stopped it, or None where it goes on. Nothing on a system
            that cannot tell, and nothing once it was reaped.
        """
        if self.exited.done():
            return ()
        change = _stopped_or_continued(self.pid)
        goes_on = self.stopped is not None and (self._sent_on or change is not None)
        self._sent_on = False
        changes: list[int | None] = []
        if goes_on:
            self.stopped = None
            changes.append(None)
        if change not in (None, _CONTINUED):
            self.stopped = change
            changes.append(change)
        return tuple(changes)

    def close(self) -> None:
        """Close the output. Nobody may wait for more of it."""
        self.stdout.close()
        self.stderr.close()

    def destroy(self, within: float = 1.0) -> None:
        """End everything at once, without the event loop: SIGKILL to the session, reap, close. Always safe.

        Args:
            within: Seconds to block at most until the kernel has done its part. A process that is stuck in
                the kernel, or not ours to signal, is then left unreaped.
        """
        group.send(self.pid, () if self.exited.done() else (self.pid,), signal.SIGKILL)
        group.send(self.pid, group.members(self.pid), signal.SIGKILL)
        if self._pidfd >= 0:
            select.select([self._pidfd], [], [], within)
            self._reap()
            self._unwatch()
        elif self._thread is not None:
            self._thread.join(within)
        self.close()

    def _watch(self) -> None:
        try:
            self._pidfd = os.pidfd_open(self.pid)
        except (AttributeError, OSError):  # another system than Linux, an old kernel, no descriptor left
            self._thread = threading.Thread(target=self._wait_in_thread, daemon=True)
            self._thread.start()
        else:
            self._loop.add_reader(self._pidfd, self._reap)

    def _unwatch(self) -> None:
        if self._pidfd >= 0:
            with contextlib.suppress(RuntimeError):  # the loop may be closed already
                self._loop.remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def _reap(self) -> None:
        result = _reaped(self.pid, os.WNOHANG)
        if result is not None:
            self._unwatch()
            self._settle(result)

    def _wait_in_thread(self) -> None:
        result = _reaped(self.pid, 0)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
            self._loop.call_soon_threadsafe(self._settle, result)

    def _settle(self, result: Exit | None) -> None:
        if result is not None and not self.exited.done():
            self.stopped = None
            self.exited.set_result(result)


def _stopped_or_continued(pid: int) -> int | None:
    """The signal that stopped a child, or :data:`_CONTINUED`, whichever came last; None if neither came.

    Each is told once. The exit is not looked for, so it stays to be collected.
    """
    if not hasattr(os, "waitid"):
        return None
    try:
        change = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
    except ChildProcessError:  # it has ended
        return None
    if change is None:
        return None
    return change.si_status if change.si_code == os.CLD_STOPPED else _CONTINUED


def _reaped(pid: int, options: int) -> Exit | None:
    """Collect the exit status of a child; None if it still runs."""
    try:
        found, status, usage = os.wait4(pid, options)
    except ChildProcessError:
        return Exit(None, None)
    if not found:
        return None
    return _exit_of(status, usage)


def _exit_of(status: int, usage: resource.struct_rusage) -> Exit:
    code = os.waitstatus_to_exitcode(status)
    return Exit(
        code if code >= 0 else None,
        -code if code < 0 else None,
        usage.ru_utime,
        usage.ru_stime,
        usage.ru_maxrss * _RSS_UNIT,
    )
