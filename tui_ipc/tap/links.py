"""What a relay passes on: two directions between two sockets, large messages, and ends of channels."""

import errno
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from tui_ipc.ipc import sockets
from tui_ipc.ipc.sockets import SEND_FLAGS
from tui_ipc.osutil import one_way

_BODY_READ: Final = 256 * 1024  # bytes of a large message in one read
_BODY_READS: Final = 16  # in a row; then others get their turn
_IN_FLIGHT_PAUSE: Final = 0.001  # seconds


class Observer(Protocol):
    """Sees a copy of what passes in one direction of one channel."""

    def observe(self, data: bytes, endpoints: "Sequence[Endpoint]", at: int) -> "Sequence[Body]":
        """See what one read gave.

        Args:
            data: The bytes.
            endpoints: The descriptors that came with them.
            at: When, in nanoseconds, monotonic.

        Returns:
            The large messages that they announce; their streams are to be relayed.
        """

    def end(self) -> None:
        """Nothing follows."""


class Endpoint:
    """A descriptor on its way from one side to the other.

    Attributes:
        descriptor: What is passed on: as it came, or what took its place.
        is_toward_child: Which way it goes.
        is_channel: Whether it is known to be the end of a channel, and so is to be replaced.
        link: Relays what passes through it, once it was replaced.
    """

    __slots__ = ("_observers", "descriptor", "is_channel", "is_toward_child", "link")

    def __init__(self, descriptor: int, *, is_toward_child: bool) -> None:
        self.descriptor = descriptor
        self.is_toward_child = is_toward_child
        self.is_channel = False
        self.link: Link | None = None
        self._observers: dict[bool, Observer] = {}

    def show(self, observer: Observer, *, is_toward_child: bool) -> None:
        """It is the end of a channel: show an observer what passes through it in one direction."""
        self.is_channel = True
        self._observers[is_toward_child] = observer
        if self.link is not None:
            self.link.flows[is_toward_child].observer = observer

    def replace(self) -> None:
        """Let one end of a pair of ours take its place, if it can be the end of a channel.

        Raises:
            OSError: No descriptor is left for that; it stays as it is.
        """
        sock = _open_endpoint(self.descriptor)
        if sock is None:
            return
        try:
            ours, theirs = sockets.pair()
        except OSError:
            sock.detach()
            raise
        self.descriptor = theirs.detach()
        self.link = Link(sock, ours) if self.is_toward_child else Link(ours, sock)
        for is_toward_child, observer in self._observers.items():
            self.link.flows[is_toward_child].observer = observer


def _open_endpoint(descriptor: int) -> socket.socket | None:
    """The end of a channel that a descriptor names, which it owns; None if that is something else."""
    try:
        sock = socket.socket(fileno=descriptor)
    except OSError:
        return None
    is_stream = (sock.family, sock.type) == (socket.AF_UNIX, socket.SOCK_STREAM)
    if is_stream and not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return sockets.make_blocking(sock)
    sock.detach()
    return None


class Body:
    """The body of a large message, on its way through streams of its own.

    Args:
        size: Bytes of it.
        stream: What it comes on.
        endpoints: The descriptors of its handles.
        keep: Called with all of it once it is whole, or with None if it was given up; and with the moment, as
            an observer is.
        limit: Bytes up to which a copy is kept.
        is_offered: Whether the sender offers to use the stream for further messages.
    """

    __slots__ = (
        "_chunks",
        "_got",
        "_keep",
        "_pending",
        "endpoints",
        "is_offered",
        "size",
        "source",
        "stream",
        "target",
    )

    def __init__(
        self,
        size: int,
        stream: Endpoint,
        endpoints: "Sequence[Endpoint]",
        keep: Callable[[bytes | None, int], None],
        limit: int,
        *,
        is_offered: bool = False,
    ) -> None:
        self.size = size
        self.is_offered = is_offered
        self.endpoints = endpoints
        self.stream = stream
        self.source = self.target = -1
        self._keep = keep
        self._chunks: list[bytes] | None = [] if size <= limit else None  # a copy of all that came
        self._got = 0
        self._pending = memoryview(b"")

    def open(self) -> None:
        """Let the reading end of a stream of ours take the place of the one that came.

        Raises:
            OSError: No descriptor is left for that, or what came is not a stream; it stays as it is.
        """
        came = self.stream.descriptor
        if not one_way.is_stream(came):
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))
        os.set_blocking(came, False)
        self.stream.descriptor, self.target = one_way.open_stream(self.size)
        self.source = came
        os.set_blocking(self.target, False)

    def pump(self) -> bool:
        """Pass on what can be passed on now; False once nothing is left to do."""
        for _ in range(_BODY_READS):
            try:
                if not self._pending:
                    data = os.read(self.source, min(_BODY_READ, self.size - self._got))
                    if not data:
                        return False
                    self._got += len(data)
                    if self._chunks is not None:
                        self._chunks.append(data)
                    self._pending = memoryview(data)
                self._pending = self._pending[one_way.write(self.target, (self._pending,)) :]
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not self._pending and self._got == self.size:
                return False
        return True

    @property
    def is_writing(self) -> bool:
        """Whether it waits for the target, not for the source."""
        return bool(self._pending)

    def close(self) -> None:
        """Close both streams."""
        for descriptor in (self.source, self.target):
            if descriptor >= 0:
                os.close(descriptor)
        self.source = self.target = -1

    def show(self, _: bytes, at: int) -> None:
        """Show what came; see :meth:`Flow.show`."""
        chunks, self._chunks = self._chunks, None
        is_whole = self._got == self.size and not self._pending
        self._keep(b"".join(chunks) if is_whole and chunks is not None else None, at)


