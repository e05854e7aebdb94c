"""The end of a channel that messages come out of.

Whatever a peer sends, a receive gives a whole message or one typed error, and no descriptor is left without
an owner.
"""

import os
import select
import socket
import warnings
from collections.abc import Callable
from functools import partial
from time import monotonic

from tui_ipc.ipc import sockets
from tui_ipc.ipc.body import DRY, GIVEN_UP, MORE, READS_IN_A_ROW, WHOLE, Body
from tui_ipc.ipc.decoder import BROKEN, NOTHING, StreamDecoder
from tui_ipc.ipc.errors import (
    Busy,
    Closed,
    Disconnected,
    Empty,
    IpcError,
    ProtocolError,
    TimedOut,
)
from tui_ipc.ipc.file_descriptor import FileDescriptor
from tui_ipc.ipc.handle import Handle, TypedReceiver, close_handles
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
from tui_ipc.osutil.fork import forget_in_children
from tui_ipc.osutil.waiting import ReadyDescriptor, deadline_after, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Never, Self

    from tui_ipc.ipc.handle import T_co
    from tui_ipc.osutil.waiting import Watcher
else:
    Any = T_co = object

READ_SIZE = 120 * 1024
"""Bytes of one read at most. From 128 KiB on, malloc maps fresh pages for each buffer (M_MMAP_THRESHOLD,
mallopt(3)): a short message then takes 17 µs instead of 3."""

BODIES_LIMIT = 64
"""Large messages that may be half there at once; each takes a descriptor."""

_BODIES_SHARE = 4
"""What they may announce together, in multiples of ``max_message_size``."""


