"""The log and the child's output, as the explorer holds them, and the line of the log for each event."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from tui_ipc import events as ev
from tui_ipc.events.message_values import MessageStore, estimate_memory
from tui_ipc.events.sentences import EventText, describe_event, name_channel
from tui_ipc.text.notation import render_value
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import (
    format_clock,
    format_duration,
    format_plural,
    format_size,
    format_time_of_day,
)
from tui_ipc.tui.model.ring_buffer import RingBuffer
from tui_ipc.tui.model.status import Status
from tui_ipc.tui.model.styled_line import Line, OutputLine, Span
from tui_ipc.tui.model.terminal_output import OutputDecoder

VALUE_LIMIT = 500
"""How many characters of a message's notation a log line holds."""

LATENCY_WIDTH = 9
SIZE_WIDTH = 10
STEP_WIDTH = 10


def format_log_line(event: ev.AnyEvent, since: int | None = None, clock: str | None = None) -> Line:
    """Return the log's line about an event: time, mark and text; at the right edge latency and size.

    Args:
        event: The event; its text is made safe to show here.
        since: For a step of the handshake, the nanoseconds since the step before it.
        clock: The time to show; None for the seconds since the session began.
    """
    text = describe_event(event, VALUE_LIMIT)
    time = Span(f"{format_clock(event.at) if clock is None else clock}  ", "muted")
    match event:
        case ev.MessageSent():
            return _format_message(event, time, text, "sent", "")
        case ev.MessageReceived():
            latency = format_duration(event.elapsed) if event.elapsed is not None else ""
            return _format_message(event, time, text, "received", latency)
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
    event: ev.MessageSent | ev.MessageReceived, time: Span, text: EventText, paint: str, latency: str
) -> Line:
    left = (
        time,
        Span(f"{text.mark} ", paint),
        Span(make_visible(text.detail)),
    )
    right = (
        Span(f"{latency:>{LATENCY_WIDTH}}", "muted"),
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


LOG_LIMIT = 100_000
"""How many lines the log holds."""

LOG_BUDGET = 48 << 20
"""How many bytes of memory they may take, without the values of large messages."""

ENTRY_BYTES = 300  # what a line takes beside what is in its message
VALUES_BUDGET = 16 << 20  # what the values of large messages may take that were looked at last

OUTPUT_LIMIT = 50_000
"""How many lines of output are held."""

OUTPUT_BUDGET = 16 << 20
"""How many characters they may have together."""

SEARCH_LIMIT = 1 << 16
"""How many characters of a message's notation are searched and filtered."""

Problem = ev.StepLate | ev.HandshakeFailed | ev.Fault


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One line of the log.

    Args:
        held: What it is about, as it is kept; None for the line between two runs.
        run: The run that it belongs to.
        since: For a step of the handshake, the nanoseconds since the step before it.
        time: When it happened by the wall clock; None where nothing says it.
        store: Holds what ``held`` stands for, if that is something else.
    """

    held: ev.AnyEvent | None
    run: int
    since: int | None = None
    time: datetime | None = None
    store: MessageStore | None = None

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
        """The line that the log shows, with the seconds since the session began."""
        return run_separator(self.run) if self.event is None else format_log_line(self.event, self.since)

    @property
    def line_with_time_of_day(self) -> Line:
        """The line with the time of day; where that is not known, with the seconds, as wide."""
        if self.event is None:
            return self.line
        clock = f"{format_clock(self.event.at):>12}" if self.time is None else format_time_of_day(self.time)
        return format_log_line(self.event, self.since, clock)

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


BACKLOG_LIMIT = 4 << 20
"""How many bytes of output wait to be decoded. As lines of usual length they are about as many as are held:
of what is dropped, most would be forgotten anyway."""

_BACKLOG_TARGET = BACKLOG_LIMIT * 3 // 4  # what is left after dropping: one line reports many dropped ones
_DECODE_CHUNK = 4096  # bytes decoded between two looks at the clock: about a millisecond


class OutputQueue:
    """Decodes the child's output into lines when there is time, so that a flood of it delays nothing else.

    If more than :data:`BACKLOG_LIMIT` bytes wait, the oldest are dropped, and a line says how many lines
    those were.

    Args:
        lines: Where the finished lines go.

    Attributes:
        lines_behind: How many lines end in what waits to be decoded.
    """

    def __init__(self, lines: RingBuffer[OutputLine]) -> None:
        self.lines_behind = 0
        self._lines = lines
        self._decoders = {"stdout": OutputDecoder("stdout"), "stderr": OutputDecoder("stderr")}
        # Output, and what ends its lines, in order. A number stands for as many lines that were dropped.
        self._waiting: deque[ev.ChildOutput | ev.ServerListening | ev.ChildExited | ev.Audit | int] = deque()
        self._bytes = 0  # of output that waits
        self._offset = 0  # how much of the first item is decoded

    @property
    def partial(self) -> list[OutputLine]:
        """The unfinished lines: at most one of each stream."""
        partials = (decoder.partial for decoder in self._decoders.values())
        return [line for line in partials if line is not None]

    def add(self, event: ev.ChildOutput | ev.ServerListening | ev.ChildExited | ev.Audit) -> None:
        """Add output, or an event that ends its lines: those of a run, and those of its child."""
        self._waiting.append(event)
        if isinstance(event, ev.ChildOutput):
            self._bytes += len(event.data)
            self.lines_behind += event.data.count(b"\n")
            if self._bytes > BACKLOG_LIMIT:
                self._drop()

    def decode(self, until: float, clock: Callable[[], float]) -> bool:
        """Decode what waits, at least a chunk and no more after a moment; return whether nothing waits."""
        while self._waiting:
            self._decode_chunk()
            if clock() >= until:
                break
        return not self._waiting

    def _decode_chunk(self) -> None:
        match self._waiting[0]:
            case ev.ChildOutput(stream=stream, data=data):
                start, self._offset = self._offset, self._offset + _DECODE_CHUNK
                if self._offset >= len(data):
                    self._waiting.popleft()
                    self._offset = 0
                chunk = data[start : start + _DECODE_CHUNK]
                self._bytes -= len(chunk)
                self.lines_behind -= chunk.count(b"\n")
                for line in self._decoders[stream].feed(chunk):
                    self._append(line)
                return
            case int(dropped):
                self._flush()
                text = f"── {format_plural(dropped, 'line')} dropped: printed faster than shown "
                self._append(OutputLine((Span(text, "warn"),), fill="─"))
            case ev.ServerListening(run=run):
                self._flush()
                if run > 1:
                    separator = run_separator(run)
                    self._append(OutputLine(separator.left, separator.right, separator.fill))
            case ev.ChildExited() | ev.Audit():
                self._flush()
        self._waiting.popleft()

    def _drop(self) -> None:
        """Drop the oldest output, up to the end of a line."""
        dropped = 0
        ends: list[ev.ServerListening | ev.ChildExited | ev.Audit] = []
        while (excess := self._bytes - _BACKLOG_TARGET) > 0:
            item = self._waiting.popleft()
            if isinstance(item, int):
                dropped += item
            elif not isinstance(item, ev.ChildOutput):
                ends.append(item)
            else:
                start = self._offset
                end = item.data.find(b"\n", start + excess) + 1 or len(item.data)
                self._offset = 0
                if end < len(item.data):
                    self._offset = end
                    self._waiting.appendleft(item)
                self._bytes -= end - start
                lines = item.data.count(b"\n", start, end)
                self.lines_behind -= lines
                dropped += lines
        self._waiting.extendleft(reversed((max(dropped, 1), *ends)))  # at least a part of one line

    def _flush(self) -> None:
        for decoder in self._decoders.values():
            for line in decoder.flush():
                self._append(line)

    def _append(self, line: OutputLine) -> None:
        self._lines.append(line, 1 + sum(len(span.text) for span in line.left))


class SessionModel:
    """What the explorer shows of a session, made of its events.

    Attributes:
        log: A line for each event except the child's output.
        output: The child's finished lines of output, both streams, in the order of their ends.
        output_queue: The output that is still to be decoded into such lines.
        status: The state of the current run.
        problem: What the explorer shows as a notice about this run: a step of the handshake that is late,
            until it comes; a failed handshake or a fault; None if all is well.
        latest: The index in ``log`` of the newest message, None before the first.
    """

    def __init__(self) -> None:
        self.log: RingBuffer[LogEntry] = RingBuffer(LOG_LIMIT, LOG_BUDGET)
        self.output: RingBuffer[OutputLine] = RingBuffer(OUTPUT_LIMIT, OUTPUT_BUDGET)
        self.store = MessageStore(VALUES_BUDGET)
        self.clear()

    def clear(self, *, is_beginning: bool = True) -> None:
        """Forget everything, and say whether what comes is the beginning of the session."""
        self.log.clear()
        self.output.clear()
        self._begin = self.log.first if is_beginning else -1
        self.status = Status()
        self.problem: Problem | None = None
        self.latest: int | None = None
        self.output_queue = OutputQueue(self.output)
        self._step_at = 0

    @property
    def is_beginning_missing(self) -> bool:
        """Whether the log does not hold the beginning of the session."""
        return self.log.first > self._begin

    def apply(self, event: ev.AnyEvent, time: datetime | None = None) -> None:
        """Take an event into account, and when it happened by the wall clock, if that is known."""
        self.status.apply(event)
        since, weight = None, ENTRY_BYTES
        match event:
            case ev.ChildOutput():
                self.output_queue.add(event)
                return
            case ev.ServerListening():
                self._begin_run(event)
            case ev.ChildSpawned() | ev.ChildConnected() | ev.ChannelsOpen():
                since = self._reach_step(event.at)
            case ev.HelloReceived():
                since = self._reach_step(event.at)
                weight += len(event.raw)
            case ev.MessageSent() | ev.MessageReceived():
                if isinstance(event, ev.MessageReceived) and isinstance(self.problem, ev.StepLate):
                    self.problem = None  # what came is the rest of the message that did not go on
                self.latest = self.log.end
                self._append_message(event, time)
                return
            case ev.StepLate() | ev.HandshakeFailed():
                self.problem = event
            case ev.ChildExited() | ev.Audit():
                self.output_queue.add(event)
            case ev.Fault():
                self.problem = event
                weight += 2 * len(event.received)
            case ev.ScriptStep() | ev.Note():
                pass  # they have a line in the log
            case ev.ChannelClosed() | ev.SignalSent() | ev.ChildStopped() | ev.ChildContinued():
                pass  # they change the status and have a line in the log
            case _:
                assert_never(event)
        self.log.append(LogEntry(event, event.run, since, time), weight)

    def _append_message(self, event: ev.MessageSent | ev.MessageReceived, time: datetime | None) -> None:
        is_large = MessageStore.is_worthwhile(event)
        held, store = (self.store.hold(event), self.store) if is_large else (event, None)
        weight = ENTRY_BYTES + len(event.raw) + (0 if is_large else estimate_memory(event.value, event.raw))
        self.log.append(LogEntry(held, event.run, None, time, store), weight)

    def _begin_run(self, event: ev.ServerListening) -> None:
        self.output_queue.add(event)
        self.problem = None
        self._step_at = event.at
        if event.run > 1:
            self.log.append(LogEntry(None, event.run))

    def _reach_step(self, at: int) -> int:
        """Return the nanoseconds since the step before; a step that was late is no problem any more."""
        if isinstance(self.problem, ev.StepLate):
            self.problem = None
        since, self._step_at = at - self._step_at, at
        return since
