"""Keeps the progress of a script before whoever waits for it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from tui_ipc.script.reporting.console import Console
from tui_ipc.script.reporting.progress import Progress

PATIENCE: Final = 1.0
"""Seconds that nobody minds to wait: what is over by then shows nothing."""

INTERVAL: Final = 0.2
"""Seconds between two looks: a person reads no faster, and a long run has better to do."""

SPARE: Final = 3
"""Cells that stay free behind it: for the cursor, and for the ``^C`` that a terminal shows and we erase."""


@asynccontextmanager
async def ticking(console: Console, label: str, total: int, passed: Callable[[], int]) -> AsyncIterator[None]:
    """Show how far a script is, for as long as the context lasts.

    Args:
        console: Where; it must be interactive.
        label: What is run.
        total: Steps that are due.
        passed: Says how many of them passed.
    """
    ticker = asyncio.create_task(_tick(console, Progress(label, total, monotonic()), passed))
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.wait([ticker])
        await console.clear()


async def _tick(console: Console, progress: Progress, passed: Callable[[], int]) -> None:
    await asyncio.sleep(PATIENCE)
    while True:
        console.show(progress.line(passed(), monotonic(), console.width - SPARE))
        await asyncio.sleep(INTERVAL)
