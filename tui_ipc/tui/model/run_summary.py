"""The summary of a run: how its handshake went and how it ended, made of a bounded number of its events."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, assert_never

from tui_ipc import events as ev
from tui_ipc.events.sentences import describe_event, describe_leftovers
from tui_ipc.osutil.signals import describe_exit
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_duration, format_plural

REPEATED_EVENT_LIMIT: Final = 40
"""How many events are kept of the kinds that a run may have any number of."""

RUN_LIMIT: Final = 100
"""How many runs have a summary; the oldest are forgotten."""

LISTED_RUNS: Final = 3
"""How many lines :func:`summarize_session` has for runs; the first counts those that have none."""

NAME_LIMIT: Final = 24
"""Characters of a child's name in such a line."""

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

    step: ev.Step
    state: StepState
    detail: str = ""
    took: int | None = None
    late: ev.StepLate | None = None


def _count_in_a_run(event: ev.AnyEvent) -> Literal["once", "often", "left out"]:
    """How many events of its kind a run has; ``left out`` are those that the log and the output pane show."""
    match event:
        case (
            ev.ServerListening()
            | ev.ChildSpawned()
            | ev.ChildConnected()
            | ev.HelloReceived()
            | ev.ChannelsOpen()
        ):
            return "once"
        case ev.HandshakeFailed() | ev.Fault() | ev.ChannelClosed() | ev.ChildExited() | ev.Audit():
            return "once"
        case ev.StepLate() | ev.SignalSent() | ev.ChildStopped() | ev.ChildContinued():
            return "often"
        case ev.MessageSent() | ev.MessageReceived() | ev.ChildOutput() | ev.ScriptStep() | ev.Note():
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
        self.events: list[ev.AnyEvent] = []

    def add(self, event: ev.AnyEvent) -> None:
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
            ev.HANDSHAKE_STEPS[type(event)]: event
            for event in self.events
            if isinstance(event, ev.HandshakeEvent)
        }
        late = {event.step: event for event in self.events if isinstance(event, ev.StepLate)}
        is_over = any(
            isinstance(event, ev.HandshakeFailed | ev.ChildExited | ev.Audit) for event in self.events
        )
        steps: list[StepProgress] = []
        previous: ev.AnyEvent | None = None
        is_next = True
        for step in ev.HANDSHAKE_STEPS.values():
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
    def other_events(self) -> list[ev.AnyEvent]:
        """All but the steps of the handshake and the late ones: failure, signals, the end, the audit."""
        return [event for event in self.events if not isinstance(event, ev.HandshakeEvent | ev.StepLate)]

    def describe_end(self) -> str:
        """How the run ended and how long its child lived, safe to show; empty if nothing was tried."""
        spawned = failed = exited = None
        name, is_faulty = "", False
        for event in self.events:
            match event:
                case ev.ChildSpawned():
                    spawned, name = event, event.command[0].rpartition("/")[2]
                case ev.HelloReceived():
                    name = event.name
                case ev.HandshakeFailed():
                    failed = event
                case ev.Fault(ends_channel=True):
                    is_faulty = True
                case ev.ChildExited():
                    exited = event
                case _:
                    pass
        trouble = "the handshake failed; " if failed else "the protocol was broken; " if is_faulty else ""
        if spawned is None:
            return f"{trouble}no child was started" if failed else ""
        end = "has not ended"
        if exited is not None:
            lifetime = format_duration(exited.at - spawned.at)
            end = f"ran for {lifetime} and {describe_exit(exited.code, exited.signal)}"
        return f"{trouble}{make_visible(name[:NAME_LIMIT]) or 'the child'} {end}"

    def describe_leftovers(self) -> str | None:
        """What the run left behind, safe to show; empty if it is clean, None if nobody has looked."""
        audits = [event for event in self.events if isinstance(event, ev.Audit)]
        return make_visible(", ".join(describe_leftovers(audits[-1]))) if audits else None


class RunSummaries:
    """The summaries of the newest runs, by run number."""

    def __init__(self) -> None:
        self._by_run: dict[int, RunSummary] = {}

    def add(self, event: ev.AnyEvent) -> None:
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


def summarize_session(summaries: RunSummaries, unanswered: Mapping[int, int]) -> list[str]:
    """How each of the newest runs ended, and what all of them left behind: a few lines that are safe to show.

    Args:
        summaries: The summaries of the runs.
        unanswered: How many messages of a run had no answer, by its number.
    """
    ends = {run: end for run in summaries.runs if (end := summaries[run].describe_end())}
    if not ends:
        return []
    listed = list(ends)[-LISTED_RUNS:] if max(ends) <= LISTED_RUNS else list(ends)[1 - LISTED_RUNS :]
    earlier = listed[0] - 1
    lines = [format_plural(earlier, "earlier run")] if earlier else []
    for run in listed:
        count = unanswered.get(run, 0)
        without = f"; {format_plural(count, 'message')} without an answer" if count else ""
        lines.append(f"run {run}: {ends[run]}{without}")
    leftovers = {run: summaries[run].describe_leftovers() for run in reversed(ends)}
    facts = [f"{text} (run {run})" if len(ends) > 1 else text for run, text in leftovers.items() if text]
    if facts or any(text is not None for text in leftovers.values()):
        lines.append(f"left behind: {'; '.join(facts) or 'nothing'}")
    return lines


def shift_events(events: Iterable[ev.AnyEvent], end: int) -> list[ev.AnyEvent]:
    """Move events together in time so that the last happens at ``end``, and none before 0."""
    kept = list(events)
    by = end - kept[-1].at if kept else 0
    return [replace(event, at=max(0, event.at + by)) for event in kept]
