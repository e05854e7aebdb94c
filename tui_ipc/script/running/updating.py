"""What a script expects, rewritten by what came. Pure.

The one rule: only what did not match is changed. Comments, layout and every hole that was met stay, and a
script whose expectations were all met stays as it is, to the byte.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tui_ipc.script.language import Expect, ExpectExit, Repeat, Script, ScriptSyntaxError, Step, parse
from tui_ipc.script.running.comparison import ABSENT, compare, match, paired_entries, paired_items
from tui_ipc.script.syntax.patterns import REST
from tui_ipc.session.notation import render


def merge(pattern: Any, received: Any, known: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The pattern that a message meets, as near as can be to the one that it should have met.

    Does not recurse: both may nest deeply.

    Args:
        pattern: What was expected. It is not changed.
        received: What came.
        known: The names captured so far; they are not changed.

    Returns:
        The new pattern, the old one itself where it was met; and the names that it captures anew.
    """
    difference, captured = match(pattern, received, known)
    if difference is None:
        return pattern, captured
    names, captured = dict(known), {}
    outermost: list[Any] = [None]
    unmerged: list[tuple[Any, Any, Any, Any]] = [(outermost, 0, pattern, received)]
    while unmerged:
        place, key, ours, theirs = unmerged.pop()
        if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
            place[key], pairs = _array(ours, theirs)
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            place[key], pairs = _map(ours, theirs)
        else:
            difference, new = match(ours, theirs, names)
            place[key] = ours if difference is None else theirs
            if difference is None:
                captured |= new
                names |= new
            continue
        unmerged += ((place[key], *pair) for pair in reversed(pairs))
    if compare(outermost[0], received, known) is not None:  # keys that Python takes for equal, and no message
        return received, {}
    return outermost[0], captured


def _array(ours: Any, theirs: Any) -> tuple[list[Any], list[tuple[Any, Any, Any]]]:
    """An array with room for the items that came, and place, pattern and item for each; ``...`` stays."""
    pairs = [(our, their) for our, their, _ in paired_items(ours, theirs, None)]
    rest = ours.index(REST) if REST in ours else len(pairs)
    begin, end = ([pair for pair in part if pair[1] is not ABSENT] for part in (pairs[:rest], pairs[rest:]))
    room = [None] * len(begin) + [REST] * (REST in ours) + [None] * len(end)
    places = (index for index, item in enumerate(room) if item is not REST)
    return room, [(index, *pair) for index, pair in zip(places, begin + end, strict=True)]


def _map(ours: Any, theirs: Any) -> tuple[dict[Any, Any], list[tuple[Any, Any, Any]]]:
    """The same for a map: the keys that came, the old ones in their order; ``...`` stays where it is."""
    pairs = {}
    for our, their, place in paired_entries(ours, theirs, None):
        if their is not ABSENT and place is not None:
            pairs[place[1]] = our, their
    room = {key: REST if key is REST else None for key in ours if key is REST or key in pairs}
    for key in pairs:
        room.setdefault(key, None)
    return room, [(key, *pairs[key]) for key in room if key is not REST]


class Learned:
    """What the expectations of one script should have been, as they come up.

    Args:
        changes: Filled with the line of each expectation that was not met → the pattern that it should be.
    """

    def __init__(self, changes: dict[int, Any]) -> None:
        self._changes = changes
        self._texts: dict[int, str] = {}

    def note(
        self, step: Expect | ExpectExit, received: Any, known: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Take in what came where a step expected something: a message, or an exit code.

        Returns:
            The names that the new pattern captures; None if an earlier round of a ``repeat`` needs another
            one, so that no pattern will do.
        """
        expected = step.value if isinstance(step, Expect) else step.code
        pattern, captured = merge(expected, received, known)
        text = render(pattern)
        if self._texts.setdefault(step.line, text) != text:
            return None
        if pattern is not expected:
            self._changes[step.line] = pattern
        return captured


def rewritten(text: str, script: Script, changes: Mapping[int, Any]) -> str:
    """The text of a script with other expectations.

    Args:
        text: The whole of it.
        script: What it means.
        changes: Line → the pattern, or the exit code, that the expectation there should be.
    """
    lines = text.split("\n")
    mark = "\ufeff" if text.startswith("\ufeff") else ""  # stands before the first column
    lines[0] = lines[0].removeprefix(mark)
    for step in expectations(script.steps):
        if step.line in changes:
            lines[step.line - 1] = _line(lines[step.line - 1], step, changes[step.line])
    return mark + "\n".join(lines)


def expectations(steps: tuple[Step, ...]) -> Iterator[Expect | ExpectExit]:
    """What can be rewritten, in its order, blocks included."""
    for step in steps:
        if isinstance(step, Expect | ExpectExit):
            yield step
        elif isinstance(step, Repeat):
            yield from expectations(step.steps)


def _line(line: str, step: Expect | ExpectExit, pattern: Any) -> str:
    """A line with another pattern; a string that was written without quotes stays so, if that can be."""
    begin, end = step.span
    if isinstance(step, Expect) and isinstance(pattern, str) and line[begin:end] == step.value:
        bare = line[:begin] + pattern + line[end:]
        if _means(bare, replace(step, value=pattern)):
            return bare
    return line[:begin] + render(pattern) + line[end:]


def _means(line: str, step: Expect) -> bool:
    try:
        return parse(line).steps == (step,)
    except ScriptSyntaxError:
        return False
