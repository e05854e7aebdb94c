"""The end of a channel that messages come out of.

Whatever a peer sends, a receive gives a whole message or one typed error, and no descriptor is left without
an owner.
"""

import select
import socket
import warnings
from collections.abc import Callable
from functools import partial
from time import monotonic

from tui_ipc.ipc import sockets
from tui_ipc.ipc.builder import NOTHING
from tui_ipc.ipc.errors import Busy, Disconnected, Empty, IpcError, ProtocolError, TimedOut
from tui_ipc.ipc.file_descriptor import FileDescriptor
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.inbox import READ_SIZE, Inbox
from tui_ipc.ipc.log import log_debug
from tui_ipc.ipc.sender import Sender
from tui_ipc.ipc.shared_memory import SharedMemory
from tui_ipc.ipc.sockets import ANCILLARY_SIZE, DESCRIPTORS_LOST, NONBLOCKING, RECEIVE_FLAGS
from tui_ipc.ipc.wire import (
    DEFAULT_MAX_MESSAGE_SIZE,
    FILE_DESCRIPTOR,
    RECEIVER,
    SENDER,
    SHARED_MEMORY,
    Large,
    Message,
)
from tui_ipc.osutil.waiting import ReadyDescriptor, deadline_after, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Never, Self

    from tui_ipc.ipc.handle import T_co
else:
    Any = Never = Self = T_co = object


