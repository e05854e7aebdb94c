"""A message over many lines, as an editor shows it, and in one line, as the box holds it: the same message.

The rule: :func:`fold` undoes :func:`unfold`. Neither changes what would be sent.
"""

import json
from typing import Any, NamedTuple

from tui_ipc.session import notation

INDENT = 2


class Folded(NamedTuple):
    """A text in one line.

    Attributes:
        text: The line.
        complaint: Why it is a mere string although it looks like more, empty if it does not; a sentence with
            the line and the column.
    """

    text: str
    complaint: str


def unfold(text: str) -> str:
    """Spread what the box holds over lines: a list or map by its structure, a string at its line ends."""
    value = notation.parse(text)
    spread = _spread(value)
    if spread is None or "\n" not in spread:
        return text
    folded = notation.parse(fold(spread).text)
    return spread if _same(folded, value) else text


def fold(text: str) -> Folded:
    """Put an edited text into one line: what has several is rendered as the value that it means.

    One line feed at the end is the editor's.
    """
    text = text.removesuffix("\n").removesuffix("\r")
    if "\n" not in text:
        return Folded(text, "")
    value, complaint = notation.interpret(text)
    return Folded(notation.render(value), "" if complaint is None else _located(complaint, text))


def _spread(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if not isinstance(value, list | dict):
        return None
    try:
        return json.dumps(value, indent=INDENT, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        return None  # holds what JSON cannot, or is too deep for a writer that recurses


def _same(one: Any, other: Any) -> bool:
    """Whether two values are one message: 1 and True, or 1 and 1.0, are not."""
    return notation.render(one) == notation.render(other)


def _located(complaint: notation.Complaint, text: str) -> str:
    if complaint.offset is None:
        return complaint.sentence
    before = text[: complaint.offset]
    row, column = before.count("\n") + 1, complaint.offset - (before.rfind("\n") + 1) + 1
    return f"{complaint.sentence} at line {row}, column {column}"
