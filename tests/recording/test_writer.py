"""Writing a recording: at once, in one piece, and never at the session's expense."""

import asyncio
import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.sessions import environment
from tui_ipc.events import AnyEvent, ChannelsOpen, ChildOutput
from tui_ipc.recording.codec import RecordingError, encode_header
from tui_ipc.recording.reader import open_recording
from tui_ipc.recording.writer import MAX_BUFFERED, RecordingWriter


def said(size: int = 5, at: int = 0) -> AnyEvent:
    """An event of a bit more than that many bytes."""
    return ChildOutput(at=at, run=1, stream="stdout", data=b"x" * size)


def events(path: str) -> list[AnyEvent]:
    """What a recording holds by now."""
    return list(open_recording(path).events())


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "session.rec")


FULL = 4096


@contextmanager
def small_files() -> Iterator[None]:
    """No file may grow beyond FULL bytes: as on a full disk, a write gives what fits, then an error.

    Only for what is recorded meanwhile, and no fixture: the file that pytest's own output goes to is long.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (FULL, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_without_a_loop_each_event_is_there_at_once(path: str) -> None:
    with RecordingWriter(path, command=["a", "b"]) as recorder:
        recorder(said())
        assert events(path) == [said()]
        recorder(ChannelsOpen(at=1, run=1))
        assert events(path) == [said(), ChannelsOpen(at=1, run=1)]
    assert open_recording(path).command == ("a", "b")
    assert recorder.failure is None


def test_events_of_one_turn_are_written_together(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    writes: list[int] = []
    write = os.writev

    def counted(file: int, pieces: list[memoryview]) -> int:
        writes.append(len(pieces))
        return write(file, pieces)

    async def main() -> None:
        with RecordingWriter(path) as recorder:
            writes.clear()
            for turn in range(3):
                for at in range(10):
                    recorder(said(at=10 * turn + at))
                assert len(writes) == turn
                await asyncio.sleep(0)
                assert len(events(path)) == 10 * (turn + 1)
            assert len(writes) == 3
        assert len(writes) == 4  # and the end of the recording

    monkeypatch.setattr(os, "writev", counted)
    asyncio.run(main())
    assert events(path) == [said(at=at) for at in range(30)]


def test_many_bytes_do_not_wait_for_the_end_of_the_turn(path: str) -> None:
    async def main() -> None:
        with RecordingWriter(path) as recorder:
            for _ in range(MAX_BUFFERED // 1000):
                recorder(said(1000))
            assert len(events(path)) > 200

    asyncio.run(main())


def test_long_output_is_written_after_what_came_before(path: str) -> None:
    written = [said(10), said(100_000), said(20), said(70_000)]

    async def main() -> None:
        with RecordingWriter(path) as recorder:
            for event in written:
                recorder(event)

    asyncio.run(main())
    assert events(path) == written


def test_closing_writes_what_is_left_and_later_events_are_ignored(path: str) -> None:
    async def main() -> None:
        recorder = RecordingWriter(path)
        recorder(said())
        recorder.close()
        recorder.close()
        recorder(said(at=1))
        assert events(path) == [said()]
        await asyncio.sleep(0)

    asyncio.run(main())
    assert events(path) == [said()]


def test_a_recorder_outlives_a_loop_that_was_interrupted(path: str) -> None:
    """What that loop was to write and did not is not forgotten by the next."""

    async def main() -> None:
        recorder(said(at=1))
        await asyncio.sleep(0)
        assert events(path) == [said(at=0), said(at=1)]

    def interrupted() -> None:
        recorder(said(at=0))
        raise KeyboardInterrupt

    with RecordingWriter(path) as recorder:
        loop = asyncio.new_event_loop()
        loop.call_soon(interrupted)
        with pytest.raises(KeyboardInterrupt):
            loop.run_forever()
        loop.close()
        assert events(path) == []
        asyncio.run(main())


def test_short_writes_are_continued(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may write less than asked, at any byte."""
    write = os.write
    monkeypatch.setattr(os, "writev", lambda file, pieces: write(file, pieces[0][:7]))
    with RecordingWriter(path) as recorder:
        for size in (1, 100, 70_000):
            recorder(said(size))
    assert events(path) == [said(1), said(100), said(70_000)]


def test_a_recording_is_its_owners_alone(path: str) -> None:
    """Also where one that others could read is replaced, and under any umask."""
    Path(path).write_bytes(encode_header(()))
    os.chmod(path, 0o644)
    RecordingWriter(path).close()
    assert os.stat(path).st_mode & 0o777 == 0o600


def test_a_recording_is_replaced(path: str) -> None:
    with RecordingWriter(path) as recorder:
        recorder(said(100))
    with RecordingWriter(path) as recorder:
        recorder(said(1))
    assert events(path) == [said(1)]


@pytest.mark.parametrize("content", [b"", encode_header(())[:30]], ids=["empty", "a recording cut off"])
def test_an_empty_file_and_a_cut_off_recording_are_replaced(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)
    with RecordingWriter(path) as recorder:
        recorder(said())
    assert events(path) == [said()]


def test_a_recording_that_is_replaced_is_named(path: str) -> None:
    """By its time and size, before it is lost; what is empty or broke off at once is not worth a word."""
    for content in (b"", encode_header(())[:30]):
        Path(path).write_bytes(content)
        with RecordingWriter(path) as recorder:
            assert recorder.replaced == ""
    before = encode_header((), datetime(2026, 5, 25, 15, 24, 48, tzinfo=UTC)) + bytes(2000)
    newer = before.replace(b"recording\x02", b"recording\x63")
    for content, what in ((before, "of 2026-05-25 15:24 UTC"), (newer, "that this tui-ipc cannot read")):
        Path(path).write_bytes(content)
        with RecordingWriter(path) as recorder:
            assert recorder.replaced == f"{path} replaces a recording {what} (2.0 KiB)"


