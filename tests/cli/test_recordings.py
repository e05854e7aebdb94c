"""Recording and replaying from the command line: real processes, exit codes, sentences."""

import json
import os
import pty
import resource
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import MEET, TUI_IPC, python, run, start
from tests.support.recordings import encode_recording
from tui_ipc.events import ChannelsOpen, ChildExited, ChildOutput, ChildSpawned, MessageReceived, MessageSent
from tui_ipc.events.json_form import format_line
from tui_ipc.ipc.wire import encode
from tui_ipc.osutil.files import lock_file
from tui_ipc.recording.codec import Clock, encode_clock, encode_event, encode_header
from tui_ipc.recording.reader import open_recording
from tui_ipc.script.print_recording import LINE_LIMIT


def lines(text: str) -> list[dict[str, Any]]:
    """The objects of JSON lines."""
    return [json.loads(line) for line in text.splitlines()]


def write(path: Path, *events: Any) -> Path:
    """A recording of our own."""
    path.write_bytes(encode_header(()) + b"".join(encode_event(event) for event in events))
    return path


def printed(data: bytes, stream: Any = "stdout", at: int = 0) -> ChildOutput:
    return ChildOutput(at=at, run=1, stream=stream, data=data)


@pytest.fixture(name="recording", scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of the built-in conversation."""
    path = tmp_path_factory.mktemp("recordings") / "run.rec"
    done = run("--script", "--record", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    return path


def test_a_recorded_script_replays_as_jsonl(recording: Path) -> None:
    """Each event of the recording is one line, in order."""
    done = run("--replay", str(recording), "--format", "jsonl")
    assert (done.returncode, done.stderr) == (0, "")
    recorded = open_recording(str(recording))
    assert done.stdout.splitlines() == [format_line(event) for event in recorded.events()]
    kinds = [made["event"] for made in lines(done.stdout)]
    assert kinds[0] == "server-listening"
    assert kinds[-2:] == ["audit", "script-step"]  # the last step has passed once the child has ended
    assert kinds.count("message-received") == kinds.count("message-sent") - 1 == 3  # quit has no answer
    assert recorded.command[1:] == ("-m", "tui_ipc.child")


def test_a_recorded_script_replays_as_text(recording: Path) -> None:
    """One line an event, for people: its mark, its words, latency and size."""
    done = run("--replay", str(recording), "--format", "text")
    assert (done.returncode, done.stderr) == (0, "")
    shown = [text.split("  1  ", 1)[1] for text in done.stdout.splitlines()]
    assert '→ sent       "Hello from parent"  (18 B)' in shown
    assert any(
        text.startswith('← received   "Child received: Hello from parent"  (') and text.endswith(" B)")
        for text in shown
    )
    assert "│ stdout     Received from parent: Hello from parent" in shown
    assert "■ exited     the child exited with code 0" in shown
    assert shown[-2].startswith("✓ clean      nothing was left behind · ended ")
    assert shown[-1] == "✓ passed     tui-ipc: quit"


def test_output_is_printed_by_the_line_and_steers_nothing(tmp_path: Path) -> None:
    """Pieces become lines, each stream its own; what is unfinished comes before the child's end."""
    file = write(
        tmp_path / "x.rec",
        printed(b"one\nt", at=10**9),
        printed(b"oops\x1b[2J\n", "stderr"),
        printed(b"wo\r\n\ta\xff\n", at=2 * 10**9),
        printed(b"z" * (LINE_LIMIT + 1)),
        printed(b"end"),
        ChildExited(at=0, run=1, code=3, signal=None, user_seconds=0.0, system_seconds=0.0, max_rss=1),
        printed(b"later", "stderr"),
    )
    done = run("--replay", str(file), "--format", "text")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "  1.000  1  │ stdout     one",
        "  0.000  1  │ stderr     oops␛[2J",
        "  2.000  1  │ stdout     two",
        "  2.000  1  │ stdout     ␉a‹FF›",
        f"  0.000  1  │ stdout     {'z' * (LINE_LIMIT + 1)}",
        "  0.000  1  │ stdout     end",
        "  0.000  1  ■ exited     the child exited with code 3",
        "  0.000  1  │ stderr     later",
    ]


