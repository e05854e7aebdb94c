"""Waiting for descriptors: never early, hardly late, and one descriptor that stands for many."""

import os
import select
import socket
from collections.abc import Iterator
from time import monotonic

import pytest

from tui_ipc.osutil.waiting import ReadyDescriptor, deadline_after, has_hung_up, wait

TICK = 0.5
"""Seconds that a busy machine may wake somebody late; far less than a wait that was not ended."""

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two connected sockets."""
    left, right = socket.socketpair()
    with left, right:
        yield left, right


@pytest.mark.parametrize("timeout", [0, 0.0001, 0.0105, 0.05, 0.3])
def test_a_wait_is_never_early_and_hardly_late(pair: Pair, timeout: float) -> None:
    """Late by a tick at most."""
    began = monotonic()
    assert not wait((pair[1].fileno(),), select.POLLIN, began + timeout)
    assert timeout <= monotonic() - began < timeout + TICK


@pytest.mark.parametrize("deadline", [None, float("inf"), 1e12])
def test_a_wait_ends_with_what_it_waits_for(pair: Pair, deadline: float | None) -> None:
    """However long it may last: when a descriptor is ready, and when the peer goes."""
    left, right = pair
    left.send(b"x")
    assert wait((left.fileno(), right.fileno()), select.POLLIN, deadline)
    right.close()
    assert wait((left.fileno(),), 0, deadline)


def test_what_is_ready_counts_after_the_deadline(pair: Pair) -> None:
    """A process that was stopped until then finds what came meanwhile."""
    left, right = pair
    left.send(b"x")
    assert wait((right.fileno(),), select.POLLIN, monotonic() - 7)


def test_a_deadline_is_on_the_monotonic_clock() -> None:
    """No timeout is no deadline; any other is that many seconds from now."""
    assert deadline_after(None) is None
    before = monotonic()
    deadline = deadline_after(5)
    assert deadline is not None
    assert before + 5 <= deadline <= monotonic() + 5


def test_hung_up_tells_whether_the_peer_is_gone(pair: Pair) -> None:
    """A peer that closed its end is seen without reading, one that is silent is not taken for gone."""
    left, right = pair
    assert not has_hung_up(right.fileno())
    assert not has_hung_up(right.fileno(), timeout=0.01)
    left.send(b"unread")
    left.close()
    assert has_hung_up(right.fileno())


def is_readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def test_one_descriptor_stands_for_a_changing_set(pair: Pair) -> None:
    """It is readable while one of them is, stays the same, and may be told to be readable."""
    left, right = pair
    ready = ReadyDescriptor()
    number = ready.fileno()
    right.send(b"x")
    assert not is_readable(number)
    ready.watch([left.fileno(), right.fileno()])
    assert is_readable(number)
    ready.watch([right.fileno()])
    assert not is_readable(number)
    ready.watch([right.fileno()], is_ready=True)
    assert is_readable(number)
    ready.watch([right.fileno()])
    assert not is_readable(number)
    assert ready.fileno() == number
    ready.close()
    ready.close()


def test_what_was_taken_out_may_be_closed_and_its_number_given_to_another(pair: Pair) -> None:
    """The next one of that number is watched as well."""
    left, right = pair
    ready = ReadyDescriptor()
    reading, writing = os.pipe()
    ready.watch([reading])
    ready.watch([])
    os.dup2(left.fileno(), reading)
    os.close(writing)
    ready.watch([reading])
    assert not is_readable(ready.fileno())
    right.send(b"x")
    assert is_readable(ready.fileno())
    os.close(reading)
    ready.close()


def test_a_forked_child_has_an_instance_of_its_own(pair: Pair) -> None:
    """What it watches there changes nothing for its parent."""
    left, right = pair
    ready = ReadyDescriptor()
    ready.watch([left.fileno()])
    number = ready.fileno()
    pid = os.fork()
    if not pid:
        ready.renew()
        same = ready.fileno() == number
        ready.watch([], is_ready=True)
        os._exit(not (same and is_readable(number)))
    assert os.waitpid(pid, 0)[1] == 0
    assert not is_readable(number)
    right.send(b"x")
    assert is_readable(number)
    ready.close()
