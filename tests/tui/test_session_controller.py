"""The session beside the screen: its phases, its events, and recording it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.support.fake_session import FakeSession
from tests.support.sample_events import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.ipc.wire import encode
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.reader import open_recording
from tui_ipc.tui.scheduling import InputPriority
from tui_ipc.tui.session_controller import (
    EVENT_PAUSE,
    EVENT_SLICE,
    SessionController,
    SessionPhase,
    SessionRecorder,
)


class Callbacks:
    """What a controller called back with."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.refused: list[tuple[str, str]] = []
        self.ended: list[RecordingError | None] = []
        self.over = asyncio.Event()
        self.error: BaseException | None = None

    def start(self, session: FakeSession) -> SessionController:
        """Start a controller that calls these back."""
        controller = SessionController(
            session, self.events.append, lambda *refusal: self.refused.append(refusal), self.ended.append
        )
        controller.start(self._on_over)
        return controller

    def _on_over(self, error: BaseException | None) -> None:
        self.error = error
        self.over.set()


async def turns(number: int = 20) -> None:
    """Let every task that can run do so."""
    for _ in range(number):
        await asyncio.sleep(0)


def test_a_key_comes_before_events() -> None:
    """While a key is on its way to the screen a flood waits, after what is already being taken in."""

    async def main() -> None:
        session, input_priority = FakeSession(), InputPriority(lambda: now)
        taken: list[AnyEvent] = []

        def take(event: AnyEvent) -> None:
            begin = monotonic()
            while monotonic() - begin < EVENT_SLICE:
                pass
            taken.append(event)

        now = 1000.0
        controller = SessionController(session, take, lambda *_: None, lambda _: None, input_priority)
        input_priority.begin()
        controller.start(lambda _: None)
        session.feed(LISTENING, LISTENING, LISTENING)
        await asyncio.sleep(20 * EVENT_PAUSE)
        assert taken == [LISTENING]
        now += 1
        await controller.wait_until_left()
        assert len(taken) == 3

    asyncio.run(main())


def test_what_is_put_off_is_done_beside_the_events() -> None:
    """Slice by slice until nothing is left; the next event does not wait for that."""

    async def main() -> None:
        session, passed, slices = FakeSession(), list[AnyEvent](), list[int]()
        is_done = False

        def catch_up(until: float) -> bool:
            slices.append(len(passed))
            return is_done

        controller = SessionController(
            session, passed.append, lambda *_: None, lambda _: None, None, catch_up
        )
        controller.start(lambda _: None)
        session.feed(LISTENING)
        while len(slices) < 3:
            await asyncio.sleep(0)
        session.feed(SPAWNED)
        while len(passed) < 2:
            await asyncio.sleep(0)
        is_done = True
        while slices[-1] < 2:
            await asyncio.sleep(0)
        session.feed(CONNECTED)
        while slices[-1] < 3:
            await asyncio.sleep(0)
        await turns(200)
        assert slices == sorted(slices)
        assert slices.count(3) == 1
        await controller.wait_until_left()
        assert slices[-1] == len(passed)
        assert slices.count(len(passed)) >= 1 + (len(passed) == 3)

    asyncio.run(main())


def test_events_are_passed_on_to_the_last() -> None:
    """Those while the session is left too, and then the end is reported."""

    async def main() -> None:
        calls, session = Callbacks(), FakeSession()
        session.may_end.clear()
        controller = calls.start(session)
        session.feed(LISTENING)
        await turns()
        assert calls.events == [LISTENING]
        controller.leave()
        await turns()
        assert controller.phase is SessionPhase.LEAVING
        assert not calls.over.is_set()
        session.exit(0)
        session.may_end.set()
        await calls.over.wait()
        assert [type(event).__name__ for event in calls.events][1:] == [
            "ChannelClosed",
            "ChildExited",
            "Audit",
        ]
        assert calls.error is None
        assert calls.ended == [None]

    asyncio.run(main())


def test_a_recording_that_is_broken_ends_the_events_and_not_the_session() -> None:
    """The events before the break were passed on; the session is still there to be left."""

    class Broken(FakeSession):
        async def events(self) -> AsyncIterator[AnyEvent]:
            yield LISTENING
            raise RecordingError("talk.rec is broken")

    async def main() -> None:
        calls = Callbacks()
        controller = calls.start(Broken())
        await turns()
        assert calls.events == [LISTENING]
        assert [str(error) for error in calls.ended] == ["talk.rec is broken"]
        assert not calls.over.is_set()
        await controller.wait_until_left()
        assert calls.error is None

    asyncio.run(main())


@pytest.mark.parametrize("value", [object(), 2**64])
def test_a_message_that_cannot_be_sent_is_given_back(value: Any) -> None:
    """A refusal comes with its tag and a sentence, and the next message is sent all the same."""

    async def main() -> None:
        calls, session = Callbacks(), FakeSession()
        controller = calls.start(session)
        session.handshake()
        controller.post("bad", value)
        controller.post("good", 1)
        await turns()
        assert [tag for tag, _ in calls.refused] == ["bad"]
        assert session.sent[-1] == 1
        session.refusal = "the child is gone"
        controller.post("late", 2)
        await turns()
        assert calls.refused[-1] == ("late", "the child is gone")
        await controller.wait_until_left()

    asyncio.run(main())