def test_any_other_file_is_left_alone(path: str) -> None:
    Path(path).write_bytes(b"my thesis")
    with pytest.raises(RecordingError) as caught:
        RecordingWriter(path)
    assert str(caught.value) == f"{path} exists and is not a recording; name another file"
    assert Path(path).read_bytes() == b"my thesis"


def test_two_sessions_do_not_record_to_one_file(path: str) -> None:
    with RecordingWriter(path) as recorder:
        recorder(said())
        with pytest.raises(RecordingError) as caught:
            RecordingWriter(path)
        assert str(caught.value) == f"{path} is being recorded to by another session; name another file"
    assert events(path) == [said()]


def test_a_path_that_cannot_be_recorded_to_is_refused(tmp_path: Path) -> None:
    """A fifo without a reader, too, instead of waiting for one."""
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "file").touch()
    impossible = "name a file that can be made"
    for path, why in [
        (f"{tmp_path}/fifo", "is not a regular file; name one, or a new one"),
        ("/dev/full", "is not a regular file; name one, or a new one"),
        (str(tmp_path), "is a directory; name a file in it"),
        (
            f"{tmp_path}/no/file",
            (
                "cannot be recorded to: No such file or directory; "
                f"make the directory {tmp_path}/no first, or {impossible}"
            ),
        ),
        ("/proc/x", f"cannot be recorded to: No such file or directory; {impossible}"),
        ("", f"cannot be recorded to: No such file or directory; {impossible}"),
        ("nul\0", f"cannot be recorded to: a path cannot hold a null character; {impossible}"),
    ]:
        with pytest.raises(RecordingError) as caught:
            RecordingWriter(path)
        assert str(caught.value) == f"{path} {why}"


def test_a_full_disk_ends_the_recording_and_nothing_else(path: str) -> None:
    """The failure is reported once; what was written can be read, the event that did not fit is cut off."""
    reported: list[str] = []
    with small_files(), RecordingWriter(path, on_failure=reported.append) as recorder:
        for at in range(100):
            recorder(said(100, at))
        assert recorder.failure == (
            f"the recording in {path} ends here, it cannot be written: File too large; what came "
            "before can be replayed; record again where there is room"
        )
    assert reported == [recorder.failure]
    recorded = open_recording(path)
    found = list(recorded.events())
    assert found == [said(100, at) for at in range(len(found))]
    assert len(found) > 30
    assert os.stat(path).st_size == FULL
    assert recorded.truncated > 0


def test_a_disk_without_room_for_the_header_is_refused(path: str) -> None:
    with small_files(), pytest.raises(RecordingError) as caught:
        RecordingWriter(path, command=["x" * FULL])
    assert str(caught.value) == f"{path} cannot be written: File too large; record where there is room"


def test_an_error_at_the_close_is_reported(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network's file system reports a full disk only then."""
    recorder = RecordingWriter(path)
    really_close = os.close

    def close(file: int) -> None:
        really_close(file)
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    with monkeypatch.context() as patched:
        patched.setattr(os, "close", close)
        recorder.close()
    assert recorder.failure is not None
    assert "Disk quota exceeded" in recorder.failure


KILLED = """
import asyncio, os, signal, sys
from tui_ipc.events import ChildOutput
from tui_ipc.recording.writer import RecordingWriter

async def main():
    recorder = RecordingWriter(sys.argv[1])
    for at in range(50):
        recorder(ChildOutput(at=at, run=1, stream="stdout", data=b"kept"))
    await asyncio.sleep(0)
    recorder(ChildOutput(at=50, run=1, stream="stdout", data=b"lost"))
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


def test_being_killed_costs_the_last_turn_at_most(path: str) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, path], env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert [event.at for event in events(path)] == [*range(50)]


def test_a_recording_that_was_closed_is_complete_and_says_when_it_happened(path: str) -> None:
    """Until then it is not complete; and a later minute says the time again."""
    before = datetime.now(UTC)
    with RecordingWriter(path) as recorder:
        for at in (7, 8, 59_999_999_999, 61_000_000_000):
            recorder(said(at=at))
        recorded = open_recording(path)
        assert len(list(recorded.events())) == 4
        assert not recorded.is_complete
    recorded = open_recording(path)
    clocks = [recorded.clock for _ in recorded.events()]
    assert recorded.is_complete
    assert [clock and clock.at for clock in clocks] == [7, 7, 7, 61_000_000_000]
    times = [clock.time for clock in clocks if clock]
    assert [before, *times] == sorted([before, *times])


def test_the_wall_clock_is_written_again_when_asked_for(path: str) -> None:
    with RecordingWriter(path) as recorder:
        recorder(said(at=1))
        recorder.write_clock()
        recorder(said(at=2))
    recorded = open_recording(path)
    assert [recorded.clock and recorded.clock.at for _ in recorded.events()] == [1, 2]


def test_a_writer_that_is_flushed_writes_when_it_is_told_to(path: str) -> None:
    """Where a loop of another kind runs, such as that of a tap."""
    with RecordingWriter(path, is_flushed=True) as recorder:
        recorder(said())
        assert events(path) == []
        recorder.flush()
        assert events(path) == [said()]
