"""Waits that are broken off."""

import asyncio
from math import inf

import pytest

from tests.script.skipping import Clock, skipping
from tui_ipc.script.running.alarm import Alarm


async def never() -> str:
    await asyncio.Event().wait()
    return ""


def test_a_wait_ends_at_the_deadline_and_what_comes_before_it_is_given() -> None:
    """The moment is that of the latest deadline, though the timer was set for an earlier or a later one."""
    clock = Clock()

    async def main() -> None:
        alarm = Alarm()

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
        alarm = Alarm()
        begun = []
        alarm.deadline = asyncio.get_running_loop().time()

        async def begin() -> str:
            begun.append(1)
            return ""

        assert await alarm.wait(begin) is None
        assert not begun

    skipping(main)


def test_a_deadline_may_be_moved_while_it_is_waited_for() -> None:
    """The timer fires, sees that it is not time yet, and is set again."""
    clock = Clock()

    async def main() -> None:
        alarm = Alarm()
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
        alarm = Alarm()
        for _ in range(100):
            alarm.deadline = loop.time() + 5
            assert await alarm.wait(lambda: asyncio.sleep(0, "x")) == "x"
        timers: int = len(loop._scheduled)  # type: ignore[attr-defined]
        alarm.close()
        return timers

    assert skipping(main) == 1


def test_who_rings_breaks_off_this_wait_and_no_other() -> None:
    """A ring between two waits is none."""

    async def main() -> None:
        alarm = Alarm()
        alarm.ring()
        assert await alarm.wait(lambda: asyncio.sleep(0, "x")) == "x"
        asyncio.get_running_loop().call_soon(alarm.ring)
        asyncio.get_running_loop().call_soon(alarm.ring)
        assert await alarm.wait(never) is None
        assert alarm.deadline == inf
        assert await alarm.wait(lambda: asyncio.sleep(0, "y")) == "y"

    skipping(main)


@pytest.mark.parametrize("as_well", [False, True])
def test_somebody_else_may_cancel_the_task(as_well: bool) -> None:
    """That is no end of a wait, even if the alarm rings at the same time."""

    async def main() -> None:
        alarms: list[Alarm] = []

        async def waits() -> None:
            alarms.append(Alarm())
            await alarms[0].wait(never)

        task = asyncio.create_task(waits())
        await asyncio.sleep(0)
        if as_well:
            alarms[0].ring()
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    skipping(main)
