"""Why a command could not be started: each way has its own sentence with its remedy."""

import asyncio
import os
import shutil
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.sessions import environment
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.process import ExitStatus, Process, SpawnError, spawn


def failure(command: list[str], cwd: str | None = None, env: dict[str, str] | None = None) -> str:
    """The sentence of the error; no descriptor is left open, as the leak check of every test sees."""
    with pytest.raises(SpawnError) as caught:
        spawn(command, cwd=cwd, env=dict(os.environ) if env is None else env, pty=True)
    return str(caught.value)


def program(tmp_path: Path, content: bytes, mode: int = 0o755) -> str:
    """The path of a file that may be a program."""
    path = tmp_path / "program"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_a_name_that_is_not_on_the_path() -> None:
    assert failure(["no-such-program"]) == (
        "no program named 'no-such-program' on the PATH; check its spelling, or give its path"
    )


def test_the_path_that_counts_is_the_childs(tmp_path: Path) -> None:
    assert "no program named 'ls' on the PATH" in failure(["ls"], env={"PATH": str(tmp_path)})


def test_a_path_that_does_not_exist() -> None:
    assert failure(["/no/such/file"]) == "the program '/no/such/file' does not exist; check its path"


def test_a_path_through_a_file(tmp_path: Path) -> None:
    path = program(tmp_path, b"")
    assert failure([f"{path}/more"]) == f"the program '{path}/more' does not exist; check its path"


def test_a_file_that_is_not_executable(tmp_path: Path) -> None:
    path = program(tmp_path, b"#!/bin/sh\n", 0o644)
    assert failure([path]) == f"the file {path!r} is not executable; make it so with: chmod +x {path}"


def test_a_directory(tmp_path: Path) -> None:
    assert failure([str(tmp_path)]) == f"'{tmp_path}' is a directory; name a program in it"


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    path = program(tmp_path, b"just text\n")
    assert failure([path]) == (
        f"the file {path!r} is no program that this machine can run; a script must begin with a line such as "
        "#!/usr/bin/env python3"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"#!/no/such/interpreter\n", "names the interpreter '/no/such/interpreter'"),
        (
            b"#!/bin/sh\r\necho\r\n",
            "interpreter '/bin/sh', and ends in a carriage return: save it with Unix line ends",
        ),
    ],
    ids=["missing", "carriage return"],
)
def test_a_script_whose_interpreter_is_not_there(tmp_path: Path, content: bytes, says: str) -> None:
    path = program(tmp_path, content)
    sentence = failure([path])
    assert sentence.startswith(
        f"the program {path!r} exists, but what it needs to run does not: its first line "
    )
    assert sentence.endswith(says)


def test_a_program_whose_loader_is_not_there(tmp_path: Path) -> None:
    whole = Path(shutil.which("true") or "").read_bytes()
    path = program(tmp_path, whole.replace(b"/ld-", b"/no-"))
    assert failure([path]).endswith("its dynamic loader is missing; was it built for this machine?")


def test_a_relative_path_is_looked_up_in_the_childs_directory(tmp_path: Path) -> None:
    program(tmp_path, b"just text\n")
    assert "is no program that this machine can run" in failure(["./program"], cwd=str(tmp_path))


def test_a_working_directory_that_does_not_exist(tmp_path: Path) -> None:
    cwd = str(tmp_path / "nowhere")
    assert failure(["true"], cwd=cwd) == f"the working directory {cwd!r} does not exist; check its path"


def test_a_working_directory_that_is_a_file(tmp_path: Path) -> None:
    cwd = program(tmp_path, b"")
    assert failure(["true"], cwd=cwd) == f"the working directory {cwd!r} is a file; name a directory"


def test_a_null_byte_in_an_argument() -> None:
    assert failure(["true", "a\0b"]) == ("'true' cannot be started with such arguments: embedded null byte")


def test_arguments_that_are_too_long() -> None:
    assert failure(["true", "x" * 10_000_000]) == (
        "the program 'true' could not be started: Argument list too long"
    )


def test_no_pseudo_terminal_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "openpty", none_left)
    assert failure(["true"]) == (
        "no descriptors for the child's output: No space left on device; "
        "a pipe instead of a pseudo-terminal (--no-pty) may do"
    )


