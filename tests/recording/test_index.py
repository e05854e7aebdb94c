"""Where things are in a recording, and replays that begin there."""

import asyncio
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.recordings import encode_recording
from tui_ipc import events as ev
from tui_ipc.recording import index as index_module
from tui_ipc.recording.codec import Clock, RecordingError, encode_clock, encode_event, encode_header
from tui_ipc.recording.index import CHECKPOINT_SPACING, CONTEXT, RecordingIndex
from tui_ipc.recording.replay import Replay
from tui_ipc.session import correlation

LISTENING = ev.ServerListening(at=0, run=1, name="/tmp/x")
OPEN = ev.ChannelsOpen(at=1, run=1)


def sent(number: int) -> ev.MessageSent:
    return ev.MessageSent(at=10 * number, run=1, number=number, value="x", raw=b"\xa1x")


def answer(number: int) -> ev.MessageReceived:
    return ev.MessageReceived(
        at=10 * number + 5, run=1, number=number, value="y", raw=b"\xa1y", answers=number, elapsed=5
    )


def talk(exchanges: int, *, unanswered: int) -> list[ev.AnyEvent]:
    """A handshake, messages of which one is not answered, and something of everything one looks for."""
    events: list[ev.AnyEvent] = [LISTENING, OPEN]
    for number in range(1, exchanges + 1):
        events.append(sent(number))
        if number != unanswered:
            events.append(answer(number))
    at = 10 * exchanges + 6
    events += [
        ev.Note(at=at, run=1, text="look"),
        ev.ScriptStep(at=at + 1, run=1, script="a.tipc", line=1, text="quit", state="failed", sentence="no"),
        ev.Fault(at=at + 2, run=1, sentence="broken"),
    ]
    return events


@pytest.fixture(name="recorded", scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[ev.AnyEvent]]:
    path = tmp_path_factory.mktemp("index") / "long.rec"
    events = talk(4000, unanswered=17)
    path.write_bytes(encode_recording(*events))
    return str(path), events


def build(path: str) -> RecordingIndex:
    index = RecordingIndex(path)
    while not index.is_whole:
        index.read_on(700)
    return index


def test_what_one_looks_for_is_found_by_its_number(recorded: tuple[str, list[ev.AnyEvent]]) -> None:
    path, events = recorded
    index = build(path)
    assert index.position == len(events)
    kinds = {"note": ev.Note, "failed step": ev.ScriptStep, "fault": ev.Fault}
    for landmark in ("note", "failed step", "fault"):
        (position,) = (n for n, event in enumerate(events, 1) if isinstance(event, kinds[landmark]))
        assert index.find_next(landmark, 0) == index.find_next(landmark, position - 1) == position
        assert index.find_next(landmark, position) is None
    assert index.find_next("unanswered message", 0) == events.index(sent(17)) + 1
    assert index.find_time(10 * 100) == events.index(sent(100)) + 1
    assert index.find_time(events[-1].at + 1) is None


