"""How scripts ended, in lines for a person who has nothing else to look at. Pure.

The one rule: the place comes first, as editors and log viewers look for it; and nothing that a child said can
steer a terminal.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChildContinued,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    ChildStopped,
    MessageReceived,
    MessageSent,
    ServerListening,
    StepLate,
)
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.osutil.signals import signal_name
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import Outcome, Status, count_by_status
from tui_ipc.script.report.console import BOLD, DIM, GREEN, RED, YELLOW, Console, Paint, leave_plain
from tui_ipc.script.report.passthrough import Passthrough, visible
from tui_ipc.text.notation import render_value
from tui_ipc.text.units import format_count, format_plural

_UNEXPECTED: Final = 3  # messages that are shown
_SHOWN: Final = 100  # characters of each
_COLOURS: Final = {"expected": GREEN, "received": RED, "stderr": DIM}  # of details, by their titles


def describe_outcome(outcome: Outcome, paint: Paint = leave_plain) -> list[str]:
    """How one script ended.

    Args:
        outcome: Of the script.
        paint: How to give a text a colour.
    """
    name = outcome.name
    time = f"{outcome.seconds:.2f} s"
    match outcome.status:
        case Status.PASSED:
            passed = f"{format_plural(outcome.passed, 'step')} {paint('passed', GREEN)} in {time}"
            lines = [f"{name}: {passed}", *_describe_unexpected(outcome)]
        case Status.NOT_RUN:
            lines = [f"{name}: {paint('not run', YELLOW)}"]
        case _:
            lines = (
                [paint(f"{outcome.location}: {visible(outcome.sentence)}", BOLD)] if outcome.sentence else []
            )
            lines += [_format_detail(title, text, paint) for title, text in outcome.details]
    if outcome.recording is not None:
        lines.append(_describe_recording(name, outcome.recording))
    if outcome.sentence and outcome.code != ExitCode.NO_HANDSHAKE:  # else no step was begun
        steps = f"{format_count(outcome.passed)} of {format_plural(outcome.total, 'step')}"
        word = paint("FAILED" if outcome.status is Status.FAILED else "INTERRUPTED", RED)
        lines.append(f"{name}: {word} after {steps} in {time}")
    if outcome.complaint:
        lines.append(f"{name}: {visible(outcome.complaint)}")
    return lines


def describe_totals(outcomes: Sequence[Outcome], paint: Paint = leave_plain) -> str:
    """How several scripts ended, in a line."""
    colours = {Status.PASSED: GREEN, Status.FAILED: RED, Status.INTERRUPTED: RED, Status.NOT_RUN: YELLOW}
    parts = [
        paint(f"{number} {status}", colours[status])
        for status, number in count_by_status(outcomes).items()
        if number
    ]
    seconds = sum(outcome.seconds for outcome in outcomes)
    return f"{format_plural(len(outcomes), 'script')}: {', '.join(parts)} in {seconds:.2f} s"


def _format_detail(title: str, text: str, paint: Paint) -> str:
    shown = visible(text)
    return f"  {title:<9} {paint(shown, _COLOURS[title]) if title in _COLOURS else shown}"


def _describe_recording(name: str, recording: str) -> str:
    import shlex

    shown = f"tui-ipc --replay {visible(shlex.quote(recording))}"
    return f"{name}: recorded in {visible(recording)}; {shown} shows it"


def _describe_unexpected(outcome: Outcome) -> list[str]:
    """What came that no step took: no failure, but worth a look."""
    shown = [
        f"{outcome.name}: message #{message.number} was not expected: {render_value(message.value, _SHOWN)}"
        for message in outcome.unexpected[:_UNEXPECTED]
    ]
    more = outcome.unclaimed - len(shown)
    return [*shown, f"{outcome.name}: and {format_count(more)} more"] if more > 0 else shown


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
        self._printed = Passthrough(self._stdout.encode, visible=self._stdout.terminal, mark=mark)
        stderr = console.stderr
        self._errors = Passthrough(stderr.encode, visible=stderr.terminal, mark="child stderr: ")
        self._name = name
        self._narrated = narrated

    async def tell(self, event: AnyEvent) -> None:
        """Write what an event has to say.

        Raises:
            OutputLostError: Standard output takes nothing more.
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
        if note := describe_remarkable(event):
            await console.line(console.stderr, f"{self._name}: {visible(note)}")
        if self._narrated:
            for line in narrate(event):
                await console.line(self._stdout, line)


def describe_remarkable(event: AnyEvent) -> str:
    """What is worth a look while a run goes on, and no failure; empty if an event is none of that."""
    match event:
        case StepLate():
            return event.sentence
        case ChildStopped():
            return f"{signal_name(event.signal)} stopped the child; it does nothing until it is continued"
        case ChildContinued():
            return "the child goes on"
        case Audit() if not event.clean:
            return f"left behind: {' · '.join(describe_leftovers(event))}"
        case _:
            return ""


def narrate(event: AnyEvent) -> tuple[str, ...]:
    """What the parent says about an event, in the words of the example that this project grew from."""
    match event:
        case ServerListening():
            return (STARTED, f"One Shot Server name - Parent: {event.name}")
        case ChildSpawned():
            return (f"Child process ID: {event.pid}",)
        case MessageReceived():
            return (f"Received from child: {_show_value(event.value)}",)
        case ChildExited():
            return ("Child process finished.",)
        case _:
            return ()


def _show_value(value: Any) -> str:
    """A string that stays on its line as itself, anything else in the notation."""
    return value if isinstance(value, str) and value.isprintable() else render_value(value)


class Reporter(Protocol):
    """Told of each thing in its order. Each call raises ``OutputLostError`` if it cannot be told on."""

    async def begin(self, scripts: Sequence[Script], /) -> None:
        """These scripts will be run."""

    async def begin_script(self, script: Script, command: Sequence[str], total: int, /) -> None:
        """A script begins, with a child of that command; so many steps are due."""

    async def tell(self, event: AnyEvent) -> None:
        """Something happened in the script that is run."""

    async def end_script(self, outcome: Outcome) -> None:
        """A script ended, or was not begun at all."""

    async def end(self, outcomes: Sequence[Outcome]) -> None:
        """All is over."""


class TextReporter:
    """Tells people: what the child prints, and on standard error how each script ended.

    Args:
        console: Where to.
        narrated: Whether the built-in conversation is run, in which the parent has words of its own, and
            success needs none.
        taken: Whether standard output belongs to somebody else.
    """

    def __init__(self, console: Console, *, narrated: bool, taken: bool) -> None:
        self._console = console
        self._narrated = narrated
        self._taken = taken
        self._transcript: Transcript | None = None

    async def begin(self, _scripts: Sequence[Script]) -> None:
        """There is nothing to say yet."""

    async def begin_script(self, script: Script, _command: Sequence[str], _total: int) -> None:
        """Be ready to tell what happens."""
        console = self._console
        self._transcript = Transcript(console, name=script.name, narrated=self._narrated, taken=self._taken)

    async def tell(self, event: AnyEvent) -> None:
        """Tell what the child prints, and what is worth a look."""
        if self._transcript is not None:
            await self._transcript.tell(event)

    async def end_script(self, outcome: Outcome) -> None:
        """Tell how it ended."""
        if self._narrated and outcome.code == ExitCode.PASSED:
            return
        for line in describe_outcome(outcome, self._console.paint):
            await self._console.line(self._console.stderr, line)

    async def end(self, outcomes: Sequence[Outcome]) -> None:
        """Sum up, if there is a sum."""
        if len(outcomes) > 1:
            await self._console.line(self._console.stderr, describe_totals(outcomes, self._console.paint))
