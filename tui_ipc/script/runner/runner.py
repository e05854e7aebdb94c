"""Performs the steps of a script with a session, and says how that ended."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, assert_never

from tui_ipc.events import AnyEvent, ScriptStepState
from tui_ipc.script import ExitCode
from tui_ipc.script.language import steps as st
from tui_ipc.script.language.writer import write_step
from tui_ipc.script.outcome import Outcome, Status, StepFailed, describe_unclaimed
from tui_ipc.script.runner.expectations import Expectations
from tui_ipc.script.runner.failures import MAX_VALUE_LENGTH, FailureDetails
from tui_ipc.script.runner.run_ends import describe_bad_end, suggest_end_step
from tui_ipc.script.runner.run_state import RunState, ScriptCursor
from tui_ipc.script.runner.session_driver import SessionDriver, TooManyMessages
from tui_ipc.session.conversation import NotConnected
from tui_ipc.text.diff import Detail
from tui_ipc.text.notation import render_value
from tui_ipc.text.placeholders import fill_names
from tui_ipc.text.units import format_count

if TYPE_CHECKING:
    from tui_ipc.session.session import Session

_MAX_UNEXPECTED: Final = 100  # messages in an outcome that no step took
_MAX_SHOWN: Final = 5  # of them in a failure


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How to run scripts, whatever they are.

    Attributes:
        update: Whether a message that differs from the expected one passes, and the pattern that it matches
            becomes one of :attr:`~tui_ipc.script.outcome.Outcome.updates`.
        strict: Whether messages that no step took are a failure, as after the step ``strict``.
    """

    update: bool = False
    strict: bool = False


DEFAULT_RUN_OPTIONS: Final = RunOptions()


