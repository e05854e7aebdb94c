"""How fast the channels are, beside what a Python user would pick instead: ``python -m tests.benchmarks``.

All contenders run in one go, round by round in turn, so that a machine that slows down slows them all. Both
processes are pinned to one CPU. Quote the ratios: absolute figures differ from machine to machine and from
minute to minute.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from time import perf_counter

from tests.benchmarks import coroutines, sessions
from tests.benchmarks.contenders import (
    Batches,
    Channel,
    Contender,
    Floor,
    Inline,
    Pipe,
    StreamChannel,
    ZeroMQ,
)
from tests.benchmarks.coroutines import AioChannel, Streams
from tests.benchmarks.measure import CPUS, Figures, Group, Tally, in_turn, turns
from tests.benchmarks.processes import NNG, Queue
from tui_ipc import OneShotServer

CPU = CPUS[0]


def round_trips(kinds: Sequence[type[Contender]], size: int, each: int, rounds: int) -> Figures:
    """Microseconds of one exchange of ``size`` bytes."""
    message = os.urandom(size)
    contenders = [kind(size, CPU) for kind in kinds]

    def exchange(contender: Contender) -> Callable[[], None]:
        return lambda: contender.exchange(message)

    tally = in_turn({one.name: exchange(one) for one in contenders}, each, rounds)
    for one in contenders:
        one.end()
    return tally.times(1e6)


def one_way(kinds: Sequence[type[Contender]], size: int, count: int, rounds: int) -> Figures:
    """Messages of ``size`` bytes in a second, from the first sent to the last counted by the peer."""
    message = os.urandom(size)
    contenders = {kind.name: kind(size, CPU) for kind in kinds}
    tally = Tally()
    for name, counts in turns(contenders, rounds):
        begin = perf_counter()
        contenders[name].stream(message, count)
        if counts:
            tally.add(name, [begin, perf_counter()], count)
    for one in contenders.values():
        one.end()
    return tally.rates()


def starts(rounds: int) -> Figures:
    """Milliseconds of a whole life of the built-in child, beside a Python that only imports what it needs."""

    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def bare() -> None:
        subprocess.run([sys.executable, "-c", "import socket, msgpack"], env=environment, check=True)

    def child() -> None:
        with OneShotServer() as server:
            command = [sys.executable, "-m", "tui_ipc.child", f"channel_name:{server.name}"]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
            bootstrap, hello = server.accept(30, child=process)
        with bootstrap, hello["to_child"] as to_child, hello["from_child"]:
            to_child.send("quit")
            process.wait()

    work: dict[str, Callable[[], object]] = {
        'python -c "import socket, msgpack"': bare,
        "built-in child": child,
    }
    return in_turn(work, 1, rounds).times(1e3)


def extras() -> tuple[type[Contender], ...]:
    """The contenders that are there only with the extra "bench"."""
    found = (ZeroMQ if find_spec("zmq") else None, NNG if find_spec("pynng") else None)
    return tuple(kind for kind in found if kind)


def measured(quick: bool) -> dict[str, Group]:
    """Title → what was compared."""
    rounds = 3 if quick else 11
    share = 10 if quick else 1
    ours: tuple[type[Contender], ...] = (Channel, StreamChannel)
    others: tuple[type[Contender], ...] = (Pipe, Queue, *extras())
    table: dict[str, Group] = {}
    for size, each in ((32, 2000), (1024, 2000), (64 * 1024, 300), (1024 * 1024, 40), (16 * 1024 * 1024, 4)):
        figures = round_trips((Floor, *ours, Inline, *others), size, max(1, each // share), rounds)
        table[f"round trip, {size} bytes"] = Group("µs", figures)
    for size, each in ((32, 1000), (1024, 1000), (64 * 1024, 200)):
        contenders = [kind(size, CPU) for kind in (Streams, AioChannel)]
        figures = coroutines.round_trips(contenders, os.urandom(size), each // share, rounds)
        table[f"asyncio, round trip, {size} bytes"] = Group("µs", figures)
    for size, count in ((32, 20_000), (1024, 20_000)):
        figures = one_way((*others, *ours, Batches), size, count // share, rounds)
        table[f"one way, {size} bytes"] = Group("messages/s", figures)
    table["session, round trip, 32 bytes"] = Group("µs", sessions.overhead(CPU, 32, 1000 // share, rounds))
    table["start, handshake, quit"] = Group("ms", starts(3 if quick else 20))
    return table


def shown(table: dict[str, Group]) -> str:
    """The table for people, in Markdown; ratios are to the first row of each group."""
    lines = ["| work | contender | median | 95 % | ratio |", "|---|---|---|---|---|"]
    for title, group in table.items():
        reference = next(iter(group.figures.values())).median
        lines += [
            f"| {title} | {name} | {number(one.median)} {group.unit} | {number(one.p95)} | "
            f"{one.median / reference:.2f} |"
            for name, one in group.figures.items()
        ]
    return "\n".join(lines)


def number(value: float) -> str:
    """With as many digits as mean something."""
    return f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"


def as_json(table: dict[str, Group]) -> str:
    """The same for programs."""
    groups = {
        title: {
            "unit": group.unit,
            "medians": {name: one.median for name, one in group.figures.items()},
            "p95": {name: one.p95 for name, one in group.figures.items()},
        }
        for title, group in table.items()
    }
    return json.dumps(groups)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the work: shows that it runs, proves nothing"
    )
    parser.add_argument("--json", action="store_true", help="figures as one JSON object instead of a table")
    options = parser.parse_args()
    os.sched_setaffinity(0, {CPU})
    table = measured(options.quick)
    if options.json:
        print(as_json(table))
    else:
        system = f"{platform.system()} {platform.release()}"
        print(f"Python {platform.python_version()}, {system}, both ends on one CPU\n")
        print(shown(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
