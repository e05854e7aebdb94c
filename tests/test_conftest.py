"""The fixtures that hold for every test: they see what is left behind, and they isolate."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BODIES = {
    "pipe": "os.pipe()",
    "dup": "os.dup(1)",
    "zombie": "os.posix_spawn('/bin/true', ['true'], {})",
    "child": "os.posix_spawn('/bin/sleep', ['sleep', '99'], {})",
    "file": "pathlib.Path(os.environ['XDG_RUNTIME_DIR'], 'left').touch()",
    "failing": "ends = os.pipe(); assert ends is None",
    "orphan": "subprocess.run('sleep 5 >/dev/null 2>&1 &', shell=True, check=True)",
}
"""What the tests of the inner run do, each in a test named after its key."""

pytestmark = pytest.mark.xdist_group("conftest")  # all look at one inner run, which takes seconds


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The output of a pytest run of its own, with this project's fixtures, of the tests above."""
    place = tmp_path_factory.mktemp("inner")
    (place / "conftest.py").write_text("from tests.conftest import *\n")
    tests = (f"def test_{name}():\n    {body}\n" for name, body in BODIES.items())
    (place / "test_it.py").write_text("import os, pathlib, subprocess\n\n" + "\n".join(tests))
    options = ["-rA", "-p", "no:cacheprovider", "--rootdir", str(place), str(place)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def outcomes(report: str, name: str) -> list[str]:
    """What the summary lists for a test of the inner run."""
    return re.findall(rf"^(PASSED|FAILED|ERROR) \S*test_it\.py::test_{name}\b", report, re.MULTILINE)


def ending(report: str, name: str) -> str:
    """What the report says of the teardown of a test of the inner run."""
    return report.partition(f" ERROR at teardown of test_{name} ")[2].partition(" ERROR at ")[0]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pipe", "is still open: pipe:"),
        ("dup", "is still open: "),
        ("zombie", "has exited and was not reaped"),
        ("child", "still runs: sleep 99"),
        ("file", "runtime directory:\n  left"),
    ],
)
def test_a_leak_fails_the_test_that_left_it(report: str, name: str, sentence: str) -> None:
    """The test itself passes; its teardown is an error that names what was left."""
    assert sorted(outcomes(report, name)) == ["ERROR", "PASSED"]
    assert sentence in ending(report, name)


def test_a_failed_test_is_not_blamed_for_leaks_too(report: str) -> None:
    """Its traceback keeps its objects alive; the failure is what matters."""
    assert outcomes(report, "failing") == ["FAILED"]


def test_a_process_that_outlives_the_tests_is_reported_at_their_end(report: str) -> None:
    """Also one whose parent has gone; it is named with its test."""
    assert "processes outlive the tests that started them" in ending(report, "orphan")
    assert re.search(r"still runs: sleep 5 \(from .*test_it\.py::test_orphan", ending(report, "orphan"))


def test_environment_is_isolated(runtime_dir: Path, clean_env: dict[str, str]) -> None:
    """A test has an empty runtime directory with a short path, a home of its own, and buffered children."""
    assert os.environ["XDG_RUNTIME_DIR"] == str(runtime_dir)
    assert runtime_dir.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(runtime_dir)) < 60
    assert not any(runtime_dir.iterdir())
    assert Path.home() == runtime_dir.parent / "home"
    assert "PYTHONUNBUFFERED" not in clean_env
    assert clean_env is not os.environ
