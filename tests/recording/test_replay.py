"""A recording shown again: paced, stepped, and over."""

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.support.sessions import EventCollector, run_session
from tests.support.virtual_clock import VirtualClock
from tui_ipc import events as ev
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.replay import Replay
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.session.session import Session

MS = 1_000_000


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "session.rec")


def record(path: str, moments: Iterable[int]) -> list[ev.AnyEvent]:
    """A recording with an event at each moment, in nanoseconds."""
    events: list[ev.AnyEvent] = [ev.ChildOutput(at=at, run=1, stream="stdout", data=b"x") for at in moments]
    with RecordingWriter(path, command=["./child", "x"]) as recorder:
        for event in events:
            recorder(event)
    return events


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a test's coroutine on the machine's own clock."""
    asyncio.run(main())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """A loop's clock that the replay reads as well."""
    clock = VirtualClock()
    monkeypatch.setattr("tui_ipc.recording.replay.time.monotonic_ns", lambda: round(clock.now * 1e9))
    return clock


async def is_waiting(replay: Replay) -> bool:
    """Whether the next event does not come by itself, however long the test waits."""
    following = asyncio.ensure_future(anext(replay.events()))
    await asyncio.wait([following], timeout=1e6)
    waiting = not following.done()
    following.cancel()
    await asyncio.wait([following])
    return waiting


async def _greet(session: Session, watch: EventCollector) -> None:
    await session.ready()
    await session.send("hello")
    await watch.until(ev.MessageReceived)


def test_a_session_is_replayed_to_the_same_events(path: str) -> None:
    """What was recorded of a real child."""
    with RecordingWriter(path) as recorder:
        live = run_session(None, _greet, record=recorder)

    async def main() -> None:
        async with Replay(path, speed=None) as replay:
            assert [event async for event in replay.events()] == live
            assert replay.over
            assert replay.position == replay.length == len(live)

    run(main)


@pytest.mark.parametrize(("speed", "seconds"), [(1.0, 90.0), (2.0, 45.0), (0.5, 180.0)])
def test_events_come_when_their_time_has_come(
    path: str, clock: VirtualClock, speed: float, seconds: float
) -> None:
    """A long pause is as long as it was."""
    written = record(path, [0, 10_000 * MS, 10_000 * MS, 90_000 * MS])

    async def main() -> None:
        begun = clock.now
        async with Replay(path, speed=speed) as replay:
            shown = [(event, clock.now - begun) async for event in replay.events()]
        assert [event for event, _ in shown] == written
        assert [moment for _, moment in shown] == pytest.approx(
            [0, seconds / 9, seconds / 9, seconds], abs=0.01
        )

    clock.run(main())


def test_time_begins_with_the_first_event_that_is_asked_for(path: str, clock: VirtualClock) -> None:
    """Which comes at once, though the session had gone on for an hour when its recording began."""
    record(path, [3600_000 * MS, 3601_000 * MS])

    async def main() -> None:
        async with Replay(path) as replay:
            clock.now += 100
            begun = clock.now
            await anext(replay.events())
            assert clock.now == begun
            await anext(replay.events())
            assert clock.now - begun == pytest.approx(1.0, abs=0.01)

    clock.run(main())


def test_a_paused_replay_shows_nothing_and_goes_on_where_it_was(path: str, clock: VirtualClock) -> None:
    first, second = record(path, [0, 1000 * MS])

    async def main() -> None:
        async with Replay(path) as replay:
            assert await anext(replay.events()) == first
            replay.pause()
            assert await is_waiting(replay)
            replay.play()
            begun = clock.now
            assert await anext(replay.events()) == second
            assert clock.now - begun == pytest.approx(1.0, abs=0.01)

    clock.run(main())


