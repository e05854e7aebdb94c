"""How far a script is, in one line: for a person who waits. Pure.

The one rule: the line fits. What is cut is the script's name, from its beginning, for its end tells more.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Final

from tui_ipc.script.report.console import Console
from tui_ipc.script.report.passthrough import visible
from tui_ipc.text.safe_text import cell_width
from tui_ipc.text.units import format_count

_SAMPLES: Final = 25
"""Looks that the rate is taken from: it follows what a script does now, and does not jump."""

_MIN_SPAN: Final = 0.001  # seconds from which a rate can be taken
_ELLIPSIS: Final = "…"


class Progress:
    """The progress of one script.

    Args:
        label: What the line begins with: the script's name, as a rule.
        total: Steps that are due.
        now: The time in seconds at its beginning, on any clock that does not go back.
    """

    def __init__(self, label: str, total: int, now: float) -> None:
        self._label = visible(label).replace("\t", " ")
        self._total = total
        self._looks: deque[tuple[float, int]] = deque([(now, 0)], _SAMPLES)

    def line(self, passed: int, now: float, width: int) -> str:
        """What to show.

        Args:
            passed: Steps that passed so far.
            now: The time.
            width: Cells that there are.
        """
        begun, before = self._looks[0]
        self._looks.append((now, passed))
        rate = (passed - before) / (now - begun) if now - begun > _MIN_SPAN else 0.0
        parts = [f"{format_count(passed)} of {format_count(self._total)} steps"]
        if rate > 0:
            parts.append(f"{format_count(round(rate)) if rate >= 10 else f'{rate:.1f}'}/s")
            parts.append(f"{_describe_wait((self._total - passed) / rate)} left")
        figures = " · ".join(parts)
        label = _cut_to_end(self._label, width - len(figures) - 2)
        return f"{label}: {figures}" if label else figures[: max(width, 0)]


def _describe_wait(seconds: float) -> str:
    """A time to wait, as a person would say it: ``7 s``, ``2 min 5 s``, ``3 h 20 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _cut_to_end(text: str, width: int) -> str:
    """As much of the end of a text as so many cells hold."""
    if cell_width(text) <= width:
        return text
    kept, left = "", width - 1
    for character in reversed(text):
        left -= cell_width(character)
        if left < 0:
            break
        kept = character + kept
    return _ELLIPSIS + kept if width > 0 else ""


SHOW_AFTER: Final = 1.0
"""Seconds that nobody minds to wait: what is over by then shows nothing."""

INTERVAL: Final = 0.2
"""Seconds between two looks: a person reads no faster, and a long run has better to do."""

FREE_CELLS: Final = 3
"""Cells that stay free behind it: for the cursor, and for the ``^C`` that a terminal shows and we erase."""


@asynccontextmanager
async def show_progress(
    console: Console, label: str, total: int, passed: Callable[[], int]
) -> AsyncIterator[None]:
    """Show how far a script is, for as long as the context lasts.

    Args:
        console: Where; it must be interactive.
        label: What is run.
        total: Steps that are due.
        passed: Says how many of them passed.
    """
    ticker = asyncio.create_task(_redraw(console, Progress(label, total, monotonic()), passed))
    try:
        yield
    finally:
        ticker.cancel()
        await asyncio.wait([ticker])
        await console.clear()


async def _redraw(console: Console, progress: Progress, passed: Callable[[], int]) -> None:
    await asyncio.sleep(SHOW_AFTER)
    while True:
        console.show(progress.line(passed(), monotonic(), console.width - FREE_CELLS))
        await asyncio.sleep(INTERVAL)
