"""Shows a person where a message is not what was expected. Pure.

The one rule: both are shown as they are written, each on a line, with a mark below what differs; of a long
one, what stands around that. One that would take long to be written is shown from its beginning, unmarked.
"""

from collections.abc import Sequence
from typing import Any, Final

from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import ABSENT, Difference
from tui_ipc.text.placeholders import ANY_REST
from tui_ipc.text.safe_text import cell_width

Detail = tuple[str, str]
"""A title and a line of text. One without a title marks, by its ``^``, characters of the line above it."""

_AROUND: Final = 48  # characters shown on either side of what differs
_SHOWN: Final = 100  # and of that
_WHOLE: Final = 2000  # and of a message of which nothing is as expected
_VALUE_LIMIT: Final = 200  # of each value in a sentence, and of a vast message
_VAST: Final = 20_000  # values in a message, from which on it is not written out: it takes tenths of seconds
_LENGTH: Final = 256  # characters that take as long as a value
_TEXTS: Final = (str, bytes)  # of which the place is marked at which two differ
_PLACEHOLDER: Final = "\ue000here\ue000"  # stands for what differs while the rest is written

_Cut = tuple[str, str, str]  # what stands before what differs, that itself, and what stands behind it


def explain_difference(difference: Difference, expected: Any, received: Any) -> tuple[Detail, ...]:
    """What was expected, what came, and what differs.

    Args:
        difference: The first one between the two.
        expected: The pattern.
        received: The message.
    """
    if _is_vast(expected) or _is_vast(received):
        return (
            ("expected", render_value(expected, _VALUE_LIMIT)),
            ("received", render_value(received, _VALUE_LIMIT)),
            ("differs", difference.describe(_VALUE_LIMIT)),
        )
    ours = _split_around(expected, _translate_path(difference.keys, expected, received), difference.expected)
    theirs = _split_around(received, difference.keys, difference.received)
    if type(difference.expected) is type(difference.received) in _TEXTS:
        ours, theirs = _narrow_to_difference(ours, theirs)
    return (
        *_format_marked("expected", ours),
        *_format_marked("received", theirs),
        ("differs", difference.describe(_VALUE_LIMIT)),
    )


def _is_vast(value: Any) -> bool:
    """Whether a message is too large to be written out. Looks at no more of it than tells that."""
    room = _VAST
    unseen = [value]
    while unseen and room > 0:
        item = unseen.pop()
        room -= 1
        if isinstance(item, str | bytes):
            room -= len(item) // _LENGTH
        elif isinstance(item, list | tuple):
            unseen += item
        elif isinstance(item, dict):
            unseen += item
            unseen += item.values()
    return room <= 0


def _translate_path(keys: Sequence[Any], expected: Any, received: Any) -> tuple[Any, ...]:
    """The way to a place in the pattern, of which ``...`` may stand for several items of the message."""
    way = []
    for key in keys:
        index = key
        if isinstance(expected, list | tuple) and ANY_REST in expected:
            rest = expected.index(ANY_REST)
            if key >= rest:
                resumed = max(len(received) - (len(expected) - rest - 1), rest)
                index = key - resumed + rest + 1
        way.append(index)
        expected, received = _child_at(expected, index), _child_at(received, key)
    return tuple(way)


def _child_at(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key, ABSENT)
    return value[key] if isinstance(value, list | tuple) and key < len(value) else ABSENT


def _split_around(value: Any, way: Sequence[Any], part: Any) -> _Cut:
    """The text of a value, cut around a part of it; around the place for it if it is absent."""
    try:
        return _cut_at(value, way, part)
    except LookupError:  # a key that is not found again, as NaN
        return "", render_value(value), ""


def _cut_at(value: Any, way: Sequence[Any], part: Any) -> _Cut:
    copy = [value]
    container: Any = copy
    key: Any = 0
    for following in way:
        inner = container[key]
        container[key] = inner = dict(inner) if isinstance(inner, dict) else list(inner)
        container, key = inner, following
    if part is ABSENT and isinstance(container, list):
        container.insert(key, _PLACEHOLDER)
    else:
        container[key] = _PLACEHOLDER
    before, _, after = render_value(copy[0]).partition(render_value(_PLACEHOLDER))
    if part is not ABSENT:
        return before, render_value(part), after
    if isinstance(container, dict):
        before = before.removesuffix(f"{render_value(key)}: ")
    return before.removesuffix(", "), "", after


def _narrow_to_difference(ours: _Cut, theirs: _Cut) -> tuple[_Cut, _Cut]:
    """Of two strings, what differs within their texts; the quotes do not."""
    (_, one, _), (_, other, _) = ours, theirs
    shorter = min(len(one), len(other))
    same = 0
    while same < shorter and one[same] == other[same]:
        same += 1
    alike = 0
    while alike < shorter - same and one[-1 - alike] == other[-1 - alike]:
        alike += 1
    return _narrow_cut(ours, same, alike), _narrow_cut(theirs, same, alike)


def _narrow_cut(cut: _Cut, same: int, alike: int) -> _Cut:
    before, part, after = cut
    end = len(part) - alike
    return before + part[:same], part[same:end], part[end:] + after


def _format_marked(title: str, cut: _Cut) -> tuple[Detail, ...]:
    before, part, after = cut
    if not before and not after:
        return ((title, part if len(part) <= _WHOLE else part[:_WHOLE] + "…"),)
    if len(before) > _AROUND:
        before = "…" + before[-_AROUND:]
    if len(part) > _SHOWN:
        part = part[:_SHOWN] + "…"
    if len(after) > _AROUND:
        after = after[:_AROUND] + "…"
    mark = " " * cell_width(before) + "^" * max(cell_width(part), 1)
    return (title, before + part + after), ("", mark)
