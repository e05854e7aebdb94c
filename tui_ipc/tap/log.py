"""The events of what a relay shows: messages, faults, and how the child began and ended.

A channel that travels inside a message gets a number of its own, counted from 1 in the order in which they
come; those of the hello, or the connection in inline mode, are the main one, 0.
"""

import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, Final

from tui_ipc import events as ev
from tui_ipc.events.message_values import RecordedHandle, close_handles, ignore_descriptor
from tui_ipc.ipc.builder import NOTHING, Builder
from tui_ipc.ipc.decoder import BROKEN, StreamDecoder
from tui_ipc.ipc.errors import IpcError, MessageTooLarge, ProtocolError
from tui_ipc.ipc.hello import QUIT, InvalidHello
from tui_ipc.ipc.wire import OFFERED, RECEIVER, SENDER, Large, Message, announce
from tui_ipc.session.correlation import Correlator
from tui_ipc.session.handshake import receive_hello
from tui_ipc.session.mistakes import describe_limit, make_fault
from tui_ipc.tap.links import Body, Endpoint, Link

MAIN: Final = 0
"""The channel on which parent and child talk after the handshake."""

_RUN: Final = 1  # a tap sees one life of a child


class TapLog:
    """Makes events of one tapped child.

    Args:
        record: Called with each event.
        correlator: Decides which message answers which on the main channel.
        limit: Bytes of a message at most; of a longer one it is only said that it passed.

    Attributes:
        moment: When what is shown now was read, in nanoseconds, monotonic; None for this very moment.
    """

    def __init__(self, record: Callable[[ev.AnyEvent], None], correlator: Correlator, limit: int) -> None:
        self.limit = limit
        self.moment: int | None = None
        self._record = record
        self._correlator = correlator
        self._begin = time.monotonic_ns()
        self._latest = 0
        self._sent = count(1)
        self._received = count(1)
        self._channels = count(1)
        self._asked: dict[int, tuple[int, int]] = {}  # by channel: the message that brought its sender
        self._step: ev.Step | None = (
            "listening"  # the one to be reached next; None once the handshake is over
        )

    # -------------------------------------------------------------------------------------------- the child

    def add_server(self, name: str) -> None:
        """Record that the tap listens for the child."""
        self._record(ev.ServerListening(at=self._read_clock(), run=_RUN, name=name))

    def add_spawn(self, pid: int, command: tuple[str, ...]) -> None:
        """Record that the child is about to run."""
        self._step = "connected"
        self._record(ev.ChildSpawned(at=self._read_clock(), run=_RUN, pid=pid, command=command))

    def add_note(self, text: str) -> None:
        """Record what no other event says."""
        self._record(ev.Note(at=self._read_clock(), run=_RUN, text=text))

    def add_connection(self, link: Link) -> None:
        """Record that the child is connected to the host through this link, and show what passes."""
        self._step = "hello"
        self._record(ev.ChildConnected(at=self._read_clock(), run=_RUN))
        observer = FlowObserver(self, MAIN, is_toward_child=False)
        observer.emit = partial(self._receive_hello, link, observer)
        link.flows[False].observer = observer

    def add_exit(self, code: int | None, signal: int | None) -> None:
        """Record that the child ended; both are None if the system did not say how."""
        if self._step is not None:
            self.add_handshake_failure("the child ended before the handshake was complete")
        self._record(
            ev.ChildExited(
                at=self._read_clock(),
                run=_RUN,
                code=code,
                signal=signal,
                user_seconds=0.0,
                system_seconds=0.0,
                max_rss=0,
            )
        )

    def add_handshake_failure(self, sentence: str) -> None:
        """Record that the handshake failed, unless it was over already."""
        if self._step is not None:
            self._record(
                ev.HandshakeFailed(
                    at=self._read_clock(), run=_RUN, step=self._step, sentence=sentence, timed_out=False
                )
            )
            self._step = None

    # --------------------------------------------------------------------------------------------- messages

    def add_sent(self, message: Message, channel: int, endpoints: "Sequence[tuple[int, Endpoint]]") -> None:
        """Record a message to the child."""
        at, number = self._read_clock(), next(self._sent)
        self._show_channels(endpoints, (number, at), is_toward_child=True)
        value = close_handles(message.value) if endpoints else message.value
        self._record(
            ev.MessageSent(
                at=at, run=_RUN, number=number, value=value, raw=message.raw, origin="parent", channel=channel
            )
        )
        # What brings the sender of a channel is answered there.
        has_own_answer = any(kind == SENDER for kind, _ in endpoints)
        if channel == MAIN and not has_own_answer and not (isinstance(value, str) and value == QUIT):
            self._correlator.sent(number, at, value)

    def add_received(
        self, message: Message, channel: int, endpoints: "Sequence[tuple[int, Endpoint]]"
    ) -> None:
        """Record a message from the child."""
        at = self._read_clock()
        self._show_channels(endpoints, None, is_toward_child=False)
        value = close_handles(message.value) if endpoints else message.value
        answers, asked_at = self._asked.pop(channel, (None, None))
        if channel == MAIN:
            answers, asked_at = self._correlator.answered(value)
        self._record(
            ev.MessageReceived(
                at=at,
                run=_RUN,
                number=next(self._received),
                value=value,
                raw=message.raw,
                answers=answers,
                elapsed=None if asked_at is None else at - asked_at,
                channel=channel,
            )
        )

    def add_fault(self, error: IpcError, channel: int, *, is_toward_child: bool, ends_channel: bool) -> None:
        """Record what a channel may not carry; it passes all the same."""
        text = describe_limit(error)
        if is_toward_child:  # a fault is the child's, unless it says otherwise
            text = f"the parent sent it: {text}"
        self._record(
            make_fault(self._read_clock(), _RUN, text, error, ends_channel=ends_channel, channel=channel)
        )

    def add_channel_end(self, channel: int, *, is_main: bool) -> None:
        """Record that a channel from the child ended."""
        self._asked.pop(channel, None)
        if is_main and self._step is None:
            self._record(ev.ChannelClosed(at=self._read_clock(), run=_RUN))

    def _receive_hello(
        self,
        link: Link,
        observer: "FlowObserver",
        message: Message,
        _channel: int,
        endpoints: "Sequence[tuple[int, Endpoint]]",
    ) -> None:
        observer.emit = self.add_received
        try:
            hello = receive_hello(message)
        except InvalidHello as error:
            self.add_handshake_failure(str(error))
            return
        at = self._read_clock()
        self._record(
            ev.HelloReceived(
                at=at,
                run=_RUN,
                name=hello.name,
                pid=hello.pid,
                inline=hello.channels is None,
                raw=message.raw,
            )
        )
        self._step = None
        self._record(ev.ChannelsOpen(at=at, run=_RUN))
        if hello.channels is None:
            link.flows[True].observer = FlowObserver(self, MAIN, is_toward_child=True)
            return
        observer.is_main = False
        for kind, endpoint in endpoints[:2]:
            self._show_channel(kind, endpoint, MAIN, is_toward_child=False)

    def _show_channels(
        self,
        endpoints: "Sequence[tuple[int, Endpoint]]",
        asked: tuple[int, int] | None,
        *,
        is_toward_child: bool,
    ) -> None:
        for kind, endpoint in endpoints:
            if kind in (SENDER, RECEIVER):
                channel = next(self._channels)
                self._show_channel(kind, endpoint, channel, is_toward_child=is_toward_child)
                if asked is not None and kind == SENDER:
                    self._asked[channel] = asked

    def _show_channel(self, kind: int, endpoint: Endpoint, channel: int, *, is_toward_child: bool) -> None:
        """Whoever gets a sender sends there, and whoever gets a receiver receives."""
        forth = is_toward_child == (kind == RECEIVER)
        endpoint.show(FlowObserver(self, channel, is_toward_child=forth), is_toward_child=forth)

    def _read_clock(self) -> int:
        self._latest = max(self._latest, (self.moment or time.monotonic_ns()) - self._begin)
        return self._latest


