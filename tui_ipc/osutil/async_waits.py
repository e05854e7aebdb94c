"""Waiting in asyncio: for a descriptor, for one of several futures, for work that has a deadline.

A deadline is judged only after what had arrived before it was taken in: this process may have been stopped,
or had no CPU, until long after the deadline, while the answer was there in time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

LAST_LOOKS: Final = 20
"""Turns of the event loop after a deadline. Each takes in what is there to read, and resumes what waits for
it. The longest chain of such steps is a handshake, from the client that waits to its hello."""


async def wait_until_readable(descriptor: int) -> None:
    """Wait until a descriptor is readable. It must stay open, and have no other waiter in this loop."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, waiter)
    try:
        await waiter
    finally:
        loop.remove_reader(descriptor)


async def wait_for_first(*futures: asyncio.Future[Any], timeout: float | None = None) -> None:
    """Wait until one of the futures is done, or the time has passed. None of them is cancelled."""
    done, _ = await asyncio.wait(futures, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    if not done:
        await look_once_more(lambda: any(future.done() for future in futures))


async def look_once_more(condition: Callable[[], object]) -> None:
    """Let the loop take in what has arrived, until a condition is met; to be called after a deadline."""
    for _ in range(LAST_LOOKS):
        if condition():
            return
        await asyncio.sleep(0)


async def finish_within(
    work: Coroutine[Any, Any, None], timeout: float, get_progress: Callable[[], object]
) -> None:
    """Do some work until it is done; cancel it once the time has passed and it makes no progress any more.

    Args:
        work: To be done.
        timeout: In seconds.
        get_progress: Returns what changes while the work makes progress.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait([task], timeout=timeout)
        before: object = None
        while not task.done() and (progress := get_progress()) != before:
            before = progress
            await look_once_more(task.done)
    finally:
        task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():  # it may have been cancelled in this turn of the loop
        waiter.set_result(None)
