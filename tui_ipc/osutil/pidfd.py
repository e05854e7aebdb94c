"""Watching another process end, without reaping it: its status stays for whoever started it to wait for."""

import errno
import os
import select
from time import monotonic

from tui_ipc.osutil.waiting import wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen
    from typing import Any, Self

_INTERVAL = 0.02
"""Seconds between two looks where the system has no pidfd_open(2)."""


class Exit:
    """The end of a process, or of none: then it never comes.

    Args:
        process: A Popen object, a pid, or None.
    """

    __slots__ = ("_descriptor", "_gone", "_pid")

    def __init__(self, process: "Popen[Any] | int | None") -> None:
        pid: int | None = process if process is None or isinstance(process, int) else process.pid
        self._pid = pid
        self._descriptor = -1
        self._gone = getattr(process, "returncode", None) is not None
        if pid is not None and not self._gone and hasattr(os, "pidfd_open"):
            try:
                self._descriptor = os.pidfd_open(pid)
            except ProcessLookupError:
                self._gone = True
            except OSError as error:
                if error.errno not in (errno.ENOSYS, errno.EPERM):
                    raise

    def has_ended(self) -> bool:
        """Whether the process has ended."""
        if self._pid is None or self._gone:
            return self._gone
        if self._descriptor >= 0:
            poller = select.poll()
            poller.register(self._descriptor, select.POLLIN)
            self._gone = bool(poller.poll(0))
        else:
            self._gone = self._status() is not None
        return self._gone

    def wait_or(self, descriptor: int, deadline: float | None) -> bool:
        """Wait until the process ended or a descriptor is readable; False if the deadline was first."""
        while True:
            interval = self.interval()
            until = deadline
            if interval is not None:
                until = monotonic() + interval if deadline is None else min(monotonic() + interval, deadline)
            if wait((descriptor, *self.descriptors()), select.POLLIN, until) or self.has_ended():
                return True
            if until == deadline:
                return False

    def descriptors(self) -> tuple[int, ...]:
        """What becomes readable when the process ends; empty where only looking again tells."""
        return (self._descriptor,) if self._descriptor >= 0 else ()

    def interval(self) -> float | None:
        """Seconds after which to look again, None where that is not needed."""
        return _INTERVAL if self._pid is not None and self._descriptor < 0 else None

    def describe(self) -> str:
        """How it ended, as the beginning of a sentence."""
        status = self._status()
        if status is None:
            return f"process {self._pid} ended"
        code, by_signal = status
        if by_signal:
            from tui_ipc.osutil.signals import signal_name  # only an error needs it

            return f"process {self._pid} was ended by {signal_name(code)}"
        return f"process {self._pid} exited with status {code}"

    def close(self) -> None:
        """Stop watching."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _status(self) -> tuple[int, bool] | None:
        """Exit status or signal number, and whether it is the latter; None if alive or not our child."""
        if self._pid is None:
            return None
        try:
            result = os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return None
        if result is None:
            return None
        return result.si_status, result.si_code != os.CLD_EXITED
