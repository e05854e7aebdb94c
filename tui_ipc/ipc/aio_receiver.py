"""The receiving end of a channel for asyncio: the same steps, waited for by the event loop.

Cancelling is safe, because no task waits while it holds a message. What a receive takes from the
channel it returns without another wait, so that a cancelled one leaves every byte for the next.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, Generic, Never, TypeVar
from weakref import WeakMethod

from tui_ipc.ipc import channel as blocking
from tui_ipc.ipc.aio_sender import TURN, Endpoint, Sender
from tui_ipc.ipc.builder import NOTHING
from tui_ipc.ipc.errors import Busy, Disconnected
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.receiver import adopt_handle
from tui_ipc.ipc.wakeup import Wakeup
from tui_ipc.ipc.wire import RECEIVER, Message

T_co = TypeVar("T_co", covariant=True)

_WAITS = 8
"""Receives that wait at once after one that found nothing: such a look costs as much as a third of a wait.
Messages that queue up are noticed after so many."""


class Receiver(Endpoint, Generic[T_co]):
    """A receiver for one event loop and one task. Owns the blocking receiver that it was made of.

    The endpoints that arrive in its messages are asyncio's as well.

    Once it waited, the descriptor stays with the loop, which saves two system calls a message; it is taken
    out when something comes that nobody waits for.
    """

    __slots__ = ("__weakref__", "_around", "_waits")

    _blocking: blocking.Receiver[T_co]

    kind = RECEIVER

    def __init__(self, receiver: blocking.Receiver[T_co]) -> None:
        self._blocking = receiver
        receiver._set_adopt(_adopt_handle)
        super().__init__()
        self._around: Callable[[Callable[[], None]], None] | None = None
        self._waits = 0  # receives that are to wait at once

    @property
    def decode(self) -> Callable[[Any], T_co] | None:
        """What is received for what came; see :attr:`tui_ipc.Receiver.decode`."""
        return self._blocking.decode

    @decode.setter
    def decode(self, decode: Callable[[Any], Any] | None) -> None:
        self._blocking.decode = decode

    async def recv(self) -> T_co:
        """Wait for the next message; its handles are yours.

        Use ``asyncio.timeout`` for a deadline: a cancelled receive loses nothing.

        Raises:
            As :meth:`tui_ipc.Receiver.recv`, TimedOut excepted.
        """
        value: T_co
        if self._at_once < TURN:
            value = self._blocking._take_ahead()
            if value is not NOTHING:
                self._at_once += 1
                return value
        value = await self._receive(with_bytes=False)
        return value

    def try_recv(self) -> T_co:
        """The next message if it is there, without waiting; see :meth:`tui_ipc.Receiver.try_recv`."""
        return self._blocking.try_recv()

    def recv_message(self) -> Coroutine[Any, Any, Message]:
        """As :meth:`recv`; gives the message's bytes as well."""
        return self._receive(with_bytes=True)

    def __aiter__(self) -> AsyncIterator[T_co]:
        return self

    async def __anext__(self) -> T_co:
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

    def is_usable(self) -> bool:
        """As :meth:`tui_ipc.Receiver.is_usable`."""
        return self._blocking.is_usable()

    def read_ahead(self) -> int:
        """As :meth:`tui_ipc.Receiver.read_ahead`."""
        return self._blocking.read_ahead()

    def peek(self, limit: int) -> bytes:
        """As :meth:`tui_ipc.Receiver.peek`."""
        return self._blocking.peek(limit)

    def large_messages(self) -> list[tuple[int, int]]:
        """As :meth:`tui_ipc.Receiver.large_messages`."""
        return self._blocking.large_messages()

    def socket_fileno(self) -> int:
        """The descriptor of the channel's socket; see :meth:`tui_ipc.Receiver.socket_fileno`."""
        return self._blocking.socket_fileno()

    async def _receive(self, *, with_bytes: bool) -> Any:
        receiver = self._blocking
        if self._waits and not receiver._decoder.pending:
            self._waits -= 1
        else:
            if self._at_once >= TURN:
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
        ready, descriptor = self._ready, self._blocking._find_awaited_one()
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

    def _travelling_fileno(self) -> int:
        return self._blocking._travelling_fileno()

    def _duplicate(self) -> Never:
        self._blocking._duplicate()

    def _left(self) -> None:
        self._unwatch()
        self._blocking._left()
        self.close()


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


def _adopt_handle(max_message_size: int, kind: int, descriptor: int, payload: bytes) -> Handle:
    """Make the handle that a peer sent, for asyncio."""
    handle = adopt_handle(max_message_size, kind, descriptor, payload)
    if isinstance(handle, blocking.Sender):
        return Sender(handle)
    return Receiver(handle) if isinstance(handle, blocking.Receiver) else handle
