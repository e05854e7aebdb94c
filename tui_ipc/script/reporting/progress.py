"""How far a script is, in one line: for a person who waits. Pure.

The one rule: the line fits. What is cut is the script's name, from its beginning, for its end tells more.
"""

from collections import deque
from typing import Final

from tui_ipc.script.cells import cells
from tui_ipc.script.relay import visible
from tui_ipc.session.units import count

_SAMPLES: Final = 25
"""Looks that the rate is taken from: it follows what a script does now, and does not jump."""

_SHORTEST: Final = 0.001  # seconds from which a rate can be taken
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
        rate = (passed - before) / (now - begun) if now - begun > _SHORTEST else 0.0
        parts = [f"{count(passed)} of {count(self._total)} steps"]
        if rate > 0:
            parts.append(f"{count(round(rate)) if rate >= 10 else f'{rate:.1f}'}/s")
            parts.append(f"{_span((self._total - passed) / rate)} left")
        figures = " · ".join(parts)
        label = _last(self._label, width - len(figures) - 2)
        return f"{label}: {figures}" if label else figures[: max(width, 0)]


def _span(seconds: float) -> str:
    """A time to wait, as a person would say it: ``7 s``, ``2 min 5 s``, ``3 h 20 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _last(text: str, width: int) -> str:
    """As much of the end of a text as so many cells hold."""
    if cells(text) <= width:
        return text
    kept, left = "", width - 1
    for character in reversed(text):
        left -= cells(character)
        if left < 0:
            break
        kept = character + kept
    return _ELLIPSIS + kept if width > 0 else ""
