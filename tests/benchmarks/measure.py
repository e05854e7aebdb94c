"""How figures are taken.

Contenders take turns, round by round, in one run, so that a machine that slows down slows them
all. What is quoted is the median of the rounds; the 95th percentile is that of the single operations.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from statistics import median
from time import perf_counter

CPUS = sorted(os.sched_getaffinity(0))
"""Those that we may use. Everything is measured on the first, but for what is measured on two."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What one contender took.

    Attributes:
        median: Of the rounds, in the unit of its group.
        p95: 95 of 100 were this good or better: single operations where they are timed one by one, else
            rounds.
    """

    median: float
    p95: float


Figures = dict[str, Figure]


@dataclass(frozen=True, slots=True)
class Group:
    """What is compared with each other; the first contender is the reference."""

    unit: str
    figures: Figures


def turns(names: Iterable[str], rounds: int) -> Iterator[tuple[str, bool]]:
    """Whose turn it is, and whether it counts: a round to warm up goes before, except before a single one."""
    names = tuple(names)
    for number in range(rounds if rounds == 1 else rounds + 1):
        for name in names:
            yield name, rounds == 1 or number > 0


class Tally:
    """The seconds that operations took, by contender and round."""

    def __init__(self) -> None:
        self._rounds: dict[str, list[float]] = {}
        self._single: dict[str, list[float]] = {}

    def add(self, name: str, stamps: list[float], per_step: int = 1) -> None:
        """Enter a round.

        Args:
            name: The contender.
            stamps: The moments at which its operations began, and that at which the last one was over.
            per_step: Operations between one stamp and the next.
        """
        self.add_steps(name, [(end - begin) / per_step for begin, end in pairwise(stamps)])

    def add_steps(self, name: str, steps: list[float]) -> None:
        """Enter a round whose operations were timed one by one, with other things between them."""
        self._rounds.setdefault(name, []).append(sum(steps) / len(steps))
        self._single.setdefault(name, []).extend(steps)

    def times(self, scale: float) -> Figures:
        """The time of one operation; a scale of 1e6 gives microseconds."""
        return {
            name: Figure(median(rounds) * scale, percentile(self._single[name], 0.95) * scale)
            for name, rounds in self._rounds.items()
        }

    def rates(self) -> Figures:
        """Operations in a second."""
        return {name: Figure(1 / one.median, 1 / one.p95) for name, one in self.times(1).items()}


def percentile(values: list[float], share: float) -> float:
    """The smallest value that so large a share of all does not exceed."""
    ordered = sorted(values)
    return ordered[ceil(len(ordered) * share) - 1]


def timed(operation: Callable[[], object], times: int) -> list[float]:
    """Do it so many times; the stamps for :meth:`Tally.add`."""
    stamps = [perf_counter()]
    for _ in range(times):
        operation()
        stamps.append(perf_counter())
    return stamps


def in_turn(work: dict[str, Callable[[], object]], each: int, rounds: int) -> Tally:
    """So many operations of each contender in each round."""
    tally = Tally()
    for name, counts in turns(work, rounds):
        stamps = timed(work[name], each)
        if counts:
            tally.add(name, stamps)
    return tally