def test_a_recording_that_breaks_off_is_reported_and_is_not_a_failure(
    recording: Path, tmp_path: Path
) -> None:
    """As after a crash: all that is whole is printed."""
    cut = tmp_path / "cut.rec"
    cut.write_bytes(recording.read_bytes()[:-3])
    done = run("--replay", str(cut), "--format", "jsonl")
    assert done.returncode == 0
    assert lines(done.stdout)[-1]["event"] == "audit"
    assert f"tui-ipc: {cut} ends in the middle of an event (" in done.stderr
    assert done.stderr.count("\n") == 1


def broken(data: bytes) -> bytes:
    return data[:-40] + b"\xc1" * 40


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda data: b"no recording", "is not a tui-ipc recording"),
        (lambda data: data.replace(b"recording\x02", b"recording\x63", 1), "version"),
        (broken, "is broken"),
        (None, "No such file"),
    ],
    ids=["none", "newer", "broken", "missing"],
)
@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_a_file_that_is_not_a_recording_is_code_2(
    spoil: Callable[[bytes], bytes] | None, message: str, form: str, recording: Path, tmp_path: Path
) -> None:
    """One sentence with the file's name; what was read before it is printed."""
    file = tmp_path / "spoilt.rec"
    if spoil is not None:
        file.write_bytes(spoil(recording.read_bytes()))
    done = run("--replay", str(file), "--format", form)
    assert done.returncode == 2
    assert message in done.stderr
    assert str(file) in done.stderr
    assert done.stderr.count("\n") == 1
    assert bool(done.stdout) == (spoil is broken)


def test_a_reader_that_goes_away_ends_a_replay(tmp_path: Path) -> None:
    """As under ``| head -1``: the code of SIGPIPE, at once."""
    file = write(tmp_path / "long.rec", *[printed(b"x" * 90 + b"\n")] * 20_000)
    with start("--replay", str(file), "--format", "text") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(30) == 141


def test_a_signal_ends_a_replay_whose_reader_waits(tmp_path: Path) -> None:
    """A paused pager does not keep it."""
    file = write(tmp_path / "long.rec", *[printed(b"x" * 90 + b"\n")] * 20_000)
    with start("--replay", str(file), "--format", "text") as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(30) == 143


def test_a_signal_ends_a_replay_whose_reader_never_waits(tmp_path: Path) -> None:
    """Into a file, where nothing holds us up: it is heard between two pieces, long before the end."""
    file, shown = tmp_path / "long.rec", tmp_path / "shown"
    file.write_bytes(encode_header(()) + encode_event(printed(b"x" * 90 + b"\n")) * 300_000)
    with (
        shown.open("wb") as stdout,
        subprocess.Popen([*TUI_IPC, "--replay", str(file), "--format", "jsonl"], stdout=stdout) as process,
    ):
        while not shown.stat().st_size:
            assert process.poll() is None
        process.terminate()
        assert process.wait(30) == 143


