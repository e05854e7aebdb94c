"""Steps and a session make a verdict.

The one rule: whatever stops a script early is told with the line at which it stood, what was expected, what
came instead, and what the child was doing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from time import monotonic
from typing import Any, Final

from tui_ipc.events import AnyEvent
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language.steps import (
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectNothing,
    ExpectOutput,
    ExpectSignal,
    Quit,
    Restart,
    Script,
    Send,
    SendRaw,
    Signal,
    Sleep,
    Spawn,
    Step,
    Timeout,
    has_captures,
)
from tui_ipc.script.outcome import StepFailed, Verdict
from tui_ipc.script.runner import expectations
from tui_ipc.script.runner.expectations import Expectations
from tui_ipc.script.runner.failures import MAX_VALUE_LENGTH, FailureDetails
from tui_ipc.script.runner.run_state import RunState
from tui_ipc.script.runner.script_cursor import ScriptCursor
from tui_ipc.script.runner.session_driver import SessionDriver, TooManyMessages, Watched
from tui_ipc.session.conversation import NotConnected
from tui_ipc.text.diff import Detail
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import fill_captures
from tui_ipc.text.units import format_count

__all__ = ["Runner", "Verdict"]

_UNEXPECTED: Final = 100  # messages that no step took, in a verdict
_ENDINGS: Final = (ExpectExit, ExpectSignal)


class Runner:
    """Runs a script against a session that has not begun, once, and leaves nothing behind.

    Args:
        script: What to do; its ``spawn`` is the business of whoever makes the session.
        session: With whom; it is begun and left here.
        timeout: Seconds that each step may wait, where the script says nothing else.
        tell: Called with each event, in order; see ``SessionDriver``.
        updating: Whether a message that is not the one that was expected passes, and the pattern that it
            would meet becomes one of :attr:`~tui_ipc.script.outcome.Verdict.updates`.
    """

    def __init__(
        self,
        script: Script,
        session: Watched,
        timeout: float,
        tell: Callable[[AnyEvent], Awaitable[None]],
        *,
        updating: bool = False,
    ) -> None:
        self._timeout = timeout
        self._course = ScriptCursor(script.steps)
        self._fills = has_captures(script.steps)
        self._watcher = SessionDriver(session, tell)
        self._failures = FailureDetails(self._watcher, self._course)
        self._expectations = Expectations(self._watcher, self._course, self._failures, updating=updating)

    @property
    def line(self) -> int:
        """The line of the step that is under way, 0 before the first and after the last."""
        return self._course.line

    @property
    def passed(self) -> int:
        """Steps that passed, those of a ``repeat`` in each of its rounds."""
        return self._course.passed

    @property
    def total(self) -> int:
        """Steps that will have passed at the end."""
        return self._course.total

    async def run(self) -> Verdict:
        """Run it to its end, or to the first step that does not pass.

        Raises:
            OutputLostError: What happens could not be told any more.
        """
        begun = monotonic()
        stop: StepFailed | None = None
        async with self._watcher as watcher:
            try:
                await self._go()
            except StepFailed as reason:
                stop = reason
            seconds = monotonic() - begun
        left = watcher.life.received
        known = Verdict(
            code=ExitCode.PASSED,
            seconds=seconds,
            passed=self.passed,
            line=self.line,
            unexpected=(*watcher.untaken, *left.first(_UNEXPECTED)),
            untaken=watcher.untaken_count + len(left) + left.dropped,
            total=self.total,
            updates=self._expectations.updates,
        )
        if stop is None:
            return known
        return replace(known, code=stop.code, sentence=str(stop), details=stop.details)

    async def _go(self) -> None:
        try:
            self._met(await self._watcher.settled())
            for step in self._course:
                await self._perform(step)
            await self._quit()
        except TooManyMessages:
            number = format_count(len(self._watcher.life.received))
            sentence = f"the child sent more than the {number} messages that are kept for later steps to take"
            remedy = ("remedy", "take them in a repeat, with < or with <~, before what was waited for here")
            details = self._failures.situation(stuck=False)
            raise StepFailed(ExitCode.UNEXPECTED, sentence, remedy, *details) from None

    def _met(self, life: RunState) -> None:
        """The handshake must have succeeded."""
        if life.failed is not None:
            raise StepFailed(ExitCode.NO_HANDSHAKE, life.failed.sentence)

    def _perform(self, step: Step) -> Awaitable[None]:
        match step:
            case Send():
                return self._send(step.value)
            case Expect():
                return self._expectations.message(step, self._within(step.within))
            case ExpectNothing():
                return self._expectations.nothing(self._within(step.within))
            case ExpectOutput():
                return self._expectations.output(step, self._within(step.within))
            case ExpectExit() | ExpectSignal() | ExpectClean():
                return self._expectations.end(step, self._timeout)
            case _:
                return self._act(step)

    async def _act(self, step: Step) -> None:
        match step:
            case SendRaw():
                await self._sent(self._watcher.send_raw(step.data, self._timeout), step.data)
            case Sleep():
                await self._watcher.until(lambda: False, step.seconds, holding=True)
            case Signal():
                await self._signal(step.number)
            case Timeout():
                self._timeout = step.seconds
            case Restart():
                await self._quit()
                self._met(await self._watcher.restart())
            case Quit():
                await self._quit(self._course.behind)
            case Spawn():
                pass  # done before there was a session
            case _:
                raise TypeError(f"no step that can be run: {step!r}")

    def _within(self, seconds: float | None) -> float:
        return self._timeout if seconds is None else seconds

    def _send(self, value: Any) -> Awaitable[None]:
        try:
            filled = fill_captures(value, self._course.names) if self._fills else value
        except KeyError as missing:  # where a message was let pass in spite of what it was to bring
            sentence = f"nothing was captured as {missing.args[0]}: the message that was to bring it differs"
            raise StepFailed(ExitCode.UNEXPECTED, sentence, *self._failures.place(value)) from None
        return self._sent(self._watcher.send(filled, self._timeout), filled)

    async def _sent(self, sending: Awaitable[bool], value: Any) -> None:
        """Something must leave for the child."""
        try:
            if await sending:
                return
        except NotConnected as error:
            await self._expectations.end_of_child()
            raise StepFailed(
                ExitCode.CHILD_FAILED, str(error), _unsent(value), *self._failures.situation()
            ) from None
        except (TypeError, ValueError) as error:
            sentence = f"the message cannot be sent: {error}"
            raise StepFailed(ExitCode.USAGE, sentence, _unsent(value), *self._failures.place()) from None
        sentence = f"the child did not take the message within {self._timeout:g} s: it does not read"
        raise StepFailed(ExitCode.TIMED_OUT, sentence, _unsent(value), *self._failures.situation())

    async def _signal(self, number: int) -> None:
        try:
            self._watcher.signal(number)
        except NotConnected as error:
            await self._expectations.end_of_child()
            raise StepFailed(ExitCode.CHILD_FAILED, str(error), *self._failures.situation()) from None
        except ValueError as error:
            raise StepFailed(ExitCode.USAGE, str(error), *self._failures.place()) from None

    async def _quit(self, behind: Sequence[Step] = ()) -> None:
        """End the run, which must end as it should, unless a step that stands behind says how that is."""
        life = await self._watcher.quit()
        due = takewhile(lambda step: not isinstance(step, Restart), behind)
        if life.judged or any(isinstance(step, _ENDINGS) for step in due):
            return
        if sentence := expectations.describe_bad_end(life):
            remedy = expectations.suggest_end_step(life)
            advice = (("remedy", remedy),) if remedy else ()
            raise StepFailed(ExitCode.CHILD_FAILED, sentence, *advice, *self._failures.situation())
        life.judged = True


def _unsent(value: Any) -> Detail:
    return "message", render_value(value, MAX_VALUE_LENGTH)
