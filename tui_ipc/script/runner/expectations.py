"""Whether a run of the child ended as it should. Pure.

The one rule: a child that is told to quit ends, without being forced, with code 0, and none ends before. A
``? exit`` or ``? signal`` says what is due instead of that; ``? clean`` is due besides.
"""

from typing import TYPE_CHECKING, Any, Final

from tui_ipc.events import Fault, MessageReceived
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.osutil.signals import signal_name
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language.steps import Expect, ExpectClean, ExpectExit, ExpectOutput, ExpectSignal
from tui_ipc.script.outcome import StepFailed
from tui_ipc.script.runner.failures import MAX_VALUE_LENGTH, FailureDetails, SkippedMessages
from tui_ipc.script.runner.run_state import RunState
from tui_ipc.script.runner.script_cursor import ScriptCursor
from tui_ipc.script.runner.session_driver import SessionDriver
from tui_ipc.text.diff import Detail
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import Difference, match

if TYPE_CHECKING:
    from tui_ipc.script.update import LearnedPatterns


EndExpectation = ExpectExit | ExpectSignal | ExpectClean


def describe_expected_end(step: EndExpectation) -> str:
    """What a step expects, as the rest of a sentence."""
    match step:
        case ExpectExit():
            return f"exit with code {step.code}"
        case ExpectSignal():
            return f"end by {signal_name(step.number)}"
        case _:
            return "end and leave nothing behind"


def suggest_cause_of_end(step: EndExpectation) -> str:
    """How a script has a child end that does not end by itself."""
    if isinstance(step, ExpectSignal):
        return f"to have it ended, write signal {signal_name(step.number)} above this line"
    return "to have it told to end, write quit above this line"


def describe_mismatch(step: EndExpectation, life: RunState) -> str:
    """How a run that is over did not end as a step expects; empty if it did."""
    assert life.exited is not None
    match step:
        case ExpectExit():
            if life.forced:
                return _describe_forced_end(life)
            fine = life.exited.code == step.code
        case ExpectSignal():
            fine = life.exited.signal == step.number
        case _:
            left = [] if life.audit is None else describe_leftovers(life.audit)
            return f"the child left behind: {' · '.join(left)}" if left else ""
    return "" if fine else f"the child {life.state()}"


def describe_bad_end(life: RunState) -> str:
    """What is wrong about the end of a run of which no step says how it should be; empty if nothing is."""
    if life.fault is not None:
        return describe_fault(life.fault)
    if life.forced:
        return _describe_forced_end(life)
    if life.audit is not None and life.audit.quit_elapsed is None:
        return f"the child {life.state()} before it was told to quit"
    if life.exited is not None and (life.exited.code or life.exited.signal):
        return f"told to quit, the child {life.state()}, where code 0 is due"
    return ""


def suggest_end_step(life: RunState) -> str:
    """How a script says that a child is to end as this one did; empty where it cannot."""
    if life.exited is None or life.forced or life.fault is not None:
        return ""
    if life.exited.signal is not None:
        return f"if that is right, write ? signal {signal_name(life.exited.signal)}"
    return "" if life.exited.code is None else f"if that is right, write ? exit {life.exited.code}"


def describe_fault(fault: Fault) -> str:
    """That the child broke the protocol, and how."""
    return f"the child broke the protocol: {fault.sentence}"


def _describe_forced_end(life: RunState) -> str:
    names = " and ".join(signal_name(sent.signal) for sent in life.forced)
    return f"{life.forced[0].reason}; {names} ended it"


_DIFFERS_BETWEEN_ROUNDS: Final = (
    "this line cannot be updated: what comes here differs between the rounds of its repeat"
)
_REAP_TIMEOUT: Final = 0.5  # seconds for the exit status of a child that closed its channel


