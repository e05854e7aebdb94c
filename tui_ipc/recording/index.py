"""Where things are in a recording, so that a replay can begin anywhere in it."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from tui_ipc.events import (
    AnyEvent,
    Fault,
    HandshakeFailed,
    MessageReceived,
    MessageSent,
    Note,
    ScriptStep,
)
from tui_ipc.recording.codec import Clock, RecordingError
from tui_ipc.recording.reader import open_recording

Landmark = Literal["fault", "unanswered message", "note", "failed step"]
"""What one looks for in a recording."""

CHECKPOINT_SPACING: Final = 1000
"""Events between two places at which reading can begin."""

CONTEXT: Final = 2000
"""Events before the one that is gone to that are shown at least."""

_QUIT: Final = "quit"  # the message that is not answered in good order


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place at which reading can begin.

    Attributes:
        position: The number of events before it.
        offset: Where the next event begins in the file.
        preface: The events of the current run so far that it has once, such as its handshake, each with how
            the clock of the events related to the wall clock then.
        clock: How it relates to it now.
    """

    position: int
    offset: int
    preface: tuple[tuple[AnyEvent, Clock | None], ...]
    clock: Clock | None


class RecordingIndex:
    """An index of a recording, built as it is read. Nothing of the messages is kept.

    Args:
        path: The file.

    Attributes:
        position: How many events were read.
        is_whole: Whether all were.

    Raises:
        RecordingError: There is no recording that can be read.
    """

    def __init__(self, path: str) -> None:
        self._recording = open_recording(path)
        self._events: Iterator[AnyEvent] = self._recording.events()
        self._checkpoints = [Checkpoint(0, 0, (), None)]
        self._landmarks: dict[Landmark, list[int]] = {"fault": [], "note": [], "failed step": []}
        self._pending: dict[tuple[int, int], int] = {}  # the position of each message without answer
        self._preface: list[tuple[AnyEvent, Clock | None]] = []
        self._times = array("q")  # the moment of each event, 8 bytes each
        self.position = 0
        self.is_whole = False

    def read_on(self, count: int) -> None:
        """Read so many events more. A broken file ends where it is broken."""
        for _ in range(count):
            try:
                event = next(self._events, None)
            except RecordingError:  # which the replay says when it comes there
                event = None
            if event is None:
                self.is_whole = True
                return
            self.position += 1
            self._times.append(event.at)
            self._add(event)

    def find_next(self, landmark: Landmark, after: int) -> int | None:
        """Return the number of the first such event after that many, as far as was read; None if none is.

        Which messages have no answer is only known once all was read.
        """
        if landmark == "unanswered message":
            found = sorted(self._pending.values()) if self.is_whole else []
        else:
            found = self._landmarks[landmark]
        index = bisect_right(found, after)
        return found[index] if index < len(found) else None

    def find_checkpoint(self, position: int) -> Checkpoint:
        """Return the place to begin at, to show what comes before that event and the event itself."""
        start = max(0, position - CONTEXT)
        index = bisect_right(self._checkpoints, start, key=lambda checkpoint: checkpoint.position)
        return self._checkpoints[index - 1]

    def find_time(self, at: int) -> int | None:
        """Return the number of the first event from a moment on, as far as was read; None if none is."""
        index = bisect_left(self._times, at)
        return index + 1 if index < len(self._times) else None

    def _add(self, event: AnyEvent) -> None:
        if self._preface and self._preface[0][0].run != event.run:
            self._preface.clear()
        if event.ONCE_A_RUN:
            self._preface.append((event, self._recording.clock))
        match event:
            case Fault() | HandshakeFailed():
                self._landmarks["fault"].append(self.position)
            case Note():
                self._landmarks["note"].append(self.position)
            case ScriptStep(state="failed"):
                self._landmarks["failed step"].append(self.position)
            case MessageSent() if event.value != _QUIT:
                self._pending[event.run, event.number] = self.position
            case MessageReceived(answers=int(answers)):
                self._pending.pop((event.run, answers), None)
            case _:
                pass  # nobody looks for it by its kind
        if self.position % CHECKPOINT_SPACING == 0:
            offset, clock = self._recording.offset, self._recording.clock
            self._checkpoints.append(Checkpoint(self.position, offset, tuple(self._preface), clock))
