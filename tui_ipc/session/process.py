"""Starting the child: what it inherits, and why it could not be started.

The one rule: the child gets three descriptors and a session of its own, and nothing else of ours. Standard
input is ``/dev/null``; standard error is a pipe; standard output is a raw pseudo-terminal or a pipe. The
terminal is not the child's controlling terminal: it only makes programs write each line when they print it.
So no key and no hang-up turns into a signal, and a child that wants a person at ``/dev/tty`` learns that
there is none.
"""

import asyncio
import contextlib
import errno
import os
import resource
import select
import signal
import subprocess
import sys
import termios
import threading
import tty
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tui_ipc.osutil import process_group
from tui_ipc.osutil.signals import describe_exit
from tui_ipc.session.output import ChildStream

TERMINAL_SIZE: Final = (24, 80)
"""Rows and columns of the pseudo-terminal, for programs that ask."""


class SpawnError(Exception):
    """The command could not be started; the text says why and what to do."""


def spawn(
    command: Sequence[str], *, cwd: str | None, env: Mapping[str, str], pty: bool
) -> tuple[int, int, int]:
    """Start ``command`` as the leader of a session, and so of a process group, of its own.

    Args:
        command: The program, looked up in the PATH of ``env`` unless it has a slash, and its arguments.
        cwd: Where to start it; None for our own directory.
        env: Its whole environment.
        pty: Whether its standard output is a pseudo-terminal or a pipe.

    Returns:
        Its process id, whose exit status the caller must collect, and the reading ends of its standard output
        and standard error, which the caller must close.

    Raises:
        SpawnError: It could not be started. Nothing is left open.
    """
    if cwd is not None and not os.path.isdir(cwd):
        raise SpawnError(_explain_bad_directory(cwd))
    with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
        try:
            stdout, child_stdout = _open_raw_pty() if pty else os.pipe()
            ours.callback(os.close, stdout)
            theirs.callback(os.close, child_stdout)
            stderr, child_stderr = os.pipe()
            ours.callback(os.close, stderr)
            theirs.callback(os.close, child_stderr)
        except OSError as error:
            remedy = "; a pipe instead of a pseudo-terminal (--no-pty) may do" if pty else ""
            raise SpawnError(f"no descriptors for the child's output: {error.strerror}{remedy}") from None
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=child_stdout,
                stderr=child_stderr,
                cwd=cwd,
                env=env,
                start_new_session=True,
            )
        except OSError as error:
            raise SpawnError(_explain_spawn_error(error, command[0], cwd, env)) from None
        except ValueError as error:  # a null byte, or "=" in the name of a variable
            raise SpawnError(f"{command[0]!r} cannot be started with such arguments: {error}") from None
        process.returncode = 0  # the caller collects it: the Popen shall neither wait nor complain
        ours.pop_all()
    return process.pid, stdout, stderr


def _open_raw_pty() -> tuple[int, int]:
    """Master and slave of a pseudo-terminal through which bytes pass unchanged: no echo, no translation."""
    master, slave = os.openpty()
    try:
        tty.setraw(slave, termios.TCSANOW)
        termios.tcsetwinsize(slave, TERMINAL_SIZE)
    except BaseException:
        os.close(master)
        os.close(slave)
        raise
    return master, slave


def _explain_bad_directory(cwd: str) -> str:
    if os.path.exists(cwd):
        return f"the working directory {cwd!r} is a file; name a directory"
    return f"the working directory {cwd!r} does not exist; check its path"


def _explain_spawn_error(error: OSError, program: str, cwd: str | None, env: Mapping[str, str]) -> str:
    """Why the kernel did not start ``program``, and what to do about it."""
    if cwd is not None and error.filename == cwd != program:
        return f"the working directory {cwd!r} cannot be entered: {error.strerror}"
    path = next(_find_program_files(program, cwd, env), None)
    if isinstance(error, FileNotFoundError) or (path is None and isinstance(error, NotADirectoryError)):
        if path is None and "/" not in program:
            return f"no program named {program!r} on the PATH; check its spelling, or give its path"
        if path is None:
            return f"the program {program!r} does not exist; check its path"
        reason = _explain_missing_interpreter(path)
        return f"the program {path!r} exists, but what it needs to run does not: {reason}"
    if isinstance(error, PermissionError) and path is not None:
        if os.path.isdir(path):
            return f"{path!r} is a directory; name a program in it"
        if not os.access(path, os.X_OK):
            return f"the file {path!r} is not executable; make it so with: chmod +x {path}"
    if error.errno == errno.ENOEXEC:
        return (
            f"the file {path or program!r} is no program that this machine can run; "
            "a script must begin with a line such as #!/usr/bin/env python3"
        )
    return f"the program {program!r} could not be started: {error.strerror}"


