"""Which step may follow which. Pure.

The one rule: after the child's end only what it left can be looked at, until ``restart``. That is told when a
script is read: a child that has ended would make the step fail in every run.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tui_ipc.script.language.line_parser import EndRepeat, read_step
from tui_ipc.script.language.scanner import BLANKS, LineError, ScriptSyntaxError
from tui_ipc.script.language.steps import (
    GRAMMAR,
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectNothing,
    ExpectOutput,
    ExpectSignal,
    Quit,
    Repeat,
    Restart,
    Script,
    Send,
    SendRaw,
    Signal,
    Sleep,
    Spawn,
    Step,
    Timeout,
)
from tui_ipc.script.language.writer import write
from tui_ipc.text.placeholders import names


class StepOrder:
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


__all__ = [
    "GRAMMAR",
    "Expect",
    "ExpectClean",
    "ExpectExit",
    "ExpectNothing",
    "ExpectOutput",
    "ExpectSignal",
    "Quit",
    "Repeat",
    "Restart",
    "Script",
    "ScriptSyntaxError",
    "Send",
    "SendRaw",
    "Signal",
    "Sleep",
    "Spawn",
    "Step",
    "Timeout",
    "parse",
    "write",
]

MAX_NESTING: Final = 16
"""How deeply blocks may nest."""


def parse(text: str, name: str = "<script>") -> Script:
    """Understand a script.

    Args:
        text: All of it. A mark of byte order is no part of its first line.
        name: What a person calls it.

    Raises:
        ScriptSyntaxError: The first line that has no meaning.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    reader = _ScriptParser()
    for number, source in enumerate(lines, 1):
        try:
            reader.read(source, number)
        except LineError as fault:
            raise ScriptSyntaxError(name, number, fault.offset + 1, str(fault), source.rstrip()) from None
    if reader.blocks:
        number = reader.blocks[-1][0].line
        source = lines[number - 1]
        sentence = "this block has no end; write end on a line behind its last step"
        raise ScriptSyntaxError(name, number, _indent_width(source) + 1, sentence, source.rstrip())
    return Script(name, tuple(reader.steps))


class _ScriptParser:
    """Puts lines together: blocks, what may follow what, and the names that are captured.

    Attributes:
        steps: What was read, of the innermost block if one is not complete.
        blocks: The beginnings of the blocks that are not complete, each with the steps around it.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.blocks: list[tuple[Repeat, list[Step]]] = []
        self._captured: dict[str, None] = {}  # names in their order
        self._order = StepOrder()

    def read(self, source: str, number: int) -> None:
        """Read the next line.

        Raises:
            Fault: It has no meaning, or none where it stands.
        """
        step = read_step(source, number, self._captured)
        sentence = ""
        match step:
            case None:
                return
            case Repeat():
                sentence = self._begin_block(step)
            case EndRepeat():
                sentence = self._end_block()
            case _:
                sentence = self._order.follow(step)
                self.steps.append(step)
                if isinstance(step, Expect):
                    self._captured |= dict.fromkeys(names(step.value))
        if sentence:
            raise LineError(sentence, _indent_width(source))

    def _begin_block(self, step: Repeat) -> str:
        if len(self.blocks) == MAX_NESTING:
            return f"blocks nest at most {MAX_NESTING} deep"
        self._order.begin(step)
        self.blocks.append((step, self.steps))
        self.steps = []
        return ""

    def _end_block(self) -> str:
        if not self.blocks:
            return "there is no repeat that this ends"
        block, around = self.blocks.pop()
        if not self.steps:
            return f"the block of line {block.line} has no step to repeat"
        complete = replace(block, steps=tuple(self.steps))
        around.append(complete)
        self.steps = around
        return self._order.follow_again(complete.steps) if block.count > 1 else ""


def _indent_width(text: str) -> int:
    return len(text) - len(text.lstrip(BLANKS))
