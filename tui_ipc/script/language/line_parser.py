"""One line of a script to the step that it is. Pure.

The one rule: a line has one meaning by itself, or it is an error that says what was meant. What lines mean
together, blocks and their order, is decided above.
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeVar

from tui_ipc.events import Stream
from tui_ipc.script.language.scanner import BLANKS, LineError, LineScanner
from tui_ipc.script.language.steps import (
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
from tui_ipc.script.language.suggestions import (
    explain_unknown_end,
    explain_unknown_step,
    explain_unknown_stream,
)
from tui_ipc.script.language.values import read_command, read_message, read_pattern, read_signal
from tui_ipc.text.notation import render_value

MAX_ROUNDS: Final = 1_000_000_000
"""How often a block may be repeated."""

_T = TypeVar("_T")
_CapturedNames = Collection[str]
_STREAMS: Final[dict[str, Stream]] = {"stdout": "stdout", "stderr": "stderr"}
_NOT_HEX: Final = re.compile("[^0-9a-fA-F]")


@dataclass(frozen=True, slots=True)
class EndRepeat(Step):
    """The end of a block."""


def read_step(source: str, number: int, captured: _CapturedNames) -> Step | None:
    """The step of a line, None if it has none; of a block its first line makes a Repeat without steps.

    Args:
        source: The line.
        number: Which it is, from 1.
        captured: The names captured by lines before.

    Raises:
        Fault: It has no meaning.
    """
    line = LineScanner(source, number)
    if line.ended():
        return None
    begin = line.position
    mark = next((mark for mark in MARK_PARSERS if line.text.startswith(mark, begin)), "")
    if mark:
        line.position += len(mark)
        if line.text[line.position : line.position + 1].strip(BLANKS):
            raise LineError(f"a space must follow {mark!r}", line.position)
        return MARK_PARSERS[mark](line, captured)
    word = line.word()
    if word not in WORD_PARSERS:
        raise LineError(explain_unknown_step(word, MARK_PARSERS, WORD_PARSERS), begin)
    return WORD_PARSERS[word](line)


def _send(line: LineScanner, captured: _CapturedNames) -> Step:
    value, span = _read_with_span(line, lambda: read_message(line, captured))
    return Send(value, line=line.number, span=span)


def _send_raw(line: LineScanner, _: _CapturedNames) -> Step:
    data, span = _read_with_span(line, lambda: _read_hex(line))
    return SendRaw(data, line=line.number, span=span)


def _expect(line: LineScanner, _: _CapturedNames, *, skipping: bool = False) -> Step:
    mark = "<~" if skipping else "<"
    value, span = _read_with_span(line, lambda: read_pattern(line, mark))
    within = line.deadline("a pattern")
    return Expect(value, within, skipping, line=line.number, span=span)


def _expect_later(line: LineScanner, captured: _CapturedNames) -> Step:
    return _expect(line, captured, skipping=True)


def _expect_nothing(line: LineScanner, _: _CapturedNames) -> Step:
    within = line.deadline("!<, which expects no message at all")
    return ExpectNothing(within, line=line.number)


def _expect_end(line: LineScanner, _: _CapturedNames) -> Step:
    line.skip_blanks()
    begin, word = line.position, line.word()
    step: Step
    match word:
        case "exit":
            code, span = _read_with_span(line, lambda: line.whole_number(0, 255, "an exit code"))
            step = ExpectExit(code, line=line.number, span=span)
        case "signal":
            number, span = _read_with_span(line, lambda: read_signal(line))
            step = ExpectSignal(number, line=line.number, span=span)
        case "clean":
            step = ExpectClean(line=line.number)
        case _:
            raise LineError(explain_unknown_end(word), begin)
    line.finish({"exit": "the exit code", "signal": "the signal"}.get(word, word))
    return step


def _spawn(line: LineScanner) -> Step:
    command, span = _read_with_span(line, lambda: read_command(line))
    return Spawn(command, line=line.number, span=span)


def _timeout(line: LineScanner) -> Step:
    seconds, span = _read_with_span(line, line.duration)
    line.finish("the duration")
    return Timeout(seconds, line=line.number, span=span)


def _sleep(line: LineScanner) -> Step:
    seconds, span = _read_with_span(line, line.duration)
    line.finish("the duration")
    return Sleep(seconds, line=line.number, span=span)


def _expect_output(line: LineScanner) -> Step:
    line.skip_blanks()
    begin, word = line.position, line.word()
    stream = _STREAMS.get(word)
    if stream is None:
        raise LineError(explain_unknown_stream(word), begin)
    expression, span = _read_with_span(line, line.expression)
    within = line.deadline("the regular expression")
    return ExpectOutput(stream, expression, within, line=line.number, span=span)


def _signal(line: LineScanner) -> Step:
    number, span = _read_with_span(line, lambda: read_signal(line))
    line.finish("the signal")
    return Signal(number, line=line.number, span=span)


def _repeat(line: LineScanner) -> Step:
    count, span = _read_with_span(line, lambda: line.whole_number(1, MAX_ROUNDS, "a number of rounds"))
    line.finish("the number of rounds")
    return Repeat(count, (), line=line.number, span=span)


def _end(line: LineScanner) -> Step:
    line.finish("end")
    return EndRepeat(line=line.number)


def _restart(line: LineScanner) -> Step:
    line.finish("restart")
    return Restart(line=line.number)


def _quit(line: LineScanner) -> Step:
    line.finish("quit")
    return Quit(line=line.number)


MARK_PARSERS: Final[
    dict[str, Callable[[LineScanner, _CapturedNames], Step]]
] = {  # what begins like another stands before it
    ">raw": _send_raw,
    "<~": _expect_later,
    "!<": _expect_nothing,
    ">": _send,
    "<": _expect,
    "?": _expect_end,
}
"""What a line may begin with that is no word; a blank follows."""

WORD_PARSERS: Final[dict[str, Callable[[LineScanner], Step]]] = {
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


def _read_with_span(line: LineScanner, read: Callable[[], _T]) -> tuple[_T, tuple[int, int]]:
    """What is read next, and its columns."""
    line.skip_blanks()
    begin = line.position
    return read(), (begin, line.position)


def _read_hex(line: LineScanner) -> bytes:
    """Read the bytes of ``>raw``: pairs of digits, with or without blanks between the pairs."""
    line.skip_blanks()
    if line.ended():
        raise LineError("bytes must follow, each as two hexadecimal digits: >raw 93 01 02", line.position)
    pieces = []
    while not line.ended():
        line.skip_blanks()
        begin, word = line.position, line.word()
        if odd := _NOT_HEX.search(word):
            message = (
                f"{render_value(odd[0])} is not a hexadecimal digit; write two for each byte: >raw 93 01"
            )
            raise LineError(message, begin + odd.start())
        if len(word) % 2:
            sentence = f"an odd number of digits, {len(word)}; write each byte as two of them: >raw 93 01 02"
            raise LineError(sentence, begin)
        pieces.append(bytes.fromhex(word))
    return b"".join(pieces)
