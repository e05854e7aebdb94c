"""A line of the log: an event, what has become of its exchange, and how both are written."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from tui_ipc import events as ev
from tui_ipc.events.message_values import MessageStore
from tui_ipc.events.sentences import EventText, describe_event, name_channel
from tui_ipc.text.notation import render_value
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_clock, format_duration, format_size, format_time_of_day
from tui_ipc.tui.model.exchanges import NO_ANSWER, Exchange
from tui_ipc.tui.model.styled_line import Line, Paint, Span

VALUE_LIMIT = 500
"""How many characters of a message's notation a log line holds."""

NUMBER_WIDTH = 4
LATENCY_WIDTH = 9
SIZE_WIDTH = 10
STEP_WIDTH = 10


def format_log_line(
    event: ev.AnyEvent,
    since: int | None = None,
    clock: str | None = None,
    outcome: tuple[str, Paint] = ("", "muted"),
) -> Line:
    """Return the log's line about an event: time, mark and text; at the right edge latency and size.

    Args:
        event: The event; its text is made safe to show here.
        since: For a step of the handshake, the nanoseconds since the step before it.
        clock: The time to show; None for the seconds since the session began.
        outcome: For a message that was sent, what has become of it, see :meth:`Exchange.describe`.
    """
    text = describe_event(event, VALUE_LIMIT)
    time = Span(f"{format_clock(event.at) if clock is None else clock}  ", "muted")
    match event:
        case ev.MessageSent():
            return _format_message(event, time, text, "sent", event.number, outcome)
        case ev.MessageReceived():
            latency = format_duration(event.elapsed) if event.elapsed is not None else ""
            return _format_message(event, time, text, "received", event.answers, (latency, "muted"))
        case ev.ServerListening() | ev.ChildSpawned() | ev.ChildConnected() | ev.ChannelsOpen():
            return _format_step(time, since, text, "")
        case ev.HelloReceived():
            return _format_step(time, since, text, format_size(len(event.raw)))
        case (
            ev.StepLate()
            | ev.HandshakeFailed()
            | ev.Fault()
            | ev.SignalSent()
            | ev.ChildStopped()
            | ev.ChildContinued()
            | ev.ChannelClosed()
            | ev.ChildExited()
            | ev.Audit()
            | ev.ChildOutput()
            | ev.ScriptStep()
            | ev.Note()
        ):
            return _format_event(time, text)
        case _:
            assert_never(event)


def run_separator(run: int) -> Line:
    """The line between two runs."""
    return Line((Span(f"── run {run} ", "muted"),), fill="─")


def _format_message(
    event: ev.MessageSent | ev.MessageReceived,
    time: Span,
    text: EventText,
    paint: str,
    exchange: int | None,
    latency: tuple[str, Paint],
) -> Line:
    left = (
        time,
        Span(f"{text.mark} {'' if exchange is None else f'#{exchange}':<{NUMBER_WIDTH}} ", paint),
        Span(make_visible(text.detail)),
    )
    right = (
        Span(f" {latency[0]:>{LATENCY_WIDTH - 1}}", latency[1]),
        Span(f"{format_size(len(event.raw)):>{SIZE_WIDTH}}", "muted"),
    )
    return Line(left, right)


def _format_step(time: Span, since: int | None, text: EventText, size: str) -> Line:
    left = (
        time,
        Span(f"{text.mark} ", text.tone),
        Span(f"{text.word:<{STEP_WIDTH}} "),
        Span(make_visible(text.detail), "muted"),
    )
    if since is None:
        return Line(left)
    took = Span(f"{'+' + format_duration(since):>{LATENCY_WIDTH}}", "muted")
    return Line(left, (took, Span(f"{size:>{SIZE_WIDTH}}", "muted")))


def _format_event(time: Span, text: EventText) -> Line:
    return Line(
        (
            time,
            Span(f"{text.mark} ", text.tone),
            Span(f"{text.word:<{STEP_WIDTH}} ", text.tone),
            Span(make_visible(text.detail)),
        )
    )


SEARCH_LIMIT = 1 << 16
"""How many characters of a message's notation are searched and filtered."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log.

    Args:
        held: What it is about, as it is kept; None for the line between two runs.
        run: The run that it belongs to.
        since: For a step of the handshake, the nanoseconds since the step before it.
        time: When it happened by the wall clock; None where nothing says it.
        store: Holds what ``held`` stands for, if that is something else.
        exchange: For a message, the exchange that it belongs to; None if it belongs to none.
    """

    held: ev.AnyEvent | None
    run: int
    since: int | None = None
    time: datetime | None = None
    store: MessageStore | None = None
    exchange: Exchange | None = None

    @property
    def event(self) -> ev.AnyEvent | None:
        """What it is about; None for the line between two runs. Hold it no longer than you look at it."""
        if self.store is not None and isinstance(self.held, ev.MessageSent | ev.MessageReceived):
            return self.store.load(self.held)
        return self.held

    def in_thread(self) -> "LogEntry":
        """The same entry without the store, which other threads may not use."""
        if self.store is not None and isinstance(self.held, ev.MessageSent | ev.MessageReceived):
            return replace(self, held=MessageStore.decode(self.held), store=None)
        return self

    @property
    def line(self) -> Line:
        """The line without what changes with time."""
        return self.format_line()

    def format_line(self, now: int = 0, *, time_of_day: bool = False, is_wide: bool = True) -> Line:
        """Return the line that the log shows.

        Args:
            now: The current time of the session in ns.
            time_of_day: Whether to show the time of day, not the seconds since the session began. Where it is
                not known the seconds are shown, as wide.
            is_wide: Whether there is room to say why no answer comes.
        """
        event = self.event
        if event is None:
            return run_separator(self.run)
        clock = None
        if time_of_day:
            clock = f"{format_clock(event.at):>12}" if self.time is None else format_time_of_day(self.time)
        outcome: tuple[str, Paint] = ("", "muted")
        if self.exchange is not None:
            text, paint = self.exchange.describe(now)
            outcome = (text if is_wide or not text.startswith(NO_ANSWER) else NO_ANSWER), paint
        return format_log_line(event, self.since, clock, outcome)

    @property
    def text(self) -> str:
        """What is searched: the whole text, up to :data:`SEARCH_LIMIT` characters of a message."""
        if self.event is None:
            return self.line.text
        if isinstance(self.event, ev.MessageSent | ev.MessageReceived):
            # What describe_event() and make_visible() would return, in half of the time: a filter asks for it
            # of each message.
            return name_channel(self.event) + render_value(self.event.value, SEARCH_LIMIT)
        text = describe_event(self.event, SEARCH_LIMIT)
        return make_visible(f"{text.word} {text.detail}")

    @property
    def is_message(self) -> bool:
        """Whether the line is about a message."""
        return isinstance(self.held, ev.MessageSent | ev.MessageReceived)
