"""Coroutines that are begun at once."""

import asyncio
from typing import Any

import pytest

from tests.script.skipping import skipping
from tui_ipc.script.running.eager import begun


def test_what_need_not_wait_is_done_at_once() -> None:
    """No task is made for it; what it raises comes out."""

    async def main() -> None:
        done = []

        async def works() -> None:
            done.append(1)

        async def fails() -> None:
            raise ValueError("no")

        assert begun(works()) is None
        assert done == [1]
        with pytest.raises(ValueError, match="no"):
            begun(fails())
        assert len(asyncio.all_tasks()) == 1

    skipping(main)


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
        task = begun(works())
        assert task is not None
        future.set_result(1)
        loop.call_later(2, lock.release)
        assert await task == [1, "slept"]

    skipping(main)


def test_what_was_waited_for_may_be_there_before_the_task_is() -> None:
    """And may have failed."""

    async def main() -> None:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        async def works() -> int:
            return await future

        task = begun(works())
        future.set_exception(ValueError("no"))
        assert task is not None
        with pytest.raises(ValueError, match="no"):
            await task

    skipping(main)


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

        task = begun(works())
        assert task is not None
        if begun_to_wait:
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert task.cancelled()
        assert cleaned == [1]

    skipping(main)
