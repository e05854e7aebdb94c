"""The contenders of an event loop: each carries ``bytes`` to a second process and back, awaiting the answer.

They run in one loop and in turn, as :mod:`tests.benchmarks.measure` has it.
"""

import asyncio
import os
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from time import perf_counter
from typing import Any, Protocol, Self

import msgpack

from tests.benchmarks.contenders import Peer
from tests.benchmarks.measure import Figures, Tally, turns
from tui_ipc import channel
from tui_ipc.ipc import aio


class Awaited(Protocol):
    """A contender: entered, its peer answers; left, its peer is gone."""

    name: str

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def exchanges(self, message: bytes, count: int) -> list[float]:
        """Send a message and wait until it is back, so often; the moments before each and after the last."""


class OneByOne:
    """A contender that is asked for each exchange."""

    async def exchange(self, message: bytes) -> None:
        """Send a message and wait until it is back."""
        raise NotImplementedError

    async def exchanges(self, message: bytes, count: int) -> list[float]:
        exchange = self.exchange
        stamps = [perf_counter()]
        for _ in range(count):
            await exchange(message)
            stamps.append(perf_counter())
        return stamps


class AioChannel(Peer, OneByOne):
    """A channel pair of this library, awaited at both ends."""

    name = "tui_ipc.ipc.aio"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.ours, theirs = channel()
        back, self.back = channel()

        async def echo() -> None:
            sender, receiver = aio.Sender(back), aio.Receiver(theirs)
            async for message in receiver:
                await sender.send(message)

        self.fork(lambda: asyncio.run(echo()), [theirs.socket_fileno(), back.fileno()])
        theirs.close()
        back.close()

    async def __aenter__(self) -> Self:
        self.sender, self.receiver = aio.Sender(self.ours), aio.Receiver(self.back)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.end()
        self.sender.close()
        self.receiver.close()

    async def exchange(self, message: bytes) -> None:
        """Send a message and wait until it is back."""
        await self.sender.send(message)
        await self.receiver.recv()


class Streams(Peer, OneByOne):
    """asyncio's streams over a socket pair, the messages in msgpack."""

    name = "asyncio streams, msgpack"

    def __init__(self, size: int, cpu: int) -> None:
        super().__init__(size, cpu)
        self.ours, theirs = socket.socketpair()

        async def echo() -> None:
            reader, writer = await asyncio.open_unix_connection(sock=theirs)
            unpacker = msgpack.Unpacker()
            while True:
                writer.write(msgpack.packb(await self.message(reader, unpacker)))
                await writer.drain()

        self.fork(lambda: asyncio.run(echo()), [theirs.fileno()])
        theirs.close()

    @staticmethod
    async def message(reader: StreamReader, unpacker: msgpack.Unpacker) -> Any:
        """The next message; a peer whose parent is gone ends."""
        while True:
            for message in unpacker:
                return message
            piece = await reader.read(256 * 1024)
            if not piece:
                os._exit(0)
            unpacker.feed(piece)

    async def __aenter__(self) -> Self:
        self.reader: StreamReader
        self.writer: StreamWriter
        self.reader, self.writer = await asyncio.open_unix_connection(sock=self.ours)
        self.unpacker = msgpack.Unpacker()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.end()
        self.writer.close()
        await self.writer.wait_closed()

    async def exchange(self, message: bytes) -> None:
        """Send a message and wait until it is back."""
        self.writer.write(msgpack.packb(message))
        await self.writer.drain()
        await self.message(self.reader, self.unpacker)


async def _round_trips(contenders: Sequence[Awaited], message: bytes, each: int, rounds: int) -> Figures:
    tally = Tally()
    async with AsyncExitStack() as stack:
        by_name: dict[str, Any] = {}
        for one in contenders:
            by_name[one.name] = await stack.enter_async_context(one)
        for name, counts in turns(by_name, rounds):
            stamps = await by_name[name].exchanges(message, each)
            if counts:
                tally.add(name, stamps)
    return tally.times(1e6)


def round_trips(contenders: Sequence[Awaited], message: bytes, each: int, rounds: int) -> Figures:
    """Microseconds of one exchange."""
    return asyncio.run(_round_trips(contenders, message, each, rounds))
