"""Steps and a session make a verdict.

The one rule: whatever stops a script early is told with the line at which it stood, what was expected, what
came instead, and what the child was doing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from time import monotonic
from typing import Any, Final

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.running import endings
from tui_ipc.script.running.comparison import fill
from tui_ipc.script.running.course import Course, captures
from tui_ipc.script.running.expectations import Expectations
from tui_ipc.script.running.failures import SHOWN, Failures
from tui_ipc.script.running.life import Life
from tui_ipc.script.running.verdict import Detail, Stop, Verdict
from tui_ipc.script.running.watcher import FloodedError, Watched, Watcher
from tui_ipc.script.syntax.steps import (
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
)
from tui_ipc.session.conversation import NotListening
from tui_ipc.session.events import Event
from tui_ipc.session.notation import render
from tui_ipc.session.units import count

__all__ = ["Runner", "Verdict"]

_UNEXPECTED: Final = 100  # messages that no step took, in a verdict
_ENDINGS: Final = (ExpectExit, ExpectSignal)


class Runner:
    """Runs a script against a session that has not begun, once, and leaves nothing behind.

    Args:
        script: What to do; its ``spawn`` is the business of whoever makes the session.
        session: With whom; it is begun and left here.
        timeout: Seconds that each step may wait, where the script says nothing else.
        tell: Called with each event, in order; see :class:`~tui_ipc.script.running.watcher.Watcher`.
        updating: Whether a message that is not the one that was expected passes, and the pattern that it
            would meet becomes one of :attr:`~tui_ipc.script.running.verdict.Verdict.updates`.
    """

    def __init__(
        self,
        script: Script,
        session: Watched,
        timeout: float,
        tell: Callable[[Event], Awaitable[None]],
        *,
        updating: bool = False,
    ) -> None:
        self._timeout = timeout
        self._course = Course(script.steps)
        self._fills = captures(script.steps)
        self._watcher = Watcher(session, tell)
        self._failures = Failures(self._watcher, self._course)
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
            SinkLostError: What happens could not be told any more.
        """
        begun = monotonic()
        stop: Stop | None = None
        async with self._watcher as watcher:
            try:
                await self._go()
            except Stop as reason:
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
        except FloodedError:
            number = count(len(self._watcher.life.received))
            sentence = f"the child sent more than the {number} messages that are kept for later steps to take"
            remedy = ("remedy", "take them in a repeat, with < or with <~, before what was waited for here")
            details = self._failures.situation(stuck=False)
            raise Stop(ExitCode.UNEXPECTED, sentence, remedy, *details) from None

    def _met(self, life: Life) -> None:
        """The handshake must have succeeded."""
        if life.failed is not None:
            raise Stop(ExitCode.NO_HANDSHAKE, life.failed.sentence)

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
            filled = fill(value, self._course.names) if self._fills else value
        except KeyError as missing:  # where a message was let pass in spite of what it was to bring
            sentence = f"nothing was captured as {missing.args[0]}: the message that was to bring it differs"
            raise Stop(ExitCode.UNEXPECTED, sentence, *self._failures.place(value)) from None
        return self._sent(self._watcher.send(filled, self._timeout), filled)

    async def _sent(self, sending: Awaitable[bool], value: Any) -> None:
        """Something must leave for the child."""
        try:
            if await sending:
                return
        except NotListening as error:
            await self._expectations.end_of_child()
            raise Stop(
                ExitCode.CHILD_FAILED, str(error), _unsent(value), *self._failures.situation()
            ) from None
        except (TypeError, ValueError) as error:
            sentence = f"the message cannot be sent: {error}"
            raise Stop(ExitCode.USAGE, sentence, _unsent(value), *self._failures.place()) from None
        sentence = f"the child did not take the message within {self._timeout:g} s: it does not read"
        raise Stop(ExitCode.TIMED_OUT, sentence, _unsent(value), *self._failures.situation())

    async def _signal(self, number: int) -> None:
        try:
            self._watcher.signal(number)
        except NotListening as error:
            await self._expectations.end_of_child()
            raise Stop(ExitCode.CHILD_FAILED, str(error), *self._failures.situation()) from None
        except ValueError as error:
            raise Stop(ExitCode.USAGE, str(error), *self._failures.place()) from None

    async def _quit(self, behind: Sequence[Step] = ()) -> None:
        """End the run, which must end as it should, unless a step that stands behind says how that is."""
        life = await self._watcher.quit()
        due = takewhile(lambda step: not isinstance(step, Restart), behind)
        if life.judged or any(isinstance(step, _ENDINGS) for step in due):
            return
        if sentence := endings.bad_end(life):
            remedy = endings.remedy(life)
            advice = (("remedy", remedy),) if remedy else ()
            raise Stop(ExitCode.CHILD_FAILED, sentence, *advice, *self._failures.situation())
        life.judged = True


def _unsent(value: Any) -> Detail:
    return "message", render(value, SHOWN)
