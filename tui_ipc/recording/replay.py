"""Plays a recording: gives its events at the times at which they happened, faster, or one by one.

No event is left out, and no pause is shortened but by the speed that is set.
"""

import asyncio
import math
import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from itertools import chain, islice
from typing import Final, Self

from tui_ipc.events import AnyEvent, ChildExited, ChildSpawned
from tui_ipc.recording.index import Checkpoint, Place
from tui_ipc.recording.reader import FOLLOW_INTERVAL, FollowedRecording, open_recording

_AT_ONCE: Final = 100  # events that are shown without letting others run


class Replay:
    """A recording that is played: an asynchronous context manager, and the events.

    Its time begins with the first event, when that is asked for. It ends after the last event, or where it is
    left.

    Args:
        path: The file.
        speed: How many times faster than it happened; None for as fast as the events are taken.
        start: Where to begin; None for the first event.
        follow: Whether the file may still be written: then the end is where its writer ends it.

    Attributes:
        command: What was run, as it was asked for.
        began: The wall clock when it was recorded.
        program: What recorded it, with its version.
        run: The run of the event that was shown last; 0 before the first.
        pid: The process id of the child, as it was then; None while no child lived.
        at: The moment of the event that was shown last; None before the first.
        position: Events that were shown.
        length: Events that there are, None until the last was read.
        progress: Which share of the file was shown, from 0 to 1.
        over: True once no event will follow.

    Raises:
        RecordingError: There is no recording that can be read.
        ValueError: The speed is not positive.

    Example:
        >>> async def main():
        ...     async with Replay("session.rec", speed=2.0) as replay:
        ...         async for event in replay.events():
        ...             print(event)
    """

    def __init__(
        self,
        path: str,
        *,
        speed: float | None = 1.0,
        follow: bool = False,
        start: Checkpoint | None = None,
    ) -> None:
        place = start.place if start is not None else Place(0, None)
        self._followed = FollowedRecording(path, *place) if follow else None
        self._recorded = open_recording(path) if self._followed is None else self._followed.recording
        self._speed = _check_speed(speed)
        self._left: Iterator[AnyEvent] = iter(()) if follow else self._recorded.events(*place)
        if start is not None:
            self._left = chain(self._preface(start), self._left)
        # Events before a start in the middle are shown at once, and not counted again.
        self._prefaced = 0 if start is None else len(start.preface)
        self._next: AnyEvent | None = None
        self._steps = 0  # asked for and not yet shown
        self._changed = asyncio.Event()
        self._playing = True
        self._moment = 0  # of the recording's clock, when ...
        self._since = 0  # ... the clock of this machine stood here; 0 until it is first asked
        self.command = self._recorded.command
        self.began = self._recorded.began
        self.program = self._recorded.program
        self.run = 0
        self.pid: int | None = None
        self.at: int | None = None
        self.position = 0 if start is None else start.position - self._prefaced
        self.length: int | None = None
        self.progress = 0.0
        self._size = os.path.getsize(path)
        self.over = False

    def _preface(self, start: Checkpoint) -> Iterator[AnyEvent]:
        for place in start.preface:
            yield from islice(self._recorded.events(*place), 1)

    @property
    def path(self) -> str:
        """The file."""
        return self._recorded.path

    @property
    def now(self) -> int:
        """Nanoseconds on the recording's clock, which stands still while the replay is paused."""
        return self._read_clock()

    @property
    def destination(self) -> int:
        """How many events will have been shown once those that were asked for are."""
        return self.position + self._steps

    @property
    def is_followed(self) -> bool:
        """Whether the file may still be written."""
        return self._followed is not None

    @property
    def truncated(self) -> int:
        """Bytes at the end of the file that are not a whole event; known once the last event was shown."""
        return self._recorded.truncated

    @property
    def problems(self) -> list[str]:
        """A sentence for each thing that is wrong with the recording; known once the last event was shown."""
        return self._recorded.problems() if self._followed is None else self._followed.problems()

    @property
    def is_replaced(self) -> bool:
        """Whether the file that is followed is another recording now."""
        return self._followed is not None and self._followed.ending == "replaced"

    @property
    def is_abandoned(self) -> bool:
        """Whether the writer of the file that is followed is gone, and did not end the recording."""
        return self._followed is not None and self._followed.ending == "abandoned"

    def time_of(self, at: int) -> datetime | None:
        """Return the wall clock at a moment of the events; None where nothing says it."""
        return self._recorded.time_of(at)

    @property
    def playing(self) -> bool:
        """Whether time passes."""
        return self._playing

    @property
    def speed(self) -> float | None:
        """How many times faster than it happened; None for as fast as the events are taken."""
        return self._speed

    @speed.setter
    def speed(self, speed: float | None) -> None:
        speed = _check_speed(speed)
        self._set_clock(self._read_clock())
        self._speed = speed

    def play(self) -> None:
        """Let time pass."""
        self._set_clock(self._read_clock())
        self._playing = True

    def pause(self) -> None:
        """Let no time pass; events come by :meth:`step` alone."""
        self._set_clock(self._read_clock())
        self._playing = False

    def step(self) -> None:
        """Show the next event at once, and pause there."""
        self.pause()
        self._steps += 1

    def go_to(self, position: int) -> None:
        """Show events at once until so many were shown, and pause there."""
        self.pause()
        self._steps = max(0, position - self.position)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End here: no event follows. Closing twice is harmless."""
        self.over = True
        self._next = None
        self._left = iter(())
        if self._followed is not None:
            self._followed.close()
        self._changed.set()

    def events(self) -> AsyncIterator[AnyEvent]:
        """The events in order, each when its time has come. One task consumes them; it may go on later.

        Raises:
            RecordingError: From the iteration, where the file is broken, after the events before that.
        """
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AnyEvent:
        if self.position % _AT_ONCE == 0:
            await asyncio.sleep(0)
        while (event := self._peek()) is None or not self._due(event):
            if self.over:
                raise StopAsyncIteration
            await self._wait_until_due(event)
        self._advance(event)
        return event

    def _peek(self) -> AnyEvent | None:
        """The next event, which stays the next one until it is shown; None if there is none."""
        if self._next is None and not self.over:
            may_grow = False
            try:
                if self._followed is None:
                    self._next = next(self._left, None)
                else:
                    self._next = next(self._left, None) or self._followed.take()
                    may_grow = not self._followed.ending
            finally:
                if self._next is None and not may_grow:  # the last was shown, or the file is broken here
                    self.over = True
                    self.length = self.position
                    self._note_progress()
            if self._next is not None and self.position == 0 and self._since == 0:
                self._moment = self._next.at  # a recording may have begun long after its session
        return self._next

    def _due(self, event: AnyEvent) -> bool:
        return self._steps > 0 or (self._playing and (self._speed is None or event.at <= self._read_clock()))

    async def _wait_until_due(self, event: AnyEvent | None) -> None:
        """Wait until the event may be due, there may be one, or anything was changed."""
        self._changed.clear()
        wait = None
        if event is None:
            wait = FOLLOW_INTERVAL
        elif self._playing and self._speed is not None:
            wait = (event.at - self._read_clock()) / self._speed / 1e9
        try:
            async with asyncio.timeout(wait):
                await self._changed.wait()
        except TimeoutError:
            pass

    def _advance(self, event: AnyEvent) -> None:
        self._next = None
        self.at = event.at
        self.position += 1
        if self._steps:
            self._steps -= 1
        if not self._playing or self._speed is None:
            self._set_clock(event.at)
        self._note_progress()
        self.run = event.run
        if isinstance(event, ChildSpawned):
            self.pid = event.pid
        elif isinstance(event, ChildExited):
            self.pid = None

    def _note_progress(self) -> None:
        if self._followed is not None:
            self._size = max(self._size, self._recorded.offset)
        self.progress = min(1.0, self._recorded.offset / max(1, self._size))

    def _read_clock(self) -> int:
        """Nanoseconds on the recording's clock."""
        if self._since == 0:
            self._since = time.monotonic_ns()
        if not self._playing or self._speed is None:
            return self._moment
        return self._moment + int((time.monotonic_ns() - self._since) * self._speed)

    def _set_clock(self, moment: int) -> None:
        self._moment = moment
        self._since = time.monotonic_ns()
        self._changed.set()


def _check_speed(speed: float | None) -> float | None:
    if speed is not None and not 0 < speed < math.inf:
        raise ValueError(f"a recording cannot be shown at speed {speed:g}; give a number above 0, such as 2")
    return speed
