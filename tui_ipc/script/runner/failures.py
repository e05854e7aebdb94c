"""Explains the failure of a step: what was expected, what came instead, and what the child was doing."""

from collections import deque
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, Final

from tui_ipc.events import MessageReceived
from tui_ipc.osutil.bounded_search import BoundedSearch, SearchInterrupted, SearchTimeout
from tui_ipc.script import ExitCode
from tui_ipc.script.language.steps import ExpectOutput
from tui_ipc.script.outcome import StepFailed
from tui_ipc.script.runner.child_output import SearchableOutput
from tui_ipc.script.runner.run_state import ScriptCursor
from tui_ipc.script.runner.session_driver import SessionDriver
from tui_ipc.session.mistakes import describe_fault_bytes
from tui_ipc.text.diff import Detail, explain_difference
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import Difference, find_difference, iter_aligned_differences, iter_differences
from tui_ipc.text.placeholders import list_used_names
from tui_ipc.text.units import format_count

_MAX_DIFFERENCES: Final = 100  # a message with more differences is as far off as any
_MAX_MESSAGES: Final = 1000  # skipped messages that are kept
_MAX_BYTES: Final = 16 * 1024 * 1024


class SkippedMessages:
    """The latest messages that a ``<~`` skipped, kept to show the closest one if it fails."""

    def __init__(self) -> None:
        self.count = 0
        self._messages: deque[MessageReceived] = deque()
        self._bytes = 0

    def add(self, message: MessageReceived) -> None:
        """Keep a message, and drop the oldest ones to make room."""
        self.count += 1
        self._messages.append(message)
        self._bytes += len(message.raw)
        while len(self._messages) > _MAX_MESSAGES or self._bytes > _MAX_BYTES:
            self._bytes -= len(self._messages.popleft().raw)

    def find_closest(
        self, expected: Any, names: Mapping[str, Any]
    ) -> tuple[MessageReceived, Difference] | None:
        """The closest message, the latest of several, and its first difference; None if there is none."""
        try:
            return _find_closest(reversed(self._messages), expected, names)
        except (SearchTimeout, SearchInterrupted):
            return None  # a failure is reported soon, even if less is said about it


def _find_closest(
    messages: Iterable[MessageReceived], expected: Any, names: Mapping[str, Any]
) -> tuple[MessageReceived, Difference] | None:
    """Find the message with the fewest differences, the first of several; None if none differs.

    A message that differs as a whole is further off than one that differs in a part. Of two strings, the one
    that has more characters in common at its ends is closer.
    """
    best: tuple[MessageReceived, Difference] | None = None
    least: tuple[bool, int, int] | None = None
    search = BoundedSearch(_SEARCH_TIMEOUT)
    for message in messages:
        found = list(islice(iter_differences(expected, message.value, names, search), _MAX_DIFFERENCES))
        if not found:
            continue
        distance = (not found[0].keys, len(found), -_similarity(found[0]))
        if least is None or distance < least:
            least, best = distance, (message, found[0])
    return best


def _similarity(difference: Difference) -> int:
    """The number of characters that two strings have in common at their ends."""
    one, other = difference.expected, difference.received
    if not isinstance(one, str) or not isinstance(other, str):
        return -1
    return _common_prefix_length(one, other) + _common_prefix_length(one[::-1], other[::-1])


def _common_prefix_length(one: str, other: str) -> int:
    return next((index for index, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), len(one))


MAX_VALUE_LENGTH: Final = 2000
"""The characters of a message that are shown."""

_MAX_CAPTURED_LENGTH: Final = 200  # characters of a captured value
_MAX_UNANSWERED: Final = 3  # messages of ours that are shown
_MAX_LINES: Final = 5  # lines of the child's stderr, or of the stream in which text is missing
_MAX_SENTENCES: Final = 3  # sentences of the diagnosis
_SEARCH_TIMEOUT: Final = 0.5  # seconds for the regular expressions that explain a failure
_MAX_COUNTED: Final = 10_000  # differences of a message that are counted
_MAX_LOOKAHEAD: Final = 100  # messages after the unexpected one that may be the expected one


