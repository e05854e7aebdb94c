"""How a process ended that is not our child, as far as the kernel tells.

Linux 6.15 keeps the status for whoever has a pidfd, once the parent has collected it. Before that, and until
the parent has, it is in proc_pid_stat(5). Where neither tells, it is lost.
"""

import fcntl
import os
import struct
from typing import Final

from tui_ipc.osutil.process_group import read_stat

# struct pidfd_info of linux/pidfd.h: mask, cgroup, 11 numbers of the process, exit_code
_INFO: Final = struct.Struct("QQ11Ii")
_INFO_EXIT: Final = 1 << 3  # PIDFD_INFO_EXIT
_GET_INFO: Final = 0xC0000000 | _INFO.size << 16 | 0xFF << 8 | 11  # _IOWR(0xFF, 11, struct pidfd_info)

_STATE, _EXIT_CODE = 0, 49  # of proc_pid_stat(5), counted from the state on


def read_exit_status(pidfd: int, pid: int) -> tuple[int | None, int | None] | None:
    """Read how a process ended, which has.

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
    if stat and stat[_STATE] == b"Z" and os.stat(f"/proc/{pid}").st_uid == os.geteuid():
        return _parse_status(int(stat[_EXIT_CODE]))  # of another user's process it would be 0, always
    return None


def _parse_status(status: int) -> tuple[int | None, int | None]:
    code = os.waitstatus_to_exitcode(status)
    return (code, None) if code >= 0 else (None, -code)
