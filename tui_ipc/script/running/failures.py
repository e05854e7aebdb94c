"""What helps a person to understand a failure without running the script again.

The one rule: nothing here is worked out before something failed.
"""

from typing import Any, Final

from tui_ipc.script.running.comparison import Difference, compare
from tui_ipc.script.running.contrast import contrast
from tui_ipc.script.running.course import Course
from tui_ipc.script.running.nearness import Skipped
from tui_ipc.script.running.verdict import Detail
from tui_ipc.script.running.watcher import Watcher
from tui_ipc.script.syntax.patterns import names
from tui_ipc.session.events import MessageReceived, Stream
from tui_ipc.session.notation import render
from tui_ipc.session.units import count

SHOWN: Final = 2000
"""Characters of a message that are shown."""

_CAPTURED: Final = 200  # characters of a captured value
_UNANSWERED: Final = 3  # messages of ours that are shown
_LINES: Final = 5  # of the child's stderr, or of the stream in which something is missing
_SENTENCES: Final = 3  # of the diagnosis
_AHEAD: Final = 100  # messages behind the one that was unexpected, that are looked at


class Failures:
    """Tells failures of one script.

    Args:
        watcher: Knows the child.
        course: Knows the script.
    """

    def __init__(self, watcher: Watcher, course: Course) -> None:
        self._watcher = watcher
        self._course = course

    def differs(self, difference: Difference, expected: Any, message: MessageReceived) -> tuple[Detail, ...]:
        """Another message came than expected."""
        return (
            *contrast(difference, expected, message.value),
            *self._ahead(expected),
            *self.situation(expected, stuck=False),
        )

    def missing(self, expected: Any, skipped: Skipped | None) -> tuple[Detail, ...]:
        """A message did not come."""
        best = None if skipped is None else skipped.nearest(expected, self._course.names)
        told: tuple[Detail, ...] = (("expected", render(expected, SHOWN)),)
        if best is not None and skipped is not None:
            message, difference = best
            which = f"message #{message.number} was skipped"
            if skipped.count > 1:
                which = f"message #{message.number}, the nearest of {count(skipped.count)} that were skipped"
            told = (*contrast(difference, expected, message.value), ("nearest", which))
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
            ("round", f"{count(each.number)} of {count(each.count)} (repeat of line {each.line})")
            for each in self._course.rounds
        )
        known = self._course.names
        used = {name: None for value in values for name in names(value) if name in known}
        return (*rounds, *(("captured", f"{name} = {render(known[name], _CAPTURED)}") for name in used))

    def _unanswered(self) -> tuple[Detail, ...]:
        """The last of our messages that were not answered."""
        sent = list(self._watcher.life.unanswered.values())
        return tuple(("no answer", f"to {render(event.value, SHOWN)}") for event in sent[-_UNANSWERED:])

    def _ahead(self, expected: Any) -> tuple[Detail, ...]:
        """Whether what was expected has come as well, only later."""
        known = self._course.names
        for message in self._watcher.life.received.first(_AHEAD):
            if compare(expected, message.value, known) is None:
                return (("later", f"message #{message.number} matches; <~ skips to it"),)
        return ()
