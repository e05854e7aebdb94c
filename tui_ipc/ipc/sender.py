"""The end of a channel that messages go into.

A message has left whole or not at all, and until it has left, its handles are the caller's.
"""

import select
import socket
from _thread import TIMEOUT_MAX
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import monotonic, sleep

from tui_ipc.ipc import sockets
from tui_ipc.ipc.delivery import Delivery, start_large
from tui_ipc.ipc.errors import TimedOut
from tui_ipc.ipc.handle import Handle, TypedSender
from tui_ipc.ipc.log import log_debug
from tui_ipc.ipc.outlet import Outlet
from tui_ipc.ipc.sockets import SEND_FLAGS
from tui_ipc.ipc.wire import (
    BLOB_HEADER_SIZE,
    DEFAULT_MAX_MESSAGE_SIZE,
    IDLE,
    PLAIN,
    SENDER,
    Encoder,
    blob_header,
    check_receivable,
    explain_refusal,
    too_large,
)
from tui_ipc.osutil.waiting import deadline_after, seconds_until, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tui_ipc.ipc.handle import T_contra
else:
    Any = T_contra = object


class Sender(TypedSender[T_contra]):
    """The end of a channel that messages go into.

    May be shared by threads, and by processes once it travelled; messages are never torn or mixed.
    Use it as a context manager, or ``close()`` it: the receiver's end comes when every sender is closed.

    Attributes:
        encode: Called with each message, gives what is sent for it; None sends the message itself. May be
            assigned, for example at a sender that arrived.
    """

    __slots__ = ("_at_once", "_max_message_size", "_outlet", "_send", "encode")

    kind = SENDER

    def __init__(
        self,
        sock: socket.socket,
        max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
        *,
        inline: bool = False,
        encode: "Callable[[T_contra], object] | None" = None,
    ) -> None:
        """Take ownership of a connected socket; programs get theirs from :func:`channel` and the like.

        Args:
            sock: AF_UNIX, SOCK_STREAM.
            max_message_size: In bytes; a longer message raises MessageTooLarge.
            encode: See the attribute.
            inline: The peer cannot take descriptors: long messages simply follow in the stream.
        """
        self._outlet = Outlet(sock, is_inline=inline)
        self._send = self._outlet.send if inline else sock.send
        self.max_message_size = max_message_size
        self.encode = encode

    @property
    def max_message_size(self) -> int:
        """Bytes of a message at most."""
        return self._max_message_size

    @max_message_size.setter
    def max_message_size(self, size: int) -> None:
        self._max_message_size = size
        self._at_once = min(self._outlet.atomic_size, size)  # bytes that one call sends, as a rule

    def send(self, value: "T_contra", timeout: float | None = None, *, move: bool = False) -> None:
        """Send one message, waiting while the channel is full.

        Of the handles in ``value`` a receiver is moved, and all others are duplicated. After any error they
        are all still yours.

        Args:
            value: None, bool, int of 64 bits, float, str, bytes, list, tuple, dict, aware datetime, and
                handles, nested up to 1024 deep. A tuple arrives as a list.
            timeout: Seconds to wait at most; None waits for as long as there is a receiver.
            move: Whether all handles in ``value`` move: yours are closed once the message has left.

        Raises:
            Disconnected: The receiver is closed.
            TimedOut: The channel stayed full. The message was not sent. (In inline mode what was begun goes
                out before the next message.)
            Closed: You closed this sender, or a handle in ``value`` was closed or has moved away.
            MessageTooLarge: More than ``max_message_size`` bytes, or more than the receiver allows.
            TooManyHandles: More than 253, or 252 in a message over 32 KiB, or as many descriptors as this
                user may open are on their way.
            TypeError: A message cannot hold such a value.
            ValueError: An integer beyond 64 bits, a time without zone or outside the years 1 to 9999, nested
                too deeply, keys chosen to collide, a receiver that has messages read ahead, a shared memory
                that something may still write.
        """
        # The short way, all in one function: a short message without handles that the kernel takes at once.
        # Whatever is rarer is left to _start(), and what has to wait to complete().
        encode = self.encode
        message = value if encode is None else encode(value)
        if timeout is None and not (isinstance(message, bytes) and len(message) > self._at_once):
            try:
                encoder = IDLE.pop()
            except IndexError:
                encoder = Encoder()
            try:
                data = encoder.pack(message)
            except (ValueError, BufferError) as error:
                raise explain_refusal(error) from None
            size = len(data)
            if message.__class__ not in PLAIN:
                check_receivable(message, data)
            if size > self._at_once or encoder.handles:
                delivery = self._start_rare((data,), encoder.handles)
            else:
                IDLE.append(encoder)
                try:
                    sent = self._send(data, SEND_FLAGS)
                except OSError:
                    delivery = Delivery(self._outlet, (data,))
                else:
                    if sent == size:
                        return
                    delivery = self._after_part(data, sent)
        else:
            delivery = self._start(message)
        if delivery is not None:
            delivery.moves = move
            complete(delivery, deadline_after(timeout))

    def send_many(self, values: "Iterable[T_contra]", timeout: float | None = None) -> None:
        """Send messages in order, many with each system call: several times the rate of one ``send`` each.

        They arrive as the same separate messages.

        Args:
            values: As for :meth:`send`.
            timeout: Seconds for all of them together.

        Raises:
            The errors of :meth:`send`, and whatever iterating over ``values`` raises. Unless it is
            Disconnected or TimedOut, everything before the faulty value was sent; with those two, how many
            is not known.
        """
        deadline = deadline_after(timeout)
        for delivery in self._pack_many(values):
            complete(delivery, deadline)

    def send_raw(self, data: bytes, timeout: float | None = None) -> None:
        """Send bytes as they are: for tools that show or break the wire on purpose.

        Args:
            data: Usually one msgpack value; nothing is checked.
            timeout: Seconds to wait at most; None waits for as long as there is a receiver.

        Raises:
            Disconnected, TimedOut, Closed: As :meth:`send`.
        """
        complete(Delivery(self._outlet, (data,)), deadline_after(timeout))

    def clone(self) -> "Sender[T_contra]":
        """Another sender of the same channel, to be closed on its own.

        Raises:
            Closed: You closed this one.
            ValueError: It is inline: long messages of two such senders would mix.
        """
        descriptor = self.fileno()
        self._check_not_inline("be cloned; threads may share it as it is")
        return Sender(sockets.duplicate(descriptor), self.max_message_size, encode=self.encode)

    @property
    def closed(self) -> bool:
        """Whether you closed it, or it moved away in a message."""
        return self._outlet.socket.fileno() < 0

    def fileno(self) -> int:
        """The descriptor, for ``poll`` and the like; raises Closed after :meth:`close`."""
        return sockets.open_fileno(self._outlet.socket, "this sender was closed")

    def close(self) -> None:
        """Close this end. Messages sent before still arrive. Closing twice is harmless.

        A thread that waits in :meth:`send` gets Closed.
        """
        if not self.closed:
            log_debug("closing %s", self)
        self._outlet.close()

    def __repr__(self) -> str:
        return f"<Sender {sockets.describe(self._outlet.socket)}>"

    def _start(self, value: object) -> Delivery | None:
        """Send at once what is short and has no handles; anything else is returned, still to be stepped."""
        at_once = self._at_once
        if isinstance(value, bytes) and len(value) > at_once:  # sent from where it lies, without being packed
            size = BLOB_HEADER_SIZE + len(value)
            if size > self._max_message_size:  # before its header, which counts to 4 GiB
                raise too_large(size, self._max_message_size)
            return self._start_rare((blob_header(len(value)), value), ())
        # As pack_checked() and _start_raw(), without the calls.
        try:
            encoder = IDLE.pop()
        except IndexError:
            encoder = Encoder()
        try:
            data = encoder.pack(value)
        except (ValueError, BufferError) as error:
            raise explain_refusal(error) from None
        if value.__class__ not in PLAIN:
            check_receivable(value, data)
        if encoder.handles or len(data) > at_once:
            return self._start_rare((data,), encoder.handles)
        IDLE.append(encoder)
        try:
            sent = self._send(data, SEND_FLAGS)
        except OSError:
            return Delivery(self._outlet, (data,))  # nothing was sent: it waits, or says what is wrong
        return None if sent == len(data) else self._after_part(data, sent)

    def _start_raw(self, data: bytes) -> Delivery | None:
        """As :meth:`_start`, of bytes as they are."""
        if len(data) > self._at_once:
            return Delivery(self._outlet, (data,))
        try:
            sent = self._send(data, SEND_FLAGS)
        except OSError:
            return Delivery(self._outlet, (data,))
        return None if sent == len(data) else self._after_part(data, sent)

    def _after_part(self, data: bytes, sent: int) -> Delivery:
        """What is still to be done for a message of which the kernel took a part.

        In inline mode the outlet has kept the rest. In a channel this means that the send buffer is smaller
        than it was: from now on the outlet looks after this sender's messages as well.
        """
        outlet = self._outlet
        if not outlet.is_inline:
            outlet.unfinished = [memoryview(data)[sent:]]
            outlet.atomic_size = sockets.atomic_size(outlet.socket)
            self.max_message_size = self._max_message_size
            self._send = outlet.send
        return Delivery(outlet, (data,), is_begun=True)

    def _start_rare(self, pieces: "Sequence[bytes]", handles: "Sequence[Handle]") -> Delivery | None:
        """Send what is long or has handles; what could not be done at once is returned, to be stepped."""
        size = sum(map(len, pieces))
        if size > self._max_message_size:
            raise too_large(size, self._max_message_size)
        outlet = self._outlet
        if handles and outlet.is_inline:
            raise TypeError("this connection carries no handles: its peer speaks the inline form")
        if size > outlet.atomic_size and not outlet.is_inline:
            return start_large(outlet, pieces, size, handles)
        return Delivery(outlet, pieces, handles)

    def _pack_many(self, values: "Iterable[T_contra]") -> "Iterator[Delivery]":
        """What is to be sent for many messages, one after the other.

        The generator may be closed instead of resumed: by then it holds nothing that is not given.
        """
        room = self._outlet.atomic_size  # the messages of one piece do not mix with others', either
        longest = self._at_once
        piece = bytearray()
        encoder = Encoder()
        pack, handles = encoder.pack, encoder.handles
        messages: Iterable[object] = values if self.encode is None else map(self.encode, values)
        try:
            for message in messages:
                try:
                    data = pack(message)
                except (ValueError, BufferError) as error:
                    raise explain_refusal(error) from None
                size = len(data)
                if message.__class__ not in PLAIN:
                    check_receivable(message, data)
                if len(piece) + size <= room and size <= longest and not handles:
                    piece += data
                    continue
                if piece:
                    full, piece = piece, bytearray()
                    yield Delivery(self._outlet, (full,))
                if size <= longest and not handles:
                    piece += data
                else:
                    delivery = self._start_rare((data,), tuple(handles))
                    handles.clear()
                    if delivery is not None:
                        yield delivery
        finally:
            if piece:  # also what came before a faulty value
                yield Delivery(self._outlet, (piece,))

    def _describe(self) -> tuple[int, bytes]:
        self.fileno()
        self._check_not_inline("travel: its peer takes no descriptors, and the next owner would not know")
        return SENDER, b""

    def _duplicate(self) -> "Sender[T_contra]":
        return self.clone()

    def _reduce(self) -> "tuple[Any, ...]":
        return _adopt_sender, self.max_message_size, self.encode

    def _check_not_inline(self, action: str) -> None:
        if self._outlet.is_inline:
            raise ValueError(f"the sender of an inline connection cannot {action}")


