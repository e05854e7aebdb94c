"""The session's life beside the screen."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from tests.support.fake_session import FakeSession
from tests.support.sample_events import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tui_ipc.events import AnyEvent, MessageSent
from tui_ipc.ipc.wire import encode
from tui_ipc.recording.codec import RecordingError, open_recording
from tui_ipc.tui.scheduling import InputPriority
from tui_ipc.tui.session_controller import EVENT_PAUSE, EVENT_SLICE, SessionController, SessionRecorder


class Diary:
    """What a keeper told."""

    def __init__(self) -> None:
        self.events: list[AnyEvent] = []
        self.refused: list[tuple[str, str]] = []
        self.ended: list[RecordingError | None] = []
        self.over = asyncio.Event()
        self.error: BaseException | None = None

    def keeper(self, session: FakeSession) -> SessionController:
        """A keeper that has started, and tells this diary."""
        keeper = SessionController(
            session, self.events.append, lambda *refusal: self.refused.append(refusal), self.ended.append
        )
        keeper.start(self._on_over)
        return keeper

    def _on_over(self, error: BaseException | None) -> None:
        self.error = error
        self.over.set()


async def turns(number: int = 20) -> None:
    """Let everybody who can go on go on."""
    for _ in range(number):
        await asyncio.sleep(0)


def test_a_key_goes_before_events() -> None:
    """While a key is on its way to the screen a flood waits, after what is already being taken in."""

    async def main() -> None:
        session, precedence = FakeSession(), InputPriority(lambda: now)
        taken: list[AnyEvent] = []

        def take(event: AnyEvent) -> None:
            begin = monotonic()
            while monotonic() - begin < EVENT_SLICE:
                pass
            taken.append(event)

        now = 1000.0
        keeper = SessionController(session, take, lambda *_: None, lambda _: None, precedence)
        precedence.press()
        keeper.start(lambda _: None)
        session.feed(LISTENING, LISTENING, LISTENING)
        await asyncio.sleep(20 * EVENT_PAUSE)
        assert taken == [LISTENING]
        now += 1
        await keeper.left()
        assert len(taken) == 3

    asyncio.run(main())


def test_events_are_passed_on_to_the_last() -> None:
    """What happens while the session is left is told too, and then that it is over."""

    async def main() -> None:
        diary, session = Diary(), FakeSession()
        session.may_end.clear()
        keeper = diary.keeper(session)
        session.feed(LISTENING)
        await turns()
        assert diary.events == [LISTENING]
        keeper.leave()
        await turns()
        assert keeper.leaving
        assert not diary.over.is_set()
        session.exit(0)
        session.may_end.set()
        await diary.over.wait()
        assert [type(event).__name__ for event in diary.events][1:] == [
            "ChannelClosed",
            "ChildExited",
            "Audit",
        ]
        assert diary.error is None
        assert diary.ended == [None]

    asyncio.run(main())


def test_a_recording_that_is_broken_ends_the_events_and_not_the_session() -> None:
    """What came before the break was told; the session is still there to be left."""

    class Broken(FakeSession):
        async def events(self) -> AsyncIterator[AnyEvent]:
            yield LISTENING
            raise RecordingError("talk.rec is broken")

    async def main() -> None:
        diary = Diary()
        keeper = diary.keeper(Broken())
        await turns()
        assert diary.events == [LISTENING]
        assert [str(error) for error in diary.ended] == ["talk.rec is broken"]
        assert not diary.over.is_set()
        await keeper.left()
        assert diary.error is None

    asyncio.run(main())


@pytest.mark.parametrize("value", [object(), 2**64])
def test_a_message_that_cannot_be_sent_is_given_back(value: Any) -> None:
    """A refusal comes with its tag and a sentence, and the next message is sent all the same."""

    async def main() -> None:
        diary, session = Diary(), FakeSession()
        keeper = diary.keeper(session)
        session.handshake()
        keeper.post("bad", value)
        keeper.post("good", 1)
        await turns()
        assert [tag for tag, _ in diary.refused] == ["bad"]
        assert session.sent[-1] == 1
        session.deaf = "nobody is there"
        keeper.post("late", 2)
        await turns()
        assert diary.refused[-1] == ("late", "nobody is there")
        await keeper.left()

    asyncio.run(main())


def test_what_waits_to_be_sent_does_not_reach_the_next_run() -> None:
    """A restart drops the messages that were meant for the old child, and comes one at a time."""

    async def main() -> None:
        diary, session = Diary(), FakeSession()
        session.may_end.clear()
        keeper = diary.keeper(session)
        await turns()
        keeper.post("waits for the handshake", 1)
        await turns()
        keeper.post("old", 2)
        keeper.restart()
        keeper.restart()
        await turns()
        states = [keeper.restarting]
        session.may_end.set()
        await turns()
        assert [*states, keeper.restarting] == [True, False]
        assert session.asked.count("restart") == 1
        session.handshake()
        await turns()
        assert 2 not in session.sent
        await keeper.left()

    asyncio.run(main())


def test_a_run_is_ended_once_and_what_waits_goes_with_it() -> None:
    """The session stays; while its end is awaited, neither another end nor a restart is asked for."""

    async def main() -> None:
        diary, session = Diary(), FakeSession()
        session.may_end.clear()
        keeper = diary.keeper(session)
        await turns()
        keeper.post("waits for the handshake", 1)
        await turns()
        keeper.post("old", 2)
        keeper.end()
        keeper.end()
        await turns()
        states = [keeper.ending]
        session.may_end.set()
        await turns()
        assert [*states, keeper.ending] == [True, False]
        assert session.asked.count("end") == 1
        assert "quit" not in session.asked
        session.deaf = None
        session.handshake()
        await turns()
        assert 2 not in session.sent
        await keeper.left()

    asyncio.run(main())


def test_a_flood_of_events_lets_others_have_their_turn() -> None:
    """While 100 000 events are taken in, other tasks of the loop run many times."""

    async def main() -> None:
        diary, session = Diary(), FakeSession()
        session.feed(*[LISTENING] * 100_000)
        keeper = diary.keeper(session)
        mine = 0
        while len(diary.events) < 100_000:
            await asyncio.sleep(0)
            mine += 1
        assert mine > 10
        await keeper.left()

    asyncio.run(main())


def test_an_error_of_the_session_is_told() -> None:
    """What keeps a session from beginning is passed on out of its wrapping."""

    class Full(FakeSession):
        async def __aenter__(self) -> "Full":
            raise OSError(28, "No space left on device")

    async def main() -> None:
        diary = Diary()
        diary.keeper(Full())
        await diary.over.wait()
        assert isinstance(diary.error, OSError)

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
    tape, path = SessionRecorder(["./calculator"]), tmp_path / "a.rec"
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
    tape, path = SessionRecorder(["./calculator"]), tmp_path / "a.rec"
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
    tape, path = SessionRecorder(["./calculator"]), tmp_path / "a.rec"
    for event in (LISTENING, exited(), exited(run=2)):
        tape(event)
    tape.start(str(path))
    tape.stop()
    assert [event.run for event in held(path)] == [2]


def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """The error says so, and nothing is on."""
    path = tmp_path / "letter.txt"
    path.write_text("Dear Sir")
    tape = SessionRecorder(["./calculator"])
    with pytest.raises(RecordingError, match="exists and is no recording"):
        tape.start(str(path))
    assert tape.state == "off"
    assert path.read_text() == "Dear Sir"


def test_a_failure_is_told_once_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also after the tape was switched off."""
    told: list[str] = []
    tape = SessionRecorder(["./calculator"])
    tape.on_failure = told.append
    tape.start(str(tmp_path / "a.rec"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tui_ipc.recording.writer._write", full)
    tape(LISTENING)
    tape(SPAWNED)
    assert tape.state == "failed"
    assert tape.failures == told
    assert "No space left" in told[0]
    tape.stop()
    assert (tape.state, len(told)) == ("off", 1)
