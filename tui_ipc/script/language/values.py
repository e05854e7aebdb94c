"""Reads and writes the values in a line of a script: messages, patterns, commands, signals.

A value means what :mod:`tui_ipc.text.notation` says of its text. A pattern may hold placeholders as well, and
a message may hold captured names. A bare text is a string without quotes; it is an error where it could also
be meant in another way.
"""

import re
from collections.abc import Collection, Sequence
from signal import Signals, valid_signals
from typing import Any, Final, assert_never

from tui_ipc.ipc.wire import encode
from tui_ipc.script.language.scanner import (
    BLANKS,
    LineError,
    LineScanner,
    explain_text_after_regex,
    find_regex_flags,
)
from tui_ipc.text import find_similar, suggest_name
from tui_ipc.text.notation import (
    NotationProblem,
    interpret,
    looks_like_value,
    parse_leading_value,
    render_value,
)
from tui_ipc.text.notation_reader import PlaceholderCheck
from tui_ipc.text.placeholders import (
    ANY_REST,
    ANY_VALUE,
    AnyRest,
    Capture,
    Placeholder,
    Regex,
    replace_placeholders,
)
from tui_ipc.text.safe_text import has_hidden

_MAX_NAMES: Final = 5  # captured names in an error
_QUOTE: Final = "; if a string is meant, quote it"
# These do not backtrack (++ and *+), so that a line of any length is read in linear time.
_COMMENT: Final = re.compile(r"[ \t]#")
_DEADLINE: Final = re.compile(r"[ \t]++within(?![^ \t\r])")
_DEADLINE_INSIDE: Final = re.compile(r"(?:^|[ \t])within[ \t]++[0-9][^ \t]*+$")
_NAME: Final = re.compile(r"\{\{[ \t]*+([A-Za-z_][A-Za-z0-9_]*+)[ \t]*+\}\}")
_EXPRESSION: Final = re.compile(r"/(?:[^/\\]|\\.)*+/")
_DIRECTORY: Final = re.compile(r"/(?:bin|dev|etc|home|lib|media|mnt|opt|proc|root|run|srv|sys|tmp|usr|var)/")
_COMMENT_OR_DEADLINE: Final = re.compile(r"[ \t]++(?:#|within[ \t])")
_SPECIAL: Final = re.compile(r"[\\^$*+?()|\[{]")
_NUMBER: Final = re.compile(
    r"[-+]?(?:0[xob][0-9a-f_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|\.[0-9]+)", re.IGNORECASE
)
_NOT_FINITE: Final = ("nan", "inf", "infinity")
_CURLY_QUOTES: Final = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\xab\xbb\uff02"
_QUOTED: Final = re.compile("'[^']*+'")
_RAW: Final = re.compile(r"raw(?:[ \t]++[0-9a-fA-F]{2})++")


def read_message(line: LineScanner, captured: Collection[str]) -> Any:
    """Read a message to be sent, to the end of the line; ``captured`` are the names that it may use."""

    def find_objection(placeholder: Placeholder) -> str:
        match placeholder:
            case Capture() if placeholder == ANY_VALUE:
                return "{{_}} captures nothing; a message that is sent is written out"
            case Capture():
                return (
                    "" if placeholder.name in captured else _explain_not_captured(placeholder.name, captured)
                )
            case AnyRest() | Regex():
                return "a message that is sent is written out: ... and /re/ are for what is expected"
            case _:
                assert_never(placeholder)

    return _read(line, ">", find_objection)


def read_pattern(line: LineScanner, mark: str) -> Any:
    """Read a pattern, up to ``within``, a comment or the end of the line; ``mark`` begins the line."""
    line.skip_blanks()
    text, start = line.rest, line.position
    if text.startswith("...") and _may_end_at(line, start + 3, mark):
        line.position += 3
        return ANY_REST
    if text.startswith("/"):
        expression = _EXPRESSION.match(text)
        if expression and _may_end_at(line, start + expression.end(), mark):
            if _DIRECTORY.fullmatch(expression[0]):
                sentence = f"this is a regular expression and not a path; a path is written {mark} "
                line.warn(sentence + render_value(expression[0]), start)
            return Regex(line.read_regex())
        _check_not_regex(line, expression.end() if expression else 0)
    return _read(line, mark, lambda placeholder: "")


def _read(line: LineScanner, mark: str, find_objection: PlaceholderCheck) -> Any:
    line.skip_blanks()
    text, start = line.rest, line.position
    if line.ended():
        raise LineError(f'a value must follow; the empty string is {mark} ""', start)
    repeated: list[Any] = []
    parsed = parse_leading_value(text, find_objection, repeated)
    if isinstance(parsed, NotationProblem):
        remedy = "" if parsed.is_placeholder and parsed.offset else _QUOTE
        raise LineError(parsed.message + remedy, start + (parsed.offset or 0))
    # A number with more text after it, as in "> 3 apples", is a bare text; after a list it is an error.
    if parsed is None or not (looks_like_value(text) or _may_end_at(line, start + parsed[1], mark)):
        value: Any = _read_bare(line, mark)
    else:
        value, end = parsed
        line.position += end
        _check_end(line, mark)
        for key in repeated:
            shown = render_value(key, 40)
            offset = max(text.rfind(shown, 0, end), 0)
            line.warn(f"a second key {shown} in a map; only its last value counts", start + offset)
    try:
        encode(replace_placeholders(value, lambda placeholder: None))
    except (TypeError, ValueError) as error:
        raise LineError(f"a message cannot hold this: {error}", start) from None
    return value


