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
from tests.support.scripted_session import audit
from tests.support.tap_reader import read
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.reader import open_recording
from tui_ipc.script.report.passthrough import OutputTails
from tui_ipc.script.report.result_files import (
    FailureRecordings,
    OneRecording,
    ReportError,
    ReportFiles,
    check_report_path,
    write_report,
)


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
    ("name", "sentence"),
    [
        ("none/r.xml", "cannot be written: No such file or directory; name a file that can be created"),
        (".", "cannot be written: Is a directory; name a file"),
        ("r\0.xml", "null character"),
        ("talk.tipc", "the report would overwrite the script"),
        ("linked.tipc", "the report would overwrite the script"),
    ],
)
def test_an_unwritable_report_is_refused_before_the_run(name: str, sentence: str, tmp_path: Path) -> None:
    """With the remedy; a script is no place for a report, by whatever name."""
    script = tmp_path / "talk.tipc"
    script.write_text("quit\n")
    (tmp_path / "linked.tipc").symlink_to(script)
    with pytest.raises(ReportError) as refused:
        check_report_path(str(tmp_path / name), [str(script), "-", str(tmp_path / "gone")])
    assert sentence in str(refused.value)
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
    assert (reports.on_stdout, reports.make_output_tails) == (False, OutputTails)
    assert reports.write([PASSED, FAILED]) == (0, [])
    assert validate_junit(Path(xml).read_text(encoding="utf-8")).get("failures") == "1"
    assert [point.passed for point in read(Path(tap).read_text(encoding="utf-8")).points] == [True, False]
    assert ReportFiles([("tap", tap)], []).make_output_tails is None


def test_standard_output_is_a_file_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In UTF-8, whatever the terminal takes."""
    with (tmp_path / "stdout").open("w", encoding="ascii") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        reports = ReportFiles([("tap", "-")], [])
        assert reports.on_stdout
        assert reports.write([FAILED]) == (0, [])
    assert not read((tmp_path / "stdout").read_text(encoding="utf-8")).points[0].passed


def test_one_unwritable_report_does_not_lose_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk and a missing directory are reported; a reader that went away is not."""
    gone = tmp_path / "gone"
    gone.mkdir()
    last = tmp_path / "r.tap"
    with open("/dev/full", "w", encoding="utf-8") as full:
        monkeypatch.setattr(sys, "stdout", full)
        reports = ReportFiles([("junit", str(gone / "r.xml")), ("tap", "-"), ("tap", str(last))], [])
        gone.rmdir()
        code, complaints = reports.write([PASSED])
    assert code == 2
    sentence = "cannot be written: No such file or directory; name a file that can be created"
    full_disk = "standard output cannot be written: No space left on device"
    assert complaints == [f"the report {gone / 'r.xml'} {sentence}", full_disk]
    assert read(last.read_text(encoding="utf-8")).points
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w", encoding="utf-8") as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        assert ReportFiles([("tap", "-")], []).write([PASSED]) == (141, [])


def test_an_unwritable_report_is_refused_when_asked_for(tmp_path: Path) -> None:
    """Any of them."""
    with pytest.raises(ReportError, match=r"none/r\.xml cannot be written"):
        ReportFiles([("tap", "-"), ("junit", str(tmp_path / "none" / "r.xml"))], [])


def test_a_recording_that_was_asked_for_stays(tmp_path: Path) -> None:
    """However the script ends; after a failure it is worth a word."""
    path = str(tmp_path / "x.rec")
    for failed, told in ((False, None), (True, path)):
        keeping = OneRecording(path, ("./child",))
        keeping.begin(1, ("./child",), 0)(audit())
        assert keeping.end(failed=failed) == told
        assert list(open_recording(path).events()) == [audit()]
        assert open_recording(path).command == ("./child",)


def test_only_failures_stay(tmp_path: Path) -> None:
    """Each named after its script; two of one name get a number."""
    directory = tmp_path / "made" / "for it"
    scripts = {"a/talk.tipc": True, "b/talk.tipc": False, "c/talk.tipc": True, "standard input": True}
    keeping = FailureRecordings(str(directory), [*scripts])
    told = []
    for number, failed in enumerate(scripts.values(), 1):
        keeping.begin(number, ("./child",), 0)(audit())
        told.append(keeping.end(failed=failed))
    names = ["talk.rec", None, "talk-3.rec", "standard-input.rec"]
    assert told == [name and str(directory / name) for name in names]
    assert sorted(os.listdir(directory)) == ["standard-input.rec", "talk-3.rec", "talk.rec"]


def test_a_failure_of_an_earlier_call_does_not_outlive_its_cure(tmp_path: Path) -> None:
    """A recording in the directory is a failure of the last call that ran its script."""
    for failed, left in ((True, ["talk.rec"]), (False, [])):
        keeping = FailureRecordings(str(tmp_path), ["talk.tipc"])
        keeping.begin(1, (), 0)
        keeping.end(failed=failed)
        assert os.listdir(tmp_path) == left


@pytest.mark.parametrize("failures", [(True, False), (True, True, False), (True, True)])
def test_of_several_attempts_the_last_failure_stays(failures: tuple[bool, ...], tmp_path: Path) -> None:
    """Under the script's name, also if a retry then passes."""
    keeping = FailureRecordings(str(tmp_path), ["talk.tipc"])
    for retry, failed in enumerate(failures):
        keeping.begin(1, (str(retry),), retry)(audit())
        kept = keeping.end(failed=failed)
        assert kept == (str(tmp_path / "talk.rec") if failed else None)
    assert os.listdir(tmp_path) == ["talk.rec"]
    last = max(retry for retry, failed in enumerate(failures) if failed)
    assert open_recording(str(tmp_path / "talk.rec")).command == (str(last),)


def test_a_file_that_is_not_a_recording_is_not_replaced(tmp_path: Path) -> None:
    """The script is not recorded then, and so has no recording to keep or to remove."""
    (tmp_path / "talk.rec").write_text("precious")
    keeping = FailureRecordings(str(tmp_path), ["other.tipc", "talk.tipc"])
    keeping.begin(1, (), 0)
    assert keeping.end(failed=False) is None
    with pytest.raises(RecordingError, match="exists and is not a recording"):
        keeping.begin(2, (), 0)
    assert keeping.end(failed=False) is None
    assert keeping.end(failed=True) is None
    assert (tmp_path / "talk.rec").read_text() == "precious"


def test_a_recording_that_is_gone_is_not_a_failure(tmp_path: Path) -> None:
    """It was to be removed anyway."""
    keeping = FailureRecordings(str(tmp_path), ["talk.tipc"])
    keeping.begin(1, (), 0)
    (tmp_path / "talk.rec").unlink()
    assert keeping.end(failed=False) is None


@pytest.mark.parametrize("name", ["file", "file/in it", "null\0byte"])
def test_a_directory_that_cannot_be_created_is_refused(name: str, tmp_path: Path) -> None:
    """Before anything is run, with the remedy."""
    (tmp_path / "file").touch()
    with pytest.raises(
        RecordingError, match=r"cannot hold recordings: .*; name a directory that can be created"
    ):
        FailureRecordings(str(tmp_path / name), [])
