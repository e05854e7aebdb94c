"""Updates what a script expects by what came (``--update``).

Only what did not match is changed. Comments, layout and every placeholder that matched stay, and a script
whose expectations all matched stays as it is, to the byte.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from difflib import unified_diff
from typing import Any

from tui_ipc.osutil.files import describe_path_error
from tui_ipc.script.files import UnwritableScriptError, replace_script_file
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.script.language.steps import Expect, ExpectExit, Repeat, Script, Step
from tui_ipc.script.language.values import render_pattern
from tui_ipc.script.language.writer import write_script
from tui_ipc.script.outcome import Outcome, Status, add_complaint
from tui_ipc.text.pattern_match import ABSENT, find_difference, match_pattern, pair_entries, pair_items
from tui_ipc.text.placeholders import ANY_REST, NAME_IN_TEXT, Capture


def merge_pattern(pattern: Any, received: Any, known: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Make a pattern that a message matches, as close as possible to the one that it did not match.

    It does not recurse, because both may nest deeply: a stack holds the parts that are not merged yet, each
    with the container and the key to put the result at.

    Args:
        pattern: The expected pattern. It is not changed.
        received: The message.
        known: The names captured so far; they are not changed.

    Returns:
        The new pattern, which is ``pattern`` itself if it matches; and the names that it captures anew.
    """
    difference, captured = match_pattern(pattern, received, known)
    if difference is None:
        return pattern, captured
    names, captured = dict(known), {}
    outermost: list[Any] = [None]
    unmerged: list[tuple[Any, Any, Any, Any]] = [(outermost, 0, pattern, received)]
    while unmerged:
        container, key, ours, theirs = unmerged.pop()
        if isinstance(ours, list | tuple) and isinstance(theirs, list | tuple):
            container[key], pairs = _merge_array(ours, theirs)
        elif isinstance(ours, dict) and isinstance(theirs, dict):
            container[key], pairs = _merge_map(ours, theirs, names)
        else:
            difference, new = match_pattern(ours, theirs, names)
            if difference is not None and isinstance(ours, Capture) and ours.name not in ("_", *names):
                ours = Capture(ours.name)
                difference, new = None, {ours.name: theirs}
            container[key] = ours if difference is None else theirs
            if difference is None:
                captured |= new
                names |= new
            continue
        unmerged += ((container[key], *pair) for pair in reversed(pairs))
    if find_difference(outermost[0], received, known) is not None:
        return received, {}  # keys that Python takes for equal, such as 1 and True, were merged into one
    return outermost[0], captured


def _merge_array(ours: Any, theirs: Any) -> tuple[list[Any], list[tuple[Any, Any, Any]]]:
    """Make an array with room for the items that came, ``...`` kept; and index, pattern and item for each."""
    pairs = [(our, their) for our, their, _ in pair_items(ours, theirs, None)]
    rest = ours.index(ANY_REST) if ANY_REST in ours else len(pairs)
    begin, end = ([pair for pair in part if pair[1] is not ABSENT] for part in (pairs[:rest], pairs[rest:]))
    room = [None] * len(begin) + [ANY_REST] * (ANY_REST in ours) + [None] * len(end)
    places = (index for index, item in enumerate(room) if item is not ANY_REST)
    return room, [(index, *pair) for index, pair in zip(places, begin + end, strict=True)]


def _merge_map(
    ours: Any, theirs: Any, known: Mapping[str, Any]
) -> tuple[dict[Any, Any], list[tuple[Any, Any, Any]]]:
    """Make a map with room for the keys that came, the old ones in their order; ``...`` stays where it is."""
    pairs = {}
    for our, their, place in pair_entries(ours, theirs, None, known):
        if their is not ABSENT and place is not None:
            pairs[place[1]] = our, their
    room = {key: ANY_REST if key is ANY_REST else None for key in ours if key is ANY_REST or key in pairs}
    for key in pairs:
        room.setdefault(key, None)
    return room, [(key, *pairs[key]) for key in room if key is not ANY_REST]


