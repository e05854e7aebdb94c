"""Begins a coroutine at once, and makes a task only of one that has to wait.

What Python 3.12 calls an eager task. Of the messages that a script sends, nearly all leave without a wait.
"""

import asyncio
from collections.abc import Coroutine, Generator
from typing import Any, TypeVar

T = TypeVar("T")


def begun(coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T] | None:
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
    task = asyncio.create_task(_finished(_Rest(coroutine, awaited)))
    task.add_done_callback(lambda _: coroutine.close())  # if it was cancelled before its first turn
    return task


class _Rest(Generator[Any, Any, T]):
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


async def _finished(rest: _Rest[T]) -> T:
    return await rest
