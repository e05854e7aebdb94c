"""An end to what might take for ever: a regular expression that a person types can be worth years of work."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TakesTooLong(Exception):
    """What was begun did not come to its end in time."""


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Break off what runs inside after some seconds of computing.

    Python looks at signals between its own steps and, as of 3.11, within the steps of a regular expression.
    Only the main thread can be broken off; another is left alone.

    Args:
        seconds: Of CPU time in user mode.

    Raises:
        TakesTooLong: The time is over.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def bite(_number: int, _frame: FrameType | None) -> None:
        if armed:
            raise TakesTooLong(f"more than {seconds} s")

    before = signal.signal(signal.SIGVTALRM, bite)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
