"""What happens to a run when the parent is stopped, signalled or killed: real processes."""

import os
import select
import signal
from pathlib import Path

import pytest

from tests.support.command_line import MEET, python, run, start

STOPS_PARENT = """
import os, signal, sys, time

def stop_parent():
    os.kill(os.getppid(), signal.SIGSTOP)
    while open(f"/proc/{os.getppid()}/stat").read().rpartition(")")[2].split()[0] != "T":
        time.sleep(0.001)

def continue_parent_after(seconds):
    time.sleep(seconds)
    os.kill(os.getppid(), signal.SIGCONT)
"""


def test_an_answer_that_came_while_the_parent_was_stopped_is_in_time(tmp_path: Path) -> None:
    """The deadline passed meanwhile, but not before the answer was there."""
    text = f"{STOPS_PARENT}{MEET}\nreceiver.recv()\nstop_parent()\nsender.send('hi')\n"
    text += "continue_parent_after(0.8)\nreceiver.recv()\n"
    script = '> hello\n< "hi" within 500ms\n'
    done = run("--script", "-", "--", *python(tmp_path / "child.py", text), given=script)
    assert (done.returncode, "2 steps passed" in done.stderr) == (0, True), done.stderr


def test_a_handshake_that_was_done_while_the_parent_was_stopped_is_in_time(tmp_path: Path) -> None:
    """Connection and hello wait in the kernel until it goes on, after the deadline."""
    text = f"{STOPS_PARENT}\nstop_parent()\n{MEET}\ncontinue_parent_after(3)\nreceiver.recv()\n"
    command = python(tmp_path / "child.py", text)
    done = run("--timeout", "2.5", "--script", "-", "--", *command, given="quit\n")
    assert (done.returncode, "passed" in done.stderr) == (0, True), done.stderr


@pytest.mark.parametrize("name", ["SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGXCPU"])
def test_whatever_signal_would_end_us_ends_the_run_in_good_order(name: str, tmp_path: Path) -> None:
    """As SIGTERM does: the child is ended, and the exit code names the signal."""
    child = python(tmp_path / "child.py", f"{MEET}\nprint(sys.argv[-1], flush=True)\nreceiver.recv()\n")
    (tmp_path / "a.tipc").write_text("sleep 60s\n")
    process = start("--script", str(tmp_path / "a.tipc"), "--", *child)
    assert process.stdout is not None
    server = process.stdout.readline()
    process.send_signal(signal.Signals[name])
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.Signals[name]
    assert f"{name} came; the child was ended" in stderr
    assert server


@pytest.mark.parametrize("ignored", [[], [signal.SIGTERM, signal.SIGHUP]])
def test_after_our_sigkill_the_child_does_not_stay(ignored: list[signal.Signals], tmp_path: Path) -> None:
    """SIGTERM goes to its process group, and SIGKILL if that does not end it."""
    numbers = [int(number) for number in ignored]
    text = f"import os, signal\nfor number in {numbers}: signal.signal(number, signal.SIG_IGN)\n{MEET}\n"
    text += "print(os.getpid(), flush=True)\nwhile True: signal.pause()\n"
    (tmp_path / "a.tipc").write_text("sleep 60s\n")
    process = start("--script", str(tmp_path / "a.tipc"), "--", *python(tmp_path / "child.py", text))
    assert process.stdout is not None
    child = os.pidfd_open(int(process.stdout.readline()))
    try:
        process.kill()
        process.communicate()
        assert select.select([child], [], [], 20)[0], "the child lives on"
    finally:
        os.close(child)
