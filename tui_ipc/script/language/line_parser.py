"""Parses one line of a script.

A line has one meaning by itself, or it is an error that says what was probably meant. What depends on other
lines, blocks and the order of steps, is decided in :mod:`~tui_ipc.script.language.parser`.
"""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from tui_ipc.events import Stream
from tui_ipc.script.language import steps as st
from tui_ipc.script.language.commands import read_command, read_signal
from tui_ipc.script.language.scanner import LineError, LineScanner
from tui_ipc.script.language.values import read_expression, read_message, read_pattern
from tui_ipc.text import find_similar, suggest_name
from tui_ipc.text.notation import render_value

MAX_ROUNDS: Final = 1_000_000_000
"""The largest number of rounds of a ``repeat``."""

_T = TypeVar("_T")
_KnownNames = Collection[str]
_STREAMS: Final[dict[str, Stream]] = {"stdout": "stdout", "stderr": "stderr"}
_SET_NAME: Final = re.compile("(?!_$)[A-Za-z_][A-Za-z0-9_]*")
_PERCENTILE: Final = re.compile(r"p([0-9]{1,3}(?:\.[0-9]{1,3})?)")
_NOT_HEX: Final = re.compile("[^0-9a-fA-F]")
_HEX_EXAMPLE: Final = ">raw 93 01 02"


@dataclass(frozen=True, slots=True)
class EndRepeat:
    """The last line of a block. It is not a step: the parser makes one ``Repeat`` of the whole block."""


ParsedLine = st.Step | EndRepeat | None
"""What a line means; None if it is blank or a comment."""


def parse_line(line: LineScanner, known: _KnownNames) -> ParsedLine:
    """Parse one line. The first line of a block makes a ``Repeat`` without steps.

    Args:
        line: The line, of which nothing was read; it collects what is probably not meant.
        known: The names that have a value here.

    Raises:
        LineError: The line has no meaning.
    """
    if line.ended():
        return None
    begin = line.position
    word = line.read_word()
    if word in MARK_PARSERS:
        return MARK_PARSERS[word](line, known)
    if word not in WORD_PARSERS:
        if mark := next((mark for mark in MARK_PARSERS if word.startswith(mark)), ""):
            raise LineError(f"a space must follow {mark!r}", begin + len(mark))
        raise LineError(_explain_unknown_step(word), begin)
    return WORD_PARSERS[word](line, known)


def _parse_send(line: LineScanner, known: _KnownNames) -> st.Step:
    value, span = _read_with_span(line, lambda: read_message(line, known))
    return st.Send(value, line=line.number, span=span)


def _parse_send_raw(line: LineScanner, _: _KnownNames) -> st.Step:
    data, span = _read_with_span(line, lambda: _read_hex(line))
    return st.SendRaw(data, line=line.number, span=span)


def _parse_expect(line: LineScanner, known: _KnownNames, *, skipping: bool = False) -> st.Step:
    mark = "<~" if skipping else "<"
    value, span = _read_with_span(line, lambda: read_pattern(line, mark, known))
    at_least, within = line.read_time_span("a pattern")
    return st.Expect(value, within, skipping, at_least, line=line.number, span=span)


def _parse_expect_skipping(line: LineScanner, known: _KnownNames) -> st.Step:
    return _parse_expect(line, known, skipping=True)


def _parse_expect_nothing(line: LineScanner, _: _KnownNames) -> st.Step:
    within = line.read_deadline("!<, which expects no message at all")
    return st.ExpectNothing(within, line=line.number)


def _parse_expect_end(line: LineScanner, _: _KnownNames) -> st.Step:
    line.skip_blanks()
    begin, word = line.position, line.read_word()
    step: st.Step
    match word:
        case "exit":
            code, span = _read_with_span(line, lambda: line.read_whole_number(0, 255, "an exit code"))
            step = st.ExpectExit(code, line=line.number, span=span)
        case "signal":
            number, span = _read_with_span(line, lambda: read_signal(line))
            step = st.ExpectSignal(number, line=line.number, span=span)
        case "clean":
            step = st.ExpectClean(line=line.number)
        case _ if match := _PERCENTILE.fullmatch(word):
            step = _parse_percentile(line, float(match[1]), begin)
        case _:
            raise LineError(_explain_unknown_end(word), begin)
    line.check_end({"exit": "the exit code", "signal": "the signal"}.get(word, word))
    return step


