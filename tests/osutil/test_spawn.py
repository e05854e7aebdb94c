"""Why a command could not be started: each way has its own sentence with its remedy."""

import os
import shutil
from pathlib import Path

import pytest

from tui_ipc.osutil.spawn import SpawnError, spawn_process


def failure(command: list[str], cwd: str | None = None, env: dict[str, str] | None = None) -> str:
    """The sentence of the error; no descriptor is left open, as the leak check of every test sees."""
    with pytest.raises(SpawnError) as caught:
        spawn_process(command, cwd=cwd, env=dict(os.environ) if env is None else env, pty=True)
    return str(caught.value)


def program(tmp_path: Path, content: bytes, mode: int = 0o755) -> str:
    """The path of a file that may be a program."""
    path = tmp_path / "program"
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_a_name_that_is_not_on_the_path() -> None:
    assert failure(["no-such-program"]) == (
        "no program named 'no-such-program' on the PATH; check its spelling, or give its path"
    )


def test_the_path_that_counts_is_the_childs(tmp_path: Path) -> None:
    assert "no program named 'ls' on the PATH" in failure(["ls"], env={"PATH": str(tmp_path)})


def test_a_path_that_does_not_exist() -> None:
    assert failure(["/no/such/file"]) == "the program '/no/such/file' does not exist; check its path"


def test_a_path_through_a_file(tmp_path: Path) -> None:
    path = program(tmp_path, b"")
    assert failure([f"{path}/more"]) == f"the program '{path}/more' does not exist; check its path"


def test_a_file_that_is_not_executable(tmp_path: Path) -> None:
    path = program(tmp_path, b"#!/bin/sh\n", 0o644)
    assert failure([path]) == f"the file {path!r} is not executable; make it so with: chmod +x {path}"


def test_a_directory(tmp_path: Path) -> None:
    assert failure([str(tmp_path)]) == f"'{tmp_path}' is a directory; name a program in it"


def test_a_file_that_is_no_program(tmp_path: Path) -> None:
    path = program(tmp_path, b"just text\n")
    assert failure([path]) == (
        f"the file {path!r} is not a program that this machine can run; "
        "a script must begin with a line such as #!/usr/bin/env python3"
    )


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"#!/no/such/interpreter\n", "names the interpreter '/no/such/interpreter'"),
        (
            b"#!/bin/sh\r\necho\r\n",
            "interpreter '/bin/sh', and ends in a carriage return: save it with Unix line ends",
        ),
    ],
    ids=["missing", "carriage return"],
)
def test_a_script_whose_interpreter_is_not_there(tmp_path: Path, content: bytes, says: str) -> None:
    path = program(tmp_path, content)
    sentence = failure([path])
    assert sentence.startswith(
        f"the program {path!r} exists, but what it needs to run does not: its first line "
    )
    assert sentence.endswith(says)


def test_a_program_whose_loader_is_not_there(tmp_path: Path) -> None:
    whole = Path(shutil.which("true") or "").read_bytes()
    path = program(tmp_path, whole.replace(b"/ld-", b"/no-"))
    assert failure([path]).endswith("its dynamic loader is missing; was it built for this machine?")


def test_a_relative_path_is_looked_up_in_the_childs_directory(tmp_path: Path) -> None:
    program(tmp_path, b"just text\n")
    assert "is not a program that this machine can run" in failure(["./program"], cwd=str(tmp_path))


def test_a_working_directory_that_does_not_exist(tmp_path: Path) -> None:
    cwd = str(tmp_path / "nowhere")
    assert failure(["true"], cwd=cwd) == f"the working directory {cwd!r} does not exist; check its path"


def test_a_working_directory_that_is_a_file(tmp_path: Path) -> None:
    cwd = program(tmp_path, b"")
    assert failure(["true"], cwd=cwd) == f"the working directory {cwd!r} is a file; name a directory"


def test_a_null_byte_in_an_argument() -> None:
    assert failure(["true", "a\0b"]) == ("'true' cannot be started with such arguments: embedded null byte")


def test_arguments_that_are_too_long() -> None:
    assert failure(["true", "x" * 10_000_000]) == (
        "the program 'true' could not be started: Argument list too long"
    )


def test_no_pseudo_terminal_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "openpty", none_left)
    assert failure(["true"]) == (
        "no descriptors for the child's output: No space left on device; "
        "a pipe instead of a pseudo-terminal (--no-pty) may do"
    )