class Receiver(TypedReceiver[T_co]):
    """The end of a channel that messages come out of.

    Has one reader at a time, in one process. Use it as a context manager, or ``close()`` it; messages that
    were not received are gone then, and the handles in them closed. Sending it in a message moves it to
    another process.
    """

    # How it may be used is in three flags, two of which recv() looks at before it takes the short way:
    #   _is_plain    none of the following: large messages under way, a descriptor given out by fileno(),
    #                a function to decode with, closed
    #   _is_busy     somebody is receiving
    #   _is_closing  close() was called meanwhile: whoever is receiving closes, since a descriptor that is
    # closed
    #                under a system call might be another file by the time the call begins
    __slots__ = (
        "__weakref__",
        "_adopt",
        "_bodies",
        "_bodies_are_dry",
        "_closed",
        "_decode",
        "_decoder",
        "_fault",
        "_has_ended",
        "_is_busy",
        "_is_closing",
        "_is_plain",
        "_lost",
        "_ready",
        "_recvmsg",
        "_socket",
    )

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
        self._socket = sock
        self._recvmsg: Callable[..., Any] = sock.recvmsg
        self._adopt: Callable[[int, int, int, bytes], Handle] = adopt_handle
        self._decoder = StreamDecoder(partial(adopt_handle, max_message_size), os.close, max_message_size)
        self._bodies: list[Body] = []  # of large messages under way, in the order of their announcements
        self._bodies_are_dry = True  # none of them had more when the channel was last read, or since
        self._has_ended = False  # the channel, while bodies are still under way
        self._lost = 0  # bytes of a large message that was given up, if none followed it
        self._fault: IpcError | None = None  # nothing that follows can be told from nonsense
        self._ready: Watcher | None = None
        self._closed = "this receiver was closed"
        self._decode = decode
        self._is_plain = decode is None
        self._is_busy = False
        self._is_closing = False
        forget_in_children(self)

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
                    self._lost = 0
                    value = decoder.decode(data)
                else:
                    value = self._take_in(data, ancillary, flags)
            if value.__class__ is Large:
                self._begin_body(value)
            elif value is not NOTHING:
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

    def read_ahead(self) -> int:
        """Bytes that were read and not yet received: further messages, or a part of one."""
        return self._decoder.read_ahead()

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

    def socket_fileno(self) -> int:
        """The descriptor of the channel's socket, to ask the kernel about it; raises Closed after close."""
        if self._is_closing:
            raise Closed(self._closed)
        return sockets.open_fileno(self._socket, self._closed)

    def close(self) -> None:
        """Close this end; senders get Disconnected from then on. Closing twice is harmless.

        A thread that is receiving gets Closed.
        """
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

    # --------------------------------------------------------------------------- whatever is under way

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
                wait(self._awaited(), select.POLLIN, deadline)
        finally:
            self._finish()
        return found if self._decode is None else self._decoded(found, with_bytes)

    def _take(self, *, with_bytes: bool = False) -> "Any":
        """The next message; BlockingIOError where it would have to be waited for."""
        self._begin()
        try:
            found = self._next(NONBLOCKING, with_bytes)
        finally:
            self._finish()
        return found if self._decode is None else self._decoded(found, with_bytes)

    def _decoded(self, found: "Any", with_bytes: bool = False) -> "Any":
        """The message for what came."""
        decode = self._decode
        assert decode is not None
        try:
            return Message(decode(found.value), found.raw) if with_bytes else decode(found)
        except BaseException:
            close_handles(found.value if with_bytes else found)
            raise

    def _take_ahead(self) -> "Any":
        """A message that was read with an earlier one; NOTHING if there is none, or it is not so simple."""
        decoder = self._decoder
        if not decoder.pending or self._is_busy or not self._is_plain:
            return NOTHING
        try:
            found = decoder.next()
        except IpcError as error:
            self._check(error)
            raise
        if found.__class__ is Large:
            self._begin_body(found)
            return NOTHING
        return found

    def _set_adopt(self, adopt: "Callable[[int, int, int, bytes], Handle]") -> None:
        """What makes the handles that arrive from now on; as :func:`adopt_handle`."""
        self._adopt = adopt
        self._decoder.adopt = partial(adopt, self._decoder.limit)

    def _begin(self) -> None:
        if self._is_busy:
            raise Busy("another thread is receiving here; a receiver has one reader at a time")
        self._is_busy = True
        self._bodies_are_dry = not self._bodies

    def _finish(self) -> None:
        self._is_busy = False
        if self._is_closing:
            self._dispose()
        elif self._ready is not None:
            self._update_ready(self._ready)

    def _next(self, flags: int, with_bytes: bool) -> "Any":
        """The next message; BlockingIOError if it is not there, or there was enough to do for one call."""
        decoder = self._decoder
        if self._fault is not None:
            raise self._fault.with_traceback(None)
        try:
            for _ in range(READS_IN_A_ROW):
                if self._bodies:
                    body = self._find_whole_body()
                    if body is not None:
                        return self._open_body(body, with_bytes)
                    found = self._next_beside_bodies()
                elif decoder.pending:
                    found = decoder.next()
                else:
                    data, ancillary, got, _ = self._recvmsg(READ_SIZE, ANCILLARY_SIZE, flags | RECEIVE_FLAGS)
                    found = self._take_in(data, ancillary, got)
                if found.__class__ is Large:
                    self._begin_body(found)
                elif found is not NOTHING:
                    return Message(found, decoder.raw()) if with_bytes else found
        except BlockingIOError:
            raise
        except (OSError, IpcError) as error:
            self._check(error)
        raise BlockingIOError

    def _check(self, error: OSError | IpcError) -> None:
        """Raise what an error means, for good if the stream is of no further use.

        Returns where it means nothing: somebody made the socket non-blocking for all who share it, or the
        peer closed with something unread (in inline mode), which is reported once, ahead of what it sent
        before.
        """
        if isinstance(error, BlockingIOError | ConnectionResetError):
            return
        if self._is_closing:
            raise Closed(self._closed) from None
        if isinstance(error, ProtocolError) or self._decoder.state == BROKEN:
            assert isinstance(error, IpcError)
            self._fault = error
            self._is_plain = False
            self._forget()
        if isinstance(error, OSError) and not isinstance(error, IpcError):
            raise sockets.translate_error(error, self._closed) from None
        raise error

    def _take_in(self, data: bytes, ancillary: "list[tuple[int, int, bytes]]", flags: int) -> "Any":
        """What one read gave: the first message of it, Large or NOTHING."""
        descriptors = sockets.descriptors_in(ancillary) if ancillary else []
        if not data:
            return self._end(descriptors)
        self._lost = 0
        complete = not flags & DESCRIPTORS_LOST
        if complete and not descriptors:
            return self._decoder.decode(data)
        return self._decoder.decode_carefully(data, descriptors, complete=complete)

    def _end(self, descriptors: list[int]) -> "Any":
        """The read of no bytes: the end of the channel, or ours."""
        self._decoder.drop(descriptors)
        if self._is_closing:
            raise Closed(self._closed)
        if self._bodies:
            self._has_ended = True
            return NOTHING
        unfinished = self._decoder.read_ahead() or self._lost
        if unfinished:
            received = self._decoder.unfinished()
            sentence = f"the peer is gone: it ended {unfinished} bytes into a message"
            raise Disconnected(sentence, unfinished, received)
        raise Disconnected("the peer is gone: every sender of this channel is closed")

    # ------------------------------------------------------------------------------------- large messages
    #
    # While the body of one is not whole, other senders' messages are delivered. Those of its own sender must
    # stay behind it, and do: it sends the next message only after the last byte of the body, so that whenever
    # a message was read from the channel, the bodies announced before it are looked at once more, and one
    # that is still not whole is another sender's.

    def _begin_body(self, announced: Large) -> None:
        self._bodies.append(Body(announced, self._decoder))
        self._bodies_are_dry = False
        self._is_plain = False

    def _find_whole_body(self) -> Body | None:
        """Read on in the bodies that have more; the first that is whole, taken out."""
        if self._bodies_are_dry:
            return None
        for body in tuple(self._bodies):
            found = body.read()
            if found == MORE:
                raise BlockingIOError  # a deadline is looked at, and others get their turn
            if found == WHOLE:
                self._remove_body(body)
                return body
            if found == GIVEN_UP:
                self._remove_body(body)
                self._lost = body.received()
                body.close()
            else:
                assert found == DRY
        self._bodies_are_dry = True
        return None

    def _remove_body(self, body: Body) -> None:
        self._bodies.remove(body)
        if self._ready is not None:
            self._update_ready(self._ready)  # before its descriptor is closed
        self._update_plain()

    def _open_body(self, body: Body, with_bytes: bool) -> "Any":
        try:
            value = body.value()
            return Message(value, body.raw()) if with_bytes else value
        finally:
            body.close()

    def _may_read(self) -> bool:
        """Whether more may come in beside the bodies under way: what they take is bounded."""
        if len(self._bodies) >= BODIES_LIMIT:
            return False
        return sum(body.size for body in self._bodies) <= _BODIES_SHARE * self._decoder.limit

    def _next_beside_bodies(self) -> "Any":
        """The next message of the channel while no body is whole; NOTHING: look at the bodies again."""
        if not self._bodies:
            return NOTHING  # they were all given up
        if not self._may_read():
            raise BlockingIOError
        if self._decoder.pending:
            return self._decoder.next()
        if self._has_ended:
            raise BlockingIOError
        data, ancillary, got, _ = self._recvmsg(READ_SIZE, ANCILLARY_SIZE, NONBLOCKING | RECEIVE_FLAGS)
        descriptors = sockets.descriptors_in(ancillary) if ancillary else []
        if not data:
            return self._end(descriptors)
        self._lost = 0
        self._decoder.feed(data, descriptors, complete=not got & DESCRIPTORS_LOST)
        self._bodies_are_dry = False
        return NOTHING

    # --------------------------------------------------------------------------------------------- waiting

    def _awaited(self) -> list[int]:
        """The descriptors to wait for after BlockingIOError; looking at them all is due then."""
        self._bodies_are_dry = not self._bodies
        descriptors = [body.fileno() for body in self._bodies]
        if not descriptors or (not self._has_ended and self._may_read()):
            descriptors.append(self.socket_fileno())
        return descriptors

    def _awaited_one(self) -> int:
        """The same as one descriptor, for an event loop that stays with it."""
        if not self._bodies:
            return self.socket_fileno()
        descriptor = self.fileno()
        self._bodies_are_dry = False
        return descriptor

    def _set_watcher(self, watcher: "Watcher | None") -> None:
        """Tell this one, or nobody, what to wait for from now on."""
        self._ready = watcher
        self._update_plain()
        if watcher is not None:
            self._update_ready(watcher)

    def _update_plain(self) -> None:
        free = not self._bodies and self._ready is None and self._fault is None and self._decode is None
        self._is_plain = free and not self._is_closing

    def _update_ready(self, ready: "Watcher") -> None:
        is_ready = self._decoder.pending or self._fault is not None  # a fault is there to be told
        if self._bodies or len(ready.watched) != 1 or is_ready != ready.is_forced:
            ready.watch(self._awaited(), is_ready=is_ready)

    # ------------------------------------------------------------------------------------------ its end

    def _dispose(self) -> None:
        if self._ready is not None:
            self._ready.close()
            self._ready = None
        self._forget()
        self._socket.close()

    def _forget(self) -> None:
        """Give up what was read and not received, and the descriptors that came with it."""
        if self._ready is not None:
            self._ready.watch([self.socket_fileno()])
        if self._decoder.state != BROKEN:
            self._decoder.close()
        for body in self._bodies:
            body.close()
        self._bodies.clear()

    def _after_fork(self) -> None:
        """What was read ahead is the parent's, and so is the thread that is receiving."""
        self._is_busy = False
        self._decoder.forget_whole()
        if self._ready is not None:
            self._ready.renew()
            self._update_ready(self._ready)

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