def _parse_percentile(line: LineScanner, percent: float, begin: int) -> st.Step:
    if not 0 < percent <= 100:
        raise LineError("a percentile is more than p0 and at most p100, which is the longest time", begin)
    if not line.skip_word("<"):
        line.skip_blanks()
        raise LineError("< and a duration must follow: ? p99 < 5ms", line.position)
    seconds, span = _read_with_span(line, line.read_duration)
    return st.ExpectPercentile(percent, seconds, line=line.number, span=span)


def _parse_spawn(line: LineScanner, known: _KnownNames) -> st.Step:
    command, span = _read_with_span(line, lambda: read_command(line, known))
    return st.Spawn(command, line=line.number, span=span)


def _parse_set(line: LineScanner, known: _KnownNames) -> st.Step:
    line.skip_blanks()
    begin, name = line.position, line.read_word()
    if not name:
        raise LineError("a name and a value must follow: set port 8080", begin)
    if not _SET_NAME.fullmatch(name):
        raise LineError(f"{render_value(name, 40)} is not a name, which has letters, digits and _", begin)
    line.skip_blanks()
    if line.rest.startswith("= "):
        raise LineError(f"no = comes between a name and its value: set {name}{line.rest[1:]}", line.position)
    value, span = _read_with_span(line, lambda: read_message(line, known, f"set {name}"))
    return st.Set(name, value, line=line.number, span=span)


def _parse_timeout(line: LineScanner, _: _KnownNames) -> st.Step:
    seconds, span = _read_with_span(line, line.read_duration)
    line.check_end("the duration")
    return st.Timeout(seconds, line=line.number, span=span)


def _parse_strict(line: LineScanner, _: _KnownNames) -> st.Step:
    line.check_end("strict")
    return st.Strict(line=line.number)


def _parse_sleep(line: LineScanner, _: _KnownNames) -> st.Step:
    seconds, span = _read_with_span(line, line.read_duration)
    line.check_end("the duration")
    return st.Sleep(seconds, line=line.number, span=span)


def _parse_expect_output(line: LineScanner, known: _KnownNames, *, negated: bool = False) -> st.Step:
    line.skip_blanks()
    begin, word = line.position, line.read_word()
    stream = _STREAMS.get(word)
    if stream is None:
        raise LineError(_explain_unknown_stream(word), begin)
    if not negated and line.skip_word("empty"):
        return st.ExpectNoOutput(stream, None, line.read_deadline("empty"), line=line.number)
    if negated and line.skip_word("empty"):
        raise LineError(f"to expect no output, write expect {stream} empty", begin)
    raw = line.skip_word("raw")
    regex, span = _read_with_span(line, lambda: read_expression(line, known))
    within = line.read_deadline("the regular expression")
    kind = st.ExpectNoOutput if negated else st.ExpectOutput
    return kind(stream, regex, within, raw, line=line.number, span=span)


def _parse_expect_no_output(line: LineScanner, known: _KnownNames) -> st.Step:
    return _parse_expect_output(line, known, negated=True)


def _parse_signal(line: LineScanner, _: _KnownNames) -> st.Step:
    number, span = _read_with_span(line, lambda: read_signal(line))
    line.check_end("the signal")
    return st.Signal(number, line=line.number, span=span)


def _parse_repeat(line: LineScanner, _: _KnownNames) -> st.Step:
    count, span = _read_with_span(line, lambda: line.read_whole_number(1, MAX_ROUNDS, "a number of rounds"))
    line.check_end("the number of rounds")
    return st.Repeat(count, (), line=line.number, span=span)


def _parse_end(line: LineScanner, _: _KnownNames) -> EndRepeat:
    line.check_end("end")
    return EndRepeat()


def _parse_restart(line: LineScanner, _: _KnownNames) -> st.Step:
    line.check_end("restart")
    return st.Restart(line=line.number)


def _parse_quit(line: LineScanner, _: _KnownNames) -> st.Step:
    line.check_end("quit")
    return st.Quit(line=line.number)


MARK_PARSERS: Final[dict[str, Callable[[LineScanner, _KnownNames], st.Step]]] = {
    # The first mark that fits is taken: a mark comes before the one that it begins with.
    ">raw": _parse_send_raw,
    "<~": _parse_expect_skipping,
    "!<": _parse_expect_nothing,
    "!expect": _parse_expect_no_output,
    ">": _parse_send,
    "<": _parse_expect,
    "?": _parse_expect_end,
}
"""The marks that a line may begin with; a blank follows."""

