"""Parses a whole script: its lines, its blocks, the order of its steps, and the names that it captures."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tui_ipc.script.language.line_parser import EndRepeat, parse_line
from tui_ipc.script.language.scanner import BLANKS, LineError, LineScanner, ScriptSyntaxError
from tui_ipc.script.language.steps import (
    NO_VARIABLES,
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectNoOutput,
    ExpectOutput,
    ExpectPercentile,
    ExpectSignal,
    PlainStep,
    Quit,
    Repeat,
    Restart,
    Script,
    Send,
    Set,
    Spawn,
    Step,
)
from tui_ipc.script.language.values import ROUND
from tui_ipc.text.placeholders import fill_names, list_captured_names, list_used_names

MAX_NESTING: Final = 16
"""How deeply blocks may nest."""

_SET_NAME: Final = re.compile(r"set[ \t]+([A-Za-z_][A-Za-z0-9_]*)")
_NAMES: Final = re.compile(r"\{\{[ \t]*([A-Za-z_][A-Za-z0-9_]*)(?![\w.])")


@dataclass(frozen=True, slots=True)
class ScriptReading:
    """What was read of a script.

    Attributes:
        script: Its steps; without those of faulty lines.
        faults: What is wrong: lines first, then blocks that have no end; if nothing is, it can be run.
    """

    script: Script
    faults: tuple[ScriptSyntaxError, ...]


def parse_script(text: str, name: str = "<script>", variables: Mapping[str, Any] = NO_VARIABLES) -> Script:
    """Parse a script that has no fault.

    Args:
        text: All of it. A byte order mark is not part of its first line.
        name: The script's name for people.
        variables: The values of names, those of the environment as ``env.NAME``.

    Raises:
        ScriptSyntaxError: The first fault.
    """
    reading = read_script(text, name, variables)
    if reading.faults:
        raise reading.faults[0]
    return reading.script


def read_script(
    text: str, name: str = "<script>", variables: Mapping[str, Any] = NO_VARIABLES
) -> ScriptReading:
    """Read a script with all its faults; a faulty line does not make another one faulty."""
    lines = text.removeprefix("\ufeff").split("\n")
    parser = _ScriptParser(variables)

    def locate(number: int, problem: LineError) -> ScriptSyntaxError:
        return ScriptSyntaxError(name, number, problem.offset + 1, str(problem), lines[number - 1].rstrip())

    faults: list[ScriptSyntaxError] = []
    warnings: list[ScriptSyntaxError] = []
    for number, source in enumerate(lines, 1):
        line = LineScanner(source, number)
        try:
            parser.add_line(line)
        except LineError as error:
            faults.append(locate(number, error))
            parser.recover(line)
        else:
            warnings += (locate(number, warning) for warning in line.warnings)
    for block, _ in reversed(parser.open_blocks):
        sentence = "this block has no end; write end on a line after its last step"
        faults.append(locate(block.line, LineError(sentence, _indent_width(lines[block.line - 1]))))
    script = Script(
        name,
        tuple(parser.steps),
        parser.used_variables,
        parser.counts_rounds,
        warnings=tuple(warnings),
    )
    return ScriptReading(script, tuple(faults))


class _ScriptParser:
    """Puts lines together.

    Attributes:
        steps: The steps so far, of the innermost open block if there is one.
        open_blocks: The first line of each block that has not ended, with the steps around the block.
        used_variables: The variables that the lines so far use or set.
        counts_rounds: Whether one of them uses the number of the round.
    """

    def __init__(self, variables: Mapping[str, Any]) -> None:
        self.steps: list[Step] = []
        self.open_blocks: list[tuple[Repeat, list[Step]]] = []
        self.used_variables: dict[str, Any] = {}
        self.counts_rounds = False
        self._variables = dict(variables)
        self._known: dict[str, None] = dict.fromkeys(variables)  # a set that keeps its order, for suggestions
        self._counting_blocks = 0  # open blocks, from the first one in which the number of the round is known
        self._order = StepOrder()
        self._last_fault = 0  # its line
        self._too_deep = 0  # open blocks that nest too deeply; their steps are taken for the outer block's

    def add_line(self, line: LineScanner) -> None:
        """Take the next line.

        Raises:
            LineError: It has no meaning, or cannot follow the lines before it.
        """
        begin = line.position
        parsed = parse_line(line, self._known)
        if parsed is None:
            return
        if isinstance(parsed, Repeat):
            objection = self._begin_block(parsed)
        elif isinstance(parsed, EndRepeat):
            objection = self._end_block()
        else:
            objection = self._order.add(parsed)
            self.steps.append(parsed)
            if not objection and ("{{" in line.text or "(?P<" in line.text or isinstance(parsed, Set)):
                self._note_names(parsed)
        if objection:
            raise LineError(objection, begin)

    def recover(self, line: LineScanner) -> None:
        """Take what a faulty line means for the lines after it: it may begin a block, or capture names."""
        self._last_fault = line.number
        text = line.text.lstrip(BLANKS)
        if text.split(maxsplit=1)[:1] == ["repeat"]:
            self._too_deep += bool(self._begin_block(Repeat(1, (), line=line.number)))
        elif name := _SET_NAME.match(text):
            self._known[name[1]] = None
            self._variables.setdefault(name[1], None)
        elif text.startswith("<"):
            self._known |= dict.fromkeys(_NAMES.findall(text))

    def _note_names(self, step: PlainStep) -> None:
        match step:
            case Set(name, value):
                if name not in self._variables:
                    self._variables[name] = fill_names(value, self._variables)
                used: tuple[str, ...] = (name,)
                self._known[name] = None
            case Expect(value):
                used = list_used_names(value)
                self._known |= dict.fromkeys(list_captured_names(value))
            case ExpectNoOutput(_, regex):
                used = () if regex is None else regex.names
            case ExpectOutput(_, regex):
                used = regex.names
                self._known |= dict.fromkeys(list_captured_names(regex))
            case Send(value):
                used = list_used_names(value)
            case Spawn(command):
                used = list_used_names(command)
            case _:
                return
        self.used_variables |= {name: self._variables[name] for name in used if name in self._variables}
        self.counts_rounds = self.counts_rounds or (self._counting_blocks > 0 and ROUND in used)

    def _begin_block(self, block: Repeat) -> str:
        if len(self.open_blocks) == MAX_NESTING:
            return f"blocks nest at most {MAX_NESTING} deep"
        self._order.begin_block(block)
        self.open_blocks.append((block, self.steps))
        self.steps = []
        if self._counting_blocks or ROUND not in self._known:
            self._counting_blocks += 1
            self._known[ROUND] = None
        return ""

    def _end_block(self) -> str:
        if self._too_deep:
            self._too_deep -= 1
            return ""
        if not self.open_blocks:
            return "this end has no repeat before it"
        block, around = self.open_blocks.pop()
        if self._counting_blocks:
            self._counting_blocks -= 1
            if not self._counting_blocks:
                del self._known[ROUND]
        if not self.steps:
            self.steps = around
            if self._last_fault >= block.line:
                return ""  # its steps are those that are faulty
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
        self._has_block = False

    def add(self, step: PlainStep) -> str:
        """Take the next step; returns why it cannot come here, an empty text if it can."""
        objection = self._find_objection(step)
        if not isinstance(step, Set):
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
        self._has_block = True

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
            line, self._end = self._end.line, None  # which is said once
            return f"by line {line} the child has ended; restart begins its next run"
        match step:
            case Set() if self._first is not None:
                return f"set comes before all other steps, and line {self._first.line} comes before it"
            case Spawn() if isinstance(self._first, Spawn):
                return f"the child was spawned in line {self._first.line}; restart begins its next run"
            case Spawn() if self._first is not None:
                return f"spawn is the first step, and line {self._first.line} comes before it"
            case ExpectExit() | ExpectSignal() if self._expected_end is not None:
                return f"line {self._expected_end.line} already says how the child ends"
            case ExpectPercentile() if not self._has_block:
                return f"p{step.percent:g} measures the answers of a repeat: write one above this line"
            case ExpectClean() if self._clean is not None:
                return f"line {self._clean.line} already says it"
            case _:
                return ""  # any other step may come anywhere
