"""The wire: what a message may hold, how it is packed, and the limits that PROTOCOL.md states.

The one rule: nothing here opens, reads, waits or closes. Descriptors are plain integers, and a handle is
whatever owns one.
"""

from collections import namedtuple
from types import GenericAlias

import msgpack

from tui_ipc.ipc.errors import MessageTooLarge, TooManyHandles

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Generic, NamedTuple, TypeVar

    T = TypeVar("T")

PACKET_LIMIT = 124 * 1024
"""Bytes of one packet at most. Measured: up to here a packet is faster than a side stream; the kernel's
default send buffer (208 KiB) holds one with room to spare. Each receive asks for a buffer of this size: at
128 KiB, malloc's threshold for mapping fresh pages (M_MMAP_THRESHOLD, mallopt(3)), a message takes 17 µs
instead of 4."""

STREAM_PACKET_LIMIT = 32 * 1024
"""The same where a channel is a byte stream: what Linux writes in one piece, so that senders do not
interleave."""

DESCRIPTOR_LIMIT = 253
"""Descriptors of one packet at most: the kernel's SCM_MAX_FD, see unix(7)."""

LARGE_DESCRIPTOR_LIMIT = DESCRIPTOR_LIMIT - 1
"""Handles of a large message at most: its stream takes a descriptor of its own."""

DEFAULT_MAX_MESSAGE_SIZE = 64 * 1024 * 1024

SENDER, RECEIVER, SHARED_MEMORY, LARGE = 1, 2, 3, 4
"""Ext types. The payload of a handle begins with the index of its descriptor, one unsigned byte."""

NESTING_LIMIT = 1024
"""Containers inside each other at most: what msgpack packs and unpacks. (It packs one more if that is empty,
which the receiver refuses.)"""

KEY_NESTING_LIMIT = 64
"""Lists inside each other at most where they are the key of a map: hashing and comparing them recurses."""

if TYPE_CHECKING:

    class Message(NamedTuple):
        """A received message.

        Attributes:
            value: The message.
            raw: Its bytes on the wire, msgpack.
        """

        value: Any
        raw: bytes

    class Large(NamedTuple):
        """The announcement of a message whose body comes on a stream of its own.

        Attributes:
            size: Bytes of the body.
            descriptors: The stream's, then those of the message's handles.
        """

        size: int
        descriptors: list[int]
else:
    Message = namedtuple("Message", ("value", "raw"))
    Large = namedtuple("Large", ("size", "descriptors"))


class Handle:
    """What travels inside a message by its descriptor: a sender, a receiver or a shared memory."""

    __slots__ = ()

    def fileno(self) -> int:
        """The descriptor; raises :class:`~tui_ipc.ipc.errors.Closed` if there is none any more."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the descriptor. Closing twice is harmless."""
        raise NotImplementedError

    def _describe(self) -> "tuple[int, bytes]":
        """The ext type, and what its payload says after the index; raises if the handle may not travel
        now.
        """
        raise NotImplementedError

    def _left(self) -> None:
        """Called once the message that holds this handle is on its way."""


if TYPE_CHECKING:

    class TypedHandle(Handle, Generic[T]):
        """A handle that is typed by the messages it carries."""
else:

    class TypedHandle(Handle):
        """Makes ``Sender[int]`` an expression without importing ``typing``, 3 ms of every child's start."""

        __slots__ = ()
        __class_getitem__ = classmethod(GenericAlias)


class Encoder:
    """Packs values one after the other and collects the handles that they hold.

    Attributes:
        pack: ``pack(value) -> bytes``; raises TypeError or ValueError for what no message can hold.
        handles: The handles of the values packed since this list was last cleared, each once.
    """

    __slots__ = ("handles", "pack")

    def __init__(self) -> None:
        self.handles: list[Handle] = []
        self.pack: Callable[[object], bytes] = msgpack.Packer(default=self._replace, datetime=True).pack

    def _replace(self, value: object) -> object:
        """Called by msgpack for what it does not know."""
        if isinstance(value, Handle):
            return msgpack.ExtType(*self._attach(value))
        if isinstance(value, int):
            bits = value.bit_length()
            raise ValueError(f"an integer of {bits} bits does not fit into 64; send it as a str or as bytes")
        if hasattr(value, "utcoffset"):
            raise ValueError(f"{value!r} has no time zone; a time stamp on the wire is UTC, so give it one")
        raise TypeError(
            f"a message cannot hold a {type(value).__name__}; it holds None, bool, int, float, str, bytes, "
            "list, tuple, dict, datetime, Sender, Receiver and SharedMemory"
        )

    def _attach(self, handle: Handle) -> tuple[int, bytes]:
        kind, rest = handle._describe()
        index = next((i for i, other in enumerate(self.handles) if other is handle), len(self.handles))
        if index == DESCRIPTOR_LIMIT:
            raise too_many_handles(DESCRIPTOR_LIMIT)
        if index == len(self.handles):
            self.handles.append(handle)
        return kind, bytes((index,)) + rest


IDLE: "list[Encoder]" = []
"""Encoders not in use. Taking one out makes packing safe in any thread and inside any finalizer, and costs
less than making one; only those that packed a short message return, so that none keeps a large buffer."""


def idle_encoder() -> Encoder:
    """One from :data:`IDLE`, or a new one; threads may ask at once."""
    try:
        return IDLE.pop()
    except IndexError:
        return Encoder()


def explained(error: ValueError) -> ValueError:
    """What is wrong with a value that msgpack refused to pack, in words that tell the remedy."""
    if isinstance(error, UnicodeEncodeError):
        return ValueError(
            f"the str holds a lone surrogate, {error.object[error.start]!a}, at index {error.start}, which "
            "UTF-8 cannot express; send it as bytes"
        )
    if str(error).startswith("recursion limit"):
        return ValueError(f"the value is nested deeper than {NESTING_LIMIT}, or holds itself")
    return error


def encode(value: object) -> bytes:
    """Pack one value that holds no handles.

    Raises:
        TypeError: A message cannot hold such a value, or it holds a handle.
        ValueError: An integer beyond 64 bits, a time without zone, a lone surrogate, nested too deeply.
    """
    encoder = idle_encoder()
    try:
        data = encoder.pack(value)
    except ValueError as error:
        raise explained(error) from None
    if encoder.handles:
        raise TypeError("handles have no bytes of their own; only a Sender can send them")
    if len(data) <= PACKET_LIMIT:
        IDLE.append(encoder)
    return data


BLOB_HEADER_SIZE = 5


def blob_header(size: int) -> bytes:
    """What precedes the content of a long ``bytes`` value: the bin 32 header."""
    return b"\xc6" + size.to_bytes(4, "big")


def announce(size: int) -> bytes:
    """The packet that stands for a message of ``size`` bytes which comes on a stream of its own."""
    return b"\xc7\x08\x04" + size.to_bytes(8, "big")


def too_large(size: int, limit: int) -> MessageTooLarge:
    """The error for a message over the limit."""
    sentence = f"message of {size:,} bytes exceeds the limit of {limit:,}".replace(",", " ")
    return MessageTooLarge(f"{sentence}; raise it with max_message_size")


def too_many_handles(limit: int) -> TooManyHandles:
    """The error for a message with more handles than its packet can carry."""
    return TooManyHandles(f"more than {limit} handles in one message; spread them over several messages")
