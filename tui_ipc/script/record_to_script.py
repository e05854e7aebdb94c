"""Converts recorded events to a script that makes the session happen again.

A placeholder is written only where the events show why: a handle, the child's process id, the name of its
server. What a child may print differently for other reasons, as a clock or a random number, is for a person
to find.
"""

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from signal import SIGKILL, SIGTERM
from typing import Any, Final, TypeGuard, assert_never

from tui_ipc import events as ev
from tui_ipc.events.message_values import HANDLE_TEXTS
from tui_ipc.events.sentences import describe_event, describe_leftovers
from tui_ipc.ipc.hello import QUIT
from tui_ipc.osutil.signals import signal_name
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.reader import open_recording
from tui_ipc.script import ExitCode
from tui_ipc.script.files import UnwritableScriptError, create_script_file
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import MAX_DURATION, ScriptSyntaxError
from tui_ipc.script.language.steps import (
    Expect,
    ExpectClean,
    ExpectExit,
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
from tui_ipc.script.language.writer import write_script
from tui_ipc.script.output import EndedBySignal, OutputLostError, OutputStream, run_until_signal, write_stderr
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND
from tui_ipc.text.notation import render_value
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE
from tui_ipc.text.safe_text import make_visible

PID: Final = "pid"
"""The key of a map under which a number that equals the child's process id is taken for it."""


class VolatileValues:
    """Finds what in a message differs in each run, and puts placeholders there.

    Attributes:
        found: Whether any message had such a value.
    """

    def __init__(self) -> None:
        self.found = False
        self._pid: int | None = None
        self._server_name: str | None = None

    def begin_run(self, run: Sequence[ev.AnyEvent]) -> None:
        """Take the values of one run: its child's process id, and the name of its server."""
        self._pid = next((event.pid for event in run if isinstance(event, ev.ChildSpawned)), None)
        self._server_name = next((event.name for event in run if isinstance(event, ev.ServerListening)), None)

    def make_pattern(self, message: ev.MessageReceived) -> Any:
        """Make the pattern to expect instead of a message. It does not recurse: messages may nest deeply."""
        outermost = {None: message.value}  # so that the message itself can be replaced like any item of it
        unseen: list[tuple[Any, Any]] = [(outermost, None)]
        while unseen:
            container, key = unseen.pop()
            item = container[key]
            if isinstance(item, list):
                container[key] = items = list(item)  # a copy: the event keeps its value
                unseen += ((items, index) for index in range(len(items)))
            elif isinstance(item, dict):
                container[key] = entries = dict(item)
                unseen += ((entries, each) for each in entries)
            elif self._differs(key, item, message.raw):
                self.found = True
                # In an array "..." would stand for any number of items.
                container[key] = ANY_VALUE if isinstance(container, list) else ANY_REST
        return outermost[None]

    def _differs(self, key: Any, item: Any, raw: bytes) -> bool:
        if isinstance(item, str):
            # A handle is shown as a text that the raw message does not contain; a string would be in it as
            # it is.
            is_handle = item in HANDLE_TEXTS and item.encode() not in raw
            return is_handle or bool(self._server_name and self._server_name in item)
        return type(item) is int and item == self._pid and key == PID


DEFAULT_TIMEOUT: Final = 5.0
"""Seconds that a script and a handshake wait by default. A step that took more than half of them
gets twice what it took."""

MAX_PAUSE: Final = 2.0
"""The longest pause before a signal that is kept; in that time a child has done what it does by itself."""

MAX_VALUE_LENGTH: Final = 200
"""The characters of a message in a comment."""

Piece = Step | str
"""A step, or the text of a comment."""


def convert_events_to_script(
    events: Iterable[ev.AnyEvent],
    command: Sequence[str],
    *,
    first_missing: bool = False,
    source: str = "the explorer",
) -> str:
    """Write the script that makes a session happen again.

    Args:
        events: The events of one session, in their order.
        command: The child's command, without the server name.
        first_missing: Whether the oldest events are missing.
        source: Where the events are from, for people.

    Returns:
        A script with comments, which passes if the child answers the same.
    """
    runs: dict[int, list[ev.AnyEvent]] = {}
    for event in events:
        if not isinstance(event, ev.ChildOutput):
            runs.setdefault(event.run, []).append(event)
    volatile = VolatileValues()
    conversation = list(_convert_runs(list(runs.values()), volatile))
    heading: list[Piece] = [f"Saved from {source}."]
    if first_missing:
        heading.append("The beginning is missing: it was not kept. What follows may depend on it.")
    if volatile.found:
        heading.append("... and {{_}} stand for what differs in each run: a handle, a pid, a server's name.")
    heading.append(_usage_comment(runs))
    blocks = (heading, _convert_command(command), *conversation)
    return "\n".join("".join(map(_write_piece, block)) for block in blocks if block)


def _write_piece(piece: Piece) -> str:
    if isinstance(piece, str):
        return f"# {make_visible(piece)}\n"
    text = write_script(Script("", (piece,)))
    if isinstance(piece, Send | Expect):  # any message can be written
        return text
    try:
        parse_script(text)
    except ScriptSyntaxError as error:  # a recording may claim anything
        return f"# {make_visible(text.strip())}: {make_visible(error.sentence)}\n"
    return text


def _usage_comment(runs: dict[int, list[ev.AnyEvent]]) -> str:
    """Say how to run the script: the time for the handshake is an option, not a step."""
    timeout = max((_choose_timeout(_measure_handshake(run)) or 0 for run in runs.values()), default=0)
    return "Run it with: tui-ipc --script FILE" + (f" --timeout {timeout:.0f}" if timeout else "")


def _measure_handshake(run: list[ev.AnyEvent]) -> int:
    """The nanoseconds that the handshake took, 0 if the events do not show it."""
    spawned = next((event.at for event in run if isinstance(event, ev.ChildSpawned)), None)
    opened = next((event.at for event in run if isinstance(event, ev.ChannelsOpen)), None)
    return 0 if spawned is None or opened is None else opened - spawned


def _convert_command(command: Sequence[str]) -> list[Piece]:
    """Say how the child is started; a script without a command runs the built-in child."""
    if tuple(command[1:]) == BUILTIN_CHILD_COMMAND[1:]:
        return []
    if not command:
        return ["The child's command is not known; give it after --."]
    return [Spawn(tuple(command))]


def _convert_runs(runs: list[list[ev.AnyEvent]], volatile: VolatileValues) -> Iterator[list[Piece]]:
    """Make a block of each run and of each restart."""
    is_first = True
    for run in runs:
        failure = next((event for event in run if isinstance(event, ev.HandshakeFailed)), None)
        if failure is not None:
            yield [f"Run {failure.run} is left out, as its handshake failed: {failure.sentence}"]
            continue
        if not is_first:
            yield [Restart()]
        is_first = False
        volatile.begin_run(run)
        talk, ending = _split_at_quit(run)
        yield list(_convert_conversation(talk, volatile))
        yield list(_convert_end(run, ending, volatile))


def _split_at_quit(run: list[ev.AnyEvent]) -> tuple[list[ev.AnyEvent], list[ev.AnyEvent]]:
    """Split a run before the ``"quit"`` that ended it: the last one, if nothing was sent after it."""
    for index in reversed(range(len(run))):
        event = run[index]
        if isinstance(event, ev.MessageSent):
            return (run[:index], run[index:]) if event.value == QUIT else (run, [])
        if isinstance(event, ev.SignalSent) and event.reason == ev.USER_REQUESTED:
            break
    return run, []


def _convert_conversation(  # noqa: PLR0912 - one branch for each kind of event
    events: list[ev.AnyEvent], volatile: VolatileValues
) -> Iterator[Piece]:
    opened = next((event.at for event in events if isinstance(event, ev.ChannelsOpen)), 0)
    last_received = last_activity = opened
    for event in events:
        match event:
            case ev.MessageSent(channel=int(channel)) | ev.MessageReceived(channel=int(channel)) if channel:
                text = describe_event(event, MAX_VALUE_LENGTH)
                yield f"Left out, a script has the main channel only: {text.word} on {text.detail}"
            case ev.MessageSent(value=bytes(data), raw=raw) if data == raw:
                yield SendRaw(data)
            case ev.MessageSent():
                yield Send(event.value)
            case ev.MessageReceived():
                waited = event.at - last_received if event.elapsed is None else event.elapsed
                last_received = event.at
                yield Expect(volatile.make_pattern(event), _choose_timeout(waited))
            case ev.SignalSent():
                if event.reason == ev.USER_REQUESTED and event.at < opened:
                    yield f"In the handshake, when no script can, {signal_name(event.signal)} was sent."
                elif event.reason == ev.USER_REQUESTED:
                    yield from _make_sleep(event.at - last_activity)
                    yield Signal(event.signal)
            case ev.Fault(ends_channel=False):
                yield f"A message of the child was skipped: {event.sentence}"
            case ev.Note():
                yield f"Note: {event.text}"
            case ev.ScriptStep():
                if event.state == "failed":
                    yield f"Here {event.script} failed at line {event.line}: {event.sentence}"
            case ev.Fault():
                yield f"The child broke the protocol: {event.sentence}"
            case (
                ev.ServerListening()
                | ev.ChildSpawned()
                | ev.ChildConnected()
                | ev.HelloReceived()
                | ev.ChannelsOpen()
                | ev.HandshakeFailed()
                | ev.StepLate()
            ):
                pass  # a script begins after the handshake
            case ev.ChildOutput() | ev.ChildStopped() | ev.ChildContinued():
                pass  # what a child does besides answering is rarely the same in the next run
            case ev.ChannelClosed() | ev.ChildExited() | ev.Audit():
                pass  # see _convert_end
            case _:
                assert_never(event)
        if isinstance(event, _ACTIVITY):
            last_activity = event.at


def _convert_end(
    run: list[ev.AnyEvent], ending: list[ev.AnyEvent], volatile: VolatileValues
) -> Iterator[Piece]:
    """Convert how the child ended, if it did.

    Args:
        run: All events of the run.
        ending: The last of them, from the ``"quit"`` that ended the child on; empty if there was none.
        volatile: Makes patterns of messages.
    """
    last_messages = [event for event in ending if isinstance(event, ev.MessageReceived)]
    exited = next((event for event in run if isinstance(event, ev.ChildExited)), None)
    before_exit = run if exited is None else run[: run.index(exited)]
    forced = next((event for event in before_exit if _is_forced_end(event)), None)
    was_told = any(isinstance(event, ev.MessageSent) and event.value == QUIT for event in run)
    # What makes the child end: a signal, "quit", or the child itself.
    if forced is not None:
        yield f"{forced.reason}: {signal_name(forced.signal)} ended it."
    if forced is not None and exited is not None and exited.code is not None:
        # The child exited upon our signal. A script's "quit" would fail there, so the signal is a step.
        yield from [Send(QUIT)] if ending else []
        yield Signal(forced.signal)
    elif forced is not None or was_told:
        yield Quit()
        if not _has_unasked_messages(run[: len(run) - len(ending)]):
            yield from (Expect(volatile.make_pattern(event)) for event in last_messages)
            last_messages = []
    elif exited is not None:
        yield from _make_end_timeout(exited, before_exit)
    yield from _convert_exit(exited)
    for event in run:
        if isinstance(event, ev.Audit):
            yield ExpectClean() if event.clean else f"It left behind: {', '.join(describe_leftovers(event))}"
    for event in last_messages:  # in another run they may come before "quit", or not at all
        yield f'After "quit" came {render_value(event.value, MAX_VALUE_LENGTH)}'


def _convert_exit(exited: ev.ChildExited | None) -> Iterator[Step]:
    if exited is not None and exited.code is not None:
        yield ExpectExit(exited.code)
    if exited is not None and exited.signal is not None:
        yield ExpectSignal(exited.signal)


def _has_unasked_messages(events: list[ev.AnyEvent]) -> bool:
    """Whether the child sends messages that answer none, so that another one may come at any time."""
    return any(isinstance(event, ev.MessageReceived) and event.answers is None for event in events)


def _make_end_timeout(exited: ev.ChildExited, before_exit: list[ev.AnyEvent]) -> Iterator[Step]:
    """Allow more time for a child that ended by itself, if it took much."""
    since = max((event.at for event in before_exit if isinstance(event, _ACTIVITY)), default=exited.at)
    if timeout := _choose_timeout(exited.at - since):
        yield Timeout(timeout)


def _is_forced_end(event: ev.AnyEvent) -> TypeGuard[ev.SignalSent]:
    """Whether an event is a signal by which the session ends the child."""
    return (
        isinstance(event, ev.SignalSent)
        and event.reason != ev.USER_REQUESTED
        and event.signal in (SIGTERM, SIGKILL)
    )


_ACTIVITY: Final = (ev.ChannelsOpen, ev.MessageSent, ev.MessageReceived, ev.SignalSent)
"""The events after which a child may take its time before it does the next thing."""


def _make_sleep(waited: int) -> Iterator[Step]:
    """Keep the pause before a signal, so that it reaches the child in the middle of the same work."""
    seconds = min(round(waited / 1e9, 1), MAX_PAUSE)
    if seconds > 0:
        yield Sleep(seconds)


def _choose_timeout(waited: int) -> float | None:
    """The seconds to wait for what took so many nanoseconds; None if the default is enough."""
    seconds = min(2 * waited / 1e9, MAX_DURATION)
    return float(ceil(seconds)) if seconds > DEFAULT_TIMEOUT else None


def run_record_to_script(recording: str, file: str) -> int:
    """Write the script that makes a recorded session happen again.

    Args:
        recording: The recording's file.
        file: A file that does not exist yet; ``-`` for standard output.

    Returns:
        0 once it is written, 2 if the recording cannot be read or the script cannot be written, 128 + N after
        signal N. A recording that was cut off is reported and is 0.
    """
    try:
        recorded = open_recording(recording)
        source = f"{recording}, recorded {recorded.began:%Y-%m-%d %H:%M} UTC"
        text = convert_events_to_script(recorded.events(), recorded.command, source=source)
        if file == "-":
            run_until_signal(OutputStream(sys.stdout).write(text.encode()))  # UTF-8, as all scripts are
        else:
            create_script_file(file, text)
            _print_line(f"{file} is written; run it with: tui-ipc --script {shlex.quote(file)}")
    except (RecordingError, UnwritableScriptError) as error:
        _print_line(str(error))
        return ExitCode.USAGE
    except OutputLostError as error:
        if not error.closed:
            _print_line(str(error))
        return error.code
    except EndedBySignal as end:
        return end.code
    for problem in recorded.problems():
        _print_line(problem)
    return ExitCode.PASSED


def _print_line(sentence: str) -> None:
    write_stderr(f"tui-ipc: {make_visible(sentence)}")
