"""Fixtures for every test: it has an environment of its own, and fails if it leaves something behind.

That is a descriptor, a child process, a thread or a file in the runtime directory. Leaving nothing behind is
a promise of this project, so there are no exceptions.
"""

import gc
import itertools
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support import leaks

# What may be set where the tests run, and would change their outcome.
_FOREIGN = (
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "EDITOR",
    "FORCE_COLOR",
    "GITHUB_WORKSPACE",
    "LINES",
    "NO_COLOR",
    "PYTHONUNBUFFERED",
    "TUI_IPC_HISTORY",
    "TUI_IPC_SERVER",
    "TUI_IPC_SETTINGS",
    "TUI_IPC_TAP",
    "VISUAL",
)
_NUMBERS = itertools.count(1)
_FAILED = pytest.StashKey[bool]()

# No deadlines: they measure the machine. In CI the same examples each time: a failure is the change's.
settings.register_profile("tui-ipc", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tui-ipc")

# A shell without job control starts background jobs with SIGINT ignored, and children inherit that: none of
# them could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Collect garbage less often, and only among the tests' objects: it took a quarter of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note whether a test failed: its traceback keeps objects alive then, which is not a leak."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture(scope="session")
def base_dir() -> Iterator[Path]:
    """A directory with a short path, so that a socket's path below it stays far from the limit of 107 bytes.

    At the end no process may live that has inherited an environment pointing into it.
    """
    path = Path(tempfile.mkdtemp(prefix="tipc-"))
    yield path
    left = leaks.find_descendants("XDG_RUNTIME_DIR", f"{path}/")
    shutil.rmtree(path)
    if left:
        pytest.fail(_format_list("processes outlive the tests that started them:", left), pytrace=False)


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a descriptor, a child or a thread, or closes one that it did not open."""
    before = leaks.take_snapshot()
    yield
    left = leaks.find_leaks(before)
    if not request.session.testsfailed:  # what a failed test still held is closed during the next one
        left += leaks.find_closed(before)
    leaks.kill_new_children(before)
    if left and _FAILED not in request.node.stash:
        pytest.fail(_format_list("the test did not leave the process as it found it:", left), pytrace=False)


@pytest.fixture(autouse=True)
def runtime_dir(
    request: pytest.FixtureRequest, base_dir: Path, monkeypatch: pytest.MonkeyPatch, no_leaks: None
) -> Iterator[Path]:
    """The test's own ``XDG_RUNTIME_DIR``, and home; fails a test that leaves a file in the former.

    Yields:
        The directory, empty, mode 0700, its path below 40 bytes where ``/tmp`` holds temporary files.
    """
    parent = base_dir / str(next(_NUMBERS))
    directory, home = parent / "run", parent / "home"
    for path in (parent, directory, home):
        path.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", *_FOREIGN):
        monkeypatch.delenv(name, raising=False)
    yield directory
    left = sorted(os.listdir(directory))
    with suppress(OSError):  # base_dir removes what is not empty: rmtree takes longer than most tests
        for path in (home, directory, parent):
            path.rmdir()
    if left and _FAILED not in request.node.stash:
        pytest.fail(_format_list("the test left files in the runtime directory:", left), pytrace=False)


@pytest.fixture
def clean_env(runtime_dir: Path) -> dict[str, str]:
    """An environment for a child, free to change: this test's, in which Python buffers its output."""
    return dict(os.environ)


def _format_list(heading: str, lines: list[str]) -> str:
    return "\n  ".join([heading, *lines])
