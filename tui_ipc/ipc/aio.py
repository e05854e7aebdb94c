"""The same endpoints for asyncio: the same steps, waited for by the event loop instead of by the kernel.

The one rule: cancelling is safe. A cancelled receive leaves every byte for the next one; a cancelled send
has sent the whole message or none of it. No threads. Back pressure is the kernel's: ``send`` waits while
the channel is full.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from subprocess import Popen
from typing import Any, Generic, Self, TypeVar

from tui_ipc.ipc import channel as blocking
from tui_ipc.ipc import sockets
from tui_ipc.ipc.delivery import Delivery
from tui_ipc.ipc.errors import Disconnected, IpcError
from tui_ipc.ipc.exits import Exit
from tui_ipc.ipc.oneshot import OneShotServer
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE, Handle, Message

__all__ = ["Receiver", "Sender", "accept", "channel", "connection"]

T = TypeVar("T")

_TURN = 64
"""Messages that are given or taken without a wait before the loop gets its turn."""


class Sender(Handle, Generic[T]):
    """A sender for one event loop. Owns the blocking sender that it was made of; close one of the two.

    Messages leave in the order in which ``send`` was called, from any number of tasks.
    """

    __slots__ = ("_lock", "_sender", "_unyielded")

    def __init__(self, sender: blocking.Sender[T]) -> None:
        """Take over a blocking sender."""
        self._sender = sender
        self._lock = asyncio.Lock()
        self._unyielded = 0

    async def send(self, value: T) -> None:
        """Send one message, waiting while the channel is full.

        Use ``asyncio.timeout`` for a deadline: a cancelled send has sent nothing. (In inline mode a message
        that was begun goes out before the next one.)

        Raises:
            As :meth:`tui_ipc.Sender.send`, TimedOut excepted.
        """
        if self._lock.locked():
            async with self._lock:
                await self._finish(self._sender._start(value, sockets.NONBLOCKING))
            return
        delivery = self._sender._start(value, sockets.NONBLOCKING)
        if delivery is not None:
            async with self._lock:
                await self._finish(delivery)
        else:
            await self._give_way()

    async def send_raw(self, data: bytes) -> None:
        """Send bytes as they are; see :meth:`tui_ipc.Sender.send_raw`."""
        async with self._lock:
            await self._finish(Delivery(self._sender._outlet, (data,), ()))

    def clone(self) -> "Sender[T]":
        """Another sender of the same channel, to be closed on its own."""
        return Sender(self._sender.clone())

    def fileno(self) -> int:
        """The descriptor; raises Closed after :meth:`close`."""
        return self._sender.fileno()

    def close(self) -> None:
        """Close this end. Messages sent before still arrive."""
        if self._sender._outlet.unfinished:
            asyncio.get_running_loop().remove_writer(self._sender.fileno())
        self._sender.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _give_way(self) -> None:
        """Let other tasks run now and then, also where the kernel always has room."""
        self._unyielded += 1
        if self._unyielded >= _TURN:
            self._unyielded = 0
            await asyncio.sleep(0)

    async def _finish(self, delivery: Delivery | None) -> None:
        if delivery is None:
            return
        try:
            while True:
                try:
                    delivery.step(sockets.NONBLOCKING)
                    break
                except BlockingIOError:
                    await _writable(delivery.fileno())
        except BaseException:
            delivery.abandon()
            if self._sender._outlet.unfinished:
                asyncio.get_running_loop().add_writer(self._sender.fileno(), self._write_rest)
            raise
        delivery.leave()

    def _write_rest(self) -> None:
        """Called by the loop: bring a message that was begun to its end, though its send was cancelled."""
        outlet = self._sender._outlet
        try:
            outlet.flush(sockets.NONBLOCKING | sockets.SEND_FLAGS)
        except BlockingIOError:
            return
        except OSError:
            outlet.unfinished = []  # the peer is gone; the next send says so
        asyncio.get_running_loop().remove_writer(outlet.socket.fileno())

    def _describe(self) -> tuple[int, bytes]:
        return self._sender._describe()


class Receiver(Handle, Generic[T]):
    """A receiver for one event loop and one task. Owns the blocking receiver that it was made of.

    Once it waited, the descriptor stays registered with the loop, which saves two system calls a message;
    it is taken out when a message comes that nobody waits for.
    """

    __slots__ = (
        "_loop",
        "_receiver",
        "_registered",
        "_returned",
        "_take",
        "_trusting",
        "_unyielded",
        "_waiter",
    )

    def __init__(self, receiver: blocking.Receiver[T]) -> None:
        """Take over a blocking receiver."""
        self._receiver = receiver
        self._loop: asyncio.AbstractEventLoop | None = None
        self._registered = -1
        self._waiter: asyncio.Future[Any] | None = None
        self._take = receiver._values
        self._returned: deque[Any] = deque()  # given to a wait that was cancelled at the same moment
        self._trusting = 0  # waits to go before it is worth looking again whether messages queue up
        self._unyielded = 0

    async def recv(self) -> T:
        """Wait for the next message; its handles are yours.

        Use ``asyncio.timeout`` for a deadline: a cancelled receive loses nothing.

        Raises:
            As :meth:`tui_ipc.Receiver.recv`, TimedOut excepted.
        """
        value: T = await self._receive(self._receiver._values)
        return value

    async def recv_message(self) -> Message:
        """As :meth:`recv`; gives the message's bytes as well. Do not cancel one form and go on with the
        other.
        """
        message: Message = await self._receive(self._receiver._messages)
        return message

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

    def fileno(self) -> int:
        """The descriptor; raises Closed after :meth:`close`."""
        return self._receiver.fileno()

    def close(self) -> None:
        """Close this end; a wait in another task ends with Closed."""
        self._unregister()
        self._receiver.close()
        self._wake()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def _receive(self, take: "Any") -> Any:
        if self._returned:
            return self._returned.popleft()
        if self._trusting:
            self._trusting -= 1
        else:
            try:
                value = self._receiver._next(sockets.NONBLOCKING, take)
            except BlockingIOError:
                self._trusting = 8
            else:
                self._unyielded += 1
                if self._unyielded >= _TURN:
                    self._unyielded = 0
                    await self._yield_with(value)
                return value
        return await self._wait(take)

    async def _yield_with(self, value: Any) -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            self._returned.append(value)
            raise

    async def _wait(self, take: "Any") -> Any:
        if self._waiter is not None:
            raise RuntimeError("a receiver has one reader, and another task is waiting for its next message")
        self._take = take
        self._register()
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._returned.append(waiter.result())
            raise
        finally:
            self._waiter = None

    def _wake(self) -> None:
        """Called by the loop when there is something to read, or the end of it."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._unregister()
            self._trusting = 0
            return
        try:
            waiter.set_result(self._receiver._next(sockets.NONBLOCKING, self._take))
        except BlockingIOError:
            self._register()
        except (IpcError, OSError, MemoryError) as error:  # it belongs to the task that waits
            self._unregister()
            waiter.set_exception(error)

    def _register(self) -> None:
        """Have the loop watch the descriptor that the next bytes come from."""
        descriptor = self._receiver._waits_for()
        if descriptor != self._registered:
            self._unregister()
            self._loop = asyncio.get_running_loop()
            self._loop.add_reader(descriptor, self._wake)
            self._registered = descriptor

    def _unregister(self) -> None:
        if self._registered >= 0 and self._loop is not None:
            self._loop.remove_reader(self._registered)
            self._registered = -1

    def _describe(self) -> tuple[int, bytes]:
        return self._receiver._describe()

    def _left(self) -> None:
        self._unregister()
        self._receiver._left()


