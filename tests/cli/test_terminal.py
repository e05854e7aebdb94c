"""Scripts before a person: what standard error shows on a terminal, and only there."""

import os
import pty
import re
import subprocess
import tty
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.command_line import MEET, TUI_IPC, python, run

ERASE = "\r\x1b[K"
SLOW = "sleep 1400ms\n> hi\n< Child received: hi\nsleep 1ms\n"


def on_a_terminal(
    *arguments: str,
    cwd: Path,
    environment: Mapping[str, str],
    once: str = "",
    then: Callable[[], object] = lambda: None,
) -> tuple[int, str]:
    """Run ``tui-ipc`` with a terminal as standard error: code, and what was written there.

    Args:
        arguments: The program's.
        cwd: Where.
        environment: Its environment.
        once: What is waited for on the terminal.
        then: What is done once it is there.
    """
    leader, follower = pty.openpty()
    tty.setraw(follower)
    written = ""
    with subprocess.Popen(
        [*TUI_IPC, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=follower,
        cwd=cwd,
        env=environment,
    ) as process:
        os.close(follower)
        try:
            while piece := os.read(leader, 4096):
                written += piece.decode()
                if once and once in written:
                    then()
                    once = ""
        except OSError:  # what Linux gives once no process has the other end
            pass
        os.close(leader)
    return process.returncode, written


def left(written: str) -> list[str]:
    """The lines that a person sees in the end: what was erased is gone."""
    return [line.rpartition(ERASE)[2] for line in written.split("\n")]


@pytest.fixture(name="directory")
def made(tmp_path: Path) -> Path:
    """A directory of scripts: a slow one, and two that are not."""
    for name, text in (("slow", SLOW), ("passes", "> a\n< ...\n"), ("fails", "> a\n< b\n")):
        (tmp_path / f"{name}.tipc").write_text(text)
    return tmp_path


def test_a_script_that_takes_long_shows_how_far_it_is(directory: Path, clean_env: dict[str, str]) -> None:
    """In a line that is rewritten in place and gone in the end; its number comes before it."""
    code, written = on_a_terminal(
        "--script", "passes.tipc", "slow.tipc", "--jobs", "1", cwd=directory, environment=clean_env
    )
    assert code == 0
    assert f"{ERASE}2/2 slow.tipc: 0 of 4 steps" in written
    first, second, last, end = left(written)
    assert re.fullmatch(r"passes\.tipc: 2 steps \x1b\[32mpassed\x1b\[m in [\d.]+ s", first)
    assert re.fullmatch(r"slow\.tipc: 4 steps \x1b\[32mpassed\x1b\[m in [\d.]+ s", second)
    assert last.startswith("2 scripts: \x1b[32m2 passed\x1b[m in ")
    assert end == ""


def test_a_report_meanwhile_is_on_a_line_of_its_own(directory: Path, clean_env: dict[str, str]) -> None:
    """The line is erased before, and each report is complete."""
    gate = directory / "gate"
    os.mkfifo(gate)
    says = f"{MEET}\nreceiver.recv()\nopen({str(gate)!r}).read()\nprint('careful', file=sys.stderr)\n"
    child = python(directory / "child.py", f"{says}sender.send(1)\nreceiver.recv()\n")
    (directory / "one.tipc").write_text("> a\n< 1\n")

    status = f"{ERASE}one.tipc: 1 of 2 steps"
    code, written = on_a_terminal(
        *("--script", "one.tipc", "--", *child),
        cwd=directory,
        environment=clean_env,
        once=status,
        then=lambda: gate.write_text("go"),
    )
    assert code == 0, written
    before, _, after = written.partition(f"{ERASE}child stderr: careful\n")
    assert before.count(status) == before.count(ERASE) > 0
    assert "child stderr" not in after
    assert left(written)[0] == "child stderr: careful"


@pytest.mark.parametrize("arguments", [(), ("--format", "jsonl")])
def test_it_is_not_shown_through_a_pipe(arguments: tuple[str, ...], directory: Path) -> None:
    """Nor any colour."""
    done = run("--script", "slow.tipc", "fails.tipc", *arguments, cwd=directory)
    assert done.returncode == 1
    assert "\x1b" not in done.stderr + done.stdout
    assert "\r" not in done.stderr
    assert " of 4 steps" not in done.stderr


@pytest.mark.parametrize("forbids", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_colour_can_be_forbidden(forbids: dict[str, str], directory: Path, clean_env: dict[str, str]) -> None:
    """The text is the same."""
    environments = (clean_env | {"TERM": "xterm"}, clean_env | {"TERM": "xterm"} | forbids)
    coloured, plain = (
        on_a_terminal("--script", "fails.tipc", cwd=directory, environment=each)[1] for each in environments
    )
    assert "\x1b[31mFAILED\x1b[m" in coloured
    assert "\x1b[m" not in plain
    figures = re.compile(r"\x1b\[\d*m|\d+")
    assert figures.sub("", coloured) == figures.sub("", plain)


def test_a_terminal_that_cannot_erase_shows_no_progress(directory: Path, clean_env: dict[str, str]) -> None:
    """It would fill with lines."""
    _, written = on_a_terminal(
        "--script", "slow.tipc", cwd=directory, environment=clean_env | {"TERM": "dumb"}
    )
    assert "\r" not in written
    assert written.count("\n") == 1


def test_a_program_is_shown_no_progress(directory: Path, clean_env: dict[str, str]) -> None:
    """Whoever asks for lines of JSON has all that there is to know."""
    arguments = ("--script", "slow.tipc", "--format", "jsonl")
    _, written = on_a_terminal(*arguments, cwd=directory, environment=clean_env)
    assert "\r" not in written