Emit = Callable[[Message, int, "Sequence[tuple[int, Endpoint]]"], None]
"""Takes a message, its channel, and the kinds and endpoints of its handles."""


class FlowObserver:
    """Decodes what passes in one direction of one channel.

    Args:
        log: Where its events go.
        channel: The channel's number.
        is_toward_child: The direction.

    Attributes:
        emit: Takes each message; may be changed for the next one.
        is_main: Whether its end is that of the main channel.
    """

    def __init__(self, log: TapLog, channel: int, *, is_toward_child: bool) -> None:
        self.emit: Emit = log.add_sent if is_toward_child else log.add_received
        self.is_main = channel == MAIN
        self._log = log
        self._channel = channel
        self._is_toward_child = is_toward_child
        self._decoder = StreamDecoder(self._adopt, ignore_descriptor, log.limit)
        self._endpoints: dict[int, Endpoint] = {}
        self._keys = count()
        self._claimed: list[tuple[int, Endpoint]] = []  # by the message that is being decoded

    def observe(self, data: bytes, endpoints: Sequence[Endpoint], at: int) -> Sequence[Body]:
        """See :class:`~tui_ipc.tap.links.Observer`."""
        self._log.moment = at
        try:
            return self._decode(data, endpoints)
        finally:
            self._log.moment = None

    def _decode(self, data: bytes, endpoints: Sequence[Endpoint]) -> Sequence[Body]:
        decoder = self._decoder
        if decoder.state == BROKEN:
            return ()
        keys = []
        for endpoint in endpoints:
            keys.append(next(self._keys))
            self._endpoints[keys[-1]] = endpoint
        bodies: list[Body] = []
        take: Callable[[], Any] = partial(decoder.decode, data, keys)
        while True:
            try:
                value = take()
                if value is NOTHING:
                    break
                if value.__class__ is Large:
                    bodies.append(self._announce(value))
                else:
                    claimed, self._claimed = self._claimed, []
                    self.emit(Message(value, decoder.raw()), self._channel, claimed)
            except IpcError as error:
                self._claimed.clear()
                self._fault(error, ends_channel=decoder.state == BROKEN)
                if keys and isinstance(error, MessageTooLarge) and data.endswith(offer := decoder.raw()):
                    # It is not shown. Its stream is relayed nevertheless if it may be kept, since it is not.
                    size = int.from_bytes(offer[3:11], "big")
                    if offer == announce(size, OFFERED):
                        bodies.append(self._announce(Large(size, keys, OFFERED)))
            if not decoder.pending:
                break
            take = decoder.next
        if not decoder.read_ahead():
            self._endpoints.clear()
        return bodies

    def end(self) -> None:
        """See :class:`~tui_ipc.tap.links.Observer`."""
        if self._decoder.state != BROKEN:
            self._decoder.close()
        if not self._is_toward_child:
            self._log.add_channel_end(self._channel, is_main=self.is_main)

    def _fault(self, error: IpcError, *, ends_channel: bool) -> None:
        self._log.add_fault(
            error, self._channel, is_toward_child=self._is_toward_child, ends_channel=ends_channel
        )

    def _adopt(self, kind: int, key: int, _payload: bytes) -> RecordedHandle:
        self._claimed.append((kind, self._endpoints[key]))
        return RecordedHandle(kind)

    def _announce(self, announced: Large) -> Body:
        if announced.number not in (None, OFFERED):
            raise ProtocolError(
                f"a large message is announced on the kept stream {announced.number}, and none is kept"
            )
        stream, *endpoints = (self._endpoints[key] for key in announced.descriptors)
        return Body(
            announced.size,
            stream,
            endpoints,
            partial(self._end_body, endpoints),
            self._log.limit,
            is_offered=announced.number == OFFERED,
        )

    def _end_body(self, endpoints: Sequence[Endpoint], raw: bytes | None, at: int) -> None:
        """A large message has passed; raw is None if it was given up."""
        if raw is not None:
            self._log.moment = at
            try:
                self._decode_body(endpoints, raw)
            finally:
                self._log.moment = None

    def _decode_body(self, endpoints: Sequence[Endpoint], raw: bytes) -> None:
        claimed: list[tuple[int, Endpoint]] = []

        def adopt(kind: int, index: int, _payload: bytes) -> RecordedHandle:
            claimed.append((kind, endpoints[index]))
            return RecordedHandle(kind)

        builder = Builder(adopt, ignore_descriptor, self._log.limit)
        try:
            value = builder.build(raw, range(len(endpoints)))
            if value.__class__ is Large:
                raise ProtocolError("the body of a large message announces another one")
        except IpcError as error:
            self._fault(error, ends_channel=False)
        else:
            self.emit(Message(value, raw), self._channel, claimed)
