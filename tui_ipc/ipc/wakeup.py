"""How a task of an event loop waits for a descriptor, faster than with a Future.

A wake-up promises nothing: whoever is woken looks whether there is something to do.
"""

import asyncio
from collections.abc import Callable, Generator
from contextvars import Context

from tui_ipc.ipc.errors import Busy


class Wakeup:
    """What one task awaits until the loop calls :meth:`wake`.

    A future-like object in the sense of :func:`asyncio.isfuture`. A Future would resume its task a turn of
    the loop later; this resumes it within the call, which saves a quarter of a round trip. It may do so for
    nothing: whoever awaits it looks, and may await it again. When no task waits, ``idle`` is called instead.
    """

    __slots__ = ("_asyncio_future_blocking", "_context", "_idle", "_resume", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, idle: Callable[[], object] | None = None) -> None:
        self._asyncio_future_blocking = False
        self._context: Context | None = None
        self._idle = idle
        self._resume: Callable[[Wakeup], object] | None = None
        self.loop = loop

    def is_awaited(self) -> bool:
        """Whether a task waits."""
        return self._resume is not None

    def wake(self) -> None:
        """Resume the task now; to be called by the loop alone, since a task runs only where no other does."""
        resume, self._resume = self._resume, None
        if resume is not None and self._context is not None:
            self._context.run(resume, self)
        elif self._idle is not None:
            self._idle()

    def wake_soon(self) -> None:
        """Resume the task in the loop's next turn, if one waits; may be called by another task."""
        resume, self._resume = self._resume, None
        if resume is not None and not self.loop.is_closed():
            self.loop.call_soon(resume, self, context=self._context)

    def __await__(self) -> Generator["Wakeup", None, None]:
        if self._resume is not None:
            raise Busy("another task is waiting here; an endpoint of a channel serves one at a time")
        self._asyncio_future_blocking = True
        yield self

    # What a Task calls on what its coroutine waits for:

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that wakes."""
        return self.loop

    def add_done_callback(self, resume: "Callable[[Wakeup], object]", *, context: Context) -> None:
        """Remember how the task that waits is resumed."""
        self._resume, self._context = resume, context

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002 - the signature of a future's
        """Called when the task that waits is cancelled."""
        self.wake_soon()
        return False  # not done with it: the task raises CancelledError itself once it is resumed

    def result(self) -> None:
        """A wait gives nothing."""
