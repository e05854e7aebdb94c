"""Steps and a session make a verdict.

The one rule: nothing waits without a deadline, and whatever stops a script early is told with the line at which it
stood, what was expected, what came instead, and what the child was doing.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from math import isnan
from time import monotonic
from typing import Any

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import Expect, Quit, Script, Send, Step
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


class _Stop(Exception):  # noqa: N818 - no error of the program's: the script's end
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
    async with asyncio.TaskGroup() as tasks:
        async with session:
            tasks.create_task(watcher.follow(session.events()))
            try:
                await _handshake(session)
                for step in script.steps:
                    await _perform(step, session, watcher, timeout)
                    passed += 1
                step = None
                await _quit(session, watcher)
            except _Stop as stop:
                details = (*stop.details, *_circumstances(watcher))
                verdict = Verdict(
                    stop.code, monotonic() - began, passed, step.line if step else 0, str(stop), details
                )
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
            await _send(step.value, session, timeout)
        case Expect():
            await _expect(step.value, watcher, timeout)
        case Quit():
            await _quit(session, watcher)


async def _send(value: Any, session: Session, timeout: float) -> None:
    try:
        async with asyncio.timeout(timeout):
            await session.send(value)
    except TimeoutError:
        sentence = f"the child did not take the message within {timeout:g} s: it does not read its channel"
        raise _Stop(ExitCode.TIMED_OUT, sentence, ("message", render(value, _SHOWN))) from None
    except NotListening as error:
        raise _Stop(ExitCode.CHILD_FAILED, str(error), ("message", render(value, _SHOWN))) from None


async def _expect(expected: Any, watcher: Watcher, timeout: float) -> None:
    wanted = ("expected", render(expected, _SHOWN))
    try:
        message = await watcher.next_message(timeout)
    except TimeoutError:
        waiting = watcher.unanswered()
        sentence = f"no message came within {timeout:g} s; {waiting} of ours without an answer"
        raise _Stop(ExitCode.TIMED_OUT, sentence, wanted) from None
    except ChildGoneError as error:
        raise _Stop(ExitCode.CHILD_FAILED, str(error), wanted) from None
    if not equal(expected, message.value):
        received = ("received", render(message.value, _SHOWN))
        raise _Stop(ExitCode.UNEXPECTED, "another message came than expected", wanted, received)


async def _quit(session: Session, watcher: Watcher) -> None:
    """End the run; a child that was alive must end by itself, and well."""
    await session.quit()
    end = watcher.exited
    if watcher.signals:
        raise _Stop(ExitCode.CHILD_FAILED, "the child did not end when told to quit, and had to be signalled")
    if end is not None and (end.code or end.signal):
        raise _Stop(ExitCode.CHILD_FAILED, f"told to quit, the child {watcher.state()}")


def _circumstances(watcher: Watcher) -> tuple[tuple[str, str], ...]:
    """The child's state and its last words."""
    lines = tuple(("stderr", line) for line in watcher.last_errors())
    return (("child", watcher.state()), *lines)


def equal(left: Any, right: Any) -> bool:
    """Whether two messages are the same to a script.

    Arrays are equal whether they are lists or tuples, numbers whether they are ints or floats, and nan is nan; a
    bool is no number. Does not recurse, so that no message is too deep for it.
    """
    pairs = [(left, right)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, list | tuple) and isinstance(other, list | tuple):
            if len(one) != len(other):
                return False
            pairs.extend(zip(one, other, strict=True))
        elif isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pairs.extend((value, other[key]) for key, value in one.items())
        elif not _same_scalar(one, other):
            return False
    return True


def _same_scalar(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, float) and isinstance(other, float) and isnan(one) and isnan(other):
        return True
    return bool(one == other)
