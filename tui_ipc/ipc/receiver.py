"""The end of a channel that messages come out of.

The one rule: whatever a peer sends, a receive gives a whole message or one typed error, and no descriptor is
left without an owner.
"""

import os
import select
import socket
from functools import partial

from tui_ipc.ipc import sockets
from tui_ipc.ipc.body import READS_IN_A_ROW, Body
from tui_ipc.ipc.decoder import NOTHING, PacketDecoder, StreamDecoder
from tui_ipc.ipc.errors import Disconnected, Empty, IpcError, MessageTooLarge, ProtocolError, TooManyHandles
from tui_ipc.ipc.sender import Sender
from tui_ipc.ipc.shared_memory import SharedMemory
from tui_ipc.ipc.sockets import ANCILLARY_SIZE, RECEIVE_FLAGS, TRUNCATED
from tui_ipc.ipc.wire import (
    DEFAULT_MAX_MESSAGE_SIZE,
    PACKET_LIMIT,
    RECEIVER,
    SENDER,
    SHARED_MEMORY,
    Handle,
    Large,
    Message,
    TypedHandle,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Never, Self

    from tui_ipc.ipc.wire import T

    _Take = tuple[Callable[..., Any], Callable[[], Any]]
else:
    T = None


class Receiver(TypedHandle[T]):
    """The end of a channel that messages come out of.

    Has one reader: one thread of one process. Use it as a context manager, or ``close()`` it; messages that
    were not received are gone then, and the handles in them closed. Sending it in a message moves it to
    another process.
    """

    __slots__ = (
        "_body",
        "_closed",
        "_decoder",
        "_lost",
        "_messages",
        "_packets",
        "_recvmsg",
        "_socket",
        "_values",
        "max_message_size",
    )

    def __init__(self, own: socket.socket, max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE) -> None:
        """Take ownership of a connected socket; programs get theirs from :func:`channel` and the like.

        Args:
            own: AF_UNIX, SOCK_SEQPACKET or SOCK_STREAM.
            max_message_size: In bytes; a longer message raises MessageTooLarge. Holds for the endpoints that
                arrive here as well.
        """
        self._packets = own.type == sockets.PACKETS
        kind = PacketDecoder if self._packets else StreamDecoder
        self._decoder = decoder = kind(partial(_adopt, max_message_size), os.close, max_message_size)
        self._values = (decoder.decode, decoder.next)
        self._messages = (decoder.decode_message, decoder.next_message)
        self._socket = own
        self._recvmsg: Callable[..., Any] = own.recvmsg
        self._body: Body | None = None
        self._lost = 0  # bytes of a large message that was given up, if none followed it
        self._closed = "this receiver was closed"
        self.max_message_size = max_message_size

    def recv(self, timeout: float | None = None) -> "T":
        """Wait for the next message.

        The caller owns the handles in it.

        Args:
            timeout: Seconds to wait at most; None waits for as long as there is a sender.

        Raises:
            Disconnected: Every sender is closed and every message received.
            TimedOut: No whole message came in time; what came of one is kept.
            Closed: You closed this receiver, or it moved away in a message.
            ProtocolError: The peer broke the wire. The receiver is of no further use, and says so each time.
            MessageTooLarge: The message is skipped; on a byte stream, of no further use as after
            ProtocolError.
            TooManyHandles: This process may not open as many descriptors as came; the message is lost, and a
                byte stream of no further use.
        """
        value: T
        if timeout is None:
            try:
                value = self._next(0, self._values)
            except BlockingIOError:
                pass  # somebody made the socket non-blocking for all who share it
            else:
                return value
        value = self._receive(self._values, timeout)
        return value

    def recv_message(self, timeout: float | None = None) -> "Message":
        """As :meth:`recv`; gives the message's bytes as well, as a named tuple ``(value, raw)``."""
        message: Message = self._receive(self._messages, timeout)
        return message

    def try_recv(self) -> "T":
        """The next message if it is there, without waiting, not even for the rest of a large one.

        Raises:
            Empty: No whole message is there, but there are senders.
            Other errors as :meth:`recv`.
        """
        try:
            value: T = self._next(sockets.NONBLOCKING, self._values)
            return value
        except BlockingIOError:
            raise Empty("no message is waiting; the channel is open") from None

    def __iter__(self) -> "Self":
        return self

    def __next__(self) -> "T":
        """The next message; iteration ends in good order when every sender is closed."""
        try:
            return self.recv()
        except Disconnected as end:
            if end.unfinished:
                raise
            raise StopIteration from None

    def read_ahead(self) -> int:
        """Bytes that were read and not yet received: more messages of a packet, or half of a stream's one."""
        return self._decoder.read_ahead()

    def fileno(self) -> int:
        """The descriptor, for ``poll`` and the like; raises Closed after :meth:`close`.

        Some of the next messages may have been read with an earlier one: before you wait for the descriptor,
        call :meth:`try_recv` until it raises Empty. A :class:`~tui_ipc.ReceiverSet` does all that for you.
        """
        return sockets.descriptor_of(self._socket, self._closed)

    def close(self) -> None:
        """Close this end; senders get Disconnected from then on. Closing twice is harmless."""
        self._socket.close()
        self._forget()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Receiver {sockets.state(self._socket)}>"

    def _receive(self, take: "_Take", timeout: float | None) -> "Any":
        deadline = sockets.deadline_after(timeout)
        flags = 0 if timeout is None else sockets.NONBLOCKING
        while True:
            try:
                return self._next(flags, take)
            except BlockingIOError:
                sentence = f"no message came within {timeout} s"
                sockets.wait(self._waits_for(), select.POLLIN, deadline, sentence)

    def _waits_for(self) -> int:
        """What to wait for, until it is readable, after BlockingIOError."""
        return self.fileno() if self._body is None else self._body.fileno()

    def _next(self, flags: int, take: "_Take") -> "Any":
        """The next message, as a value or with its bytes; BlockingIOError where it would have to be waited
        for.
        """
        decode, following = take
        try:
            for _ in range(READS_IN_A_ROW):
                if self._body is not None:
                    found = self._take_body(self._body, flags, take)
                elif self._decoder.pending:
                    found = following()
                else:
                    found = self._read(flags, decode)
                if found.__class__ is Large:
                    self._body = Body(found, self._decoder)
                elif found is not NOTHING:
                    return found
            raise BlockingIOError  # a deadline is looked at, and others get their turn
        except (ProtocolError, MessageTooLarge, TooManyHandles) as error:
            if isinstance(error, ProtocolError) or not self._packets:
                self._give_up(error)
            raise

    def _read(self, flags: int, decode: "Callable[..., Any]") -> "Any":
        """Take one packet, or what is there of the stream, and decode it."""
        try:
            data, ancillary, got, _ = self._recvmsg(PACKET_LIMIT, ANCILLARY_SIZE, flags | RECEIVE_FLAGS)
        except ConnectionResetError:
            return NOTHING  # reported once, ahead of the messages that are still queued
        except BlockingIOError:
            raise
        except OSError as error:
            raise sockets.failure(error, self._closed) from None
        if not ancillary and data and not got & TRUNCATED:
            self._lost = 0
            return decode(data)
        descriptors = sockets.descriptors_in(ancillary)
        try:
            self._check(data, descriptors, got)
        except BaseException:
            self._decoder.drop(descriptors)
            raise
        self._lost = 0
        return decode(data, descriptors)

    def _check(self, data: bytes, descriptors: list[int], got: int) -> None:
        """Raise if what was read is the end, or no whole packet."""
        if got & socket.MSG_CTRUNC:
            raise TooManyHandles(
                f"a message came with more than the {len(descriptors)} descriptors that may still be opened; "
                "raise the limit of open files (ulimit -n) or close some"
            )
        if got & socket.MSG_TRUNC:
            raise ProtocolError(f"a packet is longer than {PACKET_LIMIT} bytes", PACKET_LIMIT)
        if data:
            return
        if descriptors or (self._packets and not sockets.hung_up(self._socket.fileno())):
            raise ProtocolError("a packet without content")
        unfinished = self._decoder.read_ahead() or self._lost
        if unfinished:
            raise Disconnected(f"the peer is gone: it ended {unfinished} bytes into a message", unfinished)
        raise Disconnected("the peer is gone: every sender of this channel is closed")

    def _take_body(self, body: Body, flags: int, take: "_Take") -> "Any":
        """Read on in a large message; it, or NOTHING if its sender gave it up."""
        if not body.read(flags):
            self._body = None
            self._lost = body.arrived()
            body.close()
            return NOTHING
        self._body = None
        try:
            value = body.value()
            return Message(value, body.raw()) if take is self._messages else value
        finally:
            body.close()

    def _give_up(self, error: IpcError) -> None:
        """Nothing that follows can be told from nonsense: raise this error for ever."""

        def refuse(*_: object) -> "Never":
            raise error.with_traceback(None)

        self._forget()
        self._recvmsg = refuse

    def _forget(self) -> None:
        """Give up what was read and not received, and the descriptors that came with it."""
        self._decoder.close()
        if self._body is not None:
            self._body.close()
            self._body = None

    def _describe(self) -> tuple[int, bytes]:
        self.fileno()
        ahead = self.read_ahead()
        if ahead or self._body is not None:
            raise ValueError(
                f"this receiver has read {ahead} bytes of messages ahead, which would not move with it; "
                "receive them (try_recv until Empty) before you send it"
            )
        return RECEIVER, b""

    def _left(self) -> None:
        self._closed = "this receiver moved to another process in a message"
        self.close()


def _adopt(max_message_size: int, kind: int, descriptor: int, payload: bytes) -> Handle:
    """Make the handle that a peer sent."""
    if kind == SHARED_MEMORY:
        return SharedMemory._adopt(descriptor, payload)
    if payload:
        raise ProtocolError(f"{len(payload)} bytes follow the index of an endpoint")
    own = sockets.adopted(descriptor, sockets.ENDPOINTS)
    if kind == SENDER:
        return Sender(own, max_message_size)
    return Receiver(own, max_message_size)
