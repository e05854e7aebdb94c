"""Stops a call before its scripts have ended: a signal, the loss of our output, or a defect.

Everything that waits is called through here, so that a signal cancels that one call and never the suite.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, TypeVar

from tui_ipc.script import SIGNAL_EXIT_BASE
from tui_ipc.script.output import OutputLostError
from tui_ipc.script.report.text_report import Reporter

_Result = TypeVar("_Result")
_FINAL_REPORT_TIMEOUT: Final = 1.0  # seconds for each report once a signal came


class StopControl:
    """Calls what a signal may cancel, and reports until nothing takes reports any more.

    Args:
        reporters: Receive all that happens.

    Attributes:
        reporters: Those that still take reports.
        signals: The numbers of the signals that came, for :func:`catch_end_signals` to fill.
        output_lost: Why our output takes nothing more, None while it does.
    """

    def __init__(self, reporters: Sequence[Reporter]) -> None:
        self.reporters = list(reporters)
        self.signals: list[int] = []
        self.output_lost: OutputLostError | None = None
        self._task: asyncio.Task[Any] | None = None
        self._defect: Exception | None = None

    @property
    def code(self) -> int:
        """The exit code that keeps further scripts from being run; 0 if nothing does."""
        if self.signals:
            return SIGNAL_EXIT_BASE + self.signals[0]
        return 0 if self.output_lost is None else self.output_lost.code

    def interrupt(self) -> None:
        """Cancel the call that is under way, if there is one."""
        if self._task is not None:
            self._task.cancel()

    def break_off(self, error: Exception) -> None:
        """Have the call that is under way, or the next one, raise an exception that nothing waited for."""
        self._defect = self._defect or error
        self.interrupt()

    async def call(self, coroutine: Coroutine[Any, Any, _Result]) -> "asyncio.Task[_Result]":
        """Run a coroutine until it is done, or a signal cancels it; returns its task."""
        return await self._call(coroutine, None)

    async def report(self, report: Callable[[Reporter], Coroutine[Any, Any, None]]) -> None:
        """Report something to all reporters that still take it."""
        for reporter in tuple(self.reporters):
            if not await self.write(report(reporter)):
                self.reporters.remove(reporter)

    async def write(self, writing: Coroutine[Any, Any, None]) -> bool:
        """Write to our output.

        After a signal it has a bounded time, because the reader of our output may have stopped.

        Returns:
            False if that time was not enough, so that nothing more should be written this way.
        """
        is_ending = bool(self.signals)
        task = await self._call(writing, _FINAL_REPORT_TIMEOUT if is_ending else None)
        if task.cancelled():
            return not is_ending
        error = task.exception()
        if isinstance(error, OutputLostError):
            self.output_lost = self.output_lost or error
        elif error is not None:
            raise error
        return True

    async def _call(
        self, coroutine: Coroutine[Any, Any, _Result], timeout: float | None
    ) -> "asyncio.Task[_Result]":
        self._task = task = asyncio.create_task(coroutine)
        await asyncio.wait([task], timeout=timeout)
        if not task.done():
            task.cancel()
            await asyncio.wait([task])
        self._task = None
        if self._defect is not None:
            raise self._defect
        return task
