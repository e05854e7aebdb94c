"""The command line as a user and as continuous integration meet it: real processes, exit codes, sentences."""

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.builtin_conversation import assert_is_builtin_conversation
from tests.support.command_line import FILLS, MEET, TUI_IPC, python, run, start
from tui_ipc import __version__
from tui_ipc.cli.main import main


def test_the_built_in_conversation_is_the_seeds() -> None:
    """Without FILE the seed's transcript appears, in its order, and the exit code is 0."""
    done = run("--script")
    assert done.returncode == 0, done.stderr
    assert_is_builtin_conversation(done.stdout)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("false",), "exited with code 1 before it connected"),
        (("sleep", "100"), "invalid time interval"),
        (("/no/such/file",), "'/no/such/file' does not exist"),
        (("cat",), "No such file or directory"),
        ((sys.executable, "-c", "import time; time.sleep(100)"), "did not connect within 1.0 s"),
    ],
)
def test_a_child_that_does_not_shake_hands_is_code_3_with_the_reason(
    command: tuple[str, ...], message: str
) -> None:
    """Within the deadline, with a sentence, and nothing is left (the fixtures look)."""
    done = run("--script", "--timeout", "1", "--", *command)
    assert done.returncode == 3
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_plain_print_is_shown_when_it_is_printed(tmp_path: Path) -> None:
    """A Python child with PYTHONUNBUFFERED unset: its line arrives while it waits for the test to read it."""
    assert "PYTHONUNBUFFERED" not in os.environ
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    child = python(
        tmp_path / "child.py", f"print('first')\nopen({str(gate)!r}).read()\nprint('second')\n{MEET}"
    )
    with start("--script", "--", *child) as process:
        assert process.stdout is not None
        assert "first\n" in iter(process.stdout.readline, "")  # before the child may go on
        gate.write_text("go")
        rest = process.communicate(timeout=30)[0]
    assert "second\n" in rest


def test_scripts_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    """Both pass against the built-in child, and say so in one line."""
    text = "# a comment\n> hi\n< Child received: hi\nquit\n"
    (tmp_path / "talk.tipc").write_text(text)
    by_file = run("--script", "talk.tipc", cwd=tmp_path)
    assert (by_file.returncode, by_file.stderr[:25]) == (0, "talk.tipc: 3 steps passed")
    by_pipe = run("--script", "-", given=text)
    assert (by_pipe.returncode, by_pipe.stderr[:30]) == (0, "standard input: 3 steps passed")


def test_another_message_than_expected_is_code_1() -> None:
    """The failure names the line, both messages and the child's state."""
    done = run("--script", "-", given="> hi\n< Child received: ho\n")
    assert done.returncode == 1
    assert done.stderr.splitlines()[:5] == [
        "standard input:2: a different message came than expected",
        '  expected  "Child received: ho"',
        "                              ^",
        '  received  "Child received: hi"',
        "                              ^",
    ]
    assert "is alive" in done.stderr


def test_messages_that_no_step_took_are_mentioned() -> None:
    """They do not fail the script."""
    done = run("--script", "-", given="> hi\n> ho\n< Child received: hi\n")
    assert done.returncode == 0, done.stderr
    assert 'message #2 was not expected: "Child received: ho"' in done.stderr


def test_silence_is_code_4(tmp_path: Path) -> None:
    """No message in time: what was expected, and which messages wait for an answer."""
    child = python(
        tmp_path / "child.py", f"{MEET}\nfor message in receiver:\n    if message == 'quit': break\n"
    )
    done = run("--script", "-", "--timeout", "0.5", "--", *child, given="> hi\n< ho\n")
    assert done.returncode == 4
    assert done.stderr.splitlines()[:3] == [
        "standard input:2: no message came within 0.5 s",
        '  expected  "ho"',
        '  no answer to "hi"',
    ]


