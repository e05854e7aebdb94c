"""The endpoints for asyncio, and how a parent in an event loop gets its first: as the blocking ones, without
threads.
"""

import asyncio
from collections.abc import Callable
from subprocess import Popen
from typing import Any, TypeVar, overload

from tui_ipc.ipc import channel as blocking
from tui_ipc.ipc.aio_receiver import Receiver
from tui_ipc.ipc.aio_sender import Sender
from tui_ipc.ipc.errors import Disconnected
from tui_ipc.ipc.oneshot import OneShotServer, silent_client
from tui_ipc.ipc.wakeup import Wakeup
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE
from tui_ipc.osutil.pidfd import Exit

__all__ = ["Receiver", "Sender", "accept", "answering", "channel", "connection"]

S = TypeVar("S")
R = TypeVar("R")


@overload
def channel(max_message_size: int = ...) -> tuple[Sender[Any], Receiver[Any]]: ...
@overload
def channel(
    max_message_size: int = ..., *, encode: Callable[[S], object], decode: Callable[[Any], R]
) -> tuple[Sender[S], Receiver[R]]: ...
@overload
def channel(
    max_message_size: int = ..., *, encode: Callable[[S], object]
) -> tuple[Sender[S], Receiver[Any]]: ...
@overload
def channel(
    max_message_size: int = ..., *, decode: Callable[[Any], R]
) -> tuple[Sender[Any], Receiver[R]]: ...


def channel(
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    *,
    encode: Callable[[Any], object] | None = None,
    decode: Callable[[Any], Any] | None = None,
) -> tuple[Sender[Any], Receiver[Any]]:
    """Make a channel, each end for an event loop or to be sent away; see :func:`tui_ipc.channel`."""
    sender, receiver = blocking.channel(max_message_size)
    sender.encode, receiver.decode = encode, decode
    return Sender(sender), Receiver(receiver)


def answering(receiver: Receiver[Any]) -> Sender[Any]:
    """A sender for the other direction of a connection; see :func:`tui_ipc.ipc.channel.answering`."""
    return Sender(blocking.answering(receiver._blocking))


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


@overload
async def accept(
    server: OneShotServer, timeout: float | None = ..., child: "Popen[Any] | int | None" = ...
) -> tuple[Receiver[Any], Any]: ...
@overload
async def accept(
    server: OneShotServer,
    timeout: float | None = ...,
    child: "Popen[Any] | int | None" = ...,
    *,
    decode: Callable[[Any], R],
) -> tuple[Receiver[R], R]: ...


async def accept(
    server: OneShotServer,
    timeout: float | None = None,
    child: "Popen[Any] | int | None" = None,
    *,
    decode: Callable[[Any], Any] | None = None,
) -> tuple[Receiver[Any], Any]:
    """Wait for the one client and its first message; the server is closed then, whatever the outcome.

    Takes what :meth:`tui_ipc.OneShotServer.accept` takes, returns what it returns and raises what it raises.
    """
    receiver: Receiver[Any] | None = None
    try:
        async with asyncio.timeout(timeout):
            with server:
                receiver = await connection(server, child)
            receiver.decode = decode
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
