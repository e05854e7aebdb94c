"""The explorer on a terminal: signals make it leave, and the terminal itself may be taken away.

The rule: once we are told to leave, no terminal keeps us. A window is closed, a connection drops, or nobody
reads what is written any more: then nothing is written, and everything is ended.
"""

import asyncio
import gc
import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Final, Protocol

PATIENCE: Final = 1.0
"""Seconds in which a terminal must take something, once we are told to leave; then we do without it."""

SETTLING: Final = 1.0
"""Seconds after which the screen stands."""

_PERIOD: Final = 0.1
"""Seconds between two looks at a terminal that takes what is written."""

_WRITER: Final = "textual-output"
"""The name of the thread that writes to the terminal for Textual."""

_RECALL: Final = signal.SIGURG
"""Sent to that thread to call it back from a write that waits; by itself it does nothing."""


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
        gc.enable()
        gc.freeze()  # else the interpreter's last collection walks the whole log: seconds, after a flood


async def _run(app: Terminable) -> int:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        on_leave(number, lambda code: loop.call_soon_threadsafe(app.leave, code))
    on_hang_up(lambda: loop.call_soon_threadsafe(app.leave, 128 + signal.SIGHUP))
    gc.disable()  # until the screen stands: it stays, too
    loop.call_later(SETTLING, _collect)
    # Keys are read and the screen is written by threads of Textual's; behind a loop that is busy each step of
    # theirs would wait for 5 ms.
    sys.setswitchinterval(0.0005)
    await app.run_async()
    return app.return_code or 0


def _collect() -> None:
    """Let garbage be collected, but for what stays.

    That is what was imported, the screen, and for long some hundred thousand small objects in the rings. With
    its usual thresholds the collector visits them all so often that a flood makes pauses of 140 ms; so it
    visits the young alone, few at a time: 10 ms.
    """
    gc.freeze()
    gc.set_threshold(2_000, 5, 1_000)
    gc.enable()


def on_leave(number: int, leave: Callable[[int], object]) -> None:
    """Call ``leave`` on a signal, and from then on let no terminal hold us up that nobody reads.

    Textual's main thread waits for its writer once thirty pieces are queued, and with it the event loop; so
    the handler is one of ``signal.signal``, which runs even then, and a thread has an eye on the terminal.

    Args:
        number: The signal.
        leave: Called with the exit code, in the main thread, between two steps of whatever runs there.
    """
    told = threading.Event()

    def handle(number: int, _frame: FrameType | None) -> None:
        told.set()
        leave(128 + number)

    # Made now: a handler may interrupt whatever would make a thread.
    threading.Thread(target=_watch, args=(told,), name=f"terminal-{number}", daemon=True).start()
    signal.signal(_RECALL, lambda *_: None)
    signal.signal(number, handle)


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
        _write_nowhere()
        leave()

    signal.signal(signal.SIGHUP, hang_up)


def _watch(told: threading.Event) -> None:
    """Once told, do without the terminal as soon as it takes nothing for :data:`PATIENCE`."""
    told.wait()
    terminal = select.poll()
    terminal.register(2, select.POLLOUT)
    while terminal.poll(PATIENCE * 1000):
        time.sleep(_PERIOD)
    _write_nowhere()
    for thread in threading.enumerate():
        if thread.name == _WRITER and thread.ident is not None:
            signal.pthread_kill(thread.ident, _RECALL)  # its write begins again, and goes nowhere


def _write_nowhere() -> None:
    """Have what is written from now on go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
