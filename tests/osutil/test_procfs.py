"""What the kernel tells of real processes and sockets, and what remains where it tells less."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tui_ipc.osutil import procfs
from tui_ipc.osutil.procfs import (
    ProcessState,
    SystemCall,
    parse_socket_inode,
    read_lineage,
    read_process_name,
    read_process_state,
)

STAT = "7 (a (strange) name) S 1 7 7 0 -1 4194304 76 0 1 0 150 50 0 0 20 0 3 0 1826673 2990080"


def mount_proc(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    """Have procfs read from a directory."""
    monkeypatch.setattr(procfs, "PROC", str(path))


@contextmanager
def running(code: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python program with a pipe as its standard input; it and what it starts are ended."""
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as process:
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def once(pid: int, is_so: Callable[[ProcessState], object]) -> ProcessState:
    """What a process does once ``is_so`` of it; gives up after 20 s."""
    deadline = time.monotonic() + 20
    while not is_so(found := read_process_state(pid)):
        assert time.monotonic() < deadline, found
        time.sleep(0.002)
    return found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import sys; sys.stdin.read()", r"read 0 pipe:\[\d+\]"),
        ("import socket; a, b = socket.socketpair(); a.recv(1)", r"recvfrom \d socket:\[\d+\]"),
        ("import threading; one = threading.Lock(); one.acquire(); one.acquire()", r"futex"),
        ("import time; time.sleep(600)", r"(clock_)?nanosleep"),
        ("import signal; signal.pause()", r"pause|ppoll|rt_sigsuspend"),
        ("import select; select.select([0], [], [])", r"p?select6?"),
        ("import select; poll = select.poll(); poll.register(0); poll.poll()", r"p?poll"),
        ("import subprocess; subprocess.run(['sleep', '600'])", r"wait4|waitid"),
        ("import os; left, right = os.pipe(); os.write(right, bytes(10**6))", r"write \d pipe:\[\d+\]"),
        ("import socket; socket.create_server(('127.0.0.1', 0)).accept()", r"accept4? \d socket:.*"),
    ],
)  # fmt: skip
def test_a_process_that_sleeps_is_told_with_its_call_and_its_descriptor(code: str, expected: str) -> None:
    """The calls in which programs usually wait, and what the descriptor among them is."""

    def waits(found: ProcessState) -> bool:
        call = found.call or SystemCall(name="")
        words = [call.name, *(str(word) for word in (call.descriptor, call.file) if word is not None)]
        return re.fullmatch(expected, " ".join(words)) is not None

    with running(code) as process:
        found = once(process.pid, waits)
    assert (found.state, found.threads) == ("S", 1)
    assert found.cpu_seconds is not None


def test_a_process_that_waits_for_the_lock_of_a_file_is_told_with_its_path(tmp_path: Path) -> None:
    """Who holds it is another question."""
    path = tmp_path / "lock"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        code = "import fcntl, sys; file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_EX)"
        with running(code, str(path)) as process:
            found = once(process.pid, lambda found: found.call is not None and found.call.name == "flock")
    assert found.call is not None
    assert found.call.file == str(path)


def test_a_process_that_computes_is_running_and_in_no_call() -> None:
    """Its processor time grows."""
    with running("while True: pass") as process:
        found = once(process.pid, lambda found: found.cpu_seconds and found.cpu_seconds > 0.05)
    assert (found.state, found.call) == ("R", None)


def test_a_stopped_process_and_one_that_has_ended_are_told_by_their_state() -> None:
    """They are in no call, whatever they were in before."""
    with running("import os, signal; os.kill(os.getpid(), signal.SIGSTOP)") as process:
        assert once(process.pid, lambda found: found.state == "T").call is None
    with running("") as process:
        assert once(process.pid, lambda found: found.state == "Z").call is None


