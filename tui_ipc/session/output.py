"""What the child prints: its streams, and the events that are made of them.

A stream is read only as far as its reader asks: a reader that is slow makes the child wait, and does not make
our memory grow.
"""

import asyncio
import errno
import os
import select
from typing import Final

from tui_ipc.events import ChildOutput, Stream
from tui_ipc.osutil.async_waits import finish_within, wait_until_readable
from tui_ipc.osutil.descriptors import count_unread
from tui_ipc.osutil.leaving import create_watched_task
from tui_ipc.osutil.waiting import has_hung_up
from tui_ipc.session.timeline import Timeline

MAX_PIECE: Final = 64 * 1024
"""Bytes of one piece at most. A read of a pseudo-terminal returns up to 4 KiB; a piece joins several."""

DRAIN_SECONDS: Final = 0.2
"""Seconds to wait, once the child has ended, for the ends of its streams: processes it left may hold them."""

DRAIN_BYTES: Final = 8 * 1024 * 1024
"""What is read of each stream after the child's end at most. The kernel holds less: more can only come from
processes that the child left behind."""


class ChildStream:
    """The reading end of a pipe, or the master of a pseudo-terminal.

    Owns its descriptor. One task at a time may wait in :meth:`read`; :meth:`read_available` may be called
    meanwhile.

    Attributes:
        name: Which of the child's streams it is.
        read_bytes: How many bytes were read so far.
        ended: True once the child, and everyone who inherited the stream from it, has closed it.
    """

    def __init__(self, name: Stream, descriptor: int) -> None:
        self.name = name
        self.read_bytes = 0
        self.ended = False
        self._descriptor = descriptor
        os.set_blocking(descriptor, False)

    @property
    def unread_bytes(self) -> int | None:
        """How many bytes can be read; None if the kernel does not say."""
        return 0 if self._descriptor < 0 else count_unread(self._descriptor)

    @property
    def is_held(self) -> bool:
        """Whether a process still has the stream open for writing; nothing is read to find out."""
        return not self.ended and not has_hung_up(self._descriptor)

    def read_available(self) -> bytes | None:
        """Read up to :data:`MAX_PIECE` bytes without waiting: None if there are none, ``b""`` at the end."""
        pieces = []
        wanted = MAX_PIECE
        while wanted and not self.ended:
            try:
                piece = os.read(self._descriptor, wanted)
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.EIO:
                    raise
                # Linux gives EIO, once all that was written has been read, when no process has the slave of
                # the pseudo-terminal open any more.
                piece = b""
            self.ended = not piece
            pieces.append(piece)
            self.read_bytes += len(piece)
            wanted -= len(piece)
        return b"".join(pieces) if pieces or self.ended else None

    async def read(self) -> bytes:
        """Wait for up to :data:`MAX_PIECE` bytes; ``b""`` at the end. Cancelling it loses nothing."""
        while (piece := self.read_available()) is None:
            await wait_until_readable(self._descriptor)
        return piece

    def fileno(self) -> int:
        """The descriptor, -1 once it is closed."""
        return self._descriptor

    def close(self) -> None:
        """Close the descriptor. No task may wait in :meth:`read`. Closing twice is harmless."""
        self.ended = True
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


_TAIL_BYTES: Final = 4096  # bytes of each stream that are kept as evidence
_MAX_PIECES_AT_ONCE: Final = 4  # of 64 KiB: what a stream can have queued, unless its owner enlarged it


class OutputReader:
    """Reads the output streams of one run, from the spawn to their end. Must be made in an event loop.

    Args:
        run: The run's number, for events.
        timeline: Where the events go.
        streams: The child's; they stay the caller's to close, after :meth:`stop`.

    Attributes:
        last_output_at: When each stream last printed something; without those that never did.
    """

    def __init__(self, run: int, timeline: Timeline, *streams: ChildStream) -> None:
        self.last_output_at: dict[Stream, int] = {}
        self._run = run
        self._timeline = timeline
        self._streams = streams
        self._tails = {stream.name: b"" for stream in streams}
        self._drained = False
        self._poll = select.poll()
        for stream in streams:
            self._poll.register(stream.fileno(), select.POLLIN)
        self._tasks = [create_watched_task(self._read_all(stream)) for stream in streams]

    @property
    def last_output(self) -> tuple[bytes, bytes]:
        """The last bytes printed on standard error and on standard output."""
        return self._tails["stderr"], self._tails["stdout"]

    @property
    def unread_bytes(self) -> int | None:
        """How many bytes the child printed that were not read yet; None if the kernel does not say."""
        counts = [stream.unread_bytes for stream in self._streams]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def held_streams(self) -> tuple[Stream, ...]:
        """The streams that a process still has open."""
        return tuple(stream.name for stream in self._streams if stream.is_held)

    def emit_available(self, at: int | None = None) -> None:
        """Emit what is there to read, as much as the kernel holds, without waiting for more.

        Nor does it wait for space in the timeline: it is called where an event must come after what was
        printed before it. What one call adds is bounded by what the kernel holds.

        Args:
            at: The ``at`` of the events, None for now.
        """
        if not self._poll.poll(0):  # as a rule: one call, where a read of each stream takes three times that
            return
        for stream in self._streams:
            for _ in range(_MAX_PIECES_AT_ONCE):
                piece = stream.read_available()
                if not piece:
                    break
                self._emit(stream, piece, at)

    async def drain(self, timeout: float, max_bytes: int) -> None:
        """Emit what a child that ended had still printed, without waiting for space.

        Args:
            timeout: Seconds to wait for the ends of the streams, which other processes may hold open.
            max_bytes: Of each stream, where to stop even if more comes.
        """
        await self.stop()
        if self._drained:
            return
        self._drained = True
        await finish_within(
            self._drain_all(max_bytes), timeout, lambda: [stream.read_bytes for stream in self._streams]
        )

    async def stop(self) -> None:
        """Stop reading. Raises what a task of ours raised, if one did."""
        self.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        for task in self._tasks:
            if not task.cancelled():
                task.result()
        self._tasks = []

    def cancel(self) -> None:
        """Stop reading without waiting for that."""
        for task in self._tasks:
            task.cancel()

    async def _read_all(self, stream: ChildStream) -> None:
        while piece := await stream.read():
            self._emit(stream, piece)
            await self._timeline.wait_for_space()
            await asyncio.sleep(0)  # a stream that always has more would keep the loop from everything else

    async def _drain_all(self, max_bytes: int) -> None:
        await asyncio.gather(*(self._drain(stream, max_bytes) for stream in self._streams))

    async def _drain(self, stream: ChildStream, max_bytes: int) -> None:
        while max_bytes > 0 and (piece := await stream.read()):
            self._emit(stream, piece)
            max_bytes -= len(piece)

    def _emit(self, stream: ChildStream, piece: bytes, at: int | None = None) -> None:
        self._tails[stream.name] = (self._tails[stream.name] + piece)[-_TAIL_BYTES:]
        self.last_output_at[stream.name] = at = self._timeline.stamp(at)
        self._timeline.add(ChildOutput(at=at, run=self._run, stream=stream.name, data=piece))
