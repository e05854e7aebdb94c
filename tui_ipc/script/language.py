"""The script language: text to steps, and back. Pure.

The one rule: what a line means is decided here, before anything runs, and never guessed. A line that might
be meant in two ways is an error that says how to write either.

A script is a transcript, one step a line::

    # calculator.tipc
    > {"op": "add", "args": [2, 3]}
    < 5
    quit

``> VALUE`` sends a message. ``< VALUE`` waits for the next message, which must equal the value. ``quit`` ends
the child, and the script; it is implied at the end. Values are in the notation of
:mod:`tui_ipc.session.notation`, without the spaces around them. ``#`` begins a comment, on a line of its own
or behind a step.
"""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from tui_ipc.ipc.wire import encode
from tui_ipc.session.events import Stream
from tui_ipc.session.notation import interpret, render

BLANKS: Final = " \t\r"
_COMMENT: Final = re.compile(r"[ \t]#")
_BLANK: Final = re.compile(f"[{BLANKS}]")
_SHOWN: Final = 90  # characters of a faulty line
_LEAD: Final = 60  # of them before the fault


@dataclass(frozen=True, slots=True)
class Step:
    """One line that does something; ``line`` is where it stands, from 1, and no part of what it is."""

    line: int = field(default=0, compare=False, kw_only=True)


@dataclass(frozen=True, slots=True)
class Spawn(Step):
    """The child's command, unless the command line gives another; only as the first step."""

    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Timeout(Step):
    """How many seconds each later step may wait, unless it says otherwise."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Send(Step):
    """Send ``value`` as a message; names captured before stand for their values."""

    value: Any


@dataclass(frozen=True, slots=True)
class SendRaw(Step):
    """Send bytes as they are, which need not be a message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Expect(Step):
    """Wait for the next message, or with ``skipping`` for one further on; it must match the pattern."""

    value: Any
    within: float | None = None
    skipping: bool = False


@dataclass(frozen=True, slots=True)
class ExpectNothing(Step):
    """No message may come for so many seconds."""

    within: float | None = None


@dataclass(frozen=True, slots=True)
class ExpectOutput(Step):
    """The child must print text in which a regular expression is found, behind what was found before."""

    stream: Stream
    expression: str
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Sleep(Step):
    """Let so many seconds pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Signal(Step):
    """Send a signal to the child's process group."""

    number: int


@dataclass(frozen=True, slots=True)
class Restart(Step):
    """End the child as quit does, and begin the next run."""


@dataclass(frozen=True, slots=True)
class Repeat(Step):
    """Do some steps so many times."""

    count: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Quit(Step):
    """Tell the child to quit, and see it end."""


@dataclass(frozen=True, slots=True)
class ExpectExit(Step):
    """The child must end by itself, or have ended, with this exit code."""

    code: int


@dataclass(frozen=True, slots=True)
class ExpectSignal(Step):
    """The child must be ended, or have been ended, by this signal."""

    number: int


@dataclass(frozen=True, slots=True)
class ExpectClean(Step):
    """The child, once it ended, must have left nothing behind."""


@dataclass(frozen=True, slots=True)
class Script:
    """The steps of a script in their order; ``name`` is what a person calls it, the file's name as a rule."""

    name: str
    steps: tuple[Step, ...]


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


def parse(text: str, name: str = "<script>") -> Script:
    """Understand a script.

    Raises:
        ScriptSyntaxError: The first line that has no meaning.
    """
    steps: list[Step] = []
    for number, source in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        try:
            step = _read(source, number)
            if step is not None and steps and isinstance(steps[-1], Quit):
                raise _Fault(f"nothing can follow the quit of line {steps[-1].line}", _indent(source))
        except _Fault as fault:
            raise ScriptSyntaxError(name, number, fault.offset + 1, str(fault), source.rstrip()) from None
        if step is not None:
            steps.append(step)
    return Script(name, tuple(steps))


