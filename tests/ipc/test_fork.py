"""What a forked child has of its parent's endpoints: nothing is done twice, and nothing is taken away."""

import os
import queue
import select
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.raw_wire import begin_large
from tests.support.threads import PATIENCE
from tui_ipc import Arrived, Empty, OneShotServer, ReceiverSet, Router, connect
from tui_ipc.ipc.wire import encode


def in_child(work: Callable[[], object]) -> int:
    """Do something in a forked child; its exit status: 0 if it returned, else 1."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def assert_empty(ends: Pair) -> None:
    with pytest.raises(Empty):
        ends[1].try_recv()


@pytest.mark.parametrize("with_handles", [False, True])
def test_what_was_read_ahead_stays_with_the_parent(ends: Pair, with_handles: bool) -> None:
    """A fork after a batch was read: no message twice."""
    sender, receiver = ends
    sender.send_many(range(10))
    if with_handles:
        sender.send([sender])
    assert receiver.recv() == 0

    def child() -> None:
        assert receiver.read_ahead() == 0
        assert_empty(ends)

    assert in_child(child) == 0
    assert [receiver.recv() for _ in range(9)] == list(range(1, 10))
    if with_handles:
        receiver.recv()[0].close()
    sender.send("goes on")
    assert receiver.recv() == "goes on"


def test_a_child_that_receives_instead_of_its_parent_goes_on_where_the_stream_is(ends: Pair) -> None:
    """Also in the middle of a message: what is cut off is not taken for one that was read."""
    sender, receiver = ends
    data = encode({"half": "and half"})
    sender.send_raw(encode(1) + encode(2) + data[:5])
    assert receiver.recv() == 1

    def child() -> None:
        sender.send_raw(data[5:])
        assert receiver.recv(PATIENCE) == {"half": "and half"}

    assert in_child(child) == 0
    assert receiver.recv() == 2


def test_a_set_in_a_child_changes_nothing_for_its_parent(make_channel: MakeChannel) -> None:
    """Neither what is taken out there nor what is closed, and what was taken before is the parent's."""
    (first, first_end), (second, second_end) = make_channel(), make_channel()
    with ReceiverSet() as several:
        one, other = several.add(first_end), several.add(second_end)
        first.send_many(["a", "b"])

        def child() -> None:
            several.remove(other).close()
            assert several.select(0) == [Arrived(one, "a"), Arrived(one, "b")]
            several.close()

        number = several.fileno()
        second.send("seen")
        assert in_child(lambda: select.select([number], [], [], 0)) == 0
        taken = several.select(PATIENCE)
        while len(taken) < 3:
            taken += several.select(PATIENCE)
        assert sorted(taken) == [Arrived(one, "a"), Arrived(one, "b"), Arrived(other, "seen")]
        first.send_many(["a", "b"])
        assert in_child(child) == 0
        second.send("still heard")
        assert several.select(PATIENCE)[-1:] == [Arrived(other, "still heard")]


def test_a_descriptor_to_wait_for_is_the_child_s_own(ends: Pair) -> None:
    """What it waits for there changes nothing for the parent, in the middle of a large message either."""
    sender, receiver = ends
    number = receiver.fileno()
    with begin_large(sender, 100_000) as body:
        body.sendall(b"x")
        with pytest.raises(Empty):
            receiver.try_recv()

        def child() -> None:
            assert receiver.fileno() == number
            receiver.close()

        assert in_child(child) == 0
        assert select.select([number], [], [], 0)[0] == []
        body.sendall(b"x")
        assert select.select([number], [], [], PATIENCE)[0] == [number]


@pytest.mark.parametrize("leave", ["close", "with", "drop"])
def test_a_child_that_leaves_the_block_takes_nothing(leave: str) -> None:
    """`with OneShotServer()` left by a forked child: the parent's socket and directory stay."""
    with OneShotServer() as server:
        place = Path(server.name)

        def child() -> None:
            if leave == "drop":
                server.__del__(lambda *_, **__: None)
            elif leave == "with":
                with server:
                    pass
            else:
                server.close()

        assert in_child(child) == 0
        assert place.is_socket()
        with connect(server.name) as client:
            client.send("first")
            receiver, first = server.accept(PATIENCE)
        receiver.close()
        assert first == "first"
    assert not place.parent.exists()


def test_a_child_that_leaves_the_block_of_a_router_takes_nothing(ends: Pair) -> None:
    """The thread that routes is its parent's, and goes on."""
    came: queue.SimpleQueue[object] = queue.SimpleQueue()
    with Router() as router:
        router.add(ends[1], came.put)
        ends[0].send("before")
        assert came.get(timeout=PATIENCE) == "before"
        assert in_child(router.close) == 0
        ends[0].send("after")
        assert came.get(timeout=PATIENCE) == "after"


def test_a_child_that_closes_a_receiver_ends_no_channel(ends: Pair) -> None:
    """The usual way to share: each process closes the end that it does not use."""
    sender, receiver = ends
    assert in_child(receiver.close) == 0
    sender.send("still open")
    assert receiver.recv() == "still open"
    assert in_child(sender.close) == 0
    assert_empty(ends)


def test_a_fork_leaves_a_descriptor_ready_that_is(ends: Pair) -> None:
    """What was read ahead is not the child's, so that its own is not ready; the parent's stays so."""
    sender, receiver = ends
    number = receiver.fileno()
    sender.send_many([1, 2])
    assert receiver.recv() == 1

    def child() -> None:
        assert select.select([number], [], [], 0)[0] == []

    assert in_child(child) == 0
    assert select.select([number], [], [], 0)[0] == [number]
    assert receiver.recv() == 2
