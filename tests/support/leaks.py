"""What this process holds, and what a piece of code left behind: descriptors, child processes, threads.

A look takes less than a tenth of a millisecond if nothing was left, so that every test can afford it. What is
found is described in sentences that name the descriptor, the process or the thread.
"""

import gc
import os
import select
import signal
import threading
from dataclasses import dataclass

_DESCRIPTORS = "/proc/self/fd"
_GRACE = 1.0  # seconds: a thread or a process that has done its work still needs to be scheduled once to end


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a process holds at one moment.

    Attributes:
        descriptors: Each open descriptor with the (device, inode) that it refers to: a number used again is
            seen.
        children: The ids of child processes, those included that have exited and wait to be reaped.
        threads: The threads that run.
    """

    descriptors: dict[int, tuple[int, int]]
    children: frozenset[int]
    threads: frozenset[threading.Thread]


def take_snapshot() -> Snapshot:
    """What this process holds now."""
    return Snapshot(_descriptors(), _children(), frozenset(threading.enumerate()))


def find_leaks(before: Snapshot) -> list[str]:
    """What came since ``before`` and is still there, a sentence each; an empty list if all is as it was.

    Garbage is collected only if something seems left: an object in a reference cycle is no leak, and if it
    should have been closed its own ``ResourceWarning`` says so. Threads get a moment to end first, as they
    may close the rest.
    """
    for thread in _new_threads(before):
        thread.join(_GRACE)
    if _new_descriptors(before) or _new_children(before):
        gc.collect()
    return [
        *(f"thread {thread.name!r} still runs" for thread in _new_threads(before)),
        *(f"descriptor {number} is still open: {_target(number)}" for number in _new_descriptors(before)),
        *(f"process {pid} {_state(pid)}" for pid in _new_children(before)),
    ]


def find_closed(before: Snapshot) -> list[str]:
    """Descriptors of ``before`` that are closed now, a sentence each: code closed what it did not own."""
    now = _descriptors()
    gone = [number for number in before.descriptors if number not in now]
    return [f"descriptor {number}, open before, is closed: it belonged to someone else" for number in gone]


def kill_new_children(before: Snapshot) -> None:
    """Kills and reaps the child processes that came since ``before``: a failed test leaves none behind."""
    for pid in _new_children(before):
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def find_descendants(variable: str, prefix: str) -> list[str]:
    """The living processes whose environment has ``variable`` beginning with ``prefix``, a sentence each.

    An environment is inherited, so this finds a descendant whose parent has gone; pytest's own
    ``PYTEST_CURRENT_TEST`` in it tells from which test it came. A process that is about to end gets a moment.
    """
    found = []
    for pid in _processes():
        environment = _environment(pid)
        if environment.get(variable, "").startswith(prefix) and pid != os.getpid() and not _ends(pid):
            found.append(
                f"process {pid} {_state(pid)} (from {environment.get('PYTEST_CURRENT_TEST', 'no test')})"
            )
    return found


def _ends(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], _GRACE)[0])
    finally:
        os.close(descriptor)


def _new_descriptors(before: Snapshot) -> list[int]:
    return [number for number, target in _descriptors().items() if before.descriptors.get(number) != target]


def _new_children(before: Snapshot) -> list[int]:
    return sorted(_children() - before.children)


def _new_threads(before: Snapshot) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread not in before.threads]


def _descriptors() -> dict[int, tuple[int, int]]:
    found = {}
    for name in os.listdir(_DESCRIPTORS):
        try:
            status = os.fstat(int(name))
        except OSError:  # the descriptor of the listing itself
            continue
        found[int(name)] = (status.st_dev, status.st_ino)
    return found


def _children() -> frozenset[int]:
    if _has_no_children():
        return frozenset()
    return frozenset(pid for pid in _processes() if _status(pid).get("PPid") == str(os.getpid()))


def _has_no_children() -> bool:
    """Asks without reaping; the kernel's own answer, at the price of one system call (waitid(2), ECHILD)."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def _processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _target(number: int) -> str:
    try:
        return os.readlink(f"{_DESCRIPTORS}/{number}")
    except OSError as error:
        return f"of unknown kind ({error.strerror})"


def _state(pid: int) -> str:
    if _status(pid).get("State", "").startswith("Z"):
        return "has exited and was not reaped"
    return f"still runs: {_command(pid)}"


def _command(pid: int) -> str:
    return " ".join(_strings(pid, "cmdline")) or "?"


def _environment(pid: int) -> dict[str, str]:
    return {name: value for name, _, value in (entry.partition("=") for entry in _strings(pid, "environ"))}


def _status(pid: int) -> dict[str, str]:
    lines = (line.partition(":") for line in _read(pid, "status").splitlines())
    return {name: value.strip() for name, _, value in lines}


def _strings(pid: int, name: str) -> list[str]:
    return [entry for entry in _read(pid, name).split("\0") if entry]


def _read(pid: int, name: str) -> str:
    """A file of /proc, empty if the process is gone or another user's."""
    try:
        with open(f"/proc/{pid}/{name}", encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
