"""Waits that are broken off."""

import asyncio
from math import inf
from typing import Any

import pytest

from tests.support.virtual_clock import VirtualClock, run_without_waiting
from tui_ipc.script.runner.async_waits import InterruptibleWait, start_eagerly


async def never() -> str:
    await asyncio.Event().wait()
    return ""


def test_a_wait_ends_at_the_deadline_and_what_comes_before_it_is_given() -> None:
    """The moment is that of the latest deadline, though the timer was set for an earlier or a later one."""
    clock = VirtualClock()

    async def main() -> None:
        alarm = InterruptibleWait()

        async def soon() -> str:
            await asyncio.sleep(1)
            return "here"

        for seconds in (5.0, 2.0, 10.0, 3.0):
            begun = clock.now
            alarm.deadline = begun + seconds
            assert await alarm.wait(never) is None
            assert alarm.passed
            assert clock.now == pytest.approx(begun + seconds)
            alarm.deadline = begun + 2 * seconds
            assert await alarm.wait(soon) == "here"
            assert not alarm.passed
        alarm.close()

    clock.run(main())


def test_a_deadline_that_has_passed_waits_for_nothing() -> None:
    """Nothing is begun that would have to be broken off."""

    async def main() -> None:
        alarm = InterruptibleWait()
        begun = []
        alarm.deadline = asyncio.get_running_loop().time()

        async def begin() -> str:
            begun.append(1)
            return ""

        assert await alarm.wait(begin) is None
        assert not begun

    run_without_waiting(main)


def test_a_deadline_may_be_moved_while_it_is_waited_for() -> None:
    """The timer fires, sees that it is not time yet, and is set again."""
    clock = VirtualClock()

    async def main() -> None:
        alarm = InterruptibleWait()
        begun = clock.now
        alarm.deadline = begun + 1

        def later() -> None:
            alarm.deadline = begun + 4

        asyncio.get_running_loop().call_later(0.5, later)
        assert await alarm.wait(never) is None
        assert clock.now == pytest.approx(begun + 4)

    clock.run(main())


def test_waits_that_end_in_time_set_one_timer() -> None:
    """However many there are."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        alarm = InterruptibleWait()
        for _ in range(100):
            alarm.deadline = loop.time() + 5
            assert await alarm.wait(lambda: asyncio.sleep(0, "x")) == "x"
        timers: int = len(loop._scheduled)  # type: ignore[attr-defined]
        alarm.close()
        return timers

    assert run_without_waiting(main) == 1


def test_who_rings_breaks_off_this_wait_and_no_other() -> None:
    """A ring between two waits is none."""

    async def main() -> None:
        alarm = InterruptibleWait()
        alarm.ring()
        assert await alarm.wait(lambda: asyncio.sleep(0, "x")) == "x"
        asyncio.get_running_loop().call_soon(alarm.ring)
        asyncio.get_running_loop().call_soon(alarm.ring)
        assert await alarm.wait(never) is None
        assert alarm.deadline == inf
        assert await alarm.wait(lambda: asyncio.sleep(0, "y")) == "y"

    run_without_waiting(main)


@pytest.mark.parametrize("as_well", [False, True])
def test_somebody_else_may_cancel_the_task(as_well: bool) -> None:
    """That is no end of a wait, even if the alarm rings at the same time."""

    async def main() -> None:
        alarms: list[InterruptibleWait] = []

        async def waits() -> None:
            alarms.append(InterruptibleWait())
            await alarms[0].wait(never)

        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        if as_well:
            alarms[0].ring()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    run_without_waiting(main)


def test_what_need_not_wait_is_done_at_once() -> None:
    """No task is made for it; what it raises comes out."""

    async def main() -> None:
        done = []

        async def works() -> None:
            done.append(1)

        async def fails() -> None:
            raise ValueError("no")

        assert start_eagerly(works()) is None
        assert done == [1]
        with pytest.raises(ValueError, match="no"):
            start_eagerly(fails())
        assert len(asyncio.all_tasks()) == 1

    run_without_waiting(main)


def test_what_has_to_wait_goes_on_in_a_task() -> None:
    """Whatever it waits for: a future, another task's turn, a lock, some time."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[int] = loop.create_future()
        lock = asyncio.Lock()

        async def works(*waits: Any) -> list[Any]:
            found: list[Any] = [await future]
            await asyncio.sleep(0)
            async with lock:
                found.append(await asyncio.sleep(1, "slept"))
            return found

        await lock.acquire()
        task = start_eagerly(works())
        assert task is not None
        future.set_result(1)
        loop.call_later(2, lock.release)
        assert await task == [1, "slept"]

    run_without_waiting(main)


def test_what_was_waited_for_may_be_there_before_the_task_is() -> None:
    """And may have failed."""

    async def main() -> None:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def works() -> int:
            return await future

        task = start_eagerly(works())
        future.set_exception(ValueError("no"))
        assert task is not None
        with pytest.raises(ValueError, match="no"):
            await task

    run_without_waiting(main)


@pytest.mark.parametrize("begun_to_wait", [False, True])
def test_a_task_that_is_cancelled_cleans_up(begun_to_wait: bool) -> None:
    """Even before its first turn."""

    async def main() -> None:
        cleaned = []

        async def works() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                cleaned.append(1)

        task = start_eagerly(works())
        assert task is not None
        if begun_to_wait:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert task.cancelled()
        assert cleaned == [1]

    run_without_waiting(main)
