"""A recording that is read while it is written."""

import errno
import os
from pathlib import Path

import pytest

from tui_ipc import events as ev
from tui_ipc.osutil.files import lock_file
from tui_ipc.recording import reader
from tui_ipc.recording.codec import (
    NothingRecordedError,
    RecordingError,
    encode_end,
    encode_event,
    encode_header,
)
from tui_ipc.recording.reader import FollowedRecording, open_recording, spool
from tui_ipc.recording.writer import RecordingWriter


def printed(at: int) -> ev.AnyEvent:
    return ev.ChildOutput(at=at, run=1, stream="stdout", data=b"x" * 100)


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "session.rec")


def take_all(followed: FollowedRecording) -> list[ev.AnyEvent]:
    """Every event that is there by now."""
    events = []
    while (event := followed.take()) is not None:
        events.append(event)
    followed.take()  # what comes after the last event is only found at the look after
    return events


def ending(followed: FollowedRecording) -> str:
    """Why no event follows, as it is now."""
    return followed.ending


def test_events_come_as_they_are_written_until_the_recording_is_complete(path: str) -> None:
    with RecordingWriter(path) as writer:
        followed = FollowedRecording(path)
        assert followed.take() is None
        for at in range(3):
            writer(printed(at))
            assert take_all(followed) == [printed(at)]
            assert ending(followed) == ""
    assert take_all(followed) == []
    assert ending(followed) == "complete"
    assert followed.problems() == []


def test_an_event_may_come_in_pieces(path: str) -> None:
    data = encode_header(()) + encode_event(printed(1)) + encode_event(printed(2)) + encode_end()
    with open(path, "wb", buffering=0) as file:
        assert lock_file(file.fileno())
        file.write(data[:100])
        followed = FollowedRecording(path)
        found = []
        for byte in range(100, len(data)):
            found += take_all(followed)
            file.write(data[byte : byte + 1])
        found += take_all(followed)
    assert found == [printed(1), printed(2)]
    assert ending(followed) == "complete"


def test_a_writer_that_is_gone_before_the_end_is_noticed(path: str) -> None:
    """All that it wrote is there, also what it wrote last."""
    with open(path, "wb", buffering=0) as file:
        lock_file(file.fileno())
        file.write(encode_header(()) + encode_event(printed(1)))
        followed = FollowedRecording(path)
        assert take_all(followed) == [printed(1)]
        assert ending(followed) == ""
        file.write(encode_event(printed(2)) + encode_event(printed(3))[:7])
    assert take_all(followed) == [printed(2)]
    assert ending(followed) == "abandoned"
    cut, gone = followed.problems()
    assert "ends in the middle of an event (7 bytes)" in cut
    assert "its writer was killed, or could not write on" in gone


def test_where_files_cannot_be_locked_only_the_end_of_the_recording_counts(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(reader, "is_locked", refuse)
    Path(path).write_bytes(encode_header(()) + encode_event(printed(1)))
    followed = FollowedRecording(path)
    assert take_all(followed) == [printed(1)]
    assert (take_all(followed), followed.ending) == ([], "")
    with open(path, "ab") as file:
        file.write(encode_end())
    assert (take_all(followed), ending(followed)) == ([], "complete")


def test_a_recording_of_version_1_is_taken_for_complete(path: str) -> None:
    header = encode_header(()).replace(b"recording\x02", b"recording\x01")
    Path(path).write_bytes(header + encode_event(printed(1)))
    followed = FollowedRecording(path)
    assert take_all(followed) == [printed(1)]
    assert (ending(followed), followed.problems()) == ("complete", [])


@pytest.mark.parametrize("is_new_file", [True, False], ids=["another file", "the same file"])
def test_a_file_that_is_replaced_is_noticed(path: str, tmp_path: Path, *, is_new_file: bool) -> None:
    """Not before the other recording can be read; bytes of that are never taken for this one's."""
    with RecordingWriter(path) as writer:
        writer(printed(1))
        followed = FollowedRecording(path)
        assert take_all(followed) == [printed(1)]
        if is_new_file:
            os.rename(path, tmp_path / "old.rec")
            assert take_all(followed) == []
            assert ending(followed) == ""
    if is_new_file:
        assert take_all(followed) == []
        assert ending(followed) == "complete"
        return
    Path(path).write_bytes(encode_header(()) + encode_event(printed(7)) * 20)
    assert take_all(followed) == []
    assert ending(followed) == "replaced"
    assert list(open_recording(path).events()) == [printed(7)] * 20


def test_another_file_in_its_place_is_noticed(path: str, tmp_path: Path) -> None:
    """Also while the first one is still written, under no name."""
    with RecordingWriter(path) as writer:
        writer(printed(1))
        followed = FollowedRecording(path)
        assert take_all(followed) == [printed(1)]
        (tmp_path / "other.rec").write_bytes(b"")
        os.replace(tmp_path / "other.rec", path)
        assert take_all(followed) == []
        assert ending(followed) == ""
        Path(path).write_bytes(encode_header(()) + encode_event(printed(2)))
        assert take_all(followed) == []
        assert ending(followed) == "replaced"


def test_a_recording_that_has_not_begun_differs_from_another_file(path: str) -> None:
    with pytest.raises(NothingRecordedError):
        FollowedRecording(path)
    for begun in (b"", encode_header(())[:10], encode_header(())[:-1]):
        Path(path).write_bytes(begun)
        with pytest.raises(NothingRecordedError):
            FollowedRecording(path)
    Path(path).write_bytes(b"holiday")
    with pytest.raises(RecordingError, match="is not a tui-ipc recording") as caught:
        FollowedRecording(path)
    assert not isinstance(caught.value, NothingRecordedError)


@pytest.mark.parametrize("in_background", [False, True])
def test_a_pipe_is_read_as_a_file(*, in_background: bool) -> None:
    """Sentences call it standard input; in the background, it may still be written."""
    reader, writer = os.pipe()
    whole = encode_header(()) + encode_event(printed(1)) + encode_end()
    os.write(writer, whole + b"\x95\x09")
    os.close(writer)
    path = spool(reader, in_background=in_background)
    while in_background:
        try:
            followed = FollowedRecording(path)
        except NothingRecordedError:
            continue
        while not followed.ending:
            followed.take()
        break
    recorded = open_recording(path)
    assert list(recorded.events()) == [printed(1)]
    assert recorded.problems() == [
        (
            "standard input ends in the middle of an event (2 bytes): its writer was killed, or had no room; "
            "all events before it are complete"
        )
    ]
    os.close(int(path.rpartition("/")[2]))
