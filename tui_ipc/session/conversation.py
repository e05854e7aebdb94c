"""The messages of a run, in both directions, once the channels are open.

The one rule: whatever passes is told, in order, and what waits for an answer is known at every moment.
``"quit"`` waits for none.
"""

import asyncio
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tui_ipc.events import ChannelClosed, Fault, MessageReceived, MessageSent
from tui_ipc.events.message_values import close_handles
from tui_ipc.ipc import aio
from tui_ipc.ipc.errors import Closed, Disconnected, IpcError, MessageTooLarge, ProtocolError
from tui_ipc.ipc.wire import Message
from tui_ipc.osutil.descriptors import count_unread
from tui_ipc.session.correlation import Correlator, InOrderCorrelator
from tui_ipc.session.timeline import Timeline

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import ChannelState

QUIT: Final = "quit"
"""The message that asks a child to end."""


class NotConnected(Exception):
    """There is nobody to send to; the text says why."""


class Conversation:
    """The open channels of one run. Owns both endpoints.

    Args:
        run: The run's number, for events.
        timeline: Where its events go.
        sender: The channel to the child.
        receiver: The channel from it.
        catch_up: Called when a message has come, with the moment, before it becomes an event: emits what
            the child printed before it sent the message.
        matching: Says which message answers which; None for first in, first out.

    Attributes:
        closed_at: When the channel from the child ended, None while it is open.
        quit_at: When ``"quit"`` was sent, None before.
        unread: Bytes that the child sent and nobody will receive; final once the channel from it has ended.
        sent_at: When the last message was sent, None before the first.
        received_at: When the last message came, None before the first.
    """

    def __init__(
        self,
        run: int,
        timeline: Timeline,
        sender: aio.Sender[Any],
        receiver: aio.Receiver[Any],
        catch_up: Callable[[int], None],
        matching: Correlator | None = None,
    ) -> None:
        self.closed_at: int | None = None
        self.quit_at: int | None = None
        self.unread = 0
        self.sent_at: int | None = None
        self.received_at: int | None = None
        self._run = run
        self._timeline = timeline
        self._sender = sender
        self._receiver = receiver
        receiver.resume_within(timeline.gather)
        self._catch_up = catch_up
        self._turn = asyncio.Lock()
        self._over: str | None = None  # why nobody listens any more
        self._sent = 0
        self._received = 0
        self._matching = InOrderCorrelator() if matching is None else matching
        self._broken: str | None = None  # how the child broke the wire

    async def send(self, value: object, raw: bytes) -> MessageSent:
        """Send a message, waiting while the child does not read.

        Args:
            value: What the event shows.
            raw: What goes out.

        Raises:
            NotConnected: The child does not listen any more.
            ValueError: The child refuses a message of this size.
        """
        async with self._turn:
            begun = self._timeline.now()
            try:
                await self._sender.send_raw(raw)
            except (Disconnected, Closed):
                raise NotConnected(self._over or "the child closed its channel: nobody listens") from None
            except MessageTooLarge as error:
                raise ValueError(str(error)) from None
            self._sent += 1
            sent = MessageSent(
                at=self._timeline.stamp(begun), run=self._run, number=self._sent, value=value, raw=raw
            )
            self._timeline.add(sent)
        self.sent_at = sent.at
        if isinstance(value, str) and value == QUIT:
            self.quit_at = sent.at
        else:
            self._matching.sent(sent.number, sent.at, value)
        return sent

    async def pump(self) -> None:
        """Turn messages into events until the channel ends, no faster than the consumer takes them."""
        while await self._receive():
            if self._timeline.full:
                await self._timeline.room()

    async def drain(self, within: float, max_bytes: int) -> None:
        """Take what a child that ended had still sent.

        Args:
            within: Seconds to wait for the end of the channel, which another process may hold open.
            max_bytes: Where to stop even if more comes.
        """
        try:
            async with asyncio.timeout(within):
                while max_bytes > 0 and (size := await self._receive()):
                    max_bytes -= size
        except TimeoutError:
            pass

    def end(self) -> None:
        """The channel from the child has ended, if only for us; the one to it may still be heard."""
        if self.closed_at is None:
            self._catch_up(self._timeline.now())
            self.unread += count_unread(self._receiver.socket_fileno()) or 0
            self.closed_at = self._timeline.stamp()
            self._timeline.add(ChannelClosed(at=self.closed_at, run=self._run))

    def close(self, reason: str) -> None:
        """Close both endpoints; a send or a receive that waits ends. Closing twice is harmless.

        Args:
            reason: The text of the error for every send from now on.
        """
        self._over = self._over or reason
        self._sender.close()
        self._receiver.close()

    def traffic(self) -> "ChannelState":
        """What waits for an answer at this moment, and what lies unread in either direction."""
        from tui_ipc.osutil import procfs  # most runs are never asked
        from tui_ipc.session.diagnosis import MAX_PENDING_SHOWN, ChannelState, PendingMessage

        now = self._timeline.now()
        to_child, full, to_us, writer = procfs.UnreadBytes(), None, None, None
        if self._over is None:
            to_child = procfs.measure_unread_by_peer(self._sender.fileno())
            full = procfs.measure_send_buffer_usage(self._sender.fileno())
            to_us = count_unread(self._receiver.socket_fileno())
            writer = procfs.measure_unread_by_peer(self._receiver.socket_fileno()).reader
        return ChannelState(
            sent=self._sent,
            waiting=tuple(
                PendingMessage(number=each, waited=now - at)
                for each, at in self._matching.oldest(MAX_PENDING_SHOWN)
            ),
            count=self._matching.count(),
            sending=self._turn.locked() and to_child.some is not False,  # else it only lets others go first
            to_child=to_child,
            full=full,
            to_us=to_us,
            writer=writer,
            closed=None if self.closed_at is None else now - self.closed_at,
            quit=None if self.quit_at is None else now - self.quit_at,
            fault=self._broken,
        )

    def hold(self) -> int | None:
        """A descriptor more for the channel from the child, the caller's to close; None if its end has come.

        By it can be seen after :meth:`close` whether a process still holds the other end.
        """
        return None if self.closed_at is not None else os.dup(self._receiver.socket_fileno())

    async def _receive(self) -> int:
        """Turn one message into its event; says its size, 0 if the channel has ended."""
        if self.closed_at is not None:
            return 0
        try:
            message = await self._receiver.recv_message()
        except Disconnected as end:
            if end.unfinished:
                self.unread += end.unfinished
                self._fault(str(end))  # no byte of it is wrong: the next one is missing
            self.end()
            return 0
        except (IpcError, OSError) as error:  # OSError: this machine has no memory left, and the like
            self._fault(str(error), error.offset if isinstance(error, ProtocolError) else None)
            self.end()
            self.close(f"the child broke the wire, and its channel was closed: {error}")
            return 0
        self._deliver(message, self._timeline.now())
        return len(message.raw)

    def _deliver(self, message: Message, moment: int) -> None:
        self._catch_up(moment)
        self.received_at = at = self._timeline.stamp(moment)
        self._received += 1
        value = close_handles(message.value)
        number, asked = self._matching.answered(value)
        self._timeline.add(
            MessageReceived(
                at=at,
                run=self._run,
                number=self._received,
                value=value,
                raw=message.raw,
                answers=number,
                elapsed=None if asked is None else at - asked,
            )
        )

    def _fault(self, sentence: str, byte: int | None = None) -> None:
        self._broken = sentence
        self._catch_up(self._timeline.now())
        self._timeline.add(Fault(at=self._timeline.stamp(), run=self._run, sentence=sentence, byte=byte))
