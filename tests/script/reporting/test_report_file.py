"""A report replaces the one before it at once, or not at all."""

import os
import resource
import stat
import threading
from pathlib import Path

import pytest

from tui_ipc.script.reporting.report_file import ReportError, claim, write


def test_a_report_is_there_whole(tmp_path: Path) -> None:
    """In UTF-8, beside nothing else."""
    path = tmp_path / "r.xml"
    path.write_text("old and longer than the new one")
    for text in ("gréen\n", "new\n"):
        write(str(path), text)
        assert path.read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == ["r.xml"]


def test_a_new_report_permits_what_any_new_file_does(tmp_path: Path) -> None:
    """By the user's mask, which stays what it is."""
    mine = os.umask(0o027)
    try:
        for name in ("one.xml", "two.xml"):
            write(str(tmp_path / name), "text")
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o640
    finally:
        assert os.umask(mine) == 0o027


def test_a_claim_changes_nothing(tmp_path: Path) -> None:
    """Neither what is there nor what is not."""
    old = tmp_path / "old.xml"
    old.write_text("old")
    claim(str(old))
    claim(str(tmp_path / "new.xml"))
    assert old.read_text() == "old"
    assert os.listdir(tmp_path) == ["old.xml"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("none/r.xml", "cannot be written: No such file or directory; name a file that can be made"),
        (".", "cannot be written: Is a directory; name a file"),
        ("r\0.xml", "null character"),
        ("talk.tipc", "the report would overwrite the script"),
        ("linked.tipc", "the report would overwrite the script"),
    ],
)
def test_what_cannot_be_written_is_told_before(name: str, said: str, tmp_path: Path) -> None:
    """With the remedy; a script is no place for a report, by whatever name."""
    script = tmp_path / "talk.tipc"
    script.write_text("quit\n")
    (tmp_path / "linked.tipc").symlink_to(script)
    with pytest.raises(ReportError) as refused:
        claim(str(tmp_path / name), [str(script), "-", str(tmp_path / "gone")])
    assert said in str(refused.value)
    assert script.read_text() == "quit\n"


def test_what_a_report_permits_stays(tmp_path: Path) -> None:
    """Whoever could read the one before it can read this one."""
    path = tmp_path / "r.xml"
    path.touch()
    path.chmod(0o604)
    write(str(path), "text")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    target, link = tmp_path / "kept" / "r.xml", tmp_path / "r.xml"
    target.parent.mkdir()
    link.symlink_to(target)
    claim(str(link))
    write(str(link), "text")
    assert link.is_symlink()
    assert target.read_text() == "text"


def test_without_room_the_old_report_stays(tmp_path: Path) -> None:
    """And no half of the new one lies about."""
    path = tmp_path / "r.xml"
    path.write_text("old")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limit[1]))
    try:
        with pytest.raises(ReportError, match="File too large"):
            write(str(path), "x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.xml"]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """As under ``>(…)``: it is not replaced by a file."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    claim(path)
    writer = threading.Thread(target=write, args=(path, "text"))
    writer.start()
    with open(path, encoding="utf-8") as pipe:
        assert pipe.read() == "text"
    writer.join()
    assert stat.S_ISFIFO(os.stat(path).st_mode)


def test_an_open_file_of_ours_is_written_on(tmp_path: Path) -> None:
    """As ``/dev/stderr`` is, where that leads into a file: what is in it stays."""
    path = tmp_path / "log"
    with path.open("w", encoding="utf-8") as log:
        log.write("first\n")
        log.flush()
        name = f"/dev/fd/{log.fileno()}"
        claim(name)
        write(name, "second\n")
    assert path.read_text() == "first\nsecond\n"
