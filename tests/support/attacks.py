"""A hostile peer: any bytes and any descriptors, over real sockets, against a live receive.

``survives`` checks what the library promises: whatever a peer sends, the result is messages and then one
typed error, in time; no descriptor stays open, and memory stays within the limit of a message plus 16 MiB.
"""

import os
import select
import socket
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from hypothesis import strategies as st

from tests.support import leaks
from tests.support.message_strategies import announcements, handles, hostile
from tui_ipc import (
    Disconnected,
    IpcError,
    MessageTooLarge,
    OneShotServer,
    ProtocolError,
    Receiver,
    SharedMemory,
    TimedOut,
    TooManyHandles,
)
from tui_ipc.ipc import sockets
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.wire import announce, encode

LIMIT = 1024 * 1024
"""Bytes of a message at most, in an attack."""

ALLOWANCE = 16 * 1024 * 1024
"""Bytes of memory over that at most."""

PATIENCE = 0.02
"""Seconds that a receive waits for what an attack leaves unfinished."""

Read = tuple[bytes, Sequence[str]]
"""The bytes of one write, and the kinds of the descriptors that go with it."""


@contextmanager
def _made(kind: str) -> Iterator[int]:
    """A descriptor of some kind, for as long as it is being sent."""
    ours: list[Any] = []
    try:
        yield _KINDS[kind](ours)
    finally:
        for one in ours:
            if isinstance(one, int):
                os.close(one)
            else:
                one.close()


def _file(ours: list[Any]) -> int:
    descriptor, path = tempfile.mkstemp()
    os.unlink(path)
    ours.append(descriptor)
    return descriptor


def _kept(make: Callable[[], Any]) -> Callable[[list[Any]], int]:
    """A descriptor, or something that has one."""

    def keep(ours: list[Any]) -> int:
        ours.append(make())
        one = ours[0]
        return one if isinstance(one, int) else int(one.fileno())

    return keep


def _pipe(end: int) -> Callable[[list[Any]], int]:
    def make(ours: list[Any]) -> int:
        ours += os.pipe()
        descriptor: int = ours[end]
        return descriptor

    return make


def _lone(family: int, kind: int, *, listens: bool = False) -> Callable[[list[Any]], int]:
    """A socket without a peer."""

    def make(ours: list[Any]) -> int:
        one = socket.socket(family, kind)
        ours.append(one)
        if listens:
            one.bind("")  # the kernel chooses an abstract name, see unix(7)
            one.listen()
        return one.fileno()

    return make


def _connected(kind: int, content: bytes | None = None, *, half: bool = False) -> Callable[[list[Any]], int]:
    """A socket whose peer wrote something and is gone, or only stopped writing."""

    def make(ours: list[Any]) -> int:
        mine, theirs = socket.socketpair(socket.AF_UNIX, kind)
        ours += (mine, theirs)
        if content:
            mine.send(content)
        if half:
            mine.shutdown(socket.SHUT_WR)
        return theirs.fileno()

    return make


def _memory(size: int, *, sealed: bool) -> Callable[[list[Any]], int]:
    def make(ours: list[Any]) -> int:
        if sealed:
            ours.append(SharedMemory(bytes(size)))
            return int(ours[0].fileno())
        ours.append(os.memfd_create("hostile"))
        os.truncate(ours[0], size)
        return int(ours[0])

    return make


