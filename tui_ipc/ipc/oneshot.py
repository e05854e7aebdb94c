"""The one-shot server: where a child that knows nothing but a name finds its parent.

Only a process of our own user gets in, only one does, and nothing of the meeting place stays. The socket lies
in a fresh directory that only its owner may enter; while the server waits, it holds a lock on that directory,
by which the next start tells what a killed process left from what is in use.
"""

import errno
import fcntl
import os
import socket
import stat
import struct
import warnings
from collections.abc import Callable
from time import monotonic, time

from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import Closed, Disconnected, IpcError, PeerRejected, TimedOut
from tui_ipc.ipc.handle import Uncopied, Unloaded
from tui_ipc.ipc.receiver import Receiver
from tui_ipc.ipc.sender import Sender
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE
from tui_ipc.osutil.pidfd import Exit
from tui_ipc.osutil.waiting import deadline_after

TYPE_CHECKING = False
if TYPE_CHECKING:
    from subprocess import Popen
    from typing import Any, Self, TypeVar, overload

    S = TypeVar("S")
    R = TypeVar("R")
else:
    Any = object
    Popen = Unloaded

_PATH_LIMIT = 107
"""Bytes of a socket's path at most: sockaddr_un.sun_path less its final NUL, see unix(7)."""

_PREFIX = "tui-ipc-"
_RANDOM = 6
"""Bytes of chance in a directory's name."""
_SOCKET = "server"
_GRACE = 60.0
"""Seconds that a directory without a socket may be old before it counts as left behind."""


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
        self._rejected: PeerRejected | None = None
        self._is_waiting = False  # in accept(): close() wakes it, and it closes then
        self._is_closing = False
        self._lock = -1
        self._listener: socket.socket | None = None
        self._directory, self._lock, self._listener = _open_meeting_place()
        self.name = os.path.join(self._directory, _SOCKET)
        """The server name: what the child needs to know."""

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
            pid, user = _peer(connection)
            if user == self._user:
                self.close()
                return Receiver(sockets.make_blocking(connection), self.max_message_size)
            connection.close()
            self._rejected = PeerRejected(
                f"process {pid} of user {user} connected to {self.name} and was turned away: only processes "
                f"of user {self._user} may"
            )

    def nobody_came(self, timeout: float | None) -> IpcError:
        """The error for a deadline that passed before our own user's client came."""
        return self._rejected or TimedOut(f"no process connected to {self.name} within {timeout} s")

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
                _remove(self._directory, lock)
            else:
                os.close(lock)  # forked: socket and directory are the parent's

    def __del__(self, warn: "Callable[..., None]" = warnings.warn) -> None:
        if getattr(self, "_listener", None) is not None:
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
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
    if len(os.fsencode(name)) > _PATH_LIMIT or "\0" in name or not name:
        raise ValueError(
            f"invalid server name {name!r}: it is the path of a socket, 1 to {_PATH_LIMIT} bytes"
        )
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        client.settimeout(None)
        client.connect(name)
        pid, user = _peer(client)
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
    return Sender(client, max_message_size, encode=encode)


def silent_client(timeout: float | None) -> TimedOut:
    """The error for a client that is there and says nothing until the deadline."""
    return TimedOut(f"the client connected and sent no whole message within {timeout} s")


def _peer(connection: socket.socket) -> tuple[int, int]:
    """Pid and user of the process at the other end, see SO_PEERCRED in unix(7)."""
    credentials = struct.Struct("3i")
    pid, user, _ = credentials.unpack(
        connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size)
    )
    return pid, user


def _open_meeting_place() -> tuple[str, int, socket.socket]:
    """A new directory that only we may enter, the descriptor that locks it, and the socket that listens
    there.

    What fails in one place is removed there and tried in the next.
    """
    refusals = []
    remedy = _USUAL_REMEDY
    for place in _places():
        _sweep(place)
        path = os.path.join(place, f"{_PREFIX}{os.urandom(_RANDOM).hex()}")
        size = len(os.fsencode(os.path.join(path, _SOCKET)))
        if size > _PATH_LIMIT:
            refusals.append(f"{place} makes a path of {size} bytes, {_PATH_LIMIT} are allowed")
            continue
        try:
            return path, *_listen_in(path)
        except OSError as error:
            refusals.append(f"{place}: {error.strerror}")
            remedy = _REMEDIES.get(error.errno or 0, _USUAL_REMEDY)
    raise IpcError(f"no place for a socket ({'; '.join(refusals)}); {remedy}")


_USUAL_REMEDY = "set TMPDIR to a short path that you may write to"
_REMEDIES = {
    errno.EMFILE: "close some files, or raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close some files: the whole system has too many open",
    errno.ENOSPC: "free space and inodes there, or set TMPDIR to another file system",
}


def _listen_in(path: str) -> tuple[int, socket.socket]:
    """Make a directory and listen in it; nothing stays if that fails."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.mkdir(path, 0o700)
        try:
            os.chmod(path, 0o700)  # whatever the umask took away
            lock = _locked(path)
            try:
                name = os.path.join(path, _SOCKET)
                listener.bind(name)
                os.chmod(name, 0o700)
                listener.listen()
                listener.setblocking(False)
            except BaseException:
                _remove(path, lock)
                raise
        except BaseException:
            try:
                os.rmdir(path)
            except FileNotFoundError:
                pass  # removed with its lock
            raise
    except BaseException:
        listener.close()
        raise
    return lock, listener


def _places() -> list[str]:
    """Directories to try, the most private first."""
    wanted = (os.environ.get("XDG_RUNTIME_DIR"), os.environ.get("TMPDIR"), "/tmp")
    return list(dict.fromkeys(os.path.abspath(place) for place in wanted if place))


def _locked(path: str) -> int:
    """A descriptor of a directory that holds the lock on it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits for a sweep in another process that just looks at it
    return descriptor


def _is_ours(name: str) -> bool:
    return name.startswith(_PREFIX) and len(name) == len(_PREFIX) + 2 * _RANDOM


def _sweep(place: str) -> None:
    """Remove what killed processes of ours left here: directories that nobody holds the lock of."""
    try:
        names = [entry.name for entry in os.scandir(place) if _is_ours(entry.name)]
    except OSError:
        return  # not there, or not ours to look into: the caller finds out when it makes its own
    for name in names:
        path = os.path.join(place, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # gone, or another user's
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)  # in use
            continue
        status = os.fstat(descriptor)
        abandoned = _SOCKET in os.listdir(descriptor) or time() - status.st_mtime > _GRACE
        if abandoned and status.st_uid == os.geteuid():
            _remove(path, descriptor)
        else:
            os.close(descriptor)


def _remove(path: str, descriptor: int) -> None:
    """Remove a directory of ours and its socket, and give up the lock."""
    try:
        if stat.S_ISSOCK(os.stat(_SOCKET, dir_fd=descriptor, follow_symlinks=False).st_mode):
            os.unlink(_SOCKET, dir_fd=descriptor)
    except FileNotFoundError:
        pass
    try:
        os.rmdir(path)
    except OSError:
        pass  # somebody put something else there, or removed it
    finally:
        os.close(descriptor)
