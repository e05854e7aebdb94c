"""Breaks off what a task waits for, at a moment or when somebody rings.

The one rule: a wait that ends in time costs no timer. There is one timer for all waits; it is moved when it
fires, and not whenever a deadline is set.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from math import inf
from typing import Any, TypeVar

T = TypeVar("T")


class InterruptibleWait:
    """For the waits of one task, one after the other; made in that task.

    It breaks a wait off by cancelling the task, as ``asyncio.timeout`` does, so whatever is waited for must
    be safe to cancel.

    Attributes:
        deadline: When a wait ends at the latest, by the loop's clock. May be moved at any time.
    """

    def __init__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelled = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = inf  # when the timer fires
        self._waiting = False
        self._rung = False
        self.deadline = inf

    @property
    def passed(self) -> bool:
        """Whether the deadline has passed."""
        return self._loop.time() >= self.deadline

    async def wait(self, begin: Callable[[], Awaitable[T]]) -> T | None:
        """Wait for what ``begin`` returns; None if the deadline passed, or somebody rang, before it came."""
        if self._loop.time() >= self.deadline:
            return None
        if self.deadline < self._rings_at:
            self._set_timer()
        self._waiting = True
        try:
            return await begin()
        except asyncio.CancelledError:
            if not self._rung or self._task.uncancel() > self._cancelled:
                raise  # somebody else cancelled the task, if only as well
            return None
        finally:
            self._waiting = self._rung = False

    def ring(self) -> None:
        """Break off the wait, if there is one."""
        if self._waiting and not self._rung:
            self._rung = True
            self._task.cancel()

    def close(self) -> None:
        """Fire no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _set_timer(self) -> None:
        self.close()
        self._rings_at = self.deadline
        self._timer = self._loop.call_at(self.deadline, self._fire)

    def _fire(self) -> None:
        self._rings_at = inf
        if not self._waiting:
            return
        if self.passed:
            self.ring()
        elif self.deadline < inf:
            self._set_timer()


def start_eagerly(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
    """Run a coroutine up to its first wait.

    Args:
        coroutine: May not ask for its task before that: until then it runs in the caller's.

    Returns:
        The task that does the rest of it, None if nothing is left; its result is lost then.
    """
    try:
        awaited = coroutine.send(None)
    except StopIteration:
        return None
    task = asyncio.create_task(_run_to_end(_StartedCoroutine(coroutine, awaited)))
    task.add_done_callback(lambda _: coroutine.close())  # if it was cancelled before its first turn
    return task


class _StartedCoroutine(Generator[Any, Any, T]):
    """What is left of a coroutine: the wait that it has begun comes first."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], awaited: Any) -> None:
        self._coroutine = coroutine
        self._begun = [awaited]

    def __await__(self) -> Generator[Any, Any, T]:
        return self

    def send(self, value: Any) -> Any:
        return self._begun.pop() if self._begun else self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)


async def _run_to_end(rest: _StartedCoroutine[T]) -> T:
    return await rest
