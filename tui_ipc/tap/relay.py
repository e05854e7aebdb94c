"""Passes on what a host and its child send to each other, and shows a copy of it to observers.

Bytes and descriptors pass unchanged and in order, each direction for itself. Only two kinds of descriptors
are replaced by others, so that what follows passes here as well: the end of a channel by one end of a pair of
our own, and the stream of a large message by another one. What is held is bounded: a socket is read only
after all that was read before is written. Nothing that is observed, or goes wrong in it, changes what passes.
"""

import select
import socket
from collections.abc import Callable
from functools import partial
from time import monotonic_ns
from typing import Final

from tui_ipc.ipc import sockets
from tui_ipc.ipc.sockets import ANCILLARY_SIZE, NONBLOCKING, RECEIVE_FLAGS, SEND_FLAGS
from tui_ipc.ipc.wire import OFFERED, announce
from tui_ipc.tap.links import Body, Endpoint, Flow, Link

_IN: Final = select.EPOLLIN
_OUT: Final = select.EPOLLOUT
_READ_FLAGS: Final = RECEIVE_FLAGS | NONBLOCKING
# Bytes in one read: more than lies in a socket, where nobody raised what the kernel gives it (208 KiB). For
# a read that ends within a message with descriptors is passed on before it is known what they are.
_READ_SIZE: Final = 256 * 1024
_MAX_EVENTS: Final = 32  # of one wait; for as many as there may be, Python allocates 12 KiB each time

# Seconds without traffic, after which what passed is shown. More than the kernel's tick: a timer that expires
# before it takes 15 us to set on a virtual machine.
_PAUSE: Final = 0.01
_MAX_UNSEEN: Final = 32  # reads that are not shown yet
_MAX_UNSEEN_SIZE: Final = 256 * 1024  # bytes of them


