"""Recording while one explores: the mark, the file, and what goes wrong."""

import asyncio
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.support.app_harness import ExplorerDriver, run_replay_app
from tests.support.fake_session import FakeSession
from tests.support.recordings import encode_recording
from tests.support.sample_events import LISTENING
from tui_ipc.events import ChildSpawned, Note
from tui_ipc.recording.reader import open_recording
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.launch import run_explorer
from tui_ipc.tui.session_controller import SessionRecorder


def test_the_status_line_says_that_one_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mark before the counts, with the size; a notification says what it replaces, and that it failed."""

    async def main() -> None:
        session = FakeSession()
        recorder = SessionRecorder(["./echo"])
        (tmp_path / "talk.rec").write_bytes(encode_recording())
        recorder.start(str(tmp_path / "talk.rec"))
        app = ExplorerApp(session, recorder=recorder)
        async with app.run_test(size=(120, 36)) as pilot:
            it = ExplorerDriver(app, pilot)
            session.handshake()
            await it.until(lambda: it.text("counts").startswith(f"● rec {recorder.size} B   0 sent"))
            monkeypatch.setattr("tui_ipc.recording.writer._write", full)
            asyncio.get_running_loop().call_soon(recorder, LISTENING)
            await it.until(lambda: it.text("counts").startswith("✕ rec"))
            assert "talk.rec replaces a recording of 20" in it.notices()[0]
            assert "the disk is full [/red]" in it.notices()[1]
        recorder.stop()

    asyncio.run(main())


def full(*_: object) -> None:
    """What writing to a full disk does."""
    raise OSError(28, "the disk is full [/red]")


def test_what_happens_is_in_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A real child, explored and left: the recording holds its run to the audit, notes too, and is closed."""
    path = tmp_path / "talk.rec"

    def run(app: ExplorerApp) -> int:
        async def main() -> None:
            async with app.run_test() as pilot:
                await ExplorerDriver(app, pilot).until(lambda: app.model.status.phase == "open")
                await pilot.press(*"Hi", "enter", "tab", "m", *"look", "enter", "ctrl+q")
                await ExplorerDriver(app, pilot).until(lambda: app.return_code is not None)

        asyncio.run(main())
        app.saved_files["a script"] = "talk\x1b[2J.tipc"
        return app.return_code or 0

    with patch("tui_ipc.tui.launch.run_on_terminal", run):
        assert run_explorer(None, SessionOptions(timeout=20.0), record=str(path)) == 0
    recorded = open_recording(str(path))
    events = list(recorded.events())
    assert any(isinstance(event, ChildSpawned) for event in events)
    assert [event.text for event in events if isinstance(event, Note)] == ["look"]
    assert type(events[-1]).__name__ == "Audit"
    assert recorded.truncated == 0
    lines = capsys.readouterr().err.splitlines()
    assert [line[:8] for line in lines] == ["run 1: e", "left beh", "recorded", "saved: a"]
    assert f"recorded: {path} (" in lines[2]
    assert lines[3] == "saved: a script in talk␛[2J.tipc"


def test_a_file_that_cannot_be_made_is_refused_before_the_screen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line on standard error, exit code 2, and no child was started."""
    path = tmp_path / "missing" / "talk.rec"
    assert run_explorer(record=str(path)) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"tui-ipc: {path} cannot be recorded to: No such file or directory")
    assert error.count("\n") == 1


def test_a_full_disk_is_told_on_the_screen_and_after_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The session goes on unrecorded, the sentence is repeated where it stays, and the exit code says so."""
    path = tmp_path / "talk.rec"
    seen: list[str] = []
    full = OSError(28, "No space left on device")

    def run(app: ExplorerApp) -> int:
        async def main() -> None:
            async with app.run_test() as pilot:
                it = ExplorerDriver(app, pilot)
                await it.until(lambda: app.model.status.phase == "open")
                with patch("tui_ipc.recording.writer._write", side_effect=full):
                    await pilot.press(*"Hi", "enter")
                    await it.until(lambda: app.model.status.received)
                    await it.until(it.notices)
                await it.until(lambda: it.text("counts").startswith("✕ rec"))
                seen.extend([it.text("counts"), *it.notices()])
                await pilot.press("ctrl+q")
                await it.until(lambda: app.return_code is not None)

        asyncio.run(main())
        return 0

    with patch("tui_ipc.tui.launch.run_on_terminal", run):
        assert run_explorer(None, SessionOptions(timeout=20.0), record=str(path)) == 2
    assert seen[0].startswith("✕ rec")
    assert "No space left on device" in seen[1]
    assert "No space left on device" in capsys.readouterr().err


def test_a_recording_that_began_midway_is_shown_like_any_other(tmp_path: Path) -> None:
    """With the handshake that was before it, at once; the child is known, and what was said since."""
    path = tmp_path / "talk.rec"

    async def record() -> None:
        recorder = SessionRecorder(["built-in"])
        app = ExplorerApp(Session(record=recorder), recorder=recorder)
        async with app.run_test() as pilot:
            it = ExplorerDriver(app, pilot)
            await it.until(lambda: app.model.status.phase == "open")
            await pilot.press(*"before", "enter")
            await it.until(lambda: app.model.status.received == 1)
            recorder.start(str(path))
            await pilot.press(*"during", "enter")
            await it.until(lambda: app.model.status.received == 2)
            await pilot.press("ctrl+q")
            await it.until(lambda: app.return_code is not None)
        recorder.stop()

    async def show() -> None:
        async with run_replay_app(path, speed=20.0) as it:
            await it.until(lambda: it.shows("log", "during") and it.shows("log", "clean"))
            assert it.shows("log", "listening")
            assert not it.shows("log", "before")
            assert "echo" in it.text("who")
            assert "exited with code 0" in it.text("who")
            await it.pilot.press("f7")
            await it.until(lambda: "channels open" in it.frame() and "nothing was left behind" in it.frame())

    asyncio.run(record())
    asyncio.run(show())