def test_a_child_that_stops_itself_is_told_and_diagnosed(tmp_path: Path) -> None:
    """When it happens on a line of ours, and again where the deadline passes."""
    stops = f"{MEET}\nreceiver.recv()\nimport os, signal\nos.kill(os.getpid(), signal.SIGSTOP)\n"
    child = python(tmp_path / "child.py", stops)
    done = run("--script", "-", "--timeout", "1", "--", *child, given="> hi\n< ho\n")
    assert done.returncode == 4
    first, *rest = done.stderr.splitlines()
    assert first == "standard input: SIGSTOP stopped the child; it does nothing until it is continued"
    assert "standard input:2: no message came within 1 s" in rest
    assert any(line.startswith("  diagnosis ") and "stopped by SIGSTOP" in line for line in rest)


def test_what_a_run_leaves_behind_is_noted(tmp_path: Path) -> None:
    """It is not a failure: a process that outlives the child is ended, and named by its pid."""
    daemon = "import subprocess\nother = subprocess.Popen(['sleep', '100'])\nsender.send(other.pid)\n"
    child = python(tmp_path / "child.py", f"{MEET}\n{daemon}receiver.recv()\n")
    done = run("--script", "-", "--", *child, given="quit\n")
    assert done.returncode == 0, done.stderr
    note = done.stderr.splitlines()[0]
    assert note.startswith("standard input: left behind: 1 process (pid ")


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ("print('last words', file=sys.stderr); sys.exit(7)", "the child exited with code 7"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "the child was ended by SIGSEGV"),
        (r"sender.send_raw(b'\xc1'); receiver.recv()", "0xc1 is not the first byte of a msgpack value"),
    ],
)
def test_a_child_that_dies_or_breaks_the_protocol_is_code_5(
    action: str, message: str, tmp_path: Path
) -> None:
    """At once, with its status and its last words."""
    child = python(tmp_path / "child.py", f"{MEET}\nreceiver.recv()\n{action}\n")
    done = run("--script", "-", "--", *child, given="> go\n< done\n")
    assert done.returncode == 5, done.stderr
    assert message in done.stderr
    if "last words" in action:
        assert "  stderr    last words" in done.stderr


def test_a_child_that_ends_badly_after_quit_is_code_5(tmp_path: Path) -> None:
    """Told to quit, it must exit with 0."""
    child = python(tmp_path / "child.py", f"{MEET}\nreceiver.recv()\nsys.exit(9)\n")
    done = run("--script", "-", "--", *child, given="quit\n")
    assert done.returncode == 5
    assert "asked to quit, the child exited with code 9" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_child_too(number: signal.Signals, tmp_path: Path) -> None:
    """Ctrl-C is 130, SIGTERM 143; no process and no directory is left."""
    child = python(tmp_path / "child.py", f"{MEET}\nprint('up')\nimport signal\nsignal.pause()\n")
    with start("--script", "--", *child) as process:
        assert process.stdout is not None
        pid = 0
        for line in process.stdout:
            if line.startswith("Child process ID: "):
                pid = int(line.split()[-1])
            if line == "up\n":
                break
        process.send_signal(number)
        errors = process.communicate(timeout=30)[1]
    assert process.returncode == 128 + number, errors
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_reader_that_goes_away_ends_the_run() -> None:
    """As under ``| head -1``: the code of SIGPIPE, and no traceback."""
    with start("--script") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "Parent process started\n"
        process.stdout.close()
        errors = process.stderr.read()
        assert process.wait(30) == 141, errors
    assert "Traceback" not in errors


