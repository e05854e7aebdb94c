"""Signals that ask us to end, while an event loop runs.

The one rule: what we were started to ignore stays ignored.
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_ENDINGS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupting(interrupt: Callable[[], object]) -> Iterator[list[int]]:
    """Call ``interrupt`` for each signal that asks us to end, and tell which came.

    Those that we were started to ignore (by ``nohup``, or in the background of a shell script) stay ignored.
    """
    loop = asyncio.get_running_loop()
    came: list[int] = []

    def note(number: int) -> None:
        came.append(number)
        interrupt()

    heard = [number for number in _ENDINGS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, note, number)
    try:
        yield came
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
