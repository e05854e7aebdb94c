"""Signals: their names, exits in words, and handlers for a while."""

import os
import signal

import pytest

from tui_ipc.osutil.pidfd import Exit
from tui_ipc.osutil.signals import describe_exit, replace_signal_handlers, signal_name


def test_a_signal_without_a_name_is_shown_by_its_number() -> None:
    assert (signal_name(15), signal_name(40)) == ("SIGTERM", "signal 40")


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        (3, None, "exited with code 3"),
        (None, 9, "was ended by SIGKILL"),
        (None, 40, "was ended by signal 40"),
        (None, None, "ended, and its exit status was lost"),
    ],
)
def test_an_exit_is_described(code: int | None, number: int | None, text: str) -> None:
    assert describe_exit(code, number) == text


def test_a_process_that_a_signal_without_a_name_ended_is_described() -> None:
    """As what a one-shot server says of a child that ended instead of connecting."""
    pid = os.posix_spawn("/bin/sh", ["sh", "-c", "kill -40 $$"], {})
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    with Exit(pid) as watched:
        assert watched.describe() == f"process {pid} was ended by signal 40"
    os.waitpid(pid, 0)


def test_handlers_are_put_back_whatever_happens() -> None:
    """Those of signals that were ignored, handled and left at their default."""
    received: list[int] = []
    numbers = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)

    def fail_while_handling() -> None:
        with replace_signal_handlers(dict.fromkeys(numbers, lambda number, _: received.append(number))):
            for number in numbers:
                signal.raise_signal(number)
            raise RuntimeError("inside")

    handlers = (signal.SIG_IGN, lambda *_: None, signal.SIG_DFL)
    with replace_signal_handlers(dict(zip(numbers, handlers, strict=True))):
        before = [signal.getsignal(number) for number in numbers]
        with pytest.raises(RuntimeError, match="inside"):
            fail_while_handling()
        assert [signal.getsignal(number) for number in numbers] == before
    assert received == list(numbers)
