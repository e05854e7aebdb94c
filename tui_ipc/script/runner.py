"""Steps and a session make a verdict.

The one rule: nothing waits without a deadline, and whatever stops a script early is told with the line at
which it stood, what was expected, what came instead, and what the child was doing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from tui_ipc.script.comparison import same
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import Expect, Quit, Script, Send, Step
from tui_ipc.script.seed import Answer
from tui_ipc.script.watcher import Watched, Watcher
from tui_ipc.session.conversation import NotListening
from tui_ipc.session.events import Event, MessageReceived
from tui_ipc.session.notation import render
from tui_ipc.session.process import signal_name

_SHOWN: Final = 2000  # characters of a message in a failure
_UNANSWERED: Final = 3  # messages of ours that are shown
_LINES: Final = 5  # of the child's stderr
_SENTENCES: Final = 3  # of the diagnosis
_PATIENCE: Final = 0.5  # seconds for the exit status of a child that closed its channel


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a script ended.

    Attributes:
        code: The exit code that says so.
        seconds: How long it took.
        passed: Steps that passed.
        line: Where it stopped, 0 if at no line.
        sentence: What happened there; empty if all passed.
        details: Name and text of what helps to understand it.
        unexpected: Messages that no step took.
    """

    code: ExitCode
    seconds: float
    passed: int = 0
    line: int = 0
    sentence: str = ""
    details: tuple[tuple[str, str], ...] = ()
    unexpected: tuple[MessageReceived, ...] = ()


class _Stop(Exception):
    """A step did not pass."""

    def __init__(self, code: ExitCode, sentence: str, *details: tuple[str, str]) -> None:
        super().__init__(sentence)
        self.code = code
        self.details = details


class Runner:
    """Runs a script against a session that has not begun, once, and leaves nothing behind.

    Args:
        script: What to do.
        session: With whom; it is begun and left here.
        timeout: Seconds that a message may take in either direction.
        tell: Called with each event, in order; see :class:`~tui_ipc.script.watcher.Watcher`.

    Attributes:
        line: The line of the step that is under way, 0 before the first and after the last.
        passed: Steps that passed.
    """

    def __init__(
        self, script: Script, session: Watched, timeout: float, tell: Callable[[Event], Awaitable[None]]
    ) -> None:
        self.line = 0
        self.passed = 0
        self._steps = script.steps
        self._timeout = timeout
        self._watcher = Watcher(session, tell)

    async def run(self) -> Verdict:
        """Run it to its end, or to the first step that does not pass.

        Raises:
            SinkLostError: What happens could not be told any more.
        """
        begun = monotonic()
        async with self._watcher:
            try:
                await self._handshake()
                for step in self._steps:
                    self.line = step.line
                    await self._perform(step)
                    self.passed += 1
                self.line = 0
                await self._quit()
            except _Stop as stop:
                end = (stop.code, monotonic() - begun, self.passed, self.line, str(stop), stop.details)
                return Verdict(*end)
        unexpected = tuple(self._watcher.received)
        return Verdict(ExitCode.PASSED, monotonic() - begun, self.passed, unexpected=unexpected)

    async def _handshake(self) -> None:
        watcher = self._watcher
        await watcher.until(lambda: watcher.open or watcher.failed is not None)  # the session has a deadline
        if watcher.failed is not None:
            raise _Stop(ExitCode.NO_HANDSHAKE, watcher.failed.sentence)

    async def _perform(self, step: Step) -> None:
        match step:
            case Send():
                await self._send(step.value)
            case Expect():
                await self._expect(step.value)
            case Answer():
                await self._receive(("expected", "a message"))
            case Quit():
                await self._quit()
            case _:
                raise TypeError(f"no step that can be run: {step!r}")

    async def _send(self, value: Any) -> None:
        message = ("message", render(value, _SHOWN))
        try:
            if await self._watcher.send(value, self._timeout):
                return
        except NotListening as error:
            await self._end_of_child()
            raise _Stop(ExitCode.CHILD_FAILED, str(error), message, *self._circumstances()) from None
        except ValueError as error:
            raise _Stop(ExitCode.USAGE, f"the message cannot be sent: {error}", message) from None
        sentence = f"the child did not take the message within {self._timeout:g} s: it does not read"
        raise _Stop(ExitCode.TIMED_OUT, sentence, message, *self._circumstances())

    async def _expect(self, expected: Any) -> None:
        wanted = ("expected", render(expected, _SHOWN))
        message = await self._receive(wanted)
        if not same(expected, message.value):
            received = ("received", render(message.value, _SHOWN))
            details = (wanted, received, *self._circumstances(stuck=False))
            raise _Stop(ExitCode.UNEXPECTED, "another message came than expected", *details)

    async def _receive(self, wanted: tuple[str, str]) -> MessageReceived:
        """The next message."""
        watcher = self._watcher
        in_time = await watcher.until(lambda: bool(watcher.received) or watcher.closed, self._timeout)
        if watcher.received:
            return watcher.received.popleft()
        if not in_time:
            sentence = f"no message came within {self._timeout:g} s"
            details = (wanted, *self._waiting(), *self._circumstances())
            raise _Stop(ExitCode.TIMED_OUT, sentence, *details)
        await self._end_of_child()
        if watcher.fault is not None:
            sentence = f"the child broke the protocol: {watcher.fault.sentence}"
        else:
            sentence = f"the child {watcher.state()}, and a message was due"
        raise _Stop(ExitCode.CHILD_FAILED, sentence, wanted, *self._circumstances())

    async def _quit(self) -> None:
        """End the run. The child must do its part: end when told to, not before, and with code 0."""
        watcher = self._watcher
        await watcher.quit()
        sentence = ""
        if watcher.signals:
            names = " and ".join(signal_name(sent.signal) for sent in watcher.signals)
            sentence = f"{watcher.signals[0].reason}; {names} ended it"
        elif watcher.audit is not None and watcher.audit.quit_elapsed is None:
            sentence = f"the child {watcher.state()} before it was told to quit"
        elif watcher.exited is not None and (watcher.exited.code or watcher.exited.signal):
            sentence = f"told to quit, the child {watcher.state()}, where code 0 is due"
        if sentence:
            raise _Stop(ExitCode.CHILD_FAILED, sentence, *self._circumstances())

    async def _end_of_child(self) -> None:
        """Give a child that is gone a moment to be reaped, so that its status can be told."""
        watcher = self._watcher
        await watcher.until(lambda: watcher.exited is not None, _PATIENCE)

    def _waiting(self) -> tuple[tuple[str, str], ...]:
        """The last of our messages that were not answered."""
        sent = list(self._watcher.unanswered.values())
        return tuple(("no answer", f"to {render(event.value, _SHOWN)}") for event in sent[-_UNANSWERED:])

    def _circumstances(self, *, stuck: bool = True) -> tuple[tuple[str, str], ...]:
        """The child's state, why nothing happens if that is the failure, and its last words."""
        watcher = self._watcher
        sentences = watcher.diagnosis(_SENTENCES) if stuck else ()
        reasons = tuple(("diagnosis", sentence) for sentence in sentences)
        lines = tuple(("stderr", line) for line in watcher.last_errors(_LINES))
        return (("child", watcher.state()), *reasons, *lines)
