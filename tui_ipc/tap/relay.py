"""Passes on what a host and its child send to each other, and shows a copy of it to observers.

Bytes and descriptors pass unchanged and in order, each direction for itself. Only two kinds of descriptors
are replaced by others, so that what follows passes here as well: the end of a channel by one end of a pair of
our own, and the stream of a large message by another one. What is held is bounded: a socket is read only
after all that was read before is written. Nothing that is observed, or goes wrong in it, changes what passes.
"""

import select
import socket
from collections.abc import Callable
from typing import Final

from tui_ipc.ipc import sockets
from tui_ipc.ipc.inbox import READ_SIZE
from tui_ipc.ipc.sockets import ANCILLARY_SIZE, NONBLOCKING, RECEIVE_FLAGS, SEND_FLAGS
from tui_ipc.ipc.wire import OFFERED, announce
from tui_ipc.tap.links import Body, Endpoint, Flow, Link

_IN: Final = select.EPOLLIN
_OUT: Final = select.EPOLLOUT
_READ_FLAGS: Final = RECEIVE_FLAGS | NONBLOCKING


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
