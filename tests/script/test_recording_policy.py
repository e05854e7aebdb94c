"""Which recordings stay."""

import os
from pathlib import Path

import pytest

from tests.support.scripted_session import audit
from tui_ipc.recording.codec import RecordingError, open_recording
from tui_ipc.script.recording_policy import FailureRecordings, OneRecording


def test_a_recording_that_was_asked_for_stays(tmp_path: Path) -> None:
    """However the script ends; after a failure it is worth a word."""
    path = str(tmp_path / "x.rec")
    for failed, told in ((False, None), (True, path)):
        keeping = OneRecording(path, ("./child",))
        keeping.begin("talk.tipc", ("./child",))(audit())
        assert keeping.end(failed=failed) == told
        assert list(open_recording(path).events()) == [audit()]
        assert open_recording(path).command == ("./child",)


def test_only_failures_stay(tmp_path: Path) -> None:
    """Each named after its script; two of one name are told apart."""
    directory = tmp_path / "made" / "for it"
    keeping = FailureRecordings(str(directory))
    told = []
    for name, failed in (
        ("a/talk.tipc", True),
        ("b/talk.tipc", False),
        ("c/talk.tipc", True),
        ("standard input", True),
    ):
        keeping.begin(name, ("./child",))(audit())
        told.append(keeping.end(failed=failed))
    names = ["talk.rec", None, "talk-3.rec", "standard-input.rec"]
    assert told == [name and str(directory / name) for name in names]
    assert sorted(os.listdir(directory)) == ["standard-input.rec", "talk-3.rec", "talk.rec"]


def test_a_failure_of_an_earlier_call_does_not_outlive_its_cure(tmp_path: Path) -> None:
    """A recording in the directory is a failure of the last call that ran its script."""
    for failed, left in ((True, ["talk.rec"]), (False, [])):
        keeping = FailureRecordings(str(tmp_path))
        keeping.begin("talk.tipc", ())
        keeping.end(failed=failed)
        assert os.listdir(tmp_path) == left


def test_what_is_no_recording_is_left_alone(tmp_path: Path) -> None:
    """The script is not recorded then, and so has no recording to keep or to remove."""
    (tmp_path / "talk.rec").write_text("precious")
    keeping = FailureRecordings(str(tmp_path))
    keeping.begin("other.tipc", ())
    assert keeping.end(failed=False) is None
    with pytest.raises(RecordingError, match="exists and is no recording"):
        keeping.begin("talk.tipc", ())
    assert keeping.end(failed=False) is None
    assert keeping.end(failed=True) is None
    assert (tmp_path / "talk.rec").read_text() == "precious"


def test_a_file_that_went_away_is_no_failure(tmp_path: Path) -> None:
    """It was to be removed anyway."""
    keeping = FailureRecordings(str(tmp_path))
    keeping.begin("talk.tipc", ())
    (tmp_path / "talk.rec").unlink()
    assert keeping.end(failed=False) is None


@pytest.mark.parametrize("name", ["file", "file/in it", "null\0byte"])
def test_where_no_directory_can_be_is_told(name: str, tmp_path: Path) -> None:
    """Before anything is run, with the remedy."""
    (tmp_path / "file").touch()
    with pytest.raises(
        RecordingError, match=r"cannot hold recordings: .*; name a directory that can be made"
    ):
        FailureRecordings(str(tmp_path / name))
