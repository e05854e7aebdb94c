"""The value in a line of a script: a message to be sent, or the pattern of one to come. Pure.

The one rule: a value means what :mod:`tui_ipc.text.notation` says of its text, without the blanks around
it. A pattern may have holes besides, and a message names that were captured. A bare text, which is a string
without quotes, is an error where it might be meant in another way.
"""

import re
from collections.abc import Collection, Sequence
from signal import Signals, valid_signals
from typing import Any, Final

from tui_ipc.ipc.wire import encode
from tui_ipc.script.language.scanner import (
    BLANKS,
    LineError,
    LineScanner,
    explain_text_after_regex,
    find_regex_flags,
)
from tui_ipc.script.language.suggestions import closest_word
from tui_ipc.text.notation import (
    NotationProblem,
    interpret,
    looks_like_value,
    parse_leading_value,
    render_value,
)
from tui_ipc.text.notation_reader import PlaceholderCheck
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE, Capture, Placeholder, Regex, replace_placeholders

_NAMES: Final = 5  # that are told to who used another
_QUOTE: Final = "; if a string is meant, quote it"
_COMMENT: Final = re.compile(r"[ \t]#")
_DEADLINE: Final = re.compile(r"[ \t]++within(?![^ \t\r])")
_DEADLINE_INSIDE: Final = re.compile(r"(?:^|[ \t])within[ \t]++[0-9][^ \t]*+$")
_NAME: Final = re.compile(r"\{\{[ \t]*+([A-Za-z_][A-Za-z0-9_]*+)[ \t]*+\}\}")
_EXPRESSION: Final = re.compile(r"/(?:[^/\\]|\\.)*+/")
_COMMENT_OR_DEADLINE: Final = re.compile(r"[ \t]++(?:#|within[ \t])")
_QUOTED: Final = re.compile("'[^']*+'")
_RAW: Final = re.compile(r"raw(?:[ \t]++[0-9a-fA-F]{2})++")


def read_message(line: LineScanner, captured: Collection[str]) -> Any:
    """Read what is to be sent, to the end of the line; ``captured`` are the names that it may use."""

    def objection(hole: Placeholder) -> str:
        if hole == ANY_VALUE:
            return "{{_}} captures nothing; what is sent is told whole"
        if isinstance(hole, Capture):
            return "" if hole.name in captured else _explain_not_captured(hole.name, captured)
        return "what is sent is told whole: ... and /re/ are for what is expected"

    return _read(line, ">", objection)


def read_pattern(line: LineScanner, mark: str) -> Any:
    """Read what is expected, up to ``within``, a comment or the end of the line; ``mark`` begins the line."""
    line.skip_blanks()
    text, start = line.rest, line.position
    if text.startswith("...") and _may_end_at(line, start + 3, mark):
        line.position += 3
        return ANY_REST
    if text.startswith("/"):
        expression = _EXPRESSION.match(text)
        if expression and _may_end_at(line, start + expression.end(), mark):
            return Regex(line.expression())
        _check_not_regex(line, expression.end() if expression else 0)
    return _read(line, mark, lambda hole: "")


def _read(line: LineScanner, mark: str, objection: PlaceholderCheck) -> Any:
    line.skip_blanks()
    text, start = line.rest, line.position
    if line.ended():
        raise LineError(f'a value must follow; the empty string is {mark} ""', start)
    begun = parse_leading_value(text, objection)
    if isinstance(begun, NotationProblem):
        remedy = "" if begun.hole and begun.offset else _QUOTE
        raise LineError(begun.sentence + remedy, start + (begun.offset or 0))
    if begun is None or not (looks_like_value(text) or _may_end_at(line, start + begun[1], mark)):
        value: Any = _read_bare(line, mark)
    else:
        value, end = begun
        line.position += end
        _check_end(line, mark)
    try:
        encode(replace_placeholders(value, lambda hole: None))
    except (TypeError, ValueError) as error:
        raise LineError(f"no message can hold this: {error}", start) from None
    return value


def _may_end_at(line: LineScanner, position: int, mark: str) -> bool:
    """Whether a value may end at ``position``: nothing follows, a comment, or the deadline of a pattern."""
    return line.ended(position) or (mark != ">" and _DEADLINE.match(line.text, position) is not None)


def _check_end(line: LineScanner, mark: str) -> None:
    """See that nothing follows a value but what may."""
    if _may_end_at(line, line.position, mark):
        return
    remedy = "; a deadline is for what is expected" if _DEADLINE.match(line.text, line.position) else ""
    line.skip_blanks()
    raise LineError(f"text after the value{remedy}{_QUOTE}", line.position)


def _read_bare(line: LineScanner, mark: str) -> str:
    """Read the rest of the line as the string that it is, if it cannot be meant in another way."""
    text, start = line.rest, line.position
    _, complaint = interpret(text)
    if complaint is not None:
        raise LineError(complaint.sentence + _QUOTE, start)
    if doubt := _find_ambiguity(text, mark):
        sentence, offset = doubt
        raise LineError(f'{sentence} If a string is meant, quote it: {mark} "…"', start + offset)
    line.position = len(line.text)
    return text