def test_of_several_threads_the_first_is_told_and_their_number() -> None:
    """The others may do something else."""
    code = "import threading, time; threading.Thread(target=time.sleep, args=(600,)).start(); input()"
    with running(code) as process:
        found = once(
            process.pid, lambda found: found.threads == 2 and found.call and found.call.name == "read"
        )
    assert found.state == "S"


def test_without_procfs_nothing_is_known_and_nothing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where it is not mounted, or of a process that is gone."""
    assert read_process_state(2**22 + 1) == ProcessState()
    mount_proc(monkeypatch, tmp_path / "missing")
    assert read_process_state(os.getpid()) == ProcessState()


@pytest.mark.parametrize(
    ("files", "call"),
    [
        ({}, None),
        ({"wchan": "do_wait"}, SystemCall(name="do_wait")),
        ({"wchan": "0"}, None),
        ({"syscall": "running", "wchan": "do_wait"}, SystemCall(name="do_wait")),
        ({"syscall": "-1 0x7ffd 0x7ff9", "wchan": "do_exit"}, SystemCall(name="do_exit")),
        ({"syscall": f"0 0x4 {'0x0 ' * 5}0x7ffd92f87ea8 0x7ff9"}, SystemCall(name="read", descriptor=4)),
        (
            {"syscall": f"7 0x4 {'0x0 ' * 5}0xffa07ea8 0xf7f9", "wchan": "pipe_read"},
            SystemCall(name="pipe_read"),
        ),
        ({"syscall": f"9999 0x4 {'0x0 ' * 5}0x7ffd92f87ea8 0x7ff9", "wchan": "odd"}, SystemCall(name="odd")),
    ],
    ids=["nothing", "place", "no place", "running", "no call", "call", "32 bits", "unknown call"],
)
def test_what_a_kernel_tells_less_of_is_known_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], call: SystemCall | None
) -> None:
    """The call, else the place in the kernel, else nothing; the name of a program may hold anything."""
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    mount_proc(monkeypatch, tmp_path)
    (tmp_path / "7").mkdir()
    for name, text in {"stat": STAT, **files}.items():
        (tmp_path / "7" / name).write_text(text)
    found = read_process_state(7)
    ticks = os.sysconf("SC_CLK_TCK")
    assert found == ProcessState(state="S", call=call, cpu_seconds=200 / ticks, threads=3)


def test_the_inode_of_a_socket_is_read_from_what_its_descriptor_is() -> None:
    """And of nothing else."""
    assert parse_socket_inode("socket:[4024751]") == 4024751
    assert (parse_socket_inode("pipe:[1]"), parse_socket_inode("/dev/null"), parse_socket_inode(None)) == (
        None,
        None,
        None,
    )


def test_a_process_is_named_by_its_command_and_only_as_long_as_it_lives() -> None:
    """Its number may be another's later: when it started tells them apart."""
    with running("import sys; sys.stdin.read()", "some   thing") as process:
        name = read_process_name(process.pid)
        assert re.fullmatch(rf"python\S* -c import sys; .* \(pid {process.pid}\)", str(name))
        assert name.is_alive()
        assert not replace(name, started=name.started + 1).is_alive()
    assert not name.is_alive()
    assert read_process_name(process.pid).command == "an ended process"


def test_a_process_is_named_with_those_that_started_it() -> None:
    """From the ancestor that is asked for on; one that is not gives the process alone."""
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'print(1, flush=True); input()'])"
    with subprocess.Popen(
        ["sh", "-c", f'{sys.executable} -c "{code}"; true'], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as shell:
        assert shell.stdout is not None
        shell.stdout.readline()
        (middle,) = map(int, Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text().split())
        (inner,) = map(int, Path(f"/proc/{middle}/task/{middle}/children").read_text().split())
        assert [name.pid for name in read_lineage(inner, shell.pid)] == [shell.pid, middle, inner]
        assert [name.pid for name in read_lineage(os.getpid(), shell.pid)] == [os.getpid()]
        assert [name.pid for name in read_lineage(shell.pid, shell.pid)] == [shell.pid]
