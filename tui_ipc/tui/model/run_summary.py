"""The story of a run: how the handshake went, and how the run ended. Pure.

The one rule: it is made of the run's events alone, and of no more of them than can be told on a page.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelClosed,
    ChannelsOpen,
    ChildConnected,
    ChildContinued,
    ChildExited,
    ChildSpawned,
    ChildStopped,
    Fault,
    HandshakeFailed,
    HelloReceived,
    ServerListening,
    SignalSent,
    Step,
    StepLate,
)
from tui_ipc.events.sentences import describe_event

REPEATED_EVENT_LIMIT: Final = 40
"""How many events are kept of the kinds of which a run may have any number."""

RUN_LIMIT: Final = 100
"""How many runs have a story; the oldest are forgotten."""

_STEPS: Final[dict[type[AnyEvent], Step]] = {
    ServerListening: "listening",
    ChildSpawned: "spawned",
    ChildConnected: "connected",
    HelloReceived: "hello",
    ChannelsOpen: "channels open",
}
_SINGLE_KINDS: Final = (*_STEPS, HandshakeFailed, Fault, ChannelClosed, ChildExited, Audit)
_REPEATED_KINDS: Final = (StepLate, SignalSent, ChildStopped, ChildContinued)
_KINDS: Final = frozenset((*_SINGLE_KINDS, *_REPEATED_KINDS))

StepState = Literal["reached", "awaited", "failed", "missing"]


@dataclass(frozen=True, slots=True)
class StepProgress:
    """A step of the handshake.

    Attributes:
        step: Its name.
        state: ``missing`` if it never came, or is not yet its turn.
        detail: What is said of it; may hold what a child said.
        took: Nanoseconds since the step before it, None if it is the first or was not reached.
        late: Why it took, or takes, long; None if it does not.
    """

    step: Step
    state: StepState
    detail: str = ""
    took: int | None = None
    late: StepLate | None = None


class RunSummary:
    """The events of one run that are no message and no output.

    Attributes:
        run: The run.
        events: They, in order.
    """

    def __init__(self, run: int) -> None:
        self.run = run
        self.events: list[AnyEvent] = []

    def note(self, event: AnyEvent) -> None:
        """Take in an event, if it is one of the story."""
        if type(event) not in _KINDS:
            return
        if isinstance(event, _REPEATED_KINDS):
            often = [index for index, each in enumerate(self.events) if isinstance(each, _REPEATED_KINDS)]
            if len(often) >= REPEATED_EVENT_LIMIT:
                del self.events[often[0]]
        self.events.append(event)

    @property
    def ladder(self) -> list[StepProgress]:
        """Every step of the handshake, from the first."""
        reached = {_STEPS[type(event)]: event for event in self.events if type(event) in _STEPS}
        late = {event.step: event for event in self.events if isinstance(event, StepLate)}
        over = any(isinstance(event, HandshakeFailed | ChildExited | Audit) for event in self.events)
        rungs: list[StepProgress] = []
        before: AnyEvent | None = None
        awaits = True
        for step in get_args(Step):
            event = reached.get(step)
            if event is not None:
                took = None if before is None else event.at - before.at
                rungs.append(
                    StepProgress(step, "reached", describe_event(event).detail, took, late.get(step))
                )
                before = event
            else:
                state: StepState = ("failed" if over else "awaited") if awaits else "missing"
                rungs.append(StepProgress(step, state, late=late.get(step)))
                awaits = False
        return rungs

    @property
    def rest(self) -> list[AnyEvent]:
        """What is no step of the handshake and no lateness of one: failure, signals, the end, the audit."""
        return [event for event in self.events if type(event) not in _STEPS and type(event) is not StepLate]


class RunSummaries:
    """The stories of the newest runs, by their numbers."""

    def __init__(self) -> None:
        self._of: dict[int, RunSummary] = {}

    def note(self, event: AnyEvent) -> None:
        """Take in an event."""
        story = self._of.get(event.run)
        if story is None:
            story = self._of[event.run] = RunSummary(event.run)
            while len(self._of) > RUN_LIMIT:
                del self._of[next(iter(self._of))]
        story.note(event)

    def __getitem__(self, run: int) -> RunSummary:
        return self._of[run]

    @property
    def runs(self) -> tuple[int, ...]:
        """Those that have a story, oldest first."""
        return tuple(self._of)


def shift_events(events: Iterable[AnyEvent], end: int) -> list[AnyEvent]:
    """The same events, moved together in time so that the last happens at ``end``, and none before 0."""
    import dataclasses

    kept = list(events)
    by = end - kept[-1].at if kept else 0
    return [dataclasses.replace(event, at=max(0, event.at + by)) for event in kept]
