"""What a process does, and how it ended: see proc_pid_stat(5) and proc_pid_syscall(5).

What the kernel does not tell is None, never a guess and never an error.
"""

import fcntl
import os
import re
import struct
from dataclasses import dataclass
from typing import Final

PROC: Final = "/proc"
"""Where procfs is mounted."""

_X86_64: Final = {
    0: "read", 1: "write", 7: "poll", 16: "ioctl", 17: "pread64", 19: "readv", 20: "writev", 23: "select",
    34: "pause", 35: "nanosleep", 40: "sendfile", 42: "connect", 43: "accept", 44: "sendto", 45: "recvfrom",
    46: "sendmsg", 47: "recvmsg", 61: "wait4", 65: "semop", 70: "msgrcv", 72: "fcntl", 73: "flock",
    74: "fsync", 75: "fdatasync", 2: "open", 128: "rt_sigtimedwait", 130: "rt_sigsuspend", 202: "futex",
    208: "io_getevents", 219: "restart_syscall", 220: "semtimedop", 230: "clock_nanosleep", 232: "epoll_wait",
    247: "waitid", 257: "openat", 270: "pselect6", 271: "ppoll", 275: "splice", 281: "epoll_pwait",
    288: "accept4", 299: "recvmmsg", 307: "sendmmsg",
}  # fmt: skip
_AARCH64: Final = {
    4: "io_getevents", 22: "epoll_pwait", 25: "fcntl", 29: "ioctl", 32: "flock", 56: "openat", 63: "read",
    64: "write", 65: "readv", 66: "writev", 67: "pread64", 71: "sendfile", 72: "pselect6", 73: "ppoll",
    76: "splice", 82: "fsync", 83: "fdatasync", 95: "waitid", 98: "futex", 101: "nanosleep",
    115: "clock_nanosleep", 128: "restart_syscall", 133: "rt_sigsuspend", 137: "rt_sigtimedwait",
    188: "msgrcv", 192: "semtimedop", 193: "semop", 202: "accept", 203: "connect", 206: "sendto",
    207: "recvfrom", 211: "sendmsg", 212: "recvmsg", 242: "accept4", 243: "recvmmsg", 260: "wait4",
    269: "sendmmsg",
}  # fmt: skip
_GENERIC: Final = {426: "io_uring_enter", 441: "epoll_pwait2", 449: "futex_waitv", 455: "futex_wait"}
SYSCALLS: Final = {"x86_64": _X86_64 | _GENERIC, "aarch64": _AARCH64 | _GENERIC}
"""The names of the calls in which programs usually wait, by machine and number."""

