"""The queue of events: in order, nothing lost, bounded, one clock."""

import asyncio

import pytest

from tui_ipc.events import AnyEvent, ChannelClosed, ChildOutput
from tui_ipc.session.timeline import Timeline


def output(size: int) -> ChildOutput:
    """An event that weighs ``size`` bytes."""
    return ChildOutput(at=0, run=1, stream="stdout", data=b"x" * size)


async def is_full(timeline: Timeline) -> bool:
    """Whether a producer would have to wait."""
    waiting = asyncio.create_task(timeline.wait_for_space())
    await asyncio.sleep(0)
    full = not waiting.done()
    waiting.cancel()
    await asyncio.wait([waiting])
    return full


def test_stamps_never_go_back() -> None:
    """Also where an earlier moment is asked for."""
    timeline = Timeline()
    first = timeline.stamp()
    assert timeline.stamp(first - 1) == first
    assert timeline.stamp(first + 5) == first + 5
    timeline.begin()
    assert timeline.now() < 1e9


def test_events_come_out_in_order_and_end_after_the_last() -> None:
    async def main() -> None:
        timeline = Timeline()
        put = [output(size) for size in range(5)]
        for event in put:
            timeline.add(event)
        timeline.close()
        assert [event async for event in timeline] == put
        assert [event async for event in timeline] == []

    asyncio.run(main())


@pytest.mark.parametrize(("events", "size"), [(3, 0), (1, 10)], ids=["too many events", "too many bytes"])
def test_producers_wait_above_either_bound_until_the_consumer_has_caught_up(events: int, size: int) -> None:
    async def main() -> None:
        timeline = Timeline(max_events=3, max_bytes=10)
        assert not await is_full(timeline)
        for _ in range(events):
            timeline.add(output(size))
        assert await is_full(timeline)
        await anext(timeline)
        assert not await is_full(timeline)

    asyncio.run(main())


def test_a_consumer_that_waits_is_woken_by_an_event_and_by_the_end() -> None:
    async def main() -> None:
        timeline = Timeline()
        consumer = asyncio.create_task(collect(timeline))
        await asyncio.sleep(0)
        timeline.add(output(1))
        timeline.add(output(2))
        await asyncio.sleep(0)
        timeline.close()
        assert await consumer == [output(1), output(2)]

    async def collect(timeline: Timeline) -> list[AnyEvent]:
        return [event async for event in timeline]

    asyncio.run(main())


def test_a_cancelled_consumer_takes_nothing_with_it() -> None:
    async def main() -> None:
        timeline = Timeline()
        waiting = asyncio.ensure_future(anext(timeline))
        await asyncio.sleep(0)
        timeline.add(output(1))
        waiting.cancel()
        await asyncio.wait([waiting])
        assert await anext(timeline) == output(1)

    asyncio.run(main())


def test_a_second_consumer_is_refused_and_the_first_goes_on() -> None:
    async def main() -> None:
        timeline = Timeline()
        first = asyncio.ensure_future(anext(timeline))
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="one consumer"):
            await anext(timeline)
        timeline.add(ChannelClosed(at=0, run=1))
        assert await first == ChannelClosed(at=0, run=1)

    asyncio.run(main())


def test_what_has_happened_is_taken_without_waiting() -> None:
    """There is room again, as if it had been waited for."""
    timeline = Timeline(max_events=1)
    assert timeline.take() is None
    timeline.add(output(1))
    assert [timeline.is_full, timeline.take(), timeline.is_full] == [True, output(1), False]
    assert timeline.take() is None


def test_the_consumer_is_resumed_within_the_call_that_the_loop_makes() -> None:
    """Once all of it was added, and not a turn of the loop later; where nothing was, it waits on."""

    async def main() -> None:
        timeline = Timeline()
        taken: list[AnyEvent] = []
        seen: list[int] = []

        async def consume() -> None:
            nonlocal taken
            async for event in timeline:
                taken += [event]

        def add() -> None:
            timeline.add(output(1))
            timeline.add(output(2))
            seen.append(len(taken))

        def call() -> None:
            timeline.deliver(lambda: None)
            seen.append(len(taken))
            timeline.deliver(add)
            seen.append(len(taken))

        consuming = asyncio.create_task(consume())
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(call)
        await asyncio.sleep(0)
        assert seen == [0, 0, 2]
        timeline.close()
        await consuming
        assert taken == [output(1), output(2)]

    asyncio.run(main())