def write(script: Script) -> str:
    """The text of a script, one step a line; :func:`parse` gives the script back."""
    return "".join(f"{_written(step)}\n" for step in script.steps)


class _Fault(Exception):
    """What is wrong with a line, and at which character of it, from 0."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


def _read(source: str, number: int) -> Step | None:
    """The step of a line, None if it has none."""
    start = _indent(source)
    text = source.rstrip(BLANKS)[start:]
    if not text or text.startswith("#"):
        return None
    if text[0] in "<>":
        if text[1:2].strip(BLANKS):
            raise _Fault(f"a space must follow {text[0]!r}", start + 1)
        value = _value(text[1:], start + 1, text[0])
        return Send(value, line=number) if text[0] == ">" else Expect(value, line=number)
    word = _BLANK.split(text, maxsplit=1)[0]
    if word != "quit":
        raise _Fault(_unknown(word), start)
    rest = text[len(word) :].lstrip(BLANKS)
    if rest and not rest.startswith("#"):
        raise _Fault("quit stands alone", start + len(text) - len(rest))
    return Quit(line=number)


def _value(text: str, offset: int, mark: str) -> Any:
    """The value after ``>`` or ``<``; ``offset`` is where ``text`` stands in its line."""
    offset += _indent(text)
    text = text.strip(BLANKS)
    if not text or text.startswith("#"):
        raise _Fault(f'a value must follow; the empty string is {mark} ""', offset)
    value, complaint = interpret(text)
    comment = _COMMENT.search(text) if _is_bare(value, text) else None
    if comment is not None:
        text = _before_comment(text)
        value, complaint = interpret(text)
        if complaint is None and _is_bare(value, text):
            sentence = 'a comment, or part of the string? Quote the string to say which: {mark} "…"'
            raise _Fault(sentence.format(mark=mark), offset + comment.start() + 1)
    if complaint is not None:
        raise _Fault(
            f"{complaint.sentence}; if a string is meant, quote it", offset + (complaint.offset or 0)
        )
    try:
        encode(value)
    except (TypeError, ValueError) as error:
        raise _Fault(f"no message can hold this: {error}", offset) from None
    return value


def _is_bare(value: Any, text: str) -> bool:
    """Whether a text is no JSON and no literal, but the string itself."""
    return isinstance(value, str) and value == text


def _before_comment(text: str) -> str:
    """The shortest JSON or literal that a comment follows; all of the text if there is none."""
    for comment in _COMMENT.finditer(text):
        shorter = text[: comment.start()].rstrip(BLANKS)
        if not _is_bare(interpret(shorter)[0], shorter):
            return shorter
    return text


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(BLANKS))


def _unknown(word: str) -> str:
    shown = render(word, 40)
    if word.lower() == "quit":
        return f"unknown step {shown}; it is written quit"
    if word[0] in "→←":
        return f"unknown step {shown}; write {'>' if word[0] == '→' else '<'} and a space before the value"
    return f"unknown step {shown}; a line is > VALUE, < VALUE, quit or a # comment"


def _written(step: Step) -> str:
    match step:
        case Send(value):
            return f"> {render(value)}"
        case Expect(value):
            return f"< {render(value)}"
        case Quit():
            return "quit"
        case _:
            raise TypeError(f"no step of this language: {step!r}")


def _pointed_at(line: int, column: int, source: str) -> str:
    """The line, cut to what is around the column and safe for a terminal, and a mark below the character."""
    begin = max(column - 1 - _LEAD, 0)
    before, after = _visible(source[begin : column - 1]), _visible(source[column - 1 : begin + _SHOWN])
    margin = f"{line:5} | "
    if begin:
        before = "…" + before
    if begin + _SHOWN < len(source):
        after += "…"
    return f"{margin}{before}{after}\n{'| ':>{len(margin)}}{' ' * len(before)}^"


def _visible(text: str) -> str:
    return "".join(character if character.isprintable() else render(character)[1:-1] for character in text)
