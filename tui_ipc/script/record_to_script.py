"""What of a message is known to differ from run to run of a child. Pure.

The one rule: a hole stands only where the events show why. What a child merely may say otherwise, as a clock
or a random number, is for a person to find.
"""

import asyncio
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from signal import SIGKILL, SIGTERM
from typing import Any, Final, TypeGuard

from tui_ipc import events as ev
from tui_ipc.events.message_values import HANDLE_TEXTS
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.ipc.hello import QUIT
from tui_ipc.osutil.signals import signal_name
from tui_ipc.recording.codec import RecordingError, open_recording
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
    write_script,
)
from tui_ipc.script.output import OutputLostError, OutputStream, write_stderr
from tui_ipc.script.print_recording import describe_truncation
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND
from tui_ipc.text.notation import render_value
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE
from tui_ipc.text.safe_text import make_visible

PID: Final = "pid"
"""The key under which a number that is the child's process id is taken for that."""


class VolatileValues:
    """Makes patterns of the messages of a session, run by run.

    Attributes:
        found: Whether any message had something that differs.
    """

    def __init__(self) -> None:
        self.found = False
        self._pid: int | None = None
        self._server: str | None = None

    def begin(self, run: Sequence[ev.AnyEvent]) -> None:
        """Learn what is the mark of one run: its child's process id, and the name of its server."""
        self._pid = next((event.pid for event in run if isinstance(event, ev.ChildSpawned)), None)
        self._server = next((event.name for event in run if isinstance(event, ev.ServerListening)), None)

    def pattern(self, message: ev.MessageReceived) -> Any:
        """What to expect instead of a message. Does not recurse: it may nest deeply."""
        outermost = {None: message.value}
        unseen: list[tuple[Any, Any]] = [(outermost, None)]
        while unseen:
            container, key = unseen.pop()
            item = container[key]
            if isinstance(item, list):
                container[key] = items = list(item)
                unseen += ((items, index) for index in range(len(items)))
            elif isinstance(item, dict):
                container[key] = entries = dict(item)
                unseen += ((entries, each) for each in entries)
            elif self._differs(key, item, message.raw):
                self.found = True
                # In an array ... would stand for any number of items.
                container[key] = ANY_VALUE if isinstance(container, list) else ANY_REST
        return outermost[None]

    def _differs(self, key: Any, item: Any, raw: bytes) -> bool:
        if isinstance(item, str):
            handle = item in HANDLE_TEXTS and item.encode() not in raw  # a string would be there as it is
            return handle or bool(self._server and self._server in item)
        return type(item) is int and item == self._pid and key == PID


DEFAULT_TIMEOUT: Final = 5.0
"""Seconds that a script and a handshake wait where nothing else is said. What took more than half of them
gets twice what it took."""

MAX_PAUSE: Final = 2.0
"""Seconds of a pause before a signal that are kept: a child has done in them what it does by itself."""

SHOWN: Final = 200
"""Characters of a message in a comment."""

Piece = Step | str
"""A step, or the text of a comment."""


def convert_events_to_script(
    events: Iterable[ev.AnyEvent],
    command: Sequence[str],
    *,
    first_missing: bool = False,
    source: str = "the explorer",
) -> str:
    """Write the script that has a session happen again.

    Args:
        events: Those of one session, in their order.
        command: What was run, as it was asked for.
        first_missing: Whether the oldest events were not kept.
        source: Where the events are from, for people.

    Returns:
        A script for the same child, with comments. It passes at once if the child answers the same.
    """
    runs: dict[int, list[ev.AnyEvent]] = {}
    for event in events:
        if not isinstance(event, ev.ChildOutput):
            runs.setdefault(event.run, []).append(event)
    variation = VolatileValues()
    conversation = list(_run_pieces(list(runs.values()), variation))
    heading: list[Piece] = [f"Saved from {source}."]
    if first_missing:
        heading.append("The beginning is missing: it was not kept. What follows may depend on it.")
    if variation.found:
        heading.append("... and {{_}} stand for what differs in each run: a handle, a pid, a server's name.")
    heading.append(_usage_comment(runs))
    blocks = (heading, _spawn_pieces(command), *conversation)
    return "\n".join("".join(map(_write_piece, block)) for block in blocks if block)


