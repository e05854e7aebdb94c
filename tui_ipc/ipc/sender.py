"""The end of a channel that messages go into.

The one rule: a message has left whole or not at all, and until it has left, its handles are the caller's.
"""

import select
import socket
from _thread import TIMEOUT_MAX
from time import monotonic

from tui_ipc.ipc import sockets
from tui_ipc.ipc.delivery import Delivery, Outlet, begun
from tui_ipc.ipc.errors import TimedOut
from tui_ipc.ipc.sockets import SEND_FLAGS
from tui_ipc.ipc.wire import (
    BLOB_HEADER_SIZE,
    DEFAULT_MAX_MESSAGE_SIZE,
    IDLE,
    PACKET_LIMIT,
    SENDER,
    STREAM_PACKET_LIMIT,
    Encoder,
    Handle,
    TypedHandle,
    blob_header,
    explained,
    idle_encoder,
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

_KEPT_BY_KERNEL = 64
"""Bytes of the send buffer that no packet may use; Linux says 32."""


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
        limit = PACKET_LIMIT if packets else STREAM_PACKET_LIMIT
        self._outlet = Outlet(own, None if inline else limit)
        self._send = own.send if packets else self._outlet.send
        self._at_once = min(limit, max_message_size)  # bytes that one call sends, as a rule
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
            TooManyHandles: More than 253, or 252 in a message over 124 KiB.
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
            The errors of :meth:`send`, and whatever iterating over ``values`` raises. Unless it is
            Disconnected or TimedOut, everything before the faulty value was sent; with those two, how many
            is not known.
        """
        deadline = sockets.deadline_after(timeout)
        limit = self._shared_packet_limit()
        longest = min(limit, self.max_message_size)
        packet = bytearray()
        encoder = Encoder()
        try:
            for value in values:
                data = _packed(encoder, value)
                alone = encoder.handles or len(data) > longest
                if alone or len(packet) + len(data) > limit:
                    full, packet = packet, bytearray()
                    self._flush(full, deadline)
                if alone:
                    complete(self._delivery((data,), encoder.handles), deadline)
                    encoder = Encoder()
                else:
                    packet += data
        finally:
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
        """Another sender of the same channel, to be closed on its own.

        Raises:
            Closed: You closed this one.
            ValueError: It is inline: long messages of two such senders would mix.
        """
        descriptor = self.fileno()
        self._check_not_inline("be cloned; threads may share it as it is")
        return Sender(sockets.duplicate(descriptor, self._outlet.socket.type), self.max_message_size)

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
        if value.__class__ is bytes and len(value) > _BLOB:
            if len(value) > self.max_message_size:  # before its header, which counts to 4 GiB
                raise too_large(BLOB_HEADER_SIZE + len(value), self.max_message_size)
            return self._delivery((blob_header(len(value)), value), ())
        encoder = idle_encoder()
        packet = _packed(encoder, value)
        if encoder.handles or len(packet) > self._at_once:
            return self._delivery((packet,), encoder.handles)
        IDLE.append(encoder)
        return self._start_raw(packet, flags)

    def _start_raw(self, packet: bytes, flags: int) -> Delivery | None:
        """As :meth:`_start`, of bytes as they are."""
        if len(packet) > self._at_once:
            return Delivery(self._outlet, (packet,), ())
        try:
            sent = self._send(packet, flags | SEND_FLAGS)
        except OSError:
            return Delivery(self._outlet, (packet,), ())  # nothing was sent: it waits, or says what is wrong
        return None if sent == len(packet) else begun(self._outlet, packet)

    def _delivery(self, pieces: "Sequence[bytes]", handles: "Sequence[Handle]") -> Delivery:
        size = sum(map(len, pieces))
        if size > self.max_message_size:
            raise too_large(size, self.max_message_size)
        if handles and self._outlet.packet_limit is None:
            raise TypeError("this connection carries no handles: its peer speaks the inline form")
        return Delivery(self._outlet, pieces, handles)

    def _shared_packet_limit(self) -> int:
        """Bytes of a packet of many values: one that this machine's send buffer refused would have to be
        taken apart again.
        """
        own = self._outlet.socket
        if own.fileno() < 0:
            return STREAM_PACKET_LIMIT  # closed, as the delivery will say
        buffer = own.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) - _KEPT_BY_KERNEL
        return min(self._outlet.packet_limit or STREAM_PACKET_LIMIT, buffer)

    def _flush(self, packet: bytearray, deadline: float | None) -> None:
        if packet:
            complete(Delivery(self._outlet, (packet,), ()), deadline)

    def _describe(self) -> tuple[int, bytes]:
        self.fileno()
        self._check_not_inline("travel: its peer takes no descriptors, which whoever received it cannot know")
        return SENDER, b""

    def _check_not_inline(self, deed: str) -> None:
        if self._outlet.packet_limit is None:
            raise ValueError(f"the sender of an inline connection cannot {deed}")


def _packed(encoder: Encoder, value: object) -> bytes:
    """The bytes of a message; its handles are the encoder's then."""
    try:
        return encoder.pack(value)
    except ValueError as error:
        raise explained(error) from None


def complete(delivery: Delivery, deadline: float | None) -> None:
    """Step a delivery until the message has left whole."""
    lock = delivery.outlet.lock
    if lock is None:
        _complete(delivery, deadline)
        return
    patience = -1 if deadline is None else min(max(deadline - monotonic(), 0), TIMEOUT_MAX)
    if not lock.acquire(timeout=patience):
        raise TimedOut("the channel stayed full: another thread's message has not left yet")
    try:
        _complete(delivery, deadline)
    finally:
        lock.release()


def _complete(delivery: Delivery, deadline: float | None) -> None:
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
