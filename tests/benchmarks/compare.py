"""This commit beside another one of ours: ``python -m tests.benchmarks.compare PYTHON``.

``PYTHON`` is the interpreter of an environment in which the other one is installed. A pair of processes of
each takes turns, round by round; both ends are on one CPU, and then on two.
"""

import argparse
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack

from tests.benchmarks.measure import CPUS, Tally, turns

_MEASURE = """
import os, sys
from time import perf_counter
from tui_ipc import channel

sender, theirs = channel()
back, receiver = channel()
if not os.fork():
    os.sched_setaffinity(0, {int(sys.argv[2])})
    sender.close()
    for message in theirs:
        if isinstance(message, int):
            for _ in range(message):
                theirs.recv()
        back.send(message)
    os._exit(0)
theirs.close()
os.sched_setaffinity(0, {int(sys.argv[1])})
for line in sys.stdin:
    size, count, one_way = map(int, line.split())
    message = os.urandom(size)
    send, recv = sender.send, receiver.recv
    begin = perf_counter()
    if one_way:
        send(count)
        for _ in range(count):
            send(message)
        recv()
    else:
        for _ in range(count):
            send(message)
            recv()
    print((perf_counter() - begin) / count, flush=True)
"""

_WORK = {
    "32 B there and back": "32 2000 0",
    "64 KiB there and back": "65536 300 0",
    "1 MiB there and back": "1048576 30 0",
    "32 B one way": "32 10000 1",
}


def compare(other: str, cpus: tuple[int, int], rounds: int) -> dict[str, Tally]:
    """What each took for each kind of work, by the name of the work."""
    with ExitStack() as stack:
        pythons = {"this": sys.executable, "other": other}
        workers = {name: stack.enter_context(_worker(python, cpus)) for name, python in pythons.items()}

        def measure(name: str, work: str) -> float:
            stdin, stdout = workers[name].stdin, workers[name].stdout
            assert stdin is not None
            assert stdout is not None
            print(work, file=stdin, flush=True)
            return float(stdout.readline())

        found = {title: _in_turn(measure, work, tuple(workers), rounds) for title, work in _WORK.items()}
        for worker in workers.values():
            worker.communicate()
        return found


def _worker(python: str, cpus: tuple[int, int]) -> "subprocess.Popen[str]":
    command = [python, "-I", "-c", _MEASURE, *map(str, cpus)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _in_turn(measure: Callable[[str, str], float], work: str, names: tuple[str, ...], rounds: int) -> Tally:
    tally = Tally()
    for name, counts in turns(names, rounds):
        seconds = measure(name, work)
        if counts:
            tally.add_steps(name, [seconds])
    return tally


def main() -> int:
    """Measure and print: microseconds a message, and how they compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.compare", description=__doc__)
    parser.add_argument("python", help="the interpreter with the other commit")
    parser.add_argument("--rounds", type=int, default=15, help="how many (15)")
    options = parser.parse_args()
    print("| work | CPUs | this, µs | other, µs | time | rate |", "|---|---|---|---|---|---|", sep="\n")
    for other_cpu in CPUS[:2]:
        for title, tally in compare(options.python, (CPUS[0], other_cpu), options.rounds).items():
            this, other = (tally.times(1e6)[name].median for name in ("this", "other"))
            row = (title, 1 if other_cpu == CPUS[0] else 2, f"{this:.1f}", f"{other:.1f}")
            print(f"| {' | '.join(map(str, row))} | {this / other:.2f} | {other / this:.2f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
