"""Watching another process end, without reaping it."""

import os
import signal

import pytest

from tests.support.ipc_programs import running
from tests.support.threads import PATIENCE
from tui_ipc.osutil.pidfd import Exit
from tui_ipc.osutil.waiting import deadline_after


@pytest.fixture(params=["pidfd", "no pidfd"])
def with_or_without_pidfd(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the system tells of a process's end through a descriptor; both ways must do."""
    if request.param == "no pidfd":
        monkeypatch.delattr(os, "pidfd_open", raising=False)
    return hasattr(os, "pidfd_open")


def wait_for(end: Exit, timeout: float = PATIENCE) -> bool:
    """Whether the end comes in time, waited for alone: beside a pipe that nothing comes out of."""
    reading, writing = os.pipe()
    try:
        return end.wait_or(reading, deadline_after(timeout))
    finally:
        os.close(reading)
        os.close(writing)


def test_the_end_is_seen_and_left_to_be_reaped(with_or_without_pidfd: bool) -> None:
    """A process that exits is seen to end, with its status, which stays for whoever started it."""
    with running("dies", "3") as process, Exit(process) as end:
        assert bool(end.descriptors()) == with_or_without_pidfd
        assert (end.interval() is None) == with_or_without_pidfd
        assert wait_for(end)
        assert end.has_ended()
        assert end.has_ended()
        assert end.describe() == f"process {process.pid} exited with status 3"
        assert process.wait(PATIENCE) == 3


def test_a_signal_is_named(with_or_without_pidfd: bool) -> None:
    """A process that a signal ended is described by the signal's name; a pid does as well as a Popen."""
    with running("listens") as process, Exit(process.pid) as end:
        assert not end.has_ended()
        process.send_signal(signal.SIGKILL)
        assert wait_for(end)
        assert end.describe() == f"process {process.pid} was ended by SIGKILL"


def test_a_living_process_is_waited_for_until_the_deadline(with_or_without_pidfd: bool) -> None:
    """The wait ends at its deadline while the process lives, and at once if the deadline has passed."""
    with running("silent", "/nowhere") as process, Exit(process) as end:
        process.send_signal(signal.SIGSTOP)
        for timeout in (0.05, 0, -1):
            assert not wait_for(end, timeout)
        assert not end.has_ended()


def test_a_descriptor_that_is_readable_ends_the_wait(with_or_without_pidfd: bool) -> None:
    """The wait is for the process or a descriptor, whichever is first."""
    reading, writing = os.pipe()
    os.write(writing, b"x")
    with running("silent", "/nowhere") as process, Exit(process) as end:
        process.send_signal(signal.SIGSTOP)
        assert end.wait_or(reading, None)
        assert not end.has_ended()
    os.close(reading)
    os.close(writing)


def test_a_process_that_was_reaped_has_ended(with_or_without_pidfd: bool) -> None:
    """A Popen object that has its exit status is known to have ended, though its pid may be another's by
    now.
    """
    with running("dies", "0") as process:
        process.wait(PATIENCE)
        with Exit(process) as end:
            assert end.has_ended()
            assert end.descriptors() == ()
            assert end.describe() == f"process {process.pid} ended"


def test_a_pid_of_nobody_has_ended() -> None:
    """A pid that nobody has, or has any more, counts as ended."""
    with running("dies", "0") as process:
        process.wait(PATIENCE)
        with Exit(process.pid) as end:
            assert end.has_ended()


def test_no_process_never_ends() -> None:
    """None stands for no process: its end never comes, and nothing is to be watched."""
    with Exit(None) as end:
        assert not end.has_ended()
        assert end.descriptors() == ()
        assert end.interval() is None
        assert not wait_for(end, 0.01)
    end.close()


@pytest.mark.parametrize("timeout", [1e12, float("inf")])
def test_a_timeout_longer_than_poll_can_count(timeout: float) -> None:
    """The wait goes on past what one poll(2) can count, and ends with what it waits for."""
    reader, writer = os.pipe()
    os.write(writer, b"x")
    with Exit(None) as end:
        assert end.wait_or(reader, deadline_after(timeout))
    os.close(reader)
    os.close(writer)
