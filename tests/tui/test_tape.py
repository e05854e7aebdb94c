"""A recording that is switched on and off."""

from pathlib import Path

import pytest

from tests.tui.content.test_status import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tui_ipc.ipc.wire import encode
from tui_ipc.session.events import Event, MessageSent
from tui_ipc.session.recording import RecordingError, read
from tui_ipc.tui.tape import Tape


def sent(at: int, run: int = 1) -> MessageSent:
    """A message."""
    return MessageSent(at=at, run=run, number=1, value="x", raw=encode("x"))


def held(path: Path) -> list[Event]:
    """What a recording holds."""
    recorded = read(str(path))
    assert recorded.command == ("./calculator",)
    events = list(recorded.events())
    assert recorded.truncated == 0
    return events


def test_from_the_first_event_on_everything_is_recorded(tmp_path: Path) -> None:
    """As it happened; and what comes after it was switched off is not."""
    tape, path = Tape(["./calculator"]), tmp_path / "a.rec"
    tape.start(str(path))
    happened = (LISTENING, SPAWNED, CONNECTED, HELLO, OPEN, sent(5))
    for event in happened:
        tape(event)
    assert (tape.state, tape.path) == ("on", str(path))
    assert tape.size == path.stat().st_size
    tape.stop()
    tape(sent(6))
    assert held(path) == list(happened)
    assert (tape.state, tape.path, tape.size) == ("off", "", 0)
    tape.stop()


def test_midway_it_begins_with_the_steps_of_the_run_so_far(tmp_path: Path) -> None:
    """They end where the recording begins, so that nobody waits; earlier runs and messages are not in."""
    tape, path = Tape(["./calculator"]), tmp_path / "a.rec"
    before = (LISTENING, SPAWNED, CONNECTED, HELLO, OPEN, sent(1_000_000))
    for event in (LISTENING, exited(), *before):
        tape(event)
    tape.start(str(path))
    tape(sent(1_000_005))
    tape.stop()
    *steps, last = held(path)
    assert [type(event) for event in steps[-5:]] == [type(event) for event in before[:5]]
    assert [event.at for event in steps[-2:]] == [999_999, 1_000_000]
    assert last == sent(1_000_005)


def test_only_the_current_run_is_told(tmp_path: Path) -> None:
    """A recording that begins in the second run knows nothing of the first."""
    tape, path = Tape(["./calculator"]), tmp_path / "a.rec"
    for event in (LISTENING, exited(), exited(run=2)):
        tape(event)
    tape.start(str(path))
    tape.stop()
    assert [event.run for event in held(path)] == [2]


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """The error says so, and nothing is on."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir")
    tape = Tape(["./calculator"])
    with pytest.raises(RecordingError, match="exists and is no recording"):
        tape.start(str(path))
    assert tape.state == "off"
    assert path.read_text() == "Dear Sir"


def test_a_failure_is_told_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after the tape was switched off."""
    told: list[str] = []
    tape = Tape(["./calculator"])
    tape.on_failure = told.append
    tape.start(str(tmp_path / "a.rec"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui_ipc.session.recorder._write", full)
    tape(LISTENING)
    tape(SPAWNED)
    assert tape.state == "failed"
    assert tape.failures == told
    assert "No space left" in told[0]
    tape.stop()
    assert (tape.state, len(told)) == ("off", 1)
