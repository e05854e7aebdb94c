"""The script language: text to steps, and back. Pure.

The one rule: what a line means is decided here, before anything runs, and never guessed. A line that might
be meant in two ways is an error that says how to write either.

A script is a transcript, one step a line::

    # calculator.tipc
    spawn python calculator.py
    > {"id": 1, "op": "add", "args": [2, 3]}
    < {"id": 1, "result": 5, ...}
    quit
    ? exit 0

:data:`GRAMMAR` tells all of it. Blanks around a line, and so the indentation of blocks, mean nothing. Values
are in the notation of :mod:`tui_ipc.session.notation`, without the blanks around them.
"""

from dataclasses import replace
from typing import Final

from tui_ipc.script.syntax.faults import Fault, ScriptSyntaxError
from tui_ipc.script.syntax.grammar import GRAMMAR
from tui_ipc.script.syntax.order import Order
from tui_ipc.script.syntax.patterns import names
from tui_ipc.script.syntax.reading import End, read_step
from tui_ipc.script.syntax.scanner import BLANKS
from tui_ipc.script.syntax.steps import (
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
from tui_ipc.script.syntax.writing import write

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

DEEPEST: Final = 16
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
    reader = _Reader()
    for number, source in enumerate(lines, 1):
        try:
            reader.read(source, number)
        except Fault as fault:
            raise ScriptSyntaxError(name, number, fault.offset + 1, str(fault), source.rstrip()) from None
    if reader.blocks:
        number = reader.blocks[-1][0].line
        source = lines[number - 1]
        sentence = "this block has no end; write end on a line behind its last step"
        raise ScriptSyntaxError(name, number, _indent(source) + 1, sentence, source.rstrip())
    return Script(name, tuple(reader.steps))


class _Reader:
    """Puts lines together: blocks, what may follow what, and the names that are captured.

    Attributes:
        steps: What was read, of the innermost block if one is not complete.
        blocks: The beginnings of the blocks that are not complete, each with the steps around it.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.blocks: list[tuple[Repeat, list[Step]]] = []
        self._captured: dict[str, None] = {}  # names in their order
        self._order = Order()

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
            case End():
                sentence = self._end_block()
            case _:
                sentence = self._order.follow(step)
                self.steps.append(step)
                if isinstance(step, Expect):
                    self._captured |= dict.fromkeys(names(step.value))
        if sentence:
            raise Fault(sentence, _indent(source))

    def _begin_block(self, step: Repeat) -> str:
        if len(self.blocks) == DEEPEST:
            return f"blocks nest at most {DEEPEST} deep"
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


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(BLANKS))
