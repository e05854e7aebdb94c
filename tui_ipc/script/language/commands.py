"""Reads and writes the command of ``spawn`` and the names of signals.

The words of a command are quoted as in a shell, but no shell runs it: what only a shell would understand is
an error.
"""

import re
from collections.abc import Collection, Sequence
from itertools import cycle
from signal import Signals, valid_signals
from typing import Final

from tui_ipc.script.language.scanner import BLANKS, LineError, LineScanner
from tui_ipc.script.language.values import render_pattern, warn_of_plain_names
from tui_ipc.text import suggest_name
from tui_ipc.text.notation import NotationProblem, parse_leading_value, render_value
from tui_ipc.text.placeholders import PlaceholderRules, Template, split_at_names
from tui_ipc.text.safe_text import has_hidden

_PIECE: Final = re.compile(
    r"""'(?P<single>[^']*+)' | "(?P<double>(?:[^"\\]|\\.)*+)" | \\(?P<escaped>.)
      | (?P<plain>[^ \t\r'"\\$`|&;<>()*?[]++)""",
    re.VERBOSE,
)
_EXPANDED: Final = re.compile(r"\\.|[$`]")
_IN_QUOTES: Final = re.compile(r'\\(["\\$`])')
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]++")


Word = str | Template
"""A word of a command."""


def read_command(line: LineScanner, known: Collection[str]) -> tuple[Word, ...]:
    """Read the words of a command to the end of the line; ``known`` are the names that it may use."""
    line.skip_blanks()
    start = line.position
    if line.ended():
        raise LineError("a command must follow", start)
    words = _read_array(line, known) if line.rest.startswith("[") else _read_words(line, known)
    if not words or not words[0]:
        raise LineError("the first word of a command names a program; it is empty", start)
    if any("\0" in _join_parts(word) for word in words):
        raise LineError("a word of a command cannot hold a NUL character", start)
    return words


def write_command(command: Sequence[Word]) -> str:
    """The text of a command; :func:`read_command` reads it back."""
    joined = [_join_parts(word) for word in command]
    if not any(map(has_hidden, joined)) and not joined[0].startswith("["):
        return " ".join(_quote_word(word) for word in command)
    return render_pattern(list(command))


def _join_parts(word: Word) -> str:
    return "".join(word.parts) if isinstance(word, Template) else word


def _read_array(line: LineScanner, known: Collection[str]) -> tuple[Word, ...]:
    start = line.position
    rules = PlaceholderRules(
        lambda placeholder: "" if isinstance(placeholder, Template) else "a word of a command is a string",
        known.__contains__,
    )
    parsed = parse_leading_value(line.rest, rules)
    if isinstance(parsed, NotationProblem):
        raise LineError(parsed.message, start + (parsed.offset or 0))
    if parsed is None or not all(isinstance(word, str | Template) for word in parsed[0]):
        raise LineError("a command that begins with [ is an array of strings", start)
    line.position += parsed[1]
    line.check_end("the array")
    warn_of_plain_names(line, rules, start)
    return tuple(parsed[0])


def _read_words(line: LineScanner, known: Collection[str]) -> tuple[Word, ...]:
    words: list[Word] = []
    start = line.position
    unknown: list[str] = []
    while not line.ended():
        line.skip_blanks()
        parts = [""]
        if line.rest.startswith("~"):
            raise LineError(_explain_rejected("~"), line.position)
        while character := line.text[line.position : line.position + 1].strip(BLANKS):
            match = _PIECE.match(line.text, line.position)
            if match is None:
                raise LineError(_explain_rejected(character), line.position)
            pieces = [_unquote(match)]
            if match.lastgroup in ("double", "plain"):  # in single quotes, as in a shell, all is as written
                pieces, more = split_at_names(pieces[0], known.__contains__)
                unknown += more
            parts[-1] += pieces[0]
            parts += pieces[1:]
            line.position = match.end()
        words.append(Template(tuple(parts)) if len(parts) > 1 else parts[0])
    rules = PlaceholderRules(lambda placeholder: "", unknown=unknown)
    warn_of_plain_names(line, rules, start)
    return tuple(words)


def _explain_rejected(character: str) -> str:
    if character in "'\"":
        return f"unterminated {character}"
    if character == "\\":
        return "nothing follows the \\"
    return f"no shell runs the command: {character} would be part of a word; quote it, or spawn sh -c '…'"


def _unquote(match: re.Match[str]) -> str:
    """The text that a piece of a word stands for, as in a shell."""
    if match.lastgroup != "double":
        return match[match.lastgroup or 0]
    body: str = match["double"]
    for expanded in _EXPANDED.finditer(body):
        if len(expanded[0]) == 1:
            raise LineError(_explain_rejected(expanded[0]), match.start("double") + expanded.start())
    return _IN_QUOTES.sub(r"\1", body)


def _quote_word(word: Word) -> str:
    if isinstance(word, Template):
        pieces = zip(word.parts, cycle((False, True)), strict=False)
        return "".join(
            f"{{{{{part}}}}}" if is_name else part and _quote_word(part) for part, is_name in pieces
        )
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", r"'\''") + "'"


def read_signal(line: LineScanner) -> int:
    """Read ``SIGTERM``, ``TERM`` or ``15``."""
    line.skip_blanks()
    start, word = line.position, line.read_word()
    if not word:
        raise LineError("a signal must follow, for instance SIGTERM", start)
    if word.isascii() and word.isdigit():
        line.position = start
        return line.read_whole_number(1, max(valid_signals()), "a signal's number")
    name = word if word.startswith("SIG") else f"SIG{word}"
    if name in Signals.__members__:
        return Signals[name].value
    suggestion = suggest_name(name.upper(), Signals.__members__)
    raise LineError(f"{render_value(word, 40)} is not a signal{suggestion}", start)


def write_signal(number: int) -> str:
    """The text of a signal; :func:`read_signal` reads it back."""
    return next((signal.name for signal in Signals if signal.value == number), str(number))
