"""What the kernel knows of a child: what it does, and what lies unread between it and us.

A fact that the kernel does not give is None, never a guess and never an error. Linux tells the
most; what is read there is described in proc_pid_stat(5), proc_pid_syscall(5) and sock_diag(7).
"""

import os
import re
import socket
import struct
import sys
import termios
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from tui_ipc.osutil.descriptors import read_count

PROC: Final = "/proc"

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
"""The calls in which programs usually wait, by machine and number."""

_CALLS_WITH_DESCRIPTOR: Final = frozenset(
    (
        *(
            "read",
            "readv",
            "pread64",
            "recvfrom",
            "recvmsg",
            "recvmmsg",
            "write",
            "writev",
            "sendto",
            "sendmsg",
        ),
        *("sendmmsg", "connect", "accept", "accept4", "epoll_wait", "epoll_pwait", "epoll_pwait2", "fcntl"),
        *("flock", "fsync", "fdatasync", "ioctl", "splice"),
    )
)
"""Those whose first argument is what they wait for."""

_NETLINK_SOCK_DIAG: Final = 4  # NETLINK_SOCK_DIAG
_SOCK_DIAG_BY_FAMILY: Final = 20  # SOCK_DIAG_BY_FAMILY
_NLM_F_REQUEST: Final = 1  # NLM_F_REQUEST
_SHOW_PEER, _SHOW_QUEUE = 0x04, 0x10  # UDIAG_SHOW_…
_PEER, _QUEUE = 2, 4  # UNIX_DIAG_…
_NLMSG, _DIAG, _ATTRIBUTE = struct.Struct("=IHHII"), struct.Struct("=BBBBIII"), struct.Struct("=HH")


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
        state: The letter of its state, see :data:`STATES`; None if the kernel does not say.
        call: Where it waits, None if it does not or the kernel does not say.
        cpu_seconds: Processor time that it has used.
        threads: How many it has.
    """

    state: str | None = None
    call: SystemCall | None = None
    cpu_seconds: float | None = None
    threads: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadBytes:
    """Bytes that were sent and lie in a socket, unread by whom they were sent to.

    Attributes:
        size: How many, None if the kernel does not say.
        any: Whether there are any, None if the kernel does not say.
        reader_inode: The inode of the socket that they are to be read from.
    """

    size: int | None = None
    any: bool | None = None
    reader_inode: int | None = None


STATE_NAMES: Final = {
    "R": "running",
    "S": "sleeping",
    "D": "stuck in the kernel",
    "I": "idle in the kernel",
    "T": "stopped",
    "t": "held by a debugger",
    "Z": "ended and not collected",
    "X": "gone",
}


def read_process_state(pid: int, proc: str = PROC) -> ProcessState:
    """What a process does at this moment.

    Args:
        pid: A child that was not reaped, so that the number is nobody else's.
        proc: Where procfs is mounted.
    """
    stat = _read_text(f"{proc}/{pid}/stat")
    fields = stat[stat.rindex(")") + 2 :].split() if stat else []
    if len(fields) < 18:
        return ProcessState()
    state = fields[0]
    return ProcessState(
        state=state,
        call=_read_call(pid, proc) if state in "SD" else None,
        cpu_seconds=(int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
        threads=int(fields[17]),
    )


def measure_unread_by_peer(descriptor: int) -> UnreadBytes:
    """What the other end of a socket has not read of what was sent on this one."""
    with suppress(OSError, struct.error):
        reader = _query_sock_diag(os.fstat(descriptor).st_ino)[0]
        if reader is not None:
            return UnreadBytes(
                size=(size := _query_sock_diag(reader)[1]), any=_is_positive(size), reader_inode=reader
            )
    return UnreadBytes(any=_is_positive(read_count(descriptor, termios.TIOCOUTQ)))


def measure_send_buffer_usage(descriptor: int) -> float | None:
    """How full the room for what was sent on a socket and is unread is: 1 where a sender has to wait.

    Counted as the kernel counts it: each message with what the kernel needs to keep it, see SO_SNDBUF in
    socket(7).
    """
    used = read_count(descriptor, termios.TIOCOUTQ)
    try:
        lent = socket.socket(fileno=descriptor)
    except OSError:  # no socket
        return None
    try:
        room = lent.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
    except OSError:
        return None
    finally:
        lent.detach()
    return None if used is None or room <= 0 else min(1.0, used / room)


def _is_positive(size: int | None) -> bool | None:
    return None if size is None else size > 0


def _read_call(pid: int, proc: str) -> SystemCall | None:
    words = (_read_text(f"{proc}/{pid}/syscall") or "").split()
    # A program of 32 bits has other numbers; its stack, the word before the last, lies below 4 GiB.
    if len(words) == 9 and words[0].isdigit() and int(words[7], 16) >> 32:
        name = SYSCALLS.get(os.uname().machine, {}).get(int(words[0]))
        if name is not None:
            descriptor = int(words[1], 16) if name in _CALLS_WITH_DESCRIPTOR else None
            return SystemCall(name=name, descriptor=descriptor, file=_read_file_name(pid, descriptor, proc))
    place = _read_text(f"{proc}/{pid}/wchan")
    return SystemCall(name=place) if place and place != "0" else None


def _read_file_name(pid: int, descriptor: int | None, proc: str) -> str | None:
    if descriptor is None:
        return None
    try:
        return os.readlink(f"{proc}/{pid}/fd/{descriptor}")
    except OSError:
        return None


def _read_text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:  # another system, a process that has ended, or one that is not ours to look at
        return None


def _query_sock_diag(inode: int) -> tuple[int | None, int | None]:
    """The inode of a UNIX socket's peer, and the bytes that lie unread in the socket itself.

    Raises:
        OSError: This system has no sock_diag.
        struct.error: An inode that is none of a socket.
    """
    request = _DIAG.pack(socket.AF_UNIX, 0, 0, 0, 0xFFFFFFFF, inode, _SHOW_PEER | _SHOW_QUEUE)
    request += b"\xff" * 8  # any cookie
    header = _NLMSG.pack(_NLMSG.size + len(request), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    with socket.socket(getattr(socket, "AF_NETLINK", -1), socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as link:
        link.setblocking(False)  # the kernel has answered when send returns
        link.send(header + request)
        answer = link.recv(4096)
    if _NLMSG.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        raise OSError("the kernel does not know the socket")
    attributes = dict(_parse_attributes(answer[_NLMSG.size + 16 :]))
    return _first_number(attributes.get(_PEER)), _first_number(attributes.get(_QUEUE))


def _parse_attributes(data: bytes) -> list[tuple[int, bytes]]:
    found = []
    while len(data) >= _ATTRIBUTE.size:
        size, kind = _ATTRIBUTE.unpack_from(data)
        found.append((kind, data[_ATTRIBUTE.size : size]))
        data = data[max(_ATTRIBUTE.size, (size + 3) & ~3) :]
    return found


def _first_number(data: bytes | None) -> int | None:
    """The first number of an attribute; of a queue this is what can be read."""
    return int.from_bytes(data[:4], sys.byteorder) if data else None


def parse_socket_inode(file: str | None) -> int | None:
    """The inode in ``socket:[inode]``."""
    found = re.fullmatch(r"socket:\[(\d+)\]", file or "")
    return int(found[1]) if found else None
