"""Errors of the program itself, injected wherever its code runs: it says so, ends, and leaves nothing."""

import asyncio
import importlib
import inspect
import os
import select
import signal
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from unittest.mock import patch

import pytest
from textual.events import Key

from tests.support.app_harness import WAIT_SECONDS, FakeExplorerDriver, run_explorer_app
from tests.support.explorer_terminal import terminal
from tui_ipc.cli.main import main
from tui_ipc.osutil.leaving import EXIT_DEFECT, catch_background_errors
from tui_ipc.recording.reader import open_recording


class Injected(Exception):
    """An error that nothing expects."""


@contextmanager
def inject(place: str, error: Exception | None = None) -> Iterator[None]:
    """Have a function fail: ``module:Class.method``."""
    module, _, name = place.partition(":")
    *path, last = name.split(".")
    owner: Any = importlib.import_module(f"tui_ipc.{module}")
    for part in path:
        owner = getattr(owner, part)

    def fail(*_: object, **__: object) -> NoReturn:
        raise error or Injected("injected")

    async def fail_later(*_: object, **__: object) -> NoReturn:
        fail()

    is_async = inspect.iscoroutinefunction(getattr(owner, last))
    with patch.object(owner, last, fail_later if is_async else fail):
        yield


def is_closed(path: Path) -> bool:
    """Whether a recording was ended by its writer."""
    recording = open_recording(str(path))
    list(recording.events())
    return recording.is_complete


RUNNER_PLACES = (
    "script.runner.runner:Runner._send",
    "script.runner.expectations:Expectations.expect_message",
    "script.runner.run_state:RunState.apply",
    "script.runner.session_driver:SessionDriver.quit",
    "script.report.text_report:TextReporter.begin",
    "script.report.text_report:TextReporter.report_event",
    "script.report.text_report:TextReporter.end_script",
    "session.session:Session.__aenter__",
    "session.handshake:Handshake.run",
    "session.conversation:Conversation.receive_all",
    "session.conversation:Conversation.send",
    "session.output:OutputReader._read_all",
    "session.process:JobControl._watch",
    "session.run:Run._shut_down",
    "recording.writer:RecordingWriter._end_turn",
)