def _may_end_at(line: LineScanner, position: int, mark: str) -> bool:
    """Whether a value may end at ``position``: nothing follows, a comment, or the deadline of a pattern."""
    return line.ended(position) or (mark != ">" and _DEADLINE.match(line.text, position) is not None)


def _check_end(line: LineScanner, mark: str) -> None:
    """Raise an error unless a value may end here."""
    if _may_end_at(line, line.position, mark):
        return
    remedy = "; a deadline is for what is expected" if _DEADLINE.match(line.text, line.position) else ""
    line.skip_blanks()
    raise LineError(f"text after the value{remedy}{_QUOTE}", line.position)


def _read_bare(line: LineScanner, mark: str) -> str:
    """Read the rest of the line as a string, unless it could be meant in another way."""
    text, start = line.rest, line.position
    _, complaint = interpret(text)
    if complaint is not None:
        raise LineError(complaint.message + _QUOTE, start)
    if ambiguity := _find_ambiguity(text, mark):
        sentence, offset = ambiguity
        raise LineError(f'{sentence} If a string is meant, quote it: {mark} "…"', start + offset)
    if doubt := _find_doubt(text, mark):
        line.warn(f'{doubt}; if that is meant, quote it: {mark} "…"', start)
    line.position = len(line.text)
    return text


def _find_doubt(text: str, mark: str) -> str:
    """Say what a bare text is, if something else was probably meant; empty if not."""
    if text.startswith("/") and mark == ">":
        return "this is sent as text; /re/ is for what is expected" if _EXPRESSION.fullmatch(text) else ""
    if text.startswith("/") and (text.count("/") == 1 or _SPECIAL.search(text)):
        return "this is expected as text; a regular expression begins and ends with /"
    if _NUMBER.fullmatch(text):
        return "this is text and not a number, which is written as in JSON: 16, -1.5, 1e3"
    if text.lower().lstrip("+-") in _NOT_FINITE:
        return "this is text and not a number; that is written NaN, Infinity or -Infinity"
    if text[0] in _CURLY_QUOTES:
        return 'these quotes are a part of the text; a quote of the notation is "'
    return ""


def _find_ambiguity(text: str, mark: str) -> tuple[str, int] | None:
    """Find what a bare text could mean besides a string, and at which character; None if nothing.

    What would be wrong in every line comes first, then what is wrong only after ``mark``.
    """
    if name := _NAME.search(text):
        return f"{{{{{name[1]}}}}} stands for a whole value, and this is a part of one.", name.start()
    if comment := _COMMENT.search(text):
        return "A comment, or part of the string?", comment.start() + 1
    if _QUOTED.fullmatch(text):
        return "Single quotes would be part of the string.", 0
    if mark == ">":
        return ("Bytes are sent with >raw HEX.", 0) if _RAW.fullmatch(text) else None
    if mark == "<" and text.startswith("~"):
        return "The step that skips messages until one matches is <~, without a space.", 0
    deadline = _DEADLINE_INSIDE.search(text)
    if deadline is None:
        return None
    if deadline.start() == 0:
        return f"Any message is {mark} ... within DURATION.", 0
    return "A deadline, or part of the string?", deadline.start() + 1


def _check_not_regex(line: LineScanner, end: int) -> None:
    """Raise an error if a text that begins with ``/`` is a faulty ``/re/`` and not a string such as a path.

    ``end`` is where an expression would end in it, 0 if there is none.
    """
    text = line.rest
    before_comment = _COMMENT_OR_DEADLINE.split(text, maxsplit=1)[0]
    if end and (find_regex_flags(text[end:]) or before_comment.endswith("/")):
        raise LineError(explain_text_after_regex(text[end:]) + _QUOTE, line.position + end)


def _explain_not_captured(name: str, captured: Collection[str]) -> str:
    if similar := find_similar(name, captured):
        return f"nothing was captured as {name} above, but {similar} was"
    if captured:
        some = ", ".join(list(captured)[:_MAX_NAMES]) + (", …" if len(captured) > _MAX_NAMES else "")
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
        raise LineError("the first word of a command names a program; it is empty", start)
    if any("\0" in word for word in words):
        raise LineError("a word of a command cannot hold a NUL character", start)
    return words


def write_command(command: Sequence[str]) -> str:
    """The text of a command; :func:`read_command` reads it back."""
    if not any(map(has_hidden, command)) and not command[0].startswith("["):
        return " ".join(_quote_word(word) for word in command)
    return render_value(list(command))


def _read_array(line: LineScanner) -> tuple[str, ...]:
    start = line.position
    parsed = parse_leading_value(line.rest)
    if isinstance(parsed, NotationProblem):
        raise LineError(parsed.message, start + (parsed.offset or 0))
    if parsed is None or not all(isinstance(word, str) for word in parsed[0]):
        raise LineError("a command that begins with [ is an array of strings", start)
    line.position += parsed[1]
    line.check_end("the array")
    return tuple(parsed[0])


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


def _quote_word(word: str) -> str:
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
