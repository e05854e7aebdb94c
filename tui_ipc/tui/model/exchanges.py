"""Which of the messages sent were answered, how long the others have waited, and which wait in vain."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from tui_ipc import events as ev
from tui_ipc.ipc.hello import QUIT
from tui_ipc.session.correlation import MAX_PENDING, comparable_at, parse_rule
from tui_ipc.text.units import format_duration
from tui_ipc.tui.model.styled_line import Paint

MIN_WAIT: Final = 1_000_000_000
"""Nanoseconds from which on a wait is shown: what is answered sooner must not flicker."""

MAX_UNANSWERED_RUNS: Final = 100
"""How many runs have a count of unanswered messages; the oldest are forgotten."""

NO_ANSWER: Final = "no answer"
NOT_MATCHED: Final = "not matched"


@dataclass(slots=True, eq=False)
class PendingMessages:
    """The messages of a run that wait for an answer.

    Attributes:
        by_number: Their exchanges by the number of the message, oldest first.
        ending: Why no answer comes any more, empty as long as one may come.
    """

    by_number: "dict[int, Exchange]" = field(default_factory=dict)
    ending: str = ""


@dataclass(slots=True, eq=False)
class Exchange:
    """A message that was sent and expects an answer.

    Attributes:
        sent_at: When it was sent, in ns since the session began.
        pending: Those of its run that wait.
        elapsed: Nanoseconds until it was answered, None if it was not.
    """

    sent_at: int
    pending: PendingMessages
    elapsed: int | None = None

    def is_waiting(self, now: int) -> bool:
        """Whether it has waited so long that this is shown."""
        return self.elapsed is None and not self.pending.ending and now - self.sent_at >= MIN_WAIT

    def describe(self, now: int) -> tuple[str, Paint]:
        """Return the latency, how long it has waited or why it waits in vain, and how that is painted."""
        if self.elapsed is not None:
            return format_duration(self.elapsed), "muted"
        if self.pending.ending:
            return self.pending.ending, "bad"
        return (f"⧗ {format_duration(now - self.sent_at)}", "warn") if self.is_waiting(now) else ("", "muted")


class Exchanges:
    """Pairs the messages of a session by what its events say.

    Args:
        match: The rule by which the session matches answers: a message without a value at its path expects
            none. With None every message expects one.

    Attributes:
        changes: How many answers and ends of runs were taken into account.
        unanswered: How many messages of a run had no answer at its end, by its number; the newest such runs.
    """

    def __init__(self, match: str | None = None) -> None:
        self.changes = 0
        self.unanswered: dict[int, int] = {}
        self._expects_answer = _make_test(match)
        self._runs: dict[int, PendingMessages] = {}

    def apply(self, event: ev.AnyEvent) -> Exchange | None:
        """Take an event into account; return the exchange that it belongs to, None if it belongs to none."""
        match event:
            case ev.MessageSent():
                return self._begin(event)
            case ev.MessageReceived():
                return self._end(event)
            case ev.ChannelClosed() | ev.Fault(ends_channel=True):
                self._end_run(event.run, NO_ANSWER)
            case ev.ChildExited():
                self._end_run(event.run, f"{NO_ANSWER} (child exited)")
            case ev.Audit():
                if not self._runs.setdefault(event.run, PendingMessages()).ending:
                    self._end_run(event.run, NO_ANSWER)
                self._count_unanswered(event.run, self._runs.pop(event.run))  # no messages nor answers follow
            case ev.Fault() | ev.StepLate() | ev.HandshakeFailed() | ev.ChildStopped() | ev.ChildContinued():
                pass  # an answer may still come, or there is no message that could be answered
            case ev.ServerListening() | ev.ChildSpawned() | ev.ChildConnected() | ev.HelloReceived():
                pass  # before the first message
            case ev.ChannelsOpen() | ev.ChildOutput() | ev.SignalSent() | ev.ScriptStep() | ev.Note():
                pass  # they say nothing about messages
            case _:
                assert_never(event)
        return None

    def _begin(self, event: ev.MessageSent) -> Exchange | None:
        value = event.value
        if event.channel or (isinstance(value, str) and value == QUIT) or not self._expects_answer(value):
            return None
        pending = self._runs.setdefault(event.run, PendingMessages())
        exchange = Exchange(event.at, pending)
        if not pending.ending:
            pending.by_number[event.number] = exchange
            if len(pending.by_number) > MAX_PENDING:  # the session gives up matching as well
                pending.by_number.clear()
                pending.ending = NOT_MATCHED
        return exchange

    def _end(self, event: ev.MessageReceived) -> Exchange | None:
        pending = self._runs.get(event.run)
        if event.answers is None or pending is None:
            return None
        exchange = pending.by_number.pop(event.answers, None)
        if exchange is not None:
            exchange.elapsed = event.elapsed
            self.changes += 1
        return exchange

    def _end_run(self, run: int, ending: str) -> None:
        pending = self._runs.setdefault(run, PendingMessages())
        if pending.ending != NOT_MATCHED:
            pending.ending = ending
            self.changes += 1

    def _count_unanswered(self, run: int, pending: PendingMessages) -> None:
        if pending.by_number:
            self.unanswered[run] = len(pending.by_number)
            if len(self.unanswered) > MAX_UNANSWERED_RUNS:
                del self.unanswered[next(iter(self.unanswered))]

    def count_waiting(self, now: int) -> tuple[int, int] | None:
        """Return how many messages wait and since how many ns; None if none has waited long."""
        waiting = [run.by_number for run in self._runs.values() if run.by_number and not run.ending]
        if not waiting:
            return None
        longest = now - min(next(iter(numbers.values())).sent_at for numbers in waiting)
        return (sum(map(len, waiting)), longest) if longest >= MIN_WAIT else None


def _make_test(match: str | None) -> Callable[[Any], bool]:
    if match is None:
        return lambda _: True
    path = parse_rule(match).path
    return lambda value: comparable_at(value, path) is not None
