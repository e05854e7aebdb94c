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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any, Final, Protocol, TextIO

WRITE_TIMEOUT: Final = 1.0
"""Seconds in which a terminal must take something, once we are told to leave; then we do without it."""

COLLECT_DELAY: Final = 1.0
"""Seconds after which the screen stands."""

_POLL_PERIOD: Final = 0.1
"""Seconds between two looks at a terminal that takes what is written."""

_WRITER_THREAD: Final = "textual-output"
"""The name of the thread that writes to the terminal for Textual."""

_INTERRUPT_SIGNAL: Final = signal.SIGURG
"""Sent to that thread to call it back from a write that waits; by itself it does nothing."""


Handler = Callable[[int, FrameType | None], Any] | int | None
"""What is done on a signal."""


class TerminalApp(Protocol):
    """What runs on a terminal and can be asked to leave; the explorer is one."""

    @property
    def return_code(self) -> int | None: ...
    async def run_async(self) -> object: ...
    def leave(self, code: int = 0) -> None: ...


def run(app: TerminalApp) -> int:
    """Run an app on this terminal until it is left, by a key or by a signal, and return its exit code."""
    try:
        return asyncio.run(_run_app(app))
    finally:
        gc.enable()
        gc.freeze()  # else the interpreter's last collection walks the whole log: seconds, after a flood


async def _run_app(app: TerminalApp) -> int:
    loop = asyncio.get_running_loop()

    def leave(code: int) -> None:
        loop.call_soon_threadsafe(app.leave, code)

    gc.disable()  # until the screen stands: it stays, too
    loop.call_later(COLLECT_DELAY, _enable_collection)
    # Keys are read and the screen is written by threads of Textual's; behind a loop that is busy each step of
    # theirs would wait for 5 ms.
    sys.setswitchinterval(0.0005)
    with handle_signals(leave):
        await app.run_async()
    return app.return_code or 0


def _enable_collection() -> None:
    """Let garbage be collected, but for what stays.

    That is what was imported, the screen, and for long some hundred thousand small objects in the rings. With
    its usual thresholds the collector visits them all so often that a flood makes pauses of 140 ms; so it
    visits the young alone, few at a time: 10 ms.
    """
    gc.freeze()
    gc.set_threshold(2_000, 5, 1_000)
    gc.enable()


@contextmanager
def handle_signals(leave: Callable[[int], object]) -> Iterator[None]:
    """Call ``leave`` with 128 + N on signal N, and from then on let no terminal hold us up that nobody reads.

    Textual's main thread waits for its writer once thirty pieces are queued, and with it the event loop. So
    the handlers are those of ``signal.signal``, which run even then, and a thread has an eye on the terminal.

    Args:
        leave: Called in the main thread, between two steps of whatever runs there.
    """
    over = threading.Event()
    told, tell = os.pipe()

    def handle(number: int, _frame: FrameType | None) -> None:
        os.write(tell, b"!")
        leave(128 + number)

    def hang_up() -> object:
        return leave(128 + signal.SIGHUP)

    # Made now: a handler may interrupt whatever would make a thread.
    watch = threading.Thread(target=_watch_terminal, args=(told, over, hang_up), name="terminal", daemon=True)
    watch.start()
    handlers = {_INTERRUPT_SIGNAL: lambda *_: None, signal.SIGTERM: handle, signal.SIGINT: handle}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    before[signal.SIGHUP] = handle_hang_up(hang_up)
    terminal = sys.__stderr__
    if terminal is not None:
        vars(sys)["__stderr__"] = LossyStream(terminal)  # where Textual writes
    try:
        yield
    finally:
        vars(sys)["__stderr__"] = terminal
        for number, handler in before.items():
            signal.signal(number, handler)
        over.set()
        os.write(tell, b"!")
        watch.join()
        os.close(tell)
        os.close(told)


def handle_hang_up(leave: Callable[[], object]) -> Handler:
    """Call ``leave`` once the terminal is gone (SIGHUP), and write no more to it.

    Textual writes in a thread that the first EIO ends, and then waits for that thread for ever; and on the
    SIGCONT that the kernel sends after a SIGHUP it sets the terminal up once more. So what is written goes
    nowhere from here on. The handler is one of ``signal.signal``: it must run before that of SIGCONT, and an
    event loop's would run after it.

    Args:
        leave: Called in the main thread, between two steps of whatever runs there.

    Returns:
        What was done on a SIGHUP before.
    """

    def hang_up(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGCONT, signal.SIG_IGN)
        _redirect_to_null()
        leave()

    return signal.signal(signal.SIGHUP, hang_up)


class LossyStream:
    """A terminal that may go without a word: what is written to it then is lost, and no thread ends of it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> int:
        try:
            return self._file.write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._file.flush()

    def fileno(self) -> int:
        return self._file.fileno()


def _watch_terminal(told: int, over: threading.Event, hang_up: Callable[[], object]) -> None:
    """Leave if the terminal goes, which no signal tells of unless it is our controlling one.

    Once told to leave, do without the terminal as soon as it takes nothing for :data:`PATIENCE`.
    """
    terminal = select.poll()
    terminal.register(2, 0)  # that it is gone is always told
    terminal.register(told, select.POLLIN)
    if told not in dict(terminal.poll()):
        _redirect_to_null()
        hang_up()
        return
    terminal.unregister(told)
    terminal.modify(2, select.POLLOUT)
    while not over.wait(_POLL_PERIOD):
        if not terminal.poll(WRITE_TIMEOUT * 1000):
            _redirect_to_null()
            _interrupt_writer()
            return


def _interrupt_writer() -> None:
    """Have a write that waits begin again, and so go nowhere."""
    for thread in threading.enumerate():
        if thread.name == _WRITER_THREAD and thread.ident is not None:
            signal.pthread_kill(thread.ident, _INTERRUPT_SIGNAL)


def _redirect_to_null() -> None:
    """Have what is written from now on go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)