def _write_piece(piece: Piece) -> str:
    if isinstance(piece, str):
        return f"# {make_visible(piece)}\n"
    text = write_script(Script("", (piece,)))
    if isinstance(piece, Send | Expect):  # what was a message can be written
        return text
    try:
        parse_script(text)
    except ScriptSyntaxError as error:  # a recording may claim anything
        return f"# {make_visible(text.strip())}: {make_visible(error.sentence)}\n"
    return text


def _usage_comment(runs: dict[int, list[ev.AnyEvent]]) -> str:
    """How to run the script; the time that a handshake may take is none of its steps."""
    patience = max((_timeout_for(_handshake_nanoseconds(run)) or 0 for run in runs.values()), default=0)
    return "Run it with: tui-ipc --script FILE" + (f" --timeout {patience:.0f}" if patience else "")


def _handshake_nanoseconds(run: list[ev.AnyEvent]) -> int:
    """Nanoseconds that the handshake took, 0 if the events do not tell."""
    begun = next((event.at for event in run if isinstance(event, ev.ChildSpawned)), None)
    ended = next((event.at for event in run if isinstance(event, ev.ChannelsOpen)), None)
    return 0 if begun is None or ended is None else ended - begun


def _spawn_pieces(command: Sequence[str]) -> list[Piece]:
    """How the child is started: the built-in one is what a script has if it says nothing."""
    if tuple(command[1:]) == BUILTIN_CHILD_COMMAND[1:]:
        return []
    if not command:
        return ["What was run is not known; give the child's command behind --."]
    return [Spawn(tuple(command))]


def _run_pieces(runs: list[list[ev.AnyEvent]], variation: VolatileValues) -> Iterator[list[Piece]]:
    """A block for each run, and one for each restart."""
    begun = False
    for run in runs:
        failure = next((event for event in run if isinstance(event, ev.HandshakeFailed)), None)
        if failure is not None:
            yield [f"Run {failure.run} is left out, as its handshake failed: {failure.sentence}"]
            continue
        if begun:
            yield [Restart()]
        begun = True
        variation.begin(run)
        talk, rest = _split_at_quit(run)
        yield list(_exchange_pieces(talk, variation))
        yield list(_end_pieces(run, rest, variation))


def _split_at_quit(run: list[ev.AnyEvent]) -> tuple[list[ev.AnyEvent], list[ev.AnyEvent]]:
    """What happened up to the ``"quit"`` behind which we did nothing more, and from there on."""
    for place in reversed(range(len(run))):
        match run[place]:
            case ev.MessageSent(value=value) if value == QUIT:
                return run[:place], run[place:]
            case ev.MessageSent() | ev.SignalSent(reason=ev.USER_REQUESTED):
                break
            case _:
                pass
    return run, []


def _exchange_pieces(events: list[ev.AnyEvent], variation: VolatileValues) -> Iterator[Piece]:
    """What passed between the child and us."""
    opened = next((event.at for event in events if isinstance(event, ev.ChannelsOpen)), 0)
    heard = passed = opened
    for event in events:
        match event:
            case ev.MessageSent(value=bytes(data), raw=raw) if data == raw:
                yield SendRaw(data)
            case ev.MessageSent():
                yield Send(event.value)
            case ev.MessageReceived():
                waited = event.at - heard if event.elapsed is None else event.elapsed
                heard = event.at
                yield Expect(variation.pattern(event), _timeout_for(waited))
            case ev.SignalSent(reason=ev.USER_REQUESTED) if event.at < opened:
                yield f"In the handshake, when no script can, {signal_name(event.signal)} was sent."
            case ev.SignalSent(reason=ev.USER_REQUESTED):
                yield from _sleep_steps(event.at - passed)
                yield Signal(event.signal)
            case ev.Fault():
                yield f"The child broke the protocol: {event.sentence}"
            case _:
                pass
        if isinstance(event, _ACTIVITY):
            passed = event.at


