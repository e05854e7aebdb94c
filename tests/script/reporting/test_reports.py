"""Reports and where they go."""

import os
import sys
from pathlib import Path

import pytest

from tests.script.junit_schema import validated
from tests.script.outcomes import FAILED, PASSED
from tests.script.tap_reader import read
from tui_ipc.script.reporting.report_file import ReportError
from tui_ipc.script.reporting.reports import Reports
from tui_ipc.script.reporting.tails import Tails


def test_each_kind_in_its_file(tmp_path: Path) -> None:
    """What no report tells is not kept for one."""
    xml, tap = str(tmp_path / "r.xml"), str(tmp_path / "r.tap")
    reports = Reports([("junit", xml), ("tap", tap)], [])
    assert (reports.on_stdout, reports.tails) == (False, Tails)
    assert reports.write([PASSED, FAILED]) == (0, [])
    assert validated(Path(xml).read_text(encoding="utf-8")).get("failures") == "1"
    assert [point.passed for point in read(Path(tap).read_text(encoding="utf-8")).points] == [True, False]
    assert Reports([("tap", tap)], []).tails is None


def test_standard_output_is_a_file_like_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In UTF-8, whatever the terminal takes."""
    with (tmp_path / "stdout").open("w", encoding="ascii") as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        reports = Reports([("tap", "-")], [])
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
        reports = Reports([("junit", str(gone / "r.xml")), ("tap", "-"), ("tap", str(last))], [])
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
        assert Reports([("tap", "-")], []).write([PASSED]) == (141, [])


def test_what_cannot_be_written_is_told_when_it_is_asked_for(tmp_path: Path) -> None:
    """Any of them."""
    with pytest.raises(ReportError, match=r"none/r\.xml cannot be written"):
        Reports([("tap", "-"), ("junit", str(tmp_path / "none" / "r.xml"))], [])
