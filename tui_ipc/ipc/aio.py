"""The same endpoints for asyncio: the same steps, waited for by the event loop instead of by the kernel.

Cancelling is safe, because no task ever waits with a message in its hand. What a receive takes from the
channel it returns without another wait, so that a cancelled one leaves every byte for the next; a send waits
only while its message has not left. No threads. Back pressure is the kernel's: ``send`` waits while the
channel is full.
"""

import asyncio
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from subprocess import Popen
from typing import Any, Generic, Never, Self, TypeVar
from weakref import WeakMethod

from tui_ipc.ipc import channel as blocking
from tui_ipc.ipc import sockets
from tui_ipc.ipc.decoder import NOTHING
from tui_ipc.ipc.delivery import Delivery
from tui_ipc.ipc.errors import Busy, Disconnected
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.oneshot import OneShotServer, silent_client
from tui_ipc.ipc.wakeup import Wakeup
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, RECEIVER, SENDER, Message
from tui_ipc.osutil.pidfd import Exit

__all__ = ["Receiver", "Sender", "accept", "answering", "channel", "connection"]

T = TypeVar("T")

_TURN = 50
"""Messages that are given or taken without a wait before the loop gets its turn."""

_WAITS = 8
"""Receives that wait at once after one that found nothing: such a look costs as much as a third of a wait.
Messages that queue up are noticed after so many."""

_AT_ONCE = sockets.SEND_FLAGS | sockets.NONBLOCKING


class Sender(Handle, Generic[T]):
    """A sender for one event loop. Owns the blocking sender that it was made of; close one of the two.

    Messages leave in the order in which ``send`` was called, from any number of tasks.
    """

    __slots__ = ("_at_once", "_lock", "_queue", "_ready", "_sender", "_watched")

    kind = SENDER

    def __init__(self, sender: blocking.Sender[T]) -> None:
        self._sender = sender
        self._lock = asyncio.Lock()
        self._queue = 0  # sends that hold the lock or wait for it
        self._at_once = 0  # messages sent since the loop had its turn
        self._ready: Wakeup | None = None
        self._watched = -1  # the descriptor that the loop watches for us

    async def send(self, value: T) -> None:
        """Send one message, waiting while the channel is full.

        Use ``asyncio.timeout`` for a deadline: a cancelled send has sent nothing. (In inline mode a message
        that was begun goes out before the next one.)

        Raises:
            As :meth:`tui_ipc.Sender.send`, TimedOut excepted.
        """
        # The short way: nobody is before us, and the channel takes it.
        if not self._queue and self._at_once < _TURN:
            delivery = self._sender._start(value, _AT_ONCE)
            if delivery is None:
                self._at_once += 1
            else:
                await self._send(lambda: delivery)
        else:
            await self._in_turn(lambda: self._sender._start(value, _AT_ONCE))

    def send_raw(self, data: bytes) -> Coroutine[Any, Any, None]:
        """Send bytes as they are; see :meth:`tui_ipc.Sender.send_raw`."""
        return self._send(lambda: self._sender._start_raw(data, _AT_ONCE))

    def clone(self) -> "Sender[T]":
        """Another sender of the same channel, to be closed on its own."""
        return Sender(self._sender.clone())

    def fileno(self) -> int:
        """The descriptor; raises Closed after :meth:`close`."""
        return self._sender.fileno()

    def close(self) -> None:
        """Close this end; a send that waits ends with Closed. Messages sent before still arrive."""
        self._unwatch()
        self._sender.close()
        if self._ready is not None:
            self._ready.wake_soon()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _send(self, start: Callable[[], Delivery | None]) -> None:
        """Send at once if nobody is before us and the channel takes it, else in turn."""
        if self._queue or self._at_once >= _TURN:
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
                if self._at_once >= _TURN:
                    self._at_once = 0
                    await asyncio.sleep(0)
                self._at_once += 1
                delivery = start()
                if delivery is not None:
                    await self._finish(delivery)
        finally:
            self._queue -= 1

    async def _finish(self, delivery: Delivery) -> None:
        while not self._has_left(delivery):
            try:
                if delivery.pause:
                    await asyncio.sleep(delivery.pause)
                else:
                    await self._writable(delivery.fileno())
            except BaseException:
                self._give_up(delivery)
                raise

    def _has_left(self, delivery: Delivery) -> bool:
        """Whether a message has left whole, after what the kernel takes of it now."""
        try:
            delivery.step(sockets.NONBLOCKING)
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
        outlet = self._sender._outlet
        if outlet.unfinished and outlet.socket.fileno() >= 0:
            self._ready, self._watched = Wakeup(asyncio.get_running_loop()), outlet.socket.fileno()
            self._ready.loop.add_writer(self._watched, self._write_rest)

    def _write_rest(self) -> None:
        outlet = self._sender._outlet
        try:
            outlet.flush(sockets.NONBLOCKING | sockets.SEND_FLAGS)
        except BlockingIOError:
            return
        except OSError:
            outlet.unfinished = []  # the peer is gone; the next send says so
        self._unwatch()

    def _unwatch(self) -> None:
        if self._ready is not None and self._watched >= 0 and not self._ready.loop.is_closed():
            self._ready.loop.remove_writer(self._watched)
        self._watched = -1

    def __repr__(self) -> str:
        return f"<aio.Sender {sockets.describe(self._sender._outlet.socket)}>"

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        if hasattr(self, "_watched") and self._sender._outlet.socket.fileno() >= 0:
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self._unwatch()
                self._sender.close()

    def _describe(self) -> tuple[int, bytes]:
        return self._sender._describe()

    def _duplicate(self) -> "Sender[T]":
        return self.clone()

    def _reduce(self) -> tuple[Any, ...]:
        return _wrap, Sender, *self._sender._reduce()


