"""What the explorer knows: the session's events, kept within bounds in the form that the views read.

The model is fed with events and touches no widget; the views read it when the screen is next drawn. So a
flood costs what it takes to remember it, not what it would take to draw it.
"""

from dataclasses import dataclass
from typing import Any

from tui_ipc.session.events import (
    Audit,
    ChannelsOpen,
    ChildConnected,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    Event,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    StepLate,
)
from tui_ipc.session.telling import told
from tui_ipc.tui.content.line import Line
from tui_ipc.tui.content.lines import log_line, rule
from tui_ipc.tui.content.printed import Printed
from tui_ipc.tui.content.ring import Ring
from tui_ipc.tui.content.sanitize import OutputDecoder, visible
from tui_ipc.tui.content.status import Status

LOG_LIMIT = 100_000
LOG_BUDGET = 128 << 20
OUTPUT_LIMIT = 50_000
OUTPUT_BUDGET = 16 << 20

TEXT_LIMIT = 1 << 16
"""How many characters of a message's notation are searched and filtered."""

Trouble = StepLate | HandshakeFailed | Fault

_LADDER = (ChildSpawned, ChildConnected, HelloReceived, ChannelsOpen)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the log.

    Attributes:
        event: What it is about; None for the rule between two runs.
        run: The run that it belongs to.
        since: For a step of the handshake, the nanoseconds since the step before it.
    """

    event: Event | None
    run: int
    since: int | None = None

    @property
    def line(self) -> Line:
        """How the log shows it."""
        return rule(self.run) if self.event is None else log_line(self.event, self.since)

    @property
    def text(self) -> str:
        """All that is said of it, up to :data:`TEXT_LIMIT` characters of a message: what is searched."""
        if self.event is None:
            return self.line.text
        said = told(self.event, TEXT_LIMIT)
        return visible(said.detail if self.is_message else f"{said.word} {said.detail}")

    @property
    def is_message(self) -> bool:
        """True if a value passed on the wire."""
        return isinstance(self.event, MessageSent | MessageReceived)


class Model:
    """The state of the explorer.

    Attributes:
        log: What happened, but for the child's output.
        output: The child's finished lines of output, both streams, in the order of their ends.
        status: The state of the current run.
        trouble: What the explorer must say aloud about this run: a step of the handshake that is late, until
            it comes; a failed handshake, a fault; None if all is well.
        latest: The index in ``log`` of the newest message, None before the first.
    """

    def __init__(self) -> None:
        self.log: Ring[Entry] = Ring(LOG_LIMIT, LOG_BUDGET)
        self.output: Ring[Printed] = Ring(OUTPUT_LIMIT, OUTPUT_BUDGET)
        self.status = Status()
        self.trouble: Trouble | None = None
        self.latest: int | None = None
        self._decoders = {"stdout": OutputDecoder("stdout"), "stderr": OutputDecoder("stderr")}
        self._step_at = 0

    def apply(self, event: Event) -> None:
        """Take in what happened."""
        if isinstance(event, ServerListening):
            self._begin_run(event)
        self.status.apply(event)
        if isinstance(event, ChildOutput):
            for line in self._decoders[event.stream].feed(event.data):
                self._print(line)
            return
        if isinstance(event, StepLate | HandshakeFailed | Fault):
            self.trouble = event
        elif isinstance(event, _LADDER) and isinstance(self.trouble, StepLate):
            self.trouble = None
        if isinstance(event, ChildExited | Audit):
            self._flush()
        self._note(event)

    def partial_output(self) -> list[Printed]:
        """The lines of output that have begun and not ended: at most one of each stream."""
        partials = (decoder.partial for decoder in self._decoders.values())
        return [line for line in partials if line is not None]

    def _begin_run(self, event: ServerListening) -> None:
        self._flush()
        self.trouble = None
        self._step_at = event.at
        if event.run > 1:
            self.log.append(Entry(None, event.run))
            line = rule(event.run)
            self.output.append(Printed(line.left, line.right, line.fill))

    def _note(self, event: Event) -> None:
        since = None
        if isinstance(event, _LADDER):
            since, self._step_at = event.at - self._step_at, event.at
        if isinstance(event, MessageSent | MessageReceived):
            self.latest = self.log.end
        self.log.append(Entry(event, event.run, since), 1 + _weight(event))

    def _flush(self) -> None:
        for decoder in self._decoders.values():
            for line in decoder.flush():
                self._print(line)

    def _print(self, line: Printed) -> None:
        self.output.append(line, 1 + sum(len(span.text) for span in line.left))


def _weight(event: Any) -> int:
    """The bytes that an event holds: a message's raw form, and as much again for its value."""
    return 2 * len(getattr(event, "raw", b""))
