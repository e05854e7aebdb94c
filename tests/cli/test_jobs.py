"""Several scripts at the same time, as a user and as continuous integration meet them: real processes."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import MEET, TUI_IPC, python, run
from tests.support.junit_schema import validate_junit
from tests.support.leaks import find_descendants

MEETS = """
import os
open(sys.argv[1], "w").close()
while not os.path.exists(sys.argv[2]): pass
print("\\n".join([sys.argv[1]] * 3))
receiver.recv()
"""
"""A child that ends only while another one runs: each waits for the other's file."""


@pytest.fixture(name="pair")
def make_pair(tmp_path: Path) -> Path:
    """Two scripts whose children wait for each other."""
    program = python(tmp_path / "meets.py", MEET + MEETS)
    for own, other in ("ab", "ba"):
        text = f"spawn {program[0]} {program[1]} {own} {other}\nexpect stdout /{own}/\nquit\n"
        (tmp_path / f"{own}.tipc").write_text(text)
    return tmp_path


def test_scripts_run_at_the_same_time_and_what_they_print_stays_apart(pair: Path) -> None:
    """In the scripts' order, for people and for programs."""
    reports = ("--report", "junit=r.xml")
    done = run("--jobs", "2", "--script", "a.tipc", "b.tipc", *reports, cwd=pair)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["a"] * 3 + ["b"] * 3
    assert [line.partition(" in ")[0] for line in done.stderr.splitlines()] == [
        "a.tipc: 3 steps passed",
        "b.tipc: 3 steps passed",
        "2 scripts: 2 passed",
    ]
    printed = [each.text for each in validate_junit((pair / "r.xml").read_text()).iter("system-out")]
    assert printed == ["a\na\na\n", "b\nb\nb\n"]
    for name in "ab":
        (pair / name).unlink()
    done = run("--jobs", "2", "--script", "a.tipc", "b.tipc", "--format", "jsonl", cwd=pair)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    numbers = [event["script"] for event in events[1:-1]]
    assert numbers == sorted(numbers)
    ends = [event["event"] for event in events if event.get("script") == 2]
    assert (ends[0], ends[-1]) == ("script-begin", "script-end")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_of_them(number: signal.Signals, tmp_path: Path) -> None:
    """Each in good order; those that did not begin are not run, and no process is left."""
    (tmp_path / "waits.tipc").write_text("sleep 60s\n")
    child = python(tmp_path / "c.py", f"{MEET}\nimport os\nos.mkdir(str(os.getpid()))\nreceiver.recv()\n")
    scripts = ["waits.tipc"] * 4
    command = [*TUI_IPC, "--jobs", "2", "--script", *scripts, "--report", "junit=r.xml", "--", *child]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        while len([name for name in os.listdir(tmp_path) if name.isdecimal()]) < 2:
            assert process.poll() is None
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 128 + number
    sentence = rf"waits\.tipc(:1)?: {number.name} came; the child was ended"
    assert len(re.findall(sentence, stderr)) == 2
    assert stderr.splitlines()[-1].startswith("4 scripts: 2 interrupted, 2 not run in ")
    suite = validate_junit((tmp_path / "r.xml").read_text())
    assert (suite.get("errors"), len(suite.findall(".//skipped"))) == ("2", 2)


def test_no_process_outlives_a_call_that_is_killed(tmp_path: Path, runtime_dir: Path) -> None:
    """Neither those that run the scripts, nor their children."""
    (tmp_path / "waits.tipc").write_text("sleep 60s\n")
    child = python(tmp_path / "c.py", f"{MEET}\nimport os\nos.mkdir(str(os.getpid()))\nreceiver.recv()\n")
    command = [*TUI_IPC, "--jobs", "2", "--script", "waits.tipc", "waits.tipc", "--", *child]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        while len([name for name in os.listdir(tmp_path) if name.isdecimal()]) < 2:
            assert process.poll() is None
        process.kill()
    while find_descendants("XDG_RUNTIME_DIR", f"{runtime_dir}"):
        pass  # the test's timeout ends this
    assert os.listdir(runtime_dir) == []


