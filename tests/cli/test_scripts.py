"""Several scripts in one call, as a user and as continuous integration meet them: real processes."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.support.command_line import FILLS, MEET, TUI_IPC, python, run
from tests.support.junit_schema import validate_junit
from tests.support.tap_reader import read as read_tap
from tui_ipc.events.json_form import SCHEMA_VERSION
from tui_ipc.recording.reader import open_recording

PASSES = "> hi\n< Child received: hi\n"
FAILS = "> hi\n< Child received: ho\n"
WAITS = "> hi\n< ...\n< never\n"
ECHO = "for message in receiver:\n    if message == 'quit': break\n    sender.send(message)\n"
WAITING = f"{MEET}\nprint('up')\n{ECHO}"


@pytest.fixture(name="scripts")
def made(tmp_path: Path) -> Path:
    """A directory of scripts: one that passes, one that fails, one that times out, one that is none."""
    for name, text in (("passes", PASSES), ("fails", FAILS), ("waits", WAITS), ("faulty", "qiut\n")):
        (tmp_path / f"{name}.tipc").write_text(text)
    return tmp_path


def count_skipped(suite: ElementTree.Element) -> int:
    return len(list(suite.iter("skipped")))


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_each_is_run_with_a_child_of_its_own_and_the_worst_wins(scripts: Path) -> None:
    """One that fails keeps none of the others from being run."""
    (scripts / "late.tipc").write_text('> hi\n< ...\n< "never" within 200ms\n')
    done = run("--script", "fails.tipc", "late.tipc", "passes.tipc", "fails.tipc", cwd=scripts)
    assert done.returncode == 4, done.stderr
    assert done.stdout.count("Child process started") == 4
    ours = [line for line in done.stderr.splitlines() if line[0] not in " c"]
    assert [line.partition(" in ")[0] for line in ours] == [
        "fails.tipc:2: a different message came than expected",
        "fails.tipc: FAILED after 1 of 2 steps",
        "late.tipc:3: no message came within 0.2 s",
        "late.tipc: FAILED after 2 of 3 steps",
        "passes.tipc: 2 steps passed",
        "fails.tipc:2: a different message came than expected",
        "fails.tipc: FAILED after 1 of 2 steps",
        "4 scripts: 1 passed, 3 failed",
    ]


def test_a_faulty_script_is_a_failed_script_and_the_others_are_run(scripts: Path) -> None:
    """Whatever is wrong with it: its text, its encoding, its path, or that it is empty."""
    (scripts / "empty.tipc").write_text("# only a comment\n")
    (scripts / "binary.tipc").write_bytes(b"\xff")
    done = run(
        "--script",
        "faulty.tipc",
        "passes.tipc",
        "binary.tipc",
        "gone.tipc",
        "empty.tipc",
        "passes.tipc",
        cwd=scripts,
    )
    assert done.returncode == 2
    assert done.stdout.count("Child process started") == 2
    failed = [line for line in done.stderr.splitlines() if line[0] != " " and "passed" not in line]
    assert [line.partition(": ")[0::2] for line in failed] == [
        ("faulty.tipc:1:1", 'unknown step "qiut"; did you mean quit?'),
        ("faulty.tipc", "FAILED before its first step"),
        (
            "binary.tipc:1:1",
            "the byte 0xff (ÿ in Latin-1) is not UTF-8, and a script is UTF-8 text; save it as that",
        ),
        ("binary.tipc", "FAILED before its first step"),
        ("gone.tipc", "No such file or directory; check its path, or put the child's command after --"),
        ("gone.tipc", "FAILED before its first step"),
        ("empty.tipc", "nothing to run: it has no steps"),
        ("empty.tipc", "FAILED before its first step"),
    ]
    assert done.stderr.splitlines()[-1].startswith("6 scripts: 2 passed, 4 failed in ")


def test_reports_and_lines_of_json_have_the_faulty_scripts(scripts: Path) -> None:
    """Each is one failed case; a report of yesterday is never left in place."""
    for name in ("r.xml", "r.tap"):
        (scripts / name).write_text("yesterday")
    reports = ("--report", "junit=r.xml", "--report", "tap=r.tap", "--format", "jsonl")
    done = run("--script", "faulty.tipc", "passes.tipc", *reports, cwd=scripts)
    assert done.returncode == 2
    suite = ElementTree.parse(scripts / "r.xml").getroot()
    error = suite.find("testsuite/testcase[@name='faulty.tipc']/error")
    assert error is not None
    assert error.attrib == {"type": "usage", "message": 'unknown step "qiut"; did you mean quit?'}
    tap = (scripts / "r.tap").read_text()
    assert "not ok 1 - faulty.tipc\n" in tap
    assert "ok 2 - passes.tipc\n" in tap
    ends = [each for each in objects(done.stdout) if each["event"] in ("script-begin", "script-end")]
    assert [(each["event"], each["script"], each["name"]) for each in ends] == [
        ("script-end", 1, "faulty.tipc"),
        ("script-begin", 2, "passes.tipc"),
        ("script-end", 2, "passes.tipc"),
    ]


def test_a_call_that_is_killed_leaves_reports_that_say_so(scripts: Path) -> None:
    """They are replaced when the call begins, and hold every script as one that did not finish."""
    for name in ("r.xml", "r.tap"):
        (scripts / name).write_text("yesterday")
    child = python(scripts / "child.py", WAITING)
    reports = ("--report", "junit=r.xml", "--report", "tap=r.tap", "--timeout", "60", "--jobs", "1")
    command = [*TUI_IPC, "--script", "waits.tipc", "passes.tipc", *reports, "--", *child]
    with subprocess.Popen(command, cwd=scripts, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
    suite = ElementTree.parse(scripts / "r.xml").getroot()
    assert [each.attrib["name"] for each in suite.iter("testcase")] == ["waits.tipc", "passes.tipc"]
    assert [error.attrib["message"] for error in suite.iter("error")] == ["did not finish"] * 2
    assert "Bail out! did not finish" in (scripts / "r.tap").read_text()


def test_a_check_runs_nothing(scripts: Path) -> None:
    """It says of each script how many steps it takes, rounds counted, or what is wrong."""
    (scripts / "load.tipc").write_text("repeat 1000\n> a\n< ...\nend\n")
    sound = run("--check", "--script", "passes.tipc", "-", "load.tipc", given="quit", cwd=scripts)
    assert (sound.returncode, sound.stdout) == (0, "")
    assert sound.stderr.splitlines() == [
        "passes.tipc: 2 steps",
        "standard input: 1 step",
        "load.tipc: 2 000 steps",
    ]
    faulty = run("--check", "faulty.tipc", "passes.tipc", cwd=scripts)
    assert (faulty.returncode, faulty.stdout) == (2, "")
    first, *_, last = faulty.stderr.splitlines()
    assert first.startswith("faulty.tipc:1:1: ")
    assert last == "passes.tipc: 2 steps"


def test_the_childs_command_is_the_given_one_or_the_scripts_or_the_built_in_childs(tmp_path: Path) -> None:
    """In this order, for each script by itself."""
    for name in ("given", "own"):
        python(tmp_path / f"{name}.py", f"{MEET}\nreceiver.recv()\nprint('I am {name}')\n")
    own = tmp_path / "own.tipc"
    own.write_text(f"spawn {sys.executable} {tmp_path / 'own.py'}\nquit\n")
    none = tmp_path / "none.tipc"
    none.write_text("quit\n")
    both = run("--script", str(own), str(none))
    assert both.returncode == 0, both.stderr
    assert [
        line for line in both.stdout.splitlines() if line.startswith(("I am", "Child process started"))
    ] == [
        "I am own",
        "Child process started",
    ]
    overridden = run("--script", str(own), str(none), "--", sys.executable, str(tmp_path / "given.py"))
    assert overridden.stdout.splitlines() == ["I am given", "I am given"]


CODES = [
    (0, "> hi\n< Child received: hi\n", None),
    (1, "> hi\n< ho\n", None),
    (2, "qiut\n", None),
    (3, "> hi\n", "sys.exit(1)"),
    (4, "< ... within 200ms\n", f"{MEET}\nreceiver.recv()"),
    (5, "< hi\n", f"{MEET}\nsys.exit(1)"),
    (130, "< hi\n", f"import os, signal\n{MEET}\nos.kill(os.getppid(), signal.SIGINT)\nreceiver.recv()"),
]


@pytest.mark.parametrize(("code", "script", "child"), CODES, ids=[str(code) for code, *_ in CODES])
def test_every_exit_code(code: int, script: str, child: str | None, tmp_path: Path) -> None:
    """As the help has them."""
    command = () if child is None else ("--", *python(tmp_path / "child.py", f"import sys\n{child}\n"))
    assert run("--script", "-", *command, given=script).returncode == code


def test_lines_of_json_tell_all_that_happens(scripts: Path) -> None:
    """Each belongs to a script by its number; standard output holds nothing else."""
    done = run("--script", "passes.tipc", "fails.tipc", "--format", "jsonl", cwd=scripts)
    assert done.returncode == 1
    printed = objects(done.stdout)
    assert {line["schema"] for line in printed} == {SCHEMA_VERSION}
    assert printed[0]["event"] == "scripts-begin"
    assert printed[0]["scripts"] == ["passes.tipc", "fails.tipc"]
    numbers = [line["script"] for line in printed[1:-1]]
    assert numbers == sorted(numbers)
    for number in (1, 2):
        kinds = [line["event"] for line in printed[1:-1] if line["script"] == number]
        assert kinds[:2] == ["script-begin", "server-listening"]
        assert kinds[-2:] == ["audit", "script-end"]
        assert kinds.count("message-received") == 1
    ends = [line for line in printed if line["event"] == "script-end"]
    assert [(end["name"], end["status"], end["code"], end["line"]) for end in ends] == [
        ("passes.tipc", "passed", 0, None),
        ("fails.tipc", "failed", 1, 2),
    ]
    assert {"title": "expected", "text": '"Child received: ho"'} in ends[1]["details"]
    summary = printed[-1]
    assert summary.pop("seconds") > 0
    assert summary == {
        "schema": SCHEMA_VERSION,
        "event": "summary",
        "code": 1,
        "scripts": 2,
        "passed": 1,
        "flaky": 0,
        "failed": 1,
        "interrupted": 0,
        "not-run": 0,
    }


@pytest.mark.parametrize("taker", [("--format", "jsonl"), ("--report", "tap=-"), ("--report", "junit=-")])
def test_where_stdout_is_taken_the_child_prints_on_stderr(taker: tuple[str, str], scripts: Path) -> None:
    """Each line marked; standard output has what was asked for and nothing else."""
    done = run("--script", "passes.tipc", *taker, cwd=scripts)
    assert done.returncode == 0, done.stderr
    assert "child stdout: Received from parent: hi" in done.stderr.splitlines()
    match taker[1]:
        case "jsonl":
            assert objects(done.stdout)
        case "tap=-":
            assert [point.passed for point in read_tap(done.stdout).points] == [True]
        case _:
            assert done.stdout.startswith("<?xml")
            validate_junit(done.stdout)


def test_reports_of_every_kind(scripts: Path) -> None:
    """As many as are wanted, beside the report on the terminal; UTF-8, whatever that is."""
    (scripts / "grüße.tipc").write_text("> grüße\n< 1\n", encoding="utf-8")
    names = ("passes.tipc", "grüße.tipc")
    reports = ("--report", "junit=a.xml", "--report", "tap=b.tap", "--report", "junit=c.xml")
    done = run("--script", *names, *reports, cwd=scripts)
    assert done.returncode == 1
    assert "Received from parent: hi" in done.stdout
    first, second = (validate_junit((scripts / name).read_text("utf-8")) for name in ("a.xml", "c.xml"))
    assert [test.get("name") for test in first.iter("testcase")] == list(names)
    assert [test.get("name") for test in second.iter("testcase")] == list(names)
    printed = first.findall(".//system-out")
    assert "Received from parent: grüße" in (printed[1].text or "")
    tap = read_tap((scripts / "b.tap").read_text("utf-8"))
    assert [point.passed for point in tap.points] == [True, False]
    assert tap.points[1].diagnosis["details"]["received"] == '"Child received: grüße"'


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--report", "tap=none/x"), "tui-ipc: the report none/x cannot be written: No such file"),
        (
            ("--report", "tap=b.tap", "--report", "junit=passes.tipc"),
            "would overwrite the script passes.tipc",
        ),
        (("--record-failures", "passes.tipc"), "tui-ipc: passes.tipc cannot hold recordings: File exists"),
    ],
)
def test_what_cannot_be_written_is_told_before_anything_is_run(
    arguments: tuple[str, ...], message: str, scripts: Path
) -> None:
    """One line, code 2, and no child was."""
    done = run("--script", "passes.tipc", *arguments, cwd=scripts)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert message in done.stderr
    assert (scripts / "passes.tipc").read_text() == PASSES
    assert sorted(os.listdir(scripts)) == ["fails.tipc", "faulty.tipc", "passes.tipc", "waits.tipc"]


def test_a_report_that_cannot_be_written_in_the_end_is_told(scripts: Path) -> None:
    """The others are written; a run whose report is lost is not a success."""
    (scripts / "gone").mkdir()
    child = python(scripts / "c.py", f"{MEET}\nreceiver.recv()\nimport shutil\nshutil.rmtree('gone')\n")
    (scripts / "quit.tipc").write_text("quit\n")
    reports = ("--report", "junit=gone/a.xml", "--report", "tap=b.tap")
    done = run("--script", "quit.tipc", *reports, "--", *child, cwd=scripts)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("tui-ipc: the report gone/a.xml cannot be written: ")
    assert read_tap((scripts / "b.tap").read_text()).points[0].passed


def test_in_ci_only_a_failure_shows_what_the_child_printed(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Colours, if they are asked for, and annotations come on standard error."""
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("FORCE_COLOR", "1")
    names = ("passes.tipc", "fails.tipc", "faulty.tipc")
    done = run("--script", *names, "--report", "github", cwd=scripts)
    assert done.stdout.count("Received from parent: hi") == 1
    assert "\x1b[31mFAILED\x1b[m" in done.stderr
    *_, first, second = done.stderr.splitlines()
    assert first.startswith("::error file=fails.tipc,line=2,title=fails.tipc%3A a different message came")
    assert second.startswith("::error file=faulty.tipc,line=1,col=1,title=")
    loud = run("--script", *names, "--no-quiet", cwd=scripts)
    assert loud.stdout.count("Received from parent: hi") == 2


