"""What is wrong with a script, and how a person sees it. Pure."""

from typing import Final

from tui_ipc.script.cells import cells
from tui_ipc.session.notation import render

_SHOWN: Final = 90  # characters of a faulty line
_LEAD: Final = 60  # of them before the fault


class Fault(Exception):
    """What is wrong with a line, and at which character of it, from 0."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


class ScriptSyntaxError(Exception):
    """A line of a script has no meaning; the text shows it.

    Attributes:
        name: The script's name.
        line: The number of the line, from 1.
        column: The character in it, from 1.
        sentence: What is wrong, and the remedy.
    """

    def __init__(self, name: str, line: int, column: int, sentence: str, source: str) -> None:
        super().__init__(f"{name}:{line}:{column}: {sentence}\n{_pointed_at(line, column, source)}")
        self.name = name
        self.line = line
        self.column = column
        self.sentence = sentence


def _pointed_at(line: int, column: int, source: str) -> str:
    """The line, cut to what is around the column and safe for a terminal, and a mark below the character."""
    begin = max(column - 1 - _LEAD, 0)
    before, after = _visible(source[begin : column - 1]), _visible(source[column - 1 : begin + _SHOWN])
    margin = f"{line:5} | "
    if begin:
        before = "…" + before
    if begin + _SHOWN < len(source):
        after += "…"
    return f"{margin}{before}{after}\n{'| ':>{len(margin)}}{' ' * cells(before)}^"


def _visible(text: str) -> str:
    return "".join(character if character.isprintable() else render(character)[1:-1] for character in text)
