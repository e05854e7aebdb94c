"""What the endpoints need of the operating system: shared flags, defaults, waiting, and whose descriptors."""

import errno
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support import peers
from tests.support.peers import peer
from tests.support.raw_wire import begin_large
from tests.support.threads import PATIENCE, check, in_threads
from tui_ipc import (
    Closed,
    Disconnected,
    Empty,
    IpcError,
    OneShotServer,
    ProtocolError,
    Receiver,
    ReceiverSet,
    SharedMemory,
    TooManyHandles,
    channel,
    connect,
)
from tui_ipc.ipc import sockets
from tui_ipc.ipc.channel import answering
from tui_ipc.ipc.wire import encode
from tui_ipc.osutil.waiting import wait

MIB = 1024 * 1024


# The flag that all who hold a socket share


@pytest.mark.parametrize("size", [10, 30_000, 5 * MIB])
def test_somebody_made_the_socket_non_blocking(ends: Pair, size: int) -> None:
    """`O_NONBLOCK` set on the shared description by somebody else does not break blocking calls."""
    sender, receiver = ends
    descriptors = (sender.fileno(), receiver.socket_fileno())
    for descriptor in descriptors:
        os.set_blocking(descriptor, False)
    came: list[Any] = []
    messages = ["x" * size] * (3 if size > MIB else 200)

    def send() -> None:
        for message in messages[1:]:
            sender.send(message)
        sender.send_many(messages[:1])

    in_threads(lambda: came.extend(receiver.recv() for _ in messages), send)
    check(came, messages)
    assert not any(map(os.get_blocking, descriptors))


def test_a_process_made_the_socket_non_blocking(make_channel: MakeChannel) -> None:
    """`O_NONBLOCK` set on the shared description by somebody else, cross-process."""
    (to_peer, theirs), (their_sender, from_peer) = make_channel(), make_channel()
    for descriptor in (theirs.socket_fileno(), their_sender.fileno()):
        os.set_blocking(descriptor, False)
    with peer(peers.echo, [their_sender, theirs]):
        their_sender.close()
        in_threads(
            lambda: to_peer.send_many(["x" * 20_000] * 100),
            lambda: check([from_peer.recv() for _ in range(100)], ["x" * 20_000] * 100),
        )
        to_peer.close()


@pytest.mark.parametrize("timeout", [None, 0, 1])
def test_the_flag_is_never_touched(ends: Pair, timeout: float | None) -> None:
    """A socket's `O_NONBLOCK` is shared with every process that holds it, so that it stays as it is."""
    sender, receiver = ends
    sender.send("x", timeout)
    receiver.recv(timeout)
    with pytest.raises(Empty):
        receiver.try_recv()
    assert all(map(os.get_blocking, (sender.fileno(), receiver.socket_fileno())))


# The default that a program may set for all its sockets


@pytest.fixture
def hasty() -> Iterator[None]:
    """A program that has set a default timeout for its sockets."""
    socket.setdefaulttimeout(0.01)
    yield
    socket.setdefaulttimeout(None)


def outwait(sender: Any) -> None:
    """Wait six times the default timeout: where a call fails because of it, it has failed by then."""
    assert not wait((sender.fileno(),), 0, monotonic() + 0.06)


@pytest.mark.parametrize("of", ["made", "cloned", "received", "connection", "answering", "large"])
def test_a_default_timeout_does_not_break_anything(hasty: None, of: str) -> None:
    """`socket.setdefaulttimeout` set does not break anything: no timeout means none."""
    sender, receiver = channel()
    if of == "cloned":
        with sender:
            sender = sender.clone()
    elif of == "received":
        travel, arrive = channel()
        with travel, arrive, sender:
            travel.send([sender, receiver])
            sender, receiver = arrive.recv()
    elif of in ("connection", "answering"):
        sender.close()
        receiver.close()
        with OneShotServer() as server:
            sender = connect(server.name)
            sender.send("first")
            receiver, _ = server.accept()
        if of == "answering":
            with sender, receiver:
                back = sockets.duplicate(sender.fileno())
                sender, receiver = answering(receiver), Receiver(back)

    def late(deed: Callable[[], object]) -> None:
        outwait(sender)
        deed()

    with sender, receiver:
        if of == "large":
            data = encode("x" * 200_000)
            with begin_large(sender, len(data)) as body:
                body.setblocking(True)
                in_threads(
                    lambda: check(receiver.recv(), "x" * 200_000), lambda: late(lambda: body.sendall(data))
                )
        else:
            in_threads(lambda: check(receiver.recv(), "late"), lambda: late(lambda: sender.send("late")))
        big = "y" * (5 * MIB)
        in_threads(lambda: sender.send(big), lambda: late(lambda: check(receiver.recv(), big)))