class Flow:
    """One direction of a link.

    Attributes:
        link: The link.
        back: Its other direction.
        source: Where it is read.
        target: Where it is written.
        receive, send: Their methods, which are called very often.
        is_toward_child: Which way it goes.
        observer: Sees it; None if nobody does.
        pending: What was read and is not written: bytes, and the descriptors that go with their last one.
        has_ended: Whether the source said that nothing follows.
    """

    __slots__ = (
        "back",
        "has_ended",
        "is_toward_child",
        "link",
        "observer",
        "pending",
        "receive",
        "send",
        "source",
        "target",
    )

    back: "Flow"

    def __init__(
        self, link: "Link", source: socket.socket, target: socket.socket, *, is_toward_child: bool
    ) -> None:
        self.link = link
        self.source = source
        self.target = target
        self.receive = source.recvmsg_into
        self.send = target.send
        self.is_toward_child = is_toward_child
        self.observer: Observer | None = None
        self.pending: deque[tuple[memoryview, list[int]]] = deque()
        self.has_ended = False

    def show(self, data: bytes, at: int) -> None:
        """Show what one read gave, to whom it concerns by then."""
        if self.observer is not None:
            self.observer.observe(data, (), at)

    def write(self) -> None:
        """Write what is pending, as far as the target takes it.

        Raises:
            OSError: The target takes nothing any more.
        """
        while self.pending:
            data, descriptors = self.pending[0]
            try:
                sent = self.target.sendmsg((data,), sockets.rights(descriptors), SEND_FLAGS)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno != errno.ETOOMANYREFS:
                    raise
                time.sleep(_IN_FLIGHT_PAUSE)  # too many descriptors are in flight: others must be received
                return
            if sent:
                _close_all(descriptors)
            if sent == len(data):
                self.pending.popleft()
            else:
                self.pending[0] = (data[sent:], [])

    def forget(self) -> None:
        """Drop what is pending."""
        while self.pending:
            _close_all(self.pending.popleft()[1])


class Link:
    """Two sockets, one of the host's side and one of the child's, between which both directions pass.

    Args:
        host: The socket to the host's side; owned from here on.
        child: The one to the child's.
        is_connection: Whether no other process has a copy of them, as it may have of the end of a channel. So
            they may be shut down where a side was only closed.
    """

    __slots__ = ("child", "flows", "host", "is_closed", "is_connection")

    def __init__(self, host: socket.socket, child: socket.socket, *, is_connection: bool = False) -> None:
        self.host = host
        self.child = child
        self.is_connection = is_connection
        self.is_closed = False
        forth = Flow(self, host, child, is_toward_child=True)
        back = Flow(self, child, host, is_toward_child=False)
        forth.back, back.back = back, forth
        self.flows = {True: forth, False: back}

    def close(self) -> None:
        """Close both sockets. Closing twice is harmless."""
        if self.is_closed:
            return
        self.is_closed = True
        self.host.close()
        self.child.close()
        for flow in self.flows.values():
            flow.forget()
            if flow.observer is not None:
                flow.observer.end()
                flow.observer = None


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
