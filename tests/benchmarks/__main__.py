"""How fast the channels are, beside what a Python user would pick instead: ``python -m tests.benchmarks``.

All contenders run in one go, round by round in turn, so that a machine that slows down slows them all. Both
processes are pinned to one CPU, or each to its own where the row says so. Quote the ratios: absolute figures
differ from machine to machine and from minute to minute.
"""

import argparse
import json
import os
import platform
import sys

from tests.benchmarks.bars import Verdict, judged
from tests.benchmarks.measure import CPUS, Group
from tests.benchmarks.plan import CPU, measured


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
    return f"{value:,.{2 if value < 10 else 1 if value < 1000 else 0}f}"


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
    bars = [
        {"bar": str(one.bar), "limit": one.bar.limit, "measured": one.measured, "holds": one.holds}
        for one in judged(table)
    ]
    machine = {"python": platform.python_version(), "system": system(), "cpus": len(CPUS)}
    return json.dumps({**machine, "groups": groups, "bars": bars})


def system() -> str:
    """The kernel that all went through."""
    return f"{platform.system()} {platform.release()}"


def verdicts(found: list[Verdict]) -> str:
    """Which bars hold, in Markdown."""
    lines = ["| bar | measured | holds |", "|---|---|---|"]
    lines += [f"| {one.bar} | {one.measured:.2f} | {'yes' if one.holds else 'no'} |" for one in found]
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
        print(as_json(table))
    else:
        print(
            f"Python {platform.python_version()}, {system()}, both ends on one CPU where not said otherwise\n"
        )
        print(shown(table))
        if not options.quick:
            print(f"\n{verdicts(judged(table))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
