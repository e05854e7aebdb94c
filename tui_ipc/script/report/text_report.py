"""Reports to people: what the children print while scripts run, and how each script ended.

A line about a failure begins with ``name:line``, as editors and log viewers look for it. Nothing that a child
wrote can steer a terminal.
"""

from collections.abc import Sequence
from typing import Any, Final, Protocol, assert_never

from tui_ipc import events as ev
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.osutil.signals import signal_name
from tui_ipc.script import ExitCode
from tui_ipc.script.language.steps import Script
from tui_ipc.script.outcome import Outcome, Status, count_by_status, describe_attempts
from tui_ipc.script.output import BOLD, DIM, GREEN, RED, YELLOW, Console, Paint, leave_plain
from tui_ipc.script.report.passthrough import HeldOutput, Passthrough
from tui_ipc.text.notation import render_value
from tui_ipc.text.safe_text import has_hidden, make_visible
from tui_ipc.text.units import format_count, format_plural, format_size

_MAX_UNEXPECTED: Final = 3  # messages that are shown
_MAX_VALUE_LENGTH: Final = 100  # characters of each
_COLOURS: Final = {"expected": GREEN, "received": RED, "stderr": DIM}  # of details, by title


def describe_outcome(outcome: Outcome, paint: Paint = leave_plain) -> list[str]:
    """Describe how one script ended, in lines.

    Args:
        outcome: How it ended.
        paint: How to give a text a colour.
    """
    name = outcome.name
    time = f"{outcome.seconds:.2f} s"
    match outcome.status:
        case Status.PASSED | Status.FLAKY:
            steps = f"{format_plural(outcome.passed, 'step')} {paint('passed', GREEN)}"
            lines = [f"{name}: {steps} in {time}", *_describe_unexpected(outcome)]
            if outcome.status is Status.FLAKY:
                lines.append(f"{name}: {paint(make_visible(describe_attempts(outcome)), YELLOW)}")
        case Status.NOT_RUN:
            lines = [f"{name}: {paint('not run', YELLOW)}"]
        case Status.FAILED | Status.INTERRUPTED:
            lines = describe_failure(outcome, paint)
        case _:
            assert_never(outcome.status)
    if outcome.recording is not None:
        lines.append(_describe_recording(name, outcome.recording))
    if outcome.code == ExitCode.USAGE and not outcome.total:
        lines.append(f"{name}: {paint('FAILED', RED)} before its first step")
    elif outcome.sentence:
        steps = f"{format_count(outcome.passed)} of {format_plural(outcome.total, 'step')}"
        word = paint("FAILED" if outcome.status is Status.FAILED else "INTERRUPTED", RED)
        lines.append(f"{name}: {word} after {steps} in {time}")
    if outcome.complaint:
        lines.append(f"{name}: {make_visible(outcome.complaint)}")
    if outcome.rewritten:
        sentence, *difference = outcome.rewritten
        lines += [f"{name}: {sentence}", *(f"  {_paint_change(line, paint)}" for line in difference)]
    return lines


def _paint_change(line: str, paint: Paint) -> str:
    """A line of a difference, what was there in red and what is there now in green."""
    shown = make_visible(line)
    colour = {"-": RED, "+": GREEN}.get(line[:1])
    return shown if colour is None else paint(shown, colour)


def describe_failure(outcome: Outcome, paint: Paint = leave_plain) -> list[str]:
    """Describe where and why a script stopped, in lines."""
    lines = []
    if outcome.sentence:
        lines.append(paint(f"{outcome.location}: {make_visible(outcome.sentence)}", BOLD))
    return lines + [format_detail(title, text, paint) for title, text in outcome.details]


def describe_totals(outcomes: Sequence[Outcome], seconds: float, paint: Paint = leave_plain) -> str:
    """Describe how several scripts ended, and in which time, in one line."""
    colours = {
        Status.PASSED: GREEN,
        Status.FLAKY: YELLOW,
        Status.FAILED: RED,
        Status.INTERRUPTED: RED,
        Status.NOT_RUN: YELLOW,
    }
    parts = [
        paint(f"{number} {status}", colours[status])
        for status, number in count_by_status(outcomes).items()
        if number
    ]
    return f"{format_plural(len(outcomes), 'script')}: {', '.join(parts)} in {seconds:.2f} s"


