"""What the log says about an event: one line each, in the columns time, mark, words, latency, size.

The one rule: the words are :mod:`tui_ipc.events.sentences`'s; here they become columns and colours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelsOpen,
    ChildConnected,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    StepLate,
)
from tui_ipc.events.sentences import EventText, describe_event
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_clock, format_count, format_duration, format_size
from tui_ipc.tui.model.child_output import OutputLine
from tui_ipc.tui.model.ring_buffer import RingBuffer
from tui_ipc.tui.model.status import Status
from tui_ipc.tui.model.styled_line import Line, Span
from tui_ipc.tui.model.terminal_output import OutputDecoder

VALUE_LIMIT = 500
"""How many characters of a message's notation a log line holds."""

LATENCY_WIDTH = 9
SIZE_WIDTH = 10
STEP_WIDTH = 10


def format_log_line(event: AnyEvent, since: int | None = None) -> Line:
    """Return the log's line about an event.

    Args:
        event: What happened; its text is sanitised here.
        since: For a step of the handshake, the nanoseconds since the step before it.
    """
    said = describe_event(event, VALUE_LIMIT)
    match event:
        case MessageSent():
            return _format_message(event, said, "sent", "")
        case MessageReceived():
            latency = format_duration(event.elapsed) if event.elapsed is not None else ""
            return _format_message(event, said, "received", latency)
        case ServerListening() | ChildSpawned() | ChildConnected() | ChannelsOpen():
            return _format_step(event, since, said, "")
        case HelloReceived():
            return _format_step(event, since, said, format_size(len(event.raw)))
        case _:
            return _format_event(event, said)


def run_separator(run: int) -> Line:
    """The line between two runs."""
    return Line((Span(f"── run {run} ", "muted"),), fill="─")


def _format_message(event: MessageSent | MessageReceived, said: EventText, paint: str, latency: str) -> Line:
    left = (
        Span(f"{format_clock(event.at)}  ", "muted"),
        Span(f"{said.mark} ", paint),
        Span(make_visible(said.detail)),
    )
    right = (
        Span(f"{latency:>{LATENCY_WIDTH}}", "muted"),
        Span(f"{format_size(len(event.raw)):>{SIZE_WIDTH}}", "muted"),
    )
    return Line(left, right)


def _format_step(event: AnyEvent, since: int | None, said: EventText, extent: str) -> Line:
    """One step of the handshake's ladder, with the time it took."""
    left = (
        Span(f"{format_clock(event.at)}  ", "muted"),
        Span(f"{said.mark} ", said.tone),
        Span(f"{said.word:<{STEP_WIDTH}} "),
        Span(make_visible(said.detail), "muted"),
    )
    if since is None:
        return Line(left)
    took = Span(f"{'+' + format_duration(since):>{LATENCY_WIDTH}}", "muted")
    return Line(left, (took, Span(f"{extent:>{SIZE_WIDTH}}", "muted")))


def _format_event(event: AnyEvent, said: EventText) -> Line:
    return Line(
        (
            Span(f"{format_clock(event.at)}  ", "muted"),
            Span(f"{said.mark} ", said.tone),
            Span(f"{said.word:<{STEP_WIDTH}} ", said.tone),
            Span(make_visible(said.detail)),
        )
    )


LOG_LIMIT = 100_000
LOG_BUDGET = 128 << 20
OUTPUT_LIMIT = 50_000
OUTPUT_BUDGET = 16 << 20

SEARCH_LIMIT = 1 << 16
"""How many characters of a message's notation are searched and filtered."""

Problem = StepLate | HandshakeFailed | Fault