def _find_ambiguity(text: str, mark: str) -> tuple[str, int] | None:
    """What a bare text might be besides a string, and at which character; None if it can be nothing else."""
    if name := _NAME.search(text):
        return f"{{{{{name[1]}}}}} stands for a whole value, and this is a part.", name.start()
    if comment := _COMMENT.search(text):
        return "A comment, or part of the string?", comment.start() + 1
    if _QUOTED.fullmatch(text):
        return "Single quotes would be part of the string.", 0
    if mark == ">":
        return ("Bytes as they are are written >raw HEX.", 0) if _RAW.fullmatch(text) else None
    if mark == "<" and text.startswith("~"):
        return "To skip until a message matches is written <~ together.", 0
    deadline = _DEADLINE_INSIDE.search(text)
    if deadline is None:
        return None
    if deadline.start() == 0:
        return f"Any message is {mark} ... within DURATION.", 0
    return "A deadline, or part of the string?", deadline.start() + 1


def _check_not_regex(line: LineScanner, end: int) -> None:
    """See that a text that begins with ``/`` is a string, such as a path, and no faulty ``/re/``.

    ``end`` is where an expression would end in it, 0 if it would not.
    """
    text = line.rest
    core = _COMMENT_OR_DEADLINE.split(text, maxsplit=1)[0]
    if end and (find_regex_flags(text[end:]) or core.endswith("/")):
        raise LineError(explain_text_after_regex(text[end:]) + _QUOTE, line.position + end)


def _explain_not_captured(name: str, captured: Collection[str]) -> str:
    nearest = closest_word(name, captured)
    if nearest:
        return f"nothing was captured as {name} above, but {nearest} was"
    if captured:
        some = ", ".join(list(captured)[:_NAMES]) + (", …" if len(captured) > _NAMES else "")
        return f"nothing was captured as {name} above, only {some}"
    return f"nothing was captured as {name} above; a line such as < {{{{{name}}}}} captures"


_PIECE: Final = re.compile(
    r"""'(?P<single>[^']*+)' | "(?P<double>(?:[^"\\]|\\.)*+)" | \\(?P<escaped>.)
      | (?P<plain>[^ \t\r'"\\$`|&;<>()*?[]++)""",
    re.VERBOSE,
)
_EXPANDED: Final = re.compile(r"\\.|[$`]")
_IN_QUOTES: Final = re.compile(r'\\(["\\$`])')
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+=:,./-]++")


def read_command(line: LineScanner) -> tuple[str, ...]:
    """Read the words of a command to the end of the line."""
    line.skip_blanks()
    start = line.position
    if line.ended():
        raise LineError("a command must follow", start)
    words = _read_array(line) if line.rest.startswith("[") else _read_words(line)
    if not words or not words[0]:
        raise LineError("a command has a name", start)
    if any("\0" in word for word in words):
        raise LineError("no word of a command can hold a NUL character", start)
    return words


def write_command(command: Sequence[str]) -> str:
    """The text of a command, which :func:`read_command` reads back."""
    if all(word.isprintable() for word in command) and not command[0].startswith("["):
        return " ".join(_quote_word(word) for word in command)
    return render_value(list(command))


def _read_array(line: LineScanner) -> tuple[str, ...]:
    start = line.position
    begun = parse_leading_value(line.rest)
    if isinstance(begun, NotationProblem):
        raise LineError(begun.sentence, start + (begun.offset or 0))
    if begun is None or not all(isinstance(word, str) for word in begun[0]):
        raise LineError("a command that begins with [ is an array of strings", start)
    line.position += begun[1]
    line.finish("the array")
    return tuple(begun[0])


def _read_words(line: LineScanner) -> tuple[str, ...]:
    words = []
    while not line.ended():
        line.skip_blanks()
        pieces = []
        if line.rest.startswith("~"):
            raise LineError(_explain_rejected("~"), line.position)
        while character := line.text[line.position : line.position + 1].strip(BLANKS):
            match = _PIECE.match(line.text, line.position)
            if match is None:
                raise LineError(_explain_rejected(character), line.position)
            pieces.append(_unquote(match))
            line.position = match.end()
        words.append("".join(pieces))
    return tuple(words)


def _explain_rejected(character: str) -> str:
    if character in "'\"":
        return f"unterminated {character}"
    if character == "\\":
        return "nothing follows the \\"
    return f"no shell runs the command, and {character} would be part of a word; quote it, or spawn sh -c '…'"


def _unquote(match: re.Match[str]) -> str:
    """What a piece of a word stands for."""
    if match.lastgroup != "double":
        return match[match.lastgroup or 0]
    body: str = match["double"]
    for expanded in _EXPANDED.finditer(body):
        if len(expanded[0]) == 1:
            raise LineError(_explain_rejected(expanded[0]), match.start("double") + expanded.start())
    return _IN_QUOTES.sub(r"\1", body)


def _quote_word(word: str) -> str:
    if _PLAIN.fullmatch(word):
        return word
    return "'" + word.replace("'", r"'\''") + "'"


def read_signal(line: LineScanner) -> int:
    """Read ``SIGTERM``, ``TERM`` or ``15``."""
    line.skip_blanks()
    start, word = line.position, line.word()
    if not word:
        raise LineError("a signal must follow, for instance SIGTERM", start)
    if word.isascii() and word.isdigit():
        line.position = start
        return line.whole_number(1, max(valid_signals()), "a signal's number")
    name = word if word.startswith("SIG") else f"SIG{word}"
    if name in Signals.__members__:
        return Signals[name].value
    names = {name.removeprefix("SIG").lower(): name for name in Signals.__members__}
    nearest = names.get(closest_word(word.lower().removeprefix("sig"), names), "")
    raise LineError(
        f"{render_value(word, 40)} is no signal" + (f"; did you mean {nearest}?" if nearest else ""), start
    )


def write_signal(number: int) -> str:
    """The text of a signal, which :func:`read_signal` reads back."""
    return next((signal.name for signal in Signals if signal.value == number), str(number))
