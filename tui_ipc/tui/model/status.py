"""The state of the current run, as the status line and the message box show it, with its metrics."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, assert_never

from tui_ipc import events as ev
from tui_ipc.osutil.signals import describe_exit, signal_name

StatusPhase = Literal["starting", "open", "over"]

_WAITING_FOR: dict[ev.Step, str] = {
    "listening": "waiting for its server",
    "spawned": "waiting for its process",
    "connected": "waiting for it to connect",
    "hello": "waiting for its hello",
    "channels open": "waiting for its channels",
}


class Status:
    """The state of the current run.

    Attributes:
        run: The run's number; 0 before the first.
        name: The child's name from its hello; until it comes, the file name of its program.
        pid: The child's process id, None until it is spawned.
        phase: ``starting`` until the channels are open, ``over`` once no message can be sent any more.
        stopped: The number of the signal that stopped the child, None while it is not stopped.
        why_unreachable: Why no message can be sent any more, None while one can or may soon.
        sent: Messages sent in this run.
        received: Messages received in this run.
        metrics: Latencies and traffic of this run.
        is_tapped: Whether another process is the parent, and a tap recorded the run.
    """

    def __init__(self) -> None:
        self.name = ""
        self._begin_run(0)

    def _begin_run(self, run: int) -> None:
        self.run = run
        self.pid: int | None = None
        self.phase: StatusPhase = "starting"
        self.stopped: int | None = None
        self.why_unreachable: str | None = None
        self._state = "starting"
        self._broken = False
        self._exited = False
        self.sent = 0
        self.received = 0
        self.metrics = RunMetrics()
        self.is_tapped = False

    @property
    def p50(self) -> int | None:
        """The median time from a message to its answer in ns, None before the first answer."""
        percentiles = self.metrics.percentiles
        return None if percentiles is None else percentiles.p50

    @property
    def state(self) -> str:
        """The phase in a word or two, for the status line."""
        return self._state if self.stopped is None else f"stopped by {signal_name(self.stopped)}"

    @property
    def is_running(self) -> bool:
        """Whether the child's process runs, as far as is known."""
        return self.pid is not None and not self._exited

    def apply(self, event: ev.AnyEvent) -> None:  # noqa: PLR0912, PLR0915 - one case for each kind of event
        """Take an event into account."""
        if event.run != self.run:
            self._begin_run(event.run)
        match event:
            case ev.ServerListening():
                self._state = "listening"
            case ev.ChildSpawned():
                self.pid = event.pid
                self.name = self.name or event.command[0].rpartition("/")[2]
                self._state = _WAITING_FOR["connected"]
            case ev.ChildConnected():
                self._state = _WAITING_FOR["hello"]
            case ev.HelloReceived():
                self.name = event.name
                self._state = "said hello"
            case ev.ChannelsOpen():
                self.phase, self._state = "open", "connected"
            case ev.StepLate():
                if event.step != "message":
                    self._state = f"late: {_WAITING_FOR[event.step]}"
            case ev.MessageSent():
                self.sent = event.number
                self.is_tapped = event.origin == "parent"
                self.metrics.add_sent(event.at, len(event.raw))
            case ev.MessageReceived():
                self.received = event.number
                self.metrics.add_received(event.at, len(event.raw), event.elapsed)
            case ev.ChildStopped():
                self.stopped = event.signal
            case ev.ChildContinued():
                self.stopped = None
            case ev.HandshakeFailed():
                self._broken = True
                self._end_run("handshake failed", "child not connected: the handshake failed")
            case ev.Fault(ends_channel=False):
                pass  # one message was skipped; the conversation goes on
            case ev.Fault():
                self._broken = True
                self._end_run("broke the protocol", "channel unusable: the child broke the protocol")
            case ev.ChannelClosed():
                self._end_run("channel closed", "channel closed: the child closed it")
            case ev.ChildExited():
                self.stopped, self._exited = None, True
                end = describe_exit(event.code, event.signal)
                self._end_run(self._state if self._broken else end, f"child not running: it {end}")
            case ev.ScriptStep() | ev.Note():
                pass  # they say something about the session, and do nothing in it
            case ev.SignalSent() | ev.ChildOutput() | ev.Audit():
                pass  # a signal shows in what the child does next; the output and the leftovers are not state
            case _:
                assert_never(event)

    def _end_run(self, state: str, why: str) -> None:
        self.phase, self._state, self.why_unreachable = "over", state, why


