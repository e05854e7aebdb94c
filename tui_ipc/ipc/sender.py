"""The end of a channel that messages go into.

The one rule: a message has left whole or not at all, and until it has left, its handles are the caller's.
"""

import select
import socket

from tui_ipc.ipc import sockets
from tui_ipc.ipc.delivery import Delivery, Outlet
from tui_ipc.ipc.wire import (
    DEFAULT_MAX_MESSAGE_SIZE,
    PACKET_LIMIT,
    SENDER,
    STREAM_PACKET_LIMIT,
    Encoder,
    Handle,
    TypedHandle,
    blob_header,
    explained,
    too_large,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from tui_ipc.ipc.wire import T
else:
    T = None

_BLOB = 8 * 1024
"""``bytes`` from this size on are sent from where they lie instead of being packed first."""

_IDLE: "list[Encoder]" = []
"""Encoders not in use. Taking one out makes a send safe in any thread and inside any finalizer, and costs
less than making one; only those that packed a short message return, so that none keeps a large buffer."""


class Sender(TypedHandle[T]):
    """The end of a channel that messages go into.

    May be shared by threads, and by processes once it travelled; messages are never torn or mixed.
    Use it as a context manager, or ``close()`` it: the receiver's end comes when every sender is closed.
    """

    __slots__ = ("_at_once", "_outlet", "_send", "max_message_size")

    def __init__(
        self, own: socket.socket, max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE, *, inline: bool = False
    ) -> None:
        """Take ownership of a connected socket; programs get theirs from :func:`channel` and the like.

        Args:
            own: AF_UNIX, SOCK_SEQPACKET or SOCK_STREAM.
            max_message_size: In bytes; a longer message raises MessageTooLarge.
            inline: The peer cannot take descriptors: long messages simply follow in the stream.
        """
        packets = own.type == sockets.PACKETS
        self._outlet = Outlet(own, None if inline else PACKET_LIMIT if packets else STREAM_PACKET_LIMIT)
        self._send = own.send
        # Bytes that the kernel takes in one piece or not at all.
        self._at_once = min(PACKET_LIMIT, max_message_size) if packets else 0
        self.max_message_size = max_message_size

    def send(self, value: "T", timeout: float | None = None) -> None:
        """Send one message, waiting while the channel is full.

        Handles in ``value`` are duplicated (a sender, a shared memory) or moved (a receiver). After any
        error they are all still yours.

        Args:
            value: None, bool, int of 64 bits, float, str, bytes, list, tuple, dict, aware datetime, and
                handles, nested up to 1024 deep. A tuple arrives as a list.
            timeout: Seconds to wait at most; None waits for as long as there is a receiver.

        Raises:
            Disconnected: There is no receiver any more.
            TimedOut: The channel stayed full. The message was not sent. (In inline mode what was begun goes
                out before the next message.)
            Closed: You closed this sender, or a receiver in ``value`` has already moved away.
            MessageTooLarge: More than ``max_message_size`` bytes, or more than the receiver allows.
            TooManyHandles: More than 253, or 252 in a message over 128 KiB.
            TypeError: A message cannot hold such a value.
            ValueError: An integer beyond 64 bits, a time without zone, nested too deeply, a receiver that has
                messages read ahead.
        """
        delivery = self._start(value, 0 if timeout is None else sockets.NONBLOCKING)
        if delivery is not None:
            complete(delivery, sockets.deadline_after(timeout))

    def send_many(self, values: "Iterable[T]", timeout: float | None = None) -> None:
        """Send messages in order, many in each packet: several times the rate of one ``send`` each.

        They arrive as the same separate messages.

        Args:
            values: As for :meth:`send`.
            timeout: Seconds for all of them together.

        Raises:
            The errors of :meth:`send`. TypeError and ValueError come after everything before the faulty
            value was sent; with the others, how many were sent is not known.
        """
        deadline = sockets.deadline_after(timeout)
        limit = self._outlet.packet_limit or STREAM_PACKET_LIMIT
        packet = bytearray()
        for value in values:
            try:
                pieces, handles = _pack(value)
            except (TypeError, ValueError):
                self._flush(packet, deadline)
                raise
            size = sum(map(len, pieces))
            if handles or len(packet) + size > limit:
                self._flush(packet, deadline)
                packet = bytearray()
            if handles or size > limit:
                complete(self._delivery(pieces, handles), deadline)
            else:
                packet += b"".join(pieces)
        self._flush(packet, deadline)

    def send_raw(self, data: bytes, timeout: float | None = None) -> None:
        """Send bytes as they are, as one packet: for tools that show or break the wire on purpose.

        Args:
            data: Usually one msgpack value; nothing is checked.
            timeout: Seconds to wait at most; None waits for as long as there is a receiver.

        Raises:
            Disconnected, TimedOut, Closed: As :meth:`send`.
        """
        complete(Delivery(self._outlet, (data,), ()), sockets.deadline_after(timeout))

    def clone(self) -> "Sender[T]":
        """Another sender of the same channel, to be closed on its own; raises Closed if this one was
        closed.
        """
        copy = socket.fromfd(self.fileno(), socket.AF_UNIX, self._outlet.socket.type)
        return Sender(copy, self.max_message_size, inline=self._outlet.packet_limit is None)

    def fileno(self) -> int:
        """The descriptor, for ``poll`` and the like; raises Closed after :meth:`close`."""
        return sockets.descriptor_of(self._outlet.socket, "this sender was closed")

    def close(self) -> None:
        """Close this end. Messages sent before still arrive. Closing twice is harmless."""
        self._outlet.socket.close()

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Sender {sockets.state(self._outlet.socket)}>"

    def _start(self, value: object, flags: int) -> Delivery | None:
        """Send at once what is one small packet; anything else is returned, still to be stepped."""
        pieces, handles = _pack(value)
        if not handles and len(pieces) == 1 and len(pieces[0]) <= self._at_once:
            try:
                self._send(pieces[0], flags | sockets.SEND_FLAGS)
                return None
            except OSError:
                pass  # nothing was sent: the delivery waits, or says what is wrong
        return self._delivery(pieces, handles)

    def _delivery(self, pieces: "Sequence[bytes]", handles: "Sequence[Handle]") -> Delivery:
        size = sum(map(len, pieces))
        if size > self.max_message_size:
            raise too_large(size, self.max_message_size)
        if handles and self._outlet.packet_limit is None:
            raise TypeError("this connection carries no handles: its peer speaks the inline form")
        return Delivery(self._outlet, pieces, handles)

    def _flush(self, packet: bytearray, deadline: float | None) -> None:
        if packet:
            complete(Delivery(self._outlet, (packet,), ()), deadline)

    def _describe(self) -> tuple[int, bytes]:
        self.fileno()
        return SENDER, b""


def _pack(value: object) -> "tuple[Sequence[bytes], Sequence[Handle]]":
    """The bytes of a message, in pieces, and its handles."""
    if value.__class__ is bytes and len(value) > _BLOB:
        return (blob_header(len(value)), value), ()
    try:
        encoder = _IDLE.pop()
    except IndexError:
        encoder = Encoder()
    try:
        packet = encoder.pack(value)
    except ValueError as error:
        raise explained(error) from None
    handles = encoder.handles
    if not handles and len(packet) <= PACKET_LIMIT:
        _IDLE.append(encoder)
    return (packet,), handles


def complete(delivery: Delivery, deadline: float | None) -> None:
    """Step a delivery until the message has left whole."""
    flags = 0 if deadline is None else sockets.NONBLOCKING
    try:
        while True:
            try:
                delivery.step(flags)
                break
            except BlockingIOError:
                sentence = "the channel stayed full: the receiver does not take the messages sent before"
                sockets.wait(delivery.fileno(), select.POLLOUT, deadline, sentence)
    except BaseException:
        delivery.abandon()
        raise
    delivery.leave()
