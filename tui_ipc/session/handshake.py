"""The handshake of one run: its steps, the one-shot server, the child's connection and its hello."""

import asyncio
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from tui_ipc.events import ChildConnected, HelloReceived, ServerListening, Step
from tui_ipc.events.message_values import close_handles
from tui_ipc.ipc import aio
from tui_ipc.ipc.errors import ProtocolError
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.hello import Hello, InvalidHello, parse_hello
from tui_ipc.ipc.oneshot import OneShotServer
from tui_ipc.ipc.wire import Message
from tui_ipc.osutil.procfs import ProcessName, read_lineage
from tui_ipc.session.timeline import Timeline
from tui_ipc.session.unfinished import MAX_EXAMINED
from tui_ipc.text.notation import render_value

_MAX_SHOWN: Final = 60  # characters of a message that is not a hello


class RunPhase(Enum):
    """How far the run of a child has come."""

    NOT_BEGUN = auto()
    """No run has begun."""

    HANDSHAKE = auto()
    """The handshake goes on; see :data:`HANDSHAKE_STEPS` for its parts."""

    FAILED = auto()
    """The handshake failed, whether or not the child still lives."""

    OPEN = auto()
    """The channels are open and the child lives."""

    ENDED = auto()
    """The child has ended."""

    REPLAY = auto()
    """There is only the recording of a run."""


@dataclass(frozen=True, slots=True)
class HandshakeStep:
    """A step of the handshake.

    Attributes:
        needs_child: Whether the child must do something for it.
        missing: What to say while it has not been reached.
    """

    needs_child: bool
    missing: str


HANDSHAKE_STEPS: Final[dict[Step, HandshakeStep]] = {
    "listening": HandshakeStep(False, "The child has not been started yet"),
    "spawned": HandshakeStep(False, "The child has not been started yet"),
    "connected": HandshakeStep(True, "The child has not connected"),
    "hello": HandshakeStep(True, "The child connected and has not sent its hello"),
    "channels open": HandshakeStep(False, "The child sent its hello and the channels have not opened"),
}
"""The steps in their order."""


class HandshakeError(Exception):
    """The child did not complete the handshake; the text says at which step, why, and what would help.

    Attributes:
        timed_out: True if the deadline passed, False if the handshake failed at once.
    """

    def __init__(self, message: str, *, timed_out: bool) -> None:
        super().__init__(message)
        self.timed_out = timed_out


def receive_hello(message: Message) -> Hello:
    """Read a child's first message. Its two channels are the caller's; every other handle in it is closed.

    Raises:
        InvalidHello: It is not a hello; the text shows it. All its handles are closed.
    """
    value = message.value
    try:
        hello = parse_hello(value)
    except InvalidHello as error:
        size = len(message.raw)
        shown = render_value(close_handles(value), _MAX_SHOWN)
        unit = "byte" if size == 1 else "bytes"
        raise InvalidHello(f"its first message, of {size} {unit}, {error}: {shown}") from None
    channels = hello.channels or ()
    close_handles({key: item for key, item in value.items() if all(item is not end for end in channels)})
    return hello


@dataclass(frozen=True, slots=True)
class Channels:
    """What a handshake leads to.

    Attributes:
        sender: The channel to the child.
        receiver: The channel from it.
        is_inline: Whether both are the connection itself.
    """

    sender: aio.Sender[Any]
    receiver: aio.Receiver[Any]
    is_inline: bool


