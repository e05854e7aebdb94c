"""The explorer on a terminal: signals make it leave, and the terminal itself may be taken away.

A window is closed, a connection drops: then nothing is written any more, and everything is ended.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Protocol


class Terminable(Protocol):
    """What runs on a terminal and can be asked to leave; the explorer is one."""

    @property
    def return_code(self) -> int | None: ...
    async def run_async(self) -> object: ...
    def leave(self, code: int = 0) -> None: ...


def run(app: Terminable) -> int:
    """Run an app on this terminal until it is left, by a key or by a signal, and return its exit code."""
    try:
        return asyncio.run(_run(app))
    finally:
        gc.freeze()  # else the interpreter's last collection walks the whole log: seconds, after a flood


async def _run(app: Terminable) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, app.leave, 128 + number)
    on_hang_up(lambda: loop.call_soon_threadsafe(app.leave, 128 + signal.SIGHUP))
    # What is imported stays for good, and the rings hold some hundred thousand small objects for long. With
    # its usual thresholds the cyclic collector visits them all so often that a flood makes pauses of 140 ms;
    # so 20.
    gc.freeze()
    gc.set_threshold(20_000, 10, 50)
    await app.run_async()
    return app.return_code or 0


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