_TIMED_STEPS = (ChildSpawned, ChildConnected, HelloReceived, ChannelsOpen)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log.

    Attributes:
        event: What it is about; None for the rule between two runs.
        run: The run that it belongs to.
        since: For a step of the handshake, the nanoseconds since the step before it.
    """

    event: AnyEvent | None
    run: int
    since: int | None = None

    @property
    def line(self) -> Line:
        """How the log shows it."""
        return run_separator(self.run) if self.event is None else format_log_line(self.event, self.since)

    @property
    def text(self) -> str:
        """All that is said of it, up to :data:`TEXT_LIMIT` characters of a message: what is searched."""
        if self.event is None:
            return self.line.text
        said = describe_event(self.event, SEARCH_LIMIT)
        return make_visible(said.detail if self.is_message else f"{said.word} {said.detail}")

    @property
    def is_message(self) -> bool:
        """True if a value passed on the wire."""
        return isinstance(self.event, MessageSent | MessageReceived)


class SessionModel:
    """The state of the explorer.

    Attributes:
        log: What happened, but for the child's output.
        output: The child's finished lines of output, both streams, in the order of their ends.
        status: The state of the current run.
        problem: What the explorer must say aloud about this run: a step of the handshake that is late, until
            it comes; a failed handshake, a fault; None if all is well.
        latest: The index in ``log`` of the newest message, None before the first.
    """

    def __init__(self) -> None:
        self.log: RingBuffer[LogEntry] = RingBuffer(LOG_LIMIT, LOG_BUDGET)
        self.output: RingBuffer[OutputLine] = RingBuffer(OUTPUT_LIMIT, OUTPUT_BUDGET)
        self.status = Status()
        self.problem: Problem | None = None
        self.latest: int | None = None
        self._decoders = {"stdout": OutputDecoder("stdout"), "stderr": OutputDecoder("stderr")}
        self._step_at = 0

    def apply(self, event: AnyEvent) -> None:
        """Take in what happened."""
        if isinstance(event, ServerListening):
            self._begin_run(event)
        self.status.apply(event)
        if isinstance(event, ChildOutput):
            for line in self._decoders[event.stream].feed(event.data):
                self._print(line)
            return
        if isinstance(event, StepLate | HandshakeFailed | Fault):
            self.problem = event
        elif isinstance(event, _TIMED_STEPS) and isinstance(self.problem, StepLate):
            self.problem = None
        if isinstance(event, ChildExited | Audit):
            self._flush()
        self._note(event)

    def partial_output(self) -> list[OutputLine]:
        """The lines of output that have begun and not ended: at most one of each stream."""
        partials = (decoder.partial for decoder in self._decoders.values())
        return [line for line in partials if line is not None]

    def _begin_run(self, event: ServerListening) -> None:
        self._flush()
        self.problem = None
        self._step_at = event.at
        if event.run > 1:
            self.log.append(LogEntry(None, event.run))
            line = run_separator(event.run)
            self.output.append(OutputLine(line.left, line.right, line.fill))

    def _note(self, event: AnyEvent) -> None:
        since = None
        if isinstance(event, _TIMED_STEPS):
            since, self._step_at = event.at - self._step_at, event.at
        if isinstance(event, MessageSent | MessageReceived):
            self.latest = self.log.end
        self.log.append(LogEntry(event, event.run, since), 1 + _estimate_size(event))

    def _flush(self) -> None:
        for decoder in self._decoders.values():
            for line in decoder.flush():
                self._print(line)

    def _print(self, line: OutputLine) -> None:
        self.output.append(line, 1 + sum(len(span.text) for span in line.left))


def _estimate_size(event: Any) -> int:
    """The bytes that an event holds: a message's raw form, and as much again for its value."""
    return 2 * len(getattr(event, "raw", b""))


def find_partners(log: RingBuffer[LogEntry], entry: LogEntry) -> Iterator[int]:
    """The indexes of what answers a sent message, or of what a received one answers, the newest first.

    Looks from the newest entry on: what is looked at is most often near. What the log has forgotten is not
    found.
    """
    match entry.event:
        case MessageSent() as sent:
            yield from _find_answers(log, sent)
        case MessageReceived(answers=int(number), run=run):
            for index, other in log.newest_first():
                event = other.event
                if isinstance(event, MessageSent) and event.number == number and event.run == run:
                    yield index
                    return


def _find_answers(log: RingBuffer[LogEntry], sent: MessageSent) -> Iterator[int]:
    for index, other in log.newest_first():
        event: AnyEvent | None = other.event
        if event is sent:
            return
        if isinstance(event, MessageReceived) and event.answers == sent.number and event.run == sent.run:
            yield index


def explain_no_partner(entry: LogEntry) -> str:
    """Why there is nothing that answers an entry, or that it answers."""
    match entry.event:
        case MessageSent(number=number):
            return f"No answer to #{format_count(number)} has come."
        case MessageReceived(answers=int(number)):
            return f"#{format_count(number)}, which this answers, is no longer in the log."
        case MessageReceived(number=number):
            return f"#{format_count(number)} answers no message."
        case _:
            return "Only messages answer each other."
