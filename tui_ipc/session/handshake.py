"""The handshake of one run: the one-shot server, the child's connection, and its hello."""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from tui_ipc.events import ChildConnected, HelloReceived, ServerListening, Step
from tui_ipc.events.message_values import close_handles
from tui_ipc.ipc import aio
from tui_ipc.ipc.channel import Receiver, Sender
from tui_ipc.ipc.oneshot import OneShotServer
from tui_ipc.ipc.wire import Message
from tui_ipc.session.timeline import Timeline
from tui_ipc.text.notation import render_value

PROTOCOL_VERSION: Final = 1
_MAX_SHOWN: Final = 60  # characters of a message that is no hello


class InvalidHello(Exception):
    """The child's first message is no hello; the text says what it is instead."""


@dataclass(frozen=True, slots=True)
class Hello:
    """A child's first message.

    Attributes:
        name: What the child calls itself.
        pid: The process id that it states.
        channels: The sender to the child and the receiver from it; None if the connection carries both
            directions.
    """

    name: str
    pid: int
    channels: tuple[Sender[Any], Receiver[Any]] | None


def parse_hello(message: Message) -> Hello:
    """Understand a child's first message. Its two channels are the caller's; every other handle is closed.

    Raises:
        NoHello: It is none. All its handles are closed.
    """
    value = message.value
    fields = dict(value) if isinstance(value, dict) else {}
    to_child, from_child = fields.pop("to_child", None), fields.pop("from_child", None)
    problem = _find_problem(value, to_child, from_child)
    if problem is None and isinstance(to_child, Sender) and isinstance(from_child, Receiver):
        close_handles(fields)
        return Hello(value["name"], value["pid"], (to_child, from_child))
    value = close_handles(value)
    if problem is None:
        return Hello(value["name"], value["pid"], None)
    size = len(message.raw)
    unit = "byte" if size == 1 else "bytes"
    raise InvalidHello(f"its first message, of {size} {unit}, {problem}: {render_value(value, _MAX_SHOWN)}")


def _find_problem(value: Any, to_child: Any, from_child: Any) -> str | None:
    """Why a value is no hello."""
    if not isinstance(value, dict):
        return "is not a map"
    if "tui-ipc" not in value:
        return "has no key 'tui-ipc'"
    version = value["tui-ipc"]
    if type(version) is not int or version != PROTOCOL_VERSION:
        shown = render_value(close_handles(version), _MAX_SHOWN)
        return f"is a hello of version {shown}, and this session speaks version {PROTOCOL_VERSION}"
    if type(value.get("pid")) is not int or value["pid"] <= 0:
        return "has no process id under 'pid'"
    if not isinstance(value.get("name"), str):
        return "has no string under 'name'"
    if to_child is None and from_child is None:
        return None
    if not isinstance(to_child, Sender):
        return "has no sender under 'to_child'" + _mention_other_key(from_child, "from_child")
    if not isinstance(from_child, Receiver):
        return "has no receiver under 'from_child'" + _mention_other_key(to_child, "to_child")
    return None


def _mention_other_key(other: Any, key: str) -> str:
    return "" if other is None else f", although it has {key!r}; a hello has both or neither"


Channels = tuple[aio.Sender[Any], aio.Receiver[Any]]
"""The channel to the child, and the channel from it."""


class Handshake:
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
        hello = parse_hello(message)
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
