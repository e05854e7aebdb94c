"""Shows where a message is not what was expected.

Both are written out, each on a line, with a mark below what differs. Of a long one only what is around the
difference is shown, and one that would take long to write out is shown from its beginning, without a mark.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final
from unicodedata import normalize

from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import ABSENT, Difference, find_key
from tui_ipc.text.placeholders import ANY_REST, Capture
from tui_ipc.text.safe_text import cell_width, make_visible
from tui_ipc.text.units import format_count

Detail = tuple[str, str]
"""A title and a line of text. A line without a title marks, by ``^``, characters of the line above it."""

# How many characters are shown:
_MAX_AROUND: Final = 48  # on either side of the difference
_MAX_DIFFERENCE: Final = 100
_MAX_UNEXPECTED: Final = 2000  # of a message of which nothing is as expected
_MAX_VALUE: Final = 200  # of each value in a sentence, and of a message that is too large to write out

_MAX_WRITTEN_OUT: Final = 20_000  # values: to write out more takes tenths of seconds
_MAX_LISTED: Final = 20  # differences in a report
_CHARACTERS_PER_VALUE: Final = 256  # so many take as long to write as one value
_TEXTS: Final = (str, bytes)  # within these the difference is marked by character

# Written in place of the difference, so that it can be found in the text of the whole. Its private-use
# characters are escaped as it is written; a message that holds the same text is marked at the wrong place,
# and nothing else.
_MARKER: Final = "\ue000here\ue000"

_Split = tuple[str, str, str]  # the text before the difference, that itself, and the text after it


def explain_difference(
    difference: Difference, expected: Any, received: Any, differences: Sequence[Difference] = ()
) -> tuple[Detail, ...]:
    """Describe what was expected, what came, and what differs.

    Args:
        difference: The first difference of the two, which is marked.
        expected: The pattern.
        received: The message.
        differences: All differences, to be listed; none to list only the first.
    """
    listed = _list_differences(differences or (difference,))
    if _is_too_large(expected) or _is_too_large(received):
        return (
            ("expected", render_value(expected, _MAX_VALUE)),
            ("received", render_value(received, _MAX_VALUE)),
            *listed,
        )
    ours = _split_around(expected, _translate_path(difference.keys, expected, received), difference.expected)
    theirs = _split_around(received, difference.keys, difference.received)
    if type(difference.expected) is type(difference.received) in _TEXTS:
        ours, theirs = _narrow_to_difference(ours, theirs)
    return (
        *_format_marked("expected", ours),
        *_format_marked("received", theirs),
        *listed,
    )


def _list_differences(differences: Sequence[Difference]) -> tuple[Detail, ...]:
    lines = [("differs", _describe_difference(each)) for each in differences[:_MAX_LISTED]]
    more = len(differences) - len(lines)
    if more:
        lines.append(("differs", f"and in {format_count(more)} more places"))
    return tuple(lines)


def _describe_difference(difference: Difference) -> str:
    """Describe a difference in a sentence; of two long texts only the part that differs."""
    ours, theirs = difference.expected, difference.received
    if isinstance(ours, str) and isinstance(theirs, str) and _looks_alike(ours, theirs):
        came = json.dumps(theirs[:_MAX_VALUE])  # only ASCII, so that one sees which characters they are
        return f"{difference.path}: {json.dumps(ours[:_MAX_VALUE])} was expected, and {came} came"
    if (
        type(ours) is not type(theirs)
        or type(ours) not in _TEXTS
        or max(len(ours), len(theirs)) <= _MAX_VALUE
    ):
        return difference.describe(_MAX_VALUE)
    same = next(
        (index for index, (our, their) in enumerate(zip(ours, theirs, strict=False)) if our != their),
        min(len(ours), len(theirs)),
    )
    begin = max(same - _MAX_AROUND, 0)
    part = slice(begin, begin + _MAX_DIFFERENCE)
    unit = "character" if type(ours) is str else "byte"
    cut = replace(difference, expected=ours[part], received=theirs[part])
    return f"{cut.describe()} (from {unit} {format_count(begin)} on)"


def _looks_alike(one: str, other: str) -> bool:
    """Whether two texts are probably drawn alike: only the composition of letters or their form differs."""
    if (one.isascii() and other.isascii()) or max(len(one), len(other)) > _MAX_VALUE:
        return False
    return normalize("NFKC", one) == normalize("NFKC", other)


def _is_too_large(value: Any) -> bool:
    # Looks at no more of the value than it takes to know.
    room = _MAX_WRITTEN_OUT
    unseen = [value]
    while unseen and room > 0:
        item = unseen.pop()
        room -= 1
        if isinstance(item, str | bytes):
            room -= len(item) // _CHARACTERS_PER_VALUE
        elif isinstance(item, list | tuple):
            unseen += item
        elif isinstance(item, dict):
            unseen += item
            unseen += item.values()
    return room <= 0


def _translate_path(keys: Sequence[Any], expected: Any, received: Any) -> tuple[Any, ...]:
    """Translate a path in the message to the path in the pattern, where ``...`` is one item for several."""
    path = []
    for key in keys:
        index = key
        if isinstance(expected, list | tuple) and ANY_REST in expected:
            rest = expected.index(ANY_REST)
            if key >= rest:
                after_rest = max(len(received) - (len(expected) - rest - 1), rest)
                index = key - after_rest + rest + 1
        path.append(index)
        expected, received = _child_at(expected, index), _child_at(received, key)
    return tuple(path)


def _child_at(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(find_key(value, key), ABSENT)
    return value[key] if isinstance(value, list | tuple) and key < len(value) else ABSENT


def _split_around(value: Any, path: Sequence[Any], part: Any) -> _Split:
    """Split the text of a value around a part of it; around the place for it if it is absent."""
    # Puts the marker in the place of the part, in a copy. Only the containers on the path are copied.
    copy = [value]
    container: Any = copy
    key: Any = 0
    for following in path:
        inner = container[key]
        if not isinstance(inner, dict | list | tuple):  # a condition, which is marked as a whole
            part = inner
            break
        key_inside = find_key(inner, following) if isinstance(inner, dict) else following
        if key_inside is ABSENT and part is not ABSENT:  # a key with a name in it is only in the pattern
            part = inner
            break
        container[key] = inner = dict(inner) if isinstance(inner, dict) else list(inner)
        container, key = inner, key_inside
    marker = render_value(_MARKER)
    if part is not ABSENT:
        if isinstance(container[key], Capture):  # the part is a condition of it
            part = container[key]
        container[key] = _MARKER
    elif isinstance(container, list):
        container.insert(key, _MARKER)
    else:
        container[_MARKER] = None
        marker += ": null"
    before, _, after = render_value(copy[0]).partition(marker)
    return (before.removesuffix(", "), "", after) if part is ABSENT else (before, render_value(part), after)


def _narrow_to_difference(ours: _Split, theirs: _Split) -> tuple[_Split, _Split]:
    """Narrow a difference of two strings to what is between their common beginning and end."""
    (_, our_text, _), (_, their_text, _) = ours, theirs
    shorter = min(len(our_text), len(their_text))
    start = 0
    while start < shorter and our_text[start] == their_text[start]:
        start += 1
    end = 0
    while end < shorter - start and our_text[-1 - end] == their_text[-1 - end]:
        end += 1
    return _narrow(ours, start, end), _narrow(theirs, start, end)


def _narrow(split: _Split, start: int, end: int) -> _Split:
    before, part, after = split
    stop = len(part) - end
    return before + part[:start], part[start:stop], part[stop:] + after


def _format_marked(title: str, split: _Split) -> tuple[Detail, ...]:
    before, part, after = split
    if not before and not after:
        return ((title, part if len(part) <= _MAX_UNEXPECTED else part[:_MAX_UNEXPECTED] + "…"),)
    if len(before) > _MAX_AROUND:
        before = "…" + before[-_MAX_AROUND:]
    if len(part) > _MAX_DIFFERENCE:
        part = part[:_MAX_DIFFERENCE] + "…"
    if len(after) > _MAX_AROUND:
        after = after[:_MAX_AROUND] + "…"
    # Where a joiner is cut off from what it joins it is shown, so that it has a width, and the mark is right.
    before, part, after = make_visible(before), make_visible(part), make_visible(after)
    mark = " " * cell_width(before) + "^" * max(cell_width(part), 1)
    return (title, before + part + after), ("", mark)
