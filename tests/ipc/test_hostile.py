"""Hostile peers, over real sockets: what they send is messages or one typed error, in time and in bounds."""

import itertools
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given

from tests.support import attacks, leaks
from tests.support.attacks import LIMIT, Read, strike_channel, strike_server, survives, taken
from tests.support.hostile_messages import NAMED_ATTACKS
from tests.support.threads import PATIENCE
from tui_ipc import (
    Disconnected,
    Empty,
    IpcError,
    MessageTooLarge,
    OneShotServer,
    ProtocolError,
    Receiver,
    TimedOut,
    TooManyHandles,
    channel,
)
from tui_ipc.ipc import sockets
from tui_ipc.ipc.body import READS_IN_A_ROW
from tui_ipc.ipc.wire import announce, encode

MIB = 1024 * 1024
SENDER_0, RECEIVER_0, MEMORY_0 = b"\xd4\x01\x00", b"\xd4\x02\x00", b"\xc7\x09\x03\x00"


Strike = Callable[[list[Read]], list[Any]]
STRIKES: dict[str, Strike] = {
    "channel": strike_channel,
    "accept": strike_server,
}

on_each = pytest.mark.parametrize("strike", STRIKES.values(), ids=STRIKES)


@on_each
@given(attack=attacks.attacks)
@example(attack=[(announce(64), ["unconnected stream", "memory"])])
@example(attack=[(announce(1), ["stream of 0xc1"])])
def test_whatever_comes_is_survived(strike: Strike, attack: list[Read]) -> None:
    """Any bytes, any descriptors: a channel and a one-shot server."""
    survives(lambda: strike(attack))


@on_each
@pytest.mark.parametrize(
    ("data", "kinds", "error"), [case[1:] for case in NAMED_ATTACKS], ids=[case[0] for case in NAMED_ATTACKS]
)
def test_a_named_attack(strike: Strike, data: bytes, kinds: list[str], error: type[IpcError]) -> None:
    """Each ends in its typed error, alone and with 250 descriptors more; nothing of it is received."""
    for more in ([], ["event"] * (250 if kinds else 0)):
        found = survives(lambda more=more: strike([(data, [*kinds, *more])]))  # type: ignore[misc]
        assert all(isinstance(one, IpcError) for one in found), found
        assert isinstance(found[0], error), found


@on_each
@pytest.mark.parametrize("kind", ["unconnected stream", "listening stream"])
def test_an_endpoint_that_has_no_peer(strike: Strike, kind: str) -> None:
    """It arrives, as it looks like one; to use it is to find nobody there."""
    survives(lambda: strike([(RECEIVER_0, [kind])]))
    sender, receiver = channel()
    with sender, receiver:
        with socket.fromfd(sender.fileno(), socket.AF_UNIX, -1) as own:
            attacks.write(own, [(RECEIVER_0, [kind])])
        with receiver.recv() as arrived, pytest.raises((Disconnected, TimedOut)):
            arrived.recv(0.01)


@on_each
@pytest.mark.parametrize("data", [b"\x92\x01", b"\xdd\x00\x00\xff\xff", b"\xa5four", b"\xc7"], ids=bytes.hex)
def test_a_stream_that_ends_in_mid_message(strike: Strike, data: bytes) -> None:
    """The error tells how many bytes were left over."""
    (end,) = survives(lambda: strike([(data, [])]))
    assert isinstance(end, Disconnected)
    assert end.unfinished == len(data)


@on_each
def test_a_length_of_four_gigabytes_on_a_stream(strike: Strike) -> None:
    """Refused by its header."""
    found = survives(lambda: strike([(b"\xc6\xff\xff\xff\xff", [])]))
    assert isinstance(found[0], MessageTooLarge)


