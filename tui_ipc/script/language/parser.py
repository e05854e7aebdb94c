"""Parses a whole script: its lines, its blocks, the order of its steps, and the names that it captures."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tui_ipc.script.language.line_parser import EndRepeat, parse_line
from tui_ipc.script.language.scanner import BLANKS, LineError, ScriptSyntaxError
from tui_ipc.script.language.steps import (
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectSignal,
    PlainStep,
    Quit,
    Repeat,
    Restart,
    Script,
    Spawn,
    Step,
)
from tui_ipc.text.placeholders import list_capture_names

MAX_NESTING: Final = 16
"""How deeply blocks may nest."""


def parse_script(text: str, name: str = "<script>") -> Script:
    """Parse a script.

    Args:
        text: All of it. A byte order mark is not part of its first line.
        name: The script's name for people.

    Raises:
        ScriptSyntaxError: A line has no meaning; the first such line is named.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    parser = _ScriptParser()
    for number, source in enumerate(lines, 1):
        try:
            parser.add_line(source, number)
        except LineError as error:
            raise ScriptSyntaxError(name, number, error.offset + 1, str(error), source.rstrip()) from None
    if parser.open_blocks:
        number = parser.open_blocks[-1][0].line
        source = lines[number - 1]
        sentence = "this block has no end; write end on a line after its last step"
        raise ScriptSyntaxError(name, number, _indent_width(source) + 1, sentence, source.rstrip())
    return Script(name, tuple(parser.steps))


class _ScriptParser:
    """Puts lines together.

    Attributes:
        steps: The steps so far, of the innermost open block if there is one.
        open_blocks: The first line of each block that has not ended, with the steps around the block.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.open_blocks: list[tuple[Repeat, list[Step]]] = []
        self._captured: dict[str, None] = {}  # a set that keeps its order, for suggestions
        self._order = StepOrder()

    def add_line(self, source: str, number: int) -> None:
        """Take the next line.

        Raises:
            LineError: It has no meaning, or cannot follow the lines before it.
        """
        parsed = parse_line(source, number, self._captured)
        if parsed is None:
            return
        if isinstance(parsed, Repeat):
            objection = self._begin_block(parsed)
        elif isinstance(parsed, EndRepeat):
            objection = self._end_block()
        else:
            objection = self._order.add(parsed)
            self.steps.append(parsed)
            if isinstance(parsed, Expect):
                self._captured |= dict.fromkeys(list_capture_names(parsed.value))
        if objection:
            raise LineError(objection, _indent_width(source))

    def _begin_block(self, block: Repeat) -> str:
        if len(self.open_blocks) == MAX_NESTING:
            return f"blocks nest at most {MAX_NESTING} deep"
        self._order.begin_block(block)
        self.open_blocks.append((block, self.steps))
        self.steps = []
        return ""

    def _end_block(self) -> str:
        if not self.open_blocks:
            return "this end has no repeat before it"
        block, around = self.open_blocks.pop()
        if not self.steps:
            return f"the block of line {block.line} has no step to repeat"
        complete = replace(block, steps=tuple(self.steps))
        around.append(complete)
        self.steps = around
        return self._order.add_again(complete.steps) if block.count > 1 else ""


def _indent_width(text: str) -> int:
    return len(text) - len(text.lstrip(BLANKS))


class StepOrder:
    """Checks that each step can follow the steps before it.

    After the child's end a script can only check what the child left, until ``restart``. That is an error of
    the script, found when it is read: such a step would fail in every run.
    """

    def __init__(self) -> None:
        self._first: Step | None = None
        self._end: Step | None = None  # the step by which the child has ended
        self._expected_end: Step | None = None  # the step that says how it ends
        self._clean: Step | None = None

    def add(self, step: PlainStep) -> str:
        """Take the next step; returns why it cannot come here, an empty text if it can."""
        objection = self._find_objection(step)
        self._first = self._first or step
        match step:
            case Restart():
                self._end = self._expected_end = self._clean = None
            case ExpectExit() | ExpectSignal():
                self._expected_end = step
                self._end = self._end or step
            case ExpectClean():
                self._clean = step
                self._end = self._end or step
            case Quit():
                self._end = step
            case _:
                pass  # no other step ends the child or says how it ends
        return objection

    def begin_block(self, block: Repeat) -> None:
        """Take the first line of a block."""
        self._first = self._first or block

    def add_again(self, steps: Sequence[Step]) -> str:
        """Take the steps of a block once more, as its second round does; returns why that cannot be."""
        for step in steps:
            if isinstance(step, Repeat):
                objection = self.add_again(step.steps)
            elif objection := self.add(step):
                objection = f"line {step.line} cannot be repeated: {objection}"
            if objection:
                return objection
        return ""

    def _find_objection(self, step: PlainStep) -> str:
        if step.needs_child and self._end is not None:
            return f"by line {self._end.line} the child has ended; restart begins its next run"
        match step:
            case Spawn() if isinstance(self._first, Spawn):
                return f"the child was spawned in line {self._first.line}; restart begins its next run"
            case Spawn() if self._first is not None:
                return f"spawn is the first step, and line {self._first.line} comes before it"
            case ExpectExit() | ExpectSignal() if self._expected_end is not None:
                return f"line {self._expected_end.line} already says how the child ends"
            case ExpectClean() if self._clean is not None:
                return f"line {self._clean.line} already says it"
            case _:
                return ""  # any other step may come anywhere
