"""The one-shot server: only our own child gets in, once, and nothing of the meeting place stays."""

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.support.ipc_programs import outcome, running, said
from tests.support.threads import PATIENCE
from tui_ipc import (
    Closed,
    Disconnected,
    IpcError,
    MessageTooLarge,
    OneShotServer,
    PeerRejected,
    ProtocolError,
    TimedOut,
    connect,
)
from tui_ipc.ipc import oneshot
from tui_ipc.osutil.pidfd import Exit

NOBODY = 65534


# ------------------------------------------------------------------------------------------------- Bootstrap


def test_connect_first() -> None:
    """Connect first: the client has connected and sent before anyone accepts."""
    with OneShotServer() as server:
        with connect(server.name) as bootstrap:
            bootstrap.send("hello")
        receiver, first = server.accept(PATIENCE)
        assert first == "hello"
        with receiver, pytest.raises(Disconnected):
            receiver.recv()


def test_accept_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accept first: the server waits already when the client comes."""
    waits: list[float | None] = []
    wait_or = Exit.wait_or

    def wait_and_let_come(self: Exit, descriptor: int, deadline: float | None) -> None:
        if not waits:
            with connect(server.name) as bootstrap:
                bootstrap.send("hello")
        waits.append(deadline)
        wait_or(self, descriptor, deadline)

    monkeypatch.setattr(Exit, "wait_or", wait_and_let_come)
    with OneShotServer() as server:
        receiver, first = server.accept(PATIENCE)
        receiver.close()
    assert first == "hello"
    assert len(waits) == 1


def test_the_child_is_a_real_program_with_senders_in_its_first_message() -> None:
    """The child is a real program; the parent gets senders embedded in the first message, and uses them."""
    with OneShotServer() as server, running("greets", server.name) as process:
        receiver, first = server.accept(PATIENCE, process)
        with receiver:
            assert first["greeting"] == "hello"
            left, right = first["senders"]
            with left, right:
                left.send("to the left")
                right.send("to the right")
                left.send(None)
            assert receiver.recv(PATIENCE) == {"left": ["to the left", None], "right": ["to the right"]}
        assert outcome(process) == (0, "", "")


def test_the_first_message_may_be_anything() -> None:
    """``accept`` knows nothing of the hello: None is a first message like any other, and so is a long one."""
    messages: tuple[Any, ...] = (None, "", 0, [], "x" * 20_000)
    for message in messages:
        with OneShotServer() as server, connect(server.name) as bootstrap:
            bootstrap.send(message)
            receiver, first = server.accept(PATIENCE)
            receiver.close()
            assert first == message


def test_a_second_client_gets_a_clear_error() -> None:
    """A second client gets a clear error, whether it comes after the first or has queued up behind it."""
    with OneShotServer() as server, connect(server.name) as bootstrap, connect(server.name) as queued:
        bootstrap.send("first")
        receiver, _ = server.accept(PATIENCE)
        with receiver:
            with pytest.raises(Disconnected, match="the peer is gone"):
                queued.send("second")
            with pytest.raises(Disconnected, match="has accepted its one client, or its process ended"):
                connect(server.name)


def test_a_connection_closes_the_server() -> None:
    """``try_connection`` gives the connection of the one client, if it is there, and the server is closed
    then.
    """
    with OneShotServer() as server:
        assert server.try_connection() is None
        with connect(server.name) as bootstrap:
            receiver = server.try_connection()
            assert receiver is not None
            with receiver, pytest.raises(Closed):
                server.try_connection()
            with pytest.raises(Disconnected):
                bootstrap.send("too late")


def test_a_second_accept_gets_a_clear_error() -> None:
    """A one-shot server accepts once; the second time, and after ``close``, it says so."""
    with OneShotServer() as server:
        with connect(server.name) as bootstrap:
            bootstrap.send("first")
        server.accept(PATIENCE)[0].close()
        with pytest.raises(Closed, match="it accepts one client, once"):
            server.accept(PATIENCE)
    with pytest.raises(Closed):
        server.fileno()
    assert repr(server).endswith(", closed>")


# ---------------------------------------------------------------------------------------- A child that fails


@pytest.mark.parametrize("timeout", [None, PATIENCE])
def test_the_child_dies_before_connecting(timeout: float | None) -> None:
    """The child dies before connecting: accept ends at once, and says how the child ended."""
    with OneShotServer() as server, running("dies", "3") as process:
        with pytest.raises(Disconnected, match=r"exited with status 3 before it connected to /"):
            server.accept(timeout, process)
        assert outcome(process) == (3, "", "")  # which accept has left to us


def test_the_child_is_killed_before_connecting() -> None:
    """The child dies before connecting, by a signal: accept names it; a pid does as well as a Popen."""
    with OneShotServer() as server, running("listens") as process:
        process.kill()
        with pytest.raises(Disconnected, match=f"process {process.pid} was ended by SIGKILL before"):
            server.accept(None, process.pid)


def test_a_child_that_connects_and_ends_at_once_is_heard() -> None:
    """The child may end right after its first message: what it said is not lost."""
    with OneShotServer() as server, running("dies", "0") as process:
        with connect(server.name) as bootstrap:  # in its name, before it ends
            bootstrap.send("famous last words")
        assert process.wait(PATIENCE) == 0
        receiver, first = server.accept(None, process)
        receiver.close()
    assert first == "famous last words"


def test_the_client_dies_before_its_first_message() -> None:
    """The client connects and goes without a word: accept ends at once."""
    with OneShotServer() as server:
        connect(server.name).close()
        with pytest.raises(Disconnected, match="every sender of this channel is closed"):
            server.accept()


def test_it_connects_and_stays_silent() -> None:
    """It connects and stays silent: accept ends at its deadline."""
    with OneShotServer() as server, running("silent", server.name) as process:
        assert said(process) == "connected"
        with pytest.raises(TimedOut, match=r"connected and sent no whole message within 0\.05 s"):
            server.accept(0.05, process)
        assert process.poll() is None


def test_it_connects_and_says_half_a_message() -> None:
    """It connects and stays silent in mid-message: accept ends at its deadline."""
    with OneShotServer() as server, connect(server.name) as bootstrap:
        bootstrap.send_raw(b"\xc4\x10half")
        with pytest.raises(TimedOut, match="no whole message"):
            server.accept(0.01)


def test_nobody_connects() -> None:
    """Nobody connects: accept ends at its deadline."""
    with OneShotServer() as server, pytest.raises(TimedOut, match=r"no process connected to .* within 0\.01"):
        server.accept(0.01)


@pytest.mark.parametrize(
    ("said_by_client", "error"),
    [(b"\xc1", ProtocolError), (b"\xc6\x00\x00\x10\x00", MessageTooLarge), (b"\xd4\x63\x00", ProtocolError)],
    ids=["garbage", "too large", "unknown ext type"],
)
def test_it_says_what_breaks_the_wire(said_by_client: bytes, error: type[IpcError]) -> None:
    """The client breaks the wire: accept raises the error of a receive, and holds the server's limit."""
    with OneShotServer(max_message_size=1000) as server, connect(server.name) as bootstrap:
        bootstrap.send_raw(said_by_client)
        with pytest.raises(error):
            server.accept(PATIENCE)


