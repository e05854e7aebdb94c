"""What can go wrong on a channel, and who caused it.

One base, :class:`IpcError`, so that a caller who only wants to know *whether* a channel still works needs
one ``except``. Below it one class for each different remedy: try again later, stop talking, correct
your own code, or blame the peer. What a peer does never surfaces as an ``OSError`` or as an exception of
msgpack's.

Some are errors of the standard library as well, so that code written for a pipe or a queue works here:
``Empty`` is a ``queue.Empty``, ``Disconnected`` an ``EOFError`` and a ``ConnectionError``, ``TimedOut`` a
``TimeoutError``.
"""

try:
    from _queue import Empty as _QueueEmpty  # what queue.Empty is, without the rest of that module
except ImportError:  # another Python than CPython
    from queue import Empty as _QueueEmpty


class IpcError(Exception):
    """Something went wrong on a channel, a one-shot server or a handle."""

    def __init__(self, sentence: str = "") -> None:
        super().__init__(sentence)


class Disconnected(IpcError, ConnectionError, EOFError):
    """The peer is gone: every endpoint on its side is closed, or its process ended.

    The same error from ``send`` and from ``recv``, whatever ``errno`` the kernel gave.

    Attributes:
        unfinished: Bytes of a last message that the peer began and did not finish; 0 if it ended in good
        order.
        received: Those bytes, as far as they were kept.
    """

    def __init__(self, sentence: str, unfinished: int = 0, received: bytes = b"") -> None:
        super().__init__(sentence)
        self.unfinished = unfinished
        self.received = received


class Closed(IpcError):
    """You used an endpoint that you had closed, or that had left in a message."""


class Busy(IpcError):
    """Another thread or task of yours is using this endpoint, which serves one at a time."""


class Empty(IpcError, _QueueEmpty):
    """``try_recv`` found no whole message; the channel is still open."""


class TimedOut(IpcError, TimeoutError):
    """A deadline passed first. Nothing was received or sent, not even in part."""


class ProtocolError(IpcError):
    """The peer broke the protocol. The channel is of no further use: each later receive raises this again.

    Attributes:
        offset: The byte, counted from 0 in the stream, at which the peer broke it; None
            where no byte can be named.
        received: What had come of the message, from its first byte on, as far as it was kept.
        received_offset: Where that begins in the stream.
    """

    def __init__(self, sentence: str, offset: int | None = None) -> None:
        super().__init__(sentence if offset is None else f"{sentence} (at byte {offset})")
        self.offset = offset
        self.received = b""
        self.received_offset = 0


class MessageTooLarge(IpcError):
    """A message exceeds the size limit of the endpoint that raised this."""


class TooManyHandles(IpcError):
    """A message holds more handles than can travel with it, or the kernel takes no more of them in flight."""


class PeerRejected(IpcError):
    """A process of another user connected where only your own may."""
