"""What is shown of messages, whatever passes; and which large messages are relayed for it."""

import array
import os
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgpack
import pytest

from tests.support.sessions import single_event
from tui_ipc import events as ev
from tui_ipc.ipc.wire import OFFERED, announce
from tui_ipc.session.correlation import make_correlator
from tui_ipc.tap.links import Link
from tui_ipc.tap.log import MAIN, FlowObserver, TapLog
from tui_ipc.tap.relay import Relay

LIMIT = 100_000


class Tapped:
    """A channel from a child to a host, both of which are sockets here, with a relay between them."""

    def __init__(self) -> None:
        self.events: list[ev.AnyEvent] = []
        self.host, host = socket.socketpair()
        self.child, child = socket.socketpair()
        for each in (self.host, self.child):
            each.setblocking(False)
        link = Link(host, child)
        log = TapLog(self.events.append, make_correlator(), LIMIT)
        link.flows[False].observer = FlowObserver(log, MAIN, is_toward_child=False)
        self.relay = Relay()
        self.relay.add(link)

    def send(self, data: bytes, *descriptors: int) -> None:
        """Send bytes and descriptors from the child's side."""
        attached = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        assert self.child.sendmsg([data], attached if descriptors else []) == len(data)

    def receive(self) -> tuple[bytes, list[int]]:
        """All that arrives at the host's side."""
        data, descriptors = b"", array.array("i")
        for _ in range(32):
            self.relay.run_once(0)
            with suppress(BlockingIOError):
                more, ancillary, _, _ = self.host.recvmsg(1 << 20, socket.CMSG_SPACE(253 * 4))
                data += more
                for _, _, attached in ancillary:
                    descriptors.frombytes(attached)
        return data, descriptors.tolist()

    def close(self) -> None:
        self.relay.close()
        self.host.close()
        self.child.close()


@pytest.fixture
def tapped() -> Iterator[Tapped]:
    made = Tapped()
    yield made
    made.close()


@pytest.mark.parametrize("size", [50_000, LIMIT + 1], ids=["shown", "too large to be shown"])
@pytest.mark.parametrize("before", [0, 100_000, 160_000], ids=["alone", "after some", "after many"])
def test_a_stream_that_may_be_kept_is_relayed_and_is_not(tapped: Tapped, size: int, before: int) -> None:
    """Else what comes through it later would not be seen. The announcement says so, wherever it is read."""
    short = msgpack.packb(b"x" * 19_997)
    for _ in range(before // len(short)):
        tapped.send(short)
    stream, body = os.pipe()
    tapped.send(announce(size, OFFERED), stream)
    data, descriptors = tapped.receive()
    assert data == short * (before // len(short)) + announce(size)
    (relayed,) = descriptors
    assert os.fstat(relayed).st_ino != os.fstat(stream).st_ino
    for each in (stream, body, relayed):
        os.close(each)


def test_a_stream_that_is_not_kept_and_too_large_to_be_shown_passes_as_it_is(tapped: Tapped) -> None:
    stream, body = os.pipe()
    tapped.send(announce(LIMIT + 1), stream)
    data, (passed,) = tapped.receive()
    assert data == announce(LIMIT + 1)
    assert os.fstat(passed).st_ino == os.fstat(stream).st_ino
    assert "exceeds the limit" in single_event(tapped.events, ev.Fault).sentence
    for each in (stream, body, passed):
        os.close(each)


def test_a_message_on_a_stream_that_was_never_kept_is_a_fault_and_passes(tapped: Tapped) -> None:
    tapped.send(announce(5000, 3) + b"\x07")
    assert tapped.receive() == (announce(5000, 3) + b"\x07", [])
    assert "the kept stream 3, and none is kept" in single_event(tapped.events, ev.Fault).sentence
    assert single_event(tapped.events, ev.MessageReceived).value == 7


def test_what_is_announced_as_a_stream_and_is_none_passes_as_it_is(tapped: Tapped, tmp_path: Path) -> None:
    """The kernel does not wait for a file; the host refuses it."""
    path = tmp_path / "file"
    path.write_bytes(bytes(50_000))
    with path.open("rb") as file:
        tapped.send(announce(50_000), file.fileno())
    _, (passed,) = tapped.receive()
    assert os.fstat(passed).st_ino == path.stat().st_ino
    os.close(passed)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_child_sends_passes_byte_for_byte(tapped: Tapped, seed: int) -> None:
    """Announcements of nothing, handles of nothing, descriptors of nothing."""
    choice = random.Random(seed)
    pieces = [
        announce(9),
        announce(9, 0),
        b"\xd4\x01\x00",
        b"\x92",
        b"\x81\xa1a",
        b"\xd4\x05\x01",
        b"\xa3two",
    ]
    for _ in range(8):
        data = b"".join(choice.choices(pieces, k=choice.randint(1, 4))) + choice.randbytes(
            choice.randint(0, 3)
        )
        with open(os.devnull, "rb") as file:
            tapped.send(data, *[file.fileno()] * choice.randint(0, 3))
        passed, descriptors = tapped.receive()
        for each in descriptors:
            os.close(each)
        assert passed == data
