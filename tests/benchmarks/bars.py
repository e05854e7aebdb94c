"""The bars that we set ourselves, and whether a run's figures reach them.

A bar compares the medians of one run: what another machine or another minute gives says nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import ge, le

from tests.benchmarks.measure import Group

Place = tuple[str, str]
"""The title of a group, and a contender in it."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing to reach.

    Attributes:
        ours: What is judged.
        theirs: What it is compared with, None where a figure is judged as it is.
        limit: For the ratio, for the difference, or for the figure, the latter two in its unit.
        at_least: Whether more is better.
        beyond: Whether the difference is judged instead of the ratio.
    """

    ours: Place
    theirs: Place | None
    limit: float
    at_least: bool = False
    beyond: bool = False

    def __str__(self) -> str:
        title, contender = self.ours
        sign = "≥" if self.at_least else "≤"
        if self.theirs is None:
            return f"{title}: {contender} {sign} {self.limit:g}"
        other, reference = self.theirs
        place = reference if other == title else f"the same, {other}"
        relation = "+" if self.beyond else "×"
        return f"{title}: {contender} {sign} {self.limit:g} {relation} {place}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A bar, what was measured, and whether that reaches it."""

    bar: Bar
    measured: float
    holds: bool


def _bars(
    title: str, contender: str, limits: Mapping[str, float], *, at_least: bool = False
) -> tuple[Bar, ...]:
    """One bar for each contender that we compare ourselves with in a group."""
    return tuple(Bar((title, contender), (title, name), limit, at_least) for name, limit in limits.items())


FLOOR, OURS, PIPE, ZMQ = "bare socket pair", "tui_ipc", "multiprocessing.Pipe", "pyzmq PAIR"

_SET = "tui_ipc, ReceiverSet"
_FRAME = "explorer, start to first frame"
_SCRIPT = "script, start until its child runs"

BARS = (
    # A bare pair of sockets takes 0.53 of a Pipe's time: of the rest, 1 µs is ours at each end.
    *_bars("round trip, 32 bytes", OURS, {FLOOR: 1.4, PIPE: 0.7, ZMQ: 0.4}),
    *_bars("two CPUs, round trip, 32 bytes", OURS, {FLOOR: 1.6, PIPE: 2}),
    # Each send is a system call that wakes the peer, which takes more than ZeroMQ's whole send: its messages
    # are written by a thread of its own, many at once, as those of send_many are.
    *_bars("one way, 32 bytes", OURS, {PIPE: 1.6, FLOOR: 0.5}, at_least=True),
    *_bars("two CPUs, one way, 32 bytes", OURS, {PIPE: 1.6, FLOOR: 0.5}, at_least=True),
    *_bars("one way, 32 bytes", "tui_ipc, send_many", {PIPE: 7, ZMQ: 1.5}, at_least=True),
    *_bars("two CPUs, one way, 32 bytes", "tui_ipc, send_many", {PIPE: 7, ZMQ: 1}, at_least=True),
    *_bars("round trip, 65536 bytes", OURS, {PIPE: 1}),
    # On two CPUs a Pipe's reader copies one half while its writer copies the other. A body that is whole
    # before it is announced is copied twice in a row, which is what lets a sender stop without harm.
    *_bars("two CPUs, round trip, 65536 bytes", OURS, {PIPE: 1.6}),
    *_bars("round trip, 1048576 bytes", OURS, {PIPE: 1.1, FLOOR: 2}),
    *_bars("two CPUs, round trip, 1048576 bytes", OURS, {PIPE: 1}),
    *_bars("round trip, 16777216 bytes", OURS, {PIPE: 0.6}),
    *_bars("two CPUs, round trip, 16777216 bytes", OURS, {PIPE: 0.6}),
    # Callbacks of add_reader without any message around them take 0.7 of the time of asyncio's streams.
    *_bars("asyncio, round trip, 32 bytes", "tui_ipc.ipc.aio", {"asyncio streams, msgpack": 0.95}),
    *_bars("asyncio, round trip, 65536 bytes", "tui_ipc.ipc.aio", {"asyncio streams, msgpack": 0.9}),
    *_bars("session, round trip, 32 bytes", "script, repeat", {"tui_ipc.ipc.aio": 3}),
    *_bars("recording, write", OURS, {"json lines": 2}, at_least=True),
    *_bars("recording, read", OURS, {"json lines": 1.5}, at_least=True),
    Bar(("select, 1 of 1000 ready", _SET), ("select, 1 of 1 ready", _SET), 1.5),
    Bar(("64 MiB to the peer", "tui_ipc, SharedMemory"), None, 1),
    *_bars("start, handshake, quit", "built-in child", {'python -c "import socket, msgpack"': 1.3}),
    Bar((_SCRIPT, "tui-ipc --script"), (_SCRIPT, "python -c pass"), 120, beyond=True),
    *_bars(_FRAME, "explorer, panes", {"bare Textual app": 1.5}),
    Bar((_FRAME, "explorer, panes"), None, 700),
    Bar(("explorer, key to screen, 99 of 100", "in the flood"), None, 100),
    Bar(("explorer, key to screen, 99 of 100", "in the flood, filtered"), None, 100),
    Bar(("explorer, own message to its row, 99 of 100", "flood of lines"), None, 300),
    Bar(("explorer, own message to its row, 99 of 100", "flood of 5 000 messages/s"), None, 300),
    Bar(("explorer, quit", "flood of lines"), None, 2_000),
    Bar(("explorer, quit", "flood of 5 000 messages/s"), None, 2_000),
    Bar(("explorer, long log filtered", "by a text"), None, 500),
    Bar(("explorer, resident memory", "at most"), None, 200),
    Bar(("explorer, resident memory", "at most, filtered"), None, 200),
)


def judged(table: Mapping[str, Group]) -> list[Verdict]:
    """What a run says of the bars; one whose contenders it lacks is left out."""
    verdicts = []
    for bar in BARS:
        ours = _median(table, bar.ours)
        theirs = 1.0 if bar.theirs is None else _median(table, bar.theirs)
        if ours is not None and theirs is not None:
            measured = ours - theirs if bar.beyond else ours / theirs
            verdicts.append(Verdict(bar, measured, (ge if bar.at_least else le)(measured, bar.limit)))
    return verdicts


def _median(table: Mapping[str, Group], place: Place) -> float | None:
    title, contender = place
    figure = table[title].figures.get(contender) if title in table else None
    return None if figure is None else figure.median
