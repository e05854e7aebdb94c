"""The messages of a run, in both directions, once the channels are open.

The one rule: an answer is matched to the oldest message that waits for one. ``"quit"`` waits for none.
"""

import asyncio
import fcntl
import sys
import termios
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from tui_ipc.ipc import aio
from tui_ipc.ipc.errors import Closed, Disconnected, IpcError, MessageTooLarge
from tui_ipc.ipc.wire import Message
from tui_ipc.session.events import ChannelClosed, Fault, MessageReceived, MessageSent
from tui_ipc.session.hello import settled
from tui_ipc.session.timeline import Timeline

QUIT: Final = "quit"
"""The message that asks a child to end."""

MAX_WAITING: Final = 65_536
"""Messages that may wait for an answer. A child that owes more does not answer at all: from then on nothing
in its run is matched."""


class NotListening(Exception):
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

    Attributes:
        closed_at: When the channel from the child ended, None while it is open.
        quit_at: When ``"quit"`` was sent, None before.
        unread: Bytes that the child sent and nobody will receive; final once the channel from it has ended.
    """

    def __init__(
        self,
        run: int,
        timeline: Timeline,
        sender: aio.Sender[Any],
        receiver: aio.Receiver[Any],
        catch_up: Callable[[int], None],
    ) -> None:
        self.closed_at: int | None = None
        self.quit_at: int | None = None
        self.unread = 0
        self._run = run
        self._timeline = timeline
        self._sender = sender
        self._receiver = receiver
        self._catch_up = catch_up
        self._turn = asyncio.Lock()
        self._over: str | None = None  # why nobody listens any more
        self._sent = 0
        self._received = 0
        self._waiting: deque[tuple[int, int]] | None = deque()  # number and moment of what awaits its answer

    async def send(self, value: object, raw: bytes) -> MessageSent:
        """Send a message, waiting while the child does not read.

        Args:
            value: What the event shows.
            raw: What goes out.

        Raises:
            NotListening: The child does not listen any more.
            ValueError: The child refuses a message of this size.
        """
        async with self._turn:
            begun = self._timeline.now()
            await self._give(raw)
            self._sent += 1
            sent = MessageSent(
                at=self._timeline.stamp(begun), run=self._run, number=self._sent, value=value, raw=raw
            )
            self._timeline.add(sent)
        if isinstance(value, str) and value == QUIT:
            self.quit_at = sent.at
        elif self._waiting is not None:
            self._waiting.append((sent.number, sent.at))
            if len(self._waiting) > MAX_WAITING:
                self._waiting = None
        return sent

    async def pump(self) -> None:
        """Turn messages into events until the channel ends, no faster than the consumer takes them."""
        while await self._receive():
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
            self.unread += _queued(self._receiver.fileno())
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

    async def _give(self, raw: bytes) -> None:
        try:
            await self._sender.send_raw(raw)
        except (Disconnected, Closed):
            raise NotListening(self._over or "the child closed its channel: nobody listens") from None
        except MessageTooLarge as error:
            raise ValueError(str(error)) from None

    async def _receive(self) -> int:
        """Turn one message into its event; says its size, 0 if the channel has ended."""
        if self.closed_at is not None:
            return 0
        try:
            message = await self._receiver.recv_message()
        except Disconnected as end:
            if end.unfinished:
                self.unread += end.unfinished
                self._fault(str(end))
            self.end()
            return 0
        except (IpcError, OSError) as error:  # OSError: this machine has no memory left, and the like
            self._fault(str(error))
            self.end()
            self.close(f"the child broke the wire, and its channel was closed: {error}")
            return 0
        self._deliver(message, self._timeline.now())
        return len(message.raw)

    def _deliver(self, message: Message, moment: int) -> None:
        self._catch_up(moment)
        at = self._timeline.stamp(moment)
        self._received += 1
        number, asked = self._waiting.popleft() if self._waiting else (None, None)
        self._timeline.add(
            MessageReceived(
                at=at,
                run=self._run,
                number=self._received,
                value=settled(message.value),
                raw=message.raw,
                answers=number,
                elapsed=None if asked is None else at - asked,
            )
        )

    def _fault(self, sentence: str) -> None:
        self._catch_up(self._timeline.now())
        self._timeline.add(Fault(at=self._timeline.stamp(), run=self._run, sentence=sentence))


def _queued(descriptor: int) -> int:
    """Bytes that lie unread in a socket, see FIONREAD in ioctl_tty(2)."""
    return int.from_bytes(fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)), sys.byteorder)
