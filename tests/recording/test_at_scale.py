"""A recorded session of 24 000 messages and 70 MiB of output: all of it, in order, in less memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.sessions import ROOT, environment

EXCHANGES = 12_000
SIZE = 6 * 1024  # bytes that the child prints in each
MEMORY = 64 * 1024 * 1024


def test_a_recording_holds_every_event_and_replays_to_the_same(tmp_path: Path) -> None:
    """With a real child, in a process of its own, whose memory is measured."""
    path = tmp_path / "session.rec"
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.record_and_replay", str(path), str(EXCHANGES), str(SIZE)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        check=True,
    )
    report = json.loads(done.stdout)
    live = report["live"]
    assert (live["sent"], live["received"]) == (EXCHANGES + 1, EXCHANGES)  # "quit" is sent and not answered
    assert live["printed"] >= EXCHANGES * SIZE > MEMORY  # the child says a line of its own as well
    assert live["in_order"]
    assert report["replayed"] == live
    assert os.stat(path).st_size > MEMORY
    assert report["peak"] < MEMORY