def test_a_terminal_sees_a_childs_control_characters_as_text(tmp_path: Path) -> None:
    """What a child prints cannot steer the terminal; into a pipe it goes as it is."""
    child = python(tmp_path / "child.py", f"print('\\x1b[2J')\n{MEET}\nreceiver.recv()\n")
    assert "\x1b[2J" in run("--script", "-", "--", *child, given="quit").stdout
    script = tmp_path / "quit.tipc"
    script.write_text("quit\n")
    leader, follower = os.openpty()
    try:
        done = subprocess.run(
            [*TUI_IPC, "--script", str(script), "--", *child], stdout=follower, timeout=30, check=False
        )
        shown = os.read(leader, 4096)
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 0
    assert b"\x1b" not in shown
    assert "␛[2J".encode() in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("./child", "-x"), "put the child's command after --: tui-ipc -- ./child -x"),
        (("--no-pty", "a b"), "put the child's command after --: tui-ipc --no-pty -- 'a b'"),
        (("x", "--", "y"), "unknown argument 'x' before --"),
        (("--script", "--no-pty", "x"), "script files come right after --script"),
        (("--nonsense",), "unknown option '--nonsense'\n"),
        (("--timout", "3"), "unknown option '--timout'; did you mean --timeout?"),
        (("--script", ""), "'': No such file or directory"),
        (("--script", "--"), "a command must follow --"),
        (("--timeout", "0"), "invalid number of seconds '0'; give a number above 0"),
        (("--timeout", "nan"), "invalid number of seconds 'nan'"),
        (("--script", "/no/such/script.tipc"), "/no/such/script.tipc: No such file or directory"),
        ((), "the explorer needs a terminal"),
    ],
)
def test_what_a_user_gets_wrong_is_code_2_and_one_line(arguments: tuple[str, ...], message: str) -> None:
    """A sentence with the remedy, never a traceback."""
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_script_that_is_none_is_code_2(tmp_path: Path) -> None:
    """A fault of syntax names file, line and column and shows the line; bytes that are no text name the
    line.
    """
    faulty = run("--script", "-", given="> 1\nqiut\n")
    assert faulty.returncode == 2
    assert faulty.stderr.startswith("standard input:2:1: ")
    assert "qiut" in faulty.stderr
    (tmp_path / "binary.tipc").write_bytes(b"> 1\n\xff\n")
    binary = run("--script", "binary.tipc", cwd=tmp_path)
    assert binary.returncode == 2
    assert binary.stderr.startswith("binary.tipc:2:1: ")


def test_help_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """They are an interface, so they are documented."""
    with pytest.raises(SystemExit) as end:
        main(["--help"])
    assert end.value.code == 0
    text = capsys.readouterr().out.partition("\nexit codes")[2]
    assert [line.split()[0] for line in text.splitlines() if line.startswith("  ")] == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
        "70",
        "130",
    ]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the package's."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tui-ipc {__version__}\n"


def test_scripts_never_import_textual() -> None:
    """Continuous integration does not pay for a screen."""
    program = (
        "import sys; from tui_ipc.cli.main import main; main(['--script']); print('textual' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == "False"


def test_a_childs_stderr_is_marked_on_ours(tmp_path: Path) -> None:
    """Apart from what the child says on stdout, and from our own words."""
    child = python(tmp_path / "child.py", f"{MEET}\nprint('careful', file=sys.stderr)\nreceiver.recv()\n")
    done = run("--script", "-", "--", *child, given="quit")
    assert done.returncode == 0, done.stderr
    assert done.stderr.splitlines()[0] == "child stderr: careful"
    assert done.stdout == ""


def test_a_child_that_does_not_end_is_ended_and_code_5(tmp_path: Path) -> None:
    """Each signal is reported."""
    child = python(tmp_path / "child.py", f"{MEET}\nimport signal\nsignal.pause()\n")
    done = run("--script", "-", "--", *child, given="quit\n")
    assert done.returncode == 5
    assert 'standard input:1: the child had not ended 2 s after "quit"; SIGTERM ended it' in done.stderr


def test_a_child_that_does_not_wait_for_the_quit_is_code_5(tmp_path: Path) -> None:
    """Even if it ends with 0: its parent had more to send."""
    child = python(tmp_path / "child.py", f"{MEET}\nsender.send(receiver.recv())\n")
    done = run("--script", "-", "--", *child, given="> x\n< x\n< y\n")
    assert done.returncode == 5
    assert "standard input:3: the child exited with code 0, and a message was expected" in done.stderr


def test_a_reader_that_stops_reading_keeps_no_signal_from_ending_the_run(tmp_path: Path) -> None:
    """A paused pager: our output is stuck, and SIGTERM is obeyed all the same."""
    with start("--script", "--", *python(tmp_path / "child.py", FILLS)) as process:
        assert process.stdout is not None
        assert "xxxxxxxxx\n" in iter(process.stdout.readline, "")
        while not stuck(process.stdout.fileno()):
            pass
        process.terminate()
        assert process.wait(30) == 143
        assert process.stderr is not None
        assert "SIGTERM came; the child was ended" in process.stderr.read()


def stuck(descriptor: int) -> bool:
    """Whether a pipe that we do not read has filled up."""
    return queued(descriptor) > fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ) - 8192


