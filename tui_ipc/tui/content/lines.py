"""What the log says about an event: one line each, in the columns time, mark, words, latency, size.

The one rule: the words are :mod:`tui_ipc.session.telling`'s; here they become columns and colours.
"""

from tui_ipc.session.events import (
    ChannelsOpen,
    ChildConnected,
    ChildSpawned,
    Event,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
)
from tui_ipc.session.telling import Telling, told
from tui_ipc.session.units import clock, duration, size
from tui_ipc.tui.content.line import Line, Span
from tui_ipc.tui.content.sanitize import visible

VALUE_LIMIT = 500
"""How many characters of a message's notation a log line holds."""

LATENCY_WIDTH = 9
SIZE_WIDTH = 10
STEP_WIDTH = 10


def log_line(event: Event, since: int | None = None) -> Line:
    """Return the log's line about an event.

    Args:
        event: What happened; its text is sanitised here.
        since: For a step of the handshake, the nanoseconds since the step before it.
    """
    said = told(event, VALUE_LIMIT)
    match event:
        case MessageSent():
            return _message(event, said, "sent", "")
        case MessageReceived():
            latency = duration(event.elapsed) if event.elapsed is not None else ""
            return _message(event, said, "received", latency)
        case ServerListening() | ChildSpawned() | ChildConnected() | ChannelsOpen():
            return _step(event, since, said, "")
        case HelloReceived():
            return _step(event, since, said, size(len(event.raw)))
        case _:
            return _said(event, said)


def rule(run: int) -> Line:
    """The line between two runs."""
    return Line((Span(f"── run {run} ", "muted"),), fill="─")


def _message(event: MessageSent | MessageReceived, said: Telling, paint: str, latency: str) -> Line:
    left = (
        Span(f"{clock(event.at)}  ", "muted"),
        Span(f"{said.mark} ", paint),
        Span(visible(said.detail)),
    )
    right = (
        Span(f"{latency:>{LATENCY_WIDTH}}", "muted"),
        Span(f"{size(len(event.raw)):>{SIZE_WIDTH}}", "muted"),
    )
    return Line(left, right)


def _step(event: Event, since: int | None, said: Telling, extent: str) -> Line:
    """One step of the handshake's ladder, with the time it took."""
    left = (
        Span(f"{clock(event.at)}  ", "muted"),
        Span(f"{said.mark} ", said.tone),
        Span(f"{said.word:<{STEP_WIDTH}} "),
        Span(visible(said.detail), "muted"),
    )
    if since is None:
        return Line(left)
    took = Span(f"{'+' + duration(since):>{LATENCY_WIDTH}}", "muted")
    return Line(left, (took, Span(f"{extent:>{SIZE_WIDTH}}", "muted")))


def _said(event: Event, said: Telling) -> Line:
    return Line(
        (
            Span(f"{clock(event.at)}  ", "muted"),
            Span(f"{said.mark} ", said.tone),
            Span(f"{said.word:<{STEP_WIDTH}} ", said.tone),
            Span(visible(said.detail)),
        )
    )
