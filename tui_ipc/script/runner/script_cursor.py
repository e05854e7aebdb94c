"""Where a script stands: the step that is due, the rounds that it is part of, and what was captured. Pure.

The one rule: a ``repeat`` is never unrolled; what is kept of it is the round that it is in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tui_ipc.script.language.steps import PlainStep, Repeat, Step, count_steps


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a ``repeat``.

    Attributes:
        line: Where that stands.
        number: Which round it is, from 1.
        count: How many there are.
    """

    line: int
    number: int
    count: int


@dataclass(slots=True)
class _Block:
    """Steps that are under way: those of the script, or of a ``repeat`` in it.

    Attributes:
        steps: Them.
        names: What was captured before them.
        line: Where the ``repeat`` stands.
        count: How many rounds it has.
        number: The round that it is in.
        index: Of the step behind the one that is due.
    """

    steps: tuple[Step, ...]
    names: dict[str, Any]
    line: int = 0
    count: int = 1
    number: int = 1
    index: int = 0


class ScriptCursor:
    """The steps of a script, each in its turn; an iterable, to be iterated once.

    A step that was asked for has passed when the next is asked for. What a round of a ``repeat`` captures is
    forgotten when the next round begins, so that each captures anew; what the last one captured stays.

    Attributes:
        line: The line of the step that is due, 0 before the first and after the last.
        passed: Steps that passed; one in a ``repeat`` counts in each round, the ``repeat`` itself does not.
        total: Steps that will have passed at the end.
        names: What was captured, by name.
    """

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self.line = 0
        self.passed = 0
        self.total = count_steps(steps)
        self.names: dict[str, Any] = {}
        self._blocks = [_Block(steps, {})]

    def __iter__(self) -> Iterator[PlainStep]:
        blocks = self._blocks
        while blocks:
            block = blocks[-1]
            for step in islice(block.steps, block.index, None):
                block.index += 1
                if isinstance(step, Repeat):
                    if step.count:
                        blocks.append(_Block(step.steps, dict(self.names), step.line, step.count))
                        break
                else:
                    self.line = step.line
                    yield step
                    self.passed += 1
            else:
                self._next_round(block)
        self.line = 0

    @property
    def rounds(self) -> tuple[Round, ...]:
        """The rounds that the step which is due is part of, from the outermost in."""
        return tuple(Round(block.line, block.number, block.count) for block in self._blocks[1:])

    @property
    def behind(self) -> tuple[Step, ...]:
        """What follows the step that is due, as far as the end of its block."""
        return self._blocks[-1].steps[self._blocks[-1].index :] if self._blocks else ()

    def _next_round(self, block: _Block) -> None:
        if block.number == block.count or not block.steps:
            self._blocks.pop()
            return
        block.number += 1
        block.index = 0
        if len(self.names) > len(block.names):
            self.names = dict(block.names)
