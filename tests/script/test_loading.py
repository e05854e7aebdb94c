"""Scripts from files, and all that is wrong with them at once."""

import io
import sys
from pathlib import Path

import pytest

from tui_ipc.script.language import Quit
from tui_ipc.script.loading import UnreadableScriptsError, load, run_check


def test_scripts_come_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by their paths; standard input is one of them."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"quit")))
    path = tmp_path / "a.tipc"
    path.write_text("> x\n")
    first, second = load([str(path), "-"])
    assert (first.name, second.name) == (str(path), "standard input")
    assert second.steps == (Quit(),)


def test_without_standard_input_it_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ``<&-``."""
    monkeypatch.setattr(sys, "stdin", None)
    assert load(["-"])[0].steps == ()


def test_all_that_is_wrong_is_told(tmp_path: Path) -> None:
    """A name that could steer a terminal cannot."""
    (tmp_path / "binary.tipc").write_bytes(b"> 1\n\xff\n")
    (tmp_path / "faulty.tipc").write_text("qiut\n")
    (tmp_path / "tests").mkdir()
    names = ["", "tests", "null\0byte", "esc\x1b[2J", "binary.tipc", "faulty.tipc"]
    with pytest.raises(UnreadableScriptsError) as refused:
        load([str(tmp_path / name) if name else "" for name in names])
    lines = [line for line in str(refused.value).splitlines() if line[0] != " "]
    assert [line.removeprefix(f"{tmp_path}/") for line in lines] == [
        "'': No such file or directory",
        f"tests: it is a directory; name the scripts in it: {tmp_path}/tests/*.tipc",
        r"null\u0000byte: embedded null byte",
        r"esc\u001b[2J: No such file or directory",
        "binary.tipc:2: a script is UTF-8 text, and this is not; the child's command goes behind --",
        lines[-1].removeprefix(f"{tmp_path}/"),
    ]
    assert lines[-1].startswith(f"{tmp_path}/faulty.tipc:1:1: ")


def test_a_program_is_told_from_a_script_with_a_fault(tmp_path: Path) -> None:
    """Who forgot what stands before a command sees it; a script may be a program, too."""
    program = tmp_path / "plugin"
    program.write_text("#!/bin/sh\nexec ./real-plugin\n")
    with pytest.raises(UnreadableScriptsError) as refused:
        load([str(program)])
    assert "behind --" not in str(refused.value)
    program.chmod(0o755)
    with pytest.raises(UnreadableScriptsError, match=":2:1: unknown step") as refused:
        load([str(program)])
    remedy = str(refused.value).splitlines()[-1]
    assert remedy == f"{program} can be executed: a child's command goes behind --"
    program.write_text("#!/usr/bin/env -S tui-ipc --script\nquit\n")
    assert load([str(program)])[0].steps == (Quit(),)


def test_a_check_needs_no_standard_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code says it."""
    monkeypatch.setattr(sys, "stderr", None)
    path = tmp_path / "a.tipc"
    path.write_text("quit\n")
    assert (run_check([str(path)]), run_check([str(path), ""])) == (0, 2)