def test_a_change_reaches_an_iteration_that_waits(path: str, clock: VirtualClock) -> None:
    """Pausing, another speed and a step all reach an iteration that waits already."""
    _, first, second, third = record(path, [0, 3600_000 * MS, 7200_000 * MS, 7300_000 * MS])

    async def main() -> None:
        async with Replay(path) as replay:
            await anext(replay.events())
            waiting = asyncio.ensure_future(anext(replay.events()))
            await asyncio.wait([waiting], timeout=1.0)
            replay.step()
            assert await waiting == first
            assert not replay.playing
            replay.play()
            begun = clock.now
            waiting = asyncio.ensure_future(anext(replay.events()))
            await asyncio.wait([waiting], timeout=1.0)
            replay.speed = 3600.0
            assert await waiting == second
            assert clock.now - begun == pytest.approx(2.0, abs=0.01)
            waiting = asyncio.ensure_future(anext(replay.events()))
            await asyncio.sleep(0)
            replay.pause()
            await asyncio.wait([waiting], timeout=1e6)
            assert not waiting.done()
            replay.speed = None
            await asyncio.wait([waiting], timeout=1e6)
            assert not waiting.done()
            replay.play()
            assert await waiting == third

    clock.run(main())


def test_steps_are_counted(path: str, clock: VirtualClock) -> None:
    """Two steps before anyone looks are two events, and time goes on from the last of them."""
    written = record(path, [0, 5000 * MS, 6000 * MS, 8000 * MS])

    async def main() -> None:
        async with Replay(path, speed=2.0) as replay:
            for _ in range(3):
                replay.step()
            assert [await anext(replay.events()) for _ in range(3)] == written[:3]
            assert await is_waiting(replay)
            assert (replay.position, replay.length, replay.over) == (3, None, False)
            begun = clock.now
            replay.play()
            assert await anext(replay.events()) == written[3]
            assert clock.now - begun == pytest.approx(1.0, abs=0.01)

    clock.run(main())


def test_without_pace_pauses_are_left_out_and_a_pace_goes_on_from_there(
    path: str, clock: VirtualClock
) -> None:
    written = record(path, [0, 5000 * MS, 6000 * MS])

    async def main() -> None:
        async with Replay(path, speed=None) as replay:
            begun = clock.now
            assert [await anext(replay.events()) for _ in range(2)] == written[:2]
            assert clock.now == begun
            replay.speed = 1.0
            assert await anext(replay.events()) == written[2]
            assert clock.now - begun == pytest.approx(1.0, abs=0.01)

    clock.run(main())


def test_progress_is_the_share_of_the_file_that_was_shown(path: str) -> None:
    """It rises from the header to the end, and is known before the number of events is."""
    record(path, [0, 0, 0, 0])

    async def main() -> None:
        async with Replay(path, speed=None) as replay:
            assert replay.progress == 0
            seen = [replay.progress async for _ in replay.events()]
            assert seen == sorted(seen)
            assert len(set(seen)) == 4
            assert (
                0.9 < seen[-1] <= replay.progress == 1
            )  # the end of the recording comes after its last event

    run(main)


def test_others_run_while_a_long_recording_is_shown_at_once(path: str) -> None:
    record(path, range(10_000))

    async def main() -> None:
        async with Replay(path, speed=None) as replay:

            async def interrupt() -> None:
                while not replay.position:
                    await asyncio.sleep(0)

            interrupting = asyncio.create_task(interrupt())
            async for _ in replay.events():
                if interrupting.done():
                    break
            assert replay.position < 1000

    run(main)


def test_the_child_is_the_one_of_the_events(path: str) -> None:
    with RecordingWriter(path) as recorder:
        for number in (1, 2):
            recorder(ev.ServerListening(at=0, run=number, name=""))
            recorder(ev.ChildSpawned(at=0, run=number, pid=40 + number, command=("./child",)))
            recorder(
                ev.ChildExited(
                    at=0, run=number, code=0, signal=None, user_seconds=0, system_seconds=0, max_rss=0
                )
            )

    async def main() -> None:
        async with Replay(path, speed=None) as replay:
            assert (replay.run, replay.pid) == (0, None)
            shown = [(replay.run, replay.pid) async for _ in replay.events()]
        assert shown == [(1, None), (1, 41), (1, None), (2, None), (2, 42), (2, None)]

    run(main)