def test_a_replay_from_the_middle_knows_the_time_of_day(tmp_path: Path) -> None:
    """Also of the handshake, which may have been long before, and shown by another clock."""
    path = tmp_path / "long.rec"
    began, later = datetime(2026, 5, 25, tzinfo=UTC), datetime(2026, 5, 26, tzinfo=UTC)
    events = talk(4000, unanswered=17)
    pieces = [encode_event(event) for event in events]
    path.write_bytes(
        encode_header(())
        + encode_clock(Clock(0, began))
        + b"".join(pieces[:2000])
        + encode_clock(Clock(0, later))
        + b"".join(pieces[2000:])
    )
    replay = Replay(str(path), speed=None, start=build(str(path)).find_checkpoint(7000))

    async def main() -> list[datetime | None]:
        async with replay:
            return [replay.time_of(event.at) async for event in replay.events()]

    times = asyncio.run(main())
    assert times[:2] == [began, began]
    assert times[2] == later + timedelta(microseconds=events[5000].at // 1000)


def test_an_index_that_is_not_whole_knows_what_was_read(recorded: tuple[str, list[ev.AnyEvent]]) -> None:
    index = RecordingIndex(recorded[0])
    index.read_on(50)
    assert 0 < index.progress < 0.05
    assert (index.position, index.is_whole) == (50, False)
    assert index.find_next("note", 0) is None
    assert index.find_next("unanswered message", 0) is None  # its answer may follow


def test_what_nothing_answers_any_more_is_unanswered(
    recorded: tuple[str, list[ev.AnyEvent]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session waits for so many answers and no more; nor does the index."""
    assert index_module.MAX_PENDING == correlation.MAX_PENDING
    monkeypatch.setattr(index_module, "MAX_PENDING", 0)
    path, events = recorded
    index = build(path)
    positions = [n for n, event in enumerate(events, 1) if isinstance(event, ev.MessageSent)]
    found: list[int] = []
    while (position := index.find_next("unanswered message", found[-1] if found else 0)) is not None:
        found.append(position)
    assert found == positions


def test_an_index_keeps_little_of_each_event(tmp_path: Path) -> None:
    """Of the worst case: everything is looked for, and a new run begins with each event."""
    path = tmp_path / "long.rec"
    long_text = "x" * 300
    events: list[ev.AnyEvent] = [
        ev.HandshakeFailed(at=run, run=run, step="hello", sentence=long_text, timed_out=False)
        for run in range(1, 10_001)
    ]
    path.write_bytes(encode_recording(*events))
    index = RecordingIndex(str(path))
    tracemalloc.start()
    try:
        index.read_on(
            len(events) // 2
        )  # until then, what does not grow with the recording is allocated as well
        before, _ = tracemalloc.get_traced_memory()
        index.read_on(len(events) // 2)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert index.position == len(events)
    assert index.find_next("fault", 9999) == 10_000
    assert (after - before) / (len(events) // 2) < 8 + 8 + 16


def test_a_broken_recording_is_indexed_up_to_the_break(tmp_path: Path) -> None:
    path = tmp_path / "broken.rec"
    path.write_bytes(encode_recording(LISTENING, OPEN) + b"\xc1")
    index = build(str(path))
    assert index.position == 2


@pytest.mark.parametrize("position", [1, 2, 900, 3000, 3001, 5555, 8004])
def test_a_replay_begins_where_it_is_asked_to(recorded: tuple[str, list[ev.AnyEvent]], position: int) -> None:
    """With the handshake of its run, and enough of what came before."""
    path, events = recorded
    checkpoint = build(path).find_checkpoint(position)
    assert checkpoint.position <= max(0, position - CONTEXT)
    assert position - checkpoint.position <= CONTEXT + CHECKPOINT_SPACING

    async def main() -> list[ev.AnyEvent]:
        async with Replay(path, start=checkpoint) as replay:
            replay.go_to(position)
            stream = replay.events()
            shown = []
            while replay.position < position:
                shown.append(await anext(stream))
            assert not replay.playing
            replay.step()
            if position < len(events):
                assert await anext(stream) == events[position]
            return shown

    shown = asyncio.run(main())
    preface = [LISTENING, OPEN] if checkpoint.position else []
    assert shown == preface + events[checkpoint.position : position]


def test_what_a_run_has_once_is_refused_after_a_start_in_the_middle_as_well(tmp_path: Path) -> None:
    path = tmp_path / "twice.rec"
    output = [ev.ChildOutput(at=5, run=1, stream="stdout", data=b"x")] * (CONTEXT + CHECKPOINT_SPACING)
    path.write_bytes(encode_recording(LISTENING, OPEN, *output, OPEN))
    index = build(str(path))

    async def main() -> None:
        start = index.find_checkpoint(index.position)
        assert start.position == CHECKPOINT_SPACING
        async with Replay(str(path), start=start, speed=None) as replay:
            with pytest.raises(RecordingError, match="is a second ChannelsOpen of run 1"):
                async for _ in replay.events():
                    pass

    asyncio.run(main())


def test_of_runs_that_overlap_each_begins_with_its_handshake(tmp_path: Path) -> None:
    """As several children of one parent have them; what is over is not shown again."""
    path = tmp_path / "runs.rec"
    begun = [ev.ServerListening(at=run, run=run, name="/tmp/x") for run in (1, 2, 3)]
    end = ev.Audit(at=4, run=1, processes=(), files=(), unread=0, quit_elapsed=None)
    output = [ev.ChildOutput(at=5, run=2, stream="stdout", data=b"x")] * (CONTEXT + CHECKPOINT_SPACING)
    path.write_bytes(encode_recording(begun[0], begun[1], end, begun[2], *output))
    checkpoint = build(str(path)).find_checkpoint(4 + len(output))

    async def main() -> list[ev.AnyEvent]:
        async with Replay(str(path), start=checkpoint, speed=None) as replay:
            return [event async for event in replay.events()]

    assert asyncio.run(main())[:3] == [begun[1], begun[2], output[0]]
