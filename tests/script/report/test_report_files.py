"""A report replaces the one before it at once, or not at all."""

import os
import resource
import stat
import sys
import threading
from pathlib import Path

import pytest

from tests.support.junit_schema import validate_junit
from tests.support.outcome_strategies import FAILED, PASSED
from tests.support.tap_reader import read
from tui_ipc.script.report.passthrough import OutputTails
from tui_ipc.script.report.report_files import ReportError, ReportFiles, check_report_path, write_report


def test_a_report_is_there_whole(tmp_path: Path) -> None:
    """In UTF-8, beside nothing else."""
    path = tmp_path / "r.xml"
    path.write_text("old and longer than the new one")
    for text in ("gréen\n", "new\n"):
        write_report(str(path), text)
        assert path.read_text(encoding="utf-8") == text
    assert os.listdir(tmp_path) == ["r.xml"]


def test_a_new_report_permits_what_any_new_file_does(tmp_path: Path) -> None:
    """By the user's mask, which stays what it is."""
    mine = os.umask(0o027)
    try:
        for name in ("one.xml", "two.xml"):
            write_report(str(tmp_path / name), "text")
            assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o640
    finally:
        assert os.umask(mine) == 0o027


def test_a_claim_changes_nothing(tmp_path: Path) -> None:
    """Neither what is there nor what is not."""
    old = tmp_path / "old.xml"
    old.write_text("old")
    check_report_path(str(old))
    check_report_path(str(tmp_path / "new.xml"))
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
        check_report_path(str(tmp_path / name), [str(script), "-", str(tmp_path / "gone")])
    assert said in str(refused.value)
    assert script.read_text() == "quit\n"


def test_what_a_report_permits_stays(tmp_path: Path) -> None:
    """Whoever could read the one before it can read this one."""
    path = tmp_path / "r.xml"
    path.touch()
    path.chmod(0o604)
    write_report(str(path), "text")
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """What it leads to is replaced."""
    target, link = tmp_path / "kept" / "r.xml", tmp_path / "r.xml"
    target.parent.mkdir()
    link.symlink_to(target)
    check_report_path(str(link))
    write_report(str(link), "text")
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
            write_report(str(path), "x" * 200)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["r.xml"]


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    """As under ``>(…)``: it is not replaced by a file."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    check_report_path(path)
    writer = threading.Thread(target=write_report, args=(path, "text"))
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
        check_report_path(name)
        write_report(name, "second\n")
    assert path.read_text() == "first\nsecond\n"


def test_each_kind_in_its_file(tmp_path: Path) -> None:
    """What no report tells is not kept for one."""
    xml, tap = str(tmp_path / "r.xml"), str(tmp_path / "r.tap")
    reports = ReportFiles([("junit", xml), ("tap", tap)], [])
    assert (reports.on_stdout, reports.tails) == (False, OutputTails)
    assert reports.write([PASSED, FAILED]) == (0, [])
    assert validate_junit(Path(xml).read_text(encoding="utf-8")).get("failures") == "1"
    assert [point.passed for point in read(Path(tap).read_text(encoding="utf-8")).points] == [True, False]
    assert ReportFiles([("tap", tap)], []).tails is None


def test_standard_output_is_a_file_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In UTF-8, whatever the terminal takes."""
    with (tmp_path / "stdout").open("w", encoding="ascii") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        reports = ReportFiles([("tap", "-")], [])
        assert reports.on_stdout
        assert reports.write([FAILED]) == (0, [])
    assert not read((tmp_path / "stdout").read_text(encoding="utf-8")).points[0].passed


def test_one_that_cannot_be_written_costs_none_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk and a place that is gone are told; a reader that is gone wants to hear nothing."""
    gone = tmp_path / "gone"
    gone.mkdir()
    last = tmp_path / "r.tap"
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        reports = ReportFiles([("junit", str(gone / "r.xml")), ("tap", "-"), ("tap", str(last))], [])
        gone.rmdir()
        code, complaints = reports.write([PASSED])
    assert code == 2
    said = "cannot be written: No such file or directory; name a file that can be made"
    full_disk = "standard output cannot be written: No space left on device"
    assert complaints == [f"the report {gone / 'r.xml'} {said}", full_disk]
    assert read(last.read_text(encoding="utf-8")).points
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert ReportFiles([("tap", "-")], []).write([PASSED]) == (141, [])


def test_what_cannot_be_written_is_told_when_it_is_asked_for(tmp_path: Path) -> None:
    """Any of them."""
    with pytest.raises(ReportError, match=r"none/r\.xml cannot be written"):
        ReportFiles([("tap", "-"), ("junit", str(tmp_path / "none" / "r.xml"))], [])
