"""How a process of ours ends: asked to by a signal, because of an error, and at a deadline at the latest.

An event loop may be stuck, or may be left with a task that never ends. So whoever asked has to be served by
what works all the same: a timer whose signal interrupts system calls, locks, and slow regular expressions.
Only a call of C code that does not look for signals is not interrupted.
"""

import asyncio
import os
import select
import signal
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, Self

from tui_ipc.osutil.process_group import kill_children
from tui_ipc.osutil.signals import END_SIGNALS

EXIT_DEFECT: Final = 70
"""The exit code if the program itself failed (EX_SOFTWARE of sysexits.h)."""

LEAVE_SECONDS: Final = (15.0, 2.0)
"""Seconds until the end at the latest, after the first request and after the second; a third is the end."""


class LeaveDeadline:
    """Ends this process some time after it was asked to end, whatever it does. For the main thread.

    A context manager: with its block, the deadline is called off.

    Args:
        restore_terminal: Called before the end, in a signal handler.
    """

    def __init__(self, restore_terminal: Callable[[], None] = lambda: None) -> None:
        self._restore_terminal = restore_terminal
        self._requests = 0
        self._code = 0
        self._handler_before: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._requests:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._handler_before)

    def begin(self, code: int) -> None:
        """Note that the process is to end with an exit code, unless it was asked to already."""
        if not self._requests:
            self.shorten(code)

    def shorten(self, code: int) -> None:
        """Note that the process was asked to end, by a signal of which each makes it more urgent."""
        self._code = code
        if not self._requests:
            self._handler_before = signal.signal(signal.SIGALRM, lambda *_: self._end())
        elif self._requests >= len(LEAVE_SECONDS):
            self._end()
        signal.setitimer(signal.ITIMER_REAL, LEAVE_SECONDS[self._requests])
        self._requests += 1

    def _end(self) -> None:
        kill_children()
        self._restore_terminal()
        poll = select.poll()
        poll.register(2, select.POLLOUT)
        if poll.poll(0):  # a terminal that takes nothing keeps nobody
            with suppress(OSError):
                os.write(2, b"tui-ipc: it did not end in time, and was killed with all its children\n")
        os._exit(self._code)


@contextmanager
def catch_end_signals(
    loop: asyncio.AbstractEventLoop, on_signal: Callable[[], object]
) -> Iterator[list[int]]:
    """Call a function for each signal that asks this process to end, in an event loop.

    Signals that are ignored, as ``nohup`` and the background of a shell script have it, stay ignored. After
    the first signal the process has limited time, even if the loop is stuck.

    Yields:
        The numbers of the signals that came.
    """
    received: list[int] = []

    def receive(number: int) -> None:
        deadline.begin(128 + number)
        received.append(number)
        on_signal()

    numbers = [number for number in END_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    with LeaveDeadline() as deadline:
        for number in numbers:
            loop.add_signal_handler(number, receive, number)
            # The loop is woken by C code, whatever the handler in Python. That works while the loop is stuck.
            signal.signal(number, lambda number, _: deadline.shorten(128 + number))
        try:
            yield received
        finally:
            for number in numbers:
                loop.remove_signal_handler(number)


@contextmanager
def catch_background_errors(
    loop: asyncio.AbstractEventLoop, on_error: Callable[[Exception], object]
) -> Iterator[None]:
    """Call a function, in an event loop, with each exception that nobody waits for.

    Such are those of the loop's callbacks, of threads, and of :func:`create_watched_task`.
    """

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            on_error(error)
        else:
            loop.default_exception_handler(context)

    def handle_in_thread(arguments: threading.ExceptHookArgs) -> None:
        if isinstance(arguments.exc_value, Exception):
            loop.call_soon_threadsafe(on_error, arguments.exc_value)
        else:
            hook_before(arguments)

    hook_before, threading.excepthook = threading.excepthook, handle_in_thread
    loop.set_exception_handler(handle)  # to its end, which may find errors of tasks that were broken off
    try:
        yield
    finally:
        threading.excepthook = hook_before


def create_watched_task(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Create a task that works beside others, so that an exception in it is reported at once.

    It goes to the loop's exception handler, and not only to whoever awaits the task, perhaps at its end.
    """
    task = asyncio.create_task(work)
    task.add_done_callback(_report_error)
    return task


def _report_error(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None:
        task.get_loop().call_exception_handler(
            {
                "message": "a task failed",
                "exception": error,
                "task": task,
            }
        )
