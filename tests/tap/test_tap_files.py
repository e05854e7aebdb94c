"""The recordings of taps: where they are, which are kept, and how one is named."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.tap import tap_files
from tui_ipc.tap.tap_files import describe_tap_files, find_tap_file, list_tap_files, make_tap_file


@pytest.fixture
def directory(runtime_dir: Path) -> Iterator[Path]:
    """Where they are; removed after the test."""
    path = runtime_dir / "tui-ipc-taps"
    yield path
    shutil.rmtree(path, ignore_errors=True)


def record(pid: int, *command: str, at: int = 0) -> str:
    """Make the recording of a tap that has ended; its path."""
    path = make_tap_file(command, pid)
    RecordingWriter(path, command=command).close()
    os.utime(path, (at, at))
    return path


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("/usr/bin/plugin", "--flag"), "plugin-7"),
        (("python3", "/a/worker.py", "channel_name:/x"), "worker.py-7"),
        (("python3", "-m", "worker"), "python3-7"),
        (("./a b\n", "x"), "a_b_-7"),
    ],
)
def test_a_tap_is_called_after_its_program_and_process(
    directory: Path, command: tuple[str, ...], name: str
) -> None:
    assert make_tap_file(command, 7) == str(directory / f"{name}.rec")
    assert directory.stat().st_mode & 0o777 == 0o700


def test_they_are_listed_with_the_live_ones_first(directory: Path) -> None:
    assert "no taps" in describe_tap_files()
    record(1, "old", at=1000)
    record(2, "new", at=2000)
    with RecordingWriter(make_tap_file(("running",), 3), command=("running", "--flag")) as writer:
        os.utime(writer.path, (500, 500))
        assert [tap.name for tap in list_tap_files()] == ["running-3", "new-2", "old-1"]
        lines = describe_tap_files().splitlines()
        narrow = describe_tap_files(40).splitlines()
    assert [line.split()[:2] for line in lines] == [
        ["NAME", "STATE"],
        ["running-3", "live"],
        ["new-2", "ended"],
        ["old-1", "ended"],
    ]
    assert lines[1].endswith("running --flag")
    assert max(map(len, narrow)) == 40
    assert narrow[1] == f"{lines[1][:39]}…"


def test_a_name_that_somebody_else_chose_is_shown_and_changes_no_terminal(directory: Path) -> None:
    record(1, "plugin")
    (directory / "plugin-1.rec").rename(os.fsdecode(bytes(directory) + b"/a\x1b[31m\xff-1.rec"))
    described = describe_tap_files()
    assert "\x1b" not in described
    described.encode()
    assert find_tap_file("31m").name.startswith("a\x1b")


def test_the_oldest_are_removed_and_never_a_live_one(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tap_files, "MAX_FILES", 2)
    with RecordingWriter(make_tap_file(("live",), 1)) as writer:
        os.utime(writer.path, (1, 1))
        for pid in range(2, 6):
            record(pid, "ended", at=pid)
        assert [tap.name for tap in list_tap_files()] == ["live-1", "ended-5", "ended-4"]


def test_a_part_of_a_name_is_enough_where_it_names_one(directory: Path) -> None:
    record(11, "worker")
    record(12, "worker")
    assert find_tap_file("12").name == "worker-12"
    with pytest.raises(
        RecordingError, match=r"2 taps have 'worker' in their names \(worker-1. worker-1.\)|2 taps"
    ):
        find_tap_file("worker")
    with RecordingWriter(make_tap_file(("worker",), 13)):
        assert find_tap_file("worker").name == "worker-13"
    with pytest.raises(RecordingError, match="no tap is called 'x'; list them with: tui-ipc --watch"):
        find_tap_file("x")


def test_a_directory_that_others_may_enter_is_refused(directory: Path) -> None:
    directory.mkdir(mode=0o755)
    with pytest.raises(RecordingError, match="not a directory of yours alone; remove it, or name a file"):
        make_tap_file(("worker",), 1)
