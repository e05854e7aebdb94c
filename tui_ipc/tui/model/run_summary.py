"""The summary of a run: how its handshake went and how it ended, made of a bounded number of its events."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never

from tui_ipc.events import (
    HANDSHAKE_STEPS,
    AnyEvent,
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildConnected,
    ChildContinued,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    ChildStopped,
    Fault,
    HandshakeEvent,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    Note,
    ScriptStep,
    ServerListening,
    SignalSent,
    Step,
    StepLate,
)
from tui_ipc.events.sentences import describe_event

REPEATED_EVENT_LIMIT: Final = 40
"""How many events are kept of the kinds that a run may have any number of."""

RUN_LIMIT: Final = 100
"""How many runs have a summary; the oldest are forgotten."""

StepState = Literal["reached", "awaited", "failed", "missing"]


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step of the handshake.

    Attributes:
        step: Its name.
        state: ``missing`` if its turn never came, or has not come yet.
        detail: The text of its event; may hold text of the child's.
        took: Nanoseconds since the step before it, None if it is the first or was not reached.
        late: Why it took, or takes, long; None if it does not.
    """

    step: Step
    state: StepState
    detail: str = ""
    took: int | None = None
    late: StepLate | None = None


def _count_in_a_run(event: AnyEvent) -> Literal["once", "often", "left out"]:
    """How many events of its kind a run has; ``left out`` are those that the log and the output pane show."""
    match event:
        case ServerListening() | ChildSpawned() | ChildConnected() | HelloReceived() | ChannelsOpen():
            return "once"
        case HandshakeFailed() | Fault() | ChannelClosed() | ChildExited() | Audit():
            return "once"
        case StepLate() | SignalSent() | ChildStopped() | ChildContinued():
            return "often"
        case MessageSent() | MessageReceived() | ChildOutput() | ScriptStep() | Note():
            return "left out"
        case _:
            assert_never(event)


class RunSummary:
    """The events of one run except messages and output.

    Attributes:
        run: The run's number.
        events: The events, in order.
    """

    def __init__(self, run: int) -> None:
        self.run = run
        self.events: list[AnyEvent] = []

    def add(self, event: AnyEvent) -> None:
        """Keep an event, if the summary has events of its kind."""
        count = _count_in_a_run(event)
        if count == "left out":
            return
        if count == "often":
            often = [index for index, kept in enumerate(self.events) if _count_in_a_run(kept) == "often"]
            if len(often) >= REPEATED_EVENT_LIMIT:
                del self.events[often[0]]
        self.events.append(event)

    @property
    def handshake_steps(self) -> list[StepProgress]:
        """Every step of the handshake, from the first."""
        reached = {
            HANDSHAKE_STEPS[type(event)]: event for event in self.events if isinstance(event, HandshakeEvent)
        }
        late = {event.step: event for event in self.events if isinstance(event, StepLate)}
        is_over = any(isinstance(event, HandshakeFailed | ChildExited | Audit) for event in self.events)
        steps: list[StepProgress] = []
        previous: AnyEvent | None = None
        is_next = True
        for step in HANDSHAKE_STEPS.values():
            event = reached.get(step)
            if event is not None:
                took = None if previous is None else event.at - previous.at
                steps.append(
                    StepProgress(step, "reached", describe_event(event).detail, took, late.get(step))
                )
                previous = event
            else:
                state: StepState = ("failed" if is_over else "awaited") if is_next else "missing"
                steps.append(StepProgress(step, state, late=late.get(step)))
                is_next = False
        return steps

    @property
    def other_events(self) -> list[AnyEvent]:
        """All but the steps of the handshake and the late ones: failure, signals, the end, the audit."""
        return [event for event in self.events if not isinstance(event, HandshakeEvent | StepLate)]


class RunSummaries:
    """The summaries of the newest runs, by run number."""

    def __init__(self) -> None:
        self._by_run: dict[int, RunSummary] = {}

    def add(self, event: AnyEvent) -> None:
        """Add an event to the summary of its run."""
        summary = self._by_run.get(event.run)
        if summary is None:
            summary = self._by_run[event.run] = RunSummary(event.run)
            while len(self._by_run) > RUN_LIMIT:
                del self._by_run[next(iter(self._by_run))]
        summary.add(event)

    def __getitem__(self, run: int) -> RunSummary:
        return self._by_run[run]

    @property
    def runs(self) -> tuple[int, ...]:
        """The numbers of the runs that have a summary, oldest first."""
        return tuple(self._by_run)


def shift_events(events: Iterable[AnyEvent], end: int) -> list[AnyEvent]:
    """Move events together in time so that the last happens at ``end``, and none before 0."""
    kept = list(events)
    by = end - kept[-1].at if kept else 0
    return [replace(event, at=max(0, event.at + by)) for event in kept]