def test_a_process_that_is_killed_is_one_interrupted_script(tmp_path: Path) -> None:
    """The others are run."""
    (tmp_path / "killed.tipc").write_text("> kill\n< ...\n")
    (tmp_path / "passes.tipc").write_text("quit\n")
    text = f"{MEET}\nimport os, signal\nif receiver.recv() == 'kill': os.kill(os.getppid(), signal.SIGKILL)\n"
    done = run(
        "--jobs",
        "2",
        "--script",
        "killed.tipc",
        "passes.tipc",
        "--",
        *python(tmp_path / "c.py", text),
        cwd=tmp_path,
    )
    assert done.returncode == 128 + signal.SIGKILL
    assert "killed.tipc: SIGKILL came; the child was ended" in done.stderr
    assert "passes.tipc: 1 step passed" in done.stderr


def test_output_that_is_lost_ends_all_of_them(tmp_path: Path) -> None:
    """As under ``| head -1``: the code of SIGPIPE; the reports know what was not run."""
    (tmp_path / "waits.tipc").write_text("sleep 60s\n")
    child = python(tmp_path / "c.py", f"{MEET}\nprint('up', flush=True)\nreceiver.recv()\n")
    command = [*TUI_IPC, "--jobs", "2", "--script", *["waits.tipc"] * 3, "--report", "junit=r.xml"]
    with subprocess.Popen(
        [*command, "--", *child], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=tmp_path
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(30) == 141
    suite = validate_junit((tmp_path / "r.xml").read_text())
    assert (suite.get("errors"), len(suite.findall(".//skipped"))) == ("2", 1)


FAILS_ONCE = """
import os
sender.send(os.path.exists("seen"))
open("seen", "w").close()
receiver.recv()
"""


def test_a_script_that_passes_after_a_retry_is_flaky(tmp_path: Path) -> None:
    """It is a success; the recording of the failure is kept, and named."""
    (tmp_path / "flaky.tipc").write_text("< true\n")
    child = python(tmp_path / "c.py", MEET + FAILS_ONCE)
    options = ("--retries", "3", "--record-failures", ".", "--report", "tap=r.tap")
    done = run("--script", "flaky.tipc", *options, "--", *child, cwd=tmp_path)
    assert done.returncode == 0
    assert "flaky.tipc: retry 1 of 3\nflaky.tipc: 1 step passed in " in done.stderr
    assert done.stderr.splitlines()[-2:] == [
        "flaky.tipc: flaky: passed at attempt 2, after: flaky.tipc:1: a different message came than expected",
        "flaky.tipc: recorded in ./flaky.rec; tui-ipc --replay ./flaky.rec shows it",
    ]
    assert "# flaky: passed at attempt 2" in (tmp_path / "r.tap").read_text()
    assert [name for name in os.listdir(tmp_path) if name.endswith(".rec")] == ["flaky.rec"]


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_no_script_begins_after_the_first_failure(jobs: str, tmp_path: Path) -> None:
    """If that is asked for; a faulty script is a failure, too."""
    (tmp_path / "passes.tipc").write_text("quit\n")
    (tmp_path / "fails.tipc").write_text('< "never" within 10ms\n')
    (tmp_path / "faulty.tipc").write_text("qiut\n")
    for failing in ("fails.tipc", "faulty.tipc"):
        scripts = ("passes.tipc", failing, *["passes.tipc"] * 3)
        done = run("-x", "--jobs", jobs, "--script", *scripts, cwd=tmp_path)
        assert done.returncode == (4 if failing == "fails.tipc" else 2)
        assert done.stderr.splitlines()[-1].startswith("5 scripts: ")
        assert ", 1 failed, " in done.stderr
        assert done.stderr.count("passes.tipc: not run\n") >= 2