class Handshake:
    """The handshake of one run, as far as it depends on the one-shot server.

    Args:
        run: The run's number, for events.
        timeline: Where its events go.
        max_message_size: In bytes, of a message either way.

    Attributes:
        step: The step to be reached next.
        connected_at: When the child connected, None before.
        talker: Where another process than the child connected: those from the child to it, as of then.
        server_name: Empty before :meth:`listen`.
    """

    def __init__(self, run: int, timeline: Timeline, max_message_size: int) -> None:
        self.step: Step = "listening"
        self.connected_at: int | None = None
        self.talker: tuple[ProcessName, ...] = ()
        self.server_name = ""
        self._reached = {step: asyncio.Event() for step in HANDSHAKE_STEPS}
        self._max_message_size = max_message_size
        self._run = run
        self._timeline = timeline
        self._server: OneShotServer | None = None
        self._connection: aio.Receiver[Any] | None = None
        self._refused = b""  # a first message that is not a hello

    @property
    def partial_hello_size(self) -> int:
        """How many bytes of the child's first message have come, while it is not complete."""
        return 0 if self._connection is None else self._connection.read_ahead()

    @property
    def first_bytes(self) -> bytes:
        """What the child has sent, the first :data:`MAX_EXAMINED` bytes of it, while it was no hello."""
        ahead = b"" if self._connection is None else self._connection.peek(MAX_EXAMINED)
        return (self._refused + ahead)[:MAX_EXAMINED]

    @property
    def rejected(self) -> str:
        """Who was turned away last for being another user, in words; empty if nobody was."""
        return "" if self._server is None or self._server.rejected is None else str(self._server.rejected)

    def listen(self) -> None:
        """Open the one-shot server.

        Raises:
            IpcError, OSError: Its socket could not be made.
        """
        self._server = OneShotServer(max_message_size=self._max_message_size)
        self.server_name = self._server.name
        self._timeline.add(ServerListening(at=self._timeline.stamp(), run=self._run, name=self.server_name))
        self.mark_reached("listening")

    async def run(self, pid: int) -> Channels:
        """Wait for the child to connect and to send its hello.

        Args:
            pid: The child's.

        Returns:
            The channels; the caller owns them.

        Raises:
            InvalidHello: Its first message is something else.
            Disconnected: It ended, or closed the connection, before its hello was complete.
            IpcError: What it sent is not a message.
        """
        assert self._server is not None
        self._connection = await aio.connection(self._server, pid)
        if self._server.client_pid not in (pid, 0):
            self.talker = read_lineage(self._server.client_pid, pid)
        self.connected_at = self._timeline.stamp()
        lineage = tuple(map(str, self.talker))
        self._timeline.add(ChildConnected(at=self.connected_at, run=self._run, lineage=lineage))
        self.mark_reached("connected")
        try:
            message = await self._connection.recv_message()
            self._refused = message.raw
        except ProtocolError as error:
            self._refused = error.received
            raise
        hello = receive_hello(message)
        self._timeline.add(
            HelloReceived(
                at=self._timeline.stamp(),
                run=self._run,
                name=hello.name,
                pid=hello.pid,
                inline=hello.channels is None,
                raw=message.raw,
            )
        )
        self.mark_reached("hello")
        return self._make_endpoints(hello.channels)

    def mark_reached(self, step: Step) -> None:
        """Go on to the step after this one, and wake who waits for it."""
        steps = list(HANDSHAKE_STEPS)
        self.step = steps[min(steps.index(step) + 1, len(steps) - 1)]
        self._reached[step].set()

    async def wait_until_reached(self, step: Step) -> None:
        """Return once a step has been reached."""
        await self._reached[step].wait()

    def close(self) -> None:
        """Close what is still owned here. No task may be in :meth:`run`. Closing twice is harmless."""
        if self._server is not None:
            self._server.close()
        if self._connection is not None:
            self._connection.close()

    def _make_endpoints(self, channels: tuple[Handle, Handle] | None) -> Channels:
        connection = self._connection
        assert connection is not None
        if channels is None:  # inline: the connection carries both directions
            sender = aio.answering(connection)
            self._connection = None
            return Channels(sender, connection, is_inline=True)
        connection.close()
        to_child, from_child = channels
        assert isinstance(to_child, aio.Sender)  # what arrives in asyncio is asyncio's
        assert isinstance(from_child, aio.Receiver)
        return Channels(to_child, from_child, is_inline=False)
