"""The fixtures that hold for every test: they see what is left behind, and they isolate."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def outcome(tmp_path: Path, body: str) -> str:
    """The closing lines of a pytest run of its own, with this project's fixtures, of a test with ``body``."""
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n")
    (tmp_path / "test_it.py").write_text(
        f"import os, pathlib, subprocess, sys\n\ndef test_it():\n    {body}\n"
    )
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
        str(tmp_path),
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("os.pipe()", "is still open: pipe:"),
        ("os.dup(1)", "is still open: "),
        ("os.posix_spawn('/bin/true', ['true'], {})", "has exited and was not reaped"),
        ("os.posix_spawn('/bin/sleep', ['sleep', '99'], {})", "still runs: sleep 99"),
        ("pathlib.Path(os.environ['XDG_RUNTIME_DIR'], 'left').touch()", "runtime directory:\n  left"),
    ],
)
def test_a_leak_fails_the_test_that_left_it(tmp_path: Path, body: str, sentence: str) -> None:
    """The test itself passes, its end is an error that names what was left."""
    report = outcome(tmp_path, body)
    assert "1 passed, 1 error" in report
    assert sentence in report


def test_a_failed_test_is_not_blamed_for_leaks_too(tmp_path: Path) -> None:
    """Its traceback keeps its objects alive; the failure is the news."""
    report = outcome(tmp_path, "ends = os.pipe(); assert ends is None")
    assert "1 failed" in report
    assert "error" not in report.splitlines()[-1]


def test_a_process_that_outlives_the_tests_is_reported_at_their_end(tmp_path: Path) -> None:
    """Also one whose parent has gone, so that it is nobody's child any more; it is named with its test."""
    report = outcome(tmp_path, "subprocess.run('sleep 5 >/dev/null 2>&1 &', shell=True, check=True)")
    assert "processes outlive the tests that started them" in report
    assert "still runs: sleep 5 (from " in report
    assert "test_it.py::test_it" in report


def test_environment_is_isolated(runtime_dir: Path, clean_env: dict[str, str]) -> None:
    """A test has an empty runtime directory with a short path, a home of its own, and buffered children."""
    assert os.environ["XDG_RUNTIME_DIR"] == str(runtime_dir)
    assert runtime_dir.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(runtime_dir)) < 60
    assert not any(runtime_dir.iterdir())
    assert Path.home() == runtime_dir.parent / "home"
    assert "PYTHONUNBUFFERED" not in clean_env
    assert clean_env is not os.environ
