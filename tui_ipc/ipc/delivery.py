"""A message on its way out, in steps that never wait by themselves: what ``Sender.send`` does not send at
once.

Blocking and asyncio senders drive the same steps: ``step`` does what the kernel takes now and raises
BlockingIOError where more must wait for ``fileno()`` to become writable. A message leaves whole or not at
all: where a step could leave a part of it in the channel itself, the rest stays with the sender and goes out
before anything else.
"""

import errno
import os

from tui_ipc.ipc import sockets
from tui_ipc.ipc.errors import Closed, Disconnected, MessageTooLarge
from tui_ipc.ipc.kept_streams import KeptStream, open_kept
from tui_ipc.ipc.log import log_debug
from tui_ipc.ipc.outlet import Outlet, cut_sent
from tui_ipc.ipc.sockets import SEND_FLAGS
from tui_ipc.ipc.wire import LARGE_DESCRIPTOR_LIMIT, OFFERED, announce, too_many_handles
from tui_ipc.osutil import one_way
from tui_ipc.osutil.waiting import has_hung_up

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui_ipc.ipc.handle import Handle

_HANG_UP_DELAY = 0.05
"""Seconds given to the kernel to report that a peer which closed the side stream closed the channel as
well."""

_PREFILL = 128 * 1024
"""Bytes of a long body that are written before it is announced. With more of them, a receiver on another CPU
reads later: 1 MiB there and back took 0.79 ms instead of 0.40."""

_IN_FLIGHT_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02)
"""Seconds until the kernel is asked again whether it takes one more descriptor in flight; the last for good.
"""


