"""How a task waits for the loop: it is woken at once, one at a time, and may be cancelled."""

import asyncio

import pytest

from tests.support.event_loops import turns
from tui_ipc import Busy
from tui_ipc.ipc.wakeup import Wakeup


def test_who_waits_is_resumed_within_the_call() -> None:
    """Not in a later turn of the loop: that is what it is for. It may be waited for again."""

    async def main() -> None:
        wakeup = Wakeup(asyncio.get_running_loop())
        seen: list[int] = []

        async def wait() -> None:
            for number in range(2):
                await wakeup
                seen.append(number)

        waiting = asyncio.create_task(wait())
        await turns(1)
        for expected in ([0], [0, 1]):
            wakeup.loop.call_soon(wakeup.wake)
            await turns(1)
            assert seen == expected
        await waiting

    asyncio.run(main())


def test_nobody_waits() -> None:
    """The loop's call goes to `idle`, or to nobody."""

    async def main() -> None:
        called: list[str] = []
        Wakeup(asyncio.get_running_loop(), lambda: called.append("idle")).wake()
        Wakeup(asyncio.get_running_loop()).wake()
        Wakeup(asyncio.get_running_loop()).wake_soon()
        assert called == ["idle"]

    asyncio.run(main())


def test_a_second_waiter_is_refused() -> None:
    """An endpoint has one reader; the first goes on waiting."""

    async def main() -> None:
        wakeup = Wakeup(asyncio.get_running_loop())

        async def wait() -> str:
            await wakeup
            return "woken"

        first = asyncio.create_task(wait())
        await turns(1)
        with pytest.raises(Busy, match="another task is waiting here"):
            await wakeup
        wakeup.wake_soon()
        assert await first == "woken"

    asyncio.run(main())


def test_a_cancelled_wait_ends() -> None:
    """The task ends with CancelledError, and the next one may wait."""

    async def main() -> None:
        wakeup = Wakeup(asyncio.get_running_loop())

        async def wait() -> None:
            await wakeup

        waiting = asyncio.create_task(wait())
        await turns(1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        another = asyncio.create_task(wait())
        await turns(1)
        wakeup.wake_soon()
        await another

    asyncio.run(main())
