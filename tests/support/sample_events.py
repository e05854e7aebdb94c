"""One event of each step in a child's life, for tests to which their fields do not matter."""

from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelsOpen,
    ChildConnected,
    ChildExited,
    ChildOutput,
    ChildSpawned,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
)
from tui_ipc.ipc.wire import encode

LISTENING = ServerListening(at=0, run=1, name="/run/s")
SPAWNED = ChildSpawned(at=1, run=1, pid=7, command=("/usr/bin/calculator", "channel_name:/run/s"))
CONNECTED = ChildConnected(at=2, run=1)
HELLO = HelloReceived(at=3, run=1, name="calc", pid=7, inline=False, raw=b"")
OPEN = ChannelsOpen(at=4, run=1)


def exited(code: int | None = 0, signal: int | None = None, run: int = 1) -> ChildExited:
    """The child's end."""
    return ChildExited(
        at=9, run=run, code=code, signal=signal, user_seconds=0.0, system_seconds=0.0, max_rss=0
    )


HOUR = 3_600_000_000_000
"""In nanoseconds."""

TALK: tuple[AnyEvent, ...] = (
    LISTENING,
    SPAWNED,
    CONNECTED,
    HELLO,
    OPEN,
    MessageSent(at=HOUR, run=1, number=1, value="Hello", raw=encode("Hello")),
    MessageReceived(at=HOUR, run=1, number=1, value="Hi", raw=encode("Hi"), answers=1, elapsed=61_000),
    ChildOutput(at=HOUR, run=1, stream="stdout", data=b"it said Hi\n"),
    exited(),
    Audit(at=2 * HOUR, run=1, processes=(), files=(), unread=0, quit_elapsed=1_000_000),
)
"""A talk in which an hour passes after the handshake, and another before the end."""
