"""Steps and a session make a verdict.

The one rule: nothing waits without a deadline, and whatever stops a script early is told with the line at
which it stood, what was expected, what came instead, and what the child was doing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from tui_ipc.script.comparison import same
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import Expect, Quit, Script, Send, Step
from tui_ipc.script.seed import Answer
from tui_ipc.script.watcher import ChildGoneError, Watcher
from tui_ipc.session.events import Event, MessageReceived
from tui_ipc.session.notation import render
from tui_ipc.session.session import HandshakeError, NotListening, Session

_SHOWN = 2000  # characters of a message in a failure


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


async def run_script(
    script: Script, session: Session, timeout: float, tell: Callable[[Event], None]
) -> Verdict:
    """Run a script against a session that has not begun, and leave nothing behind.

    Args:
        script: What to do.
        session: With whom; it is begun and left here.
        timeout: Seconds that a message may take in either direction.
        tell: Called with each event, in order.
    """
    began = monotonic()
    watcher = Watcher(tell)
    step: Step | None = None
    passed = 0
    verdict: Verdict | None = None
    async with asyncio.TaskGroup() as tasks, session:
        tasks.create_task(watcher.follow(session.events()))
        try:
            await _handshake(session)
            for step in script.steps:
                await _perform(step, session, watcher, timeout)
                passed += 1
            step = None
            await _quit(session, watcher)
        except _Stop as stop:
            line = step.line if step else 0
            verdict = Verdict(stop.code, monotonic() - began, passed, line, str(stop), stop.details)
    return verdict or Verdict(
        ExitCode.PASSED, monotonic() - began, passed, unexpected=tuple(watcher.received)
    )


async def _handshake(session: Session) -> None:
    try:
        await session.ready()
    except HandshakeError as error:
        raise _Stop(ExitCode.NO_HANDSHAKE, str(error)) from None


async def _perform(step: Step, session: Session, watcher: Watcher, timeout: float) -> None:
    match step:
        case Send():
            await _send(step.value, session, watcher, timeout)
        case Expect():
            await _expect(step.value, watcher, timeout)
        case Answer():
            await _next(watcher, timeout, ("expected", "a message"))
        case Quit():
            await _quit(session, watcher)


async def _send(value: Any, session: Session, watcher: Watcher, timeout: float) -> None:
    message = ("message", render(value, _SHOWN))
    try:
        async with asyncio.timeout(timeout):
            await session.send(value)
    except TimeoutError:
        sentence = f"the child did not take the message within {timeout:g} s: it does not read its channel"
        raise _Stop(ExitCode.TIMED_OUT, sentence, message, *_circumstances(watcher)) from None
    except NotListening as error:
        raise _Stop(ExitCode.CHILD_FAILED, str(error), message, *_circumstances(watcher)) from None


async def _expect(expected: Any, watcher: Watcher, timeout: float) -> None:
    wanted = ("expected", render(expected, _SHOWN))
    message = await _next(watcher, timeout, wanted)
    if not same(expected, message.value):
        details = (wanted, ("received", render(message.value, _SHOWN)), *_circumstances(watcher))
        raise _Stop(ExitCode.UNEXPECTED, "another message came than expected", *details)


async def _next(watcher: Watcher, timeout: float, wanted: tuple[str, str]) -> MessageReceived:
    try:
        return await watcher.next_message(timeout)
    except TimeoutError:
        waiting = watcher.unanswered()
        sentence = f"no message came within {timeout:g} s; {waiting} of ours without an answer"
        raise _Stop(ExitCode.TIMED_OUT, sentence, wanted, *_circumstances(watcher)) from None
    except ChildGoneError as error:
        raise _Stop(ExitCode.CHILD_FAILED, str(error), wanted, *_circumstances(watcher)) from None


async def _quit(session: Session, watcher: Watcher) -> None:
    """End the run; a child that was alive must end by itself, and well."""
    await session.quit()
    end = watcher.exited
    sentence = ""
    if watcher.signals:
        sentence = "the child did not end when told to quit, and had to be signalled"
    elif end is not None and (end.code or end.signal):
        sentence = f"told to quit, the child {watcher.state()}"
    if sentence:
        raise _Stop(ExitCode.CHILD_FAILED, sentence, *_circumstances(watcher))


def _circumstances(watcher: Watcher) -> tuple[tuple[str, str], ...]:
    """The child's state and its last words."""
    lines = tuple(("stderr", line) for line in watcher.last_errors())
    return (("child", watcher.state()), *lines)
