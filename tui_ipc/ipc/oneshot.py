"""The one-shot server: where a child that knows nothing but a name finds its parent.

Only a process of our own user gets in, only one does, and nothing of the meeting place stays.
"""

import os
import socket
import struct
import sys
import warnings
from collections.abc import Callable
from time import monotonic

from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import Closed, Disconnected, IpcError, PeerRejected, TimedOut
from tui_ipc.ipc.handle import Uncopied, Unloaded
from tui_ipc.ipc.log import log_debug
from tui_ipc.ipc.meeting_place import PATH_LIMIT, SOCKET_NAME, open_meeting_place, remove_meeting_place
from tui_ipc.ipc.receiver import Receiver
from tui_ipc.ipc.sender import Sender
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE
from tui_ipc.osutil.pidfd import Exit
from tui_ipc.osutil.waiting import deadline_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen
    from typing import Any, TypeVar, overload

    S = TypeVar("S")
    R = TypeVar("R")
else:
    Any = object
    Popen = Unloaded


TAP_VARIABLE = "TUI_IPC_TAP"
"""The environment variable that asks for a tap in front of every server, see TAP.md."""


class OneShotServer(Uncopied):
    """Accepts one client, once, then is gone.

    The owner closes it; ``accept`` closes it too. Use it as a context manager. It belongs to the process that
    made it: a forked child that closes its copy takes nothing from its parent.

    Example:
        >>> with OneShotServer() as server:
        ...     with connect(server.name) as bootstrap:  # in the other process
        ...         bootstrap.send("hello")
        ...     receiver, first = server.accept(timeout=5)
        >>> first
        'hello'
        >>> receiver.close()
    """

    def __init__(self, max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE) -> None:
        """Listen.

        Args:
            max_message_size: In bytes, for the receiver that ``accept`` returns.

        Raises:
            IpcError: No directory for temporary files is writable and short enough for a socket's path.
        """
        self.max_message_size = max_message_size
        self._user = os.geteuid()
        self._process = os.getpid()
        self.client_pid = 0
        """The process that connected; 0 before, or where it cannot be seen from here."""
        self.rejected: PeerRejected | None = None
        """The last process of another user that was turned away."""
        self._is_waiting = False  # in accept(): close() wakes it, and it closes then
        self._is_closing = False
        self._lock = -1
        self._listener: socket.socket | None = None
        self._directory, self._lock, self._listener = open_meeting_place()
        self.name = os.path.join(self._directory, SOCKET_NAME)
        """The server name: what the child needs to know."""
        if os.environ.get(TAP_VARIABLE):
            self.name = _ask_for_tap(self.name)
        log_debug("listening at %s", self.name)

    if TYPE_CHECKING:

        @overload
        def accept(
            self, timeout: float | None = ..., child: Popen[Any] | int | None = ...
        ) -> tuple[Receiver[Any], Any]: ...
        @overload
        def accept(
            self,
            timeout: float | None = ...,
            child: Popen[Any] | int | None = ...,
            *,
            decode: Callable[[Any], R],
        ) -> tuple[Receiver[R], R]: ...

    def accept(
        self,
        timeout: float | None = None,
        child: "Popen[Any] | int | None" = None,
        *,
        decode: "Callable[[Any], Any] | None" = None,
    ) -> "tuple[Receiver[Any], Any]":
        """Wait for the one client and its first message; the server is closed then, whatever the outcome.

        Args:
            timeout: Seconds for both together; None waits for ever.
            child: The process that is to connect, or its pid: if it ends first, so does the wait. It is not
                reaped.
            decode: What the receiver gives for what came, the first message included.

        Returns:
            The receiving end of the connection and the first message, whose handles are yours.

        Raises:
            Disconnected: The child ended before it connected, or the client before its first message.
            TimedOut: Nobody connected in time, or the client sent no whole message.
            PeerRejected: In that time only processes of other users connected.
            ProtocolError, MessageTooLarge, TooManyHandles: As for a receive.
            Closed: The server has accepted before, or was closed.
        """
        deadline = deadline_after(timeout)
        with self:
            receiver = self._wait_for_client(deadline, timeout, child)
        receiver.decode = decode
        try:
            first = receiver.recv(None if deadline is None else max(0.0, deadline - monotonic()))
        except BaseException as error:
            receiver.close()
            if isinstance(error, TimedOut):
                raise silent_client(timeout) from None
            raise
        return receiver, first

    def try_connection(self) -> "Receiver[Any] | None":
        """The connection of a client of our own user, if one is there; it is yours, and the server is closed.

        Raises:
            Closed: The server has accepted before, or was closed.
        """
        while True:
            try:
                connection, _ = self._open_listener().accept()
            except (BlockingIOError, ConnectionAbortedError):
                return None
            pid, user = peer_credentials(connection)
            if user in (self._user, 0):  # root could do anything anyway
                self.client_pid = pid
                log_debug("process %s connected to %s", pid, self.name)
                self.close()
                return Receiver(sockets.make_blocking(connection), self.max_message_size)
            connection.close()
            self.rejected = PeerRejected(
                f"process {pid} of user {user} connected to {self.name} and was turned away: only processes "
                f"of user {self._user} and of root may"
            )

    def nobody_came(self, timeout: float | None) -> IpcError:
        """The error for a deadline that passed before our own user's client came."""
        return self.rejected or TimedOut(f"no process connected to {self.name} within {timeout} s")

    @property
    def closed(self) -> bool:
        """Whether it was closed, or has accepted its client."""
        return self._listener is None or self._is_closing

    def fileno(self) -> int:
        """The listening descriptor, readable when a client is there; raises Closed after :meth:`close`."""
        return self._open_listener().fileno()

    def close(self) -> None:
        """Stop listening and remove the socket and its directory. Closing twice is harmless.

        A thread that waits in :meth:`accept` gets Closed.
        """
        is_ours = self._process == os.getpid()
        if is_ours and self._is_waiting and self._listener is not None:
            self._is_closing = True
            self._listener.shutdown(socket.SHUT_RD)  # ends the wait; whoever waits closes
            return
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        lock, self._lock = self._lock, -1
        if lock >= 0:
            if is_ours:
                remove_meeting_place(self._directory, lock)
            else:
                os.close(lock)  # forked: socket and directory are the parent's

    def __del__(self, warn: "Callable[..., None]" = warnings.warn) -> None:
        if getattr(self, "_listener", None) is not None:
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self.close()

    def __repr__(self) -> str:
        return f"<OneShotServer {self.name}{'' if self._listener else ', closed'}>"

    def _explain_uniqueness(self) -> str:
        return "it belongs to the process that made it; pass on its name"

    def _open_listener(self) -> socket.socket:
        if self._listener is None:
            raise Closed(f"the one-shot server {self.name} is closed: it accepts one client, once")
        return self._listener

    def _wait_for_client(
        self, deadline: float | None, timeout: float | None, child: "Popen[Any] | int | None"
    ) -> "Receiver[Any]":
        with Exit(child) as end:
            while True:
                is_last = deadline is not None and monotonic() >= deadline
                ended = end.has_ended()  # before the look for a client: its last act may be to connect
                receiver = self.try_connection()
                if receiver is not None:
                    return receiver
                if ended:
                    raise Disconnected(f"{end.describe()} before it connected to {self.name}")
                if is_last:
                    raise self.nobody_came(timeout)
                self._is_waiting = True
                try:
                    end.wait_or(self.fileno(), deadline)
                finally:
                    self._is_waiting = False
                    if self._is_closing:
                        self.close()


