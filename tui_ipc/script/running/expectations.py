"""The steps that wait for something of the child, and judge it.

The one rule: nothing waits without a deadline. What an expectation says and does not find is the child's
failure to meet it; that the time passed first, or that the child was gone before, is told as that.
"""

from typing import TYPE_CHECKING, Any, Final

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.running import endings
from tui_ipc.script.running.comparison import Difference, match
from tui_ipc.script.running.course import Course
from tui_ipc.script.running.endings import Ending
from tui_ipc.script.running.failures import SHOWN, Failures
from tui_ipc.script.running.nearness import Skipped
from tui_ipc.script.running.verdict import Detail, Stop
from tui_ipc.script.running.watcher import Watcher
from tui_ipc.script.syntax.steps import Expect, ExpectClean, ExpectExit, ExpectOutput
from tui_ipc.session.events import MessageReceived
from tui_ipc.session.notation import render

if TYPE_CHECKING:
    from tui_ipc.script.running.updating import Learned

_CHANGING: Final = "this line cannot be updated: what comes here differs between the rounds of its repeat"
_PATIENCE: Final = 0.5  # seconds for the exit status of a child that closed its channel


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

    def __init__(self, watcher: Watcher, course: Course, failures: Failures, *, updating: bool) -> None:
        self.updates: dict[int, Any] = {}
        self._learned = _learning(self.updates) if updating else None
        self._watcher = watcher
        self._course = course
        self._failures = failures

    async def message(self, step: Expect, within: float) -> None:
        """The next message must match; with ``skipping``, one that comes in time."""
        life = self._watcher.life
        skipped = Skipped() if step.skipping else None
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
                raise Stop(ExitCode.UNEXPECTED, _CHANGING, *self._differs(difference, step, message))
            captured = learned
        elif difference is not None:
            details = self._differs(difference, step, message)
            raise Stop(ExitCode.UNEXPECTED, "another message came than expected", *details)
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
            details = (("received", render(message.value, SHOWN)), *self._failures.situation(stuck=False))
            raise Stop(ExitCode.UNEXPECTED, "a message came where none was expected", *details)
        if life.fault is not None:
            raise Stop(ExitCode.CHILD_FAILED, endings.broken(life.fault), *self._failures.situation())

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
            raise Stop(ExitCode.CHILD_FAILED, sentence, *details)
        sentence = f"no such text came on {step.stream} within {within:g} s"
        raise Stop(ExitCode.TIMED_OUT, sentence, *details)

    async def end(self, step: Ending, within: float) -> None:
        """The child must end, by itself unless it was told to, as the step says."""
        life = self._watcher.life
        wanted = ("expected", endings.wanted(step))
        if not await self._watcher.until(lambda: life.exited is not None, within):
            details = (wanted, ("remedy", endings.cause(step)), *self._failures.situation())
            raise Stop(ExitCode.TIMED_OUT, f"the child did not end within {within:g} s", *details)
        if isinstance(step, ExpectClean):
            await self._watcher.until(lambda: life.audit is not None)  # the session has a deadline for it
        else:
            life.judged = True
        code = None if life.exited is None or life.forced else life.exited.code
        if self._learned is not None and isinstance(step, ExpectExit) and code is not None:
            if self._learned.note(step, code, self._course.names) is None:
                raise Stop(ExitCode.UNEXPECTED, _CHANGING, *self._failures.situation())
        elif sentence := endings.complaint(step, life):
            raise Stop(ExitCode.UNEXPECTED, sentence, wanted, *self._failures.situation())

    async def end_of_child(self) -> None:
        """Give a child that is gone a moment to be reaped, so that its status can be told."""
        life = self._watcher.life
        await self._watcher.until(lambda: life.exited is not None, _PATIENCE)

    async def _missing(self, in_time: bool, step: Expect, within: float, skipped: Skipped | None) -> Stop:
        """No message came: in time it was known that none can come any more, or the time has passed."""
        life = self._watcher.life
        if in_time:
            await self.end_of_child()
            code, sentence = ExitCode.CHILD_FAILED, f"the child {life.state()}, and a message was due"
            if life.fault is not None:
                sentence = endings.broken(life.fault)
        else:
            which = "no message" if skipped is None else "no message that matches"
            code, sentence = ExitCode.TIMED_OUT, f"{which} came within {within:g} s"
        return Stop(code, sentence, *self._failures.missing(step.value, skipped))


def _learning(updates: dict[int, Any]) -> "Learned":
    from tui_ipc.script.running.updating import Learned  # a run that updates nothing starts without it

    return Learned(updates)