def format_detail(title: str, text: str, paint: Paint = leave_plain) -> str:
    """Write a detail as a line."""
    shown = make_visible(text)
    return f"  {title:<9} {paint(shown, _COLOURS[title]) if title in _COLOURS else shown}"


def _describe_recording(name: str, recording: str) -> str:
    import shlex

    shown = f"tui-ipc --replay {make_visible(shlex.quote(recording))}"
    return f"{name}: recorded in {make_visible(recording)}; {shown} shows it"


def _describe_unexpected(outcome: Outcome) -> list[str]:
    """Show the messages that no step took: they are not a failure."""
    name = outcome.name
    shown = []
    for message in outcome.unexpected[:_MAX_UNEXPECTED]:
        value = render_value(message.value, _MAX_VALUE_LENGTH)
        shown.append(f"{name}: message #{message.number} was not expected: {value}")
    more = outcome.unclaimed - len(shown)
    return [*shown, f"{name}: and {format_count(more)} more"] if more > 0 else shown


class Reporter(Protocol):
    """Receives each thing that happens, in order. Each call raises ``OutputLostError`` if it cannot be
    written.
    """

    async def begin(self, names: Sequence[str], /) -> None:
        """Report the names of the scripts that will be run."""

    async def begin_script(self, number: int, script: Script, command: Sequence[str], total: int, /) -> None:
        """Report that a script of so many steps begins, with a child of that command; from 1 they are
        numbered.
        """

    async def report_event(self, event: ev.AnyEvent) -> None:
        """Report an event of the script that runs."""

    async def retry_script(self, number: int, outcome: Outcome, text: str, /) -> None:
        """Report that an attempt to run a script failed, and which retry begins next."""

    async def end_script(self, number: int, outcome: Outcome, /) -> None:
        """Report how a script ended; one that was not run, or is faulty, did not begin."""

    async def end(self, outcomes: Sequence[Outcome], seconds: float, /) -> None:
        """Report that all scripts have ended, and after how long."""