class Delivery:
    """The way of one message through an outlet.

    ============  ==============================================================  =======================
    state         what is left to do                                              waits for
    ============  ==============================================================  =======================
    OPEN          make the side stream of a large message and write into it       nothing
                  much as it holds, so that the receiver finds it there
    FILL          write all of it into a stream that the receiver keeps           the kept stream
    FIRST         send the message, or the announcement of a large one            the channel; for a while,
                                                                                  where the kernel takes
                                                                                  no descriptor now
    REST          send what the kernel did not take of it                         the channel
    BODY          write what the side stream did not hold                         the side stream
    ============  ==============================================================  =======================

    Args:
        outlet: Where it goes.
        pieces: Its bytes, in order.
        handles: What it holds; still owned by whoever sends them.
        is_begun: Whether the outlet has sent a part of it already.
        kept: The stream to fill.
        announcement: What is left to be sent, if that was filled.

    Attributes:
        outlet: Where it goes.
        moves: Whether all the handles are closed here once the message has left.
        pause: Seconds to wait, instead of for ``fileno()``, after BlockingIOError; 0 as a rule.
    """

    __slots__ = (
        "_announcement",
        "_body",
        "_handles",
        "_kept",
        "_pauses",
        "_pieces",
        "_size",
        "_state",
        "_theirs",
        "moves",
        "outlet",
        "pause",
    )

    def __init__(
        self,
        outlet: Outlet,
        pieces: "Sequence[bytes | bytearray | memoryview]",
        handles: "Sequence[Handle]" = (),
        *,
        is_begun: bool = False,
        kept: KeptStream | None = None,
        announcement: bytes = b"",
    ) -> None:
        self.outlet = outlet
        self.moves = False
        self.pause = 0.0
        self._pauses = iter(_IN_FLIGHT_PAUSES)
        self._pieces = [memoryview(piece) for piece in pieces]
        self._size = sum(len(piece) for piece in self._pieces)
        self._handles = handles
        self._body = self._theirs = -1  # the ends of its side stream: ours, and the one that travels
        self._kept = kept  # or ours, if it is kept, or may be
        self._announcement = announcement  # of a large message
        if is_begun:
            self._state = _REST
        elif kept is not None:
            self._state = _FIRST if announcement else _FILL
        elif outlet.is_inline or self._size <= outlet.atomic_size:
            self._state = _FIRST
        else:
            self._state = _OPEN

    def fileno(self) -> int:
        """What to wait for, until it is writable, after BlockingIOError."""
        if self._state == _FILL and self._kept is not None:
            return self._kept.fileno()
        if self._state == _BODY and self._body >= 0:
            return self._body
        return self.outlet.socket.fileno()

    def progress(self) -> tuple[int, int]:
        """How many bytes of the message have gone into what :meth:`fileno` names, and how many it has."""
        if self._state in (_OPEN, _FILL, _FIRST):
            return 0, self._size
        rest = self.outlet.unfinished if self._body < 0 else self._pieces
        return self._size - sum(map(len, rest)), self._size

    def step(self) -> None:
        """Send as much as can be sent now; returns once the message has left whole.

        Raises:
            BlockingIOError: Wait until ``fileno()`` is writable, or for ``pause`` seconds, then step again.
            Disconnected, Closed, TooManyHandles, MessageTooLarge: The message did not leave.
        """
        self.pause = 0.0
        try:
            if self._state == _OPEN:
                self._open_stream()
            if self._state == _FILL and self._kept is not None:
                self._fill(self._kept)
            if self._state == _FIRST:
                self.outlet.flush()
                self._send_first()
            if self._state == _REST:
                self.outlet.flush()
                self._state = _BODY
        except BlockingIOError:
            raise
        except OSError as error:
            if error.errno == errno.ETOOMANYREFS and not self._handles:
                # As many descriptors as this user may open are on their way, and ours would be one more. That
                # is a full channel by another measure, but nothing tells when it has room again.
                self.pause = next(self._pauses, _IN_FLIGHT_PAUSES[-1])
                raise BlockingIOError from None
            raise sockets.translate_error(error, _CLOSED) from None
        if self._body >= 0:
            if self.outlet.socket.fileno() < 0:
                raise Closed(_CLOSED)
            self._send_body()

    def leave(self) -> None:
        """Settle what a message that left means for its handles: a receiver has moved away."""
        kept, self._kept = self._kept, None
        if kept is not None:
            self._body = -1  # is that of the kept stream, if anything
            self.outlet.give_back(kept)
        self.abandon()
        for handle in self._handles:
            handle._left()
            if self.moves:
                handle.close()

    def abandon(self) -> None:
        """Close the side stream; a body cut off by that never becomes a message."""
        kept, self._kept = self._kept, None
        if kept is not None:
            self._body = -1
            if self._state == _FILL:  # nothing was written
                self.outlet.give_back(kept)
            else:
                kept.close()
        for descriptor in (self._theirs, self._body):
            if descriptor >= 0:
                os.close(descriptor)
        self._theirs = self._body = -1

    def _fill(self, kept: KeptStream) -> None:
        try:
            kept.write(self._pieces[-1])
        except BlockingIOError:
            if self.outlet.socket.fileno() < 0:
                raise OSError(errno.EBADF, _CLOSED) from None
            raise
        except OSError:  # its receiver moved away, and another one may keep a stream
            self._kept = None
            kept.close()
            self._open_stream()
        else:
            self._announcement = announce(self._size, kept.number, b"".join(self._pieces[:-1]))
            self._pieces = []
            self._state = _FIRST

    def _open_stream(self) -> None:
        """Make the side stream, and write into it what it holds."""
        channel = self.outlet.socket.fileno()
        log_debug("descriptor %s: a message of %s bytes leaves on a new stream", channel, self._size)
        if self.outlet.may_offer(self._size):
            self._theirs, self._kept = open_kept()
            self._body = self._kept.fileno()
            self._announcement = announce(self._size, OFFERED)
        else:
            self._theirs, self._body = one_way.open_stream(self._size)
            self._announcement = announce(self._size)
        self._state = _FIRST
        limit = self._size if self._size <= one_way.PIPE_LIMIT else _PREFILL
        try:
            sent = one_way.write(self._body, [piece[:limit] for piece in self._pieces])
        except BlockingIOError:
            return
        self._pieces = cut_sent(self._pieces, sent)

    def _send_first(self) -> None:
        descriptors = [handle._travelling_fileno() for handle in self._handles]
        first = self._pieces
        if self._announcement:
            first = [memoryview(self._announcement)]
            if self._theirs >= 0:
                descriptors.insert(0, self._theirs)
        sent = self.outlet.socket.sendmsg(first, sockets.rights(descriptors), SEND_FLAGS)
        self._state = _REST
        rest = cut_sent(first, sent)
        if rest:
            self.outlet.unfinished = rest
        if self._theirs >= 0:
            os.close(self._theirs)
            self._theirs = -1

    def _send_body(self) -> None:
        try:
            while self._pieces:
                self._pieces = cut_sent(self._pieces, one_way.write(self._body, self._pieces))
        except (BrokenPipeError, ConnectionResetError):
            raise self._make_end_error() from None

    def _make_end_error(self) -> Disconnected | MessageTooLarge:
        """Why the peer closed the side stream: it is gone, or does not want this message."""
        unsent = sum(len(piece) for piece in self._pieces)
        if has_hung_up(self.outlet.socket.fileno(), _HANG_UP_DELAY):
            return Disconnected(f"the peer is gone with {unsent} of the message's {self._size} bytes unsent")
        return MessageTooLarge(
            f"the receiver refused a message of {self._size} bytes, {unsent} of them unsent: it allows less"
        )


def start_large(
    outlet: Outlet, pieces: "Sequence[bytes]", size: int, handles: "Sequence[Handle]"
) -> Delivery | None:
    """Send a message that is not short at once, by a stream that is kept; else what is to be done.

    Args:
        outlet: Where it goes, not inline.
        pieces: Its bytes: all, or the header of a long ``bytes`` value and its content.
        size: How many they are.
        handles: What it holds.
    """
    if len(handles) > LARGE_DESCRIPTOR_LIMIT:
        raise too_many_handles(LARGE_DESCRIPTOR_LIMIT)
    kept = outlet.take_kept(size)
    if kept is None or handles:
        return Delivery(outlet, pieces, handles, kept=kept)
    try:
        kept.write(pieces[-1])
    except OSError:
        return Delivery(outlet, pieces, handles, kept=kept)
    announcement = announce(size, kept.number, pieces[0] if len(pieces) > 1 else b"")
    try:
        sent = outlet.send(announcement, SEND_FLAGS)
    except OSError:
        return Delivery(outlet, (), kept=kept, announcement=announcement)
    if sent == len(announcement):
        outlet.give_back(kept)
        return None
    return Delivery(outlet, (), kept=kept, is_begun=True)


_OPEN, _FILL, _FIRST, _REST, _BODY = range(5)

_CLOSED = "this sender was closed"