def test_a_full_disk_is_reported_in_one_line(recording: Path) -> None:
    """Nor is it success."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        command = [*TUI_IPC, "--replay", str(recording), "--format", "text"]
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=30, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "tui-ipc: standard output cannot be written: No space left on device\n"


def test_a_long_recording_takes_little_memory(tmp_path: Path) -> None:
    """60 MB of output are printed within 20 MiB more than the start takes."""
    file = write(tmp_path / "long.rec", *[printed((b"x" * 99 + b"\n") * 600)] * 1000)
    peaks = []
    for what in (file, write(tmp_path / "short.rec")):
        with subprocess.Popen(
            [*TUI_IPC, "--replay", str(what), "--format", "jsonl"], stdout=subprocess.DEVNULL
        ) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            assert process.returncode == 0
            peaks.append(usage.ru_maxrss)
    unit = 1 if sys.platform == "darwin" else 1024
    assert (peaks[0] - peaks[1]) * unit < 20 << 20


def test_where_nothing_can_be_recorded_no_child_is_run(tmp_path: Path) -> None:
    """One line, code 2, and the child never was."""
    child = python(tmp_path / "child.py", f"open({str(tmp_path / 'was')!r}, 'w').close()\n{MEET}")
    done = run("--script", "--record", str(tmp_path / "none" / "x.rec"), "--", *child)
    assert done.returncode == 2
    assert done.stderr.startswith(f"tui-ipc: {tmp_path / 'none' / 'x.rec'} cannot be recorded to: ")
    assert (done.stderr.count("\n"), done.stdout) == (1, "")
    assert not (tmp_path / "was").exists()


def test_a_recording_that_is_replaced_is_named(tmp_path: Path) -> None:
    """On standard error; a file that is not a recording is never replaced."""
    (tmp_path / "quit.tipc").write_text("quit\n")
    arguments = ("--script", "quit.tipc", "--record", "x.rec")
    assert "replaces" not in run(*arguments, cwd=tmp_path).stderr
    again = run(*arguments, cwd=tmp_path)
    assert again.returncode == 0
    assert again.stderr.startswith("tui-ipc: x.rec replaces a recording of 20")


@pytest.mark.parametrize(("given", "code"), [("quit\n", 2), ("> a\n< b\n", 1)])
def test_a_recording_that_ends_early_is_code_2_unless_the_script_failed(
    given: str, code: int, tmp_path: Path
) -> None:
    """The run goes on to its end, and its own failure says more than that of the disk."""

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))

    done = subprocess.run(
        [*TUI_IPC, "--script", "-", "--record", str(tmp_path / "x.rec")],
        input=given,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        preexec_fn=little_room,
    )
    assert done.returncode == code, done.stderr
    assert f"standard input: the recording in {tmp_path / 'x.rec'} ends here" in done.stderr
    assert "Traceback" not in done.stderr


def test_answers_are_matched_by_a_key_path(tmp_path: Path) -> None:
    """A child that answers in another order: the recording names the message that each one answers."""
    child = python(
        tmp_path / "child.py",
        f"{MEET}\na, b = receiver.recv(), receiver.recv()\nsender.send(b)\nsender.send(a)\nreceiver.recv()\n",
    )
    file = tmp_path / "x.rec"
    script = '> {"head": {"id": 7}}\n> {"head": {"id": 8}}\n< {"head": {"id": 8}}\n< {"head": {"id": 7}}\n'
    arguments = ("--script", "-", "--match-by", "head.id", "--record", str(file), "--", *child)
    done = run(*arguments, given=script)
    assert done.returncode == 0, done.stderr
    answered = [
        event.answers for event in open_recording(str(file)).events() if isinstance(event, MessageReceived)
    ]
    assert answered == [2, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--replay", "x", "--", "./child"), "runs no child; a command does not go with it"),
        (("--replay", "x", "--script"), "--script does not go with it"),
        (("--replay", "x", "--record", "y"), "--record does not go with it"),
        (("--replay", "x", "--match-by", "id"), "--match-by does not go with it"),
        (("--replay", "x", "--timeout", "5"), "--timeout does not go with it"),
        (("--replay", "x", "--cwd", "/"), "--cwd does not go with it"),
        (("--replay", "x", "--no-pty"), "--no-pty does not go with it"),
        (("--replay", "x", "--format", "text", "--speed", "2"), "--speed is for the explorer"),
        (("--replay", "x"), "the explorer needs a terminal; for a pipe or CI, use --format text"),
        (("--replay", "", "--format", "text"), "--replay needs a file name"),
        (("--replay", "x", "--format", "xml"), "invalid choice: 'xml'"),
        (("--replay", "x", "--speed", "0"), "invalid speed '0'; give a number above 0, or 'max'"),
        (("--replay", "x", "--speed", "nan"), "invalid speed 'nan'"),
        (
            ("--format", "text"),
            "--format needs scripts or a recording; add --script or --replay FILE",
        ),
        (("--script", "--speed", "2"), "--speed needs a recording"),
        (("--script", "--record", ""), "--record needs a file name"),
        (("--script", "--match-by", ""), "--match-by: the key path is empty"),
        (("--script", "--match-by", "a..b"), "--match-by: the key path 'a..b' has an empty part"),
    ],
)
def test_what_contradicts_itself_is_code_2_and_one_line(arguments: tuple[str, ...], message: str) -> None:
    """Each with what to do instead; nothing is run."""
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.splitlines()[1:] == ["Try 'tui-ipc --help'."]
    assert done.stdout == ""


def test_the_explorer_refuses_a_file_that_is_not_a_recording(tmp_path: Path) -> None:
    """On a terminal, before there is a screen."""
    leader, follower = pty.openpty()
    try:
        command = [*TUI_IPC, "--replay", str(tmp_path / "none"), "--speed", "max"]
        done = subprocess.run(
            command,
            stdin=follower,
            stdout=follower,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    finally:
        os.close(leader)
        os.close(follower)
    assert done.returncode == 2
    assert f"{tmp_path / 'none'}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_run_that_is_not_recorded_pays_for_no_recorder() -> None:
    """Nor for what replays."""
    program = (
        "import sys; from tui_ipc.cli.main import main; main(['--script'])\n"
        "print([name for name in sys.modules if 'record' in name or 'replay' in name or 'jsonl' in name])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_recording_of_a_newer_program_is_shown_and_made_a_script_of(tmp_path: Path) -> None:
    """One line says what was skipped."""
    path = tmp_path / "newer.rec"
    known = encode_recording(
        ChildSpawned(at=1, run=1, pid=7, command=("./child",)),
        ChannelsOpen(at=2, run=1),
        MessageSent(at=3, run=1, number=1, value="hi", raw=b"\xa2hi"),
    )
    path.write_bytes(known + encode([77, 4, 1, "what comes one day"]))
    skipped = f"tui-ipc: {path}: 1 event skipped, of kinds that this tui-ipc does not know (1 of kind 77)"
    for form in ("text", "jsonl"):
        shown = run("--replay", str(path), "--format", form)
        assert (shown.returncode, len(shown.stdout.splitlines())) == (0, 3)
        assert shown.stderr.startswith(skipped)
        assert len(shown.stderr.splitlines()) == 1
    saved = run("--replay", str(path), "--save-script", "-")
    assert (saved.returncode, '> "hi"' in saved.stdout) == (0, True)
    assert saved.stderr.startswith(skipped)


def test_a_recording_of_a_script_shows_the_line_that_failed_and_why(tmp_path: Path) -> None:
    """After the message that came instead of the expected one; a script that is made of it says so, too."""
    (tmp_path / "bad.tipc").write_text('> {"id": 7}\n< {"id": 8}\nquit\n')
    assert run("--script", "bad.tipc", "--record-failures", ".", cwd=tmp_path).returncode == 1
    text = run("--replay", "bad.rec", "--format", "text", cwd=tmp_path).stdout.splitlines()
    (number,) = (number for number, line in enumerate(text) if "✕ failed" in line)
    assert "← received" in text[number - 1]
    assert (
        'failed     bad.tipc:2: < {"id": 8} · a different message came than expected · expected: {"id": 8} · '
        "received: \"Child received: {'id': 7}\" · "
    ) in text[number]
    made = lines(run("--replay", "bad.rec", "--format", "jsonl", cwd=tmp_path).stdout)
    before, failed = next(pair for pair in pairwise(made) if pair[1].get("state") == "failed")
    assert before["event"] == "message-received"
    assert (failed["script"], failed["line"], failed["text"]) == ("bad.tipc", 2, '< {"id": 8}')
    assert failed["sentence"] == "a different message came than expected"
    assert failed["details"][0] == {"title": "expected", "text": '{"id": 8}'}
    saved = run("--replay", "bad.rec", "--save-script", "saved.tipc", cwd=tmp_path)
    assert (saved.returncode, saved.stderr.count("\n")) == (0, 1)
    comment = "# Here bad.tipc failed at line 2: a different message came than expected\n"
    assert comment in (tmp_path / "saved.tipc").read_text()
    assert run("--script", "saved.tipc", cwd=tmp_path).returncode == 0


def test_messages_that_no_step_took_are_the_failure_of_a_strict_script(tmp_path: Path) -> None:
    (tmp_path / "loose.tipc").write_text("> 1\n")
    done = run("--script", "loose.tipc", "--strict", "--record-failures", ".", cwd=tmp_path)
    assert done.returncode == 1
    text = run("--replay", "loose.rec", "--format", "text", cwd=tmp_path).stdout.splitlines()
    sentence = '1 message came that no step took · #1: "Child received: 1"'
    assert text[-1].endswith(f"✕ failed     loose.tipc: handshake or end · {sentence}")


@pytest.mark.parametrize("form", ["text", "jsonl"])
def test_a_recording_is_printed_while_it_is_written_and_waited_for(tmp_path: Path, form: str) -> None:
    """Each event as it comes; a writer that is killed is noticed, and is no error."""
    path = tmp_path / "live.rec"
    with subprocess.Popen(
        [*TUI_IPC, "--replay", str(path), "--follow", "--format", form],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as follower:
        assert follower.stdout is not None
        assert follower.stderr is not None
        assert follower.stderr.readline() == f"tui-ipc: waiting for {path}, which has no recording yet\n"
        with path.open("wb", buffering=0) as file:
            lock_file(file.fileno())
            file.write(encode_recording(ChannelsOpen(at=1, run=1)))
            assert "open" in follower.stdout.readline()
            file.write(encode_event(printed(b"hello\n")))
            assert "hello" in follower.stdout.readline()
        assert follower.wait(60) == 0
        assert "its writer was killed, or could not write on" in follower.stderr.read()


def test_a_recording_is_read_from_standard_input(recording: Path) -> None:
    """At once, or while it comes."""
    shown = run("--replay", str(recording), "--format", "jsonl").stdout
    for options in ([], ["--follow"]):
        with recording.open("rb") as file:
            done = subprocess.run(
                [*TUI_IPC, "--replay", "-", "--format", "jsonl", *options],
                stdin=file,
                capture_output=True,
                text=True,
                check=False,
            )
        assert (done.returncode, done.stderr, done.stdout) == (0, "", shown)


def test_the_wall_clock_is_shown_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For people in local time; where nothing says it, as in a recording of version 1, the seconds are."""
    monkeypatch.setenv("TZ", "EAST-2")
    path = tmp_path / "run.rec"
    began = datetime(2026, 5, 25, 15, 24, 48, tzinfo=UTC)
    header, event = encode_header(()), encode_event(ChannelsOpen(at=1_500_000_000, run=1))
    path.write_bytes(
        header + event + encode_clock(Clock(1_000_000_000, began)) + event.replace(b"\x05", b"\x0a", 1)
    )
    text = run("--replay", str(path), "--format", "text", "--wall-clock").stdout.splitlines()
    assert [line.split()[0] for line in text] == ["1.500", "2026-05-25T17:24:48.500+02:00"]
    made = lines(run("--replay", str(path), "--format", "jsonl", "--wall-clock").stdout)
    assert [line.get("time") for line in made] == [None, "2026-05-25T15:24:48.500Z"]
