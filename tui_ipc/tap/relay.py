"""Passes on what a host and its child send to each other, and shows a copy of it to observers.

Bytes and descriptors pass unchanged and in order, each direction for itself. Only two kinds of descriptors
are replaced by others, so that what follows passes here as well: the end of a channel by one end of a pair of
our own, and the stream of a large message by another one. What is held is bounded: a socket is read only
after all that was read before is written. Nothing that is observed, or goes wrong in it, changes what passes.
"""

import errno
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from tui_ipc.ipc import sockets
from tui_ipc.ipc.inbox import READ_SIZE
from tui_ipc.ipc.sockets import ANCILLARY_SIZE, NONBLOCKING, RECEIVE_FLAGS, SEND_FLAGS
from tui_ipc.ipc.wire import OFFERED, announce
from tui_ipc.osutil import one_way

_IN: Final = select.EPOLLIN
_OUT: Final = select.EPOLLOUT
_READ_FLAGS: Final = RECEIVE_FLAGS | NONBLOCKING
_BODY_READ: Final = 256 * 1024  # bytes of a large message in one read
_IN_FLIGHT_PAUSE: Final = 0.001  # seconds
_BODY_READS: Final = 16  # in a row; then others get their turn


class Observer(Protocol):
    """Sees a copy of what passes in one direction of one channel."""

    def observe(self, data: bytes, endpoints: "Sequence[Endpoint]") -> "Sequence[Body]":
        """See what one read gave.

        Args:
            data: The bytes.
            endpoints: The descriptors that came with them.

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
            OSError: There is no descriptor left for that; it stays as it is.
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
    """The end of a channel behind a descriptor, which it owns; None if there is something else."""
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
        keep: Called with all of it once it is whole, or with None if it was given up.
        limit: Bytes up to which a copy is kept.
        is_offered: Whether the sender offers to use the stream for further messages.
    """

    __slots__ = (
        "_copy",
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
        keep: Callable[[bytes | None], None],
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
        self._copy: bytearray | None = bytearray() if size <= limit else None
        self._got = 0
        self._pending = memoryview(b"")

    def open(self) -> None:
        """Let the reading end of a stream of ours take the place of the one that came.

        Raises:
            OSError: There is no descriptor left for that, or what came is not a stream; it stays as it is.
        """
        came = self.stream.descriptor
        os.set_blocking(came, False)
        self.stream.descriptor, self.target = one_way.open_stream(self.size)
        self.source = came
        os.set_blocking(self.target, False)

    def pump(self) -> bool:
        """Pass on what can be passed on now; False once there is no more to do."""
        for _ in range(_BODY_READS):
            try:
                if not self._pending:
                    data = os.read(self.source, min(_BODY_READ, self.size - self._got))
                    if not data:
                        return False
                    self._got += len(data)
                    if self._copy is not None:
                        self._copy += data
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
        """Close both streams, and show what came."""
        for descriptor in (self.source, self.target):
            if descriptor >= 0:
                os.close(descriptor)
        is_whole = self._got == self.size and not self._pending
        self._keep(bytes(self._copy) if is_whole and self._copy is not None else None)


class Flow:
    """One direction between two sockets.

    Attributes:
        source: Where it is read.
        target: Where it is written.
        is_toward_child: Which way it goes.
        observer: Sees it; None if nobody does.
        pending: What was read and is not written: bytes, and the descriptors that go with their last one.
        has_ended: Whether the source said that nothing follows.
    """

    __slots__ = ("has_ended", "is_toward_child", "observer", "pending", "source", "target")

    def __init__(self, source: socket.socket, target: socket.socket, is_toward_child: bool) -> None:
        self.source = source
        self.target = target
        self.is_toward_child = is_toward_child
        self.observer: Observer | None = None
        self.pending: deque[tuple[memoryview, list[int]]] = deque()
        self.has_ended = False

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
        is_connection: Whether they are connections, on which one direction may end before the other. An end
            of a channel may have copies elsewhere, which a shutdown would end as well.
    """

    __slots__ = ("child", "flows", "host", "is_closed", "is_connection")

    def __init__(self, host: socket.socket, child: socket.socket, *, is_connection: bool = False) -> None:
        self.host = host
        self.child = child
        self.is_connection = is_connection
        self.is_closed = False
        self.flows = {True: Flow(host, child, True), False: Flow(child, host, False)}

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


class Relay:
    """All links and bodies between one host and one child, and what else its loop waits for."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._interests: dict[int, int] = {}
        self._links: set[Link] = set()
        self._bodies: set[Body] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is relayed."""
        return not self._links and not self._bodies

    def turn(self, timeout: float | None = None) -> None:
        """Wait until something can be passed on, or the timeout is over, and pass it on."""
        for descriptor, events in self._epoll.poll(timeout):
            handler = self._handlers.get(descriptor)
            if handler is not None:  # else it was closed by one before it
                handler(events)

    def watch(self, descriptor: int, handler: Callable[[], None]) -> None:
        """Call a function whenever a descriptor is readable."""
        self._handlers[descriptor] = lambda _: handler()
        self._set_interest(descriptor, _IN)

    def unwatch(self, descriptor: int) -> None:
        """Do so no longer; to be called before the descriptor is closed."""
        self._set_interest(descriptor, 0)
        self._handlers.pop(descriptor, None)

    def add(self, link: Link) -> None:
        """Relay a link from now on."""
        self._links.add(link)
        self._handlers[link.host.fileno()] = lambda events: self._on_ready(link, link.flows[True], events)
        self._handlers[link.child.fileno()] = lambda events: self._on_ready(link, link.flows[False], events)
        self._update(link)

    def close(self) -> None:
        """Close everything that is relayed."""
        for body in tuple(self._bodies):
            self._end_body(body)
        for link in tuple(self._links):
            self._close_link(link)
        self._epoll.close()

    # ------------------------------------------------------------------------------------------------ links

    def _on_ready(self, link: Link, flow: Flow, events: int) -> None:
        """A socket is ready: the source of ``flow``, and the target of the other direction."""
        back = link.flows[not flow.is_toward_child]
        if back.pending:
            try:
                back.write()
            except OSError:
                self._break(link, back)
        if events & ~_OUT and not flow.pending and not flow.has_ended:
            try:
                has_ended = self._read(flow)
            except OSError:
                self._break(link, flow)
                has_ended = True
            if has_ended and events & select.EPOLLHUP:  # the peer has closed both directions
                self._break(link, back)
        if events == _IN and not (flow.pending or flow.has_ended or back.pending or back.has_ended):
            return  # the usual case: nothing has changed
        if link in self._links:
            self._update(link)

    def _read(self, flow: Flow) -> bool:
        """Pass on what one read gives; True if that is the end."""
        try:
            data, ancillary, _, _ = flow.source.recvmsg(READ_SIZE, ANCILLARY_SIZE, _READ_FLAGS)
        except (BlockingIOError, ConnectionResetError):  # a reset is told once, before what is there to read
            return False
        if not data:
            flow.has_ended = True
            return True
        if ancillary:
            self._pass_descriptors(flow, data, sockets.descriptors_in(ancillary))
            return False
        try:
            sent = flow.target.send(data, SEND_FLAGS)
        except BlockingIOError:
            sent = 0
        finally:  # what nobody takes was said all the same
            if flow.observer is not None:
                flow.observer.observe(data, ())
        if sent < len(data):
            flow.pending.append((memoryview(data)[sent:], []))
        return False

    def _pass_descriptors(self, flow: Flow, data: bytes, descriptors: list[int]) -> None:
        # Descriptors belong to the value that holds the last byte of the read that they come with
        # (PROTOCOL.md). So they go on with the last byte alone: however the rest is cut, they come with that
        # value.
        endpoints = [Endpoint(each, is_toward_child=flow.is_toward_child) for each in descriptors]
        bodies = () if flow.observer is None else flow.observer.observe(data, endpoints)
        rest = set(endpoints)
        for body in bodies:
            if body.is_offered:  # to be kept, which a relay does not: it would have to be asked for each
                data = data[: -len(announce(0, OFFERED))] + announce(body.size)
            rest -= {body.stream, *body.endpoints}
            try:
                body.open()
            except OSError:
                rest.update(body.endpoints)
                body.close()
            else:
                for endpoint in body.endpoints:
                    _replace(endpoint)  # whether it is a channel is known only when the body has come
                self._bodies.add(body)
                self._pump(body)  # what lies there already goes ahead of the announcement, as it came
        for endpoint in rest:
            if endpoint.is_channel:
                _replace(endpoint)
                if endpoint.link is not None:
                    self.add(endpoint.link)
        if len(data) > 1:
            flow.pending.append((memoryview(data)[:-1], []))
        flow.pending.append((memoryview(data)[-1:], [endpoint.descriptor for endpoint in endpoints]))
        flow.write()

    def _break(self, link: Link, flow: Flow) -> None:
        """The target of a direction takes nothing any more."""
        flow.forget()
        flow.has_ended = True
        if link.is_connection:
            _shut_down(flow.source, socket.SHUT_RD)  # so that whoever sends there learns of it
        else:
            self._close_link(link)

    def _update(self, link: Link) -> None:
        """Wait for what the link needs next, or close it if that is nothing."""
        ended = [flow for flow in link.flows.values() if flow.has_ended and not flow.pending]
        if len(ended) == 2 or (ended and not link.is_connection):
            self._close_link(link)
            return
        for flow in ended:
            if flow.observer is not None:
                flow.observer.end()
                flow.observer = None
            _shut_down(flow.target, socket.SHUT_WR)
        forth, back = link.flows.values()
        for flow, other in ((forth, back), (back, forth)):
            wanted = 0 if flow.pending or flow.has_ended else _IN
            self._set_interest(flow.source.fileno(), wanted | (_OUT if other.pending else 0))

    def _close_link(self, link: Link) -> None:
        for sock in (link.host, link.child):
            if sock.fileno() >= 0:
                self.unwatch(sock.fileno())
        self._links.discard(link)
        link.close()

    def _set_interest(self, descriptor: int, wanted: int) -> None:
        # A descriptor that is waited for in no way is taken out: a hang-up would be told again and again.
        known = self._interests.get(descriptor, 0)
        if wanted == known:
            return
        if not wanted:
            self._epoll.unregister(descriptor)
            del self._interests[descriptor]
            return
        if known:
            self._epoll.modify(descriptor, wanted)
        else:
            self._epoll.register(descriptor, wanted)
        self._interests[descriptor] = wanted

    # ----------------------------------------------------------------------------------------------- bodies

    def _pump(self, body: Body) -> None:
        if not body.pump():
            self._end_body(body)
            return
        source, target = (0, _OUT) if body.is_writing else (_IN, 0)
        for descriptor, wanted in ((body.source, source), (body.target, target)):
            self._handlers[descriptor] = lambda _: self._pump(body)
            self._set_interest(descriptor, wanted)

    def _end_body(self, body: Body) -> None:
        self.unwatch(body.source)
        self.unwatch(body.target)
        self._bodies.discard(body)
        body.close()
        for endpoint in body.endpoints:  # only now is known what they are
            if endpoint.link is not None and not endpoint.link.is_closed:
                self.add(endpoint.link)


def _replace(endpoint: Endpoint) -> None:
    try:
        endpoint.replace()
    except OSError:
        pass  # no descriptor is left to follow it: it passes as it is


def _shut_down(sock: socket.socket, how: int) -> None:
    try:
        sock.shutdown(how)
    except OSError:
        pass  # its peer is gone, which is the same


def _close_all(descriptors: list[int]) -> None:
    while descriptors:
        os.close(descriptors.pop())
