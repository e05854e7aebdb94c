"""Channels: a sender at one end, a receiver at the other, values in between.

An endpoint owns one socket, and exactly one party closes it. Whoever holds a Sender or a Receiver closes it,
by ``close()`` or by leaving its ``with`` block; one that is dropped is closed with a ResourceWarning. Sending
a sender duplicates it and leaves yours with you; sending a receiver moves it, so that yours is closed once
the message has left, and only then.
"""

from collections.abc import Callable

from tui_ipc.ipc import sockets
from tui_ipc.ipc.log import log_debug
from tui_ipc.ipc.receiver import Receiver
from tui_ipc.ipc.sender import Sender
from tui_ipc.ipc.wire import DEFAULT_MAX_MESSAGE_SIZE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar, overload

    S = TypeVar("S")
    R = TypeVar("R")
else:
    Any = object

__all__ = ["Receiver", "Sender", "answering", "channel"]

if TYPE_CHECKING:

    @overload
    def channel(max_message_size: int = ...) -> tuple[Sender[Any], Receiver[Any]]: ...
    @overload
    def channel(
        max_message_size: int = ..., *, encode: Callable[[S], object], decode: Callable[[Any], R]
    ) -> tuple[Sender[S], Receiver[R]]: ...
    @overload
    def channel(
        max_message_size: int = ..., *, encode: Callable[[S], object]
    ) -> tuple[Sender[S], Receiver[Any]]: ...
    @overload
    def channel(
        max_message_size: int = ..., *, decode: Callable[[Any], R]
    ) -> tuple[Sender[Any], Receiver[R]]: ...


def channel(
    max_message_size: int = DEFAULT_MAX_MESSAGE_SIZE,
    *,
    encode: "Callable[[Any], object] | None" = None,
    decode: "Callable[[Any], Any] | None" = None,
) -> "tuple[Sender[Any], Receiver[Any]]":
    """Make a channel: what goes into the first comes out of the second.

    Args:
        max_message_size: In bytes, at both ends.
        encode: The sender's: what it sends for a message; None sends the message itself.
        decode: The receiver's: what it gives for what came. Neither travels with its end.

    Returns:
        The sender and the receiver, both yours to close or to send away.

    Raises:
        OSError: No descriptor is left.

    Example:
        >>> sender, receiver = channel()
        >>> sender.send({"hello": [1, 2.5, b"bytes"]})
        >>> receiver.recv()
        {'hello': [1, 2.5, b'bytes']}
        >>> sender.close()
        >>> list(receiver)
        []
        >>> receiver.close()
    """
    left, right = sockets.pair()
    sender = Sender(left, max_message_size, encode=encode)
    receiver = Receiver(right, max_message_size, decode=decode)
    log_debug("made a channel: %s, %s", sender, receiver)
    return sender, receiver


def answering(receiver: "Receiver[Any]") -> "Sender[Any]":
    """A sender for the other direction of a connection that carries both (PROTOCOL.md, inline mode).

    It has a descriptor of its own, to be closed on its own. Threads may share it; there should be no other
    for this connection, as long messages of two would mix.
    """
    copy = sockets.duplicate(receiver.socket_fileno())
    return Sender(copy, receiver.max_message_size, inline=True)
