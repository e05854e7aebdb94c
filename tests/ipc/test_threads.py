"""Threads: who closes an endpoint wakes who waits for it, and a second user is told that it is one."""

import itertools
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.ipc.conftest import MakeChannel, Pair
from tests.support.raw_wire import begin_large
from tests.support.threads import PATIENCE, in_threads
from tui_ipc import Busy, Closed, Disconnected, OneShotServer, Receiver, ReceiverSet
from tui_ipc.ipc import sockets
from tui_ipc.ipc.channel import answering


def until_waiting(thread: threading.Thread) -> None:
    """Until a thread sleeps in the kernel."""
    path = f"/proc/self/task/{thread.native_id}/stat"
    while True:
        with open(path, encoding="ascii") as file:
            if file.read().rsplit(")", 1)[1].split()[0] == "S":
                return


def outcome_of(wait: Callable[[], object], act: Callable[[], object]) -> BaseException | None:
    """What a wait in another thread ends with, once something was done meanwhile."""
    outcome: list[BaseException | None] = []

    def run() -> None:
        try:
            wait()
        except (Closed, Disconnected, Busy) as error:
            outcome.append(error)
        else:
            outcome.append(None)

    thread = threading.Thread(target=run)
    thread.start()
    until_waiting(thread)
    act()
    thread.join(PATIENCE)
    assert not thread.is_alive(), "it still waits"
    return outcome[0]


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("large", [False, True], ids=["idle", "large message"])
def test_close_wakes_a_receive(ends: Pair, timeout: float | None, large: bool) -> None:
    """`close()` from another thread wakes a blocked `recv`, in the middle of a large message as well."""
    sender, receiver = ends
    with begin_large(sender, 100_000) if large else socket.socket() as _:
        error = outcome_of(lambda: receiver.recv(timeout), receiver.close)
    assert type(error) is Closed
    assert repr(receiver) == "<Receiver closed>"
    with pytest.raises(Disconnected):
        sender.send("nobody")


@pytest.mark.parametrize("timeout", [None, PATIENCE])
@pytest.mark.parametrize("size", [1000, 10_000_000], ids=["full channel", "large message"])
@pytest.mark.parametrize("inline", [False, True], ids=["channel", "inline"])
def test_close_wakes_a_send(ends: Pair, timeout: float | None, size: int, inline: bool) -> None:
    """`close()` from another thread wakes a blocked `send`, of which nothing arrives."""
    sender, receiver = ends
    if inline:
        with Receiver[Any](sockets.duplicate(sender.fileno())) as connection:
            sender = answering(connection)

    def send() -> None:
        while True:
            sender.send("x" * size, timeout)

    error = outcome_of(send, sender.close)
    assert type(error) is Closed
    assert sender.closed
    if not inline:
        came: list[Any] = []
        with pytest.raises(Disconnected):
            came.extend(iter(receiver.recv, None))
        assert set(came) <= {"x" * 1000}


def test_close_wakes_every_thread_that_sends(ends: Pair) -> None:
    """However many threads share it."""
    sender, _ = ends

    def send() -> None:
        with pytest.raises(Closed):
            sender.send_many("x" * 1000 for _ in itertools.count())

    def close() -> None:
        while len(sender._outlet._alarms) < 3:
            pass
        sender.close()

    in_threads(send, send, send, close)


def test_close_wakes_a_receiver_that_others_wait_for(ends: Pair) -> None:
    """Its descriptor is closed with it."""
    _, receiver = ends
    receiver.fileno()
    assert type(outcome_of(receiver.recv, receiver.close)) is Closed


def test_close_wakes_a_set(make_channel: MakeChannel) -> None:
    """`close()` of a set from another thread wakes a blocked `select`; its receivers are closed."""
    several = ReceiverSet()
    sender, receiver = make_channel()
    several.add(receiver)
    assert type(outcome_of(several.select, several.close)) is Closed
    with pytest.raises(Disconnected):
        sender.send("nobody")
    several.close()


def test_close_wakes_an_accept() -> None:
    """`close()` of a server from another thread wakes a blocked `accept`; nothing of it stays."""
    server = OneShotServer()
    error = outcome_of(lambda: server.accept(PATIENCE), server.close)
    assert type(error) is Closed
    assert "closed" in repr(server)


def test_two_readers_of_one_receiver(ends: Pair) -> None:
    """The second is told so; the first goes on waiting, and nothing is lost."""
    sender, receiver = ends

    def second() -> None:
        for use in (receiver.recv, receiver.try_recv, lambda: receiver.recv(1), receiver.recv_message):
            with pytest.raises(Busy, match="another thread is receiving here"):
                use()
        with pytest.raises(Busy, match="so this receiver cannot be sent"):
            sender.send(receiver)
        sender.send("for the first")

    assert outcome_of(receiver.recv, second) is None


def test_two_users_of_a_set(make_channel: MakeChannel) -> None:
    """The second is told so."""
    sender, receiver = make_channel()
    with ReceiverSet() as several:
        several.add(receiver)

        def second() -> None:
            with pytest.raises(Busy):
                several.select(0)
            sender.send("for the first")

        assert outcome_of(several.select, second) is None


def test_a_receiver_closed_while_messages_pour_in(make_channel: MakeChannel) -> None:
    """Whatever the moment: the reader gets messages and then Closed, the sender Disconnected."""
    for number in range(30):
        sender, receiver = make_channel()
        came: list[Any] = []

        def send(sender: Any = sender) -> None:
            with pytest.raises(Disconnected):
                sender.send_many("x" * 100 for _ in itertools.count())

        def receive(receiver: Any = receiver, came: list[Any] = came) -> None:
            with pytest.raises(Closed):
                came.extend(receiver)

        def close(receiver: Any = receiver, came: list[Any] = came, number: int = number) -> None:
            while len(came) < number * 10:
                pass
            receiver.close()

        in_threads(send, receive, close)
        assert set(came) <= {"x" * 100}
