"""Checks what a script expects: messages, silence, output, and how a run of the child ends."""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from time import monotonic_ns
from typing import TYPE_CHECKING, Any, Final, TypeVar

from tui_ipc.events import MessageReceived
from tui_ipc.osutil.bounded_search import (
    BoundedSearch,
    FoundText,
    SearchInterrupted,
    SearchTimeout,
    block_end_signals,
)
from tui_ipc.script import ExitCode
from tui_ipc.script.language.steps import (
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectNoOutput,
    ExpectOutput,
    ExpectPercentile,
)
from tui_ipc.script.outcome import StepFailed
from tui_ipc.script.runner.child_output import SearchableOutput
from tui_ipc.script.runner.failures import MAX_VALUE_LENGTH, FailureDetails, SkippedMessages
from tui_ipc.script.runner.run_ends import (
    EndExpectation,
    describe_expected_end,
    describe_fault,
    describe_mismatch,
    suggest_cause_of_end,
)
from tui_ipc.script.runner.run_state import ScriptCursor
from tui_ipc.script.runner.session_driver import SessionDriver
from tui_ipc.text.diff import Detail
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import Difference, match_pattern
from tui_ipc.text.placeholders import Regex
from tui_ipc.text.units import format_count, format_duration

if TYPE_CHECKING:
    from tui_ipc.script.update import LearnedPatterns

T = TypeVar("T")

_DIFFERS_BETWEEN_ROUNDS: Final = (
    "this line cannot be updated: what comes here differs between the rounds of its repeat"
)
_SLOW_EXPRESSION: Final = (
    "avoid a repetition inside a repetition, as in (a+)+, and begin with ^ or with plain text"
)
_MENTIONS_CONTROLS: Final = re.compile(r"[\x1b\r]|\\(?:x1[bB]|033|u001[bB]|r)")
"""Of expressions that were written before there was "raw": they can only match what was printed."""

_ANY_TEXT: Final = Regex(r"\S")
_AT_ONCE: Final = 0.000_001  # seconds, after which what has arrived is looked at once more
_SHOWN_PERCENTILES: Final = (50, 90, 99, 100)
_QUICK_SEARCH: Final = 0.1  # seconds for a search that is not known to be slow
_FINAL_SEARCH: Final = 1.0  # seconds for the last look at what was printed
_SIGNAL_HANDLING: Final = 0.01  # seconds for the event loop to handle a signal that came before
_REAP_TIMEOUT: Final = 0.5  # seconds for the exit status of a child that closed its channel


