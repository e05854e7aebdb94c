"""Processes that are killed in the middle of a message: the other end hears it, and soon."""

import os
import select
import signal
import sys
from collections.abc import Callable
from time import monotonic
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support import peers
from tests.support.peers import peer
from tests.support.threads import PATIENCE, check
from tui_ipc import Disconnected, Empty, channel

MIB = 1024 * 1024
KILLED = -signal.SIGKILL


@pytest.mark.parametrize("sending", [True, False], ids=["to the child", "from the child"])
@pytest.mark.parametrize(
    "program",
    [["-m", "tui_ipc.child"], ["-m", "tests.support.ipc_programs.three_lines"]],
    ids=["built-in", "serve"],
)
def test_the_parent_is_killed(program: list[str], sending: bool) -> None:
    """The parent is killed with SIGKILL, in the middle of a large message: the child ends by itself, within a
    second."""
    teller, told = channel()
    command = [sys.executable, *program]
    with teller, told, peer(peers.parent_in_the_middle, [teller, command, sending], status=KILLED) as parent:
        child = os.pidfd_open(told.recv(PATIENCE))
        try:
            assert select.select([child], [], [], 0)[0] == []
            parent.kill()
            parent.wait()
            assert select.select([child], [], [], 1.0)[0] == [child]
        finally:
            end(child)


def end(process: int) -> None:
    """Kill a process that has not ended by itself, so that a failed test leaves none behind."""
    try:
        signal.pidfd_send_signal(process, signal.SIGKILL)
    except ProcessLookupError:
        pass
    os.close(process)


@pytest.mark.parametrize("form", ["recv", "timeout", "try_recv"])
def test_a_sender_killed_in_the_middle_loses_only_that_message(ends: Pair, form: str) -> None:
    """A sender that gives up in mid-body, its process killed, loses only that message."""
    sender, receiver = ends
    with peer(peers.send_repeated, [sender, "x", 50 * MIB, 1], status=KILLED) as process:
        select.select([receiver], [], [])  # it is announced, and more than the kernel's buffers hold
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED)
        with pytest.raises(Empty):
            receiver.try_recv()
        process.kill()
        process.wait()
    sender.send("from another sender")
    forms: dict[str, Callable[[], object]] = {
        "recv": receiver.recv,
        "timeout": lambda: receiver.recv(PATIENCE),
        "try_recv": receiver.try_recv,
    }
    assert forms[form]() == "from another sender"


def test_the_only_sender_killed_in_the_middle(ends: Pair) -> None:
    """A sender killed in the middle of its last message: the receiver hears how much of it came."""
    sender, receiver = ends
    with peer(peers.send_repeated, [sender, "x", 50 * MIB, 1], status=KILLED) as process:
        sender.close()
        select.select([receiver], [], [])
        process.kill()
        process.wait()
        with pytest.raises(Disconnected) as caught:
            next(receiver)
    assert 0 < caught.value.unfinished < 50 * MIB


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_the_receiver_is_killed_in_the_middle(make_channel: MakeChannel, timeout: float | None) -> None:
    """No receiver → send says the same error ★: the receiver's process is killed."""
    (to_peer, theirs), (their_sender, from_peer) = make_channel(), make_channel()
    with peer(peers.echo, [their_sender, theirs], status=KILLED) as process:
        their_sender.close()
        to_peer.send("x" * (50 * MIB))
        select.select([from_peer], [], [])  # it sends the answer, and reads nothing meanwhile
        process.kill()
        with pytest.raises(Disconnected, match="the peer is gone"):
            send_on(to_peer, timeout)


def send_on(sender: Any, timeout: float | None) -> None:
    deadline = monotonic() + PATIENCE
    while monotonic() < deadline:
        sender.send("x" * (5 * MIB), timeout)


def test_a_channel_outlives_a_killed_process_that_shared_its_sender(ends: Pair) -> None:
    """A process killed between its messages loses none that it sent."""
    sender, receiver = ends
    with peer(peers.send_and_stay, [sender, ["a", "b"]], status=KILLED) as process:
        check([receiver.recv(PATIENCE), receiver.recv(PATIENCE)], ["a", "b"])
        sender.send("mine")
        process.kill()
    sender.close()
    assert list(receiver) == ["mine"]