@pytest.mark.parametrize("place", RUNNER_PLACES)
def test_an_error_in_a_script_s_run_ends_it(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """With a sentence, its traceback in a file, a recording that is closed, and no child."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with inject(place), pytest.raises(SystemExit) as caught:
        main(["--script", "--record", str(tmp_path / "run.rec")])
    assert caught.value.code == EXIT_DEFECT
    stderr = capfd.readouterr().err
    assert "tui-ipc: a defect in tui-ipc, please report it: Injected: injected\n" in stderr
    assert "Traceback" not in stderr
    (path,) = tmp_path.glob("tui-ipc-traceback-*.txt")
    assert f"the traceback is in {path}\n" in stderr
    assert "Injected: injected" in path.read_text()
    assert is_closed(tmp_path / "run.rec")
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            None,
            "a defect in tui-ipc, please report it: DefectInWorker: Injected: injected\n",
        ),
        (MemoryError(), "out of memory; allow it more (ulimit -v), or have the child"),
    ],
)
def test_an_error_in_one_of_several_processes_ends_the_run_likewise(
    error: Exception | None,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """With --jobs: the file has the traceback of the process in which it happened."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    scripts = [tmp_path / "one.tipc", tmp_path / "two.tipc"]
    for script in scripts:
        script.write_text("> 1\n")
    with inject("script.runner.runner:Runner._send", error), pytest.raises(SystemExit) as caught:
        main(["--jobs", "2", *(f"--script={script}" for script in scripts)])
    assert caught.value.code == EXIT_DEFECT
    stderr = capfd.readouterr().err
    assert f"tui-ipc: {sentence}" in stderr
    assert "Traceback" not in stderr
    (path,) = tmp_path.glob("tui-ipc-traceback-*.txt")
    assert "in _run_in_process" in path.read_text()
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_lack_of_memory_has_a_sentence_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    """And without a place for the traceback, that is printed."""
    with (
        patch("tempfile.mkstemp", side_effect=OSError),
        inject("script.runner.run_state:RunState.apply", MemoryError()),
        pytest.raises(SystemExit) as caught,
    ):
        main(["--script"])
    assert caught.value.code == EXIT_DEFECT
    stderr = capfd.readouterr().err
    assert "tui-ipc: out of memory; allow it more (ulimit -v), or have the child" in stderr
    assert stderr.endswith("MemoryError\n")


def press(*keys: str) -> Callable[[FakeExplorerDriver], Awaitable[None]]:
    """Return what makes a child be there, and presses keys, unless there is a defect before."""

    async def act(it: FakeExplorerDriver) -> None:
        it.session.handshake()
        while it.app.model.status.phase != "open" and it.app.defect is None:
            await asyncio.sleep(0.001)
        for key in keys:
            it.app.post_message(Key(key, key if len(key) == 1 else None))

    return act


send = press("x", "enter")


async def let_a_callback_fail(_: FakeExplorerDriver) -> None:
    """One of the loop's own."""

    def fail() -> None:
        raise Injected("injected")

    asyncio.get_running_loop().call_soon(fail)


async def let_a_thread_fail(_: FakeExplorerDriver) -> None:
    """One that somebody forgot."""

    def fail() -> None:
        raise Injected("injected")

    threading.Thread(target=fail).start()


EXPLORER_PLACES: tuple[tuple[str, Callable[[FakeExplorerDriver], Awaitable[None]]], ...] = (
    ("tui.app:ExplorerApp._on_event", send),
    ("tui.app:ExplorerApp._refresh_views", send),
    ("tui.app:ExplorerApp._check_channels", send),
    ("tui.session_controller:SessionController.post", send),
    ("tui.model.session_model:SessionModel.apply", send),
    ("tui.model.run_summary:RunSummaries.add", send),
    ("tui.scheduling:InputQueue._wait_until_idle", press("x")),
    ("tui.session_controller:SessionController._keep_up", send),
    ("tui.session_controller:SessionController._send_posted", send),
    ("tui.session_controller:SessionController._restart_run", press("ctrl+r", "enter")),
    ("tui.session_controller:SessionController._end_run", press("ctrl+t")),
    ("tui.widgets.log_view:LogView.render_line", send),
    ("tui.widgets.inputs:SafeInput.render_line", send),
    ("text.units:format_size", let_a_callback_fail),
    ("text.units:format_size", let_a_thread_fail),
)


@pytest.mark.parametrize(("place", "act"), EXPLORER_PLACES)
def test_an_error_in_the_explorer_ends_it(
    place: str, act: Callable[[FakeExplorerDriver], Awaitable[None]]
) -> None:
    """Its session is left, whatever was under way, and the error is there for whoever ran it."""
    drivers: list[FakeExplorerDriver] = []

    async def run() -> None:
        async with run_explorer_app() as it:
            drivers.append(it)
            with catch_background_errors(asyncio.get_running_loop(), it.app._handle_exception):
                async with asyncio.timeout(WAIT_SECONDS):
                    await act(it)
                    while it.app.defect is None:
                        await asyncio.sleep(0.001)

    with (
        patch("tui_ipc.tui.app.CHANNEL_CHECK_SECONDS", 0.01),
        inject(place),
        pytest.raises(Injected),
    ):
        asyncio.run(run())
    (it,) = drivers
    assert it.app.return_code == EXIT_DEFECT
    assert ("quit" in it.session.asked) is ("enter" in it.session.asked)


# Makes the terminal its controlling one; the first argument is what the event loop is stuck in, or "fail".
STUCK = """\
import fcntl, re, sys, termios, threading
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from tui_ipc.cli.main import main
from tui_ipc.tui.session_controller import SessionController
def act(self, session=SessionController.post):
    if kind == "fail":
        raise RuntimeError("\\x1b[31minjected")
    elif kind == "lock":
        threading.Event().wait()
    else:
        re.match("(a+)+$", "a" * 44 + "b")
kind = sys.argv.pop(1)
SessionController.post = lambda *_: act(_[0])
sys.exit(main())
"""


def test_an_error_gives_the_terminal_back(tmp_path: Path) -> None:
    """Then the sentence is printed, what it quotes made visible; the child is gone."""
    record = tmp_path / "run.rec"
    with terminal("fail", "--record", str(record), program=STUCK, TMPDIR=str(tmp_path)) as it:
        it.read_until(b"connected")
        it.type(b"x\r")
        assert it.finish() == EXIT_DEFECT
    _, _, after = it.written.rpartition(b"\x1b[?1049l")
    assert "a defect in tui-ipc, please report it: RuntimeError: ␛[31minjected\r\n".encode() in after
    assert b"the traceback is in " in after
    assert is_closed(record)


@pytest.mark.parametrize("kind", ["lock", "regex"])
def test_repeated_signals_end_an_explorer_that_is_stuck(kind: str) -> None:
    """At once, with its child, and the terminal is given back."""
    with terminal(kind, program=STUCK) as it:
        it.read_until(b"connected")
        task = f"/proc/{it.process.pid}/task/{it.process.pid}/children"
        children = [int(pid) for pid in Path(task).read_text().split()]
        it.press(b"x\r")
        while it.process.poll() is None:  # of several that come at once, some are merged into one
            it.process.send_signal(signal.SIGTERM)
            select.select([it.master], [], [], 0.05)
        assert it.finish() == 128 + signal.SIGTERM
    assert b"\x1b[?1049l" in it.written
    assert b"it did not end in time" in it.written
    assert children
    for pid in children:  # they were killed, and the kernel takes its time
        with suppress(ProcessLookupError), open(os.pidfd_open(pid), "rb", buffering=0) as end:
            assert select.select([end], [], [], 20)[0]