def _end_pieces(
    run: list[ev.AnyEvent], farewell: list[ev.AnyEvent], variation: VolatileValues
) -> Iterator[Piece]:
    """How the child ended, if it did.

    Args:
        run: All that happened.
        farewell: The end of it, from the ``"quit"`` that ends the child on; empty if that was not said.
        variation: Makes patterns of messages.
    """
    last_words = [event for event in farewell if isinstance(event, ev.MessageReceived)]
    exited = next((event for event in run if isinstance(event, ev.ChildExited)), None)
    before = run if exited is None else run[: run.index(exited)]
    forced = next((event for event in before if _is_forced_end(event)), None)
    told = any(isinstance(event, ev.MessageSent) and event.value == QUIT for event in run)
    if forced is not None:
        yield f"{forced.reason}: {signal_name(forced.signal)} ended it."
    if forced is not None and exited is not None and exited.code is not None:  # for quit that is a failure
        yield from [Send(QUIT)] if farewell else []
        yield Signal(forced.signal)
    elif forced is not None or told:
        yield Quit()
        if not _has_unasked_messages(run[: len(run) - len(farewell)]):
            yield from (Expect(variation.pattern(event)) for event in last_words)
            last_words = []
    elif exited is not None:
        yield from _timeout_steps(exited, before)
    if exited is not None and exited.code is not None:
        yield ExpectExit(exited.code)
    if exited is not None and exited.signal is not None:
        yield ExpectSignal(exited.signal)
    for event in run:
        if isinstance(event, ev.Audit):
            yield ExpectClean() if event.clean else f"It left behind: {', '.join(describe_leftovers(event))}"
    for event in last_words:  # in another run it may come before, or not any more
        yield f'After "quit" came {render_value(event.value, SHOWN)}'


def _has_unasked_messages(events: list[ev.AnyEvent]) -> bool:
    """Whether a message came that answers none, so that another one may come at any time."""
    return any(isinstance(event, ev.MessageReceived) and event.answers is None for event in events)


def _timeout_steps(exited: ev.ChildExited, before: list[ev.AnyEvent]) -> Iterator[Step]:
    """More time for a child that ended by itself, if it took much."""
    since = max((event.at for event in before if isinstance(event, _ACTIVITY)), default=exited.at)
    if patience := _timeout_for(exited.at - since):
        yield Timeout(patience)


def _is_forced_end(event: ev.AnyEvent) -> TypeGuard[ev.SignalSent]:
    """Whether an event is a signal of ours that ends the child."""
    return (
        isinstance(event, ev.SignalSent)
        and event.reason != ev.USER_REQUESTED
        and event.signal in (SIGTERM, SIGKILL)
    )


_ACTIVITY: Final = (ev.ChannelsOpen, ev.MessageSent, ev.MessageReceived, ev.SignalSent)
"""What a child may wait for before it ends."""


def _sleep_steps(waited: int) -> Iterator[Step]:
    """The time that passed before a signal: it meets a child in the middle of whatever it does."""
    seconds = min(round(waited / 1e9, 1), MAX_PAUSE)
    if seconds > 0:
        yield Sleep(seconds)


def _timeout_for(waited: int) -> float | None:
    """How long a script should wait for what took so many nanoseconds, None where the usual time will do."""
    seconds = min(2 * waited / 1e9, MAX_DURATION)
    return float(ceil(seconds)) if seconds > DEFAULT_TIMEOUT else None


def run_record_to_script(recording: str, file: str) -> int:
    """Write the script that has a recorded session happen again.

    Args:
        recording: The recording's file.
        file: A file that does not exist yet, ``-`` for standard output.

    Returns:
        0 once it is written, 2 if there is no recording that can be read, or no place for the script; 128 + N
        after signal N. A recording that breaks off is told and is 0.
    """
    try:
        recorded = open_recording(recording)
        source = f"{recording}, recorded {recorded.began:%Y-%m-%d %H:%M} UTC"
        text = convert_events_to_script(recorded.events(), recorded.command, source=source)
        if file == "-":
            asyncio.run(_print_script(text))
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
    if complaint := describe_truncation(recording, recorded):
        _print_line(complaint)
    return ExitCode.PASSED


async def _print_script(text: str) -> None:
    await OutputStream(sys.stdout).write(text.encode())  # a script is UTF-8, whatever the terminal takes


def _print_line(sentence: str) -> None:
    write_stderr(f"tui-ipc: {make_visible(sentence)}")
