"""The sending end of a channel for asyncio: the same steps, waited for by the event loop.

Cancelling is safe, because a send waits only while its message has not left. Back pressure is the kernel's:
``send`` waits while the channel is full.
"""

import asyncio
import warnings
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from typing import Any, Generic, Self, TypeVar

from tui_ipc.ipc import channel as blocking
from tui_ipc.ipc.delivery import Delivery
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.wakeup import Wakeup
from tui_ipc.ipc.wire import SENDER

T_contra = TypeVar("T_contra", contravariant=True)

TURN = 50
"""Messages that are given or taken without a wait before the loop gets its turn."""


class Endpoint(Handle):
    """A sender or a receiver for one event loop. Owns the blocking one that it was made of."""

    __slots__ = ("_at_once", "_blocking", "_ready", "_watched")

    _blocking: blocking.Sender[Any] | blocking.Receiver[Any]

    def __init__(self) -> None:
        self._at_once = 0  # messages given or taken since the loop had its turn
        self._ready: Wakeup | None = None
        self._watched = -1  # the descriptor that the loop watches for us

    @property
    def max_message_size(self) -> int:
        """Bytes of a message at most; a receiver's holds for endpoints that arrive from now on as well."""
        return self._blocking.max_message_size

    @max_message_size.setter
    def max_message_size(self, size: int) -> None:
        self._blocking.max_message_size = size

    @property
    def closed(self) -> bool:
        """Whether you closed it, or it moved away in a message."""
        return self._blocking.closed

    def fileno(self) -> int:
        """A descriptor to wait for, as that of :class:`tui_ipc.Sender` and :class:`tui_ipc.Receiver`."""
        return self._blocking.fileno()

    def close(self) -> None:
        """Close this end; a call that waits ends with Closed. Messages sent before still arrive."""
        self._unwatch()
        self._blocking.close()
        if self._ready is not None:
            self._ready.wake_soon()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def _unwatch(self) -> None:
        """Have the loop watch no descriptor for us any more."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<aio.{repr(self._blocking)[1:]}"

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        if hasattr(self, "_watched") and not self._blocking.closed:
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self._unwatch()
                self._blocking.close()

    def _describe(self) -> tuple[int, bytes]:
        return self._blocking._describe()

    def _reduce(self) -> tuple[Any, ...]:
        return _wrap, type(self), *self._blocking._reduce()


class Sender(Endpoint, Generic[T_contra]):
    """A sender for one event loop. Owns the blocking sender that it was made of; close one of the two.

    Messages leave in the order in which ``send`` was called, from any number of tasks.

    Attributes:
        under_way: The message that waits for the channel to take more of it, None if none does; to look at.
    """

    __slots__ = ("_lock", "_queue", "under_way")

    _blocking: blocking.Sender[T_contra]

    kind = SENDER

    def __init__(self, sender: blocking.Sender[T_contra]) -> None:
        super().__init__()
        self._blocking = sender
        self._lock = asyncio.Lock()
        self._queue = 0  # sends that hold the lock or wait for it
        self.under_way: Delivery | None = None

    @property
    def encode(self) -> Callable[[T_contra], object] | None:
        """What is sent for a message; see :class:`tui_ipc.Sender`."""
        return self._blocking.encode

    @encode.setter
    def encode(self, encode: Callable[[T_contra], object] | None) -> None:
        self._blocking.encode = encode

    async def send(self, value: T_contra, *, move: bool = False) -> None:
        """Send one message, waiting while the channel is full.

        Use ``asyncio.timeout`` for a deadline: a cancelled send has sent nothing. (In inline mode a message
        that was begun goes out before the next one.)

        Args:
            value: As for :meth:`tui_ipc.Sender.send`.
            move: Whether all handles in ``value`` move: yours are closed once the message has left.

        Raises:
            As :meth:`tui_ipc.Sender.send`, TimedOut excepted.
        """
        encode = self._blocking.encode
        message = value if encode is None else encode(value)
        # The short way: nobody is before us, and the channel takes it.
        if not self._queue and self._at_once < TURN:
            delivery = self._blocking._start(message)
            if delivery is None:
                self._at_once += 1
            else:
                delivery.moves = move
                await self._send(lambda: delivery)
        else:
            await self._in_turn(lambda: self._start(message, move))

    async def send_many(self, values: Iterable[T_contra]) -> None:
        """Send messages in order, many with each system call; see :meth:`tui_ipc.Sender.send_many`.

        Messages of other tasks may come between them. Of a cancelled call, how many were sent is not known;
        none of them was torn.
        """
        for delivery in self._blocking._pack_many(values):
            await self._send(partial(_identity, delivery))

    def send_raw(self, data: bytes) -> Coroutine[Any, Any, None]:
        """Send bytes as they are; see :meth:`tui_ipc.Sender.send_raw`."""
        return self._send(lambda: self._blocking._start_raw(data))

    def clone(self) -> "Sender[T_contra]":
        """Another sender of the same channel, to be closed on its own."""
        return Sender(self._blocking.clone())

    def _start(self, message: object, move: bool) -> Delivery | None:
        delivery = self._blocking._start(message)
        if delivery is not None:
            delivery.moves = move
        return delivery

    async def _send(self, start: Callable[[], Delivery | None]) -> None:
        """Send at once if nobody is before us and the channel takes it, else in turn."""
        if self._queue or self._at_once >= TURN:
            await self._in_turn(start)
            return
        delivery = start()
        if delivery is None or self._has_left(delivery):
            self._at_once += 1
        else:
            await self._in_turn(lambda: delivery)  # it is our turn: nothing is awaited before it goes on

    async def _in_turn(self, start: Callable[[], Delivery | None]) -> None:
        """Send after every send that was called before, and after a turn of the loop if one is due."""
        self._queue += 1
        try:
            async with self._lock:
                if self._at_once >= TURN:
                    self._at_once = 0
                    await asyncio.sleep(0)
                self._at_once += 1
                delivery = start()
                if delivery is not None:
                    await self._finish(delivery)
        finally:
            self._queue -= 1

    async def _finish(self, delivery: Delivery) -> None:
        self.under_way = delivery
        try:
            while not self._has_left(delivery):
                try:
                    if delivery.pause:
                        await asyncio.sleep(delivery.pause)
                    else:
                        await self._writable(delivery.fileno())
                except BaseException:
                    self._give_up(delivery)
                    raise
        finally:
            self.under_way = None

    def _has_left(self, delivery: Delivery) -> bool:
        """Whether a message has left whole, after what the kernel takes of it now."""
        try:
            delivery.step()
        except BlockingIOError:
            return False
        except BaseException:
            self._give_up(delivery)
            raise
        delivery.leave()
        return True

    async def _writable(self, descriptor: int) -> None:
        self._unwatch()
        self._ready = ready = Wakeup(asyncio.get_running_loop())
        self._watched, self._at_once = descriptor, 0
        ready.loop.add_writer(descriptor, ready.wake)
        try:
            await ready
        finally:
            self._unwatch()

    def _give_up(self, delivery: Delivery) -> None:
        """Forget a message; what was begun of it in the channel itself, the loop still writes to its end."""
        delivery.abandon()
        outlet = self._blocking._outlet
        if outlet.unfinished and outlet.socket.fileno() >= 0:
            self._ready, self._watched = Wakeup(asyncio.get_running_loop()), outlet.socket.fileno()
            self._ready.loop.add_writer(self._watched, self._write_rest)

    def _write_rest(self) -> None:
        outlet = self._blocking._outlet
        try:
            outlet.flush()
        except BlockingIOError:
            return
        except OSError:
            outlet.unfinished = []  # the peer is gone; the next send says so
        self._unwatch()

    def _unwatch(self) -> None:
        if self._ready is not None and self._watched >= 0 and not self._ready.loop.is_closed():
            self._ready.loop.remove_writer(self._watched)
        self._watched = -1

    def _duplicate(self) -> "Sender[T_contra]":
        return self.clone()


def _identity(delivery: Delivery) -> Delivery:
    return delivery


def _wrap(descriptor: int, kind: type[Any], make: Callable[..., Any], *arguments: Any) -> Any:
    """Make an endpoint again in another process."""
    return kind(make(descriptor, *arguments))
