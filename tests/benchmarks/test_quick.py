"""The benchmarks run, whatever the figures are."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.bars import BARS, ZMQ

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(120)  # about 10 s on a machine that does nothing else
def test_a_quick_run_measures_every_contender() -> None:
    """``python -m tests.benchmarks --quick --json`` gives a positive median for each.

    Whatever a bar compares is among them.
    """
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    groups = json.loads(done.stdout)["groups"]
    for title, group in groups.items():
        assert group["medians"], title
        assert set(group["p95"]) == set(group["medians"]), title
        assert all(value > 0 for value in group["medians"].values()), title
    for bar in BARS:
        for title, contender in filter(None, (bar.ours, bar.theirs)):
            assert contender in groups[title]["medians"] or contender == ZMQ, bar
