"""How fast a run talks: latencies, and what passes in each second. Pure, and bounded.

The one rule: what is shown of latency is of the newest :data:`LATENCIES` answers, of traffic of the newest
:data:`SPAN` seconds; only counts and the slowest answer are of the whole run.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

LATENCY_WINDOW: Final = 1024
"""The percentiles are those of this many of the newest answers."""

TRAFFIC_WINDOW: Final = 180
"""Seconds of which it is known what passed in each."""

NANOSECONDS: Final = 1_000_000_000

_BARS: Final = "▁▂▃▄▅▆▇█"
_NO_BAR: Final[dict[float | None, str]] = {None: " ", 0: "·"}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """What is known of the newest answers: nanoseconds within which so many of a hundred came."""

    p50: int
    p95: int
    p99: int


@dataclass(slots=True)
class TrafficSecond:
    """What passed in one second.

    Attributes:
        number: Which second of the session it is.
        sent: Messages to the child.
        received: Messages from it.
        sent_bytes: Their bytes.
        received_bytes: Their bytes.
        slowest: The longest time to an answer in ns, None if none came.
    """

    number: int
    sent: int = 0
    received: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    slowest: int | None = None


class RunMetrics:
    """What is measured of one run.

    Attributes:
        answers: How many messages were answered.
        slowest: The longest time to an answer in ns, None before the first.
    """

    def __init__(self) -> None:
        self.answers = 0
        self.slowest: int | None = None
        self._latencies: deque[int] = deque(maxlen=LATENCY_WINDOW)
        self._percentiles: Percentiles | None = None
        self._seconds: deque[TrafficSecond] = deque(maxlen=TRAFFIC_WINDOW)

    def sent(self, at: int, size: int) -> None:
        """A message of so many bytes left at a moment of the session."""
        second = self._second(at)
        second.sent += 1
        second.sent_bytes += size

    def received(self, at: int, size: int, elapsed: int | None) -> None:
        """A message came, as an answer after ``elapsed`` ns or unasked."""
        second = self._second(at)
        second.received += 1
        second.received_bytes += size
        if elapsed is None:
            return
        self.answers += 1
        self.slowest = max(elapsed, self.slowest or 0)
        second.slowest = max(elapsed, second.slowest or 0)
        self._latencies.append(elapsed)
        self._percentiles = None

    @property
    def percentiles(self) -> Percentiles | None:
        """Those of the newest answers, None before the first."""
        if self._percentiles is None and self._latencies:
            ordered = sorted(self._latencies)
            self._percentiles = Percentiles(
                *(_find_percentile(ordered, share) for share in (0.5, 0.95, 0.99))
            )
        return self._percentiles

    def seconds(self, now: int, count: int) -> list[TrafficSecond]:
        """The last ``count`` whole seconds before a moment, oldest first, those without any traffic too."""
        last = now // NANOSECONDS - 1
        known = {second.number: second for second in self._seconds}
        return [known.get(number) or TrafficSecond(number) for number in range(last - count + 1, last + 1)]

    def _second(self, at: int) -> TrafficSecond:
        number = at // NANOSECONDS
        if not self._seconds or self._seconds[-1].number < number:
            self._seconds.append(TrafficSecond(number))
        return self._seconds[-1]


def _find_percentile(ordered: Sequence[int], share: float) -> int:
    """The least value that so large a share of the values do not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def draw_sparkline(values: Sequence[float | None], top: float = 0) -> str:
    """A line of bars, one for each value; a blank for none, a dot for 0.

    Args:
        values: They, none below 0.
        top: What a whole bar stands for at least.
    """
    highest = max([top, *(value for value in values if value is not None)])
    return "".join(_NO_BAR.get(value) or _draw_bar((value or 0) / highest) for value in values)


def _draw_bar(share: float) -> str:
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
