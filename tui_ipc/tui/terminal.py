"""The terminal that the explorer runs on may be taken away: a window is closed, a connection drops."""

import os
import signal
from collections.abc import Callable
from types import FrameType


def on_hang_up(leave: Callable[[], object]) -> None:
    """Call ``leave`` once the terminal is gone (SIGHUP), and write no more to it.

    Textual writes in a thread that the first EIO ends, and then waits for that thread for ever; and on the
    SIGCONT that the kernel sends after a SIGHUP it sets the terminal up once more. So what is written goes
    nowhere from here on. The handler is one of ``signal.signal``: it must run before that of SIGCONT, and an
    event loop's would run after it.

    Args:
        leave: Called in the main thread, between two steps of whatever runs there.
    """

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGCONT, signal.SIG_IGN)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for descriptor in (1, 2):
            os.dup2(nowhere, descriptor)
        os.close(nowhere)
        leave()

    signal.signal(signal.SIGHUP, hang_up)