class Expectations:
    """Meets the expectations of one script.

    Args:
        watcher: Knows the child.
        course: Knows the script.
        failures: Tells what is not met.
        updating: Whether a message that is not the one that was expected is learned from, and let pass.

    Attributes:
        updates: Line → the pattern that it should have, for those at which a message was let pass.
    """

    def __init__(
        self, watcher: SessionDriver, course: ScriptCursor, failures: FailureDetails, *, updating: bool
    ) -> None:
        self.updates: dict[int, Any] = {}
        self._learned = _make_learned_patterns(self.updates) if updating else None
        self._watcher = watcher
        self._course = course
        self._failures = failures

    async def message(self, step: Expect, within: float) -> None:
        """The next message must match; with ``skipping``, one that comes in time."""
        life = self._watcher.life
        skipped = SkippedMessages() if step.skipping else None
        in_time = True
        if skipped is not None or not life.received:  # one that skips has its deadline set in any case
            in_time = await self._watcher.until(lambda: life.received or life.closed, within)
        while True:
            if not life.received:
                raise await self._missing(in_time, step, within, skipped)
            message = life.received.take()
            difference, captured = match(step.value, message.value, self._course.names)
            if difference is None or skipped is None:
                break
            skipped.add(message)
            in_time = await self._watcher.still_until(lambda: life.received or life.closed)
        if self._learned is not None:
            learned = self._learned.note(step, message.value, self._course.names)
            if learned is None:
                raise StepFailed(
                    ExitCode.UNEXPECTED, _DIFFERS_BETWEEN_ROUNDS, *self._differs(difference, step, message)
                )
            captured = learned
        elif difference is not None:
            details = self._differs(difference, step, message)
            raise StepFailed(ExitCode.UNEXPECTED, "another message came than expected", *details)
        if captured:
            self._course.names.update(captured)

    def _differs(
        self, difference: Difference | None, step: Expect, message: MessageReceived
    ) -> tuple[Detail, ...]:
        return () if difference is None else self._failures.differs(difference, step.value, message)

    async def nothing(self, within: float) -> None:
        """No message may come, nor may one have come that no step took.

        A child that ends, or closes its channel, sends none: that is as good, and known at once. Whether it
        may end is for other steps to say.
        """
        life = self._watcher.life
        await self._watcher.until(lambda: life.received or life.closed or life.fault, within)
        if life.received:
            (message,) = life.received.first(1)
            details = (
                ("received", render_value(message.value, MAX_VALUE_LENGTH)),
                *self._failures.situation(stuck=False),
            )
            raise StepFailed(ExitCode.UNEXPECTED, "a message came where none was expected", *details)
        if life.fault is not None:
            raise StepFailed(ExitCode.CHILD_FAILED, describe_fault(life.fault), *self._failures.situation())

    async def output(self, step: ExpectOutput, within: float) -> None:
        """Text must be printed in which an expression is found, behind what was found before."""
        life, expression = self._watcher.life, step.expression
        printed = life.printed[step.stream]
        found = False

        def over() -> bool:
            nonlocal found
            found = printed.find(expression)
            return found or life.exited is not None  # what it prints comes before

        in_time = await self._watcher.until(over, within)
        if found or printed.find(expression, final=True):
            return
        details = self._failures.unprinted(step.stream, expression)
        if in_time:
            sentence = f"the child {life.state()}, and text was due on its {step.stream}"
            raise StepFailed(ExitCode.CHILD_FAILED, sentence, *details)
        sentence = f"no such text came on {step.stream} within {within:g} s"
        raise StepFailed(ExitCode.TIMED_OUT, sentence, *details)

    async def end(self, step: EndExpectation, within: float) -> None:
        """The child must end, by itself unless it was told to, as the step says."""
        life = self._watcher.life
        wanted = ("expected", describe_expected_end(step))
        if not await self._watcher.until(lambda: life.exited is not None, within):
            details = (wanted, ("remedy", suggest_cause_of_end(step)), *self._failures.situation())
            raise StepFailed(ExitCode.TIMED_OUT, f"the child did not end within {within:g} s", *details)
        if isinstance(step, ExpectClean):
            await self._watcher.until(lambda: life.audit is not None)  # the session has a deadline for it
        else:
            life.judged = True
        code = None if life.exited is None or life.forced else life.exited.code
        if self._learned is not None and isinstance(step, ExpectExit) and code is not None:
            if self._learned.note(step, code, self._course.names) is None:
                raise StepFailed(ExitCode.UNEXPECTED, _DIFFERS_BETWEEN_ROUNDS, *self._failures.situation())
        elif sentence := describe_mismatch(step, life):
            raise StepFailed(ExitCode.UNEXPECTED, sentence, wanted, *self._failures.situation())

    async def end_of_child(self) -> None:
        """Give a child that is gone a moment to be reaped, so that its status can be told."""
        life = self._watcher.life
        await self._watcher.until(lambda: life.exited is not None, _REAP_TIMEOUT)

    async def _missing(
        self, in_time: bool, step: Expect, within: float, skipped: SkippedMessages | None
    ) -> StepFailed:
        """No message came: in time it was known that none can come any more, or the time has passed."""
        life = self._watcher.life
        if in_time:
            await self.end_of_child()
            code, sentence = ExitCode.CHILD_FAILED, f"the child {life.state()}, and a message was due"
            if life.fault is not None:
                sentence = describe_fault(life.fault)
        else:
            which = "no message" if skipped is None else "no message that matches"
            code, sentence = ExitCode.TIMED_OUT, f"{which} came within {within:g} s"
        return StepFailed(code, sentence, *self._failures.missing(step.value, skipped))


def _make_learned_patterns(updates: dict[int, Any]) -> "LearnedPatterns":
    from tui_ipc.script.update import LearnedPatterns  # a run that updates nothing starts without it

    return LearnedPatterns(updates)
