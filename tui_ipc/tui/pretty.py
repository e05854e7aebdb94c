"""A value over several lines, for reading: the layout is ours, scalars and keys are in the notation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tui_ipc.session import notation
from tui_ipc.tui.line import Line, Span
from tui_ipc.tui.sanitize import visible

LINES = 2_000
"""How many lines of one value are laid out; the rest is left out and said so."""

SCALAR_LIMIT = 8_000
"""How many characters of one string or other scalar are shown."""

FITS = 44
"""A list or map whose notation is no longer than this stays on one line."""

_BRACKETS: dict[type[Any], tuple[str, str]] = {list: ("[", "]"), tuple: ("(", ")")}


@dataclass(frozen=True, slots=True)
class _Task:
    """Still to be written: a value between what stands before and after it, or a closing bracket."""

    indent: int
    before: tuple[Span, ...]
    value: Any
    after: str
    closes: bool = False


def pretty(value: Any) -> list[Line]:
    """Lay out a value, at most :data:`LINES` lines of it. It does not recurse: depth costs no stack."""
    lines: list[Line] = []
    tasks = [_Task(0, (), value, "")]
    while tasks:
        task = tasks.pop()
        if len(lines) == LINES:
            lines.append(Line((Span("… the rest is left out; copy the value to have it whole", "note"),)))
            break
        margin = Span("  " * task.indent)
        if task.closes:
            lines.append(Line((margin, Span(task.value + task.after))))
        elif (short := _one_line(task.value)) is not None:
            lines.append(Line((margin, *task.before, short, Span(task.after))))
        else:
            opening, closing = _BRACKETS.get(type(task.value), ("{", "}"))
            lines.append(Line((margin, *task.before, Span(opening))))
            tasks.append(_Task(task.indent, (), closing, task.after, closes=True))
            # One task more than lines remain is enough to know that something is left out.
            children = [child for child, _ in zip(_children(task), range(LINES + 1), strict=False)]
            tasks.extend(reversed(children))
    return lines


def _children(task: _Task) -> Iterator[_Task]:
    value = task.value
    last = len(value) - 1
    trailing = "," if isinstance(value, tuple) and last == 0 else ""
    for place, item in enumerate(value.items() if isinstance(value, Mapping) else value):
        after = "," if place < last else trailing
        if isinstance(value, Mapping):
            key = (Span(_scalar(item[0]), "key"), Span(": "))
            yield _Task(task.indent + 1, key, item[1], after)
        else:
            yield _Task(task.indent + 1, (), item, after)


def _one_line(value: Any) -> Span | None:
    """The value in one span, None if it must be spread over lines."""
    if isinstance(value, list | tuple | Mapping) and value:
        # A text that is cut ends before the first scalar beyond the limit, of at most some 50 characters: so
        # with this limit every cut text is longer than what fits.
        text = visible(notation.render(value, limit=FITS + 100))
        return Span(text) if len(text) <= FITS else None
    return Span(_scalar(value), _paint(value))


def _scalar(value: Any) -> str:
    return visible(notation.render(value, limit=SCALAR_LIMIT))


def _paint(value: Any) -> str:
    if isinstance(value, str | bytes):
        return "string"
    if value is None or isinstance(value, bool):
        return "constant"
    return "number" if isinstance(value, int | float) else "text"
