"""Messages that have only begun, either way: how much of one has passed, when last, and what it is so far.

A wrong length or count is the usual mistake of whoever writes a child by hand. It shows as a message that
never becomes whole. A child that reads slowly must not be taken for one that does not read.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui_ipc.ipc import aio
from tui_ipc.osutil.descriptors import UnreadBytes, count_unread, measure_unread_by_peer
from tui_ipc.text.units import format_count, format_plural

if TYPE_CHECKING:
    from tui_ipc.text.msgpack_index import Token

MAX_EXAMINED: Final = 4096
"""Bytes of a message that are looked at, from its first one on; a byte takes a few microseconds."""

_NOUNS: Final = {"str": "a text", "bin": "a bytes value", "ext": "an ext value", "int": "an integer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnfinishedMessage:
    """A message from the child that has only begun.

    Attributes:
        received: Bytes of it that have come.
        size: Bytes of the whole, None if that is not known.
        content: What it is so far, empty if that is not known.
        waited: Nanoseconds since the last of its bytes came, None if unknown.
    """

    received: int
    size: int | None = None
    content: str = ""
    waited: int | None = None

    def __str__(self) -> str:
        """A sentence without its end: ``7 bytes of a message have come, the last 0.5 s ago: a map of …``."""
        many = format_plural(self.received, "byte")
        if self.size is not None:
            many = f"{format_count(self.received)} of the {format_plural(self.size, 'byte')}"
        last = "" if self.waited is None else f", the last {self.waited / 1e9:.1f} s ago"
        have = "has" if self.received == 1 and self.size is None else "have"
        return f"{many} of a message {have} come{last}{self.content and f': {self.content}'}"

    def describe_whole(self) -> str:
        """What it was to become, to follow ``a message``: `` of 10 bytes: a text``."""
        of = "" if self.size is None else f" of {format_plural(self.size, 'byte')}"
        return f"{of}{self.content and f': {self.content}'}"


def find_unfinished(data: bytes, received: int, waited: int | None = None) -> UnfinishedMessage | None:
    """Find the message that only begins in what was received; None if all of that is whole messages.

    Args:
        data: The first :data:`MAX_EXAMINED` of the bytes that were received and not taken.
        received: How many these bytes are in all.
        waited: Nanoseconds since the last of them came.
    """
    from tui_ipc.text.msgpack_index import Token, read_header  # most sessions have no such message

    begin, offset = 0, 0  # of the message, and of what follows in it
    open_containers: list[tuple[Token, int]] = []  # each with how many of its children are whole
    part: Token | None = None  # what is cut off in its payload
    while offset < len(data):
        token = read_header(data, offset)
        if not isinstance(token, Token):  # cut off in its length
            break
        offset = token.end
        if token.end > received:
            part = token
            break
        if token.children:
            open_containers.append((token, 0))
            continue
        while open_containers:
            container, whole = open_containers.pop()
            if whole + 1 < container.children:
                open_containers.append((container, whole + 1))
                break
        if not open_containers:
            begin = offset
    if not open_containers and part is None and begin >= received:
        return None
    passed = received - begin
    if not open_containers and part is not None:  # one long value, which says how long it is
        content = _NOUNS.get(part.family, f"a {part.family}")
        return UnfinishedMessage(received=passed, size=part.end - begin, content=content, waited=waited)
    is_cut = received > len(data)
    content = ", then ".join(
        _describe_container(*each, is_cut=is_cut) for each in _pick_outer_and_inner(open_containers)
    )
    if part is not None:
        came, size = received - part.payload_start, part.end - part.payload_start
        noun = _NOUNS.get(part.family, f"a {part.family}")
        content += f", then {noun} of {format_plural(size, 'byte')}, {format_count(came)} of them"
    return UnfinishedMessage(received=passed, content=content, waited=waited)


def _pick_outer_and_inner(containers: "list[tuple[Token, int]]") -> "list[tuple[Token, int]]":
    """The outermost and the innermost: those between them are as open as these."""
    return containers if len(containers) < 2 else [containers[0], containers[-1]]


def _describe_container(token: "Token", whole: int, *, is_cut: bool) -> str:
    noun, items, count = "a list", "item", whole
    if token.family == "map":
        noun, items, count = "a map", "pair", whole // 2
    least = "at least " if is_cut else ""
    return f"{noun} of {format_plural(token.items, items)}, {least}{format_count(count)} of them whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendProgress:
    """What the child has taken of what was sent.

    Attributes:
        taken: Bytes of the message that waits to be sent, None if none waits or the kernel does not say.
        size: Bytes of that message.
        read_within: The child has read something within so many nanoseconds; None if it has not lately.
        nothing_for: It has read nothing for so many nanoseconds although there was something to read; None if
            it has, or there was nothing.
    """

    taken: int | None = None
    size: int | None = None
    read_within: int | None = None
    nothing_for: int | None = None


class SendMonitor:
    """Watches how far the child has read what was sent to it. Owns nothing.

    The kernel does not say when a socket was last read from: what is unread is compared from look to look.

    Args:
        sender: The channel to the child.
        now: The time in ns.
    """

    def __init__(self, sender: aio.Sender[Any], now: int) -> None:
        self._sender = sender
        self._sent = 0  # bytes of whole messages
        self._begun_at = now  # when the latest one was begun
        self._taken = 0  # bytes that the child had read at the last look
        self._looked_at = now
        self._unchanged_since = now  # the first look that found as much read as the last one
        self._last_gap: int | None = None  # ns between the last look that found more read and the one before

    def begin(self, now: int) -> None:
        """Note that a message is to be sent now."""
        self._begun_at = now

    def end(self, size: int) -> None:
        """Note that a message has left whole."""
        self._sent += size

    def look(self, now: int) -> tuple[UnreadBytes, SendProgress]:
        """Measure what the child has not read, and compare it with the look before."""
        descriptor = self._sender.fileno()
        unread = measure_unread_by_peer(descriptor)
        if unread.size is None:
            return unread, SendProgress()
        left, waiting, taken, size = self._sent, unread.size, None, None
        delivery = self._sender.under_way
        if delivery is not None:
            gone, size = delivery.progress()
            side = delivery.fileno()
            ahead = unread.size if side == descriptor else _count_unread_by_peer(side)
            left += gone
            taken = max(0, gone - ahead)
            waiting += 0 if side == descriptor else ahead
        self._compare(left - waiting, now)
        return unread, SendProgress(taken=taken, size=size, **self._describe_reading(waiting, now))

    def _compare(self, taken: int, now: int) -> None:
        if taken > self._taken:
            self._last_gap = now - self._looked_at
            self._unchanged_since = now
        self._taken, self._looked_at = taken, now

    def _describe_reading(self, waiting: int, now: int) -> dict[str, int]:
        if self._last_gap is not None and now - self._unchanged_since < _RECENT:
            within = now - self._unchanged_since + self._last_gap
            if now - within >= self._begun_at:  # else it may have read before that, and nothing since
                return {"read_within": within}
        return {"nothing_for": now - max(self._unchanged_since, self._begun_at)} if waiting else {}


_RECENT: Final = 1_000_000_000
"""Nanoseconds for which a child that has read something is said to read."""


def _count_unread_by_peer(descriptor: int) -> int:
    """What is unread in the stream of a large message, which is a pair of sockets or a pipe."""
    size = measure_unread_by_peer(descriptor).size
    return size if size is not None else count_unread(descriptor) or 0
