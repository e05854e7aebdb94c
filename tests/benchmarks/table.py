"""The tables of a run for the documents: ``python -m tests.benchmarks.table < figures.json``.

It reads what ``python -m tests.benchmarks --json`` prints. No figure is copied by hand: the picture of the
run carries its figures (:mod:`tests.benchmarks.plot`), and a test compares the documents with them.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.benchmarks.plot import quantity

CONTENDERS: Final = {
    "bare socket pair": "bare socket pair",
    "tui_ipc": "tui_ipc",
    "tui_ipc, send_many": "`send_many`",
    "multiprocessing.Pipe": "`Pipe`",
    "multiprocessing.Queue": "`Queue`",
    "pyzmq PAIR": "pyzmq",
    "pynng Pair0": "pynng",
    "iceoryx2": "iceoryx2",
}
"""The columns: a contender, and how it is called there. Those that the run lacks are left out."""

WORK: Final = {
    "round trip, 32 bytes": "32 B there and back",
    "two CPUs, round trip, 32 bytes": "32 B there and back, two CPUs",
    "round trip, 1024 bytes": "1 KiB there and back",
    "round trip, 65536 bytes": "64 KiB there and back",
    "round trip, 1048576 bytes": "1 MiB there and back",
    "round trip, 16777216 bytes": "16 MiB there and back",
    "one way, 32 bytes": "32 B one way",
    "one way, 1024 bytes": "1 KiB one way",
    "one way, 65536 bytes": "64 KiB one way",
}
"""The rows: the title of a group, and how the work is called there."""


def medians(groups: Mapping[str, Mapping[str, Any]]) -> str:
    """The medians of all contenders, in Markdown; a dash where one does not do that work."""
    shown = [groups[title]["medians"] for title in WORK if title in groups]
    names = [name for name in CONTENDERS if any(name in medians for medians in shown)]
    rows = [["work", *(CONTENDERS[name] for name in names)]]
    for title, work in WORK.items():
        if title in groups:
            found, unit = groups[title]["medians"], groups[title]["unit"]
            rows.append([work, *(quantity(found[one], unit) if one in found else "–" for one in names)])
    return _markdown(rows)


def bars(judged: Sequence[Mapping[str, Any]]) -> str:
    """The bars that we set ourselves and what the run says of them, in Markdown."""
    rows = [
        [str(one["bar"]), f"{one['measured']:.2f}", "yes" if one["holds"] else "**no**"] for one in judged
    ]
    return _markdown([["bar", "measured", "holds"], *rows])


def tables(run: Mapping[str, Any]) -> str:
    """The machine, the medians and the bars."""
    return f"{machine(run)}\n\n{medians(run['groups'])}\n\n{bars(run['bars'])}\n"


def machine(run: Mapping[str, Any]) -> str:
    """What a run was measured on, as the line above its tables."""
    return f"Measured on Python {run['python']}, {run['system']}, {run['cpus']} CPUs:"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    head, *body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([head, "|---" * len(rows[0]) + "|", *body])


def main() -> int:
    """Read figures and print the tables."""
    sys.stdout.write(tables(json.load(sys.stdin)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