def _adopt_sender(
    descriptor: int, max_message_size: int, encode: "Callable[[Any], object] | None"
) -> "Sender[Any]":
    """Take over the descriptor of one that was made in a process of ours."""
    return Sender(sockets.socket_from_fd(descriptor), max_message_size, encode=encode)


def complete(delivery: Delivery, deadline: float | None) -> None:
    """Step a delivery until the message has left whole."""
    lock = delivery.outlet.lock
    if lock is None:
        _complete(delivery, deadline)
        return
    seconds = seconds_until(deadline)
    if not lock.acquire(timeout=-1 if seconds is None else min(seconds, TIMEOUT_MAX)):
        raise TimedOut("the channel stayed full: another thread's message has not left yet")
    try:
        _complete(delivery, deadline)
    finally:
        lock.release()


def _complete(delivery: Delivery, deadline: float | None) -> None:
    outlet = delivery.outlet
    alarm = None
    try:
        while True:
            is_last = deadline is not None and monotonic() >= deadline
            try:
                delivery.step()
                break
            except BlockingIOError:
                if is_last:
                    raise TimedOut(
                        "the channel stayed full: the receiver does not take the messages sent before"
                    ) from None
            alarm = alarm or outlet.add_alarm()
            descriptor = delivery.fileno()
            if delivery.pause:
                seconds = seconds_until(deadline)
                sleep(delivery.pause if seconds is None else min(delivery.pause, seconds))
            elif descriptor >= 0 and outlet.socket.fileno() >= 0:  # else closed before the alarm was there
                wait((descriptor,), select.POLLOUT, deadline, alarm)
    except BaseException:
        delivery.abandon()
        raise
    finally:
        outlet.remove_alarm(alarm)
    delivery.leave()
