"""The second processes of a benchmark: they do their part, and do not outlive it."""

import os
import select
import signal
import subprocess
import sys

import pytest

from tests.benchmarks.contenders import Batches, Channel, Contender, Pipe
from tests.benchmarks.measure import CPUS
from tests.benchmarks.processes import Queue

_CUT_OFF = """
import sys
from tests.benchmarks.contenders import Channel, Floor, Inline, Pipe
from tests.benchmarks.measure import CPUS
from tests.benchmarks.processes import Queue
peers = [kind(32, CPUS[0]) for kind in (Floor, Channel, Inline, Pipe, Queue)]
for peer in peers:
    peer.exchange(bytes(32))
print(*(peer.process.pid if isinstance(peer, Queue) else peer.pid for peer in peers), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", [Channel, Batches, Pipe, Queue])
def test_a_stream_is_counted_to_its_end(kind: type[Contender]) -> None:
    """What is measured one way is what the peer has received, and the peer answers again afterwards."""
    peer = kind(32, CPUS[0])
    try:
        peer.stream(bytes(32), 100)
        peer.exchange(bytes(32))
    finally:
        peer.end()


def test_a_run_that_is_cut_off_leaves_no_peer() -> None:
    """Not even by SIGKILL, and whatever the peer waits for."""
    run = subprocess.Popen(
        [sys.executable, "-c", _CUT_OFF], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert run.stdin is not None
    assert run.stdout is not None
    with run.stdin, run.stdout:
        peers = [os.pidfd_open(int(pid)) for pid in run.stdout.readline().split()]
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert len(peers) == 5
    for peer in peers:
        assert select.select([peer], [], [], 20)[0], "a peer lives on"
        os.close(peer)
