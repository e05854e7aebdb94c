"""What the tests of the asyncio endpoints share: a loop that is checked for leftovers, and waits in turns."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, TypeVar

from tests.support.threads import PATIENCE
from tui_ipc.ipc import aio

T = TypeVar("T")
MIB = 1024 * 1024
TURNS = 12
"""Turns of a loop that any step of a small message takes at most: cancelling after 0 … 12 tries each moment.
"""

AioPair = tuple[aio.Sender[Any], aio.Receiver[Any]]


class Counting(selectors.DefaultSelector):
    """The selector of a loop, counting what the loop asks of it."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0
        self.changes = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.waits += 1
        return super().select(timeout)

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        self.changes += 1
        return super().register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        self.changes += 1
        return super().unregister(fileobj)

    @property
    def watched(self) -> Mapping[Any, selectors.SelectorKey]:
        found = self.get_map()
        assert found is not None
        return found


def run(
    main: Coroutine[Any, Any, T], *ends: aio.Sender[Any] | aio.Receiver[Any], selector: Counting | None = None
) -> T:
    """Run a coroutine in a loop of its own; once ``ends`` are closed, the loop may hold nothing, nor
    complain.
    """
    selector = selector or Counting()
    complaints: list[dict[str, Any]] = []
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector)) as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(context))
        own = len(selector.watched)  # the loop's way to be woken by threads and signals
        result = runner.run(main)
        for end in ends:
            end.close()
        assert len(selector.watched) == own, "a descriptor was left with the loop"
    assert not complaints
    return result


async def turns(count: int) -> None:
    """Let everything else in the loop run ``count`` times."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until something is the case."""
    async with asyncio.timeout(PATIENCE):
        while not condition():
            await asyncio.sleep(0)


async def cancelled(task: "asyncio.Task[T]") -> T | None:
    """Cancel a task; what it returned if it was done before that could matter."""
    task.cancel()
    with suppress(asyncio.CancelledError):
        return await task
    return None


async def fill(sender: aio.Sender[Any], message: object) -> int:
    """Send until the channel takes no more; how many it took."""
    count = 0
    while True:
        task = asyncio.create_task(sender.send(message))
        await turns(4)
        if not task.done():
            await cancelled(task)
            return count
        count += 1