def _ask_for_tap(name: str) -> str:
    """Start a tap in front of a server; returns the name that a child is to be given.

    That is the server's own if no tap could be started; the reason is written to standard error.
    """
    from subprocess import DEVNULL, PIPE, run  # only a tapped parent needs it

    command = [sys.executable, "-m", "tui_ipc.tap", name]
    started = run(command, stdin=DEVNULL, stdout=PIPE, text=True, check=False)
    if started.returncode == 0:
        log_debug("started a tap at %s for the server %s", started.stdout, name)
        return started.stdout
    reason = started.stdout or f"it ended with status {started.returncode}"
    sys.stderr.write(f"tui-ipc: no tap for the child of this process: {reason}\n")
    return name


if TYPE_CHECKING:

    @overload
    def connect(name: str, max_message_size: int = ...) -> Sender[Any]: ...
    @overload
    def connect(name: str, max_message_size: int = ..., *, encode: Callable[[S], object]) -> Sender[S]: ...


def connect(
    name: str,
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    *,
    encode: "Callable[[Any], object] | None" = None,
) -> "Sender[Any]":
    """Connect to a one-shot server.

    Args:
        name: The server name, as the parent passed it on.
        max_message_size: In bytes, for what is sent.
        encode: What the sender sends for a message; None sends the message itself.

    Returns:
        A sender whose first message is what ``accept`` returns; yours to close.

    Raises:
        Disconnected: Nobody listens there: the server accepted its one client, or its process ended.
        PeerRejected: The server belongs to another user.
        ValueError: No socket can have that name.
    """
    if len(os.fsencode(name)) > PATH_LIMIT or "\0" in name or not name:
        raise ValueError(f"invalid server name {name!r}: it is the path of a socket, 1 to {PATH_LIMIT} bytes")
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.settimeout(None)
        client.connect(name)
        pid, user = peer_credentials(client)
        if user not in (os.geteuid(), 0):
            raise PeerRejected(f"{name} is served by process {pid} of user {user}, not by your own")
    except OSError as error:
        client.close()
        raise Disconnected(
            f"no one-shot server listens at {name} ({error.strerror}): it has accepted its one client, or "
            "its process ended"
        ) from None
    except BaseException:
        client.close()
        raise
    log_debug("connected to %s, of process %s", name, pid)
    return Sender(client, max_message_size, encode=encode)


def silent_client(timeout: float | None) -> TimedOut:
    """The error for a client that is there and says nothing until the deadline."""
    return TimedOut(f"the client connected and sent no whole message within {timeout} s")


def peer_credentials(connection: socket.socket) -> tuple[int, int]:
    """Pid and user of the process at the other end, see SO_PEERCRED in unix(7)."""
    credentials = struct.Struct("3i")
    pid, user, _ = credentials.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    )
    return pid, user
