"""What a run has to say: data on stdout, narration on stderr.

The one rule: stdout holds what the child prints, and in the built-in conversation what the parent says in
between; whatever else there is to say, and what the child says on its stderr, goes to stderr.
"""

from typing import Any, Final

from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import Script
from tui_ipc.script.relay import Relay, visible
from tui_ipc.script.runner import Verdict
from tui_ipc.script.sink import Sink
from tui_ipc.session.events import (
    Audit,
    ChildContinued,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    ChildStopped,
    Event,
    MessageReceived,
    ServerListening,
    StepLate,
)
from tui_ipc.session.notation import render
from tui_ipc.session.process import signal_name
from tui_ipc.session.telling import left_behind

STARTED: Final = "Parent process started"
_UNEXPECTED: Final = 3  # messages that are shown
_SHOWN: Final = 100  # characters of each


class Transcript:
    """Tells a run while it happens: the child's output, and in the seed's words what the parent sees.

    Args:
        stdout: For the child's standard output, and for the parent's words.
        stderr: For the child's standard error, each line of it marked, and for what goes wrong on the way.
        name: What our lines there begin with: the script's name.
        narrated: Whether there are words of the parent's.
    """

    def __init__(self, stdout: Sink, stderr: Sink, *, name: str, narrated: bool) -> None:
        self._stdout = stdout
        self._stderr = stderr
        self._printed = Relay(stdout.encode, visible=stdout.terminal)
        self._errors = Relay(stderr.encode, visible=stderr.terminal, mark="child stderr: ")
        self._name = name
        self._narrated = narrated

    async def tell(self, event: Event) -> None:
        """Write what an event has to say.

        Raises:
            SinkLostError: Standard output takes nothing more.
        """
        match event:
            case ChildOutput(stream="stdout"):
                await self._stdout.write(self._printed.feed(event.data))
            case ChildOutput():
                await self._stderr.write(self._errors.feed(event.data))
            case ChildExited():
                await self._stdout.write(self._printed.flush())
                await self._stderr.write(self._errors.flush())
        if note := remark(event):
            await self._stderr.line(f"{self._name}: {visible(note)}")
        if self._narrated:
            for line in words(event):
                await self._stdout.line(line)


def remark(event: Event) -> str:
    """What is worth a look while a run goes on, and no failure; empty if an event is none of that."""
    match event:
        case StepLate():
            return event.sentence
        case ChildStopped():
            return f"{signal_name(event.signal)} stopped the child; it does nothing until it is continued"
        case ChildContinued():
            return "the child goes on"
        case Audit() if not event.clean:
            return f"left behind: {' · '.join(left_behind(event))}"
        case _:
            return ""


def words(event: Event) -> tuple[str, ...]:
    """What the parent says about an event, in the words of the example that this project grew from."""
    match event:
        case ServerListening():
            return (STARTED, f"One Shot Server name - Parent: {event.name}")
        case ChildSpawned():
            return (f"Child process ID: {event.pid}",)
        case MessageReceived():
            return (f"Received from child: {_plain(event.value)}",)
        case ChildExited():
            return ("Child process finished.",)
        case _:
            return ()


def story(script: Script, verdict: Verdict) -> list[str]:
    """How a script ended, in lines for a person who has nothing else to look at."""
    name = script.name
    time = f"{verdict.seconds:.2f} s"
    if verdict.code is ExitCode.PASSED:
        return [f"{name}: {_steps(verdict.passed)} passed in {time}", *_unexpected(name, verdict.unexpected)]
    place = f"{name}:{verdict.line}" if verdict.line else name
    details = [f"  {title:<9} {visible(text)}" for title, text in verdict.details]
    story = [f"{place}: {verdict.sentence}", *details]
    if verdict.code is not ExitCode.NO_HANDSHAKE:  # there was no step to fail
        story.append(f"{name}: FAILED after {verdict.passed} of {_steps(len(script.steps))} in {time}")
    return story


def _unexpected(name: str, messages: tuple[MessageReceived, ...]) -> list[str]:
    """What came that no step took: no failure, but worth a look."""
    shown = [
        f"{name}: message #{message.number} was not expected: {render(message.value, _SHOWN)}"
        for message in messages[:_UNEXPECTED]
    ]
    more = len(messages) - len(shown)
    return [*shown, f"{name}: and {more} more"] if more else shown


def _steps(number: int) -> str:
    return f"{number} step" if number == 1 else f"{number} steps"


def _plain(value: Any) -> str:
    """A string that stays on its line as itself, anything else in the notation."""
    return value if isinstance(value, str) and value.isprintable() else render(value)
