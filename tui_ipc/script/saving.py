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
from tui_ipc.script.scanner import LONGEST
from tui_ipc.script.variation import Variation
from tui_ipc.session import events as ev
from tui_ipc.session.conversation import QUIT
from tui_ipc.session.process import signal_name
from tui_ipc.session.session import BUILT_IN_CHILD
from tui_ipc.session.telling import left_behind

PATIENCE: Final = 5.0
"""Seconds that a script and a handshake wait where nothing else is said. What took more than half of them
gets twice what it took."""

LONGEST_PAUSE: Final = 2.0
"""Seconds of a pause before a signal that are kept: a child has done in them what it does by itself."""

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
    if not isinstance(
        piece, Send | Expect
    ):  # what a message held can be said; what a recording claims may not
        try:
            parse(text)
        except ScriptSyntaxError as error:
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
        yield list(_talk(run, variation))
        yield list(_end(run))


def _talk(run: list[ev.Event], variation: Variation) -> Iterator[Piece]:
    """What passed between the child and us, but for a ``"quit"`` behind which nothing passed."""
    last_word = _last_word(run)
    heard = passed = run[0].at
    for event in run:
        match event:
            case ev.ChannelsOpen():
                heard = event.at
            case ev.MessageSent() if event is last_word:
                pass
            case ev.MessageSent(value=bytes(data), raw=raw) if data == raw:
                yield SendRaw(data)
            case ev.MessageSent():
                yield Send(event.value)
            case ev.MessageReceived():
                waited = event.at - heard if event.elapsed is None else event.elapsed
                heard = event.at
                yield Expect(variation.pattern(event), _patience(waited))
            case ev.SignalSent(reason=ev.ASKED):
                yield from _pause(event.at - passed)
                yield Signal(event.signal)
            case ev.Fault():
                yield f"The child broke the protocol: {event.sentence}"
            case _:
                pass
        if isinstance(event, _PASSING):
            passed = event.at


def _last_word(run: list[ev.Event]) -> ev.MessageSent | None:
    """The ``"quit"`` behind which nothing passed, None if there is none."""
    for event in reversed(run):
        match event:
            case ev.MessageSent() if event.value == QUIT:
                return event
            case ev.MessageSent() | ev.MessageReceived() | ev.SignalSent(reason=ev.ASKED):
                return None
            case _:
                pass
    return None


def _end(run: list[ev.Event]) -> Iterator[Piece]:
    """How the child ended, if it did."""
    place, exited = next(
        ((place, event) for place, event in enumerate(run) if isinstance(event, ev.ChildExited)), (0, None)
    )
    told = any(isinstance(event, ev.MessageSent) and event.value == QUIT for event in run)
    if exited is None:
        yield from [Quit()] if told else []
        return
    before = run[:place]
    forced = next((event for event in before if _forces(event)), None)
    if forced is not None:
        yield f"{forced.reason}: {signal_name(forced.signal)} ended it."
    if forced is not None and exited.code is not None:  # which quit takes for a failure
        yield from [] if _last_word(run) is None else [Send(QUIT)]
        yield Signal(forced.signal)
    elif forced is not None or told:
        yield Quit()
    else:
        yield from _wait(exited, before)
    if exited.code is not None:
        yield ExpectExit(exited.code)
    if exited.signal is not None:
        yield ExpectSignal(exited.signal)
    for event in run:
        if isinstance(event, ev.Audit):
            yield ExpectClean() if event.clean else f"It left behind: {', '.join(left_behind(event))}"


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