def test_what_waits_to_be_sent_does_not_reach_the_next_run() -> None:
    """A restart drops the messages that were meant for the old child, and comes one at a time."""

    async def main() -> None:
        calls, session = Callbacks(), FakeSession()
        session.may_end.clear()
        controller = calls.start(session)
        await turns()
        controller.post("waits for the handshake", 1)
        await turns()
        controller.post("old", 2)
        controller.restart()
        controller.restart()
        await turns()
        phases = [controller.phase]
        session.may_end.set()
        await turns()
        assert [*phases, controller.phase] == [SessionPhase.RESTARTING, SessionPhase.RUNNING]
        assert session.asked.count("restart") == 1
        session.handshake()
        await turns()
        assert 2 not in session.sent
        await controller.wait_until_left()

    asyncio.run(main())


def test_a_run_is_ended_once_and_what_waits_goes_with_it() -> None:
    """The session stays; while its end is awaited, neither another end nor a restart is asked for."""

    async def main() -> None:
        calls, session = Callbacks(), FakeSession()
        session.may_end.clear()
        controller = calls.start(session)
        await turns()
        controller.post("waits for the handshake", 1)
        await turns()
        controller.post("old", 2)
        controller.end()
        controller.end()
        await turns()
        phases = [controller.phase]
        session.may_end.set()
        await turns()
        assert [*phases, controller.phase] == [SessionPhase.ENDING, SessionPhase.RUNNING]
        assert session.asked.count("end") == 1
        assert "quit" not in session.asked
        session.refusal = None
        session.handshake()
        await turns()
        assert 2 not in session.sent
        await controller.wait_until_left()

    asyncio.run(main())


def test_a_flood_of_events_lets_others_have_their_turn() -> None:
    """While 100 000 events are taken in, other tasks of the loop run many times."""

    async def main() -> None:
        calls, session = Callbacks(), FakeSession()
        session.feed(*[LISTENING] * 100_000)
        controller = calls.start(session)
        mine = 0
        while len(calls.events) < 100_000:
            await asyncio.sleep(0)
            mine += 1
        assert mine > 10
        await controller.wait_until_left()

    asyncio.run(main())


def test_an_error_of_the_session_is_reported() -> None:
    """What keeps a session from beginning is passed on out of its wrapping."""

    class Full(FakeSession):
        async def __aenter__(self) -> "Full":
            raise OSError(28, "No space left on device")

    async def main() -> None:
        calls = Callbacks()
        calls.start(Full())
        await calls.over.wait()
        assert isinstance(calls.error, OSError)

    asyncio.run(main())


def sent(at: int, run: int = 1) -> MessageSent:
    """A message."""
    return MessageSent(at=at, run=run, number=1, value="x", raw=encode("x"))


def held(path: Path) -> list[AnyEvent]:
    """What a recording holds."""
    recorded = open_recording(str(path))
    assert recorded.command == ("./calculator",)
    events = list(recorded.events())
    assert recorded.truncated == 0
    return events


def test_from_the_first_event_on_everything_is_recorded(tmp_path: Path) -> None:
    """As it happened; and what comes after it was switched off is not."""
    recorder, path = SessionRecorder(["./calculator"]), tmp_path / "a.rec"
    recorder.start(str(path))
    happened = (LISTENING, SPAWNED, CONNECTED, HELLO, OPEN, sent(5))
    for event in happened:
        recorder(event)
    assert (recorder.state, recorder.path) == ("on", str(path))
    assert recorder.size == path.stat().st_size
    recorder.stop()
    recorder(sent(6))
    assert held(path) == list(happened)
    assert (recorder.state, recorder.path, recorder.size) == ("off", "", 0)
    recorder.stop()


def test_midway_it_begins_with_the_steps_of_the_run_so_far(tmp_path: Path) -> None:
    """They end where the recording begins, so that a replay does not wait; no earlier run, no message."""
    recorder, path = SessionRecorder(["./calculator"]), tmp_path / "a.rec"
    first = (LISTENING, SPAWNED, CONNECTED, HELLO, OPEN)
    before = (*(replace(event, run=2) for event in first), sent(1_000_000, run=2))
    for event in (LISTENING, exited(), *before):
        recorder(event)
    recorder.start(str(path))
    recorder(sent(1_000_005, run=2))
    recorder.stop()
    *steps, last = held(path)
    assert [type(event) for event in steps[-5:]] == [type(event) for event in before[:5]]
    assert [event.at for event in steps[-2:]] == [999_999, 1_000_000]
    assert last == sent(1_000_005, run=2)


def test_only_the_current_run_is_recorded(tmp_path: Path) -> None:
    """A recording that begins in the second run knows nothing of the first."""
    recorder, path = SessionRecorder(["./calculator"]), tmp_path / "a.rec"
    for event in (LISTENING, exited(), exited(run=2)):
        recorder(event)
    recorder.start(str(path))
    recorder.stop()
    assert [event.run for event in held(path)] == [2]


def test_a_file_that_is_not_a_recording_is_left_alone(tmp_path: Path) -> None:
    """The error says so, and nothing is on."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir")
    recorder = SessionRecorder(["./calculator"])
    with pytest.raises(RecordingError, match="exists and is not a recording"):
        recorder.start(str(path))
    assert recorder.state == "off"
    assert path.read_text() == "Dear Sir"


def test_a_failure_is_reported_once_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after the recorder was switched off."""
    reported: list[str] = []
    recorder = SessionRecorder(["./calculator"])
    recorder.on_failure = reported.append
    recorder.start(str(tmp_path / "a.rec"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui_ipc.recording.writer._write", full)
    recorder(LISTENING)
    recorder(SPAWNED)
    assert recorder.state == "failed"
    assert recorder.failures == reported
    assert "No space left" in reported[0]
    recorder.stop()
    assert (recorder.state, len(reported)) == ("off", 1)
