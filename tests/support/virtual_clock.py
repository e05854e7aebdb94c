"""An event loop that does not wait for time: where it would sleep until a moment, its clock jumps there."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualClock:
    """A loop's clock.

    Attributes:
        now: Seconds.
    """

    def __init__(self) -> None:
        self.now = 1000.0

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine that waits for nothing outside this process."""
        loop = asyncio.new_event_loop()
        loop.time = lambda: self.now  # type: ignore[method-assign]
        select = loop._selector.select  # type: ignore[attr-defined]

        def skip(timeout: float | None) -> Any:
            if timeout is not None:
                self.now += timeout
            return select(0 if timeout is not None else None)

        loop._selector.select = skip  # type: ignore[attr-defined]
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(main)


def run_without_waiting(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine where the clock does not matter."""
    return VirtualClock().run(main())
