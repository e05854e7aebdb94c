"""One message on its way out, as steps that never wait by themselves.

Blocking and asyncio senders drive the same steps: ``step`` does what the kernel takes now and raises
BlockingIOError where more must wait for ``fileno()`` to become writable. The one rule: a message leaves
whole or not at all. Where a step could leave a part of it in the channel itself, the rest stays with the
sender and goes out before anything else.
"""

import errno
import socket
from _thread import allocate_lock

from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import Disconnected, MessageTooLarge
from tui_ipc.ipc.wire import LARGE_DESCRIPTOR_LIMIT, announce, too_many_handles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_ipc.ipc.wire import Handle

SIDE_STREAM_BUFFER = 1024 * 1024
"""Bytes that a side stream may hold, as far as the kernel allows: fewer switches between the two
processes."""

_PATIENCE = 0.05
"""Seconds given to the kernel to report that a peer which closed the body's stream closed the channel as
well."""


class Outlet:
    """A sender's socket, and the rest of a message that a step left half written on it.

    Attributes:
        socket: Owned by the sender.
        packet_limit: Bytes of the longest message that goes as one packet; None if all go on the socket
            itself, however long (inline mode).
        lock: Held while a message leaves, where the kernel would let those of two threads mix: inline mode.
        unfinished: What must go out before anything else.
    """

    __slots__ = ("lock", "packet_limit", "socket", "unfinished")

    def __init__(self, own: socket.socket, packet_limit: int | None) -> None:
        self.socket = own
        self.packet_limit = packet_limit
        self.lock = allocate_lock() if packet_limit is None else None
        self.unfinished: list[memoryview] = []

    def send(self, packet: bytes, flags: int) -> int:
        """Send a short message on a byte stream; what the kernel does not take of it is :attr:`unfinished`.

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
            sent = self.socket.send(packet, flags)
            if sent < len(packet):
                self.unfinished = [memoryview(packet)[sent:]]
            return sent
        finally:
            if lock is not None:
                lock.release()

    def flush(self, flags: int) -> None:
        """Write what an earlier message left; raises BlockingIOError while the kernel does not take it
        all.
        """
        while self.unfinished:
            sent = self.socket.sendmsg(self.unfinished, (), flags)
            self.unfinished = _after(self.unfinished, sent)


class Delivery:
    """The way of one message through an outlet.

    Args:
        outlet: Where it goes.
        pieces: Its bytes, in order.
        handles: What it holds; still owned by whoever sends them.

    Attributes:
        outlet: Where it goes.
    """

    __slots__ = ("_body", "_handles", "_pieces", "_size", "_started", "_theirs", "outlet")

    def __init__(
        self, outlet: Outlet, pieces: "Sequence[bytes | bytearray | memoryview]", handles: "Sequence[Handle]"
    ) -> None:
        self.outlet = outlet
        self._pieces = [memoryview(piece) for piece in pieces]
        self._size = sum(len(piece) for piece in self._pieces)
        self._handles = handles
        self._started = False
        self._body: socket.socket | None = None
        self._theirs: socket.socket | None = None
        if outlet.packet_limit is not None and self._size > outlet.packet_limit:
            self._open_side_stream()

    def fileno(self) -> int:
        """What to wait for, until it is writable, after BlockingIOError."""
        if self._started and self._body is not None:
            return self._body.fileno()
        return self.outlet.socket.fileno()

    def step(self, flags: int) -> None:
        """Send as much as can be sent; returns once the message has left whole.

        Args:
            flags: ``sockets.NONBLOCKING``, or 0 to wait in the kernel.

        Raises:
            BlockingIOError: Only with NONBLOCKING: wait until ``fileno()`` is writable, then step again.
            Disconnected, Closed, TooManyHandles, MessageTooLarge: The message did not leave.
        """
        flags |= sockets.SEND_FLAGS
        try:
            if not self._started:
                self.outlet.flush(flags)
                self._send_packet(flags)
            self.outlet.flush(flags)
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno != errno.EMSGSIZE or self._body is not None:
                raise sockets.failure(error, "this sender was closed") from None
            self._avoid_large_packets()
            self.step(flags)
            return
        if self._body is not None:
            self._send_body(self._body, flags)

    def leave(self) -> None:
        """Settle what a message that left means for its handles: a receiver has moved away."""
        self.abandon()
        for handle in self._handles:
            handle._left()

    def abandon(self) -> None:
        """Close the side stream; a body cut off by that never becomes a message."""
        for stream in (self._theirs, self._body):
            if stream is not None:
                stream.close()

    def _open_side_stream(self) -> None:
        if len(self._handles) > LARGE_DESCRIPTOR_LIMIT:
            raise too_many_handles(LARGE_DESCRIPTOR_LIMIT)
        self._body, self._theirs = sockets.pair(socket.SOCK_STREAM)
        self._body.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SIDE_STREAM_BUFFER)

    def _avoid_large_packets(self) -> None:
        """This machine's send buffer is smaller than our packets: use a side stream from this size on."""
        self.outlet.packet_limit = self._size - 1
        self._open_side_stream()

    def _send_packet(self, flags: int) -> None:
        descriptors = [handle.fileno() for handle in self._handles]
        if self._theirs is not None:
            descriptors.insert(0, self._theirs.fileno())
            packet = [memoryview(announce(self._size))]
        else:
            packet = self._pieces
        sent = self.outlet.socket.sendmsg(packet, sockets.rights(descriptors), flags)
        self._started = True
        self.outlet.unfinished = _after(packet, sent)
        if self._theirs is not None:
            self._theirs.close()

    def _send_body(self, body: socket.socket, flags: int) -> None:
        try:
            while self._pieces:
                self._pieces = _after(self._pieces, body.sendmsg(self._pieces, (), flags))
        except (BrokenPipeError, ConnectionResetError):
            raise self._refused() from None

    def _refused(self) -> Disconnected | MessageTooLarge:
        """Why the peer closed the stream of the body: it is gone, or does not want this message."""
        unsent = sum(len(piece) for piece in self._pieces)
        if sockets.hung_up(self.outlet.socket.fileno(), _PATIENCE):
            return Disconnected(f"the peer is gone with {unsent} of the message's {self._size} bytes unsent")
        return MessageTooLarge(
            f"the receiver refused a message of {self._size} bytes, {unsent} of them unsent: it allows less"
        )


def begun(outlet: Outlet, packet: bytes) -> Delivery:
    """The way of a message of which :meth:`Outlet.send` has sent a part."""
    delivery = Delivery(outlet, (packet,), ())
    delivery._started = True
    return delivery


def _after(pieces: "list[memoryview]", sent: int) -> "list[memoryview]":
    """What remains of the pieces once their first ``sent`` bytes are gone."""
    for index, piece in enumerate(pieces):
        if sent < len(piece):
            return [piece[sent:], *pieces[index + 1 :]]
        sent -= len(piece)
    return []