def test_recordings_of_failures(scripts: Path) -> None:
    """Kept under the script's name, reported with the command that shows them; none without a failure."""
    names = ("passes.tipc", "fails.tipc", "sub/fails.tipc")
    (scripts / "sub").mkdir()
    (scripts / "sub" / "fails.tipc").write_text(FAILS)
    done = run("--script", *names, "--record-failures", "out/kept", cwd=scripts)
    assert done.returncode == 1
    assert sorted(os.listdir(scripts / "out" / "kept")) == ["fails-2.rec", "fails.rec"]
    printed = "fails.tipc: recorded in out/kept/fails.rec; tui-ipc --replay out/kept/fails.rec shows it"
    assert printed in done.stderr.splitlines()
    recorded = open_recording(str(scripts / "out" / "kept" / "fails-2.rec"))
    assert [type(event).__name__ for event in recorded.events()][-1] == "Audit"
    assert recorded.command[1:] == ("-m", "tui_ipc.child")


def test_a_script_that_cannot_be_recorded_is_run_and_told(scripts: Path) -> None:
    """A file that is in the way stays; the others are recorded. It is not a success."""
    (scripts / "passes.rec").write_text("precious")
    done = run("--script", "passes.tipc", "fails.tipc", "--record-failures", ".", cwd=scripts)
    assert done.returncode == 2
    printed = done.stderr.splitlines()
    assert "passes.tipc: ./passes.rec exists and is not a recording; name another file" in printed
    assert printed[-1].startswith("2 scripts: 2 failed in ")
    assert (scripts / "passes.rec").read_text() == "precious"
    assert (scripts / "fails.rec").exists()


