"""Signals and exit statuses: their names, and the signals that ask this process to end."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_END_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def signal_name(number: int) -> str:
    """``SIGTERM`` for 15; ``signal 42`` for one without a name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def describe_exit(code: int | None, signal_number: int | None) -> str:
    """How a process ended: ``exited with code 3``, ``was ended by SIGKILL``; both None if nobody knows."""
    if code is not None:
        return f"exited with code {code}"
    if signal_number is not None:
        return f"was ended by {signal_name(signal_number)}"
    return "ended, and its exit status was lost"


@contextmanager
def catch_end_signals(interrupt: Callable[[], object]) -> Iterator[list[int]]:
    """Call ``interrupt`` for each signal that asks us to end, and tell which came.

    Those that we were started to ignore (by ``nohup``, or in the background of a shell script) stay ignored.
    """
    import asyncio  # for programs that run a loop; the others need not load it

    loop = asyncio.get_running_loop()
    came: list[int] = []

    def note(number: int) -> None:
        came.append(number)
        interrupt()

    heard = [number for number in _END_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    for number in heard:
        loop.add_signal_handler(number, note, number)
    try:
        yield came
    finally:
        for number in heard:
            loop.remove_signal_handler(number)
