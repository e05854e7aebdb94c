"""What a process does, in words: where it sleeps and what for, and whether it waits for a message."""

from typing import Final

from tui_ipc.osutil.procfs import ProcessState, SystemCall, parse_socket_inode
from tui_ipc.osutil.signals import signal_name

_MULTIPLEX_CALLS: Final = frozenset(
    ("poll", "ppoll", "select", "pselect6", "epoll_wait", "epoll_pwait", "epoll_pwait2", "io_uring_enter")
)
_READ_CALLS: Final = frozenset(("read", "readv", "recvfrom", "recvmsg", "recvmmsg"))
_WRITE_CALLS: Final = frozenset(("write", "writev", "sendto", "sendmsg", "sendmmsg"))
_SLEEP_CALLS: Final = frozenset(("nanosleep", "clock_nanosleep", "hrtimer_nanosleep"))

_CALL_PURPOSES: Final = {
    **dict.fromkeys(_MULTIPLEX_CALLS, "for one of the descriptors that it watches, or for time to pass"),
    **dict.fromkeys(_SLEEP_CALLS, "for time to pass"),
    **dict.fromkeys(_WRITE_CALLS, "for another process to read"),
    **dict.fromkeys(("futex", "futex_wait", "futex_waitv"), "for a lock, or for another of its threads"),
    **dict.fromkeys(("wait4", "waitid"), "for a process that it started"),
    **dict.fromkeys(("pause", "rt_sigsuspend", "rt_sigtimedwait"), "for a signal"),
    **dict.fromkeys(("fcntl", "flock"), "for a lock on a file"),
    **dict.fromkeys(("fsync", "fdatasync"), "for the disk"),
    **dict.fromkeys(("semop", "semtimedop"), "for a semaphore"),
    **dict.fromkeys(("accept", "accept4"), "for another process to connect"),
    **dict.fromkeys(("open", "openat"), "for a file to open, as a named pipe whose other end is not open"),
    "connect": "for a connection to be accepted",
}
"""What a process waits for in a system call."""


def describe_stop(state: ProcessState | None, stopped_by: int | None) -> str | None:
    """Describe, in a sentence, what keeps a process from running; None if nothing is known to.

    Args:
        state: What it does, None if that is not known.
        stopped_by: The signal that it is stopped by, as far as is known.
    """
    letter = None if state is None else state.state
    if letter == "t":
        return "A debugger holds the child, which does nothing."
    if letter != "T" and (letter is not None or stopped_by is None):
        return None
    by = "" if stopped_by is None else f" by {signal_name(stopped_by)}"
    return f"The child is stopped{by} and does nothing; SIGCONT continues it."


def describe_process(state: ProcessState, sockets: dict[int, str]) -> str:
    """Describe what a process does, to follow a semicolon.

    Args:
        state: What it does.
        sockets: What sockets are to it, by their inodes: ``its channel to us``.
    """
    several = state.threads is not None and state.threads > 1
    it = f"the first of its {state.threads} threads" if several else "it"
    used = "" if state.cpu_seconds is None else f"; it has used {state.cpu_seconds:.1f} s of processor time"
    match state.state:
        case None:
            return "the kernel does not say what the child does"
        case "R":
            return f"{it} runs{used}"
        case "Z" | "X":
            return "it has ended, and is about to be reaped"
        case "S" | "D" as letter:
            sleeps = "sleeps" if letter == "S" else "is stuck in the kernel"
            if state.call is None:
                return f"{it} {sleeps}; the kernel does not say in what"
            return f"{it} {sleeps} in {_describe_call(state.call, sockets)}"
        case other:
            return f"{it} is in state {other}"


def _describe_call(call: SystemCall, sockets: dict[int, str]) -> str:
    on = "" if call.descriptor is None else f" on descriptor {call.descriptor}"
    what = "" if call.file is None else f" ({_describe_file(call.file, sockets)})"
    hint = f", waiting {_CALL_PURPOSES[call.name]}" if call.name in _CALL_PURPOSES else ""
    return f"{call.name}{on}{what}{hint}"


def _describe_file(file: str, sockets: dict[int, str]) -> str:
    inode = parse_socket_inode(file)
    if inode in sockets:
        return sockets[inode]
    if file.startswith(("socket:", "pipe:")):
        return f"a {file.partition(':')[0]}"
    return file


def is_watching(state: ProcessState | None) -> bool:
    """Whether a process sleeps until one of several descriptors is ready, as an event loop does."""
    return state is not None and state.call is not None and state.call.name in _MULTIPLEX_CALLS


def is_writing(state: ProcessState) -> bool:
    """Whether a process sleeps until another has read what it writes."""
    return state.call is not None and state.call.name in _WRITE_CALLS


def is_reading(state: ProcessState | None, inode: int | None) -> bool:
    """Whether a process sleeps until something comes on a socket."""
    call = None if state is None else state.call
    if call is None or call.name not in _READ_CALLS or inode is None:
        return False
    return parse_socket_inode(call.file) == inode
