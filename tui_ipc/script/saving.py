"""A session that happened, as a script that has it happen again. Pure: events in, text out.

The one rule: a script expects what the events tell, in the order in which they tell it, and nothing more.
What no script can say is a comment; what is known to differ in the next run is ``...``.

That order is the only one that is known. Where a child speaks unasked, another run may have another.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil
from signal import SIGKILL, SIGTERM
from typing import Final, TypeGuard

from tui_ipc.script.language import (
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectSignal,
    Quit,
    Restart,
    Script,
    ScriptSyntaxError,
    Send,
    SendRaw,
    Signal,
    Sleep,
    Spawn,
    Step,
    Timeout,
    parse,
    write,
)
from tui_ipc.script.relay import visible
from tui_ipc.script.syntax.scanner import LONGEST
from tui_ipc.script.variation import Variation
from tui_ipc.session import events as ev
from tui_ipc.session.conversation import QUIT
from tui_ipc.session.notation import render
from tui_ipc.session.process import signal_name
from tui_ipc.session.session import BUILT_IN_CHILD
from tui_ipc.session.telling import left_behind

PATIENCE: Final = 5.0
"""Seconds that a script and a handshake wait where nothing else is said. What took more than half of them
gets twice what it took."""

LONGEST_PAUSE: Final = 2.0
"""Seconds of a pause before a signal that are kept: a child has done in them what it does by itself."""

SHOWN: Final = 200
"""Characters of a message in a comment."""

Piece = Step | str
"""A step, or the text of a comment."""


def transcribe(
    events: Iterable[ev.Event],
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
    runs: dict[int, list[ev.Event]] = {}
    for event in events:
        if not isinstance(event, ev.ChildOutput):
            runs.setdefault(event.run, []).append(event)
    variation = Variation()
    conversation = list(_conversation(list(runs.values()), variation))
    heading: list[Piece] = [f"Saved from {source}."]
    if first_missing:
        heading.append("The beginning is missing: it was not kept. What follows may depend on it.")
    if variation.found:
        heading.append("... and {{_}} stand for what differs in each run: a handle, a pid, a server's name.")
    heading.append(_instruction(runs))
    blocks = (heading, _spawn(command), *conversation)
    return "\n".join("".join(map(_written, block)) for block in blocks if block)


def _written(piece: Piece) -> str:
    if isinstance(piece, str):
        return f"# {visible(piece)}\n"
    text = write(Script("", (piece,)))
    if isinstance(piece, Send | Expect):  # what was a message can be written
        return text
    try:
        parse(text)
    except ScriptSyntaxError as error:  # a recording may claim anything
        return f"# {visible(text.strip())}: {visible(error.sentence)}\n"
    return text


def _instruction(runs: dict[int, list[ev.Event]]) -> str:
    """How to run the script; the time that a handshake may take is none of its steps."""
    patience = max((_patience(_climb(run)) or 0 for run in runs.values()), default=0)
    return "Run it with: tui-ipc --script FILE" + (f" --timeout {patience:.0f}" if patience else "")


def _climb(run: list[ev.Event]) -> int:
    """Nanoseconds that the handshake took, 0 if the events do not tell."""
    begun = next((event.at for event in run if isinstance(event, ev.ChildSpawned)), None)
    ended = next((event.at for event in run if isinstance(event, ev.ChannelsOpen)), None)
    return 0 if begun is None or ended is None else ended - begun


def _spawn(command: Sequence[str]) -> list[Piece]:
    """How the child is started: the built-in one is what a script has if it says nothing."""
    if tuple(command[1:]) == BUILT_IN_CHILD[1:]:
        return []
    if not command:
        return ["What was run is not known; give the child's command behind --."]
    return [Spawn(tuple(command))]


def _conversation(runs: list[list[ev.Event]], variation: Variation) -> Iterator[list[Piece]]:
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
        talk, rest = _parted(run)
        yield list(_talk(talk, variation))
        yield list(_end(run, rest, variation))


def _parted(run: list[ev.Event]) -> tuple[list[ev.Event], list[ev.Event]]:
    """What happened up to the ``"quit"`` behind which we did nothing more, and from there on."""
    for place in reversed(range(len(run))):
        match run[place]:
            case ev.MessageSent(value=value) if value == QUIT:
                return run[:place], run[place:]
            case ev.MessageSent() | ev.SignalSent(reason=ev.ASKED):
                break
            case _:
                pass
    return run, []


def _talk(events: list[ev.Event], variation: Variation) -> Iterator[Piece]:
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
                yield Expect(variation.pattern(event), _patience(waited))
            case ev.SignalSent(reason=ev.ASKED) if event.at < opened:
                yield f"In the handshake, when no script can, {signal_name(event.signal)} was sent."
            case ev.SignalSent(reason=ev.ASKED):
                yield from _pause(event.at - passed)
                yield Signal(event.signal)
            case ev.Fault():
                yield f"The child broke the protocol: {event.sentence}"
            case _:
                pass
        if isinstance(event, _PASSING):
            passed = event.at


def _end(run: list[ev.Event], farewell: list[ev.Event], variation: Variation) -> Iterator[Piece]:
    """How the child ended, if it did.

    Args:
        run: All that happened.
        farewell: The end of it, from the ``"quit"`` that ends the child on; empty if that was not said.
        variation: Makes patterns of messages.
    """
    last_words = [event for event in farewell if isinstance(event, ev.MessageReceived)]
    exited = next((event for event in run if isinstance(event, ev.ChildExited)), None)
    before = run if exited is None else run[: run.index(exited)]
    forced = next((event for event in before if _forces(event)), None)
    told = any(isinstance(event, ev.MessageSent) and event.value == QUIT for event in run)
    if forced is not None:
        yield f"{forced.reason}: {signal_name(forced.signal)} ended it."
    if forced is not None and exited is not None and exited.code is not None:  # for quit that is a failure
        yield from [Send(QUIT)] if farewell else []
        yield Signal(forced.signal)
    elif forced is not None or told:
        yield Quit()
        if not _speaks_unasked(run[: len(run) - len(farewell)]):
            yield from (Expect(variation.pattern(event)) for event in last_words)
            last_words = []
    elif exited is not None:
        yield from _wait(exited, before)
    if exited is not None and exited.code is not None:
        yield ExpectExit(exited.code)
    if exited is not None and exited.signal is not None:
        yield ExpectSignal(exited.signal)
    for event in run:
        if isinstance(event, ev.Audit):
            yield ExpectClean() if event.clean else f"It left behind: {', '.join(left_behind(event))}"
    for event in last_words:  # in another run it may come before, or not any more
        yield f'After "quit" came {render(event.value, SHOWN)}'


def _speaks_unasked(events: list[ev.Event]) -> bool:
    """Whether a message came that answers none, so that another one may come at any time."""
    return any(isinstance(event, ev.MessageReceived) and event.answers is None for event in events)


def _wait(exited: ev.ChildExited, before: list[ev.Event]) -> Iterator[Step]:
    """More time for a child that ended by itself, if it took much."""
    since = max((event.at for event in before if isinstance(event, _PASSING)), default=exited.at)
    if patience := _patience(exited.at - since):
        yield Timeout(patience)


def _forces(event: ev.Event) -> TypeGuard[ev.SignalSent]:
    """Whether an event is a signal of ours that ends the child."""
    return (
        isinstance(event, ev.SignalSent) and event.reason != ev.ASKED and event.signal in (SIGTERM, SIGKILL)
    )


_PASSING: Final = (ev.ChannelsOpen, ev.MessageSent, ev.MessageReceived, ev.SignalSent)
"""What a child may wait for before it ends."""


def _pause(waited: int) -> Iterator[Step]:
    """The time that passed before a signal: it meets a child in the middle of whatever it does."""
    seconds = min(round(waited / 1e9, 1), LONGEST_PAUSE)
    if seconds > 0:
        yield Sleep(seconds)


def _patience(waited: int) -> float | None:
    """How long a script should wait for what took so many nanoseconds, None where the usual time will do."""
    seconds = min(2 * waited / 1e9, LONGEST)
    return float(ceil(seconds)) if seconds > PATIENCE else None