@contextmanager
def few_descriptors(spare: int) -> Iterator[None]:
    """This process may open only so many descriptors more."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = leaks.take_snapshot().descriptors
    free = (number for number in itertools.count() if number not in held)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(itertools.islice(free, spare, None)), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_more_descriptors_than_may_be_opened() -> None:
    """The kernel drops some of them: the message is lost, and said to be; those that came are closed."""
    sender, receiver = channel()
    with sender, receiver:
        with socket.fromfd(sender.fileno(), socket.AF_UNIX, -1) as own:
            attacks.write(own, [(b"\x01", ["file"] * 200)])
        sender.send("after it")
        before = leaks.take_snapshot()
        with few_descriptors(50), pytest.raises(TooManyHandles, match="raise the limit of open files"):
            receiver.recv(PATIENCE)
        assert leaks.find_leaks(before) == []
        assert receiver.recv(PATIENCE) == "after it"


def test_a_descriptor_that_the_kernel_adds_for_the_peer() -> None:
    """Who shares a socket can make the kernel attach a descriptor to each message (SO_PASSPIDFD)."""
    passpidfd = 76
    ours, own = socket.socketpair()
    with ours, Receiver[Any](own) as receiver:
        with suppress(OSError):  # before Linux 6.5 there is nothing to defend against
            own.setsockopt(socket.SOL_SOCKET, passpidfd, 1)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        before = leaks.take_snapshot()
        for number in range(10):
            ours.send(encode(number))
            assert receiver.recv(PATIENCE) == number
        assert leaks.find_leaks(before) == []


def test_a_large_message_that_trickles_in() -> None:
    """Byte by byte it costs no more memory than at once, and is the same message."""
    size = 20_000
    message = encode("x" * (size - 3))

    def strike() -> list[Any]:
        ours, own = socket.socketpair()
        body, theirs = socket.socketpair()
        with ours, body, Receiver[Any](own) as receiver:
            with theirs:
                ours.sendmsg([announce(size)], sockets.rights([theirs.fileno()]))
            for byte in message[:-1]:
                body.send(bytes((byte,)))
                with suppress(Empty):
                    raise AssertionError(receiver.try_recv())
            body.send(message[-1:])
            assert receiver.recv(PATIENCE) == "x" * (size - 3)
            return [Disconnected("")]

    survives(strike, size * 20)


def test_messages_given_up_without_end_do_not_hold_a_reader() -> None:
    """After so many of them the reader gets to look at its deadline, although more is there to be read."""
    ours, own = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MIB)
    mine, ended = socket.socketpair()
    mine.close()
    with ours, Receiver[Any](own) as receiver:
        with ended:
            for _ in range(READS_IN_A_ROW // 2):  # one read for the announcement, one for the end of its body
                ours.sendmsg([announce(10)], sockets.rights([ended.fileno()]))
        ours.send(b"\x2a")
        with pytest.raises(Empty):
            receiver.try_recv()
        assert receiver.try_recv() == 42


CHILD = """
import sys
from tests.support.attacks import write
from tests.support.hostile_messages import NAMED_ATTACKS
import socket
for name, data, kinds, _ in NAMED_ATTACKS:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(sys.stdin.readline().strip())
        write(client, [(data, kinds)])
"""


def test_another_process_attacks_one_server_after_the_other() -> None:
    """The same from outside: each server gives one typed error, and is gone afterwards."""
    root = Path(__file__).parents[2]
    process = subprocess.Popen(
        [sys.executable, "-c", CHILD],
        stdin=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert process.stdin is not None
    with process, process.stdin:
        for name, _, _, error in NAMED_ATTACKS:
            before = leaks.take_snapshot()
            with OneShotServer(LIMIT) as server:
                process.stdin.write(f"{server.name}\n".encode())
                process.stdin.flush()
                with pytest.raises(error):
                    server.accept(PATIENCE, process)
            assert leaks.find_leaks(before) == [], name
    assert process.returncode == 0


def test_a_message_of_nothing_but_handles() -> None:
    """253 of them, all alike, all honest: they arrive, and closing them leaves nothing."""
    data = b"\xdc\x00\xfd" + b"".join(bytes((0xD4, 2, index)) for index in range(253))
    for strike in STRIKES.values():
        found = survives(lambda strike=strike: strike([(data, ["empty stream"] * 253)]))  # type: ignore[misc]
        assert len(found[0]) == 253


def test_what_is_received_after_an_error_is_the_same_error() -> None:
    """A receiver whose peer broke the protocol delivers nothing that follows."""
    ours, own = socket.socketpair()
    with ours, Receiver[Any](own) as receiver:
        ours.send(b"\x01\xc1")
        assert receiver.recv(PATIENCE) == 1
        with pytest.raises(ProtocolError) as first:
            receiver.recv(PATIENCE)
        ours.send(b"\x02")
        assert taken(receiver) == [first.value]
