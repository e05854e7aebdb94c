"""Reads and writes the values in a line of a script: messages and patterns.

A value means what :mod:`tui_ipc.text.notation` says of its text. A pattern may hold placeholders as well, and
a message may hold captured names. A bare text is a string without quotes; it is an error where it could also
be meant in another way.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final, assert_never

from tui_ipc.ipc.wire import encode
from tui_ipc.script.language.scanner import (
    LineError,
    LineScanner,
    explain_text_after_regex,
    find_regex_flags,
)
from tui_ipc.text import find_similar
from tui_ipc.text.conditions import Each, Unordered
from tui_ipc.text.notation import (
    NotationProblem,
    interpret,
    looks_like_value,
    parse_leading_value,
    render_value,
)
from tui_ipc.text.placeholders import (
    ANY_REST,
    ANY_VALUE,
    NAME_IN_TEXT,
    AnyRest,
    Capture,
    Placeholder,
    PlaceholderRules,
    Regex,
    Template,
    replace_placeholders,
    split_at_names,
)

ROUND: Final = "round"
"""The name of the number of the round within a ``repeat``, unless it has a value before."""

_MAX_NAMES: Final = 5  # captured names in an error
_QUOTE: Final = "; if a string is meant, quote it"
# These do not backtrack (++ and *+), so that a line of any length is read in linear time.
_COMMENT: Final = re.compile(r"[ \t]#")
_DEADLINE: Final = re.compile(r"[ \t]++within(?![^ \t\r])")
_DEADLINE_INSIDE: Final = re.compile(r"(?:^|[ \t])within[ \t]++[0-9][^ \t]*+$")
_EXPRESSION: Final = re.compile(r"/(?:[^/\\]|\\.)*+/")
_DIRECTORY: Final = re.compile(r"/(?:bin|dev|etc|home|lib|media|mnt|opt|proc|root|run|srv|sys|tmp|usr|var)/")
_COMMENT_OR_DEADLINE: Final = re.compile(r"[ \t]++(?:#|within[ \t])")
_HINT: Final = re.compile(r"\{\{|\.\.\.|/")  # of a placeholder
_SPECIAL: Final = re.compile(r"[\\^$*+?()|\[{]")
_NUMBER: Final = re.compile(
    r"[-+]?(?:0[xob][0-9a-f_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:e[-+]?[0-9]+)?|\.[0-9]+)", re.IGNORECASE
)
_NOT_FINITE: Final = ("nan", "inf", "infinity")
_CURLY_QUOTES: Final = "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\xab\xbb\uff02"
_QUOTED: Final = re.compile("'[^']*+'")
_RAW: Final = re.compile(r"raw(?:[ \t]++[0-9a-fA-F]{2})++")


def read_message(line: LineScanner, known: Collection[str], mark: str = ">") -> Any:
    """Read a message to be sent, to the end of the line; ``known`` are the names that it may use."""

    def find_objection(placeholder: Placeholder) -> str:
        match placeholder:
            case Capture(alternatives=alternatives) if alternatives:
                return "a condition is for a message that is expected; write the value to send"
            case Capture() if placeholder == ANY_VALUE:
                return "{{_}} captures nothing; a message that is sent is written out"
            case Capture(name):
                return "" if name in known else explain_unknown_name(name, known)
            case Template():
                return ""
            case AnyRest() | Regex():
                return "a message that is sent is written out: ... and /re/ are for what is expected"
            case _:
                assert_never(placeholder)

    return _read(line, mark, PlaceholderRules(find_objection, known.__contains__), known)


def read_pattern(line: LineScanner, mark: str, known: Collection[str]) -> Any:
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
            return read_expression(line, known)
        _check_not_regex(line, expression.end() if expression else 0)

    def find_objection(placeholder: Placeholder) -> str:
        is_variable = isinstance(placeholder, Capture) and placeholder.name.startswith("env.")
        if isinstance(placeholder, Capture) and is_variable and placeholder.name not in known:
            return explain_unknown_name(placeholder.name, known)
        return ""

    return _read(line, mark, PlaceholderRules(find_objection, known.__contains__), known)


def read_expression(line: LineScanner, known: Collection[str]) -> Regex:
    """Read a regular expression, in which known names stand for their values."""
    rules = PlaceholderRules(lambda placeholder: "", known.__contains__)
    line.skip_blanks()
    start = line.position
    regex = line.read_regex(rules)
    warn_of_plain_names(line, rules, start)
    return regex


def warn_of_plain_names(line: LineScanner, rules: PlaceholderRules, start: int) -> None:
    """Warn of each ``{{name}}`` that is plain text; ``start`` is where the first may be."""
    for name in rules.unknown:
        match = re.compile(rf"\{{\{{[ \t]*+{re.escape(name)}[ \t]*+\}}\}}").search(line.text, start)
        offset = match.start() if match else start
        line.warn(f"{{{{{name}}}}} is plain text here, because the name is not known", offset)


def _read(line: LineScanner, mark: str, rules: PlaceholderRules, known: Collection[str]) -> Any:
    line.skip_blanks()
    text, start = line.rest, line.position
    if line.ended():
        raise LineError(f'a value must follow; the empty string is {mark} ""', start)
    parsed = parse_leading_value(text, rules)
    if isinstance(parsed, NotationProblem):
        remedy = "" if parsed.is_placeholder and parsed.offset else _QUOTE
        raise LineError(parsed.message + remedy, start + (parsed.offset or 0))
    # A number with more text after it, as in "> 3 apples", is a bare text; after a list it is an error. So is
    # a name with more text after it.
    is_name = parsed is not None and isinstance(parsed[0], Capture) and not parsed[0].alternatives
    if parsed is None or not (
        _may_end_at(line, start + parsed[1], mark) or (looks_like_value(text) and not is_name)
    ):
        value: Any = _read_bare(line, mark, known)
    else:
        value, end = parsed
        line.position += end
        _check_end(line, mark)
        for key in rules.repeated:
            shown = render_value(key, 40)
            offset = max(text.rfind(shown, 0, end), 0)
            line.warn(f"a second key {shown} in a map; only its last value counts", start + offset)
        warn_of_plain_names(line, rules, start)
    try:
        encode(replace_placeholders(value, lambda placeholder: None) if _HINT.search(text) else value)
    except (TypeError, ValueError) as error:
        raise LineError(f"a message cannot hold this: {error}", start) from None
    return value


def _may_end_at(line: LineScanner, position: int, mark: str) -> bool:
    """Whether a value may end at ``position``: nothing follows, a comment, or the deadline of a pattern."""
    return line.ended(position) or (mark.startswith("<") and _DEADLINE.match(line.text, position) is not None)


def _check_end(line: LineScanner, mark: str) -> None:
    """Raise an error unless a value may end here."""
    if _may_end_at(line, line.position, mark):
        return
    remedy = "; a deadline is for what is expected" if _DEADLINE.match(line.text, line.position) else ""
    line.skip_blanks()
    raise LineError(f"text after the value{remedy}{_QUOTE}", line.position)


def _read_bare(line: LineScanner, mark: str, known: Collection[str]) -> str | Template:
    """Read the rest of the line as a string, unless it could be meant in another way."""
    text, start = line.rest, line.position
    _, complaint = interpret(text)
    if complaint is not None and not NAME_IN_TEXT.match(text):
        raise LineError(complaint.message + _QUOTE, start)
    if ambiguity := _find_ambiguity(text, mark):
        sentence, offset = ambiguity
        raise LineError(f'{sentence} If a string is meant, quote it: {mark} "…"', start + offset)
    if doubt := _find_doubt(text, mark):
        line.warn(f'{doubt}; if that is meant, quote it: {mark} "…"', start)
    parts, unknown = split_at_names(text, known.__contains__)
    if unknown:
        sentence = explain_unknown_name(unknown[0], known)
        if mark.startswith("<") and "mean" not in sentence:
            sentence = f"nothing is named {unknown[0]} above; a group captures a part: /(?P<{unknown[0]}>.*)/"
        raise LineError(sentence + _QUOTE, start + text.index("{{"))
    line.position = len(line.text)
    return Template(tuple(parts)) if len(parts) > 1 else text


def _find_doubt(text: str, mark: str) -> str:
    """Say what a bare text is, if something else was probably meant; empty if not."""
    if text.startswith("/") and not mark.startswith("<"):
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
    if comment := _COMMENT.search(text):
        return "A comment, or part of the string?", comment.start() + 1
    if _QUOTED.fullmatch(text):
        return "Single quotes would be part of the string.", 0
    if not mark.startswith("<"):
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


def explain_unknown_name(name: str, known: Collection[str]) -> str:
    """Say that a name has no value, and what was probably meant."""
    if name.startswith("env."):
        name = name.removeprefix("env.")
        similar = find_similar(name, [each[4:] for each in known if each.startswith("env.")])
        remedy = f"did you mean env.{similar}?" if similar else "export it"
        return f"the environment has no variable {name}; {remedy}"
    if name == ROUND:
        return "only a repeat has a {{round}}"
    names = [each for each in known if not each.startswith("env.")]
    if similar := find_similar(name, names):
        return f"nothing is named {name} above; did you mean {similar}?"
    if names:
        some = ", ".join(names[:_MAX_NAMES]) + (", …" if len(names) > _MAX_NAMES else "")
        return f"nothing is named {name} above, only {some}"
    return f"nothing is named {name} above; < {{{{{name}}}}} captures it, and set {name} VALUE sets it"


def render_pattern(pattern: Any) -> str:
    """Write a value or a pattern as a script has it, where ``{{name}}`` in a string stands for a value.

    As :func:`render_value`, except that a string in which the same characters stand for themselves has an
    escape in their place.
    """
    if "{{" not in (text := render_value(pattern)) or not NAME_IN_TEXT.search(text):
        return text
    return render_value(_protect_strings(pattern))


def _protect_strings(pattern: Any) -> Any:
    outermost = [pattern]
    unseen: list[tuple[Any, Any]] = [(outermost, 0)]
    while unseen:
        container, key = unseen.pop()
        item = container[key]
        if isinstance(item, list | tuple):
            copy = container[key] = list(item)
            unseen += ((copy, index) for index in range(len(copy)))
        elif isinstance(item, dict):
            entries = container[key] = {
                Template((each,)) if isinstance(each, str) and NAME_IN_TEXT.search(each) else each: value
                for each, value in item.items()
            }
            unseen += ((entries, each) for each in entries)
        elif isinstance(item, str):
            container[key] = Template((item,)) if NAME_IN_TEXT.search(item) else item
        elif isinstance(item, Capture) and item.alternatives:
            alternatives = tuple(tuple(map(_protect_strings, terms)) for terms in item.alternatives)
            container[key] = replace(item, alternatives=alternatives)
        elif isinstance(item, Unordered):
            container[key] = Unordered(tuple(map(_protect_strings, item.items)))
        elif isinstance(item, Each):
            container[key] = Each(_protect_strings(item.pattern))
    return outermost[0]
