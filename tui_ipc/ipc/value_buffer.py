"""Bytes of a stream, of which one value after the other is measured before it is taken.

Each byte is looked at once: a value that is not whole is kept with the place where the scan of it broke off.
"""

from collections import deque

import msgpack

from tui_ipc.ipc.builder import REFUSALS, describe_refusal, new_scanner
from tui_ipc.ipc.errors import ProtocolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_LONG = (0xC6, 0xC9, 0xDB)
"""What begins a bin 32, an ext 32 or a str 32, whose length the next four bytes are."""

_LONG_COUNTS = {0xDD: 1, 0xDF: 2}
"""What begins an array 32 or a map 32, whose count the next four bytes are; the least bytes of an item."""

_LONGEST_SHORT = 0xFFFF + 1
"""Bytes that may follow the length in any other: an ext 16 with its type. Where the scan breaks off in front
of more, it broke off after the four bytes of a length."""


class ValueBuffer:
    """What was received and not yet taken, and the descriptors that came with it.

    Attributes:
        begin: Where it begins in its stream.
        claimed: Bytes of the first value at least, as far as :meth:`measure` found out; 0 if it found nothing
            new.
    """

    __slots__ = ("_attached", "_awaited", "_content", "_fed", "_scanned", "_scanner", "begin", "claimed")

    def __init__(self, data: bytes, begin: int) -> None:
        self._content = bytearray(data)
        self.begin = begin
        self.claimed = 0
        self._scanner: Any = None  # has looked at the content up to where a value ends or breaks off
        self._scanned = 0  # where the content begins for the scanner, which counts from its own first byte
        self._fed = 0  # up to where the scanner was fed
        self._awaited = 0  # no value is whole before the content reaches up to here
        self._attached: deque[tuple[int, Sequence[int], bool]] = deque()  # (end of their read, they, all?)

    def __len__(self) -> int:
        return len(self._content)

    def append(self, data: bytes) -> None:
        """Add what came next."""
        self._content += data

    def attach(self, descriptors: "Sequence[int]", *, complete: bool) -> int:
        """Add descriptors that came with the last byte; how many there are now."""
        self._attached.append((self.begin + len(self._content), descriptors, complete))
        return sum(len(some) for _, some, _ in self._attached)

    def is_plain(self) -> bool:
        """Whether no descriptors came with what is left."""
        return not self._attached

    def peek(self, limit: int | None = None) -> bytes:
        """All, or the first ``limit`` bytes."""
        return bytes(self._content[:limit])

    def clear(self) -> list[int]:
        """Forget all; its descriptors."""
        descriptors = [each for _, some, _ in self._attached for each in some]
        self._attached.clear()
        self._content.clear()
        self._scanner = None
        return descriptors

    def measure(self) -> int | None:
        """The size of the first value, None while it is not whole.

        Raises:
            ProtocolError: It is not msgpack, or nested too deeply.
        """
        received = self._scanned + len(self._content)
        self.claimed = 0
        if received < self._awaited:
            return None
        if self._scanner is None:
            self._scanner = new_scanner()
        with memoryview(self._content) as content:
            self._scanner.feed(content[self._fed - self._scanned :])
        self._fed = received
        try:
            self._scanner.skip()
        except msgpack.OutOfData:
            size = max(len(self._content), self._least_size())
            self.claimed = max(size, self._claim())
            self._awaited = self._scanned + size
            return None
        except REFUSALS as error:
            offset = self.begin + self._scanner.tell() - self._scanned
            raise ProtocolError(describe_refusal(error), offset) from None
        end: int = self._scanner.tell()
        return end - self._scanned

    def take(self, size: int) -> "tuple[bytes, list[int], bool]":
        """Take the first value out; its bytes, its descriptors, and whether they are all there."""
        raw = bytes(memoryview(self._content)[:size])
        if size == len(self._content):
            self._scanner = None  # with its copy of the value; there is nothing left to measure
        del self._content[:size]
        self.begin += size
        self._scanned += size
        descriptors: list[int] = []
        complete = True
        while self._attached and self._attached[0][0] <= self.begin:
            _, some, whole = self._attached.popleft()
            descriptors += some
            complete &= whole
        return raw, descriptors, complete

    def _least_size(self) -> int:
        """What the value at the head of the buffer must measure, as far as its bytes tell.

        The scanner keeps a copy of a str, a bytes or an ext value until that is whole; it is not fed before.
        """
        buffer = self._content
        if len(buffer) >= 5 and buffer[0] in _LONG:
            return 5 + int.from_bytes(buffer[1:5], "big")
        broke_off: int = self._scanner.tell() - self._scanned
        if len(buffer) - broke_off > _LONGEST_SHORT:
            return broke_off + int.from_bytes(buffer[broke_off - 4 : broke_off], "big")
        return 0

    def _claim(self) -> int:
        """What an array or a map at the head of the buffer must measure by its count, 0 if it is neither.

        Unlike for :meth:`_least_size` nothing is awaited because of it: nonsense in the first item is told at
        once.
        """
        buffer = self._content
        if len(buffer) < 5 or buffer[0] not in _LONG_COUNTS:
            return 0
        return 5 + _LONG_COUNTS[buffer[0]] * int.from_bytes(buffer[1:5], "big")
