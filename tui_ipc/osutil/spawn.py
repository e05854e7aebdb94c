"""Starting a child process, and why it could not be started.

The child gets three descriptors, a session of its own, and nothing else of ours. Standard input is
``/dev/null``; standard error is a pipe; standard output is a raw pseudo-terminal or a pipe. The terminal is
not the child's controlling terminal: it only makes programs write each line when they print it. So no key and
no hang-up turns into a signal, and a child that wants a person at ``/dev/tty`` learns that there is none.
"""

import contextlib
import errno
import os
import signal
import subprocess
import termios
import tty
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

TERMINAL_SIZE: Final = (24, 80)
"""Rows and columns of the pseudo-terminal, for programs that ask, unless others are asked for."""

COLOUR_TERMINAL: Final = "dumb-emacs-ansi"
"""The terminal type of one that shows colours and cannot move its cursor; not every machine describes it."""

_TERMINFO: Final = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/local/share/terminfo")


class SpawnError(Exception):
    """The command could not be started; the text says why and what to do."""


def spawn_process(
    command: Sequence[str],
    *,
    cwd: str | None,
    env: Mapping[str, str],
    pty: bool,
    size: tuple[int, int] = TERMINAL_SIZE,
) -> tuple[int, int, int]:
    """Start ``command`` as the leader of a session, and so of a process group, of its own.

    Args:
        command: The program, looked up in the PATH of ``env`` unless it has a slash, and its arguments.
        cwd: Where to start it; None for our own directory.
        env: Its whole environment.
        pty: Whether its standard output is a pseudo-terminal or a pipe.
        size: Rows and columns of the pseudo-terminal.

    Returns:
        Its process id, whose exit status the caller must collect, and the reading ends of its standard output
        and standard error, which the caller must close.

    Raises:
        SpawnError: It could not be started. Nothing is left open.
    """
    if cwd is not None and not os.path.isdir(cwd):
        raise SpawnError(_explain_bad_directory(cwd))
    # The child's ends of the streams are closed here in any case: the child has its own copies, and as long
    # as we held one, no stream would end with the child. Our ends are closed only if the child could not be
    # started.
    with contextlib.ExitStack() as theirs, contextlib.ExitStack() as ours:
        try:
            stdout, child_stdout = _open_raw_pty(size) if pty else os.pipe()
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
            raise SpawnError(explain_spawn_error(error, command[0], cwd, env)) from None
        except ValueError as error:  # a null byte, or "=" in the name of a variable
            raise SpawnError(f"{command[0]!r} cannot be started with such arguments: {error}") from None
        # The caller reaps the child. A Popen without a return code would warn when it is deleted, and
        # subprocess would then try to reap the child itself, whenever the next one is started.
        process.returncode = 0
        ours.pop_all()
    return process.pid, stdout, stderr


def resize_terminal(master: int, pgid: int, size: tuple[int, int]) -> None:
    """Change the size of a pseudo-terminal, and send SIGWINCH to a process group that it does not control.

    Args:
        master: Its master.
        pgid: The process group; as a rule, SIGWINCH does nothing to a program that does not ask for it.
        size: Rows and columns.
    """
    with contextlib.suppress(OSError, termios.error):  # not a terminal, or all of the group has ended
        if termios.tcgetwinsize(master) != size:
            termios.tcsetwinsize(master, size)
            os.killpg(pgid, signal.SIGWINCH)


def find_colour_terminal() -> str:
    """Return a terminal type for what shows colours and cannot move its cursor: ``dumb`` where none is known.

    A name that terminfo(5) does not know makes programs fail that ask it.
    """
    places = (os.path.expanduser("~/.terminfo"), *_TERMINFO)
    known = any(os.path.exists(f"{place}/d/{COLOUR_TERMINAL}") for place in places)
    return COLOUR_TERMINAL if known else "dumb"


def _open_raw_pty(size: tuple[int, int]) -> tuple[int, int]:
    """Open a pseudo-terminal through which bytes pass unchanged; return its master and its slave."""
    master, slave = os.openpty()
    try:
        # Before the child starts, so that it does not print a line that the terminal still changes.
        tty.setraw(slave, termios.TCSANOW)
        termios.tcsetwinsize(slave, size)
    except BaseException:
        os.close(master)
        os.close(slave)
        raise
    return master, slave


def _explain_bad_directory(cwd: str) -> str:
    if os.path.exists(cwd):
        return f"the working directory {cwd!r} is a file; name a directory"
    return f"the working directory {cwd!r} does not exist; check its path"


def explain_spawn_error(error: OSError, program: str, cwd: str | None, env: Mapping[str, str]) -> str:
    """Explain why a command could not be started, and what to do."""
    # Popen tells by the file name of its error whether the directory or the program is at fault.
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
            f"the file {path or program!r} is not a program that this machine can run; "
            "a script must begin with a line such as #!/usr/bin/env python3"
        )
    return f"the program {program!r} could not be started: {error.strerror}"


def _find_program_files(program: str, cwd: str | None, env: Mapping[str, str]) -> Iterator[str]:
    """Yield the existing files that ``program`` may mean, in the order in which the child would look."""
    directories = [""] if "/" in program else os.get_exec_path(dict(env))
    for directory in directories:
        path = os.path.join(cwd or "", directory, program)
        if os.path.lexists(path):
            yield path


def _explain_missing_interpreter(path: str) -> str:
    """Explain why a file that exists is "not found"."""
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


_GUARD_SCRIPT: Final = """\
read -r _
kill -s TERM -- "-$1" && kill -s CONT -- "-$1" && sleep 2 && kill -s KILL -- "-$1"
"""
"""Ends the process group $1 once standard input has ended."""


class ChildGuard:
    """A small process that ends the child's process group if this process is killed.

    It waits for the end of a pipe whose other end only this process has: the kernel closes it, however this
    process ends. It cannot help where it is killed as well (a control group that is killed as a whole, a
    machine out of memory), nor against processes that have left the child's group.

    Args:
        pgid: The process group.

    Raises:
        OSError: It could not be started.
    """

    def __init__(self, pgid: int) -> None:
        reading, self._writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _GUARD_SCRIPT, "tui-ipc-guard", str(pgid)],
                stdin=reading,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # what ends us by our process group does not end it
                cwd="/",
            )
        except BaseException:
            os.close(self._writing)
            raise
        finally:
            os.close(reading)

    def close(self) -> None:
        """Guard the process group no longer: it has ended, or is to live on. Closing twice is harmless."""
        if self._writing >= 0:
            self._process.kill()  # before the pipe ends, so that it does not see that
            self._process.wait()
            os.close(self._writing)
            self._writing = -1
