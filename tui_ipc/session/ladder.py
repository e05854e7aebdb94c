"""The rungs of the handshake: a child connects, says hello, and the channels are open.

The one rule: each rung is an event, and whatever a rung opened is owned here until the channels are.
"""

import asyncio
from typing import Any

from tui_ipc.ipc import aio
from tui_ipc.ipc.channel import Receiver, Sender
from tui_ipc.ipc.oneshot import OneShotServer
from tui_ipc.session.events import ChildConnected, HelloReceived, ServerListening, Step
from tui_ipc.session.hello import read_hello
from tui_ipc.session.timeline import Timeline

Channels = tuple[aio.Sender[Any], aio.Receiver[Any]]
"""The channel to the child, and the channel from it."""


class Ladder:
    """The handshake of one run, as far as it depends on the one-shot server.

    Attributes:
        step: The step to be reached next.
        connected_at: When the child connected, None before.
        name: The server name, empty before :meth:`listen`.
    """

    def __init__(self, run: int, timeline: Timeline) -> None:
        self.step: Step = "listening"
        self.connected_at: int | None = None
        self.name = ""
        self._reached: dict[Step, asyncio.Event] = {"connected": asyncio.Event(), "hello": asyncio.Event()}
        self._run = run
        self._timeline = timeline
        self._server: OneShotServer | None = None
        self._connection: aio.Receiver[Any] | None = None

    @property
    def begun(self) -> int:
        """Bytes of the child's first message that have come, while it is not whole."""
        return 0 if self._connection is None else self._connection.read_ahead()

    def listen(self) -> None:
        """Open the one-shot server.

        Raises:
            IpcError, OSError: There is no place for its socket.
        """
        self._server = OneShotServer()
        self.name = self._server.name
        self._timeline.add(ServerListening(at=self._timeline.stamp(), run=self._run, name=self.name))
        self.step = "spawned"

    async def climb(self, pid: int) -> Channels:
        """Wait for the child to connect and to say hello.

        Args:
            pid: The child's.

        Returns:
            The channel to the child and the channel from it; the caller owns them.

        Raises:
            NoHello: Its first message is something else.
            Disconnected: It ended, or closed the connection, before it came so far.
            IpcError: It broke the wire.
        """
        assert self._server is not None
        self._connection = await aio.connection(self._server, pid)
        self.connected_at = self._timeline.stamp()
        self._timeline.add(ChildConnected(at=self.connected_at, run=self._run))
        self._reach("connected", then="hello")
        message = await self._connection.recv_message()
        hello = read_hello(message)
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
        self._reach("hello", then="channels open")
        return self._endpoints(hello.channels)

    async def reached(self, step: Step) -> None:
        """Return once the child has connected, or once its hello has come."""
        await self._reached[step].wait()

    def close(self) -> None:
        """Give up what is still owned here. Nobody may wait in :meth:`climb`. Closing twice is harmless."""
        if self._server is not None:
            self._server.close()
        if self._connection is not None:
            self._connection.close()

    def _reach(self, step: Step, *, then: Step) -> None:
        self.step = then
        self._reached[step].set()

    def _endpoints(self, channels: tuple[Sender[Any], Receiver[Any]] | None) -> Channels:
        connection = self._connection
        assert connection is not None
        if channels is None:
            sender = aio.answering(connection)
            self._connection = None
            return sender, connection
        connection.close()
        return aio.Sender(channels[0]), aio.Receiver(channels[1])