class Receiver(Handle, Generic[T]):
    """A receiver for one event loop and one task. Owns the blocking receiver that it was made of.

    Once it waited, the descriptor stays with the loop, which saves two system calls a message; it is taken
    out when something comes that nobody waits for.
    """

    __slots__ = ("__weakref__", "_around", "_at_once", "_ready", "_receiver", "_waits", "_watched")

    kind = RECEIVER

    def __init__(self, receiver: blocking.Receiver[T]) -> None:
        self._receiver = receiver
        self._around: Callable[[Callable[[], None]], None] | None = None
        self._ready: Wakeup | None = None
        self._watched = -1  # the descriptor that the loop watches for us
        self._waits = 0  # receives that are to wait at once
        self._at_once = 0  # messages taken since the loop had its turn

    async def recv(self) -> T:
        """Wait for the next message; its handles are yours.

        Use ``asyncio.timeout`` for a deadline: a cancelled receive loses nothing.

        Raises:
            As :meth:`tui_ipc.Receiver.recv`, TimedOut excepted.
        """
        value: T
        if self._at_once < _TURN:
            value = self._receiver._take_ahead()
            if value is not NOTHING:
                self._at_once += 1
                return value
        value = await self._receive(with_bytes=False)
        return value

    def recv_message(self) -> Coroutine[Any, Any, Message]:
        """As :meth:`recv`; gives the message's bytes as well."""
        return self._receive(with_bytes=True)

    def __aiter__(self) -> AsyncIterator[T]:
        return self

    async def __anext__(self) -> T:
        """The next message; iteration ends in good order when every sender is closed."""
        try:
            return await self.recv()
        except Disconnected as end:
            if end.unfinished:
                raise
            raise StopAsyncIteration from None

    def resume_within(self, around: Callable[[Callable[[], None]], None]) -> None:
        """Have the loop call ``around`` with what resumes the task that waits, whenever something has come.

        Once that was called, the task waits again or has ended, and none is under way: ``around`` may resume
        another one, in the same turn of the loop.
        """
        self._unwatch()
        self._around = around

    def read_ahead(self) -> int:
        """As :meth:`tui_ipc.Receiver.read_ahead`."""
        return self._receiver.read_ahead()

    def fileno(self) -> int:
        """A descriptor to wait for; see :meth:`tui_ipc.Receiver.fileno`."""
        return self._receiver.fileno()

    def socket_fileno(self) -> int:
        """The descriptor of the channel's socket; see :meth:`tui_ipc.Receiver.socket_fileno`."""
        return self._receiver.socket_fileno()

    def close(self) -> None:
        """Close this end; a receive that waits ends with Closed."""
        self._unwatch()
        self._receiver.close()
        if self._ready is not None:
            self._ready.wake_soon()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _receive(self, *, with_bytes: bool) -> Any:
        receiver = self._receiver
        if self._waits and not receiver._decoder.pending:
            self._waits -= 1
        else:
            if self._at_once >= _TURN:
                self._at_once = 0
                await asyncio.sleep(0)
            self._at_once += 1
            try:
                return receiver._take(with_bytes=with_bytes)
            except BlockingIOError:
                self._waits = _WAITS
        self._at_once = 0
        while True:
            await self._readable()
            try:
                return receiver._take(with_bytes=with_bytes)
            except BlockingIOError:
                pass  # a part of a large message, or resumed for nothing

    def _readable(self) -> Wakeup:
        """What to await until there is something to read.

        The loop watches the channel's own descriptor, and while large messages are under way the one that
        stands for their streams as well. Both stay open until close(), which takes them out of the loop
        first.
        """
        loop = asyncio.get_running_loop()
        ready, descriptor = self._ready, self._receiver._awaited_one()
        if ready is None or descriptor != self._watched or ready.loop is not loop:
            if ready is not None and ready.is_awaited():
                raise Busy("another task is receiving here; a receiver has one reader at a time")
            self._unwatch()
            self._ready = ready = Wakeup(loop, _weakly(self._nobody_waits))
            if self._around is None:
                loop.add_reader(descriptor, ready.wake)
            else:
                loop.add_reader(descriptor, self._around, ready.wake)
            self._watched = descriptor
        return ready

    def _nobody_waits(self) -> None:
        """Called by the loop when there is something to read that no task has asked for."""
        self._unwatch()
        self._waits = 0

    def _unwatch(self) -> None:
        if self._ready is not None and self._watched >= 0 and not self._ready.loop.is_closed():
            self._ready.loop.remove_reader(self._watched)
        self._watched = -1

    def __repr__(self) -> str:
        return f"<aio.Receiver {sockets.describe(self._receiver._socket)}>"

    def __del__(self, warn: Callable[..., None] = warnings.warn) -> None:
        if hasattr(self, "_watched") and self._receiver._socket.fileno() >= 0:
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self._unwatch()
                self._receiver.close()

    def _describe(self) -> tuple[int, bytes]:
        return self._receiver._describe()

    def _travelling_fileno(self) -> int:
        return self._receiver._travelling_fileno()

    def _duplicate(self) -> Never:
        self._receiver._duplicate()

    def _reduce(self) -> tuple[Any, ...]:
        return _wrap, Receiver, *self._receiver._reduce()

    def _left(self) -> None:
        self._unwatch()
        self._receiver._left()
        self.close()


