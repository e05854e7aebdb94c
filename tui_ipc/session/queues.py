"""What lies in the queue of a descriptor, as the kernel counts it.

The one rule: what the kernel does not count is None, never an error. This is all that every run asks of the
kernel; what only a diagnosis asks is :mod:`tui_ipc.session.kernel`, which takes longer to load.
"""

import fcntl
import sys
import termios


def unread_by_us(descriptor: int) -> int | None:
    """Bytes that can be read from a socket, a pipe or a terminal, see FIONREAD in ioctl_tty(2)."""
    return counted(descriptor, termios.FIONREAD)


def counted(descriptor: int, request: int) -> int | None:
    """The number that an ioctl(2) gives."""
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, request, bytes(4)), sys.byteorder)
    except OSError:  # closed meanwhile, or a system that does not count this
        return None