class FailureDetails:
    """Explains the failures of one script.

    Args:
        driver: Knows the child.
        cursor: Knows the script.
    """

    def __init__(self, driver: SessionDriver, cursor: ScriptCursor) -> None:
        self._driver = driver
        self._cursor = cursor

    def describe_mismatch(
        self, difference: Difference, expected: Any, message: MessageReceived
    ) -> tuple[Detail, ...]:
        """Explain that another message came than the expected one."""
        return (
            *explain_difference(
                difference, expected, message.value, self._find_all_differences(expected, message)
            ),
            *self._find_later_match(expected),
            *self.describe_situation(expected, stuck=False),
        )

    def _find_all_differences(self, expected: Any, message: MessageReceived) -> list[Difference]:
        found: list[Difference] = []
        search = BoundedSearch(_SEARCH_TIMEOUT)
        differences = iter_aligned_differences(expected, message.value, self._cursor.names, search)
        try:
            found.extend(islice(differences, _MAX_COUNTED))
        except (SearchTimeout, SearchInterrupted):
            pass  # a failure is reported soon, even if less is said about it
        return found

    def describe_missing(self, expected: Any, skipped: SkippedMessages | None) -> tuple[Detail, ...]:
        """Explain that a message did not come; ``skipped`` are those that a ``<~`` skipped."""
        closest = None if skipped is None else skipped.find_closest(expected, self._cursor.names)
        details: tuple[Detail, ...] = (("expected", render_value(expected, MAX_VALUE_LENGTH)),)
        if closest is not None and skipped is not None:
            message, difference = closest
            which = f"message #{message.number} was skipped"
            if skipped.count > 1:
                count = format_count(skipped.count)
                which = f"message #{message.number}, the closest of {count} that were skipped"
            details = (*explain_difference(difference, expected, message.value), ("closest", which))
        return (*details, *self._describe_unanswered(), *self.describe_situation(expected))

    def describe_missing_output(self, step: ExpectOutput, output: SearchableOutput) -> tuple[Detail, ...]:
        """Explain that text was not printed; ``output`` is where it was searched for."""
        stream = step.stream
        lines = output.last_lines(_MAX_LINES)
        shown = lines or ["nothing was printed since"]
        return (
            ("expected", render_value(step.regex)),
            *((stream, line) for line in shown),
            *self.describe_situation(step.regex, stderr=stream != "stderr"),
        )

    def make_unknown_name_failure(self, name: str, pattern: Any) -> StepFailed:
        """A name has no value, because an alternative without it matched."""
        sentence = f"nothing is named {name} yet: the pattern that captures it matched without it"
        return StepFailed(ExitCode.UNEXPECTED, sentence, *self.describe_location(pattern))

    def describe_situation(
        self, *patterns: Any, stuck: bool = True, stderr: bool = True
    ) -> tuple[Detail, ...]:
        """Describe where the script is, and how the child is.

        Args:
            patterns: What was expected, for the captured names in it.
            stuck: Whether the failure is that nothing happens, so that a diagnosis helps.
            stderr: Whether to show the child's last lines on stderr.
        """
        driver = self._driver
        sentences = driver.diagnose(_MAX_SENTENCES) if stuck else ()
        lines = driver.run_state.last_stderr_lines(_MAX_LINES) if stderr else []
        fault = driver.run_state.fault
        shown = "" if fault is None else describe_fault_bytes(fault)
        return (
            *self.describe_location(*patterns),
            *([("bytes", shown)] if shown else []),
            ("child", driver.run_state.describe_state()),
            *(("diagnosis", sentence) for sentence in sentences),
            *(("stderr", line) for line in lines),
        )

    def describe_location(self, *patterns: Any) -> tuple[Detail, ...]:
        """Describe the rounds that the step is in, and the captured names that these patterns use."""
        rounds = tuple(
            (
                "round",
                f"{format_count(each.number)} of {format_count(each.count)} (repeat of line {each.line})",
            )
            for each in self._cursor.rounds
        )
        known = self._cursor.names
        used = dict.fromkeys(
            name for pattern in patterns for name in list_used_names(pattern) if name in known
        )
        captured = (
            ("captured", f"{name} = {render_value(known[name], _MAX_CAPTURED_LENGTH)}") for name in used
        )
        return (*rounds, *captured)

    def _describe_unanswered(self) -> tuple[Detail, ...]:
        sent = list(self._driver.run_state.unanswered.values())
        return tuple(
            ("no answer", f"to {render_value(event.value, MAX_VALUE_LENGTH)}")
            for event in sent[-_MAX_UNANSWERED:]
        )

    def _find_later_match(self, expected: Any) -> tuple[Detail, ...]:
        """Say whether the expected message has come as well, only later."""
        known = self._cursor.names
        search = BoundedSearch(_SEARCH_TIMEOUT)
        try:
            for message in self._driver.run_state.received.first(_MAX_LOOKAHEAD):
                if find_difference(expected, message.value, known, search) is None:
                    return (("later", f"message #{message.number} matches; <~ skips to it"),)
        except (SearchTimeout, SearchInterrupted):
            pass  # a failure is reported soon, even if less is said about it
        return ()
