"""Checks what a script expects: messages, silence, output, and how a run of the child ends.

A run ends well if the child ends with code 0 after it was asked to quit, without being forced. ``? exit`` and
``? signal`` say that it must end otherwise; ``? clean`` is expected in addition.
"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar, assert_never

from tui_ipc.events import Fault, MessageReceived
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.osutil.bounded_search import (
    BoundedSearch,
    FoundText,
    SearchInterrupted,
    SearchTimeout,
    block_end_signals,
)
from tui_ipc.osutil.signals import signal_name
from tui_ipc.script import ExitCode
from tui_ipc.script.language.steps import Expect, ExpectClean, ExpectExit, ExpectOutput, ExpectSignal
from tui_ipc.script.outcome import StepFailed
from tui_ipc.script.runner.failures import MAX_VALUE_LENGTH, FailureDetails, SkippedMessages
from tui_ipc.script.runner.run_state import RunState, ScriptCursor
from tui_ipc.script.runner.session_driver import SessionDriver
from tui_ipc.text.diff import Detail
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import Difference, match_pattern

if TYPE_CHECKING:
    from tui_ipc.script.update import LearnedPatterns

T = TypeVar("T")

EndExpectation = ExpectExit | ExpectSignal | ExpectClean


def describe_expected_end(step: EndExpectation) -> str:
    """What a step expects, as the rest of a sentence."""
    match step:
        case ExpectExit():
            return f"exit with code {step.code}"
        case ExpectSignal():
            return f"end by {signal_name(step.number)}"
        case ExpectClean():
            return "end and leave nothing behind"
        case _:
            assert_never(step)


def _suggest_cause_of_end(step: EndExpectation) -> str:
    """How a script makes a child end that does not end by itself."""
    match step:
        case ExpectSignal():
            return f"to end it, write signal {signal_name(step.number)} above this line"
        case ExpectExit() | ExpectClean():
            return "to tell it to end, write quit above this line"
        case _:
            assert_never(step)


def describe_mismatch(step: EndExpectation, run_state: RunState) -> str:
    """Why a run that is over did not end as a step expects; empty if it did."""
    assert run_state.exited is not None
    match step:
        case ExpectExit():
            if run_state.forced:
                return _describe_forced_end(run_state)
            is_met = run_state.exited.code == step.code
        case ExpectSignal():
            is_met = run_state.exited.signal == step.number
        case ExpectClean():
            left = [] if run_state.audit is None else describe_leftovers(run_state.audit)
            return f"the child left behind: {' · '.join(left)}" if left else ""
        case _:
            assert_never(step)
    return "" if is_met else f"the child {run_state.describe_state()}"


def describe_bad_end(run_state: RunState) -> str:
    """Why a run did not end well, where no step says how it must end; empty if it did."""
    if run_state.fault is not None:
        return describe_fault(run_state.fault)
    if run_state.forced:
        return _describe_forced_end(run_state)
    if run_state.audit is not None and run_state.audit.quit_elapsed is None:
        return f"the child {run_state.describe_state()} before it was asked to quit"
    if run_state.exited is not None and (run_state.exited.code or run_state.exited.signal):
        return f"asked to quit, the child {run_state.describe_state()}; code 0 was expected"
    return ""


def suggest_end_step(run_state: RunState) -> str:
    """How a script says that a child must end as this one did; empty if no step can say it."""
    if run_state.exited is None or run_state.forced or run_state.fault is not None:
        return ""
    if run_state.exited.signal is not None:
        return f"if that is right, write ? signal {signal_name(run_state.exited.signal)}"
    return "" if run_state.exited.code is None else f"if that is right, write ? exit {run_state.exited.code}"


def describe_fault(fault: Fault) -> str:
    """Describe how the child broke the protocol, or a limit."""
    if not fault.ends_channel:
        return f"a message of the child was skipped: {fault.sentence}"
    return f"the child broke the protocol: {fault.sentence}"


def _describe_forced_end(run_state: RunState) -> str:
    names = " and ".join(signal_name(sent.signal) for sent in run_state.forced)
    return f"{run_state.forced[0].reason}; {names} ended it"


_DIFFERS_BETWEEN_ROUNDS: Final = (
    "this line cannot be updated: what comes here differs between the rounds of its repeat"
)
_SLOW_EXPRESSION: Final = (
    "avoid a repetition inside a repetition, as in (a+)+, and begin with ^ or with plain text"
)
_MENTIONS_CONTROLS: Final = re.compile(r"[\x1b\r]|\\(?:x1[bB]|033|u001[bB]|r)")
"""Of expressions that were written before there was "raw": they can only match what was printed."""

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
        try:
            expression = step.regex.fill(self._cursor.names)
        except KeyError as missing:
            raise self._failures.make_unknown_name_failure(missing.args[0], step.regex) from None
        is_raw = step.raw or _MENTIONS_CONTROLS.search(expression) is not None
        output = (run_state.raw_output if is_raw else run_state.output)[step.stream]
        found: FoundText | None = None

        def is_decided() -> bool:
            nonlocal found
            found = output.find(expression, BoundedSearch(_QUICK_SEARCH))
            return (
                found is not None or run_state.exited is not None
            )  # all that a child prints comes before its exit

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
        if found is not None:
            self._cursor.names.update(found.groups)
            return
        details = self._failures.describe_missing_output(step, output)
        if in_time:
            sentence = f"the child {run_state.describe_state()}, and text was expected on its {step.stream}"
            raise StepFailed(ExitCode.CHILD_FAILED, sentence, *details)
        sentence = f"no such text came on {step.stream} within {timeout:g} s"
        raise StepFailed(ExitCode.TIMED_OUT, sentence, *details)

    async def expect_end(self, step: EndExpectation, timeout: float) -> None:
        """The child must end as the step says, by itself unless it was told to."""
        run_state = self._driver.run_state
        expected: Detail = ("expected", describe_expected_end(step))
        if not await self._driver.read_events_until(lambda: run_state.exited is not None, timeout):
            remedy = ("remedy", _suggest_cause_of_end(step))
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
