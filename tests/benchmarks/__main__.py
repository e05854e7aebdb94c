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
from statistics import median
from time import perf_counter

from tests.benchmarks.contenders import Batches, Channel, Contender, Floor, Pipe, StreamChannel, ZeroMQ
from tui_ipc import OneShotServer

Figures = dict[str, float]
CPU = min(os.sched_getaffinity(0))


def rounds_of(work: "dict[str, Callable[[], object]]", rounds: int) -> Figures:
    """The median seconds of each piece of work, over rounds in which each has its turn; one more warms up."""
    taken: dict[str, list[float]] = {name: [] for name in work}
    for count in range(rounds + 1):
        for name, run in work.items():
            start = perf_counter()
            run()
            if count:
                taken[name].append(perf_counter() - start)
    return {name: median(times) for name, times in taken.items()}


def round_trips(kinds: Sequence[type[Contender]], size: int, each: int, rounds: int) -> Figures:
    """Microseconds of one exchange of ``size`` bytes."""
    message = os.urandom(size)
    contenders = [kind(size, CPU) for kind in kinds]

    def exchanges(contender: Contender) -> "Callable[[], None]":
        def run() -> None:
            for _ in range(each):
                contender.exchange(message)

        return run

    seconds = rounds_of({one.name: exchanges(one) for one in contenders}, rounds)
    for one in contenders:
        one.end()
    return {name: value / each * 1e6 for name, value in seconds.items()}


def one_way(kinds: Sequence[type[Contender]], size: int, count: int, rounds: int) -> Figures:
    """Messages of ``size`` bytes in a second, from the first sent to the last counted by the peer."""
    message = os.urandom(size)
    contenders = [kind(size, CPU) for kind in kinds]

    def streams(contender: Contender) -> "Callable[[], None]":
        return lambda: contender.stream(message, count)

    seconds = rounds_of({one.name: streams(one) for one in contenders}, rounds)
    for one in contenders:
        one.end()
    return {name: count / value for name, value in seconds.items()}


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
    return {name: seconds * 1e3 for name, seconds in rounds_of(work, rounds).items()}


def measured(quick: bool) -> "dict[str, tuple[str, Figures]]":
    """Title → unit and figures, the reference first."""
    rounds = 3 if quick else 11
    share = 10 if quick else 1
    ours = (Channel, StreamChannel)
    others = (Pipe, ZeroMQ) if find_spec("zmq") else (Pipe,)
    table: dict[str, tuple[str, Figures]] = {}
    for size, each in ((32, 2000), (1024, 2000), (64 * 1024, 300), (1024 * 1024, 40), (16 * 1024 * 1024, 4)):
        figures = round_trips((Floor, *ours, *others), size, max(1, each // share), rounds)
        table[f"round trip, {size} bytes"] = ("µs", figures)
    for size, count in ((32, 20_000), (1024, 20_000)):
        figures = one_way((*others, *ours, Batches), size, count // share, rounds)
        table[f"one way, {size} bytes"] = ("messages/s", figures)
    table["start, handshake, quit"] = ("ms", starts(3 if quick else 20))
    return table


def shown(table: "dict[str, tuple[str, Figures]]") -> str:
    """The table for people, in Markdown; ratios are to the first row of each group."""
    lines = ["| work | contender | median | ratio |", "|---|---|---|---|"]
    for title, (unit, figures) in table.items():
        reference = next(iter(figures.values()))
        lines += [
            f"| {title} | {name} | {value:,.{1 if value < 1000 else 0}f} {unit} | {value / reference:.2f} |"
            for name, value in figures.items()
        ]
    return "\n".join(lines)


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
        print(
            json.dumps(
                {title: {"unit": unit, "medians": figures} for title, (unit, figures) in table.items()}
            )
        )
    else:
        system = f"{platform.system()} {platform.release()}"
        print(f"Python {platform.python_version()}, {system}, both ends on one CPU\n")
        print(shown(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