async def close(replay: Replay) -> None:
    replay.close()


@pytest.mark.parametrize("leave", [close, Replay.__aexit__], ids=["close", "leaving"])
def test_leaving_ends_the_events(
    path: str, clock: VirtualClock, leave: Callable[[Replay], Coroutine[Any, Any, None]]
) -> None:
    """Also for a task that waits for one; no file stays open."""
    first, *_ = record(path, [0, 1000 * MS, 2000 * MS])

    async def main() -> None:
        replay = Replay(path)
        assert await anext(replay.events()) == first
        replay.pause()
        waiting = asyncio.ensure_future(anext(replay.events(), None))
        await asyncio.wait([waiting], timeout=1e6)
        await leave(replay)
        assert await waiting is None
        assert replay.over
        assert [event async for event in replay.events()] == []
        await leave(replay)

    clock.run(main())


def test_a_replay_that_was_left_early_is_over_and_has_closed_its_file(path: str) -> None:
    """How many events there would have been stays unknown."""
    record(path, [0, 1])

    async def main() -> None:
        before = len(os.listdir("/proc/self/fd"))
        async with Replay(path, speed=None) as replay:
            await anext(replay.events())
            assert len(os.listdir("/proc/self/fd")) == before + 1
        assert len(os.listdir("/proc/self/fd")) == before
        assert (replay.over, replay.position, replay.length) == (True, 1, None)

    run(main)


def test_cancelling_loses_no_event(path: str, clock: VirtualClock) -> None:
    written = record(path, [0, 1000 * MS, 2000 * MS])

    async def main() -> None:
        shown: list[ev.AnyEvent] = []
        async with Replay(path) as replay:
            while not replay.over:
                try:
                    async with asyncio.timeout(0.3):
                        await _show(replay, shown)
                except TimeoutError:
                    pass
        assert shown == written

    clock.run(main())


def test_a_broken_recording_shows_what_is_whole(path: str) -> None:
    written = record(path, [0, 1])
    with Path(path).open("ab") as file:
        file.write(b"\xc1")

    async def main() -> None:
        shown: list[ev.AnyEvent] = []
        async with Replay(path, speed=None) as replay:
            with pytest.raises(RecordingError, match="0xc1 is not the first byte of a msgpack value"):
                await _show(replay, shown)
            assert replay.over
            assert replay.length == 2
            assert [event async for event in replay.events()] == []
        assert shown == written

    run(main)


async def _show(replay: Replay, shown: list[ev.AnyEvent]) -> None:
    async for event in replay.events():
        shown.append(event)  # noqa: PERF401 - what is shown before an error counts


def test_a_recording_that_breaks_off_says_how_much_was_lost(path: str) -> None:
    written = record(path, [0, 1])
    with Path(path).open("ab") as file:
        file.write(b"\x95\x09\x02")

    async def main() -> None:
        async with Replay(path, speed=None) as replay:
            assert [event async for event in replay.events()] == written
            assert replay.truncated == 3

    run(main)


def test_the_header_is_known_from_the_beginning(path: str) -> None:
    record(path, [])
    replay = Replay(path)
    assert replay.command == ("./child", "x")
    assert replay.began.tzinfo is not None
    assert replay.program.startswith("tui-ipc ")
    assert replay.playing


def test_a_file_that_is_not_there_is_refused_at_once(path: str) -> None:
    with pytest.raises(RecordingError, match="No such file"):
        Replay(path)


@pytest.mark.parametrize("speed", [0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_not_positive_is_refused(path: str, speed: float) -> None:
    record(path, [0])
    with pytest.raises(ValueError, match="give a number above 0"):
        Replay(path, speed=speed)
    replay = Replay(path)
    with pytest.raises(ValueError, match="give a number above 0"):
        replay.speed = speed
    assert replay.speed == 1.0