class TextReporter:
    """Reports to people: what the children print, and on standard error how each script ended.

    Args:
        console: Where to.
        is_builtin: Whether the built-in script is run: its parent prints lines of its own, and nothing is
            said of its success.
        stdout_taken: Whether standard output is used by another report, so that all goes to standard error.
        quiet: Whether to show what a child prints only if its script fails; the end of it, if it is long.
    """

    def __init__(
        self, console: Console, *, is_builtin: bool, stdout_taken: bool, quiet: bool = False
    ) -> None:
        self._quiet = quiet
        self._held = HeldOutput()
        self._console = console
        self._is_builtin = is_builtin
        self._name = ""
        self._out = console.stderr if stdout_taken else console.stdout
        self._stdout_mark = "child stdout: " if stdout_taken else ""
        self._begin_child_output()

    def _begin_child_output(self) -> None:
        stderr = self._console.stderr
        self._child_stdout = Passthrough(
            self._out.encode, for_terminal=self._out.terminal, mark=self._stdout_mark
        )
        self._child_stderr = Passthrough(stderr.encode, for_terminal=stderr.terminal, mark="child stderr: ")
        self._held = HeldOutput()

    async def begin(self, _names: Sequence[str]) -> None:
        """Report nothing yet."""

    async def begin_script(self, _number: int, script: Script, _command: Sequence[str], _total: int) -> None:
        """Begin with the output of the script's child."""
        self._name = script.name
        self._begin_child_output()

    async def report_event(self, event: ev.AnyEvent) -> None:
        """Write what the child prints, and what is worth a look while the script runs."""
        if isinstance(event, ev.MessageSent | ev.MessageReceived) and not self._is_builtin:
            return  # most events are messages, which are not reported
        console = self._console
        if isinstance(event, ev.ChildOutput):
            if self._quiet:
                self._held.add(event)
            else:
                await self._write_output(event)
        elif isinstance(event, ev.ChildExited):
            await self._flush_output()
        if note := describe_remarkable_event(event):
            await console.line(console.stderr, f"{self._name}: {make_visible(note)}")
        if self._is_builtin:
            for line in describe_builtin_event(event):
                await console.line(self._out, line)

    async def _write_output(self, event: ev.ChildOutput) -> None:
        if event.stream == "stdout":
            await self._console.write(self._out, self._child_stdout.feed(event.data))
        else:
            await self._console.write(self._console.stderr, self._child_stderr.feed(event.data))

    async def _flush_output(self) -> None:
        await self._console.write(self._out, self._child_stdout.flush())
        await self._console.write(self._console.stderr, self._child_stderr.flush())

    async def _write_held_output(self) -> None:
        if not self._held.events:
            return
        if self._held.dropped:
            left_out = f"{format_size(self._held.dropped)} that the child printed before are left out"
            await self._console.line(self._console.stderr, f"{self._name}: {left_out}")
        for event in self._held.events:
            await self._write_output(event)
        await self._flush_output()

    async def retry_script(self, _number: int, outcome: Outcome, text: str) -> None:
        """Say how the attempt failed, and that another one begins."""
        await self._write_held_output()
        lines = describe_outcome(outcome, self._console.paint)
        for line in (*lines, f"{outcome.name}: {self._console.paint(text, YELLOW)}"):
            await self._console.line(self._console.stderr, line)

    async def end_script(self, _number: int, outcome: Outcome) -> None:
        """Say how the script ended."""
        if self._is_builtin and outcome.code == ExitCode.PASSED:
            return
        if outcome.code and outcome.status is not Status.NOT_RUN:
            await self._write_held_output()
        self._held = HeldOutput()
        for line in describe_outcome(outcome, self._console.paint):
            await self._console.line(self._console.stderr, line)

    async def end(self, outcomes: Sequence[Outcome], seconds: float) -> None:
        """Sum up several scripts."""
        if len(outcomes) > 1:
            totals = describe_totals(outcomes, seconds, self._console.paint)
            await self._console.line(self._console.stderr, totals)


def describe_remarkable_event(event: ev.AnyEvent) -> str:
    """Describe an event that is worth a look while a script runs; empty for all others."""
    match event:
        case ev.StepLate():
            return event.sentence
        case ev.ChildStopped():
            return f"{signal_name(event.signal)} stopped the child; it does nothing until it is continued"
        case ev.ChildContinued():
            return "the child goes on"
        case ev.Audit():
            left = "" if event.clean else f"left behind: {' · '.join(describe_leftovers(event))}"
            return " · ".join(filter(None, (left, event.unmatched)))
        case (
            ev.ServerListening()
            | ev.ChildSpawned()
            | ev.ChildConnected()
            | ev.HelloReceived()
            | ev.ChannelsOpen()
        ):
            return ""  # a handshake that succeeds
        case ev.MessageSent() | ev.MessageReceived() | ev.ChildOutput() | ev.ChannelClosed():
            return ""  # what the script is about
        case ev.SignalSent() | ev.ChildExited():
            return ""  # what the script asks for, or the outcome says
        case ev.ScriptStep() | ev.Note():
            return ""  # they are only recorded
        case ev.HandshakeFailed() | ev.Fault():
            return ""  # the outcome says it
        case _:
            assert_never(event)


STARTED: Final = "Parent process started"
"""The first line that the parent prints in the built-in script."""


def describe_builtin_event(event: ev.AnyEvent) -> tuple[str, ...]:
    """The lines that the parent prints about an event in the built-in script, as in the Rust example."""
    match event:
        case ev.ServerListening():
            return (STARTED, f"One Shot Server name - Parent: {event.name}")
        case ev.ChildSpawned():
            return (f"Child process ID: {event.pid}",)
        case ev.MessageReceived():
            return (f"Received from child: {_show_value(event.value)}",)
        case ev.ChildExited():
            return ("Child process finished.",)
        case _:
            return ()  # the example prints nothing else, whatever kinds of events there are


def _show_value(value: Any) -> str:
    """A string that fits on its line as it is, any other value in the notation."""
    return value if isinstance(value, str) and not has_hidden(value) else render_value(value)
