"""What a run has to say while it happens: data on stdout, narration on stderr.

The one rule: stdout holds what the child prints, and in the built-in conversation what the parent says in
between; whatever else there is to say, and what the child says on its stderr, goes to stderr. Where stdout is
taken, by a report or by lines of JSON, all of it goes to stderr.
"""

from typing import Any, Final

from tui_ipc.script.relay import Relay, visible
from tui_ipc.script.reporting.console import Console
from tui_ipc.session.events import (
    Audit,
    ChildContinued,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    ChildStopped,
    Event,
    MessageReceived,
    MessageSent,
    ServerListening,
    StepLate,
)
from tui_ipc.session.notation import render
from tui_ipc.session.process import signal_name
from tui_ipc.session.telling import left_behind

STARTED: Final = "Parent process started"
_MESSAGES: Final = (MessageSent, MessageReceived)


class Transcript:
    """Tells a run while it happens: the child's output, and in the seed's words what the parent sees.

    Args:
        console: Where to.
        name: What our lines on stderr begin with: the script's name.
        narrated: Whether there are words of the parent's.
        taken: Whether stdout belongs to somebody else.
    """

    def __init__(self, console: Console, *, name: str, narrated: bool, taken: bool = False) -> None:
        self._console = console
        self._stdout = console.stderr if taken else console.stdout
        mark = "child stdout: " if taken else ""
        self._printed = Relay(self._stdout.encode, visible=self._stdout.terminal, mark=mark)
        stderr = console.stderr
        self._errors = Relay(stderr.encode, visible=stderr.terminal, mark="child stderr: ")
        self._name = name
        self._narrated = narrated

    async def tell(self, event: Event) -> None:
        """Write what an event has to say.

        Raises:
            SinkLostError: Standard output takes nothing more.
        """
        if isinstance(event, _MESSAGES) and not self._narrated:
            return  # most of what happens, and nothing to say
        console = self._console
        match event:
            case ChildOutput(stream="stdout"):
                await console.write(self._stdout, self._printed.feed(event.data))
            case ChildOutput():
                await console.write(console.stderr, self._errors.feed(event.data))
            case ChildExited():
                await console.write(self._stdout, self._printed.flush())
                await console.write(console.stderr, self._errors.flush())
        if note := remark(event):
            await console.line(console.stderr, f"{self._name}: {visible(note)}")
        if self._narrated:
            for line in words(event):
                await console.line(self._stdout, line)


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


def _plain(value: Any) -> str:
    """A string that stays on its line as itself, anything else in the notation."""
    return value if isinstance(value, str) and value.isprintable() else render(value)