# ----------------------------------------------------------------------------------------------- Other users


def open_up(server: OneShotServer) -> None:
    """Let every user reach the socket, as if the directory's mode did not protect it."""
    os.chmod(server.name, 0o777)
    path = Path(server.name).parent
    while path.stat().st_uid == os.geteuid() and not path.stat().st_mode & stat.S_IXOTH:
        path.chmod(0o711)
        path = path.parent


def test_another_uid_connects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another uid connects: turned away, the real child still gets in.

    Root has a process that is another user's. Who is not root has the server look for another user first.
    """
    with OneShotServer() as server:
        open_up(server)
        other = (str(NOBODY),) if os.geteuid() == 0 else ()
        with running("knocks", server.name, *other) as stranger:
            assert said(stranger) == "connected"
            if not other:
                server._user = NOBODY
                assert server.try_connection() is None
                server._user = os.geteuid()
            with connect(server.name) as bootstrap:
                bootstrap.send("the real child")
            receiver, first = server.accept(PATIENCE)
            assert server.client_pid == os.getpid()
            with receiver:
                assert first == "the real child"
                assert outcome(stranger) == (0, "got b''\n", "")


def test_root_is_let_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``connect`` trusts a server of root's: root could do anything anyway."""
    with OneShotServer() as server, connect(server.name):
        monkeypatch.setattr(oneshot, "peer_credentials", lambda *_: (17, 0))
        server._user = NOBODY
        receiver = server.try_connection()
        assert receiver is not None
        receiver.close()


def test_only_other_uids_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another uid connects and nobody else does: at the deadline accept says who was turned away."""
    with OneShotServer() as server, connect(server.name):
        server._user = NOBODY
        monkeypatch.setattr(oneshot, "peer_credentials", lambda *_: (17, 1000))
        sentence = "process 17 of user 1000 connected to .* only processes of user 65534 and of root may"
        with pytest.raises(PeerRejected, match=sentence):
            server.accept(0.01)


def test_a_server_of_another_uid_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    """``connect`` turns away a server of another user, who might have put a socket in our parent's place."""
    with OneShotServer() as server:
        monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
        monkeypatch.setattr(oneshot, "peer_credentials", lambda *_: (17, 1000))
        with pytest.raises(PeerRejected, match="is served by process 17 of user 1000, not by your own"):
            connect(server.name)
        monkeypatch.setattr(oneshot, "peer_credentials", lambda *_: (17, 0))  # root could do anything anyway
        connect(server.name).close()
        monkeypatch.undo()


def test_the_socket_is_ours_alone() -> None:
    """Never a world-readable socket: it lies in a directory that only its owner may enter."""
    before = os.umask(0)
    try:
        with OneShotServer() as server:
            directory = os.stat(os.path.dirname(server.name))
            assert stat.S_IMODE(directory.st_mode) == 0o700
            assert directory.st_uid == os.geteuid()
    finally:
        os.umask(before)


def test_descriptors_are_not_inherited() -> None:
    """Descriptors are never inherited by a child that was not given them."""
    with OneShotServer() as server, connect(server.name) as bootstrap:
        assert not os.get_inheritable(server.fileno())
        assert not os.get_inheritable(server._lock)
        assert not os.get_inheritable(bootstrap.fileno())
        bootstrap.send("hello")
        with server.accept(PATIENCE)[0] as receiver:
            assert not os.get_inheritable(receiver.fileno())
