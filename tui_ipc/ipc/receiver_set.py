"""Many receivers, one wait.

The one rule: fairness. In one ``select`` each receiver that is ready gives the messages of one packet, up
to a bound, so that a fast sender cannot keep the others from being heard; what a round leaves comes in the
next.
"""

import selectors
from collections import namedtuple
from time import monotonic

from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import Closed, IpcError
from tui_ipc.ipc.receiver import Receiver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NamedTuple, Self

    class Arrived(NamedTuple):
        """A message came.

        Attributes:
            id: What ``add`` returned for its receiver.
            value: The message, whose handles are yours.
        """

        id: int
        value: Any

    class Ended(NamedTuple):
        """A receiver gives no more messages; the set has closed and forgotten it.

        Attributes:
            id: What ``add`` returned for it.
            error: Disconnected when all its senders are closed, ProtocolError, MessageTooLarge or
                TooManyHandles when one of them broke the wire or a limit.
        """

        id: int
        error: IpcError
else:
    Arrived = namedtuple("Arrived", ("id", "value"))
    Ended = namedtuple("Ended", ("id", "error"))

_ROUND = 16
"""Messages that one receiver gives in one ``select`` at most."""


class ReceiverSet:
    """Waits for messages of many receivers, thousands if need be.

    Owns the receivers added to it: they are closed when they end, are removed, or the set is closed. Has
    one user: one thread of one process.

    Example:
        >>> from tui_ipc import ReceiverSet, channel
        >>> with ReceiverSet() as receivers:
        ...     sender, receiver = channel()
        ...     first = receivers.add(receiver)
        ...     sender.send("hello")
        ...     sender.close()
        ...     receivers.select() == [(first, "hello")]
        True
    """

    def __init__(self) -> None:
        """Make an empty set."""
        self._selector = selectors.DefaultSelector()
        self._receivers: dict[int, Receiver[Any]] = {}
        self._watched: dict[int, int] = {}  # id → the descriptor that its next bytes come from
        self._ahead: dict[int, None] = {}  # ids that may have more to give without a wait, in order
        self._happened: list[Arrived | Ended] = []  # taken, not yet returned: by a select that was broken off
        self._next_id = 1
        self._open = True

    def add(self, receiver: "Receiver[Any]") -> int:
        """Take over a receiver; its messages that wait already are not lost.

        Returns:
            Its id: never given to another receiver of this set.

        Raises:
            Closed: The receiver, or this set, was closed.
            ValueError: The receiver is in this set already.
        """
        self._check_open()
        if receiver._waits_for() in self._selector.get_map():
            raise ValueError(f"{receiver!r} is in this set already")
        identity = self._next_id
        self._watch(identity, receiver)
        self._receivers[identity] = receiver
        self._next_id += 1
        if receiver._decoder.pending:
            self._ahead[identity] = None
        return identity

    def remove(self, identity: int) -> "Receiver[Any]":
        """Take a receiver out; it is yours again.

        Raises:
            KeyError: No receiver of that id is in the set.
        """
        receiver = self._receivers.pop(identity)
        self._ahead.pop(identity, None)
        self._selector.unregister(self._watched.pop(identity))
        return receiver

    def select(self, timeout: float | None = None) -> "list[Arrived | Ended]":
        """Wait until at least one receiver has something to tell.

        If an exception of yours breaks it off (a signal handler's, KeyboardInterrupt), what it had taken by
        then is what the next call returns.

        Args:
            timeout: Seconds to wait at most; None for ever, 0 only looks.

        Returns:
            What happened, each receiver's messages in order, its end after its last message; empty if the
            time passed.

        Raises:
            Closed: This set was closed.
            ValueError: The set is empty and there is no timeout: nothing could ever come.
        """
        self._check_open()
        if not self._receivers and not self._happened and timeout is None:
            raise ValueError("the set is empty, so nothing can ever come; add a receiver or give a timeout")
        deadline = sockets.deadline_after(timeout)
        while True:
            patience = self._patience(deadline)
            ready = [key.data for key, _ in self._selector.select(patience)]
            for identity in dict.fromkeys((*self._ahead, *ready)):
                self._take(identity)
            if self._happened or (deadline is not None and monotonic() >= deadline):
                happened, self._happened = self._happened, []
                return happened

    def close(self) -> None:
        """Close the set and the receivers in it. Closing twice is harmless."""
        for receiver in self._receivers.values():
            receiver.close()
        self._receivers.clear()
        self._watched.clear()
        self._ahead.clear()
        self._happened.clear()
        self._selector.close()
        self._open = False

    def __len__(self) -> int:
        return len(self._receivers)

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if not self._open:
            raise Closed("this receiver set was closed")

    def _patience(self, deadline: float | None) -> float | None:
        """Seconds that the selector may wait."""
        if self._ahead or self._happened:
            return 0
        return None if deadline is None else min(max(0.0, deadline - monotonic()), sockets.LONGEST)

    def _take(self, identity: int) -> None:
        """Take what one receiver gives in this round."""
        receiver = self._receivers[identity]
        self._ahead.pop(identity, None)
        try:
            for _ in range(_ROUND):
                value = receiver._next(sockets.NONBLOCKING, receiver._values)
                self._happened.append(Arrived(identity, value))
                if not receiver._decoder.pending:
                    break
        except BlockingIOError:
            pass  # a part of a large message
        except IpcError as error:
            self.remove(identity).close()
            self._happened.append(Ended(identity, error))
            return
        finally:  # also when a signal breaks it off: the descriptor will not tell of what was read ahead
            if receiver._decoder.pending and identity in self._receivers:
                self._ahead[identity] = None
        if receiver._waits_for() != self._watched[identity]:
            self._selector.unregister(self._watched[identity])
            self._watch(identity, receiver)

    def _watch(self, identity: int, receiver: "Receiver[Any]") -> None:
        descriptor = receiver._waits_for()
        self._selector.register(descriptor, selectors.EVENT_READ, identity)
        self._watched[identity] = descriptor