class Relay:
    """All links and bodies between one host and one child, and what else its loop waits for.

    To decode and to record takes longer than to pass on, and both sides would wait for it. So it is done in
    pauses, or after some reads, in the order in which they came, and before anything else is done.

    Args:
        on_shown: Called whenever something was shown.
    """

    def __init__(self, on_shown: Callable[[], None] = lambda: None) -> None:
        self._on_shown = on_shown
        self._unseen: list[tuple[Flow | Body, bytes, int]] = []
        self._unseen_size = 0
        self._buffer = memoryview(bytearray(_READ_SIZE))
        self._epoll = select.epoll()
        self._flows: dict[int, Flow] = {}  # by the descriptor of the source
        self._handlers: dict[int, Callable[[], None]] = {}  # by other descriptors
        self._interests: dict[int, int] = {}
        self._links: set[Link] = set()
        self._bodies: set[Body] = set()

    @property
    def is_idle(self) -> bool:
        """Whether nothing is relayed."""
        return not self._links and not self._bodies

    def run_once(self, timeout: float | None = None) -> None:
        """Wait until something can be passed on, or the timeout is over, and pass it on.

        Without a timeout, until something was done besides.
        """
        poll, flows, has_passed = self._epoll.poll, self._flows, True
        while has_passed:
            has_passed = timeout is None
            ready = poll(_PAUSE, _MAX_EVENTS) if self._unseen and has_passed else ()
            if not ready:
                self._show()
                ready = poll(timeout, _MAX_EVENTS)
            for descriptor, events in ready:
                flow = flows.get(descriptor)
                if flow is None:
                    has_passed = False
                    handler = self._handlers.get(descriptor)
                    if handler is not None:  # else it was closed by one before it
                        handler()
                elif events != _IN or not self._pass_on(flow):
                    has_passed = False
                    self._pass_on_carefully(flow, events)

    def watch(self, descriptor: int, handler: Callable[[], None]) -> None:
        """Call a function whenever a descriptor is readable."""

        def handle() -> None:
            self._show()
            handler()

        self._handlers[descriptor] = handle
        self._set_interest(descriptor, _IN)

    def unwatch(self, descriptor: int) -> None:
        """Do so no longer; to be called before the descriptor is closed."""
        self._set_interest(descriptor, 0)
        self._handlers.pop(descriptor, None)

    def add(self, link: Link) -> None:
        """Relay a link from now on."""
        self._links.add(link)
        for flow in link.flows.values():
            self._flows[flow.source.fileno()] = flow
        self._update(link)

    def close(self) -> None:
        """Close everything that is relayed."""
        self._show()
        for body in tuple(self._bodies):
            self._end_body(body)
        for link in tuple(self._links):
            self._close_link(link)
        self._epoll.close()

    def _show(self) -> None:
        """Let the observers see what passed."""
        if self._unseen:
            unseen, self._unseen, self._unseen_size = self._unseen, [], 0
            for each, data, at in unseen:
                each.show(data, at)
            self._on_shown()

    # ------------------------------------------------------------------------------------------------ links

    def _pass_on(self, flow: Flow) -> bool:
        """Pass on what one read gives, as long as all is as usual; False if it is not."""
        if flow.pending or flow.back.pending:
            return False
        try:
            return not self._read(flow) and not flow.pending
        except OSError:
            self._break(flow)
            return False

    def _pass_on_carefully(self, flow: Flow, events: int) -> None:
        """A socket is ready in any way: the source of ``flow``, and the target of the other direction."""
        back = flow.back
        if back.pending:
            try:
                back.write()
            except OSError:
                self._break(back)
        if events & ~_OUT and not flow.pending and not flow.has_ended:
            try:
                self._read(flow)
            except OSError:
                self._break(flow)
        if flow.has_ended and events & select.EPOLLHUP:  # the peer has closed both directions
            self._break(back)
        if flow.link in self._links:
            self._update(flow.link)

    def _read(self, flow: Flow) -> bool:
        """Pass on what one read gives; True if that is the end."""
        try:
            size, ancillary, _, _ = flow.receive((self._buffer,), ANCILLARY_SIZE, _READ_FLAGS)
        except (BlockingIOError, ConnectionResetError):  # a reset is told once, before what is there to read
            return False
        if not size:
            flow.has_ended = True
            return True
        data = self._buffer[:size]
        if ancillary:
            self._pass_descriptors(flow, bytes(data), sockets.descriptors_in(ancillary))
            return False
        unseen = self._unseen
        try:
            sent = flow.send(data, SEND_FLAGS)
        except BlockingIOError:
            sent = 0
        finally:  # what nobody takes was said all the same
            unseen.append((flow, bytes(data), monotonic_ns()))
            self._unseen_size += size
        if sent < size:
            flow.pending.append((memoryview(bytes(data[sent:])), []))
        if len(unseen) >= _MAX_UNSEEN or self._unseen_size >= _MAX_UNSEEN_SIZE:
            self._show()
        return False

    def _pass_descriptors(self, flow: Flow, data: bytes, descriptors: list[int]) -> None:
        # Descriptors belong to the value that holds the last byte of the read that they come with
        # (PROTOCOL.md). So they go on with the last byte alone: however the rest is cut, they come with that
        # value.
        endpoints = [Endpoint(each, is_toward_child=flow.is_toward_child) for each in descriptors]
        self._show()
        at = monotonic_ns()
        bodies = () if flow.observer is None else flow.observer.observe(data, endpoints, at)
        rest = set(endpoints)
        for body in bodies:
            if body.is_offered:  # to be kept, which a relay does not: it would have to be asked for each
                data = data[: -len(announce(0, OFFERED))] + announce(body.size)
            rest -= {body.stream, *body.endpoints}
            try:
                body.open()
            except OSError:
                rest.update(body.endpoints)
            else:
                for endpoint in body.endpoints:
                    _replace(endpoint)  # whether it is a channel is known only when the body has come
                self._begin_body(body)
        for endpoint in rest:
            if endpoint.is_channel:
                _replace(endpoint)
                if endpoint.link is not None:
                    self.add(endpoint.link)
        if len(data) > 1:
            flow.pending.append((memoryview(data)[:-1], []))
        flow.pending.append((memoryview(data)[-1:], [endpoint.descriptor for endpoint in endpoints]))
        flow.write()

    def _break(self, flow: Flow) -> None:
        """The target of a direction takes nothing any more."""
        link = flow.link
        flow.forget()
        flow.has_ended = True
        if link.is_connection:
            _shut_down(flow.source, socket.SHUT_RD)  # so that whoever sends there learns of it
        else:
            self._close_link(link)

    def _update(self, link: Link) -> None:
        """Wait for what the link needs next, or close it if that is nothing."""
        ended = [flow for flow in link.flows.values() if flow.has_ended and not flow.pending]
        if len(ended) == 2:
            self._close_link(link)
            return
        for flow in ended:  # by a shutdown, which is for every copy of the socket
            if flow.observer is not None:
                self._show()
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
                self._set_interest(sock.fileno(), 0)
                self._flows.pop(sock.fileno(), None)
        self._links.discard(link)
        self._show()
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

    def _begin_body(self, body: Body) -> None:
        self._bodies.add(body)
        for descriptor in (body.source, body.target):
            self._handlers[descriptor] = partial(self._pump, body)
        self._pump(body)  # what lies there already goes ahead of the announcement, as it came

    def _pump(self, body: Body) -> None:
        if not body.pump():
            self._end_body(body)
            return
        source, target = (0, _OUT) if body.is_writing else (_IN, 0)
        self._set_interest(body.source, source)
        self._set_interest(body.target, target)

    def _end_body(self, body: Body) -> None:
        self.unwatch(body.source)
        self.unwatch(body.target)
        self._bodies.discard(body)
        body.close()
        self._unseen.append((body, b"", monotonic_ns()))
        self._unseen_size += body.size
        if body.endpoints:
            self._show()
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
