"""Waiting for descriptors, with a deadline on the monotonic clock."""

import os
import select
from math import ceil
from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Protocol

    class Watcher(Protocol):
        """Waits for a changing set of descriptors on somebody's behalf.

        Attributes:
            watched: The set.
            is_forced: Whether it is to wait for none of them.
        """

        watched: frozenset[int]
        is_forced: bool

        def fileno(self) -> int:
            """What to wait for instead of the set."""

        def watch(self, descriptors: Iterable[int], *, is_ready: bool = False) -> None:
            """Wait for these from now on; is_ready: for none, since there is something already."""

        def renew(self) -> None:
            """Become a forked child's own."""

        def close(self) -> None:
            """Wait for nothing any more."""


LONGEST_WAIT = 1_000_000
"""Seconds of one poll(2), which counts milliseconds in 31 bits."""


def deadline_after(timeout: float | None) -> float | None:
    """The moment at which ``timeout`` seconds from now have passed; None for none."""
    return None if timeout is None else monotonic() + timeout


def seconds_until(deadline: float | None) -> float | None:
    """How long one call may wait for a deadline: 0 once it passed, None for ever."""
    return None if deadline is None else min(max(0.0, deadline - monotonic()), LONGEST_WAIT)


def wait(
    descriptors: "Sequence[int]", events: int, deadline: float | None, alarm: "Alarm | None" = None
) -> bool:
    """Wait until one of some descriptors is ready, or its peer is gone.

    Args:
        descriptors: What to wait for.
        events: ``select.POLLIN`` or ``select.POLLOUT``.
        deadline: On the monotonic clock; None for ever.
        alarm: Ends the wait as well.

    Returns:
        False if the deadline passed first. The descriptors were looked at once more after it.
    """
    poller = select.poll()
    for descriptor in descriptors:
        poller.register(descriptor, events)
    if alarm is not None:
        poller.register(alarm, select.POLLIN)
    while True:
        seconds = seconds_until(deadline)
        # Rounded up: a wait that ends a little early would be taken up again and again until the deadline.
        if poller.poll(None if seconds is None else ceil(seconds * 1000)):
            return True
        if seconds == 0:
            return False


def has_input(descriptor: int) -> bool:
    """Whether a descriptor has something to read, or is at its end."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))


def has_hung_up(descriptor: int, timeout: float = 0) -> bool:
    """Whether nobody holds the other end of a pipe, terminal or socket, whatever is unread in it.

    Waits up to ``timeout`` seconds for that.
    """
    poller = select.poll()
    poller.register(descriptor, 0)  # a hang-up is told unasked
    return any(events & select.POLLHUP for _, events in poller.poll(timeout * 1000))


class Alarm:
    """Ends a wait of one thread for another, which may ring it at any moment.

    Its descriptor is closed with the last reference to it: whoever rings holds one, so that it never writes
    to a descriptor that has become another file.
    """

    __slots__ = ("_descriptor",)

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def fileno(self) -> int:
        """What is readable once it was rung."""
        return self._descriptor

    def ring(self) -> None:
        """End the wait, for good."""
        os.eventfd_write(self._descriptor, 1)

    def __del__(self) -> None:
        if hasattr(self, "_descriptor"):  # else there was no descriptor left
            os.close(self._descriptor)


class EpollSet:
    """A set of descriptors that are waited for together, under one descriptor that is readable while one of
    them is.

    Loops that know nothing of the set may watch that one. It stays the same until it is closed.

    Attributes:
        is_forced: Whether the set is ready whatever its descriptors are, see :meth:`force`.
    """

    __slots__ = ("_alarm", "_epoll", "_members", "is_forced")

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._members: set[int] = set()
        self._alarm = -1  # an eventfd that is always readable, made when first needed
        self.is_forced = False

    def fileno(self) -> int:
        """What to wait for."""
        return self._epoll.fileno()

    def is_open(self) -> bool:
        """Whether it was not closed."""
        return not self._epoll.closed

    def add(self, descriptor: int) -> None:
        """Wait for this one as well."""
        self._epoll.register(descriptor, select.EPOLLIN)
        self._members.add(descriptor)

    def remove(self, descriptor: int) -> None:
        """Wait for this one no longer. To be called before it is closed: it might live on elsewhere."""
        self._epoll.unregister(descriptor)
        self._members.remove(descriptor)

    def force(self, is_ready: bool) -> None:
        """Be ready whatever the descriptors are, or no longer; ends a wait of another thread."""
        if is_ready == self.is_forced:
            return
        if is_ready:
            if self._alarm < 0:
                self._alarm = os.eventfd(1, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._epoll.register(self._alarm, select.EPOLLIN)
        else:
            self._epoll.unregister(self._alarm)
        self.is_forced = is_ready

    def poll(self, seconds: float | None) -> list[int]:
        """Those that are ready, after so many seconds at most; perhaps none."""
        ready = self._epoll.poll(seconds)
        alarm = self._alarm  # perhaps made meanwhile, by another thread that ends this wait
        return [descriptor for descriptor, _ in ready if descriptor != alarm]

    def renew(self) -> None:
        """Become an instance of one's own, under the same number: a forked child shares its parent's."""
        with select.epoll() as fresh:
            os.dup2(fresh.fileno(), self._epoll.fileno(), inheritable=False)
        for descriptor in self._members:
            self._epoll.register(descriptor, select.EPOLLIN)
        if self.is_forced:
            self._epoll.register(self._alarm, select.EPOLLIN)

    def close(self) -> None:
        """Give the descriptor up, not those in the set. Closing twice is harmless."""
        self._epoll.close()
        if self._alarm >= 0:
            os.close(self._alarm)
            self._alarm = -1


class ReadyDescriptor(EpollSet):
    """One descriptor, to be waited for, that stands for a changing set of them; see :class:`Watcher`."""

    __slots__ = ("watched",)

    def __init__(self) -> None:
        super().__init__()
        self.watched: frozenset[int] = frozenset()

    def watch(self, descriptors: "Iterable[int]", *, is_ready: bool = False) -> None:
        """Stand for these from now on.

        Args:
            descriptors: Open ones; those that are not among them any more may be closed after this call.
            is_ready: Be readable whatever they are.
        """
        wanted = frozenset(descriptors)
        for descriptor in self.watched - wanted:
            self.remove(descriptor)
        for descriptor in wanted - self.watched:
            self.add(descriptor)
        self.watched = wanted
        self.force(is_ready)
