"""One stream of the child's output, read when asked and never waited for in the kernel.

The one rule: nothing is read that nobody asked for, so whoever stops asking makes the child wait, and not
our memory grow.
"""

import asyncio
import errno
import os
import select
from typing import Final

from tui_ipc.session.events import Stream
from tui_ipc.session.queues import unread_by_us

CHUNK: Final = 64 * 1024
"""Bytes of one piece at most. A pseudo-terminal gives 4 KiB a read; a piece gathers what several give."""


class Output:
    """The reading end of a pipe, or the master of a pseudo-terminal.

    Owns its descriptor. One task at a time may wait in :meth:`read`; :meth:`read_now` may be called
    meanwhile.

    Attributes:
        stream: Which of the child's streams it is.
        ended: True once the child, and everyone who inherited the stream from it, has closed it.
    """

    def __init__(self, stream: Stream, descriptor: int) -> None:
        self.stream = stream
        self.ended = False
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    @property
    def unread(self) -> int | None:
        """Bytes that can be read; None if the kernel does not say."""
        return 0 if self._descriptor < 0 else unread_by_us(self._descriptor)

    @property
    def held(self) -> bool:
        """Whether a process still has the stream open for writing; nothing is read to find out."""
        return not self.ended and not hung_up(self._descriptor)

    def read_now(self) -> bytes | None:
        """Up to :data:`CHUNK` bytes without waiting: None while there are none, ``b""`` at the end."""
        pieces = []
        wanted = CHUNK
        while wanted and not self.ended:
            try:
                piece = os.read(self._descriptor, wanted)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.EIO:  # what Linux says once nobody holds the terminal any more
                    raise
                piece = b""
            self.ended = not piece
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces) if pieces or self.ended else None

    async def read(self) -> bytes:
        """Wait for up to :data:`CHUNK` bytes; ``b""`` at the end. Cancelling it loses nothing."""
        while (piece := self.read_now()) is None:
            await readable(self._descriptor)
        return piece

    def fileno(self) -> int:
        """The descriptor, -1 once it is closed."""
        return self._descriptor

    def close(self) -> None:
        """Close the descriptor. Nobody may wait in :meth:`read`. Closing twice is harmless."""
        self.ended = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def hung_up(descriptor: int) -> bool:
    """Whether nobody holds the other end of a pipe, terminal or socket, whatever lies unread in it."""
    poll = select.poll()
    poll.register(descriptor, 0)  # a hang-up is told unasked
    return any(events & select.POLLHUP for _, events in poll.poll(0))


async def readable(descriptor: int) -> None:
    """Wait until ``descriptor`` is readable. It must stay open, and have no other waiter in this loop."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()
    loop.add_reader(descriptor, _wake, waiter)
    try:
        await waiter
    finally:
        loop.remove_reader(descriptor)


def _wake(waiter: asyncio.Future[None]) -> None:
    if not waiter.done():
        waiter.set_result(None)