class Receiver(Inbox[T_co]):
    """The end of a channel that messages come out of.

    Has one reader at a time, in one process. Use it as a context manager, or ``close()`` it; messages that
    were not received are gone then, and the handles in them closed. Sending it in a message moves it to
    another process.
    """

    __slots__ = ()

    kind = RECEIVER

    def __init__(
        self,
        sock: socket.socket,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        *,
        decode: "Callable[[Any], T_co] | None" = None,
    ) -> None:
        """Take ownership of a connected socket; programs get theirs from :func:`channel` and the like.

        Args:
            sock: AF_UNIX, SOCK_STREAM.
            max_message_size: In bytes; a longer message raises MessageTooLarge. Holds for the endpoints that
                arrive here as well.
            decode: See :attr:`decode`.
        """
        super().__init__(sock, max_message_size, adopt_handle, decode)

    @property
    def max_message_size(self) -> int:
        """Bytes of a message at most, here and at endpoints that arrive from now on."""
        return self._decoder.limit

    @max_message_size.setter
    def max_message_size(self, size: int) -> None:
        self._decoder.limit = size
        self._decoder.adopt = partial(self._adopt, size)

    @property
    def decode(self) -> "Callable[[Any], T_co] | None":
        """Called with what came, gives the message that is received for it; None gives what came.

        If it raises an error, the receive raises that, and the message is lost: its handles are closed. May
        be assigned, for example at a receiver that arrived.
        """
        return self._decode

    @decode.setter
    def decode(self, decode: "Callable[[Any], Any] | None") -> None:
        self._decode = decode
        self._update_plain()

    def recv(self, timeout: float | None = None) -> "T_co":
        """Wait for the next message.

        The caller owns the handles in it.

        Args:
            timeout: Seconds to wait at most; None waits for as long as there is a sender.

        Raises:
            Disconnected: Every sender is closed and every message received.
            TimedOut: No whole message came in time; what came of one is kept.
            Closed: You closed this receiver, or it moved away in a message.
            Busy: Another thread is receiving here.
            ProtocolError: The peer broke the protocol. The receiver is of no further use, and says so each
                time.
            MessageTooLarge: The message is skipped. Where its end cannot be found, in inline mode, the
                receiver is of no further use, as after ProtocolError.
            TooManyHandles: This process may not open as many descriptors as came; the message is lost.
        """
        value: Any  # a T_co in the end
        if timeout is not None or self._is_busy or not self._is_plain:
            return self._receive(timeout)  # type: ignore[no-any-return]
        # The short way: a message that was read with an earlier one, or a read of ordinary messages.
        self._is_busy = True
        try:
            decoder = self._decoder
            if decoder.pending:
                value = decoder.next()
            else:
                data, ancillary, flags, _ = self._recvmsg(READ_SIZE, ANCILLARY_SIZE, RECEIVE_FLAGS)
                if data and not ancillary and not flags & DESCRIPTORS_LOST:
                    value = decoder.decode(data)
                else:
                    value = self._take_in(data, ancillary, flags)
            if value.__class__ is Large:
                value = self._begin_large(value)
            if value is not NOTHING:
                return value  # type: ignore[no-any-return]
        except (OSError, IpcError) as error:
            self._check(error)
        finally:
            self._is_busy = False
            if self._is_closing:
                self._dispose()
        return self._receive(None)  # type: ignore[no-any-return]

    def recv_message(self, timeout: float | None = None) -> "Message":
        """As :meth:`recv`; gives the message's bytes as well, as a named tuple ``(value, raw)``."""
        message: Message = self._receive(timeout, with_bytes=True)
        return message

    def try_recv(self) -> "T_co":
        """The next message if it is there, without waiting, not even for the rest of a large one.

        Raises:
            Empty: No whole message is there, but there are senders.
            Other errors as :meth:`recv`.
        """
        value: T_co
        value = self._take_ahead()
        if value is NOTHING:
            value = self._try_take()
        return value

    def _try_take(self) -> "Any":
        try:
            return self._take()
        except BlockingIOError:
            raise Empty("no message is waiting; the channel is open") from None

    def __iter__(self) -> "Self":
        return self

    def __next__(self) -> "T_co":
        """The next message; iteration ends in good order when every sender is closed."""
        try:
            return self.recv()
        except Disconnected as end:
            if end.unfinished:
                raise
            raise StopIteration from None

    def is_usable(self) -> bool:
        """Whether more can be received after an error, or the next message cannot be found any more."""
        return self._fault is None and not self._is_closing

    def peek(self, limit: int) -> bytes:
        """The first ``limit`` of the bytes that :meth:`read_ahead` counts."""
        return self._decoder.unfinished(limit)

    def large_messages(self) -> list[tuple[int, int]]:
        """The large messages that are under way: how many bytes of each have come, and how many it has."""
        return [(body.got, body.size) for body in self._bodies]

    @property
    def closed(self) -> bool:
        """Whether you closed it, or it moved away in a message."""
        return self._is_closing or self._socket.fileno() < 0

    def fileno(self) -> int:
        """A descriptor that is readable while :meth:`try_recv` would not raise Empty, or a part more has
        come.

        For ``select``, ``add_reader`` and the like, whatever is under way: it stands for the channel, for the
        streams of large messages, and for what was read ahead. It stays the same until :meth:`close`, and
        is for waiting only. Raises Closed after that.
        """
        self.socket_fileno()
        if self._ready is None:
            self._set_watcher(ReadyDescriptor())
            assert self._ready is not None
        return self._ready.fileno()

    def close(self) -> None:
        """Close this end; senders get Disconnected from then on. Closing twice is harmless.

        A thread that is receiving gets Closed.
        """
        if not self.closed:
            log_debug("closing %s", self)
        self._is_plain = False
        if not self._is_busy:
            self._dispose()
        elif not self._is_closing:
            self._is_closing = True
            try:
                self._socket.shutdown(socket.SHUT_RD)  # ends its wait, in poll(2) as in recvmsg(2)
            except OSError:
                pass  # the peer is gone, which ends it as well

    def __del__(self, warn: "Callable[..., None]" = warnings.warn) -> None:
        if hasattr(self, "_is_closing") and self._socket.fileno() >= 0:  # else __init__ failed
            try:
                if not self._is_closing:
                    warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self._dispose()

    def __repr__(self) -> str:
        return f"<Receiver {sockets.describe(self._socket)}>"

    def _receive(self, timeout: float | None, *, with_bytes: bool = False) -> "Any":
        """The next message, waiting for it."""
        found: Any = NOTHING
        deadline = deadline_after(timeout)
        flags = 0 if timeout is None else NONBLOCKING
        self._begin()
        try:
            while True:
                is_last = deadline is not None and monotonic() >= deadline
                try:
                    found = self._next(flags, with_bytes)
                    break
                except BlockingIOError:
                    if is_last:
                        raise TimedOut(f"no message came within {timeout} s") from None
                # Whatever this says, there is another look: what came while this process was stopped counts.
                wait(self._list_awaited(), select.POLLIN, deadline)
        finally:
            self._finish()
        return found if self._decode is None else self._apply_decode(found, with_bytes)

    def _take(self, *, with_bytes: bool = False) -> "Any":
        """The next message; BlockingIOError where it would have to be waited for."""
        self._begin()
        try:
            found = self._next(NONBLOCKING, with_bytes)
        finally:
            self._finish()
        return found if self._decode is None else self._apply_decode(found, with_bytes)

    def _take_ahead(self) -> "Any":
        """A message that was read with an earlier one; NOTHING if there is none, or it is not so simple."""
        decoder = self._decoder
        if not decoder.pending or self._is_busy or not self._is_plain:
            return NOTHING
        try:
            found = decoder.next()
            return self._begin_large(found) if found.__class__ is Large else found
        except IpcError as error:
            self._check(error)
            raise

    def _describe(self) -> tuple[int, bytes]:
        self.socket_fileno()
        if self._is_busy:
            raise Busy("another thread is receiving here, so this receiver cannot be sent")
        ahead = self.read_ahead()
        if ahead or self._bodies:
            raise ValueError(
                f"this receiver has read {ahead} bytes of messages ahead, which would not move with it; "
                "receive them (try_recv until Empty) before you send it"
            )
        unread = self._kept.shut()
        if unread:
            raise ValueError(
                f"{unread} of this receiver's kept streams hold messages, which would not move with it; "
                "receive them (try_recv until Empty) before you send it"
            )
        return RECEIVER, b""

    def _travelling_fileno(self) -> int:
        return self.socket_fileno()

    def _duplicate(self) -> "Never":
        raise TypeError(
            f"{self!r} cannot be copied: a channel has one receiver; send it in a message to move it"
        )

    def _reduce(self) -> "tuple[Any, ...]":
        return _adopt_receiver, self.max_message_size, self._decode

    def _left(self) -> None:
        self._closed = "this receiver moved to another process in a message"
        self.close()


def _adopt_receiver(
    descriptor: int, max_message_size: int, decode: "Callable[[Any], Any] | None"
) -> "Receiver[Any]":
    """Take over the descriptor of one that was made in a process of ours."""
    return Receiver(sockets.socket_from_fd(descriptor), max_message_size, decode=decode)


def adopt_handle(max_message_size: int, kind: int, descriptor: int, payload: bytes) -> Handle:
    """Make the handle that a peer sent; ProtocolError leaves the descriptor with the caller."""
    handle = _make_handle(max_message_size, kind, descriptor, payload)
    log_debug("%s arrived", handle)
    return handle


def _make_handle(max_message_size: int, kind: int, descriptor: int, payload: bytes) -> Handle:
    if kind == SHARED_MEMORY:
        return SharedMemory._adopt(descriptor, payload)
    if payload:
        raise ProtocolError(f"{len(payload)} bytes follow the index of a descriptor")
    if kind == FILE_DESCRIPTOR:
        return FileDescriptor._adopt(descriptor)
    sock = sockets.socket_from_fd(descriptor)
    if kind == SENDER:
        return Sender(sock, max_message_size)
    return Receiver(sock, max_message_size)