class Runner:
    """Runs a script with a session, once; the session is begun and left here.

    Args:
        script: What to do; its ``spawn`` is for the code that makes the session.
        session: A session that has not begun.
        timeout: Seconds that each step may wait, unless the script says otherwise.
        report_event: Called with each event, in order; see :class:`SessionDriver`.
        options: How to run it.
    """

    def __init__(
        self,
        script: st.Script,
        session: "Session",
        timeout: float,
        report_event: Callable[[AnyEvent], Awaitable[None]],
        options: RunOptions = DEFAULT_RUN_OPTIONS,
    ) -> None:
        self._strict = options.strict
        self._name = script.name
        self._timeout = timeout
        self._steps = script.steps
        self._step: st.PlainStep | None = None  # that is under way
        self._cursor = ScriptCursor(script.steps, script.variables, counts_rounds=script.counts_rounds)
        self._has_names = st.has_names(script.steps)
        self._driver = SessionDriver(session, report_event)
        self._failures = FailureDetails(self._driver, self._cursor)
        self._expectations = Expectations(self._driver, self._cursor, self._failures, updating=options.update)

    @property
    def line(self) -> int:
        """The line of the step that is under way, 0 before the first step and after the last."""
        return self._cursor.line

    @property
    def passed(self) -> int:
        """The number of steps that passed, those of a ``repeat`` once a round."""
        return self._cursor.passed

    @property
    def total(self) -> int:
        """The number of steps that will have passed at the end."""
        return self._cursor.total

    async def run(self) -> Outcome:
        """Run the script to its end, or to the first step that does not pass.

        Raises:
            OutputLostError: An event could not be reported.
        """
        began = monotonic()
        failure: StepFailed | None = None
        async with self._driver as driver:
            try:
                await self._run_steps()
            except StepFailed as error:
                failure = error
                self._record_step("failed", error)
            seconds = monotonic() - began
        left = driver.run_state.received
        outcome = Outcome(
            self._name,
            Status.PASSED,
            total=self.total,
            passed=self.passed,
            seconds=seconds,
            line=self.line or self._find_line_of_start(failure),
            unexpected=(*driver.unclaimed, *left.first(_MAX_UNEXPECTED)),
            unclaimed=driver.unclaimed_count + len(left) + left.dropped,
            updates=self._expectations.updates,
        )
        if failure is None and self._strict and outcome.unclaimed:
            failure = StepFailed(
                ExitCode.UNEXPECTED, describe_unclaimed(outcome.unclaimed), *_show_unclaimed(outcome)
            )
            self._record_step("failed", failure)
        if failure is None:
            return outcome
        return replace(
            outcome,
            status=Status.FAILED,
            code=failure.code,
            sentence=str(failure),
            details=failure.details,
        )

    def _find_line_of_start(self, failure: StepFailed | None) -> int:
        """The line of the ``spawn`` whose child did not begin, 0 if the script has none."""
        is_start = failure is not None and failure.code == ExitCode.NO_HANDSHAKE
        return next((step.line for step in self._steps if is_start and isinstance(step, st.Spawn)), 0)

    async def _run_steps(self) -> None:
        try:
            _check_handshake(await self._driver.wait_for_handshake())
            for step in self._cursor:
                self._step = step
                self._record_step("begun")
                await self._perform(step)
                self._record_step("passed")
            self._step = None
            await self._quit()
        except TooManyMessages:
            number = format_count(len(self._driver.run_state.received))
            sentence = f"the child sent more than the {number} messages that are kept for later steps to take"
            remedy = ("remedy", "take them in a repeat, with < or with <~, before what was waited for here")
            details = self._failures.describe_situation(stuck=False)
            raise StepFailed(ExitCode.UNEXPECTED, sentence, remedy, *details) from None

    def _record_step(self, state: ScriptStepState, failure: StepFailed | None = None) -> None:
        if not self._driver.is_recorded:
            return
        # Outside the steps are the handshake before them and the end after them.
        text = "handshake or end" if self._step is None else write_step(self._step)
        details = () if failure is None else tuple(f"{label}: {detail}" for label, detail in failure.details)
        self._driver.record_step(self._name, self.line, text, state, str(failure or ""), details)

    def _perform(self, step: st.PlainStep) -> Awaitable[None]:  # noqa: PLR0911, PLR0912 - one branch for each step
        match step:
            case st.Send():
                return self._send(step.value)
            case st.SendRaw():
                return self._await_sending(self._driver.send_raw(step.data, self._timeout), step.data)
            case st.Expect():
                return self._expectations.expect_message(step, self._choose_timeout(step.within))
            case st.ExpectNothing():
                return self._expectations.expect_nothing(self._choose_timeout(step.within))
            case st.ExpectOutput():
                return self._expectations.expect_output(step, self._choose_timeout(step.within))
            case st.ExpectNoOutput():
                return self._expectations.expect_no_output(step, self._choose_timeout(step.within))
            case st.ExpectPercentile():
                return self._expectations.expect_percentile(step)
            case st.ExpectExit() | st.ExpectSignal() | st.ExpectClean():
                return self._expectations.expect_end(step, self._timeout)
            case st.Sleep():
                return self._sleep(step.seconds)
            case st.Timeout():
                return self._set_timeout(step.seconds)
            case st.Strict():
                return self._set_strict()
            case st.Signal():
                return self._signal(step.number)
            case st.Restart():
                return self._restart()
            case st.Quit():
                return self._quit(self._cursor.following_steps)
            case st.Set() | st.Spawn():
                return self._do_nothing()
            case _:
                assert_never(step)

    def _choose_timeout(self, within: float | None) -> float:
        return self._timeout if within is None else within

    async def _do_nothing(self) -> None:
        """The child was spawned, and the variables were set, before the first step."""

    async def _set_timeout(self, seconds: float) -> None:
        self._timeout = seconds

    async def _set_strict(self) -> None:
        self._strict = True

    async def _sleep(self, seconds: float) -> None:
        await self._driver.read_events_until(lambda: False, seconds, holding=True)

    def _send(self, value: Any) -> Awaitable[None]:
        try:
            message = fill_names(value, self._cursor.names) if self._has_names else value
        except KeyError as missing:
            raise self._failures.make_unknown_name_failure(missing.args[0], value) from None
        return self._await_sending(self._driver.send(message, self._timeout), message)

    async def _await_sending(self, sending: Awaitable[bool], message: Any) -> None:
        try:
            if await sending:
                return
        except NotConnected as error:
            await self._expectations.wait_for_exit_status()
            shown = _show_message(message)
            details = self._failures.describe_situation()
            raise StepFailed(ExitCode.CHILD_FAILED, str(error), shown, *details) from None
        except (TypeError, ValueError) as error:
            sentence = f"the message cannot be sent: {error}"
            shown = _show_message(message)
            raise StepFailed(ExitCode.USAGE, sentence, shown, *self._failures.describe_location()) from None
        sentence = f"the child did not take the message within {self._timeout:g} s"
        shown = _show_message(message)
        raise StepFailed(ExitCode.TIMED_OUT, sentence, shown, *self._failures.describe_situation())

    async def _signal(self, number: int) -> None:
        try:
            self._driver.signal(number)
        except NotConnected as error:
            await self._expectations.wait_for_exit_status()
            details = self._failures.describe_situation()
            raise StepFailed(ExitCode.CHILD_FAILED, str(error), *details) from None
        except ValueError as error:
            raise StepFailed(ExitCode.USAGE, str(error), *self._failures.describe_location()) from None

    async def _restart(self) -> None:
        await self._quit()
        _check_handshake(await self._driver.restart())

    async def _quit(self, following: Sequence[st.Step] = ()) -> None:
        """End the run, which must end well, unless one of the following steps says how it must end."""
        run_state = await self._driver.quit()
        same_run = takewhile(lambda step: not isinstance(step, st.Restart), following)
        if run_state.end_accepted or any(
            isinstance(step, st.ExpectExit | st.ExpectSignal) for step in same_run
        ):
            return
        if sentence := describe_bad_end(run_state):
            suggestion = suggest_end_step(run_state)
            remedy: tuple[Detail, ...] = (("remedy", suggestion),) if suggestion else ()
            details = self._failures.describe_situation()
            raise StepFailed(ExitCode.CHILD_FAILED, sentence, *remedy, *details)
        run_state.end_accepted = True


def _check_handshake(run_state: RunState) -> None:
    if run_state.handshake_failure is not None:
        raise StepFailed(ExitCode.NO_HANDSHAKE, run_state.handshake_failure.sentence)


def _show_unclaimed(outcome: Outcome) -> list[Detail]:
    first = outcome.unexpected[:_MAX_SHOWN]
    return [(f"#{message.number}", render_value(message.value, MAX_VALUE_LENGTH)) for message in first]


def _show_message(message: Any) -> Detail:
    return "message", render_value(message, MAX_VALUE_LENGTH)