# Whose descriptors


def test_descriptors_are_never_inherited() -> None:
    """Descriptors are never inherited by a child that was not given them: not one of those in any object."""
    listing = (
        "import os; own = '/proc/self/fd/'; print(*(n for n in os.listdir(own) if os.path.lexists(own + n)))"
    )

    def inherited() -> list[int]:
        command = [sys.executable, "-c", listing]
        result = subprocess.run(command, close_fds=False, capture_output=True, text=True, check=True)
        return sorted(map(int, result.stdout.split()))

    before = inherited()
    sender, receiver = channel()
    with sender, OneShotServer() as server, SharedMemory(b"memory") as memory, ReceiverSet() as receivers:
        bootstrap = connect(server.name)
        bootstrap.send([sender, receiver, memory])
        connection, (sender_copy, receiver_copy, memory_copy) = server.accept()
        with bootstrap, connection, sender_copy, receiver_copy, memory_copy, OneShotServer():
            answer, body = answering(connection), begin_large(sender_copy, 200_000, [memory.fileno()])
            with sender.clone(), answer, body:
                with pytest.raises(Empty):
                    receiver_copy.try_recv()  # it holds a body and a descriptor that no message owns yet
                receivers.add(receiver_copy)
                assert inherited() == before


def test_what_is_passed_on_purpose_is_inherited(ends: Pair) -> None:
    """Descriptors are never inherited by a child that was not given them: those that it was given, it has."""
    sender, receiver = ends
    program = (
        "import socket, sys; from tui_ipc import Sender; "
        "sender = Sender(socket.socket(fileno=int(sys.argv[1]))); sender.send('inherited'); sender.close()"
    )
    command = [sys.executable, "-c", program, str(sender.fileno())]
    subprocess.run(command, pass_fds=[sender.fileno()], check=True)
    assert receiver.recv(PATIENCE) == "inherited"


# Signals


@pytest.mark.parametrize("size", [10, 5 * MIB])
def test_eintr_never_surfaces(make_channel: MakeChannel, size: int) -> None:
    """EINTR never surfaces: a handler runs a thousand times a second while messages are awaited and sent."""
    (to_peer, theirs), (their_sender, from_peer) = make_channel(), make_channel()
    with peer(peers.echo_under_signals, [their_sender, theirs]):
        their_sender.close()
        for number in range(4):
            outwait(to_peer)  # it waits for the message, under signals
            message = chr(97 + number) * size
            to_peer.send(message)
            outwait(to_peer)  # it waits for room, if the message is large
            check(from_peer.recv(PATIENCE), message)
        to_peer.send(None)
        assert from_peer.recv(PATIENCE) > 20


# What the kernel says, and what it is called


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (errno.EPIPE, Disconnected, "the peer is gone"),
        (errno.ECONNRESET, Disconnected, "the peer is gone"),
        (errno.ENOTCONN, Disconnected, "the peer is gone"),
        (errno.EBADF, Closed, "you closed it"),
        (errno.ETOOMANYREFS, TooManyHandles, "ulimit -n"),
    ],
)
def test_what_an_error_means(number: int, kind: type[IpcError], words: str) -> None:
    """The same error from send and from recv, whatever errno said; no `OSError` escapes for a peer."""
    error = sockets.translate_error(OSError(number, os.strerror(number)), "you closed it")
    assert type(error) is kind
    assert words in str(error)


def test_an_error_of_this_machine_stays_one() -> None:
    """An `OSError` that is about this machine (no memory) is no doing of the peer's and stays what it is."""
    error = OSError(errno.ENOMEM, "no memory")
    assert sockets.translate_error(error, "") is error


def test_an_endpoint_is_a_unix_socket_of_the_right_type() -> None:
    """A descriptor that came as an endpoint and is none is refused, and stays with the caller."""
    reading, writing = os.pipe()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        for descriptor, words in ((reading, "is not a socket"), (other.fileno(), "AF_INET")):
            with pytest.raises(ProtocolError, match=words):
                sockets.socket_from_fd(descriptor)
    for descriptor in (reading, writing):
        os.close(descriptor)


def test_no_descriptor_left_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no descriptor is left, `channel()` says so."""

    def refuse() -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(sockets, "pair", refuse)
    with pytest.raises(OSError, match="Too many open files"):
        channel()


def test_a_wait_in_one_thread_does_not_hinder_another(make_channel: MakeChannel) -> None:
    """A blocking receive lets other threads run."""
    (sender, receiver), (other, other_end) = make_channel(), make_channel()
    thread = threading.Thread(target=receiver.recv)
    thread.start()
    other.send(1)
    assert other_end.recv() == 1
    sender.send("done")
    thread.join()
