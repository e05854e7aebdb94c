"""Channels between processes: one-shot server, senders, receivers and shared memory, over msgpack.

What ipc-channel is for Rust. The names here are the public ones; ``tui_ipc.aio`` has the same
endpoints for asyncio, ``tui_ipc.child`` makes a child process in three lines.
"""

from tui_ipc.ipc.channel import Receiver, Sender, channel
from tui_ipc.ipc.errors import (
    Busy,
    Closed,
    Disconnected,
    Empty,
    IpcError,
    MessageTooLarge,
    PeerRejected,
    ProtocolError,
    TimedOut,
    TooManyHandles,
)
from tui_ipc.ipc.file_descriptor import FileDescriptor
from tui_ipc.ipc.oneshot import OneShotServer, connect
from tui_ipc.ipc.shared_memory import SharedMemory
from tui_ipc.ipc.wire import Message

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tui_ipc.ipc.parent import spawn
    from tui_ipc.ipc.receiver_set import Arrived, Ended, ReceiverSet
    from tui_ipc.ipc.router import Router
else:

    def __getattr__(name: str) -> object:
        """Load what parents need when it is first asked for: a child starts without it."""
        if name in __all__:
            from tui_ipc.ipc import parent, receiver_set, router

            for module in (parent, receiver_set, router):
                if hasattr(module, name):
                    return getattr(module, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "Arrived",
    "Busy",
    "Closed",
    "Disconnected",
    "Empty",
    "Ended",
    "FileDescriptor",
    "IpcError",
    "Message",
    "MessageTooLarge",
    "OneShotServer",
    "PeerRejected",
    "ProtocolError",
    "Receiver",
    "ReceiverSet",
    "Router",
    "Sender",
    "SharedMemory",
    "TimedOut",
    "TooManyHandles",
    "channel",
    "connect",
    "spawn",
]

__version__ = "0.1.0"
