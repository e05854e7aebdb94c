"""What the child prints, as events.

The one rule: output becomes an event as soon as there is room for it, and before a message that the child
sent after it. Nothing is read ahead of the timeline, so a child that prints faster than anyone reads has to
wait.
"""

import asyncio
import select
from typing import Final

from tui_ipc.session.events import ChildOutput, Stream
from tui_ipc.session.output import Output
from tui_ipc.session.timeline import Timeline

_TAIL: Final = 4096  # bytes of each stream that are kept as evidence
_PIECES: Final = 4  # of 64 KiB: what a stream can have queued, unless its owner enlarged it


class Printing:
    """The output streams of one run, from the spawn to their end. Must be made in an event loop.

    Args:
        run: The run's number, for events.
        timeline: Where the events go.
        outputs: The child's streams; they stay the caller's to close, after :meth:`stop`.

    Attributes:
        latest: When each stream last printed something; without those that never did.
    """

    def __init__(self, run: int, timeline: Timeline, *outputs: Output) -> None:
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
            for _ in range(_PIECES):
                piece = output.read_now()
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

    async def _pump(self, output: Output) -> None:
        while piece := await output.read():
            self._emit(output, piece)
            await self._timeline.room()
            await asyncio.sleep(0)  # a flood of output shall not keep the loop from everything else

    async def _drain(self, output: Output, max_bytes: int) -> None:
        while max_bytes > 0 and (piece := await output.read()):
            self._emit(output, piece)
            max_bytes -= len(piece)

    def _emit(self, output: Output, piece: bytes, moment: int | None = None) -> None:
        self._tails[output.stream] = (self._tails[output.stream] + piece)[-_TAIL:]
        self.latest[output.stream] = at = self._timeline.stamp(moment)
        self._timeline.add(ChildOutput(at=at, run=self._run, stream=output.stream, data=piece))