_STREAM, _PACKETS, _DATAGRAMS = socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM
_KINDS: dict[str, Callable[[list[Any]], int]] = {
    "file": _file,
    "directory": _kept(lambda: os.open("/", os.O_RDONLY)),
    "path": _kept(lambda: os.open("/", os.O_PATH)),
    "device": _kept(lambda: os.open("/dev/zero", os.O_RDWR)),
    "pipe": _pipe(0),
    "pipe to write": _pipe(1),
    "event": _kept(lambda: os.eventfd(0)),
    "poll": _kept(select.epoll),
    "internet": _lone(socket.AF_INET, _STREAM),
    "datagrams": _connected(_DATAGRAMS),
    "unconnected stream": _lone(socket.AF_UNIX, _STREAM),
    "unconnected packets": _lone(socket.AF_UNIX, _PACKETS),
    "listening stream": _lone(socket.AF_UNIX, _STREAM, listens=True),
    "listening packets": _lone(socket.AF_UNIX, _PACKETS, listens=True),
    "empty stream": _connected(_STREAM),
    "ended stream": _connected(_STREAM, half=True),
    "stream of a message": _connected(_STREAM, encode(["body"])),
    "stream of five bytes": _connected(_STREAM, b"\xa4body"),
    "stream of an announcement": _connected(_STREAM, announce(9)),
    "stream of zeros": _connected(_STREAM, bytes(2000)),
    "stream of 0xc1": _connected(_STREAM, b"\xc1" * 2000),
    "packets": _connected(_PACKETS),
    "packets with one": _connected(_PACKETS, b"\xa4body"),
    "memory": _memory(8, sealed=True),
    "no memory": _memory(0, sealed=True),
    "unsealed memory": _memory(8, sealed=False),
}

_kinds = st.sampled_from(sorted(_KINDS))
_lists = st.lists(handles, min_size=1, max_size=3).map(
    lambda some: bytes((0x90 | len(some),)) + b"".join(some)
)
reads: st.SearchStrategy[Read] = st.one_of(
    st.tuples(hostile, st.lists(_kinds, max_size=5)),
    st.tuples(_lists, st.lists(_kinds, max_size=4)),
    st.tuples(announcements, st.lists(_kinds, min_size=1, max_size=3)),
)
attacks: st.SearchStrategy[list[Read]] = st.lists(reads, min_size=1, max_size=4)
"""What a hostile peer writes before it closes its end."""


def write(own: socket.socket, attack: Sequence[Read]) -> None:
    """Write as far as the kernel takes it: who attacks does not wait."""
    for data, kinds in attack:
        with ExitStack() as stack:
            descriptors = [stack.enter_context(_made(kind)) for kind in kinds]
            with suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                own.sendmsg([data], sockets.rights(descriptors), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)


def taken(receiver: Receiver[Any]) -> list[Any]:
    """Receive to the end: the values, their handles closed, and the errors; the last one is for good."""
    found: list[Any] = []
    while True:
        try:
            message = receiver.recv_message(PATIENCE) if len(found) % 2 else receiver.recv(PATIENCE)
        except (MessageTooLarge, TooManyHandles, ProtocolError) as error:
            if found and found[-1] is error:
                return found  # the same again: the receiver is of no further use
            found.append(error)
        except (Disconnected, TimedOut) as error:
            return [*found, error]
        else:
            close_handles(message)
            found.append(message)


def close_handles(value: Any) -> None:
    """Close what a received value holds."""
    unseen = [value]
    while unseen:
        item = unseen.pop()
        if isinstance(item, Handle):
            item.close()
        elif isinstance(item, list | tuple):
            unseen += item
        elif isinstance(item, dict):
            unseen += [*item.keys(), *item.values()]


def strike_channel(attack: Sequence[Read], limit: int = LIMIT) -> list[Any]:
    """Attack the receiver of a channel; what it received."""
    hostile_end, own = socket.socketpair()
    with hostile_end, Receiver[Any](own, limit) as receiver:
        write(hostile_end, attack)
        hostile_end.close()
        return taken(receiver)


def strike_server(attack: Sequence[Read], limit: int = LIMIT) -> list[Any]:
    """Attack a one-shot server; what ``accept`` and the receiver that it returned gave."""
    with OneShotServer(limit) as server, socket.socket(socket.AF_UNIX) as client:
        client.connect(server.name)
        write(client, attack)
        client.close()
        try:
            receiver, first = server.accept(PATIENCE)
        except IpcError as error:
            return [error]
        close_handles(first)
        with receiver:
            return [first, *taken(receiver)]


def survives(strike: Callable[[], list[Any]], allowance: int = LIMIT + ALLOWANCE) -> list[Any]:
    """Run an attack, and check that it left no descriptor open and took no more memory than it may."""
    before = leaks.take_snapshot()
    tracemalloc.start()
    try:
        found = strike()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert leaks.find_leaks(before) == leaks.find_closed(before) == []
    assert isinstance(found[-1], IpcError)
    assert peak < allowance, f"{peak} bytes were allocated, {allowance} are allowed"
    return found