LATENCY_WINDOW: Final = 1024
"""How many of the newest answers the percentiles are of."""

TRAFFIC_WINDOW: Final = 180
"""How many seconds of traffic are kept."""

NANOSECONDS: Final = 1_000_000_000

_BARS: Final = "▁▂▃▄▅▆▇█"
_NO_BAR: Final[dict[float | None, str]] = {None: " ", 0: "·"}


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Latencies of the newest answers, in nanoseconds."""

    p50: int
    p95: int
    p99: int


@dataclass(slots=True)
class TrafficSecond:
    """The traffic of one second.

    Attributes:
        number: The second of the session, from 0.
        sent: Messages to the child.
        received: Messages from it.
        sent_bytes: Bytes of the messages to the child.
        received_bytes: Bytes of the messages from it.
        slowest: The longest time to an answer in ns, None if none came.
    """

    number: int
    sent: int = 0
    received: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    slowest: int | None = None


class RunMetrics:
    """Latencies and traffic of one run, in bounded memory.

    The percentiles are of the newest :data:`LATENCY_WINDOW` answers and the traffic is of the newest
    :data:`TRAFFIC_WINDOW` seconds; only the counts and the slowest answer are of the whole run.

    Attributes:
        answers: How many messages were answered.
        slowest: The longest time to an answer in ns, None before the first.
    """

    def __init__(self) -> None:
        self.answers = 0
        self.slowest: int | None = None
        self._latencies: deque[int] = deque(maxlen=LATENCY_WINDOW)
        self._percentiles: Percentiles | None = None
        self._seconds: deque[TrafficSecond] = deque(maxlen=TRAFFIC_WINDOW)

    def add_sent(self, at: int, size: int) -> None:
        """Count a message of ``size`` bytes that was sent at ``at``, in ns since the session began."""
        second = self._second(at)
        second.sent += 1
        second.sent_bytes += size

    def add_received(self, at: int, size: int, elapsed: int | None) -> None:
        """Count a received message: an answer after ``elapsed`` ns, or unasked (None)."""
        second = self._second(at)
        second.received += 1
        second.received_bytes += size
        if elapsed is None:
            return
        self.answers += 1
        self.slowest = max(elapsed, self.slowest or 0)
        second.slowest = max(elapsed, second.slowest or 0)
        self._latencies.append(elapsed)
        self._percentiles = None

    @property
    def percentiles(self) -> Percentiles | None:
        """The percentiles of the newest answers, None before the first."""
        if self._percentiles is None and self._latencies:
            ordered = sorted(self._latencies)
            self._percentiles = Percentiles(
                *(_find_percentile(ordered, share) for share in (0.5, 0.95, 0.99))
            )
        return self._percentiles

    def list_seconds(self, now: int, count: int) -> list[TrafficSecond]:
        """The last ``count`` whole seconds before ``now``, oldest first, those without traffic too."""
        last = now // NANOSECONDS - 1
        known = {second.number: second for second in self._seconds}
        return [known.get(number) or TrafficSecond(number) for number in range(last - count + 1, last + 1)]

    def _second(self, at: int) -> TrafficSecond:
        number = at // NANOSECONDS
        if not self._seconds or self._seconds[-1].number < number:
            self._seconds.append(TrafficSecond(number))
        return self._seconds[-1]


def _find_percentile(ordered: Sequence[int], share: float) -> int:
    """The nearest-rank percentile: the smallest value that so large a share of the values do not exceed."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def draw_sparkline(values: Sequence[float | None], top: float = 0) -> str:
    """Draw a line of bars, one for each value: a blank for None, a dot for 0.

    Args:
        values: The values, none below 0.
        top: The value of a full bar at least.
    """
    highest = max([top, *(value for value in values if value is not None)])
    return "".join(_NO_BAR.get(value) or _draw_bar((value or 0) / highest) for value in values)


def _draw_bar(share: float) -> str:
    return _BARS[min(len(_BARS) - 1, int(share * len(_BARS)))]
