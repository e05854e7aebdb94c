"""What is written to files from within the explorer."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.app_harness import FakeExplorerDriver, run_scene
from tests.support.fake_session import RecordingFakeSession
from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.recording.reader import open_recording
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.file_actions import NewFile, SaveError, find_path_problem, find_unused_path
from tui_ipc.tui.model.search import parse_filter
from tui_ipc.tui.screens.dialogs import PathScreen
from tui_ipc.tui.session_controller import SessionRecorder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def perform(scene: Callable[[FakeExplorerDriver], Awaitable[None]], **options: Any) -> None:
    """Run a scene with an explorer that can record."""

    async def main() -> None:
        recorder = SessionRecorder(["./echo"])
        session = RecordingFakeSession(recorder)
        app = ExplorerApp(session, recorder=recorder, command=["./echo"], **options)
        async with app.run_test(size=(120, 36)) as pilot:
            await scene(FakeExplorerDriver(app, session, pilot))
        recorder.stop()

    asyncio.run(main())


async def name(it: FakeExplorerDriver, path: str) -> None:
    """Name a file in the dialog that is to open."""
    await it.until(lambda: isinstance(it.app.screen, PathScreen))
    await it.pilot.press("ctrl+u", *path, "enter")


def test_f5_records_and_records_no_more(here: Path) -> None:
    """A name is suggested; the recording begins with the handshake that was, and ends with the key."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("before")
        await it.until(lambda: it.session.sent)
        await it.pilot.press("f5")
        await it.until(lambda: "Record from now on" in it.frame() and "echo-2" in it.frame())
        await name(it, "talk.rec")
        await it.until(lambda: "● rec" in it.text("counts"))
        await it.say("during")
        await it.until(lambda: len(it.session.sent) == 2)
        await it.pilot.press("f5")
        await it.until(lambda: "● rec" not in it.text("counts"))
        await it.say("after")
        await it.until(lambda: len(it.session.sent) == 3)
        assert "talk.rec" in it.notices()[-1]

    perform(scene)
    events = list(open_recording(str(here / "talk.rec")).events())
    assert type(events[0]).__name__ == "ServerListening"
    assert [event.value for event in events if isinstance(event, MessageSent)] == ["during"]


def test_no_file_is_written_over(here: Path) -> None:
    """The dialog stays and says why; Escape gives up."""
    (here / "talk.rec").write_text("precious")

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f5")
        await name(it, "talk.rec")
        await it.until(lambda: "talk.rec already exists; name another file." in it.frame())
        await it.pilot.press("ctrl+u", *"no/talk.rec", "enter")
        await it.until(lambda: "The directory no does not exist; make it first" in it.frame())
        await it.pilot.press("escape")
        assert it.app.recorder is not None
        assert it.app.recorder.state == "off"

    perform(scene)
    assert [each.name for each in here.iterdir()] == ["talk.rec"]
    assert (here / "talk.rec").read_text() == "precious"


def test_f8_saves_a_script(here: Path) -> None:
    """Of what the log holds, with the command; whether all of it is held is passed on."""
    asked: list[tuple[int, tuple[str, ...], bool]] = []

    def save(events: Iterable[AnyEvent], command: Sequence[str], *, first_missing: bool) -> str:
        asked.append((len(list(events)), tuple(command), first_missing))
        return "> é\n"

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f8")
        await name(it, "talk.tipc")
        await it.until(lambda: any("A script, 4 B, is in talk.tipc" in said for said in it.notices()))

    perform(scene, save_script=save)
    assert asked == [(5, ("./echo",), False)]
    assert (here / "talk.tipc").read_text() == "> é\n"


