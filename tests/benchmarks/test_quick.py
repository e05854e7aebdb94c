"""The benchmarks run, whatever the figures are."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_quick_run_measures_every_contender() -> None:
    """``python -m tests.benchmarks --quick --json`` gives a positive median for each."""
    command = [sys.executable, "-m", "tests.benchmarks", "--quick", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    table = json.loads(done.stdout)
    assert {"round trip, 32 bytes", "one way, 32 bytes", "start, handshake, quit"} <= set(table)
    for title, group in table.items():
        assert len(group["medians"]) >= 2, title
        assert all(value > 0 for value in group["medians"].values()), title
