"""The contenders of an event loop: each carries ``bytes`` to a second process and back, awaiting the answer.

They run in one loop and in turn, as :mod:`tests.benchmarks.measure` has it.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any, Protocol, Self

from tests.benchmarks.measure import Figures, Tally, turns


class Awaited(Protocol):
    """A contender: entered, its peer answers; left, its peer is gone."""

    name: str

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def exchange(self, message: bytes) -> None:
        """Send a message and wait until it is back."""


async def _round_trips(contenders: Sequence[Awaited], message: bytes, each: int, rounds: int) -> Figures:
    tally = Tally()
    async with AsyncExitStack() as stack:
        by_name: dict[str, Any] = {}
        for one in contenders:
            by_name[one.name] = await stack.enter_async_context(one)
        for name, counts in turns(by_name, rounds):
            exchange = by_name[name].exchange
            stamps = [perf_counter()]
            for _ in range(each):
                await exchange(message)
                stamps.append(perf_counter())
            if counts:
                tally.add(name, stamps)
    return tally.times(1e6)


def round_trips(contenders: Sequence[Awaited], message: bytes, each: int, rounds: int) -> Figures:
    """Microseconds of one exchange."""
    return asyncio.run(_round_trips(contenders, message, each, rounds))
