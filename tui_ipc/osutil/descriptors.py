"""What lies in the queue of a descriptor, as the kernel counts it.

What the kernel does not count is None, never an error. This is all that every run asks of the
kernel; what only a diagnosis asks is :mod:`tui_ipc.osutil.procfs`, which takes longer to load.
"""

import fcntl
import sys
import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio


def count_unread(descriptor: int) -> int | None:
    """Bytes that can be read from a socket, a pipe or a terminal, see FIONREAD in ioctl_tty(2)."""
    return read_count(descriptor, termios.FIONREAD)


def read_count(descriptor: int, request: int) -> int | None:
    """The number that an ioctl(2) gives."""
    try:
        return int.from_bytes(fcntl.ioctl(descriptor, request, bytes(4)), sys.byteorder)
    except OSError:  # closed meanwhile, or a system that does not count this
        return None


async def wait_until_readable(descriptor: int) -> None:
    """Wait until ``descriptor`` is readable. It must stay open, and have no other waiter in this loop."""
    import asyncio  # for programs that run a loop; the others need not load it

    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, waiter)
    try:
        await waiter
    finally:
        loop.remove_reader(descriptor)


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