Use = Callable[[Process], Awaitable[None]]


def with_process(script: str, use: Use) -> None:
    """Start a shell script, use it, and take it away."""

    async def main() -> None:
        process = Process(["sh", "-c", script], env=environment())
        try:
            await use(process)
        finally:
            process.destroy()

    asyncio.run(main())


def ends_as(script: str) -> ExitStatus:
    """How a shell script ends."""
    ends: list[ExitStatus | None] = []

    async def use(process: Process) -> None:
        ends.append(process.exit)
        await asyncio.wait([process.exited])
        ends.append(process.exit)

    with_process(script, use)
    before, after = ends
    assert before is None
    assert after is not None
    return after


@pytest.fixture(params=["pidfd", "thread"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel tells of the end, or cannot and a thread waits for it."""
    if request.param == "thread":

        def missing(_: int) -> int:
            raise OSError(38, "Function not implemented")

        monkeypatch.setattr(os, "pidfd_open", missing)


@pytest.mark.usefixtures("either_way")
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


@pytest.mark.usefixtures("either_way")
def test_a_process_that_runs_on_is_destroyed_without_the_loop() -> None:
    async def use(process: Process) -> None:
        assert process.stdout.read_available() is None
        process.destroy()
        with pytest.raises(ChildProcessError):
            os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG)
        process.destroy()

    with_process("exec sleep 600", use)
    assert threading.active_count() == 1


@pytest.mark.usefixtures("either_way")
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
        assert (process.stopped, process.stops()) == (None, (signal.SIGSTOP,))
        assert (process.stopped, process.stops()) == (signal.SIGSTOP, ())
        process.signal(signal.SIGCONT)
        assert (process.stopped, process.stops()) == (signal.SIGSTOP, (None,))
        assert (process.stopped, process.stops()) == (None, ())
        await asyncio.wait([process.exited])
        assert process.stops() == ()
        assert str(process.exit) == "exited with code 4"

    with_process("kill -STOP $$; exit 4", use)


def test_what_happened_between_two_looks_is_told_as_far_as_the_kernel_knows_it() -> None:
    """It keeps the last change: a stop that is over was none, one after another had an end between them."""

    async def use(process: Process) -> None:
        stops(process)
        process.signal(signal.SIGCONT)
        assert process.stops() == ()
        stops(process)
        assert process.stops() == (signal.SIGSTOP,)
        os.kill(process.pid, signal.SIGCONT)
        stops(process)
        assert process.stops() == (None, signal.SIGSTOP)

    def stops(process: Process) -> None:
        process.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)

    with_process("exec sleep 600", use)


def test_a_process_that_we_continued_went_on_even_if_it_ended_before_we_looked() -> None:
    """The kernel has forgotten that by then."""

    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert process.stops() == (signal.SIGSTOP,)
        process.signal(signal.SIGCONT)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process.stops() == (None,)

    with_process("kill -STOP $$; exit 4", use)


def test_a_process_that_has_ended_is_not_stopped() -> None:
    """SIGKILL ends it as it is."""

    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        assert (process.stops(), process.stopped) == ((signal.SIGSTOP,), signal.SIGSTOP)
        process.signal(signal.SIGKILL)
        await asyncio.wait([process.exited])
        assert (process.stops(), process.stopped) == ((), None)

    with_process("kill -STOP $$", use)


def test_an_end_that_was_not_collected_yet_is_no_stop() -> None:
    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert process.stops() == ()
        await asyncio.wait([process.exited])
        assert str(process.exit) == "exited with code 5"

    with_process("exit 5", use)


def test_a_system_that_cannot_tell_of_stops_tells_of_none(monkeypatch: pytest.MonkeyPatch) -> None:
    async def use(process: Process) -> None:
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        with monkeypatch.context() as patch:
            patch.delattr(os, "waitid")
            assert process.stops() == ()

    with_process("kill -STOP $$", use)


def test_a_signal_that_is_not_permitted_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_signals_have_names() -> None:
    assert (signal_name(15), signal_name(40)) == ("SIGTERM", "signal 40")
