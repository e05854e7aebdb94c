"""One line of a script to the step that it is. Pure.

The one rule: a line has one meaning by itself, or it is an error that says what was meant. What lines mean
together, blocks and their order, is decided above.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from tui_ipc.script.syntax.commands import read_command
from tui_ipc.script.syntax.faults import Fault
from tui_ipc.script.syntax.remedies import unknown_end, unknown_step, unknown_stream
from tui_ipc.script.syntax.scanner import BLANKS, Line
from tui_ipc.script.syntax.signals import read_signal
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
    Send,
    SendRaw,
    Signal,
    Sleep,
    Spawn,
    Step,
    Timeout,
)
from tui_ipc.script.syntax.values import read_message, read_pattern
from tui_ipc.session.events import Stream
from tui_ipc.session.notation import render

MOST_ROUNDS: Final = 1_000_000_000
"""How often a block may be repeated."""

_T = TypeVar("_T")
_Captured = Collection[str]
_STREAMS: Final[dict[str, Stream]] = {"stdout": "stdout", "stderr": "stderr"}
_NO_DIGIT: Final = re.compile("[^0-9a-fA-F]")


@dataclass(frozen=True, slots=True)
class End(Step):
    """The end of a block."""


def read_step(source: str, number: int, captured: _Captured) -> Step | None:
    """The step of a line, None if it has none; of a block its first line makes a Repeat without steps.

    Args:
        source: The line.
        number: Which it is, from 1.
        captured: The names captured by lines before.

    Raises:
        Fault: It has no meaning.
    """
    line = Line(source, number)
    if line.ended():
        return None
    begin = line.position
    mark = next((mark for mark in MARKED if line.text.startswith(mark, begin)), "")
    if mark:
        line.position += len(mark)
        if line.text[line.position : line.position + 1].strip(BLANKS):
            raise Fault(f"a space must follow {mark!r}", line.position)
        return MARKED[mark](line, captured)
    word = line.word()
    if word not in WORDED:
        raise Fault(unknown_step(word, MARKED, WORDED), begin)
    return WORDED[word](line)


def _send(line: Line, captured: _Captured) -> Step:
    value, span = _spanned(line, lambda: read_message(line, captured))
    return Send(value, line=line.number, span=span)


def _send_raw(line: Line, _: _Captured) -> Step:
    data, span = _spanned(line, lambda: _hexadecimal(line))
    return SendRaw(data, line=line.number, span=span)


def _expect(line: Line, _: _Captured, *, skipping: bool = False) -> Step:
    mark = "<~" if skipping else "<"
    value, span = _spanned(line, lambda: read_pattern(line, mark))
    within = line.deadline("a pattern")
    return Expect(value, within, skipping, line=line.number, span=span)


def _expect_later(line: Line, captured: _Captured) -> Step:
    return _expect(line, captured, skipping=True)


def _expect_nothing(line: Line, _: _Captured) -> Step:
    within = line.deadline("!<, which expects no message at all")
    return ExpectNothing(within, line=line.number)


def _expect_end(line: Line, _: _Captured) -> Step:
    line.skip_blanks()
    begin, word = line.position, line.word()
    step: Step
    match word:
        case "exit":
            code, span = _spanned(line, lambda: line.whole_number(0, 255, "an exit code"))
            step = ExpectExit(code, line=line.number, span=span)
        case "signal":
            number, span = _spanned(line, lambda: read_signal(line))
            step = ExpectSignal(number, line=line.number, span=span)
        case "clean":
            step = ExpectClean(line=line.number)
        case _:
            raise Fault(unknown_end(word), begin)
    line.finish({"exit": "the exit code", "signal": "the signal"}.get(word, word))
    return step


def _spawn(line: Line) -> Step:
    command, span = _spanned(line, lambda: read_command(line))
    return Spawn(command, line=line.number, span=span)


def _timeout(line: Line) -> Step:
    seconds, span = _spanned(line, line.duration)
    line.finish("the duration")
    return Timeout(seconds, line=line.number, span=span)


def _sleep(line: Line) -> Step:
    seconds, span = _spanned(line, line.duration)
    line.finish("the duration")
    return Sleep(seconds, line=line.number, span=span)


def _expect_output(line: Line) -> Step:
    line.skip_blanks()
    begin, word = line.position, line.word()
    stream = _STREAMS.get(word)
    if stream is None:
        raise Fault(unknown_stream(word), begin)
    expression, span = _spanned(line, line.expression)
    within = line.deadline("the regular expression")
    return ExpectOutput(stream, expression, within, line=line.number, span=span)


def _signal(line: Line) -> Step:
    number, span = _spanned(line, lambda: read_signal(line))
    line.finish("the signal")
    return Signal(number, line=line.number, span=span)


def _repeat(line: Line) -> Step:
    count, span = _spanned(line, lambda: line.whole_number(1, MOST_ROUNDS, "a number of rounds"))
    line.finish("the number of rounds")
    return Repeat(count, (), line=line.number, span=span)


def _end(line: Line) -> Step:
    line.finish("end")
    return End(line=line.number)


def _restart(line: Line) -> Step:
    line.finish("restart")
    return Restart(line=line.number)


def _quit(line: Line) -> Step:
    line.finish("quit")
    return Quit(line=line.number)


MARKED: Final[dict[str, Callable[[Line, _Captured], Step]]] = {  # what begins like another stands before it
    ">raw": _send_raw,
    "<~": _expect_later,
    "!<": _expect_nothing,
    ">": _send,
    "<": _expect,
    "?": _expect_end,
}
"""What a line may begin with that is no word; a blank follows."""

WORDED: Final[dict[str, Callable[[Line], Step]]] = {
    "spawn": _spawn,
    "timeout": _timeout,
    "expect": _expect_output,
    "sleep": _sleep,
    "signal": _signal,
    "restart": _restart,
    "repeat": _repeat,
    "end": _end,
    "quit": _quit,
}
"""The words that a line may begin with."""


def _spanned(line: Line, read: Callable[[], _T]) -> tuple[_T, tuple[int, int]]:
    """What is read next, and its columns."""
    line.skip_blanks()
    begin = line.position
    return read(), (begin, line.position)


def _hexadecimal(line: Line) -> bytes:
    """Read the bytes of ``>raw``: pairs of digits, with or without blanks between the pairs."""
    line.skip_blanks()
    if line.ended():
        raise Fault("bytes must follow, each as two hexadecimal digits: >raw 93 01 02", line.position)
    pieces = []
    while not line.ended():
        line.skip_blanks()
        begin, word = line.position, line.word()
        if odd := _NO_DIGIT.search(word):
            sentence = (
                f"{render(odd[0])} is no hexadecimal digit; write each byte as two of them: >raw 93 01 02"
            )
            raise Fault(sentence, begin + odd.start())
        if len(word) % 2:
            sentence = f"an odd number of digits, {len(word)}; write each byte as two of them: >raw 93 01 02"
            raise Fault(sentence, begin)
        pieces.append(bytes.fromhex(word))
    return b"".join(pieces)
