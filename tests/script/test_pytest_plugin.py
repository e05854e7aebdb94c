"""The plugin for pytest, in runs of pytest's own: what is collected, reported, kept and rewritten."""

import sys
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from pkgutil import walk_packages
from xml.etree import ElementTree

import pytest

import tui_ipc
from tests.support.documents import DOCS, find_block

pytest_plugins = ["pytester"]

# An environment that was installed before the plugin was there does not name it yet.
NAMED = () if entry_points(group="pytest11", name="tui_ipc") else ("-p", "tui_ipc.script.pytest_plugin")
# A run in this process forgets the modules that it was the first to import, and the next one would import
# them anew, with classes of their own.
for module in walk_packages(tui_ipc.__path__, "tui_ipc."):
    if not module.name.startswith("tui_ipc.tui") and not module.name.endswith("__main__"):
        import_module(module.name)

PASSES = "> hi\n< Child received: hi\n"
FAILS = "> hi\n# comment\n< Child received: ho\n"


@pytest.fixture(name="files")
def make_files(pytester: pytest.Pytester, runtime_dir: Path) -> pytest.Pytester:
    """A directory with a script that passes, one that fails and one that is faulty."""
    for name, text in (("passes", PASSES), ("fails", FAILS), ("faulty", "qiut\n")):
        (pytester.path / f"{name}.tipc").write_text(text)
    return pytester


def run(files: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run pytest in this process; warnings are errors."""
    return files.runpytest_inprocess(*NAMED, "-W", "error", "--basetemp=kept", *arguments)


def test_scripts_are_tests(files: pytest.Pytester) -> None:
    """The failure has the report of the script, the line, what the child printed, and a recording."""
    result = run(files, "--strict-markers")
    result.assert_outcomes(passed=1, failed=2)
    recording = files.path / "kept" / "tipc0" / "fails.rec"
    result.stdout.fnmatch_lines(
        [
            "E   fails.tipc:3: a different message came than expected",
            'E     expected  "Child received: ho"',
            f"E   fails.tipc: recorded in {recording}; tui-ipc --replay * shows it",
            "*Captured child stdout call*",
            "Received from parent: hi",
            'E   faulty.tipc:1:1: unknown step "qiut"; did you mean quit[?]',
            "FAILED fails.tipc::fails - a different message came than expected",
        ]
    )
    assert [path.name for path in recording.parent.iterdir()] == [recording.name]


def test_pytest_selects_and_reports_them(files: pytest.Pytester) -> None:
    """By name, by mark, those that failed last; in its JUnit report, also from the workers of xdist."""
    (files.path / "slow.tipc").write_text(f"# pytest.mark.slow\n# pytest.mark.xfail(reason='late')\n{FAILS}")
    files.makeini("[pytest]\nmarkers = slow: takes long\n")
    run(files, "-m", "slow", "--strict-markers").assert_outcomes(xfailed=1)
    run(files, "-m", "not tipc").assert_outcomes()
    run(files, "-k", "passes or fails").assert_outcomes(passed=1, failed=1)
    run(files, "--last-failed", "fails.tipc", "passes.tipc").assert_outcomes(failed=1)


def test_workers_of_xdist_report_them_too(files: pytest.Pytester) -> None:
    """With the reason, and what was rewritten; in pytest's JUnit report as well."""
    result = run(files, "-n1", "--junitxml=r.xml", "--tipc-update", "fails.tipc", "faulty.tipc")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["*scripts that were updated*", "fails.tipc"])
    result.stdout.fnmatch_lines(['FAILED faulty.tipc::faulty - unknown step "qiut"; did you mean quit[?]'])
    [failure] = ElementTree.parse(files.path / "r.xml").iter("failure")
    assert failure.get("message") == 'unknown step "qiut"; did you mean quit?'


@pytest.mark.parametrize("mark", ["timeout(", "timeout(x)", "timeout + 1"])
def test_a_mark_that_cannot_be_read_is_an_error_with_its_line(mark: str, files: pytest.Pytester) -> None:
    """Not a test that lacks it in silence."""
    (files.path / "marked.tipc").write_text(f"# a comment\n# pytest.mark.{mark}\n{PASSES}")
    result = run(files, "marked.tipc")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*marked.tipc:2: a mark is written as in Python*"])