def _find_program_files(program: str, cwd: str | None, env: Mapping[str, str]) -> Iterator[str]:
    """The existing files that ``program`` may mean, as the child would look for them."""
    directories = [""] if "/" in program else os.get_exec_path(dict(env))
    for directory in directories:
        path = os.path.join(cwd or "", directory, program)
        if os.path.lexists(path):
            yield path


def _explain_missing_interpreter(path: str) -> str:
    """What a file that exists and yet is "not found" lacks."""
    try:
        with open(path, "rb") as file:
            first = file.readline(256)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not first.startswith(b"#!"):
        return "its dynamic loader is missing; was it built for this machine?"
    line = first[2:].decode(errors="replace")
    hint = ", and ends in a carriage return: save it with Unix line ends" if line.endswith("\r\n") else ""
    return f"its first line names the interpreter {line.strip()!r}{hint}"


_RSS_UNIT: Final = 1 if sys.platform == "darwin" else 1024
"""Bytes in what getrusage(2) counts resident memory in."""

_CONTINUED: Final = 0
"""No signal has this number."""


@dataclass(frozen=True, slots=True)
class ExitStatus:
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
        return describe_exit(self.code, self.signal)


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
        self.stdout = ChildStream("stdout", stdout)
        self.stderr = ChildStream("stderr", stderr)
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[ExitStatus] = self._loop.create_future()
        self.stopped: int | None = None
        self._sigcont_sent = False  # by a SIGCONT of ours, which it may not live to be seen to follow
        self._pidfd = -1
        self._thread: threading.Thread | None = None
        self._watch()

    @property
    def exit(self) -> ExitStatus | None:
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
        self._sigcont_sent = self._sigcont_sent or number == signal.SIGCONT
        return True

    def stops(self) -> tuple[int | None, ...]:
        """Look whether the process was stopped or continued since the last look, without waiting.

        Returns:
            What happened, in order: the signal that stopped it, or None where it goes on. Nothing on a system
            that cannot tell, and nothing once it was reaped.
        """
        if self.exited.done():
            return ()
        change = _poll_job_change(self.pid)
        goes_on = self.stopped is not None and (self._sigcont_sent or change is not None)
        self._sigcont_sent = False
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
        process_group.signal_processes(self.pid, () if self.exited.done() else (self.pid,), signal.SIGKILL)
        process_group.signal_processes(self.pid, process_group.session_processes(self.pid), signal.SIGKILL)
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
            self._thread = threading.Thread(target=self._reap_in_thread, daemon=True)
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
        result = _try_reap(self.pid, os.WNOHANG)
        if result is not None:
            self._unwatch()
            self._settle(result)

    def _reap_in_thread(self) -> None:
        result = _try_reap(self.pid, 0)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody wants to know
            self._loop.call_soon_threadsafe(self._settle, result)

    def _settle(self, result: ExitStatus | None) -> None:
        if result is not None and not self.exited.done():
            self.stopped = None
            self.exited.set_result(result)


def _poll_job_change(pid: int) -> int | None:
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


def _try_reap(pid: int, options: int) -> ExitStatus | None:
    """Collect the exit status of a child; None if it still runs."""
    try:
        found, status, usage = os.wait4(pid, options)
    except ChildProcessError:
        return ExitStatus(None, None)
    if not found:
        return None
    return _parse_exit_status(status, usage)


def _parse_exit_status(status: int, usage: resource.struct_rusage) -> ExitStatus:
    code = os.waitstatus_to_exitcode(status)
    return ExitStatus(
        code if code >= 0 else None,
        -code if code < 0 else None,
        usage.ru_utime,
        usage.ru_stime,
        usage.ru_maxrss * _RSS_UNIT,
    )
