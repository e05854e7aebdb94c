"""Shows a person where a message is not what was expected. Pure.

The one rule: both are shown as they are written, each on a line, with a mark below what differs; of a long
one, what stands around that. One that would take long to be written is shown from its beginning, unmarked.
"""

from collections.abc import Sequence
from typing import Any, Final

from tui_ipc.script.cells import cells
from tui_ipc.script.running.comparison import ABSENT, Difference
from tui_ipc.script.running.verdict import Detail
from tui_ipc.session.holes import REST
from tui_ipc.session.notation import render

_AROUND: Final = 48  # characters shown on either side of what differs
_SHOWN: Final = 100  # and of that
_WHOLE: Final = 2000  # and of a message of which nothing is as expected
_TOLD: Final = 200  # of each value in a sentence, and of a vast message
_VAST: Final = 20_000  # values in a message, from which on it is not written out: it takes tenths of seconds
_LENGTH: Final = 256  # characters that take as long as a value
_TEXTS: Final = (str, bytes)  # of which the place is marked at which two differ
_PLACE: Final = "\ue000here\ue000"  # stands for what differs while the rest is written

_Cut = tuple[str, str, str]  # what stands before what differs, that itself, and what stands behind it


def contrast(difference: Difference, expected: Any, received: Any) -> tuple[Detail, ...]:
    """What was expected, what came, and what differs.

    Args:
        difference: The first one between the two.
        expected: The pattern.
        received: The message.
    """
    if _is_vast(expected) or _is_vast(received):
        return (
            ("expected", render(expected, _TOLD)),
            ("received", render(received, _TOLD)),
            ("differs", difference.told(_TOLD)),
        )
    ours = _cut(expected, _way(difference.keys, expected, received), difference.expected)
    theirs = _cut(received, difference.keys, difference.received)
    if type(difference.expected) is type(difference.received) in _TEXTS:
        ours, theirs = _narrowed(ours, theirs)
    return (
        *_marked("expected", ours),
        *_marked("received", theirs),
        ("differs", difference.told(_TOLD)),
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


def _way(keys: Sequence[Any], expected: Any, received: Any) -> tuple[Any, ...]:
    """The way to a place in the pattern, of which ``...`` may stand for several items of the message."""
    way = []
    for key in keys:
        index = key
        if isinstance(expected, list | tuple) and REST in expected:
            rest = expected.index(REST)
            if key >= rest:
                resumed = max(len(received) - (len(expected) - rest - 1), rest)
                index = key - resumed + rest + 1
        way.append(index)
        expected, received = _part(expected, index), _part(received, key)
    return tuple(way)


def _part(value: Any, key: Any) -> Any:
    if isinstance(value, dict):
        return value.get(key, ABSENT)
    return value[key] if isinstance(value, list | tuple) and key < len(value) else ABSENT


def _cut(value: Any, way: Sequence[Any], part: Any) -> _Cut:
    """The text of a value, cut around a part of it; around the place for it if it is absent."""
    try:
        return _cut_at(value, way, part)
    except LookupError:  # a key that is not found again, as NaN
        return "", render(value), ""


def _cut_at(value: Any, way: Sequence[Any], part: Any) -> _Cut:
    copy = [value]
    container: Any = copy
    key: Any = 0
    for following in way:
        inner = container[key]
        container[key] = inner = dict(inner) if isinstance(inner, dict) else list(inner)
        container, key = inner, following
    if part is ABSENT and isinstance(container, list):
        container.insert(key, _PLACE)
    else:
        container[key] = _PLACE
    before, _, after = render(copy[0]).partition(render(_PLACE))
    if part is not ABSENT:
        return before, render(part), after
    if isinstance(container, dict):
        before = before.removesuffix(f"{render(key)}: ")
    return before.removesuffix(", "), "", after


def _narrowed(ours: _Cut, theirs: _Cut) -> tuple[_Cut, _Cut]:
    """Of two strings, what differs within their texts; the quotes do not."""
    (_, one, _), (_, other, _) = ours, theirs
    shorter = min(len(one), len(other))
    same = 0
    while same < shorter and one[same] == other[same]:
        same += 1
    alike = 0
    while alike < shorter - same and one[-1 - alike] == other[-1 - alike]:
        alike += 1
    return _narrow(ours, same, alike), _narrow(theirs, same, alike)


def _narrow(cut: _Cut, same: int, alike: int) -> _Cut:
    before, part, after = cut
    end = len(part) - alike
    return before + part[:same], part[same:end], part[end:] + after


def _marked(title: str, cut: _Cut) -> tuple[Detail, ...]:
    before, part, after = cut
    if not before and not after:
        return ((title, part if len(part) <= _WHOLE else part[:_WHOLE] + "…"),)
    if len(before) > _AROUND:
        before = "…" + before[-_AROUND:]
    if len(part) > _SHOWN:
        part = part[:_SHOWN] + "…"
    if len(after) > _AROUND:
        after = after[:_AROUND] + "…"
    mark = " " * cells(before) + "^" * max(cells(part), 1)
    return (title, before + part + after), ("", mark)
