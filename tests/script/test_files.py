"""Scripts from files, and all that is wrong with them at once."""

import io
import os
import resource
import stat
import sys
from pathlib import Path

import pytest

from tui_ipc.script.files import (
    FaultyScript,
    UnwritableScriptError,
    create_script_file,
    load_scripts,
    replace_script_file,
    run_check_scripts,
)
from tui_ipc.script.language.steps import Quit, Script
from tui_ipc.script.report.text_report import describe_failure


def test_scripts_come_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by their paths; standard input is one of them."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"quit")))
    path = tmp_path / "a.tipc"
    path.write_text("> x\n")
    first, second = load_scripts([str(path), "-"])
    assert (first.name, second.name) == (str(path), "standard input")
    assert isinstance(second, Script)
    assert second.steps == (Quit(),)


def test_without_standard_input_there_is_nothing_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under ``<&-``."""
    monkeypatch.setattr(sys, "stdin", None)
    (script,) = load_scripts(["-"])
    assert isinstance(script, FaultyScript)
    assert script.sentence == "nothing to run: it has no steps"


def test_all_errors_are_reported(tmp_path: Path) -> None:
    """A name that could steer a terminal cannot."""
    (tmp_path / "binary.tipc").write_bytes(b"> 1\n\xff\n")
    (tmp_path / "faulty.tipc").write_text("qiut\n")
    (tmp_path / "tests").mkdir()
    names = ["", "tests", "null\0byte", "esc\x1b[2J", "binary.tipc", "faulty.tipc"]
    scripts = load_scripts([str(tmp_path / name) if name else "" for name in names])
    lines = []
    for script in scripts:
        assert isinstance(script, FaultyScript)
        lines += describe_failure(script.make_outcome())[:1]
    assert [line.removeprefix(f"{tmp_path}/") for line in lines] == [
        "'': No such file or directory; check its path, or put the child's command after --",
        f"tests: it is a directory; name the scripts in it: {tmp_path}/tests/*.tipc",
        "null␀byte: embedded null byte",
        "esc␛[2J: No such file or directory; check its path, or put the child's command after --",
        "binary.tipc:2: a script is UTF-8 text, and this is not; the child's command goes after --",
        lines[-1].removeprefix(f"{tmp_path}/"),
    ]
    assert lines[-1].startswith(f"{tmp_path}/faulty.tipc:1:1: ")


def test_a_program_named_as_script_is_recognized(tmp_path: Path) -> None:
    """Whoever forgot the -- learns of it; a script may be executable, too."""
    program = tmp_path / "plugin"
    program.write_text("#!/bin/sh\nexec ./real-plugin\n")
    (script,) = load_scripts([str(program)])
    assert isinstance(script, FaultyScript)
    assert "after --" not in str(script)
    program.chmod(0o755)
    (script,) = load_scripts([str(program)])
    assert isinstance(script, FaultyScript)
    assert (script.line, script.column, script.sentence[:12]) == (2, 1, "unknown step")
    assert script.details[-1] == ("remedy", f"{program} is executable: the child's command goes after --")
    program.write_text("#!/usr/bin/env -S tui-ipc --script\nquit\n")
    (script,) = load_scripts([str(program)])
    assert isinstance(script, Script)
    assert script.steps == (Quit(),)


def test_a_check_works_without_stderr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code says it."""
    monkeypatch.setattr(sys, "stderr", None)
    path = tmp_path / "a.tipc"
    path.write_text("quit\n")
    assert (run_check_scripts([str(path)]), run_check_scripts([str(path), ""])) == (0, 2)


def test_a_new_script_is_written_as_it_is(tmp_path: Path) -> None:
    """UTF-8, line ends unchanged."""
    file = tmp_path / "talk.tipc"
    create_script_file(str(file), '> "grüß"\r\n< 1\n')
    assert file.read_bytes() == '> "grüß"\r\n< 1\n'.encode()


def test_a_file_that_exists_is_left_alone(tmp_path: Path) -> None:
    """Whatever it is, a link that leads nowhere included."""
    file = tmp_path / "talk.tipc"
    file.write_text("precious")
    with pytest.raises(UnwritableScriptError, match=r"talk\.tipc exists already; name another file"):
        create_script_file(str(file), "quit\n")
    assert file.read_text() == "precious"
    dangling = tmp_path / "dangling.tipc"
    dangling.symlink_to("nowhere")
    with pytest.raises(UnwritableScriptError, match="exists already"):
        create_script_file(str(dangling), "quit\n")


@pytest.mark.parametrize(
    ("path", "sentence"),
    [("absent/talk.tipc", "No such file or directory"), ("a\0b", "null character"), ("", "No such")],
)
def test_a_path_that_cannot_be_created_is_refused(tmp_path: Path, path: str, sentence: str) -> None:
    """In the system's words, with the remedy."""
    with pytest.raises(
        UnwritableScriptError, match=f"cannot be written: .*{sentence}.*; name a file that can be"
    ):
        create_script_file(str(tmp_path / path) if path else "", "quit\n")


def test_a_full_disk_leaves_no_part_of_a_script(tmp_path: Path) -> None:
    """A full disk, or a limit on files, as here."""
    file = tmp_path / "talk.tipc"
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, kept[1]))
    try:
        with pytest.raises(UnwritableScriptError, match="File too large"):
            create_script_file(str(file), "quit\n" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert not file.exists()


def test_a_rewritten_file_keeps_its_permissions_and_its_link(tmp_path: Path) -> None:
    """And nothing else is left in the directory."""
    file, link = tmp_path / "talk.tipc", tmp_path / "link.tipc"
    file.write_bytes(b"old")
    file.chmod(0o640)
    link.symlink_to(file)
    replace_script_file(str(link), b"old", b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o640)
    assert link.is_symlink()
    assert sorted(os.listdir(tmp_path)) == ["link.tipc", "talk.tipc"]


def test_a_rewritten_file_keeps_its_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is ours to say, as root's; where it is not, that is no failure."""
    asked = []

    def refuse(descriptor: int, *owner: int) -> None:
        asked.append(owner)
        raise PermissionError

    monkeypatch.setattr(os, "fchown", refuse)
    file = tmp_path / "talk.tipc"
    file.write_bytes(b"old")
    replace_script_file(str(file), b"old", b"new")
    assert asked == [(file.stat().st_uid, file.stat().st_gid)]
    assert file.read_bytes() == b"new"


def test_a_file_that_was_edited_meanwhile_is_not_rewritten(tmp_path: Path) -> None:
    """Whoever edited it keeps the edit."""
    file = tmp_path / "talk.tipc"
    file.write_bytes(b"edited")
    with pytest.raises(UnwritableScriptError, match=r"was changed meanwhile and was not rewritten"):
        replace_script_file(str(file), b"old", b"new")
    assert file.read_bytes() == b"edited"


def test_a_file_that_is_gone_is_reported(tmp_path: Path) -> None:
    """In the system's words."""
    with pytest.raises(UnwritableScriptError, match="cannot be rewritten: No such file or directory"):
        replace_script_file(str(tmp_path / "talk.tipc"), b"old", b"new")


def test_a_rewriting_that_fails_leaves_the_old_text(tmp_path: Path) -> None:
    """And no half of the new one beside it."""
    file = tmp_path / "talk.tipc"
    file.write_bytes(b"old")
    kept = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, kept[1]))
    try:
        with pytest.raises(UnwritableScriptError, match="cannot be rewritten: File too large"):
            replace_script_file(str(file), b"old", b"new" * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, kept)
    assert file.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["talk.tipc"]
