"""The value in a line of a script: a message to be sent, or the pattern of one to come. Pure.

The one rule: a value means what :mod:`tui_ipc.session.notation` says of its text, without the blanks around
it. A pattern may have holes besides, and a message names that were captured. A bare text, which is a string
without quotes, is an error where it might be meant in another way.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from tui_ipc.ipc.wire import encode
from tui_ipc.script.faults import Fault
from tui_ipc.script.patterns import ANYTHING, REST, Captured, Hole, Matching, filled
from tui_ipc.script.remedies import meant
from tui_ipc.script.scanner import Line, fault_behind, flags_behind
from tui_ipc.session.notation import Complaint, first_value, interpret, looks_like_more
from tui_ipc.session.reader import Objection

_QUOTE: Final = "; if a string is meant, quote it"
_COMMENT: Final = re.compile(r"[ \t]#")
_DEADLINE: Final = re.compile(r"[ \t]++within(?![^ \t\r])")
_DEADLINE_INSIDE: Final = re.compile(r"(?:^|[ \t])within[ \t]++[0-9][^ \t]*+[ \t]*+(?:$|(?<=[ \t])#)")
_NAME: Final = re.compile(r"\{\{[ \t]*+([A-Za-z_][A-Za-z0-9_]*+)[ \t]*+\}\}")
_EXPRESSION: Final = re.compile(r"/(?:[^/\\]|\\.)*+/")
_CORE: Final = re.compile(r"[ \t]++(?:#|within[ \t])")
_RAW: Final = re.compile(r"raw(?:[ \t]++[0-9a-fA-F]{2})++")


def read_message(line: Line, captured: Collection[str]) -> Any:
    """Read what is to be sent, to the end of the line; ``captured`` are the names that it may use."""

    def objection(hole: Hole) -> str:
        if hole == ANYTHING:
            return "{{_}} captures nothing; what is sent is told whole"
        if isinstance(hole, Captured):
            return "" if hole.name in captured else _not_captured(hole.name, captured)
        return "what is sent is told whole: ... and /re/ are for what is expected"

    return _read(line, ">", objection)


def read_pattern(line: Line, mark: str) -> Any:
    """Read what is expected, up to ``within``, a comment or the end of the line; ``mark`` begins the line."""
    line.skip_blanks()
    text, start = line.rest, line.position
    if text.startswith("...") and _followed(line, start + 3, mark):
        line.position += 3
        return REST
    if text.startswith("/"):
        expression = _EXPRESSION.match(text)
        if expression and _followed(line, start + expression.end(), mark):
            return Matching(line.expression())
        _see_no_expression(line, expression.end() if expression else 0)
    return _read(line, mark, lambda hole: "")


def _read(line: Line, mark: str, objection: Objection) -> Any:
    line.skip_blanks()
    text, start = line.rest, line.position
    if line.ended():
        raise Fault(f'a value must follow; the empty string is {mark} ""', start)
    begun = first_value(text, objection)
    if isinstance(begun, Complaint):
        remedy = "" if begun.hole and begun.offset else _QUOTE
        raise Fault(begun.sentence + remedy, start + (begun.offset or 0))
    if begun is None or not (looks_like_more(text) or _followed(line, start + begun[1], mark)):
        value: Any = _bare(line, mark)
        line.position = len(line.text)
    else:
        value, end = begun
        line.position += end
        if not _followed(line, line.position, mark):
            deadline = (
                "; a deadline is for what is expected" if _DEADLINE.match(line.text, line.position) else ""
            )
            line.skip_blanks()
            raise Fault(f"text after the value{deadline}{_QUOTE}", line.position)
    try:
        encode(filled(value, lambda hole: None))
    except (TypeError, ValueError) as error:
        raise Fault(f"no message can hold this: {error}", start) from None
    return value


def _followed(line: Line, position: int, mark: str) -> bool:
    """Whether a value may end at ``position``: nothing follows, a comment, or the deadline of a pattern."""
    return line.ended(position) or (mark != ">" and _DEADLINE.match(line.text, position) is not None)


def _bare(line: Line, mark: str) -> str:
    """The rest of the line as the string that it is, if it cannot be meant in another way."""
    text, start = line.rest, line.position
    quote = f'If a string is meant, quote it: {mark} "…"'
    _, complaint = interpret(text)
    if complaint is not None:
        raise Fault(complaint.sentence + _QUOTE, start)
    if name := _NAME.search(text):
        raise Fault(
            f"{{{{{name[1]}}}}} stands for a whole value, and this is a part. {quote}", start + name.start()
        )
    if comment := _COMMENT.search(text):
        raise Fault(f"a comment, or part of the string? {quote}", start + comment.start() + 1)
    if mark == ">":
        if _RAW.fullmatch(text):
            raise Fault(f"bytes, or a string? Bytes as they are: >raw HEX. {quote}", start)
        return text
    if deadline := _DEADLINE_INSIDE.search(text):
        if deadline.start() == 0:
            raise Fault(f"a value must come first; any message is {mark} ... within DURATION", start)
        raise Fault(f"a deadline, or part of the string? {quote}", start + deadline.start() + 1)
    if text.startswith("~") and mark == "<":
        raise Fault(
            f"to skip until a message matches, or a string? It is written <~ together. {quote}", start
        )
    return text


def _see_no_expression(line: Line, end: int) -> None:
    """See that a text that begins with ``/`` is a string, such as a path, and no faulty ``/re/``.

    ``end`` is where an expression would end in it, 0 if it would not.
    """
    text = line.rest
    core = _CORE.split(text, maxsplit=1)[0]
    if end and (flags_behind(text[end:]) or core.endswith("/")):
        raise Fault(fault_behind(text[end:]) + _QUOTE, line.position + end)


def _not_captured(name: str, captured: Collection[str]) -> str:
    nearest = meant(name, captured)
    if nearest:
        return f"nothing was captured as {name} above, but {nearest} was"
    if captured:
        return f"nothing was captured as {name} above, only {', '.join(captured)}"
    return f"nothing was captured as {name} above; a line such as < {{{{{name}}}}} captures"
