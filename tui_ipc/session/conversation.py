"""The messages of a run, in both directions, once the channels are open.

Every message becomes an event, in order. ``"quit"`` waits for no answer.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any, Final

from tui_ipc.events import ChannelClosed, MessageReceived, MessageSent, Origin, StepLate
from tui_ipc.events.message_values import close_handles, may_hold_handles
from tui_ipc.ipc import aio
from tui_ipc.ipc.errors import Closed, Disconnected, IpcError, MessageTooLarge, TooManyHandles
from tui_ipc.ipc.hello import QUIT
from tui_ipc.ipc.wire import SHORT_LIMIT, Message
from tui_ipc.osutil.async_waits import finish_within
from tui_ipc.osutil.descriptors import UnreadBytes, count_unread
from tui_ipc.session.correlation import Correlator
from tui_ipc.session.mistakes import describe_limit, make_fault
from tui_ipc.session.timeline import Timeline
from tui_ipc.session.unfinished import (
    MAX_EXAMINED,
    SendMonitor,
    SendProgress,
    UnfinishedMessage,
    find_unfinished,
)

CHILD_ENDED: Final = "child not running: it has ended"
RUN_OVER: Final = "child not running: its run is over"
CONNECTION_CLOSED: Final = "the child closed its connection"
"""Why nothing can be sent any more."""


_LOOK_SECONDS: Final = 0.5
"""Seconds between two looks at what has only begun to pass."""

_UNFINISHED_NANOSECONDS: Final = 1_000_000_000
"""After so long without another byte, a message that has only begun is reported."""


class NotConnected(Exception):
    """No child can be sent to, or signalled; the text says why."""


class Conversation:
    """The open channels of one run. Owns both endpoints.

    Args:
        run: The run's number, for events.
        timeline: Where its events go.
        sender: The channel to the child.
        receiver: The channel from it.
        is_inline: Whether both are one connection.
        emit_output: Called with the time of a message, before the message becomes an event: emits what the
            child printed before it sent the message.
        correlator: Decides which message answers which.

    Attributes:
        correlator: As given.
        closed_at: When the channel from the child ended, None while it is open.
        quit_at: When ``"quit"`` was sent, None before.
        unread_bytes: Bytes that the child sent and that will not be read; final once the channel from it has
            ended.
        unfinished_bytes: Those of them that are of messages that had only begun.
        sent_count: How many messages were sent.
        sent_at: When the last message was sent, None before the first.
        latest_size: How many bytes of the channel it takes, None if it went on a stream of its own.
        received_at: When the last message came, None before the first.
        fault: What was wrong with what the child sent, None if nothing was.
    """

    def __init__(
        self,
        run: int,
        timeline: Timeline,
        sender: aio.Sender[Any],
        receiver: aio.Receiver[Any],
        *,
        is_inline: bool,
        emit_output: Callable[[int], None],
        correlator: Correlator,
        origin: Origin = "user",
    ) -> None:
        self.correlator = correlator
        self.closed_at: int | None = None
        self.quit_at: int | None = None
        self.unread_bytes = 0
        self.unfinished_bytes = 0
        self.sent_count = 0
        self.sent_at: int | None = None
        self.latest_size: int | None = None
        self.received_at: int | None = None
        self.fault: str | None = None
        self._run = run
        self._origin = origin
        self._timeline = timeline
        self._sender = sender
        self._receiver = receiver
        self._is_inline = is_inline
        self._emit_output = emit_output
        self._send_lock = asyncio.Lock()
        self._closed_reason: str | None = None
        self._received_count = 0
        self._is_awaiting = False  # whatever was read and not received yet is a part of a message
        self._arrived_at = now = timeline.now()  # the last bytes
        self._reported_count: int | None = (
            None  # the messages before the unfinished one that was reported last
        )
        self._send_monitor = SendMonitor(sender, now)
        loop = asyncio.get_running_loop()
        self._next_look: asyncio.TimerHandle = loop.call_later(_LOOK_SECONDS, self._look, loop)
        receiver.resume_within(self._resume)

    @property
    def is_sending(self) -> bool:
        """Whether a message is being sent."""
        return self._send_lock.locked()

    @property
    def descriptors(self) -> tuple[int, int] | None:
        """Those of the channel to the child and of the one from it, to look at; None once they are closed."""
        if self._closed_reason is not None:
            return None
        return self._sender.fileno(), self._receiver.socket_fileno()

    def find_unfinished(self) -> tuple[UnfinishedMessage, ...]:
        """Find the messages from the child that have only begun: large ones, and one in the channel."""
        if not self._is_awaiting:
            return ()
        waited = self._timeline.now() - self._arrived_at
        found = [
            UnfinishedMessage(received=received, size=size, waited=waited)
            for received, size in self._receiver.large_messages()
        ]
        if received := self._receiver.read_ahead():
            begun = find_unfinished(self._receiver.peek(MAX_EXAMINED), received, waited)
            found += [] if begun is None else [begun]
        return tuple(found)

    def measure_sent(self) -> tuple[UnreadBytes, SendProgress]:
        """Measure what the child has not read, and how it gets on with that."""
        if self._closed_reason is not None:
            return UnreadBytes(), SendProgress()
        return self._send_monitor.look(self._timeline.now())

    async def send(self, value: object, raw: bytes) -> MessageSent:
        """Send a message, waiting while the child does not read.

        Args:
            value: What the event shows.
            raw: What is sent.

        Raises:
            NotConnected: The child reads no more messages.
            ValueError: The child refuses a message of this size.
        """
        async with self._send_lock:
            # The event is dated from before the call: an answer can come before the call returns.
            at = self._timeline.now()
            self._send_monitor.begin(at)
            try:
                await self._sender.send_raw(raw)
            except (Disconnected, Closed):
                raise NotConnected(self._closed_reason or "the child closed its channel") from None
            except MessageTooLarge as error:
                raise ValueError(str(error)) from None
            self._send_monitor.end(len(raw))
            self.sent_count += 1
            self.latest_size = len(raw) if self._is_inline or len(raw) <= SHORT_LIMIT else None
            sent = MessageSent(
                at=self._timeline.stamp(at),
                run=self._run,
                number=self.sent_count,
                value=value,
                raw=raw,
                origin=self._origin,
            )
            self._timeline.add(sent)
        self.sent_at = sent.at
        if isinstance(value, str) and value == QUIT:
            self.quit_at = sent.at
        else:
            self.correlator.sent(sent.number, sent.at, value)
        return sent

    async def receive_all(self) -> None:
        """Turn messages into events until the channel ends, no faster than the consumer takes them."""
        while await self._receive():
            if self._timeline.is_full:
                await self._timeline.wait_for_space()

    async def receive_remaining(self, timeout: float, max_bytes: int) -> None:
        """Turn what a child that ended had still sent into events.

        Args:
            timeout: Seconds to wait for the end of the channel, which another process may hold open.
            max_bytes: Where to stop even if more comes.
        """
        await finish_within(
            self._receive_up_to(max_bytes),
            timeout,
            lambda: (self._received_count, self._receiver.read_ahead()),
        )

    async def _receive_up_to(self, max_bytes: int) -> None:
        while max_bytes > 0 and (size := await self._receive()):
            max_bytes -= size

    def mark_ended(self, broken: str | None = None) -> None:
        """Emit that the channel from the child has ended; the one to it may still work, unless it is inline.

        A child that ends its side of a connection may wait for the other side to end, as Node does after
        ``socket.end()``: it is closed here.

        Args:
            broken: Why nothing can be sent any more either, None if something can.
        """
        if self.closed_at is None:
            self._emit_output(self._timeline.now())
            self.unread_bytes += count_unread(self._receiver.socket_fileno()) or 0
            for message in self.find_unfinished():
                self.unfinished_bytes += message.received
                self._emit_fault(f"the channel was closed in the middle of a message: {message}")
            self.unread_bytes += self.unfinished_bytes
            self.closed_at = self._timeline.stamp()
            self._timeline.add(ChannelClosed(at=self.closed_at, run=self._run))
            if broken is not None or self._is_inline:
                self.close(broken or CONNECTION_CLOSED)

    def close(self, reason: str) -> None:
        """Close both endpoints; a send or a receive that waits ends. Closing twice is harmless.

        Args:
            reason: The text of the error for every send from now on.
        """
        self._closed_reason = self._closed_reason or reason
        self._next_look.cancel()
        self._sender.close()
        self._receiver.close()

    def dup_receiver(self) -> int | None:
        """Duplicate the descriptor of the channel from the child; None if that channel has ended.

        After :meth:`close` it tells whether a process still holds the other end. The caller closes it.
        """
        return None if self.closed_at is not None else os.dup(self._receiver.socket_fileno())

    async def _receive(self) -> int:
        """Turn one message into its event; return its size, at least 1, or 0 if the channel has ended."""
        if self.closed_at is not None:
            return 0
        self._arrived_at = self._timeline.now()  # what is there now is read at once
        self._is_awaiting = True
        try:
            message = await self._receiver.recv_message()
            self._is_awaiting = False
        except Disconnected as error:
            self._is_awaiting = False
            if error.unfinished:
                self.unfinished_bytes = error.unfinished
                begun = find_unfinished(error.received[:MAX_EXAMINED], error.unfinished)
                self.fault = f"{error}{'' if begun is None else begun.describe_whole()}"
                # No byte is wrong, so there is no offset: the next byte is missing.
                self._emit_fault(self.fault, received=error.received)
            self.mark_ended()
            return 0
        except (IpcError, OSError) as error:  # OSError: this machine has no memory left, and the like
            self._is_awaiting = False
            text = describe_limit(error)
            if isinstance(error, MessageTooLarge | TooManyHandles) and self._receiver.is_usable():
                self._emit_fault(text, ends_channel=False)
                return 1
            self.fault = text
            self._emit_fault(text, error)
            self.mark_ended(f"the child broke the protocol, and its channel was closed: {text}")
            return 0
        self._emit_received(message, self._timeline.now())
        return len(message.raw)

    def _resume(self, resume: Callable[[], None]) -> None:
        """Resume the task that receives, since something has come."""
        self._arrived_at = self._timeline.now()
        # From message to event to consumer in one turn of the loop; see Timeline.deliver.
        self._timeline.deliver(resume)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look, now and then, at what has only begun to pass; tell of a message that does not go on."""
        self._next_look = loop.call_later(_LOOK_SECONDS, self._look, loop)
        if self.is_sending or self.correlator.count():
            self.measure_sent()
        if self._reported_count == self._received_count:
            return
        unfinished = self.find_unfinished()
        if not unfinished or (unfinished[-1].waited or 0) < _UNFINISHED_NANOSECONDS:
            return
        self._reported_count = self._received_count
        self._timeline.add(
            StepLate(
                at=self._timeline.stamp(),
                run=self._run,
                step="message",
                waited=unfinished[-1].waited or 0,
                sentence=str(unfinished[-1]),
            )
        )

    def _emit_received(self, message: Message, at: int) -> None:
        self._emit_output(at)
        self.received_at = at = self._timeline.stamp(at)
        self._received_count += 1
        value = close_handles(message.value) if may_hold_handles(message.raw) else message.value
        number, sent_at = self.correlator.answered(value)
        self._timeline.add(
            MessageReceived(
                at=at,
                run=self._run,
                number=self._received_count,
                value=value,
                raw=message.raw,
                answers=number,
                elapsed=None if sent_at is None else at - sent_at,
            )
        )

    def _emit_fault(
        self,
        text: str,
        error: BaseException | None = None,
        received: bytes = b"",
        *,
        ends_channel: bool = True,
    ) -> None:
        self._emit_output(self._timeline.now())
        self._timeline.add(
            make_fault(self._timeline.stamp(), self._run, text, error, received, ends_channel=ends_channel)
        )