def interrupted(scripts: Path, number: int, *arguments: str) -> tuple[int, str, str]:
    """Run three scripts and send a signal in the middle of the second: code, stdout and stderr."""
    child = python(scripts / "child.py", WAITING)
    (scripts / "echoes.tipc").write_text("> hi\n< hi\n")
    command = [
        *TUI_IPC,
        "--script",
        "echoes.tipc",
        "waits.tipc",
        "passes.tipc",
        "--timeout",
        "30",
        "--jobs",
        "1",
    ]
    with subprocess.Popen(
        [*command, *arguments, "--", *child],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=scripts,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        stream = process.stderr if "jsonl" in arguments else process.stdout
        seen = ""
        while seen.count("up\n") < 2:
            line = stream.readline()
            assert line
            seen += line
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    return process.returncode, stdout, stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_the_child_and_writes_the_reports(number: signal.Signals, scripts: Path) -> None:
    """What was not run is reported as such, in all of them."""
    code, _, stderr = interrupted(scripts, number, "--report", "junit=a.xml", "--report", "tap=b.tap")
    assert code == 128 + number
    *_, stopped, steps, skipped, summed = stderr.splitlines()
    assert stopped.startswith("waits.tipc")
    assert stopped.endswith(f": {number.name} came; the child was ended")
    assert re.match(r"waits\.tipc: INTERRUPTED after [012] of 3 steps in ", steps)
    assert skipped == "passes.tipc: not run"
    assert summed.startswith("3 scripts: 1 passed, 1 interrupted, 1 not run in ")
    suite = validate_junit((scripts / "a.xml").read_text())
    assert (suite.get("errors"), count_skipped(suite), suite.get("failures")) == ("1", 1, "0")
    tap = read_tap((scripts / "b.tap").read_text())
    assert (tap.planned, [point.passed for point in tap.points]) == (3, [True, False])
    assert tap.bailed_out == f"{number.name} came; the child was ended"


def test_an_interruption_ends_lines_of_json_with_their_summary(scripts: Path) -> None:
    """The audit of the interrupted child comes before it, as of every other."""
    code, stdout, _ = interrupted(scripts, signal.SIGINT, "--format", "jsonl")
    assert code == 130
    printed = objects(stdout)
    assert [(end["script"], end["status"]) for end in printed if end["event"] == "script-end"] == [
        (1, "passed"),
        (2, "interrupted"),
        (3, "not-run"),
    ]
    assert [line["event"] for line in printed if line.get("script") == 2][-2:] == ["audit", "script-end"]
    summary = printed[-1]
    assert (summary["event"], summary["code"], summary["not-run"]) == ("summary", 130, 1)


@pytest.mark.parametrize("arguments", [("--format", "jsonl"), ()])
def test_a_reader_that_stops_reading_keeps_no_signal_from_ending_all(
    arguments: tuple[str, ...], scripts: Path
) -> None:
    """A paused pager: it is waited for once, not for each script; the report in a file is written."""
    child = python(scripts / "child.py", FILLS)
    command = [
        *TUI_IPC,
        "--script",
        *["waits.tipc"] * 20,
        "--report",
        "junit=a.xml",
        "--jobs",
        "1",
        *arguments,
        "--",
        *child,
    ]
    reading, writing = os.pipe()
    with (
        open(reading, "rb"),
        open(writing, "wb"),
        subprocess.Popen(command, stdout=writing, stderr=subprocess.DEVNULL, cwd=scripts) as process,
    ):
        while select.select([], [writing], [], 0)[1]:
            assert process.poll() is None
        begun = time.monotonic()
        process.terminate()
        assert process.wait(30) == 143
        assert time.monotonic() - begun < 15  # of the 20 s that it would take to wait for each
    suite = validate_junit((scripts / "a.xml").read_text())
    assert (suite.get("tests"), count_skipped(suite)) == ("20", 19)


def test_a_reader_that_goes_away_ends_all_and_the_reports_are_written(scripts: Path) -> None:
    """As under ``| head -1``: the code of SIGPIPE, and of what was not run the report knows."""
    command = [*TUI_IPC, "--script", "passes.tipc", "passes.tipc", "--jobs", "1", "--report", "junit=a.xml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=scripts) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.read()
        assert process.wait(30) == 141
    suite = validate_junit((scripts / "a.xml").read_text())
    assert (suite.get("tests"), suite.get("errors"), count_skipped(suite)) == ("2", "1", 1)


def test_a_reader_that_waits_holds_up_no_report_in_a_file(scripts: Path) -> None:
    """Standard output comes last, in whatever order they were asked for."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b" " * 4096)
    command = [*TUI_IPC, "--script", "passes.tipc", "--report", "tap=-", "--report", "junit=a.xml"]
    with (
        open(reading, "rb") as reader,
        subprocess.Popen(command, stdout=writing, stderr=subprocess.DEVNULL, cwd=scripts) as process,
    ):
        os.close(writing)
        while not (scripts / "a.xml").exists():
            assert process.poll() is None
        assert read_tap(reader.read().decode().lstrip(" ")).points
        assert process.wait(30) == 0
    validate_junit((scripts / "a.xml").read_text())


def test_two_signals_make_it_quick_and_the_reports_are_written(scripts: Path) -> None:
    """The first lets the child end in good order; the second does not wait for that."""
    stays = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(receiver.recv())\n"
    child = python(scripts / "c.py", f"{MEET}\n{stays}print(receiver.recv())\nsignal.pause()\n")
    command = [*TUI_IPC, "--script", "waits.tipc", "passes.tipc", "--report", "tap=a.tap", "--", *child]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=scripts
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "hi\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "quit\n"
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(30) == 130
        assert time.monotonic() - begun < 3.5  # of the 4 s that the child had
    assert read_tap((scripts / "a.tap").read_text()).bailed_out == "SIGINT came; the child was ended"


def test_a_report_that_is_not_read_is_not_a_traceback(scripts: Path) -> None:
    """The code of SIGPIPE, without a word."""
    command = [*TUI_IPC, "--script", "passes.tipc", "--report", "tap=-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=scripts) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
        assert process.wait(30) == 141


@pytest.mark.parametrize(
    "expectation", ["< /: (a+)+$/ within 500ms", "expect stdout /parent: (a+)+$/ within 500ms"]
)
def test_a_slow_regular_expression_does_not_defeat_the_deadline(expectation: str, tmp_path: Path) -> None:
    """The verdict is a timeout, and names the expression."""
    (tmp_path / "slow.tipc").write_text(f'> "{"a" * 50}!"\n{expectation}\n')
    began = time.monotonic()
    done = run("--script", "slow.tipc", cwd=tmp_path)
    assert time.monotonic() - began < 20
    assert done.returncode == 4
    found = r"slow\.tipc:2: the search for /\w*: \(a\+\)\+\$/ was not over within 0\."
    assert re.search(found, done.stderr)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_slow_regular_expression_does_not_defeat_signals(number: int, tmp_path: Path) -> None:
    """The child is ended as on any signal, even if it comes shortly before the search."""
    (tmp_path / "slow.tipc").write_text(f'timeout 1m\n> "{"a" * 50}!"\n< /: (a+)+$/\n')
    command = [*TUI_IPC, "--script", "slow.tipc"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        for line in process.stdout:
            if line.startswith("Received"):
                break
        process.send_signal(number)
        assert process.wait(20) == 128 + number
        sentence = f"slow.tipc:3: {signal.Signals(number).name} came; the child was ended"
        assert sentence in process.stderr.read()


def test_strict_fails_scripts_with_unclaimed_messages(scripts: Path) -> None:
    """All scripts of the call; without it they are named, and pass."""
    (scripts / "more.tipc").write_text("> hi\n")
    assert run("--script", "more.tipc", cwd=scripts).returncode == 0
    done = run("--strict", "--script", "more.tipc", "passes.tipc", cwd=scripts)
    assert done.returncode == 1
    assert done.stderr.splitlines()[:2] == [
        "more.tipc: 1 message came that no step took",
        '  #1        "Child received: hi"',
    ]
    assert "passes.tipc: 2 steps passed" in done.stderr


def test_a_call_sets_variables(tmp_path: Path) -> None:
    """A value as in a message; a name that no script uses is probably a mistake, and no failure."""
    (tmp_path / "talk.tipc").write_text("set numbers 5\n> {{numbers}}\n< /: {{numbers}}$/\n")
    for setting, sent in (
        ("numbers=1.50", "1.5"),
        ('numbers="1.50"', "1.50"),
        ("numbers=some text", "some text"),
    ):
        done = run("--script", "talk.tipc", "--set", setting, cwd=tmp_path)
        assert (done.returncode, f"Received from parent: {sent}\n" in done.stdout) == (0, True), done.stderr
    done = run("--script", "talk.tipc", "--set", "number=1", cwd=tmp_path)
    assert done.returncode == 0
    assert "warning: no script uses number, which --set sets; did you mean numbers?" in done.stderr
    assert "no name and value in '1=2'; write NAME=VALUE" in run("--script", "--set", "1=2").stderr
