"""What holds for every test: an environment of its own, and nothing left behind.

A test that leaves a descriptor, a child process, a thread or a file in the runtime directory fails, whatever
it was about: leaving nothing behind is a promise of this project, so no test may need an exception from it.
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

# What the machine or the terminal of whoever runs the tests may have set, and would change their outcome.
_FOREIGN = (
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "COLUMNS",
    "EDITOR",
    "FORCE_COLOR",
    "LINES",
    "NO_COLOR",
    "PYTHONUNBUFFERED",
    "TUI_IPC_HISTORY",
    "TUI_IPC_SERVER",
    "TUI_IPC_SETTINGS",
    "VISUAL",
)
_NUMBERS = itertools.count(1)
_FAILED = pytest.StashKey[bool]()

# No deadlines: they measure the machine. In CI the same examples each time: a failure is the change's.
settings.register_profile("tui-ipc", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("tui-ipc")

# A shell without job control starts what runs in its background with SIGINT ignored, which children inherit:
# none of them could be interrupted.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Collects garbage less often, and only among what the tests make: it took a quarter of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes whether a test failed: its traceback then keeps its objects alive, which is no leak."""
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
        pytest.fail(_listed("processes outlive the tests that started them:", left), pytrace=False)


@pytest.fixture(autouse=True)
def no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a descriptor, a child or a thread, or closes a descriptor not its own."""
    before = leaks.take_snapshot()
    yield
    left = leaks.find_leaks(before)
    if not request.session.testsfailed:  # what a failed test still held is let go during the next one
        left += leaks.find_closed(before)
    leaks.kill_new_children(before)
    if left and _FAILED not in request.node.stash:
        pytest.fail(_listed("the test did not leave the process as it found it:", left), pytrace=False)


@pytest.fixture(autouse=True)
def runtime_dir(
    request: pytest.FixtureRequest, base_dir: Path, monkeypatch: pytest.MonkeyPatch, no_leaks: None
) -> Iterator[Path]:
    """The test's own ``XDG_RUNTIME_DIR``, beside a home of its own; fails a test that leaves a file in it.

    Yields:
        The directory, empty, mode 0700, its path below 40 bytes where ``/tmp`` holds temporary files.
    """
    place = base_dir / str(next(_NUMBERS))
    directory, home = place / "run", place / "home"
    for each in (place, directory, home):
        each.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", *_FOREIGN):
        monkeypatch.delenv(name, raising=False)
    yield directory
    left = sorted(os.listdir(directory))
    with suppress(OSError):  # what is not empty goes with base_dir: rmtree would cost more than most tests
        for each in (home, directory, place):
            each.rmdir()
    if left and _FAILED not in request.node.stash:
        pytest.fail(_listed("the test left files in the runtime directory:", left), pytrace=False)


@pytest.fixture
def clean_env(runtime_dir: Path) -> dict[str, str]:
    """An environment for a child, free to change: this test's, in which Python buffers its output."""
    return dict(os.environ)


def _listed(heading: str, lines: list[str]) -> str:
    return "\n  ".join([heading, *lines])
