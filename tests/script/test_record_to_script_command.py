"""``--replay FILE --save-script FILE``: a recording becomes a script that passes, or a sentence."""

import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import TUI_IPC, python, run
from tui_ipc.events import ChannelsOpen
from tui_ipc.recording.codec import encode_event, encode_header
from tui_ipc.script.language.parser import parse_script

ANSWERS = """
from tui_ipc.child import serve
serve(lambda message: {"said": message, "words": ["{{_}}", b"\\x00"]})
"""


@pytest.fixture(name="recording", scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording of a conversation with a child of our own."""
    directory = tmp_path_factory.mktemp("recordings")
    script = directory / "by_hand.tipc"
    script.write_text('> one\n< ...\n> {"two": 2}\n< ...\nrestart\n> three\n< ...\n')
    path = directory / "run.rec"
    child = python(directory / "child.py", ANSWERS)
    done = run("--script", str(script), "--record", str(path), "--", *child)
    assert done.returncode == 0, done.stderr
    return path


def test_the_script_of_a_recording_passes_and_names_its_child(recording: Path, tmp_path: Path) -> None:
    """Without a command; a failure is one that a person sees in the script."""
    file = tmp_path / "my talk.tipc"
    done = run("--replay", str(recording), "--save-script", str(file))
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"tui-ipc: {file} is written; run it with: tui-ipc --script '{file}'\n"
    text = file.read_text()
    assert text.startswith(f"# Saved from {recording}, recorded 20")
    assert run("--script", str(file)).returncode == 0
    file.write_text(text.replace('"said": "one"', '"said": "none"'))
    assert run("--script", str(file)).returncode == 1


def test_standard_output_takes_the_script_alone(recording: Path) -> None:
    """So it can be piped into a run of it."""
    done = run("--replay", str(recording), "--save-script", "-")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("\nquit\n? exit 0\n? clean\n")
    assert run("--script", "-", given=done.stdout).returncode == 0


def test_a_file_that_exists_is_not_replaced(recording: Path, tmp_path: Path) -> None:
    """It may be the only copy of somebody's work."""
    file = tmp_path / "talk.tipc"
    file.write_text("precious")
    done = run("--replay", str(recording), "--save-script", str(file))
    assert (done.returncode, file.read_text()) == (2, "precious")
    assert done.stderr == f"tui-ipc: {file} exists already; name another file, or remove it first\n"


def test_a_file_that_is_not_a_recording_makes_no_script(tmp_path: Path) -> None:
    """Nor does one that is broken further on."""
    file, script = tmp_path / "x.rec", tmp_path / "talk.tipc"
    file.write_bytes(encode_header(("true",)) + encode_event(ChannelsOpen(at=1, run=1)) + b"\xc1")
    done = run("--replay", str(file), "--save-script", str(script))
    assert (done.returncode, script.exists()) == (2, False)
    assert f"{file} is broken" in done.stderr


def test_a_recording_that_breaks_off_is_a_script_so_far(recording: Path, tmp_path: Path) -> None:
    """And that is reported."""
    cut = tmp_path / "cut.rec"
    cut.write_bytes(recording.read_bytes()[:-3])
    done = run("--replay", str(cut), "--save-script", "-")
    assert done.returncode == 0
    assert "ends in the middle of an event" in done.stderr
    assert len(parse_script(done.stdout).steps) > 3


def test_a_full_disk_is_reported_in_a_sentence(recording: Path) -> None:
    """One sentence, and code 2."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*TUI_IPC, "--replay", str(recording), "--save-script", "-"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == "tui-ipc: standard output cannot be written: No space left on device\n"


def test_a_reader_that_goes_away_is_the_end_by_sigpipe(recording: Path) -> None:
    """Silently, as of any other program."""
    with subprocess.Popen(
        [*TUI_IPC, "--replay", str(recording), "--save-script", "-"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(30) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""