def channel(max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE) -> tuple[Sender[Any], Receiver[Any]]:
    """Make a channel whose both ends are used in this event loop, or sent away; see
    :func:`tui_ipc.channel`.
    """
    sender, receiver = blocking.channel(max_message_size)
    return Sender(sender), Receiver(receiver)


async def connection(server: OneShotServer, child: "Popen[Any] | int | None" = None) -> Receiver[Any]:
    """Wait for the one client of a one-shot server.

    Args:
        server: Stays yours to close; it is closed once the client is there.
        child: The process that is to connect, or its pid: if it ends first, so does the wait. It is not
            reaped.

    Returns:
        The receiving end of the connection, on which the first message comes; yours to close.

    Raises:
        Disconnected: The child ended before it connected.
        Closed: The server has accepted before, or was closed.
    """
    with Exit(child) as end:
        while True:
            ended = end.happened()  # before the look for a client: the last thing it did may be to connect
            receiver = server.try_connection()
            if receiver is not None:
                return Receiver(receiver)
            if ended:
                raise Disconnected(f"{end.describe()} before it connected to {server.name}")
            with suppress(TimeoutError):
                async with asyncio.timeout(end.interval()):
                    await _any_readable(server.fileno(), *end.descriptors())


async def accept(
    server: OneShotServer, timeout: float | None = None, child: "Popen[Any] | int | None" = None
) -> tuple[Receiver[Any], Any]:
    """Wait for the one client and its first message; see :meth:`tui_ipc.OneShotServer.accept`.

    Raises:
        TimeoutError: Not both in ``timeout`` seconds.
        Others as the blocking form.
    """
    async with asyncio.timeout(timeout):
        with server:
            receiver = await connection(server, child)
        try:
            return receiver, await receiver.recv()
        except BaseException:
            receiver.close()
            raise


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    await _signalled(lambda ready: loop.add_writer(descriptor, ready), lambda: loop.remove_writer(descriptor))


async def _any_readable(*descriptors: int) -> None:
    loop = asyncio.get_running_loop()

    def start(ready: Callable[[], None]) -> None:
        for descriptor in descriptors:
            loop.add_reader(descriptor, ready)

    def stop() -> None:
        for descriptor in descriptors:
            loop.remove_reader(descriptor)

    await _signalled(start, stop)


async def _signalled(start: Callable[[Callable[[], None]], None], stop: Callable[[], object]) -> None:
    """Wait until the callback that ``start`` was given is called; ``stop`` in any case."""
    waiter = asyncio.get_running_loop().create_future()

    def ready() -> None:
        if not waiter.done():
            waiter.set_result(None)

    start(ready)
    try:
        await waiter
    finally:
        stop()