_CALLS_WITH_DESCRIPTOR: Final = frozenset({
    "read", "readv", "pread64", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "sendto", "sendmsg",
    "sendmmsg", "connect", "accept", "accept4", "epoll_wait", "epoll_pwait", "epoll_pwait2", "fcntl", "flock",
    "fsync", "fdatasync", "ioctl", "splice",
})  # fmt: skip
"""Those whose first argument is what they wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCall:
    """What a process waits in.

    Attributes:
        name: The system call, or the function of the kernel where only that is known.
        descriptor: What it waits for, if it is one descriptor.
        file: What that descriptor is: a path, or ``socket:[inode]``, ``pipe:[inode]``.
    """

    name: str
    descriptor: int | None = None
    file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessState:
    """What a process does. Of one with several threads this is its first, the CPU time is that of all.

    Attributes:
        state: Its letter in proc_pid_stat(5), such as ``S`` for sleeping; None if the kernel does not say.
        call: Where it waits, None if it does not or the kernel does not say.
        cpu_seconds: Processor time that it has used.
        threads: How many it has.
    """

    state: str | None = None
    call: SystemCall | None = None
    cpu_seconds: float | None = None
    threads: int | None = None


def read_stat(pid: int) -> list[bytes]:
    """Return what proc_pid_stat(5) says of a process, from its state on; empty if it says nothing."""
    try:
        with open(f"{PROC}/{pid}/stat", "rb") as file:
            stat = file.read()
    except OSError:  # it has ended, or is hidden from us and so not ours
        return []
    # The name of the program comes first, in parentheses, and may itself hold any character.
    return stat[stat.rindex(b")") + 2 :].split()


def read_process_state(pid: int) -> ProcessState:
    """Read what a process does at this moment.

    Args:
        pid: A child that was not reaped, so that no other process can have this number.
    """
    fields = read_stat(pid)
    if len(fields) < 18:
        return ProcessState()
    state = fields[0].decode()
    return ProcessState(
        state=state,
        call=_read_call(pid) if state in "SD" else None,
        cpu_seconds=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        threads=int(fields[17]),
    )


def _read_call(pid: int) -> SystemCall | None:
    words = (_read_text(f"{PROC}/{pid}/syscall") or "").split()
    # Nine words: the number of the call, six arguments, the stack pointer and the program counter; fewer if
    # the process is not in a call. A program of 32 bits numbers its calls otherwise; its stack is below 4
    # GiB.
    if len(words) == 9 and words[0].isdigit() and int(words[7], 16) >> 32:
        name = SYSCALLS.get(os.uname().machine, {}).get(int(words[0]))
        if name is not None:
            descriptor = int(words[1], 16) if name in _CALLS_WITH_DESCRIPTOR else None
            return SystemCall(name=name, descriptor=descriptor, file=_read_file_name(pid, descriptor))
    function = _read_text(f"{PROC}/{pid}/wchan")
    return SystemCall(name=function) if function and function != "0" else None


def _read_file_name(pid: int, descriptor: int | None) -> str | None:
    if descriptor is None:
        return None
    try:
        return os.readlink(f"{PROC}/{pid}/fd/{descriptor}")
    except OSError:
        return None


def _read_text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # the process has ended, or is not ours to look at
        return None


def parse_socket_inode(file: str | None) -> int | None:
    """The inode in ``socket:[inode]``."""
    found = re.fullmatch(r"socket:\[(\d+)\]", file or "")
    return int(found[1]) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessName:
    """A process that may end, and its number be given to another.

    Attributes:
        pid: Its number.
        started: When it started, in ticks since the machine did: no other process has both; 0 if unknown.
        command: Its command line, shortened.
    """

    pid: int
    started: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"

    def is_alive(self) -> bool:
        """Whether it has not ended."""
        fields = read_stat(self.pid)
        return len(fields) > 19 and fields[0] not in (b"Z", b"X") and int(fields[19]) == self.started


MAX_COMMAND: Final = 50
"""Characters of a command line at most."""


def read_process_name(pid: int) -> ProcessName:
    """Name a process by its command line, as far as it still has one."""
    fields = read_stat(pid)
    line = (_read_text(f"{PROC}/{pid}/cmdline") or "").replace("\0", " ")
    program, *arguments = (line or _read_text(f"{PROC}/{pid}/comm") or "").split() or ["an ended process"]
    command = " ".join([os.path.basename(program), *arguments])
    if len(command) > MAX_COMMAND:
        command = f"{command[: MAX_COMMAND - 1]}…"
    return ProcessName(pid=pid, started=int(fields[19]) if len(fields) > 19 else 0, command=command)


def read_lineage(pid: int, ancestor: int) -> tuple[ProcessName, ...]:
    """Name a process and those that it descends from, from an ancestor on; only itself if that is none."""
    found = [pid]
    while found[-1] not in (ancestor, 1):
        fields = read_stat(found[-1])
        if len(fields) < 2 or int(fields[1]) in (0, *found):
            break
        found.append(int(fields[1]))
    return tuple(map(read_process_name, reversed(found if found[-1] == ancestor else found[:1])))


# How a process ended, Linux 6.15 keeps for whoever has a pidfd, once the parent has collected it. Before that
# it is in proc_pid_stat(5). Where neither tells, it is lost.
# struct pidfd_info of linux/pidfd.h: mask, cgroup, 11 numbers of the process, exit_code
_INFO: Final = struct.Struct("QQ11Ii")
_INFO_EXIT: Final = 1 << 3  # PIDFD_INFO_EXIT
_GET_INFO: Final = 0xC0000000 | _INFO.size << 16 | 0xFF << 8 | 11  # _IOWR(0xFF, 11, struct pidfd_info)

_STATE, _EXIT_CODE = 0, 49  # of proc_pid_stat(5), counted from the state on


def read_exit_status(pidfd: int, pid: int) -> tuple[int | None, int | None] | None:
    """Read how a process ended that is not our child.

    Args:
        pidfd: Its pidfd, opened while it lived.
        pid: Its process id.

    Returns:
        Its exit code, or None, and the signal that ended it, or None; only None if the kernel does not tell,
        or not yet.
    """
    info = bytearray(_INFO.size)
    _INFO.pack_into(info, 0, _INFO_EXIT, *[0] * 13)
    try:
        fcntl.ioctl(pidfd, _GET_INFO, info)
        mask, *_, status = _INFO.unpack(info)
        if mask & _INFO_EXIT:
            return _parse_status(status)
    except OSError:
        pass  # an older kernel, or one that has not got it yet
    stat = read_stat(pid)
    if stat and stat[_STATE] == b"Z" and os.stat(f"{PROC}/{pid}").st_uid == os.geteuid():
        return _parse_status(int(stat[_EXIT_CODE]))  # of another user's process it would be 0, always
    return None


def _parse_status(status: int) -> tuple[int | None, int | None]:
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)
