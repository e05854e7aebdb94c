"""A process: how it ends, is signalled, stopped and reaped, and what it inherits."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable

import pytest

from tests.support.sessions import environment
from tui_ipc.osutil.spawn import SpawnError
from tui_ipc.session.process import ExitStatus, Process

Use = Callable[[Process], Awaitable[None]]


def with_process(script: str, use: Use) -> None:
    """Start a shell script, use it, and take it away."""

    async def main() -> None:
        process = Process(["sh", "-c", script], env=environment())
        try:
            await use(process)
        finally:
            process.kill_and_reap()

    asyncio.run(main())


def ends_as(script: str) -> ExitStatus:
    """How a shell script ends."""
    ends: list[ExitStatus | None] = []

    async def use(process: Process) -> None:
        ends.append(process.exit_status)
        await asyncio.wait([process.exited])
        ends.append(process.exit_status)

    with_process(script, use)
    before, after = ends
    assert before is None
    assert after is not None
    return after


@pytest.mark.parametrize(
    ("script", "code", "number", "words"),
    [
        ("exit 0", 0, None, "exited with code 0"),
        ("exit 7", 7, None, "exited with code 7"),
        ("kill -TERM $$", None, 15, "was ended by SIGTERM"),
        ("kill -40 $$", None, 40, "was ended by signal 40"),
    ],
)
def test_the_end_is_told_with_code_or_signal(
    script: str, code: int | None, number: int | None, words: str
) -> None:
    how = ends_as(script)
    assert (how.code, how.signal, str(how)) == (code, number, words)
    assert how.max_rss > 1_000_000


def test_the_use_of_the_processor_is_measured() -> None:
    how = ends_as("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
    assert 0 < how.user_seconds + how.system_seconds < 30


def test_a_process_that_runs_on_is_destroyed_without_the_loop() -> None:
    async def use(process: Process) -> None:
        assert process.stdout.read_available() is None
        process.kill_and_reap()
        with pytest.raises(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG)
        process.kill_and_reap()

    with_process("exec sleep 600", use)
    assert threading.active_count() == 1


def test_an_exit_status_that_somebody_else_took_is_told_as_lost() -> None:
    """A parent that ignores SIGCHLD has its children reaped by the kernel."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        how = ends_as("exit 3")
    finally:
        signal.signal(signal.SIGCHLD, before)
    assert (how.code, how.signal, str(how)) == (None, None, "ended, and its exit status was lost")


def test_signals_go_to_the_whole_group_until_it_is_reaped() -> None:
    async def use(process: Process) -> None:
        assert await process.stdout.read() == b"ready\n"
        assert process.signal(signal.SIGTERM)
        await asyncio.wait([process.exited])
        assert not process.signal(signal.SIGTERM)
        assert await process.stdout.read() == b""  # which the second process of the group held as well

    with_process("sleep 600 & echo ready; wait", use)


def test_stops_are_seen_once_and_by_looking_alone() -> None:
    """Whoever sent the signals; the exit is left to be collected."""

    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert (process.stopped_by, process.poll_job_changes()) == (None, (signal.SIGSTOP,))
        assert (process.stopped_by, process.poll_job_changes()) == (signal.SIGSTOP, ())
        process.signal(signal.SIGCONT)
        assert (process.stopped_by, process.poll_job_changes()) == (signal.SIGSTOP, (None,))
        assert (process.stopped_by, process.poll_job_changes()) == (None, ())
        await asyncio.wait([process.exited])
        assert process.poll_job_changes() == ()
        assert str(process.exit_status) == "exited with code 4"

    with_process("kill -STOP $$; exit 4", use)


def test_what_happened_between_two_looks_is_told_as_far_as_the_kernel_knows_it() -> None:
    """It keeps the last change: a stop that is over was none, one after another had an end between them."""

    async def use(process: Process) -> None:
        stops(process)
        process.signal(signal.SIGCONT)
        assert process.poll_job_changes() == ()
        stops(process)
        assert process.poll_job_changes() == (signal.SIGSTOP,)
        os.kill(process.pid, signal.SIGCONT)
        stops(process)
        assert process.poll_job_changes() == (None, signal.SIGSTOP)

    def stops(process: Process) -> None:
        process.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    with_process("exec sleep 600", use)


def test_a_process_that_we_continued_went_on_even_if_it_ended_before_we_looked() -> None:
    """The kernel has forgotten that by then."""

    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert process.poll_job_changes() == (signal.SIGSTOP,)
        process.signal(signal.SIGCONT)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process.poll_job_changes() == (None,)

    with_process("kill -STOP $$; exit 4", use)


def test_a_process_that_has_ended_is_not_stopped() -> None:
    """SIGKILL ends it as it is."""

    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert (process.poll_job_changes(), process.stopped_by) == ((signal.SIGSTOP,), signal.SIGSTOP)
        process.signal(signal.SIGKILL)
        await asyncio.wait([process.exited])
        assert (process.poll_job_changes(), process.stopped_by) == ((), None)

    with_process("kill -STOP $$", use)


def test_an_end_that_was_not_collected_yet_is_no_stop() -> None:
    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process.poll_job_changes() == ()
        await asyncio.wait([process.exited])
        assert str(process.exit_status) == "exited with code 5"

    with_process("exit 5", use)


def test_a_child_that_cannot_be_watched_is_ended_and_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """No descriptor is left to watch it with; the leak check of every test sees that nothing stays."""

    def refuse(_: int) -> int:
        raise OSError(24, "Too many open files")

    async def main() -> None:
        monkeypatch.setattr(os, "pidfd_open", refuse)
        with pytest.raises(
            SpawnError, match=r"^the child cannot be watched, and was ended: Too many open files$"
        ):
            Process(["sleep", "600"], env=environment())

    asyncio.run(main())
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_signal_that_is_not_permitted_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    async def use(process: Process) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(os, "killpg", refuse)
            assert not process.signal(signal.SIGTERM)

    with_process("exec sleep 600", use)


def test_the_child_inherits_three_descriptors_and_nothing_else() -> None:
    """Not even those of ours that are inheritable."""
    ours = os.dup(0)
    os.set_inheritable(ours, True)

    async def use(process: Process) -> None:
        assert await process.stdout.read() == b"[0, 1, 2]\n"

    try:
        with_process(f"exec {sys.executable} -m tests.support.children.inherits", use)
    finally:
        os.close(ours)


def test_both_streams_are_read_apart() -> None:
    async def use(process: Process) -> None:
        assert await process.stdout.read() == b"out\n"
        assert await process.stderr.read() == b"err\n"
        assert (await process.stdout.read(), await process.stderr.read()) == (b"", b"")
        assert process.stdout.ended

    with_process("echo out; echo err >&2", use)
