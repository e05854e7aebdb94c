"""Scripts from files, and all that is wrong with them at once."""

import io
import os
import resource
import stat
import sys
from pathlib import Path

import pytest

from tui_ipc.script import ExitCode
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

IS_UTF8 = "a script is UTF-8 text; save it as that"
NOT_A_NUMBER = (
    "this is text and not a number, which is written as in JSON: 16, -1.5, 1e3; "
    'if that is meant, quote it: > "…"'
)


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
        "null␀byte: a path cannot hold a null character; name a file that can be read",
        "esc␛[2J: No such file or directory; check its path, or put the child's command after --",
        "binary.tipc:2:1: the byte 0xff (ÿ in Latin-1) is not UTF-8, and " + IS_UTF8,
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


@pytest.mark.parametrize(
    ("data", "location", "words"),
    [
        (b"> 1\n> caf\xe9\n", "2:6", "the byte 0xe9 (é in Latin-1) is not UTF-8"),
        ("> é".encode() + b"\x80", "1:4", "the byte 0x80 is not UTF-8"),
        ("> 1\n".encode("utf-16"), "1:1", "this is UTF-16"),
        ("> 1\n".encode("utf-16-be"), "1:1", "this is UTF-16"),
        ("# é\n> é\0b\xff".encode(), "2:4", "a null byte, which no text has"),
    ],
)
def test_what_is_not_utf_8_is_named(tmp_path: Path, data: bytes, location: str, words: str) -> None:
    """And where it is."""
    path = tmp_path / "a.tipc"
    path.write_bytes(data)
    (script,) = load_scripts([str(path)])
    assert isinstance(script, FaultyScript)
    assert describe_failure(script.make_outcome())[0].startswith(f"{path}:{location}: {words}")


def test_a_check_reports_every_mistake_of_every_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run reports them as well, as one failure."""
    monkeypatch.chdir(tmp_path)
    Path("a.tipc").write_text("qiut\n> 0x10\nsleep 5\n")
    Path("b.tipc").write_text("> 1\nrepeat 2\n")
    Path("c.tipc").write_text("> 1\n")
    files = ["a.tipc", "b.tipc", "c.tipc"]
    assert run_check_scripts(files) == ExitCode.USAGE
    assert [line for line in capsys.readouterr().err.splitlines() if line[0] != " "] == [
        f"a.tipc:2:3: warning: {NOT_A_NUMBER}",
        'a.tipc:1:1: unknown step "qiut"; did you mean quit?',
        "a.tipc:3:7: 5 has no unit; write 5s",
        "a.tipc: 2 mistakes",
        "b.tipc:2:1: this block has no end; write end on a line after its last step",
        "c.tipc: 1 step",
    ]
    first = load_scripts(files)[0]
    assert isinstance(first, FaultyScript)
    assert first.make_outcome().details[-1] == ("also", "3:7: 5 has no unit; write 5s")


def test_warnings_are_mistakes_only_for_who_is_strict(tmp_path: Path) -> None:
    """Without that the script can be run."""
    path = tmp_path / "a.tipc"
    path.write_text("> 0x10\n")
    assert run_check_scripts([str(path)]) == ExitCode.PASSED
    assert run_check_scripts([str(path)], strict=True) == ExitCode.USAGE
    path.write_text("> 16\n")
    assert run_check_scripts([str(path)], strict=True) == ExitCode.PASSED


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


def test_a_command_is_found_beside_its_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What begins with ./ or ../; one that is only in the working directory works with a warning."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tests").mkdir()
    for name in "tests/child", "child", "other":
        (tmp_path / name).touch()
    script = tmp_path / "tests" / "a.tipc"
    script.write_text("spawn ./child ../other child ./none\n")
    (loaded,) = load_scripts(["tests/a.tipc"])
    assert isinstance(loaded, Script)
    assert loaded.command == (f"{tmp_path}/tests/child", f"{tmp_path}/other", "child", "./none")
    assert loaded.warnings == ()
    script.write_text("set a 1\nspawn ./other\n")
    (loaded,) = load_scripts(["tests/a.tipc"])
    assert isinstance(loaded, Script)
    assert loaded.command == ("./other",)
    (warning,) = loaded.warnings
    assert (warning.line, warning.column) == (2, 7)
    assert warning.sentence == (
        "./other is used from the working directory, because it is not beside the script; "
        "write the path from tests"
    )