def test_the_command_of_scripts_without_spawn(files: pytest.Pytester) -> None:
    """It is run in the root directory, wherever pytest was started."""
    text = "from tui_ipc.child import serve\nserve(lambda message: f'own {message}')\n"
    (files.path / "own.py").write_text(text)
    files.makeini(f"[pytest]\ntipc_command = {sys.executable} own.py\n")
    below = files.mkdir("below")
    (below / "own.tipc").write_text("> hi\n< own hi\n")
    files.chdir()
    run(files, "--rootdir", ".", "below").assert_outcomes(passed=1)


def test_an_update_rewrites_scripts_and_shows_the_differences(files: pytest.Pytester) -> None:
    """As ``tui-ipc --update`` does."""
    result = run(files, "--tipc-update", "fails.tipc", "passes.tipc")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        [
            "*scripts that were updated*",
            "fails.tipc",
            "line 3 rewritten",
            "@@ -3 +3 @@",
            "-< Child received: ho",
            "+< Child received: hi",
        ]
    )
    assert (files.path / "fails.tipc").read_text() == FAILS.replace("ho", "hi")


PYTHON = """
import pytest

def test_child(tui_ipc_child):
    process, to_child, from_child = tui_ipc_child()
    to_child.send("hi")
    assert from_child.recv(timeout=20) == "Child received: hi"

def test_session(tui_ipc_session):
    session = tui_ipc_session()
    assert session.wait_for_output("Server name: (.*)")[1]
    for number in range(3):
        session.send(number)
        assert session.receive() == f"Child received: {number}"
    assert "Received from parent: 2" in session.stdout
    assert session.quit() == 0
    assert session.stderr == ""

def test_silence(tui_ipc_session):
    tui_ipc_session(timeout=20).receive(timeout=0.01)

def test_no_handshake(tui_ipc_session):
    tui_ipc_session("true")

def test_gone(tui_ipc_session):
    session = tui_ipc_session()
    session.quit()
    with pytest.raises(AssertionError, match="can: the channel is closed"):
        session.receive()
    with pytest.raises(AssertionError, match="printed nothing on stderr that /x/ finds"):
        session.wait_for_output("x", "stderr")
    session.send("hi")
"""


def test_tests_in_python_talk_to_children(files: pytest.Pytester) -> None:
    """A failure shows what the child does and printed, and names its recording."""
    files.makepyfile(PYTHON)
    result = run(files, "-k", "test_")
    result.assert_outcomes(passed=2, failed=3)
    result.stdout.fnmatch_lines(
        [
            ">       tui_ipc_session(timeout=20).receive(timeout=0.01)",
            "E*SessionFailure: no message came within 0.01 s",
            "*- child -*",
            "*- child stdout -*",
            "*- recording -*",
            "*test_silence-1.rec; tui-ipc --replay * shows it",
            "E*SessionFailure: the child exited with code 0 before it connected*",
            "E*SessionFailure: *",
        ]
    )
    kept = sorted(path.name for path in (files.path / "kept" / "tipc0").iterdir())
    assert kept == ["test_gone-1.rec", "test_no_handshake-1.rec", "test_silence-1.rec"]


def test_the_test_in_the_document_passes(files: pytest.Pytester) -> None:
    """SCRIPTS.md: beside its child, as it is printed."""
    for name in ("bank.py", "test_bank.py"):
        (files.path / name).write_text(find_block(DOCS / "SCRIPTS.md", "python", f"# {name}"))
    run(files, "test_bank.py").assert_outcomes(passed=3)


def test_nothing_of_ours_is_loaded_before_it_is_needed(files: pytest.Pytester) -> None:
    """A project that has the plugin, and uses it nowhere, does not pay for it."""
    files.makepyfile("import sys\ndef test(): print(*[name for name in sys.modules if 'tui_ipc' in name])")
    result = files.runpytest_subprocess(*NAMED, "-k", "test", "-s", "-p", "no:xdist")
    loaded = next(line for line in result.outlines if "tui_ipc.script.pytest_plugin" in line).split()
    assert not [name for name in loaded if name.startswith(("tui_ipc.session", "tui_ipc.recording"))]
