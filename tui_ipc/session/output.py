"""One stream of the child's output, read when asked and never waited for in the kernel.

The one rule: nothing is read that nobody asked for, so whoever stops asking makes the child wait, and not
our memory grow.
"""

import asyncio
import errno
import os
import select
from typing import Final

from tui_ipc.events import ChildOutput, Stream
from tui_ipc.osutil.descriptors import count_unread, has_hung_up, wait_until_readable
from tui_ipc.session.timeline import Timeline

MAX_PIECE: Final = 64 * 1024
"""Bytes of one piece at most. A pseudo-terminal gives 4 KiB a read; a piece gathers what several give."""


class ChildStream:
    """The reading end of a pipe, or the master of a pseudo-terminal.

    Owns its descriptor. One task at a time may wait in :meth:`read`; :meth:`read_available` may be called
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
        return 0 if self._descriptor < 0 else count_unread(self._descriptor)

    @property
    def held(self) -> bool:
        """Whether a process still has the stream open for writing; nothing is read to find out."""
        return not self.ended and not has_hung_up(self._descriptor)

    def read_available(self) -> bytes | None:
        """Up to :data:`CHUNK` bytes without waiting: None while there are none, ``b""`` at the end."""
        pieces = []
        wanted = MAX_PIECE
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
        while (piece := self.read_available()) is None:
            await wait_until_readable(self._descriptor)
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


_TAIL_BYTES: Final = 4096  # bytes of each stream that are kept as evidence
_MAX_PIECES_AT_ONCE: Final = 4  # of 64 KiB: what a stream can have queued, unless its owner enlarged it


class OutputReader:
    """The output streams of one run, from the spawn to their end. Must be made in an event loop.

    Args:
        run: The run's number, for events.
        timeline: Where the events go.
        outputs: The child's streams; they stay the caller's to close, after :meth:`stop`.

    Attributes:
        latest: When each stream last printed something; without those that never did.
    """

    def __init__(self, run: int, timeline: Timeline, *outputs: ChildStream) -> None:
        self.latest: dict[Stream, int] = {}
        self._run = run
        self._timeline = timeline
        self._outputs = outputs
        self._tails = {output.stream: b"" for output in outputs}
        self._drained = False
        self._poll = select.poll()
        for output in outputs:
            self._poll.register(output.fileno(), select.POLLIN)
        self._pumps = [asyncio.create_task(self._pump(output)) for output in outputs]

    @property
    def tails(self) -> tuple[bytes, bytes]:
        """The last bytes printed on standard error and on standard output."""
        return self._tails["stderr"], self._tails["stdout"]

    @property
    def unread(self) -> int | None:
        """Bytes that the child printed and that were not read yet; None if the kernel does not say."""
        counts = [output.unread for output in self._outputs]
        return None if None in counts else sum(count for count in counts if count is not None)

    @property
    def held(self) -> tuple[Stream, ...]:
        """The streams that a process still has open."""
        return tuple(output.stream for output in self._outputs if output.held)

    def catch_up(self, moment: int | None = None) -> None:
        """Emit what is there to read, as much as the kernel holds, without waiting for more or for room.

        Args:
            moment: The ``at`` of the events, None for now.
        """
        if not self._poll.poll(0):  # as a rule: one call, where a read of each stream costs three times that
            return
        for output in self._outputs:
            for _ in range(_MAX_PIECES_AT_ONCE):
                piece = output.read_available()
                if not piece:
                    break
                self._emit(output, piece, moment)

    async def drain(self, within: float, max_bytes: int) -> None:
        """Emit what a child that ended had still printed, without waiting for room.

        Args:
            within: Seconds to wait for the ends of the streams, which other processes may hold open.
            max_bytes: Of each stream, where to stop even if more comes.
        """
        await self.stop()
        if self._drained:
            return
        self._drained = True
        try:
            async with asyncio.timeout(within):
                await asyncio.gather(*(self._drain(output, max_bytes) for output in self._outputs))
        except TimeoutError:
            pass

    async def stop(self) -> None:
        """Read no more. Raises what a pump raised, which would be a mistake of ours."""
        for pump in self._pumps:
            pump.cancel()
        if self._pumps:
            await asyncio.wait(self._pumps)
        for pump in self._pumps:
            if not pump.cancelled():
                pump.result()
        self._pumps = []

    def abandon(self) -> None:
        """As :meth:`stop`, where nothing can be waited for."""
        for pump in self._pumps:
            pump.cancel()

    async def _pump(self, output: ChildStream) -> None:
        while piece := await output.read():
            self._emit(output, piece)
            await self._timeline.room()
            await asyncio.sleep(0)  # a flood of output shall not keep the loop from everything else

    async def _drain(self, output: ChildStream, max_bytes: int) -> None:
        while max_bytes > 0 and (piece := await output.read()):
            self._emit(output, piece)
            max_bytes -= len(piece)

    def _emit(self, output: ChildStream, piece: bytes, moment: int | None = None) -> None:
        self._tails[output.stream] = (self._tails[output.stream] + piece)[-_TAIL_BYTES:]
        self.latest[output.stream] = at = self._timeline.stamp(moment)
        self._timeline.add(ChildOutput(at=at, run=self._run, stream=output.stream, data=piece))
