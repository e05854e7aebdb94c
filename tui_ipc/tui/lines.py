"""What the log says about an event: one line each, in the columns time, mark, words, latency, size."""

from tui_ipc.session import notation
from tui_ipc.session.events import (
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildConnected,
    ChildContinued,
    ChildExited,
    ChildSpawned,
    ChildStopped,
    Event,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
    StepLate,
)
from tui_ipc.tui.line import Line, Span
from tui_ipc.tui.sanitize import visible
from tui_ipc.tui.status import exit_sentence, signal_name
from tui_ipc.tui.units import clock, duration, plural, size

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
    match event:
        case MessageSent():
            return _message(event, "→", "sent", "")
        case MessageReceived():
            return _message(
                event, "←", "received", duration(event.elapsed) if event.elapsed is not None else ""
            )
        case ServerListening():
            return _step(event, since, "listening", event.name)
        case ChildSpawned():
            return _step(event, since, "spawned", f"pid {event.pid} · {' '.join(event.command)}")
        case ChildConnected():
            return _step(event, since, "connected", "to the one-shot server")
        case HelloReceived():
            form = "inline" if event.inline else "two channels"
            return _step(event, since, "hello", f"{event.name} · {form}", size(len(event.raw)))
        case ChannelsOpen():
            return _step(event, since, "open", "messages may pass", paint="good")
        case _:
            return _ending(event)


def _ending(event: Event) -> Line:
    """The lines about a run's end, and what went wrong."""
    match event:
        case HandshakeFailed():
            return _said(event, "✕", "bad", "failed", event.sentence)
        case Fault():
            return _said(event, "✕", "bad", "fault", event.sentence)
        case SignalSent():
            return _said(event, "▲", "warn", "signal", f"{signal_name(event.signal)} · {event.reason}")
        case StepLate():
            return _said(event, "▲", "warn", "late", event.sentence)
        case ChildStopped():
            detail = f"by {signal_name(event.signal)}, until it is continued"
            return _said(event, "▲", "warn", "stopped", detail)
        case ChildContinued():
            return _said(event, "●", "good", "continued", "the child goes on")
        case ChannelClosed():
            return _said(event, "○", "muted", "closed", "the channel from the child ended")
        case ChildExited():
            return _said(
                event,
                "■",
                "good" if event.code == 0 else "bad",
                "exited",
                f"the child {exit_sentence(event)}",
            )
        case Audit():
            return _audit(event)
        case _:
            return _said(event, "·", "muted", "", type(event).__name__)


def rule(run: int) -> Line:
    """The line between two runs."""
    return Line((Span(f"── run {run} ", "muted"),), fill="─")


def _message(event: MessageSent | MessageReceived, mark: str, paint: str, latency: str) -> Line:
    value = visible(notation.render(event.value, limit=VALUE_LIMIT))
    left = (Span(f"{clock(event.at)}  ", "muted"), Span(f"{mark} ", paint), Span(value))
    right = (
        Span(f"{latency:>{LATENCY_WIDTH}}", "muted"),
        Span(f"{size(len(event.raw)):>{SIZE_WIDTH}}", "muted"),
    )
    return Line(left, right)


def _step(
    event: Event, since: int | None, word: str, detail: str, extent: str = "", paint: str = "muted"
) -> Line:
    """One step of the handshake's ladder, with the time it took."""
    left = (
        Span(f"{clock(event.at)}  ", "muted"),
        Span("● ", paint),
        Span(f"{word:<{STEP_WIDTH}} "),
        Span(visible(detail), "muted"),
    )
    if since is None:
        return Line(left)
    took = Span(f"{'+' + duration(since):>{LATENCY_WIDTH}}", "muted")
    return Line(left, (took, Span(f"{extent:>{SIZE_WIDTH}}", "muted")))


def _said(event: Event, mark: str, paint: str, word: str, detail: str) -> Line:
    return Line(
        (
            Span(f"{clock(event.at)}  ", "muted"),
            Span(f"{mark} ", paint),
            Span(f"{word:<{STEP_WIDTH}} ", paint),
            Span(visible(detail)),
        )
    )


def _audit(event: Audit) -> Line:
    facts = [plural(len(event.processes), "process", "processes")] if event.processes else []
    facts += [f"{stream} held open" for stream in event.held]
    facts += [plural(len(event.files), "file")] if event.files else []
    facts += [plural(event.unread, "unread byte")] if event.unread else []
    facts = facts or ["nothing was left behind"]
    if event.quit_elapsed is not None:
        facts.append(f'ended {duration(event.quit_elapsed)} after "quit"')
    mark, paint, word = ("✓", "good", "clean") if event.clean else ("!", "warn", "left")
    return _said(event, mark, paint, word, " · ".join(facts))
