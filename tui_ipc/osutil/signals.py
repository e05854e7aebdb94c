"""Signals: their names, exit statuses in words, handlers for a while, and processes without our handlers."""

import os
import signal
import sys
from contextlib import contextmanager

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import FrameType

    Handler = Callable[[int, FrameType | None], object] | int | signal.Handlers

END_SIGNALS = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGXCPU,
)
"""What ends a process that does nothing about it, as far as others send it and it can be handled. SIGALRM is
missing because timers of our own send it."""


def signal_name(number: int) -> str:
    """Return ``SIGTERM`` for 15; ``signal 42`` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def describe_exit(code: int | None, signal_number: int | None) -> str:
    """Describe how a process ended: ``exited with code 3``, ``was ended by SIGKILL``.

    Both are None if that is unknown.
    """
    if code is not None:
        return f"exited with code {code}"
    if signal_number is not None:
        return f"was ended by {signal_name(signal_number)}"
    return "ended, and its exit status was lost"


@contextmanager
def replace_signal_handlers(handlers: "Mapping[int, Handler]") -> "Iterator[None]":
    """Install handlers of signals, and put back what was there before; for the main thread."""
    before: dict[int, Handler | None] = {}
    try:
        for number, handler in handlers.items():
            before[number] = signal.signal(number, handler)
        yield
    finally:
        for number, previous in before.items():
            # None: a handler that C code installed, which Python can only replace by the default
            signal.signal(number, signal.SIG_DFL if previous is None else previous)


def fork_with_default_signals(run: "Callable[[], None]") -> int:
    """Run a function in a forked process that ends after it; returns the process id.

    Signals that are ignored stay ignored. The others wait while the process is set up: with this process's
    handlers they would wake this process's event loop.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                signal.set_wakeup_fd(-1)
                for number in END_SIGNALS:
                    if signal.getsignal(number) is not signal.SIG_IGN:
                        signal.signal(number, signal.SIG_DFL)
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
                run()
                code = 0
            finally:
                if code:  # a mistake of ours must not end in silence
                    sys.excepthook(*sys.exc_info())
                os._exit(code)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    return pid
