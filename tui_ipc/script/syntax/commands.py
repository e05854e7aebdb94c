"""A child's command in a script: words as a shell writes them, and no shell. Pure.

The one rule: what a shell would do and we do not is an error, unless it is quoted. A command of which a word
cannot be written so is written as an array of strings.
"""

import re
from collections.abc import Sequence
from typing import Final

from tui_ipc.script.syntax.faults import Fault
from tui_ipc.script.syntax.scanner import BLANKS, Line
from tui_ipc.session.notation import Complaint, first_value, render

_PIECE: Final = re.compile(
    r"""'(?P<single>[^']*+)' | "(?P<double>(?:[^"\\]|\\.)*+)" | \\(?P<escaped>.)
      | (?P<plain>[^ \t\r'"\\$`|&;<>()*?[]++)""",
    re.VERBOSE,
)
_EXPANDED: Final = re.compile(r"\\.|[$`]")
_IN_QUOTES: Final = re.compile(r'\\(["\\$`])')
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]++")


def read_command(line: Line) -> tuple[str, ...]:
    """Read the words of a command to the end of the line."""
    line.skip_blanks()
    start = line.position
    if line.ended():
        raise Fault("a command must follow", start)
    words = _array(line) if line.rest.startswith("[") else _words(line)
    if not words or not words[0]:
        raise Fault("a command has a name", start)
    if any("\0" in word for word in words):
        raise Fault("no word of a command can hold a NUL character", start)
    return words


def write_command(command: Sequence[str]) -> str:
    """The text of a command, which :func:`read_command` reads back."""
    if all(word.isprintable() for word in command) and not command[0].startswith("["):
        return " ".join(_quoted(word) for word in command)
    return render(list(command))


def _array(line: Line) -> tuple[str, ...]:
    start = line.position
    begun = first_value(line.rest)
    if isinstance(begun, Complaint):
        raise Fault(begun.sentence, start + (begun.offset or 0))
    if begun is None or not all(isinstance(word, str) for word in begun[0]):
        raise Fault("a command that begins with [ is an array of strings", start)
    line.position += begun[1]
    line.finish("the array")
    return tuple(begun[0])


def _words(line: Line) -> tuple[str, ...]:
    words = []
    while not line.ended():
        line.skip_blanks()
        pieces = []
        if line.rest.startswith("~"):
            raise Fault(_why_not("~"), line.position)
        while character := line.text[line.position : line.position + 1].strip(BLANKS):
            match = _PIECE.match(line.text, line.position)
            if match is None:
                raise Fault(_why_not(character), line.position)
            pieces.append(_unquoted(match))
            line.position = match.end()
        words.append("".join(pieces))
    return tuple(words)


def _why_not(character: str) -> str:
    if character in "'\"":
        return f"unterminated {character}"
    if character == "\\":
        return "nothing follows the \\"
    return f"no shell runs the command, and {character} would be part of a word; quote it, or spawn sh -c '…'"


def _unquoted(match: re.Match[str]) -> str:
    """What a piece of a word stands for."""
    if match.lastgroup != "double":
        return match[match.lastgroup or 0]
    body: str = match["double"]
    for expanded in _EXPANDED.finditer(body):
        if len(expanded[0]) == 1:
            raise Fault(_why_not(expanded[0]), match.start("double") + expanded.start())
    return _IN_QUOTES.sub(r"\1", body)


def _quoted(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", r"'\''") + "'"