def test_without_a_writer_of_scripts_there_is_no_key_for_them() -> None:
    """Nor an entry in the palette."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f8")
        assert len(it.app.screen_stack) == 1
        titles = {command.title for command in it.app.get_system_commands(it.app.screen)}
        assert "Save script" not in titles
        assert {"Record", "Export"} <= titles

    perform(scene)


def test_f9_exports_the_log(here: Path) -> None:
    """As lines of JSON: all of it, or what passes the filter."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.say("Hi")
        await it.until(lambda: it.shows("log", '"Hi"'))
        await it.pilot.press("f9", "enter")
        await name(it, "all.jsonl")
        await it.until(lambda: (here / "all.jsonl").exists() and len(it.notices()) == 1)
        it.app.log_view.set_filter(parse_filter("sent"))
        await it.pilot.press("f9", *"filt", "enter")
        await name(it, "some.jsonl")
        await it.until(lambda: len(it.notices()) == 2)

    perform(scene)
    everything = [json.loads(line) for line in (here / "all.jsonl").read_text().splitlines()]
    assert [each["event"] for each in everything][-2:] == ["channels-open", "message-sent"]
    some = [json.loads(line) for line in (here / "some.jsonl").read_text().splitlines()]
    assert [each["value"] for each in some] == ["Hi"]


def test_f9_exports_the_screen(here: Path) -> None:
    """The explorer itself, not the dialog that asks for a name."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f9", *"screen", "enter")
        await name(it, "now.svg")
        await it.until(lambda: any("A picture" in said for said in it.notices()))

    perform(scene)
    picture = (here / "now.svg").read_text()
    assert picture.startswith("<svg")
    assert "listening" in picture
    assert "Save" not in picture


def test_a_disk_that_is_full_is_told(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file's name and the system's reason."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f9", "enter")
        await name(it, "all.jsonl")
        await it.until(it.notices)
        assert "all.jsonl cannot be written: No space left on device" in it.notices()[0]

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui_ipc.events.json_form.format_line", full)
    perform(scene)


def test_a_session_without_a_tape_says_so() -> None:
    """As one that a test plays."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.pilot.press("f5")
        assert it.notices() == ["There is nothing to record."]

    run_scene(scene)


def test_new_file_holds_the_pieces(tmp_path: Path) -> None:
    """The pieces are in order, in UTF-8; a surrogate, which UTF-8 lacks, is escaped."""
    path = tmp_path / "new.txt"
    assert NewFile(str(path)).write(iter(["é\n", "\udcff", "end"])) == 6
    assert path.read_bytes() == "é\n\\udcffend".encode()


def test_new_file_does_not_replace_an_existing_one(tmp_path: Path) -> None:
    """A file that was created after the path was checked is kept."""
    path = tmp_path / "new.txt"
    path.write_text("precious")
    with pytest.raises(SaveError, match=r"cannot be created: File exists; name another file\."):
        NewFile(str(path))
    assert path.read_text() == "precious"


def test_new_file_reports_an_impossible_path() -> None:
    """The error has the system's reason."""
    for path in ("a\0b", "x" * 300, "/proc/nothing-can-be-made-here"):
        with pytest.raises(SaveError, match="cannot be created"):
            NewFile(path)


def test_find_path_problem_refuses_what_exists(here: Path) -> None:
    """A file, a dangling link and a directory are refused, and a missing directory and an empty path."""
    (here / "a.rec").touch()
    (here / "link").symlink_to("nowhere")
    (here / "sub").mkdir()
    for name in ("a.rec", "link", "sub"):
        assert find_path_problem(name) == f"{name} already exists; name another file."
    assert find_path_problem("b.rec") is None
    assert find_path_problem("sub/b.rec") is None
    assert (
        find_path_problem("missing/b.rec")
        == "The directory missing does not exist; make it first, or name another file."
    )
    assert find_path_problem("") == "Name a file."


def test_find_unused_path_counts_up(here: Path) -> None:
    """The first free number is suggested."""
    assert find_unused_path("echo", "rec") == "echo.rec"
    (here / "echo.rec").touch()
    (here / "echo-2.rec").touch()
    assert find_unused_path("echo", "rec") == "echo-3.rec"