WORD_PARSERS: Final[dict[str, Callable[[LineScanner, _KnownNames], st.Step | EndRepeat]]] = {
    "set": _parse_set,
    "spawn": _parse_spawn,
    "timeout": _parse_timeout,
    "strict": _parse_strict,
    "expect": _parse_expect_output,
    "sleep": _parse_sleep,
    "signal": _parse_signal,
    "restart": _parse_restart,
    "repeat": _parse_repeat,
    "end": _parse_end,
    "quit": _parse_quit,
}
"""The words that a line may begin with."""


def _read_with_span(line: LineScanner, read: Callable[[], _T]) -> tuple[_T, tuple[int, int]]:
    """Read a value; returns it and its columns."""
    line.skip_blanks()
    begin = line.position
    return read(), (begin, line.position)


def _read_hex(line: LineScanner) -> bytes:
    """Read the bytes of ``>raw``: pairs of digits, with or without blanks between the pairs."""
    line.skip_blanks()
    if line.ended():
        raise LineError(f"bytes must follow, each as two hexadecimal digits: {_HEX_EXAMPLE}", line.position)
    pieces = []
    while not line.ended():
        line.skip_blanks()
        begin, word = line.position, line.read_word()
        if wrong := _NOT_HEX.search(word):
            sentence = f"{render_value(wrong[0])} is not a hexadecimal digit"
            raise LineError(f"{sentence}; write two for each byte: {_HEX_EXAMPLE}", begin + wrong.start())
        if len(word) % 2:
            sentence = f"an odd number of digits, {len(word)}"
            raise LineError(f"{sentence}; write each byte as two of them: {_HEX_EXAMPLE}", begin)
        pieces.append(bytes.fromhex(word))
    return b"".join(pieces)


_SYNONYMS: Final = {
    "recv": "<",
    "receive": "<",
    "send": ">",
    "wait": "sleep",
    "kill": "signal",
    "loop": "repeat",
    "for": "repeat",
    "done": "end",
    "stop": "quit",
    "exit": "quit, or ? exit CODE for how the child must end",
    "run": "spawn",
    "start": "spawn",
    "let": "set",
    "var": "set",
    "stdout": "expect stdout /re/",
    "stderr": "expect stderr /re/",
    "→": "> and a space before the value",
    "←": "< and a space before the value",
}
"""Words and marks of other languages, and the step that means the same."""

_FOREIGN_COMMENTS: Final = ("//", "--", ";", "/*", "%")


def _explain_unknown_step(word: str) -> str:
    """Say what was probably meant by the first word of a line that no step begins with."""
    shown = f"unknown step {render_value(word, 40)}"
    if word.lower() in WORD_PARSERS:
        return f"{shown}; it is written {word.lower()}"
    if word.startswith(_FOREIGN_COMMENTS):
        return f"{shown}; a comment begins with #"
    if synonym := _SYNONYMS.get(word.lower()) or _SYNONYMS.get(word[0]):
        return f"{shown}; write {synonym}"
    if suggestion := suggest_name(word, WORD_PARSERS):
        return shown + suggestion
    return f"{shown}; a line begins with {_join(MARK_PARSERS)}, # or one of {_join(WORD_PARSERS)}"


def _join(words: Iterable[str]) -> str:
    return ", ".join(words)


def _explain_unknown_end(word: str) -> str:
    """Say what may follow ``?`` where ``word`` does, which is empty at the end of the line."""
    known = "exit CODE, signal NAME, clean or p99 < DURATION"
    if not word:
        return f"{known} must follow"
    if similar := find_similar(word, ("exit", "signal", "clean")):
        return f"unknown {render_value(word, 40)}; did you mean ? {similar}?"
    return f"unknown {render_value(word, 40)}; ? is followed by {known}"


def _explain_unknown_stream(word: str) -> str:
    """Say what may follow ``expect`` where ``word`` does, which is empty at the end of the line."""
    if word.startswith("/"):
        return "stdout or stderr must come before the regular expression"
    return "stdout or stderr must follow" + suggest_name(word, ("stdout", "stderr"))
