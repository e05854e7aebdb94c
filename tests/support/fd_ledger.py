"""Keeps account of who owns which descriptor, with handles that have no operating system below them.

It fails a test unless each descriptor is taken by a handle or discarded, exactly once.
"""

from collections.abc import Iterable
from typing import Any

from tui_ipc import ProtocolError
from tui_ipc.ipc.handle import Handle
from tui_ipc.ipc.wire import RECEIVER, SENDER, Large


class Paper(Handle):
    """A handle whose descriptor is only a number."""

    def __init__(self, ledger: "Ledger", kind: int, descriptor: int, rest: bytes) -> None:
        self.kind = kind
        self.descriptor = descriptor
        self.rest = rest
        self._ledger = ledger

    def fileno(self) -> int:
        return self.descriptor

    def close(self) -> None:
        self._ledger.settle(self.descriptor, self._ledger.held)
        self._ledger.closed.append(self.descriptor)

    def _describe(self) -> tuple[int, bytes]:
        return self.kind, self.rest

    def __repr__(self) -> str:
        return f"<{self.kind}: {self.descriptor}>"


class Ledger:
    """The account of a set of descriptors.

    Attributes:
        open: Received, not yet owned.
        held: Owned by a handle.
        discarded: Given up by the decoder, in that order.
        closed: Closed by the handle that had them, in that order.
    """

    def __init__(self, refused: Iterable[int] = ()) -> None:
        self.open: list[int] = []
        self.held: list[int] = []
        self.discarded: list[int] = []
        self.closed: list[int] = []
        self._refused = frozenset(refused)

    def fresh(self, count: int) -> list[int]:
        """New descriptors that came with a packet."""
        first = len(self.open) + len(self.held) + len(self.discarded) + len(self.closed)
        new = list(range(first, first + count))
        self.open += new
        return new

    def adopt(self, kind: int, descriptor: int, rest: bytes) -> Paper:
        """Make a handle, except of a descriptor that is refused."""
        if descriptor in self._refused:
            raise ProtocolError(f"descriptor {descriptor} is not what it claims to be")
        self.settle(descriptor, self.open)
        self.held.append(descriptor)
        return Paper(self, kind, descriptor, rest)

    def discard(self, descriptor: int) -> None:
        """Give up a descriptor that no handle named."""
        self.settle(descriptor, self.open)
        self.discarded.append(descriptor)

    def settle(self, descriptor: int, account: list[int]) -> None:
        """Take a descriptor from an account, where it must be."""
        assert descriptor in account, f"descriptor {descriptor} was taken or discarded before: {vars(self)}"
        account.remove(descriptor)


def paper(ledger: Ledger, *kinds: int) -> list[Paper]:
    """Handles for a sender to send, one of each kind."""
    return [
        ledger.adopt(kind, descriptor, b"")
        for kind, descriptor in zip(kinds, ledger.fresh(len(kinds)), strict=True)
    ]


def senders(count: int) -> list[Paper]:
    """That many senders."""
    return paper(Ledger(), *[SENDER] * count)


def receivers(count: int) -> list[Paper]:
    """That many receivers."""
    return paper(Ledger(), *[RECEIVER] * count)


def descriptors_in(value: Any) -> list[int]:
    """The descriptors that a received value owns, each once."""
    found: dict[int, None] = {}
    unseen = [value]
    while unseen:
        item = unseen.pop()
        if isinstance(item, Large):
            found.update(dict.fromkeys(item.descriptors))
        elif isinstance(item, Paper):
            found[item.descriptor] = None
        elif isinstance(item, list | tuple):
            unseen += item
        elif isinstance(item, dict):
            unseen += [*item.keys(), *item.values()]
    return sorted(found)
