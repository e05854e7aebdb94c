"""The sending end of a channel: its socket, the rest of a message, and its kept streams."""

from _thread import allocate_lock

from tui_ipc.ipc import sockets
from tui_ipc.ipc.kept_streams import KeptStream
from tui_ipc.ipc.sockets import SEND_FLAGS
from tui_ipc.ipc.wire import KEPT_LIMIT
from tui_ipc.osutil.fork import forget_in_children
from tui_ipc.osutil.waiting import Alarm

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    Socket = socket.socket


class Outlet:
    """A sender's socket, and the rest of a message that a step left half written on it.

    That happens in inline mode, where messages of any length go on the socket itself, and in a channel whose
    send buffer was made smaller by somebody after its sender was made.

    Attributes:
        socket: Owned by the sender.
        is_inline: Whether all messages go on the socket itself, however long.
        atomic_size: Bytes that the kernel takes as one piece.
        lock: Held while a message leaves in inline mode, where those of two threads would mix.
        unfinished: What must go out before anything else.
    """

    __slots__ = (
        "__weakref__",
        "_alarms",
        "_idle",
        "_offers",
        "atomic_size",
        "is_inline",
        "lock",
        "socket",
        "unfinished",
    )

    def __init__(self, sock: "Socket", *, is_inline: bool) -> None:
        self.socket = sock
        self.is_inline = is_inline
        self.atomic_size = sockets.atomic_size(sock)
        self.lock = allocate_lock() if is_inline else None
        self.unfinished: list[memoryview] = []
        self._alarms: list[Alarm] = []  # of the threads that wait
        self._idle: list[KeptStream] = []  # as many as threads once sent at the same time
        self._offers = True  # until the receiver declines to keep one

    def send(self, data: bytes, flags: int) -> int:
        """Send a message at once; what the kernel does not take of it is :attr:`unfinished`.

        Returns:
            How many of its bytes are gone, more than 0.

        Raises:
            BlockingIOError: None are: another message is under way, or the kernel takes nothing now.
            OSError: As the kernel gave it; none are gone.
        """
        lock = self.lock
        if lock is not None and not lock.acquire(False):
            raise BlockingIOError
        try:
            if self.unfinished:
                raise BlockingIOError
            sent = self.socket.send(data, flags)
            if sent < len(data):
                self.unfinished = [memoryview(data)[sent:]]
            return sent
        finally:
            if lock is not None:
                lock.release()

    def add_alarm(self) -> Alarm | None:
        """What :meth:`close` rings from now on; None where no descriptor is left for it."""
        try:
            alarm = Alarm()
        except OSError:
            return None  # a wait without it is better than an error: the channel ends it
        self._alarms.append(alarm)
        return alarm

    def remove_alarm(self, alarm: Alarm | None) -> None:
        """The wait is over."""
        if alarm is not None:
            self._alarms.remove(alarm)

    def close(self) -> None:
        """Close the socket and the kept streams, and wake the threads that wait: they find it closed."""
        self.socket.close()
        self._close_idle()
        for alarm in tuple(self._alarms):
            alarm.ring()

    def flush(self) -> None:
        """Write what an earlier message left; raises BlockingIOError while the kernel does not take it
        all.
        """
        while self.unfinished:
            sent = self.socket.sendmsg(self.unfinished, (), SEND_FLAGS)
            self.unfinished = cut_sent(self.unfinished, sent)

    def take_kept(self, size: int) -> KeptStream | None:
        """A stream that the receiver keeps, for one message of that size; to be given back."""
        try:
            stream = self._idle.pop()
        except IndexError:
            return None
        try:
            if stream.is_accepted() and size <= stream.limit:
                return stream
        except OSError:
            stream.close()
            self._offers = False
        else:
            self.give_back(stream)
        return None

    def give_back(self, stream: KeptStream) -> None:
        """Keep a stream for the next message."""
        self._idle.append(stream)
        if self.socket.fileno() < 0:  # after it, since another thread may close in between
            self._close_idle()

    def may_offer(self, size: int) -> bool:
        """Whether the stream of a message of that size is to be offered for being kept."""
        if size > KEPT_LIMIT or not self._offers or self._idle:
            return False
        forget_in_children(self)
        return True

    def _after_fork(self) -> None:
        """The kept streams are the parent's: bodies of two processes would mix."""
        self._close_idle()

    def _close_idle(self) -> None:
        while True:
            try:
                stream = self._idle.pop()
            except IndexError:  # asked for, not looked up: another thread may take one
                return
            stream.close()


def cut_sent(pieces: "list[memoryview]", sent: int) -> "list[memoryview]":
    """What remains of the pieces once their first ``sent`` bytes are gone."""
    if len(pieces) == 1 and sent == len(pieces[0]):
        return []
    for index, piece in enumerate(pieces):
        if sent < len(piece):
            return [piece[sent:], *pieces[index + 1 :]]
        sent -= len(piece)
    return []
