"""The log and the child's output, as the explorer holds them."""

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

from tui_ipc import events as ev
from tui_ipc.events.message_values import MessageStore, estimate_memory
from tui_ipc.text.units import format_plural
from tui_ipc.tui.model.exchanges import Exchange, Exchanges
from tui_ipc.tui.model.log_entry import LogEntry, run_separator
from tui_ipc.tui.model.ring_buffer import RingBuffer
from tui_ipc.tui.model.status import Status
from tui_ipc.tui.model.styled_line import OutputLine, Span
from tui_ipc.tui.model.terminal_output import OutputDecoder

LOG_LIMIT = 100_000
"""How many lines the log holds."""

LOG_BUDGET = 48 << 20
"""How many bytes of memory they may take, without the values of large messages."""

ENTRY_BYTES = 400  # what a line takes beside what is in its message
VALUES_BUDGET = 16 << 20  # what the values of large messages may take that were looked at last

OUTPUT_LIMIT = 50_000
"""How many lines of output are held."""

OUTPUT_BUDGET = 16 << 20
"""How many characters they may have together."""

Problem = ev.StepLate | ev.HandshakeFailed | ev.Fault

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

    Args:
        match: The rule by which the session matches answers, None if that is in order or not known.

    Attributes:
        log: A line for each event except the child's output.
        output: The child's finished lines of output, both streams, in the order of their ends.
        output_queue: The output that is still to be decoded into such lines.
        exchanges: Which messages were answered, and which wait.
        status: The state of the current run.
        problem: What the explorer shows as a notice about this run: a step of the handshake that is late,
            until it comes; a failed handshake or a fault; None if all is well.
        latest: The index in ``log`` of the newest message, None before the first.
    """

    def __init__(self, match: str | None = None) -> None:
        self._match = match
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
        self.exchanges = Exchanges(self._match)
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
        exchange = self.exchanges.apply(event)
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
                self._append_message(event, time, exchange)
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

    def _append_message(
        self,
        event: ev.MessageSent | ev.MessageReceived,
        time: datetime | None,
        exchange: Exchange | None,
    ) -> None:
        is_large = MessageStore.is_worthwhile(event)
        held, store = (self.store.hold(event), self.store) if is_large else (event, None)
        weight = ENTRY_BYTES + len(event.raw) + (0 if is_large else estimate_memory(event.value, event.raw))
        self.log.append(LogEntry(held, event.run, None, time, store, exchange), weight)

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