class LearnedPatterns:
    """Collects what the expectations of one script should have been.

    Args:
        changes: Filled with line → the pattern that it should have, for each expectation that did not match.
    """

    def __init__(self, changes: dict[int, Any]) -> None:
        self._changes = changes
        self._texts: dict[int, str] = {}

    def learn(
        self, step: Expect | ExpectExit, received: Any, known: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """Learn from a message or an exit code that came where a step expected one.

        Returns:
            The names that the new pattern captures; None if an earlier round of a ``repeat`` needs another
            pattern, so that none fits all rounds.
        """
        expected = step.value if isinstance(step, Expect) else step.code
        pattern, captured = merge_pattern(expected, received, known)
        text = render_pattern(pattern)
        if self._texts.setdefault(step.line, text) != text:
            return None
        if pattern is not expected:
            self._changes[step.line] = pattern
        return captured


def rewrite_expectations(text: str, script: Script, changes: Mapping[int, Any]) -> str:
    """Replace expectations in the text of a script.

    Args:
        text: All of it.
        script: The parsed text.
        changes: Line → the pattern or exit code to expect there.
    """
    lines = text.split("\n")
    mark = "\ufeff" if text.startswith("\ufeff") else ""  # a byte order mark has no column
    lines[0] = lines[0].removeprefix(mark)
    for step in iter_expectations(script.steps):
        if step.line in changes:
            lines[step.line - 1] = _rewrite_line(lines[step.line - 1], step, changes[step.line])
    return mark + "\n".join(lines)


def iter_expectations(steps: tuple[Step, ...]) -> Iterator[Expect | ExpectExit]:
    """Iterate over the steps that can be rewritten, those in blocks included."""
    for step in steps:
        if isinstance(step, Expect | ExpectExit):
            yield step
        elif isinstance(step, Repeat):
            yield from iter_expectations(step.steps)


def _rewrite_line(line: str, step: Expect | ExpectExit, pattern: Any) -> str:
    """Replace the pattern of a line; a string without quotes is replaced by one, if it reads back as that."""
    begin, end = step.span
    if isinstance(step, Expect) and isinstance(pattern, str) and line[begin:end] == step.value:
        bare = line[:begin] + pattern + line[end:]
        if not NAME_IN_TEXT.search(pattern) and _reads_as(bare, replace(step, value=pattern)):
            return bare
    return line[:begin] + render_pattern(pattern) + line[end:]


def _reads_as(line: str, step: Expect) -> bool:
    try:
        return parse_script(line).steps == (step,)
    except ScriptSyntaxError:
        return False


def apply_updates(file: str, script: Script, outcome: Outcome) -> Outcome:
    """As :func:`update_script_file`; returns the outcome with what became of the file."""
    try:
        return replace(outcome, rewritten=update_script_file(file, script, outcome))
    except UnwritableScriptError as error:
        return add_complaint(outcome, str(error))


def update_script_file(file: str, script: Script, outcome: Outcome) -> tuple[str, ...]:
    """Rewrite what a script expects, if anything is to be changed and all its steps passed.

    Args:
        file: The script's file.
        script: The script that was run.
        outcome: How it ended.

    Returns:
        A sentence for people and the difference, in lines; empty if nothing was to be changed.

    Raises:
        UnwritableScriptError: The file cannot be rewritten.
    """
    if not outcome.updates:
        return ()
    if outcome.status not in (Status.PASSED, Status.FLAKY):
        return ("not rewritten, as it did not pass",)
    old = _read_script(file)
    text = old.decode(errors="replace")
    if not _is_same_script(text, script):
        raise UnwritableScriptError(f"{file} was changed meanwhile and was not rewritten; run it again")
    new = rewrite_expectations(text, parse_script(text, variables=script.variables), outcome.updates)
    try:
        parse_script(new, script.name, script.variables)
    except ScriptSyntaxError as error:  # a name that is used later is no longer captured
        raise UnwritableScriptError(f"{file} cannot be rewritten: {error.sentence}") from None
    replace_script_file(file, old, new.encode())
    difference = unified_diff(text.splitlines(), new.splitlines(), n=0, lineterm="")
    return (f"{_describe_lines(outcome.updates)} rewritten", *list(difference)[2:])  # without the file names


def _read_script(file: str) -> bytes:
    try:
        with open(file, "rb") as script:
            return script.read()
    except OSError as error:
        raise UnwritableScriptError(f"{file} cannot be rewritten: {describe_path_error(error)}") from None


def _is_same_script(text: str, script: Script) -> bool:
    """Whether a text is this script, with each expectation on the same line."""
    try:
        found = parse_script(text, variables=script.variables)
    except ScriptSyntaxError:
        return False
    places = [[step.line for step in iter_expectations(each.steps)] for each in (found, script)]
    return write_script(found) == write_script(script) and places[0] == places[1]


def _describe_lines(updates: Mapping[int, Any]) -> str:
    *others, last = sorted(updates)
    return f"lines {', '.join(map(str, others))} and {last}" if others else f"line {last}"
