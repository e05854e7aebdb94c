"""The value in a line of a script: a message to be sent, or the pattern of one to come. Pure.

The one rule: a value means what :mod:`tui_ipc.session.notation` says of its text, without the blanks around
it. A pattern may have holes besides, and a message names that were captured. A bare text, which is a string
without quotes, is an error where it might be meant in another way.
"""

import re
from collections.abc import Collection
from typing import Any, Final

from tui_ipc.ipc.wire import encode
from tui_ipc.script.syntax.faults import Fault
from tui_ipc.script.syntax.patterns import ANYTHING, REST, Captured, Hole, Matching, filled
from tui_ipc.script.syntax.remedies import meant
from tui_ipc.script.syntax.scanner import Line, fault_behind, flags_behind
from tui_ipc.session.notation import Complaint, first_value, interpret, looks_like_more
from tui_ipc.session.reader import Objection

_NAMES: Final = 5  # that are told to who used another
_QUOTE: Final = "; if a string is meant, quote it"
_COMMENT: Final = re.compile(r"[ \t]#")
_DEADLINE: Final = re.compile(r"[ \t]++within(?![^ \t\r])")
_DEADLINE_INSIDE: Final = re.compile(r"(?:^|[ \t])within[ \t]++[0-9][^ \t]*+$")
_NAME: Final = re.compile(r"\{\{[ \t]*+([A-Za-z_][A-Za-z0-9_]*+)[ \t]*+\}\}")
_EXPRESSION: Final = re.compile(r"/(?:[^/\\]|\\.)*+/")
_CORE: Final = re.compile(r"[ \t]++(?:#|within[ \t])")
_QUOTED: Final = re.compile("'[^']*+'")
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
    else:
        value, end = begun
        line.position += end
        _see_end(line, mark)
    try:
        encode(filled(value, lambda hole: None))
    except (TypeError, ValueError) as error:
        raise Fault(f"no message can hold this: {error}", start) from None
    return value


def _followed(line: Line, position: int, mark: str) -> bool:
    """Whether a value may end at ``position``: nothing follows, a comment, or the deadline of a pattern."""
    return line.ended(position) or (mark != ">" and _DEADLINE.match(line.text, position) is not None)


def _see_end(line: Line, mark: str) -> None:
    """See that nothing follows a value but what may."""
    if _followed(line, line.position, mark):
        return
    remedy = "; a deadline is for what is expected" if _DEADLINE.match(line.text, line.position) else ""
    line.skip_blanks()
    raise Fault(f"text after the value{remedy}{_QUOTE}", line.position)


def _bare(line: Line, mark: str) -> str:
    """Read the rest of the line as the string that it is, if it cannot be meant in another way."""
    text, start = line.rest, line.position
    _, complaint = interpret(text)
    if complaint is not None:
        raise Fault(complaint.sentence + _QUOTE, start)
    if doubt := _doubt(text, mark):
        sentence, offset = doubt
        raise Fault(f'{sentence} If a string is meant, quote it: {mark} "…"', start + offset)
    line.position = len(line.text)
    return text


def _doubt(text: str, mark: str) -> tuple[str, int] | None:
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
        some = ", ".join(list(captured)[:_NAMES]) + (", …" if len(captured) > _NAMES else "")
        return f"nothing was captured as {name} above, only {some}"
    return f"nothing was captured as {name} above; a line such as < {{{{{name}}}}} captures"