def queued(descriptor: int) -> int:
    """Bytes that a pipe holds, asked at either end."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)


def sleeps(pid: int) -> bool:
    """Whether a process waits for something."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_two_signals_make_it_quick(tmp_path: Path) -> None:
    """The first lets the child end in good order; the second does not wait for that."""
    stays = "print(receiver.recv())\nprint(receiver.recv())\nimport signal\nsignal.pause()\n"
    child = python(tmp_path / "child.py", f"{MEET}\n{stays}")
    script = tmp_path / "wait.tipc"
    script.write_text("> go\n< never\n")
    with start("--script", str(script), "--timeout", "30", "--", *child) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "go\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "quit\n"
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert time.monotonic() - begun < 1.5  # of the 2 s that the child had
        assert f"{script}:2: SIGINT came; the child was ended" in process.stderr.read()


def test_a_signal_that_we_were_told_to_ignore_is_ignored(tmp_path: Path) -> None:
    """As under ``nohup``: the run goes on to its end."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    child = python(
        tmp_path / "child.py", f"{MEET}\nopen({str(gate)!r}).read()\nsender.send(1)\nreceiver.recv()\n"
    )
    script = tmp_path / "wait.tipc"
    script.write_text("< 1\n")
    command = [*TUI_IPC, "--script", str(script), "--timeout", "30", "--", *child]
    with subprocess.Popen(["nohup", *command], stderr=subprocess.DEVNULL) as process:
        with gate.open("w") as opened:  # the child is up
            process.send_signal(signal.SIGHUP)
            opened.write("go on")
        assert process.wait(30) == 0


def test_an_interruption_before_there_is_a_child() -> None:
    """Ctrl-C while the script is still being typed: no traceback."""
    with subprocess.Popen(
        [*TUI_IPC, "--script", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write("> x\n")
        process.stdin.flush()
        while queued(process.stdin.fileno()) or not sleeps(process.pid):
            pass
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 130
        assert process.stderr.read() == ""


def test_a_full_disk_is_no_traceback() -> None:
    """Nor is it success."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run(
            [*TUI_IPC, "--script"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "tui-ipc: standard output cannot be written: No space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_streams_that_are_closed(closed: str) -> None:
    """Whoever closes a stream wants nothing of it; the run is the same."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *TUI_IPC, "--script"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_any_encoding_will_do(clean_env: dict[str, str]) -> None:
    """What a terminal's encoding lacks is escaped, by the parent and by the built-in child."""
    done = subprocess.run(
        [*TUI_IPC, "--script", "-"],
        input="> é→\n< Child received: é→\n".encode(),
        env={**clean_env, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert rb"Received from parent: \xe9\u2192" in done.stdout


@pytest.mark.parametrize(
    ("face", "arguments", "source"),
    [("run_explorer", ["--", "./calc"], "the explorer"), ("run_replay", ["--replay", "a.rec"], "a.rec")],
)
def test_the_explorer_can_save_scripts(
    face: str, arguments: list[str], source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is handed what writes them, since the faces know nothing of each other."""
    given: dict[str, Any] = {}

    def start(*_: object, **options: Any) -> int:
        given.update(options)
        return 0

    monkeypatch.setattr(os, "isatty", lambda _: True)
    monkeypatch.setattr(f"tui_ipc.tui.launch.{face}", start)
    assert main(arguments) == 0
    text = given["save_script"]((), ("./calc", "--fast"), first_missing=True)
    assert text.startswith(f"# Saved from {source}.\n# The beginning is missing")
    assert text.endswith("\nspawn ./calc --fast\n")
