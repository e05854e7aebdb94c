"""Which of the messages that came is nearest to what was expected. Pure."""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from tui_ipc.events import MessageReceived, Stream
from tui_ipc.script.runner.script_cursor import ScriptCursor
from tui_ipc.script.runner.session_driver import SessionDriver
from tui_ipc.text.diff import Detail, explain_difference
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import Difference, find_difference, iter_differences
from tui_ipc.text.placeholders import names
from tui_ipc.text.units import format_count

_MAX_DIFFERENCES: Final = 100  # differences of a message: one with more is as far off as any
_MAX_MESSAGES: Final = 1000
_MAX_BYTES: Final = 16 * 1024 * 1024


class SkippedMessages:
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
        found = list(islice(iter_differences(expected, message.value, names), _MAX_DIFFERENCES))
        if not found:
            continue
        distance = (not found[0].keys, len(found), -_similarity(found[0]))
        if least is None or distance < least:
            least, best = distance, (message, found[0])
    return best


def _similarity(difference: Difference) -> int:
    """How many characters two strings have in common at their ends."""
    one, other = difference.expected, difference.received
    if not isinstance(one, str) or not isinstance(other, str):
        return -1
    return _common_prefix_length(one, other) + _common_prefix_length(one[::-1], other[::-1])


def _common_prefix_length(one: str, other: str) -> int:
    """How many characters two strings begin with alike."""
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


MAX_VALUE_LENGTH: Final = 2000
"""Characters of a message that are shown."""

_CAPTURED: Final = 200  # characters of a captured value
_UNANSWERED: Final = 3  # messages of ours that are shown
_LINES: Final = 5  # of the child's stderr, or of the stream in which something is missing
_SENTENCES: Final = 3  # of the diagnosis
_MAX_LOOKAHEAD: Final = 100  # messages behind the one that was unexpected, that are looked at


class FailureDetails:
    """Tells failures of one script.

    Args:
        watcher: Knows the child.
        course: Knows the script.
    """

    def __init__(self, watcher: SessionDriver, course: ScriptCursor) -> None:
        self._watcher = watcher
        self._course = course

    def differs(self, difference: Difference, expected: Any, message: MessageReceived) -> tuple[Detail, ...]:
        """Another message came than expected."""
        return (
            *explain_difference(difference, expected, message.value),
            *self._ahead(expected),
            *self.situation(expected, stuck=False),
        )

    def missing(self, expected: Any, skipped: SkippedMessages | None) -> tuple[Detail, ...]:
        """A message did not come."""
        best = None if skipped is None else skipped.nearest(expected, self._course.names)
        told: tuple[Detail, ...] = (("expected", render_value(expected, MAX_VALUE_LENGTH)),)
        if best is not None and skipped is not None:
            message, difference = best
            which = f"message #{message.number} was skipped"
            if skipped.count > 1:
                count = format_count(skipped.count)
                which = f"message #{message.number}, the nearest of {count} that were skipped"
            told = (*explain_difference(difference, expected, message.value), ("nearest", which))
        return (*told, *self._unanswered(), *self.situation(expected))

    def unprinted(self, stream: Stream, expression: str) -> tuple[Detail, ...]:
        """Text was not printed."""
        life = self._watcher.life
        lines = tuple((stream, line) for line in life.printed[stream].last_lines(_LINES))
        since: tuple[Detail, ...] = lines or ((stream, "nothing was printed since"),)
        return (("expected", f"/{expression}/"), *since, *self.situation(stderr=stream != "stderr"))

    def situation(self, *values: Any, stuck: bool = True, stderr: bool = True) -> tuple[Detail, ...]:
        """Where that was, as :meth:`place` tells, and how the child fares.

        Args:
            values: Patterns.
            stuck: Whether the failure is that nothing happens, so that it helps to know why.
            stderr: Whether the child's last words are not told already.
        """
        watcher = self._watcher
        sentences = watcher.diagnosis(_SENTENCES) if stuck else ()
        reasons = tuple(("diagnosis", sentence) for sentence in sentences)
        words = watcher.life.last_errors(_LINES) if stderr else []
        state = ("child", watcher.life.state())
        return (*self.place(*values), state, *reasons, *(("stderr", line) for line in words))

    def place(self, *values: Any) -> tuple[Detail, ...]:
        """In which rounds that was, and what the names of these patterns stand for."""
        rounds = tuple(
            (
                "round",
                f"{format_count(each.number)} of {format_count(each.count)} (repeat of line {each.line})",
            )
            for each in self._course.rounds
        )
        known = self._course.names
        used = {name: None for value in values for name in names(value) if name in known}
        return (*rounds, *(("captured", f"{name} = {render_value(known[name], _CAPTURED)}") for name in used))

    def _unanswered(self) -> tuple[Detail, ...]:
        """The last of our messages that were not answered."""
        sent = list(self._watcher.life.unanswered.values())
        return tuple(
            ("no answer", f"to {render_value(event.value, MAX_VALUE_LENGTH)}")
            for event in sent[-_UNANSWERED:]
        )

    def _ahead(self, expected: Any) -> tuple[Detail, ...]:
        """Whether what was expected has come as well, only later."""
        known = self._course.names
        for message in self._watcher.life.received.first(_MAX_LOOKAHEAD):
            if find_difference(expected, message.value, known) is None:
                return (("later", f"message #{message.number} matches; <~ skips to it"),)
        return ()
