"""The receiving end of a channel: what came, in an order in which it may be delivered.

Reads the channel and the side streams of large messages in turns, and knows what to wait for. While the body
of a large message is not whole, other senders' messages are delivered. Those of its own sender must come
after it, and do: it sends the next message only after the last byte of the body. So whenever a message was
read from the channel, the bodies announced before it are looked at once more, and one that is still not whole
is another sender's.
"""

import os
import socket
from collections.abc import Callable
from functools import partial

from tui_ipc.ipc import sockets
from tui_ipc.ipc.body import DRY, GIVEN_UP, MORE, READS_IN_A_ROW, WHOLE, Body, build_body, has_room, is_blob
from tui_ipc.ipc.builder import NOTHING
from tui_ipc.ipc.decoder import BROKEN, StreamDecoder
from tui_ipc.ipc.errors import Busy, Closed, Disconnected, IpcError, ProtocolError
from tui_ipc.ipc.handle import Handle, TypedReceiver, close_handles
from tui_ipc.ipc.kept_streams import KeptStreams
from tui_ipc.ipc.log import log_debug
from tui_ipc.ipc.sockets import ANCILLARY_SIZE, DESCRIPTORS_LOST, NONBLOCKING, RECEIVE_FLAGS
from tui_ipc.ipc.wire import OFFERED, Large, Message, too_large
from tui_ipc.osutil.fork import forget_in_children
from tui_ipc.osutil.waiting import has_input

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tui_ipc.ipc.handle import T_co
    from tui_ipc.osutil.waiting import Watcher

    Adopt = Callable[[int, int, int, bytes], Handle]
else:
    Any = T_co = object

READ_SIZE = 120 * 1024
"""Bytes of one read at most. From 128 KiB on, malloc maps fresh pages for each buffer (M_MMAP_THRESHOLD,
mallopt(3)): a short message then takes 17 µs instead of 3."""


class Inbox(TypedReceiver[T_co]):
    """What a receiver has read, is reading and waits for."""

    # How it may be used is in three flags, two of which recv() looks at before it takes the short way:
    #   _is_plain    none of the following: large messages under way, a descriptor given out by fileno(),
    #                a function to decode with, closed
    #   _is_busy     somebody is receiving
    #   _is_closing  close() was called meanwhile: whoever is receiving closes, since a descriptor that is
    # closed under a system call might be another file by the time the call begins
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
        "_kept",
        "_lost",
        "_ready",
        "_recvmsg",
        "_socket",
    )

    def __init__(
        self,
        sock: socket.socket,
        max_message_size: int,
        adopt: "Adopt",
        decode: "Callable[[Any], T_co] | None",
    ) -> None:
        self._socket = sock
        self._recvmsg: Callable[..., Any] = sock.recvmsg
        self._adopt = adopt
        self._decoder = StreamDecoder(partial(adopt, max_message_size), os.close, max_message_size)
        self._bodies: list[Body] = []  # of large messages under way, in the order of their announcements
        self._bodies_are_dry = True  # none of them had more when the channel was last read, or since
        self._kept = KeptStreams()
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

    def read_ahead(self) -> int:
        """Bytes that were read and not yet received: further messages, or a part of one."""
        return self._decoder.read_ahead()

    def socket_fileno(self) -> int:
        """The descriptor of the channel's socket, to ask the kernel about it; raises Closed after close."""
        if self._is_closing:
            raise Closed(self._closed)
        return sockets.open_fileno(self._socket, self._closed)

    def _apply_decode(self, found: "Any", with_bytes: bool = False) -> "Any":
        """The message for what came."""
        decode = self._decode
        assert decode is not None
        try:
            return Message(decode(found.value), found.raw) if with_bytes else decode(found)
        except BaseException:
            close_handles(found.value if with_bytes else found)
            raise

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
                    found = self._begin_large(found, with_bytes=with_bytes)
                    if found is not NOTHING:
                        return found
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
            log_debug("%s is of no further use: %s", self, error)
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
        unfinished = self.read_ahead() or self._lost
        if unfinished:
            received = self._decoder.unfinished()
            sentence = f"the peer is gone: it ended {unfinished} bytes into a message"
            raise Disconnected(sentence, unfinished, received)
        raise Disconnected("the peer is gone: every sender of this channel is closed")

    # ------------------------------------------------------------------------------------- large messages

    def _begin_large(self, announced: Large, *, with_bytes: bool = False) -> "Any":
        """The message that was announced; NOTHING if it has a stream of its own, and may not be whole yet."""
        size, descriptors, number, head = announced
        decoder = self._decoder
        if number is None or number == OFFERED:
            log_debug("%s: a message of %s bytes comes on a new stream", self, size)
            self._bodies.append(Body(announced, decoder))
            self._bodies_are_dry = False
            self._is_plain = False
            return NOTHING
        try:
            rest = self._kept.read(number, size - len(head))
            if size > decoder.limit:
                raise too_large(size, decoder.limit)
        except IpcError:
            decoder.drop(descriptors)
            raise
        if head and is_blob(head, size):
            decoder.drop(descriptors)
            return Message(rest, head + rest) if with_bytes else rest
        raw = head + rest
        value = build_body(decoder, raw, descriptors)
        return Message(value, raw) if with_bytes else value

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
            if body.is_offered:
                self._kept.accept(body.release_stream(), self._is_dry)
            return Message(value, body.raw()) if with_bytes else value
        finally:
            body.close()

    def _is_dry(self) -> bool:
        """Whether everything that was sent through the channel by now has been looked at."""
        return not self.read_ahead() and not self._bodies and not has_input(self.socket_fileno())

    def _next_beside_bodies(self) -> "Any":
        """The next message of the channel while no body is whole; NOTHING: look at the bodies again."""
        if not self._bodies:
            return NOTHING  # they were all given up
        if not has_room(self._bodies, self._decoder.limit):
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

    def _list_awaited(self) -> list[int]:
        """The descriptors to wait for after BlockingIOError; looking at them all is due then."""
        self._bodies_are_dry = not self._bodies
        descriptors = [body.fileno() for body in self._bodies]
        if not descriptors or (not self._has_ended and has_room(self._bodies, self._decoder.limit)):
            descriptors.append(self.socket_fileno())
        return descriptors

    def _find_awaited_one(self) -> int:
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
        is_ready = self._decoder.pending or self._fault is not None  # a fault is there to be raised
        if self._bodies or len(ready.watched) != 1 or is_ready != ready.is_forced:
            ready.watch(self._list_awaited(), is_ready=is_ready)

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
        self._kept.close()

    def _after_fork(self) -> None:
        """What was read ahead is the parent's, and so is the thread that is receiving."""
        self._is_busy = False
        self._decoder.forget_whole()
        if self._ready is not None:
            self._ready.renew()
            self._update_ready(self._ready)
