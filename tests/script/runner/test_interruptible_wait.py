"""Waits with deadlines that can be interrupted, and coroutines that are started eagerly."""

import asyncio
from math import inf
from typing import Any

import pytest

from tests.support.virtual_clock import VirtualClock, run_without_waiting
from tui_ipc.script.runner.session_driver import (
    InterruptibleWait,
    start_eagerly,
)


async def never() -> str:
    await asyncio.Event().wait()
    return ""


def test_a_wait_ends_at_the_deadline_and_what_comes_before_it_is_given() -> None:
    """The moment is that of the latest deadline, though the timer was set for an earlier or a later one."""
    clock = VirtualClock()

    async def main() -> None:
        wait = InterruptibleWait()

        async def soon() -> str:
            await asyncio.sleep(1)
            return "here"

        for seconds in (5.0, 2.0, 10.0, 3.0):
            began = clock.now
            wait.deadline = began + seconds
            assert await wait.wait(never) is None
            assert wait.is_expired
            assert clock.now == pytest.approx(began + seconds)
            wait.deadline = began + 2 * seconds
            assert await wait.wait(soon) == "here"
            assert not wait.is_expired
        wait.close()

    clock.run(main())


def test_a_deadline_that_has_passed_waits_for_nothing() -> None:
    """Nothing is begun that would have to be broken off."""

    async def main() -> None:
        wait = InterruptibleWait()
        begun = []
        wait.deadline = asyncio.get_running_loop().time()

        async def begin() -> str:
            begun.append(1)
            return ""

        assert await wait.wait(begin) is None
        assert not begun

    run_without_waiting(main)


def test_a_deadline_may_be_moved_while_it_is_waited_for() -> None:
    """The timer fires, sees that it is not time yet, and is set again."""
    clock = VirtualClock()

    async def main() -> None:
        wait = InterruptibleWait()
        began = clock.now
        wait.deadline = began + 1

        def later() -> None:
            wait.deadline = began + 4

        asyncio.get_running_loop().call_later(0.5, later)
        assert await wait.wait(never) is None
        assert clock.now == pytest.approx(began + 4)

    clock.run(main())


def test_waits_that_end_in_time_set_one_timer() -> None:
    """However many there are."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        wait = InterruptibleWait()
        for _ in range(100):
            wait.deadline = loop.time() + 5
            assert await wait.wait(lambda: asyncio.sleep(0, "x")) == "x"
        timers: int = len(loop._scheduled)  # type: ignore[attr-defined]
        wait.close()
        return timers

    assert run_without_waiting(main) == 1


def test_an_interruption_ends_the_current_wait_only() -> None:
    """An interruption between two waits has no effect."""

    async def main() -> None:
        wait = InterruptibleWait()
        wait.interrupt()
        assert await wait.wait(lambda: asyncio.sleep(0, "x")) == "x"
        asyncio.get_running_loop().call_soon(wait.interrupt)
        asyncio.get_running_loop().call_soon(wait.interrupt)
        assert await wait.wait(never) is None
        assert wait.deadline == inf
        assert await wait.wait(lambda: asyncio.sleep(0, "y")) == "y"

    run_without_waiting(main)


@pytest.mark.parametrize("as_well", [False, True])
def test_somebody_else_may_cancel_the_task(as_well: bool) -> None:
    """That does not end a wait, even if the wait is interrupted at the same time."""

    async def main() -> None:
        alarms: list[InterruptibleWait] = []

        async def waits() -> None:
            alarms.append(InterruptibleWait())
            await alarms[0].wait(never)

        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        if as_well:
            alarms[0].interrupt()
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