class Expectations:
    """Checks the expectations of one script. Each check raises ``StepFailed`` if it fails.

    Args:
        driver: Knows the child.
        cursor: Knows the script.
        failures: Explains what is not met.
        updating: Whether a message that differs from the expected one is learned from, and passes.

    Attributes:
        updates: Line → the pattern that it should have, for the lines at which such a message passed.
    """

    def __init__(
        self, driver: SessionDriver, cursor: ScriptCursor, failures: FailureDetails, *, updating: bool
    ) -> None:
        self.updates: dict[int, Any] = {}
        self._learned = _make_learned_patterns(self.updates) if updating else None
        self._driver = driver
        self._cursor = cursor
        self._failures = failures

    async def expect_message(self, step: Expect, timeout: float) -> None:
        """The next message must match; with ``skipping``, one that comes in time."""
        run_state = self._driver.run_state
        began = monotonic_ns()
        skipped = SkippedMessages() if step.skipping else None
        in_time = True
        if skipped is not None or not run_state.received:  # skipping needs a deadline in any case
            in_time = await self._driver.read_events_until(
                lambda: run_state.received or run_state.is_closed, timeout
            )
        while True:
            if not run_state.received:
                raise await self._make_missing_failure(step, timeout, skipped, in_time=in_time)
            message = run_state.received.take()
            match = partial(match_pattern, step.value, message.value, self._cursor.names)
            difference, captured = await self._search(match, timeout, message)
            if difference is None or skipped is None:
                break
            skipped.add(message)
            in_time = await self._driver.continue_until(lambda: run_state.received or run_state.is_closed)
        if self._learned is not None:
            learned = self._learned.learn(step, message.value, self._cursor.names)
            if learned is None:
                details = self._describe_mismatch(difference, step, message)
                raise StepFailed(ExitCode.UNEXPECTED, _DIFFERS_BETWEEN_ROUNDS, *details)
            captured = learned
        elif difference is not None:
            details = self._describe_mismatch(difference, step, message)
            raise StepFailed(ExitCode.UNEXPECTED, "a different message came than expected", *details)
        if captured:
            self._cursor.names.update(captured)
        self._cursor.add_answer(message.elapsed)
        if step.at_least is not None:
            self._check_wait(step.at_least, message, began)

    def _check_wait(self, at_least: float, message: MessageReceived, began: int) -> None:
        """A message may not come too early after the one that it answers, or else after its step began."""
        waited = message.at - began if message.elapsed is None else message.elapsed
        if waited < at_least * 1e9:
            sentence = f"the message came after {format_duration(max(waited, 0))}, which is too early"
            expected: Detail = ("expected", f"not before {format_duration(round(at_least * 1e9))}")
            raise StepFailed(ExitCode.UNEXPECTED, sentence, expected, *self._failures.describe_location())

    async def _search(
        self, match: Callable[[BoundedSearch], T], timeout: float, message: MessageReceived | None = None
    ) -> T:
        """Match with regular expressions, within a time; a signal that comes meanwhile cancels this."""
        try:
            return match(BoundedSearch(min(timeout, _QUICK_SEARCH)))
        except (SearchTimeout, SearchInterrupted):
            pass  # this one is slow, and worth more effort
        with block_end_signals():
            while True:
                await asyncio.sleep(_SIGNAL_HANDLING)
                try:
                    return match(BoundedSearch(timeout))
                except SearchInterrupted:
                    pass
                except SearchTimeout as error:
                    raise self._make_slow_failure(error, timeout, message) from None

    def _make_slow_failure(
        self, error: SearchTimeout, timeout: float, message: MessageReceived | None
    ) -> StepFailed:
        sentence = f"the search for /{error.expression}/ was not over within {timeout:.3g} s"
        details: list[Detail] = [("remedy", _SLOW_EXPRESSION)]
        if message is not None:
            details.insert(0, ("received", render_value(message.value, MAX_VALUE_LENGTH)))
        situation = self._failures.describe_situation(stuck=False)
        return StepFailed(ExitCode.TIMED_OUT, sentence, *details, *situation)

    def _describe_mismatch(
        self, difference: Difference | None, step: Expect, message: MessageReceived
    ) -> tuple[Detail, ...]:
        return () if difference is None else self._failures.describe_mismatch(difference, step.value, message)

    async def expect_nothing(self, timeout: float) -> None:
        """No message may come, and none may wait that no step took.

        A child that ends or closes its channel cannot send one, so that the wait is over at once. Whether it
        may end is for other steps to say.
        """
        run_state = self._driver.run_state
        await self._driver.read_events_until(
            lambda: run_state.received or run_state.is_closed or run_state.fault, timeout
        )
        if run_state.received:
            (message,) = run_state.received.first(1)
            received = ("received", render_value(message.value, MAX_VALUE_LENGTH))
            details = self._failures.describe_situation(stuck=False)
            sentence = "a message came where none was expected"
            raise StepFailed(ExitCode.UNEXPECTED, sentence, received, *details)
        if run_state.fault is not None:
            details = self._failures.describe_situation()
            raise StepFailed(ExitCode.CHILD_FAILED, describe_fault(run_state.fault), *details)

    async def expect_output(self, step: ExpectOutput, timeout: float) -> None:
        """An expression must be found in what the child prints, after the last match."""
        run_state = self._driver.run_state
        expression, output = self._choose_output(step, step.regex)
        found, in_time = await self._find_output(expression, output, timeout)
        if found is not None:
            self._cursor.names.update(found.groups)
            return
        details = self._failures.describe_missing_output(step, output)
        if in_time:
            sentence = f"the child {run_state.describe_state()}, and text was expected on its {step.stream}"
            raise StepFailed(ExitCode.CHILD_FAILED, sentence, *details)
        sentence = f"no such text came on {step.stream} within {timeout:g} s"
        raise StepFailed(ExitCode.TIMED_OUT, sentence, *details)

    async def expect_no_output(self, step: ExpectNoOutput, timeout: float) -> None:
        """An expression may not be found, or no text be printed at all; after the child's end none comes."""
        if step.regex is None:
            regex, sentence, timeout = (
                _ANY_TEXT,
                f"the child printed on {step.stream}",
                step.within or _AT_ONCE,
            )
        else:
            regex, sentence = step.regex, f"text came on {step.stream} where it was not expected"
        expression, output = self._choose_output(step, regex)
        found, _ = await self._find_output(expression, output, timeout)
        if found is not None:
            details = self._failures.describe_situation(regex, stuck=False, stderr=step.stream != "stderr")
            unwanted: Detail = ("unwanted", "any text" if step.regex is None else render_value(regex))
            printed: Detail = (step.stream, output.last_match_line())
            raise StepFailed(ExitCode.UNEXPECTED, sentence, unwanted, printed, *details)

    def _choose_output(
        self, step: ExpectOutput | ExpectNoOutput, regex: Regex
    ) -> tuple[str, SearchableOutput]:
        """The expression to search for, and in what."""
        run_state = self._driver.run_state
        try:
            expression = regex.fill(self._cursor.names)
        except KeyError as missing:
            raise self._failures.make_unknown_name_failure(missing.args[0], regex) from None
        is_raw = step.raw or _MENTIONS_CONTROLS.search(expression) is not None
        return expression, (run_state.raw_output if is_raw else run_state.output)[step.stream]

    async def _find_output(
        self, expression: str, output: SearchableOutput, timeout: float
    ) -> tuple[FoundText | None, bool]:
        """Wait until an expression is found, or nothing more can come; returns that, and whether in time."""
        run_state = self._driver.run_state
        found: FoundText | None = None

        def is_decided() -> bool:
            nonlocal found
            found = output.find(expression, BoundedSearch(_QUICK_SEARCH))
            # All that a child prints comes before its exit.
            return found is not None or run_state.exited is not None

        reading = self._driver.read_events_until(is_decided, timeout)
        while True:
            try:
                in_time = await reading
                break
            except (SearchTimeout, SearchInterrupted):
                left = self._driver.seconds_left
                found = await self._search(lambda search: output.find(expression, search), left)
                in_time = found is not None
                if in_time:
                    break
                reading = self._driver.continue_until(is_decided)
        if found is None:
            found = await self._search(
                lambda search: output.find(expression, search, final=True), min(timeout, _FINAL_SEARCH)
            )
        return found, in_time

    async def expect_percentile(self, step: ExpectPercentile) -> None:
        """The answers in the last ``repeat`` must have come soon enough."""
        times = self._cursor.answer_times
        if not times.count:
            sentence = "no answer was measured: no < in the repeat above took a message that answers one"
            raise StepFailed(ExitCode.UNEXPECTED, sentence)
        taken = times.percentile(step.percent)
        if taken >= step.seconds * 1e9:
            sentence = f"{step.percent:g} % of the answers took up to {format_duration(taken)}"
            shown = ", ".join(
                f"p{each} {format_duration(times.percentile(each))}" for each in _SHOWN_PERCENTILES
            )
            raise StepFailed(
                ExitCode.UNEXPECTED,
                sentence,
                ("expected", f"less than {format_duration(round(step.seconds * 1e9))}"),
                ("measured", f"{format_count(times.count)} answers: {shown}"),
            )

    async def expect_end(self, step: EndExpectation, timeout: float) -> None:
        """The child must end as the step says, by itself unless it was told to."""
        run_state = self._driver.run_state
        expected: Detail = ("expected", describe_expected_end(step))
        if not await self._driver.read_events_until(lambda: run_state.exited is not None, timeout):
            remedy = ("remedy", suggest_cause_of_end(step))
            details = self._failures.describe_situation()
            sentence = f"the child did not end within {timeout:g} s"
            raise StepFailed(ExitCode.TIMED_OUT, sentence, expected, remedy, *details)
        if isinstance(step, ExpectClean):
            # The session has a deadline for the audit.
            await self._driver.read_events_until(lambda: run_state.audit is not None)
        else:
            run_state.end_accepted = True
        code = None if run_state.exited is None or run_state.forced else run_state.exited.code
        if self._learned is not None and isinstance(step, ExpectExit) and code is not None:
            if self._learned.learn(step, code, self._cursor.names) is None:
                details = self._failures.describe_situation()
                raise StepFailed(ExitCode.UNEXPECTED, _DIFFERS_BETWEEN_ROUNDS, *details)
        elif sentence := describe_mismatch(step, run_state):
            raise StepFailed(ExitCode.UNEXPECTED, sentence, expected, *self._failures.describe_situation())

    async def wait_for_exit_status(self) -> None:
        """Give a child that is gone a moment to be reaped, so that its exit status is known."""
        run_state = self._driver.run_state
        await self._driver.read_events_until(lambda: run_state.exited is not None, _REAP_TIMEOUT)

    async def _make_missing_failure(
        self, step: Expect, timeout: float, skipped: SkippedMessages | None, *, in_time: bool
    ) -> StepFailed:
        """No message came: with ``in_time`` none can come any more, else the time has passed."""
        run_state = self._driver.run_state
        if in_time:
            await self.wait_for_exit_status()
            code = ExitCode.CHILD_FAILED
            sentence = f"the child {run_state.describe_state()}, and a message was expected"
            if run_state.fault is not None:
                sentence = describe_fault(run_state.fault)
        else:
            code = ExitCode.TIMED_OUT
            which = "no message" if skipped is None else "no message that matches"
            sentence = f"{which} came within {timeout:g} s"
        return StepFailed(code, sentence, *self._failures.describe_missing(step.value, skipped))


def _make_learned_patterns(updates: dict[int, Any]) -> "LearnedPatterns":
    from tui_ipc.script.update import LearnedPatterns  # a run that updates nothing starts without it

    return LearnedPatterns(updates)
