"""Which of the messages that came is nearest to what was expected. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from tui_ipc.script.running.comparison import Difference, differences
from tui_ipc.session.events import MessageReceived

_COUNTED: Final = 100  # differences of a message: one with more is as far off as any
_MAX_MESSAGES: Final = 1000
_MAX_BYTES: Final = 16 * 1024 * 1024


class Skipped:
    """The latest messages that a step did not take, as many as are worth a look once it fails."""

    def __init__(self) -> None:
        self.count = 0
        self._messages: deque[MessageReceived] = deque()
        self._bytes = 0

    def add(self, message: MessageReceived) -> None:
        """Keep a message, and forget the oldest if there is no room."""
        self.count += 1
        self._messages.append(message)
        self._bytes += len(message.raw)
        while len(self._messages) > _MAX_MESSAGES or self._bytes > _MAX_BYTES:
            self._bytes -= len(self._messages.popleft().raw)

    def nearest(self, expected: Any, names: Mapping[str, Any]) -> tuple[MessageReceived, Difference] | None:
        """The nearest of them, the latest of several, and its first difference; None if there is none."""
        return nearest(reversed(self._messages), expected, names)


def nearest(
    messages: Iterable[MessageReceived], expected: Any, names: Mapping[str, Any]
) -> tuple[MessageReceived, Difference] | None:
    """The message with the fewest differences, the first of several; None if there is none that differs.

    One that is something else altogether is further off than any that differs in a part. Of two strings, the
    one that begins and ends alike further is nearer.
    """
    best: tuple[MessageReceived, Difference] | None = None
    least: tuple[bool, int, int] | None = None
    for message in messages:
        found = list(islice(differences(expected, message.value, names), _COUNTED))
        if not found:
            continue
        distance = (not found[0].keys, len(found), -_likeness(found[0]))
        if least is None or distance < least:
            least, best = distance, (message, found[0])
    return best


def _likeness(difference: Difference) -> int:
    """How many characters two strings have in common at their ends."""
    one, other = difference.expected, difference.received
    if not isinstance(one, str) or not isinstance(other, str):
        return -1
    return _common(one, other) + _common(one[::-1], other[::-1])


def _common(one: str, other: str) -> int:
    """How many characters two strings begin with alike."""
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))
