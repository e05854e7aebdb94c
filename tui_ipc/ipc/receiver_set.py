"""Many receivers, one wait.

In one ``select`` each receiver that is ready gives what one read brought, up to a bound, so that a fast
sender cannot keep the others from being heard; what a round leaves comes in the next.
"""

import warnings
from collections import namedtuple
from collections.abc import Callable
from time import monotonic

from tui_ipc.ipc.errors import Busy, Closed, IpcError
from tui_ipc.ipc.handle import Uncopied
from tui_ipc.ipc.receiver import Receiver
from tui_ipc.ipc.sockets import NONBLOCKING
from tui_ipc.osutil.fork import forget_in_children
from tui_ipc.osutil.waiting import EpollSet, deadline_after, seconds_until

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NamedTuple

    from tui_ipc.osutil.waiting import Watcher

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
            error: Disconnected when all its senders are closed, Closed when somebody closed the receiver,
                ProtocolError, MessageTooLarge or TooManyHandles when a sender broke the protocol or a limit.
        """

        id: int
        error: IpcError
else:
    Any = object
    Arrived = namedtuple("Arrived", ("id", "value"))
    Ended = namedtuple("Ended", ("id", "error"))

_ROUND = 64
"""Messages that one receiver gives in one ``select`` at most."""


class _Member:
    """What a receiver tells of the descriptors that its next bytes come from, as its set needs it.

    Implements :class:`~tui_ipc.osutil.waiting.Watcher`. A receiver that was being waited for by itself goes
    on telling its former watcher as well.
    """

    __slots__ = ("former", "identity", "is_forced", "owner", "receiver", "watched")

    def __init__(self, owner: "ReceiverSet", identity: int, receiver: "Receiver[Any]") -> None:
        self.owner = owner
        self.identity = identity
        self.receiver = receiver
        self.former: Watcher | None = receiver._ready
        self.watched: frozenset[int] = frozenset()
        self.is_forced = False

    def fileno(self) -> int:
        if self.former is None:
            raise ValueError(f"{self.receiver!r} is in a set; wait for the set instead")
        return self.former.fileno()

    def watch(self, descriptors: "Iterable[int]", *, is_ready: bool = False) -> None:
        wanted = frozenset(descriptors)
        self.owner._watch(self, wanted)
        self.watched = wanted
        self.is_forced = is_ready
        if is_ready:
            self.owner._ahead[self.identity] = None
        else:
            self.owner._ahead.pop(self.identity, None)
        if self.former is not None:
            self.former.watch(wanted, is_ready=is_ready)

    def renew(self) -> None:
        if self.former is not None:
            self.former.renew()

    def close(self) -> None:
        """Called by a receiver that is being closed, before its descriptors are."""
        self.watch(())
        if self.former is not None:
            self.former.close()
        self.owner._forget(self)


class ReceiverSet(Uncopied):
    """Waits for messages of many receivers, thousands if need be.

    Owns the receivers added to it: they are closed when they end, are removed, or the set is closed. Has
    one user at a time, in one process.

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
        self._epoll = EpollSet()
        self._members: dict[int, _Member] = {}
        self._owners: dict[int, int] = {}  # descriptor → the id of the receiver whose next bytes come from it
        self._ahead: dict[int, None] = {}  # ids that have more to give without a wait, in order
        self._happened: list[Arrived | Ended] = []  # taken, not yet returned: by a select that was broken off
        self._next_id = 1
        self._is_given_out = False  # the descriptor, by fileno()
        self._is_busy = False
        self._is_closing = False
        forget_in_children(self)

    def add(self, receiver: "Receiver[Any]") -> int:
        """Take over a receiver; its messages that wait already are not lost.

        Returns:
            Its id: never given to another receiver of this set.

        Raises:
            Closed: The receiver, or this set, was closed.
            ValueError: The receiver is in this set, or another, already.
        """
        self._check_open()
        receiver.socket_fileno()
        if isinstance(receiver._ready, _Member):
            where = "this set" if receiver._ready.owner is self else "another set"
            raise ValueError(f"{receiver!r} is in {where} already")
        identity = self._next_id
        self._next_id += 1
        member = _Member(self, identity, receiver)
        self._members[identity] = member
        receiver._set_watcher(member)
        self._update_alarm()
        return identity

    def remove(self, identity: int) -> "Receiver[Any]":
        """Take a receiver out; it is yours again.

        Raises:
            KeyError: No receiver of that id is in the set.
        """
        member = self._members.pop(identity)
        self._ahead.pop(identity, None)
        self._watch(member, frozenset())
        member.receiver._set_watcher(member.former)
        return member.receiver

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
            Closed: This set was closed, perhaps by another thread meanwhile.
            Busy: Another thread is waiting here.
            ValueError: The set is empty and there is no timeout: nothing could ever come.
        """
        self._check_open()
        if self._is_busy:
            raise Busy("another thread is waiting for this set; it serves one at a time")
        if not self._members and not self._happened and timeout is None:
            raise ValueError("the set is empty, so nothing can ever come; add a receiver or give a timeout")
        deadline = deadline_after(timeout)
        self._is_busy = True
        try:
            while True:
                is_last = deadline is not None and monotonic() >= deadline
                seconds = 0 if self._ahead or self._happened else seconds_until(deadline)
                owners = self._owners
                ready = [owners[descriptor] for descriptor in self._epoll.poll(seconds)]
                if self._is_closing:
                    raise Closed("this receiver set was closed")
                for identity in dict.fromkeys((*self._ahead, *ready)):
                    self._take(identity)
                if self._happened or is_last:
                    happened, self._happened = self._happened, []
                    return happened
        finally:
            self._is_busy = False
            if self._is_closing:
                self._dispose()
            else:
                self._update_alarm()

    @property
    def closed(self) -> bool:
        """Whether you closed it."""
        return self._is_closing or not self._epoll.is_open()

    def fileno(self) -> int:
        """A descriptor that is readable while :meth:`select` would return at once, to be waited for only.

        A part of a large message may make it readable, too. Raises Closed after :meth:`close`.
        """
        self._check_open()
        self._is_given_out = True
        self._update_alarm()
        return self._epoll.fileno()

    def close(self) -> None:
        """Close the set and the receivers in it. Closing twice is harmless.

        A thread that waits in :meth:`select` gets Closed.
        """
        if self._is_busy:
            self._is_closing = True
            self._epoll.force(True)  # ends its wait
        else:
            self._dispose()

    def __len__(self) -> int:
        return len(self._members)

    def __del__(self, warn: "Callable[..., None]" = warnings.warn) -> None:
        if hasattr(self, "_is_closing") and self._epoll.is_open():
            try:
                warn(f"unclosed {self!r}", ResourceWarning, source=self)
            finally:
                self._dispose()

    def __repr__(self) -> str:
        if not self._epoll.is_open():
            return "<ReceiverSet closed>"
        return f"<ReceiverSet of {len(self._members)} on descriptor {self._epoll.fileno()}>"

    def _explain_uniqueness(self) -> str:
        return "it belongs to the process that made it; pass on its receivers, each taken out with remove()"

    def _check_open(self) -> None:
        if self.closed:
            raise Closed("this receiver set was closed")

    def _take(self, identity: int) -> None:
        """Take what one receiver gives in this round."""
        member = self._members.get(identity)
        if member is None:
            return  # closed under the set since it was told ready
        receiver = member.receiver
        self._ahead.pop(identity, None)
        member.is_forced = False
        receiver._begin()
        try:
            for _ in range(_ROUND):
                value = receiver._next(NONBLOCKING, with_bytes=False)
                if receiver._decode is not None:
                    value = receiver._apply_decode(value)
                self._happened.append(Arrived(identity, value))
                if not receiver._decoder.pending:
                    break
        except BlockingIOError:
            pass  # a part of a large message
        except IpcError as error:
            receiver._is_busy = False
            if identity in self._members:
                self.remove(identity).close()
                self._happened.append(Ended(identity, error))
        finally:  # also when a signal breaks it off: the descriptor will not tell of what was read ahead
            if receiver._is_busy:
                receiver._finish()

    def _watch(self, member: _Member, wanted: frozenset[int]) -> None:
        """Wait for these descriptors on behalf of a receiver, and for no others that it had."""
        for descriptor in member.watched - wanted:
            self._epoll.remove(descriptor)
            del self._owners[descriptor]
        for descriptor in wanted - member.watched:
            self._epoll.add(descriptor)
            self._owners[descriptor] = member.identity

    def _forget(self, member: _Member) -> None:
        """A receiver was closed under the set."""
        if self._members.pop(member.identity, None) is not None:
            self._happened.append(Ended(member.identity, Closed("this receiver was closed while in a set")))
            self._update_alarm()

    def _update_alarm(self) -> None:
        if self._is_given_out:
            self._epoll.force(bool(self._ahead or self._happened))

    def _dispose(self) -> None:
        members = list(self._members.values())
        self._members.clear()
        for member in members:
            self._watch(member, frozenset())
            member.watched = frozenset()
            member.receiver._set_watcher(member.former)
            member.receiver.close()
        self._ahead.clear()
        self._happened.clear()
        self._epoll.close()

    def _after_fork(self) -> None:
        """The epoll instance is the parent's, as is what was taken."""
        self._is_busy = False
        self._happened.clear()
        if self._epoll.is_open():
            self._epoll.renew()
            self._update_alarm()
