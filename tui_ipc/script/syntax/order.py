"""Which step may follow which. Pure.

The one rule: after the child's end only what it left can be looked at, until ``restart``. That is told when a
script is read: a child that has ended would make the step fail in every run.
"""

from collections.abc import Sequence

from tui_ipc.script.syntax.steps import (
    ExpectClean,
    ExpectExit,
    ExpectNothing,
    ExpectSignal,
    Quit,
    Repeat,
    Restart,
    Send,
    SendRaw,
    Signal,
    Spawn,
    Step,
)


class Order:
    """Follows the steps of a script through the ends of its child."""

    def __init__(self) -> None:
        self._begun: Step | None = None
        self._ended: Step | None = None
        self._how: Step | None = None
        self._clean: Step | None = None

    def follow(self, step: Step) -> str:
        """Take the next step; returns why it cannot stand here, empty if it can."""
        sentence = self._objection(step)
        self._begun = self._begun or step
        match step:
            case Restart():
                self._ended = self._how = self._clean = None
            case ExpectExit() | ExpectSignal():
                self._how = step
                self._ended = self._ended or step
            case ExpectClean():
                self._clean = step
                self._ended = self._ended or step
            case Quit():
                self._ended = step
        return sentence

    def begin(self, block: Repeat) -> None:
        """Take the first line of a block."""
        self._begun = self._begun or block

    def follow_again(self, steps: Sequence[Step]) -> str:
        """Take the steps of a block once more, as its next round does; returns why that cannot be."""
        for step in steps:
            if isinstance(step, Repeat):
                sentence = self.follow_again(step.steps)
            elif sentence := self.follow(step):
                sentence = f"line {step.line} cannot be repeated: {sentence}"
            if sentence:
                return sentence
        return ""

    def _objection(self, step: Step) -> str:
        match step:
            case Spawn() if isinstance(self._begun, Spawn):
                return f"the child was spawned in line {self._begun.line}; restart begins its next run"
            case Spawn() if self._begun is not None:
                return f"spawn is the first step, and line {self._begun.line} comes before it"
            case Quit() | Send() | SendRaw() | ExpectNothing() | Signal() if self._ended is not None:
                return f"by line {self._ended.line} the child has ended; restart begins its next run"
            case ExpectExit() | ExpectSignal() if self._how is not None:
                return f"line {self._how.line} tells already how the child ends"
            case ExpectClean() if self._clean is not None:
                return f"line {self._clean.line} tells it already"
        return ""