def _wrap(descriptor: int, kind: type[Any], make: Callable[..., Any], *arguments: Any) -> Any:
    """Make an endpoint again in another process."""
    return kind(make(descriptor, *arguments))


def _weakly(method: Callable[[], None]) -> Callable[[], None]:
    """Calls a method as long as its object exists: what a loop holds must not keep an endpoint from being
    dropped.
    """
    reference = WeakMethod(method)

    def call() -> None:
        bound = reference()
        if bound is not None:
            bound()

    return call


def channel(max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE) -> tuple[Sender[Any], Receiver[Any]]:
    """Make a channel, each end for an event loop or to be sent away; see :func:`tui_ipc.channel`."""
    sender, receiver = blocking.channel(max_message_size)
    return Sender(sender), Receiver(receiver)


def answering(receiver: Receiver[Any]) -> Sender[Any]:
    """A sender for the other direction of a connection; see :func:`tui_ipc.ipc.channel.answering`."""
    return Sender(blocking.answering(receiver._receiver))


async def connection(server: OneShotServer, child: "Popen[Any] | int | None" = None) -> Receiver[Any]:
    """Wait for the one client of a one-shot server.

    Args:
        server: Stays yours to close; it is closed once the client is there.
        child: The process that is to connect, or its pid: if it ends first, so does the wait.

    Returns:
        The receiving end of the connection, on which the first message comes; yours to close.

    Raises:
        Disconnected: The child ended before it connected.
        Closed: The server has accepted before, or was closed.
    """
    with Exit(child) as end:
        while True:
            ended = end.has_ended()  # before the look for a client: its last act may be to connect
            receiver = server.try_connection()
            if receiver is not None:
                return Receiver(receiver)
            if ended:
                raise Disconnected(f"{end.describe()} before it connected to {server.name}")
            await _any_readable((server.fileno(), *end.descriptors()), end.interval())


async def accept(
    server: OneShotServer, timeout: float | None = None, child: "Popen[Any] | int | None" = None
) -> tuple[Receiver[Any], Any]:
    """Wait for the one client and its first message; the server is closed then, whatever the outcome.

    Takes what :meth:`tui_ipc.OneShotServer.accept` takes, returns what it returns and raises what it raises.
    """
    receiver: Receiver[Any] | None = None
    try:
        async with asyncio.timeout(timeout):
            with server:
                receiver = await connection(server, child)
            return receiver, await receiver.recv()
    except BaseException as error:
        if receiver is not None:
            receiver.close()
        if isinstance(error, TimeoutError):
            raise (server.nobody_came(timeout) if receiver is None else silent_client(timeout)) from None
        raise


async def _any_readable(descriptors: tuple[int, ...], interval: float | None) -> None:
    """Wait until one of these is readable, or for ``interval`` seconds."""
    ready = Wakeup(loop := asyncio.get_running_loop())
    alarm = loop.call_later(interval, ready.wake) if interval is not None else None
    for descriptor in descriptors:
        loop.add_reader(descriptor, ready.wake)
    try:
        await ready
    finally:
        for descriptor in descriptors:
            loop.remove_reader(descriptor)
        if alarm is not None:
            alarm.cancel()
