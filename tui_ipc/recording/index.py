"""Where things are in a recording, so that a replay can begin anywhere in it.

An index takes 8 bytes for each event, 8 more for each that is looked for (a fault, a note, a failed step, a
message without answer), and less than 16 for the places at which reading can begin; nothing of the messages.
"""

import os
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal, NamedTuple

from tui_ipc import events as ev
from tui_ipc.recording.codec import Clock, RecordingError
from tui_ipc.recording.reader import FollowedRecording, open_recording

Landmark = Literal["fault", "unanswered message", "note", "failed step"]
"""What a user looks for in a recording."""

CHECKPOINT_SPACING: Final = 1000
"""Events between two places at which reading can begin."""

CONTEXT: Final = 2000
"""Events before the one that is gone to that are shown at least."""

MAX_PENDING: Final = 65_536
"""Messages that may still be answered; a session does not wait for more. Beyond, the oldest is unanswered."""

_MAX_RUNS: Final = 16  # that overlap, in the preface of a checkpoint
_QUIT: Final = "quit"  # the message that is not answered in good order


class Place(NamedTuple):
    """Where an event begins in the file, and how its clock relates to the wall clock unless that is said."""

    offset: int
    clock: Clock | None


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A place at which reading can begin.

    Attributes:
        position: The number of events before it.
        place: That of the next event.
        preface: Those of the events that a run has once, such as its handshake, of the runs that are not
            over, or of the last one.
    """

    position: int
    place: Place
    preface: tuple[Place, ...]


class RecordingIndex:
    """An index of a recording, built as it is read.

    Args:
        path: The file.
        follow: Whether it may still be written: then all were read once its writer ended it.

    Attributes:
        began: When the recording began, by which it differs from one that replaces it.
        position: How many events were read.
        is_whole: Whether all were.
        is_at_end: Whether nothing more was there at the last look, in a file that may still be written.

    Raises:
        RecordingError: No recording can be read from it.
    """

    def __init__(self, path: str, *, follow: bool = False) -> None:
        self._followed = FollowedRecording(path) if follow else None
        self._recording = open_recording(path) if self._followed is None else self._followed.recording
        self.began = self._recording.began
        self._size = os.path.getsize(path)
        self._events: Iterator[ev.AnyEvent | None] = (
            self._recording.events() if self._followed is None else _follow(self._followed)
        )
        self._checkpoints = [Checkpoint(0, Place(0, None), ())]
        self._landmarks: dict[Landmark, array[int]] = {
            "fault": array("q"),
            "note": array("q"),
            "failed step": array("q"),
            "unanswered message": array("q"),  # of those that nothing can answer any more
        }
        self._pending: dict[tuple[int, int], int] = {}  # the position of each message that may be answered
        self._prefaces: dict[int, list[Place]] = {}  # by run
        self._runs_over: set[int] = set()
        self._preface: tuple[Place, ...] | None = ()  # of the next checkpoint; None if it is to be made
        self._times = array("q")  # the moment of each event
        self.position = 0
        self.is_whole = False
        self.is_at_end = False

    @property
    def is_replaced(self) -> bool:
        """Whether the file that is followed is another recording now."""
        return self._followed is not None and self._followed.ending == "replaced"

    @property
    def progress(self) -> float:
        """Which share of the file was read, from 0 to 1."""
        return 1.0 if self.is_whole else min(1.0, self._recording.offset / max(1, self._size))

    def read_on(self, count: int) -> None:
        """Read so many events more. A broken file ends where it is broken."""
        stop = self.position + count
        try:
            for event in islice(self._events, count):
                self.is_at_end = event is None
                if event is None:
                    return
                self.position += 1
                self._times.append(event.at)
                if isinstance(event, ev.MessageReceived):
                    if event.answers is not None:
                        self._pending.pop((event.run, event.answers), None)
                elif isinstance(event, ev.MessageSent):
                    self._add_sent(event)
                elif not isinstance(event, ev.ChildOutput):
                    self._add_other(event)
                if self.position % CHECKPOINT_SPACING == 0:
                    self._add_checkpoint()
        except RecordingError:
            pass  # which the replay says when it comes there
        if self.position < stop:
            self.is_whole = True
            self._landmarks["unanswered message"].extend(self._pending.values())
            self._pending.clear()

    def find_next(self, landmark: Landmark, after: int) -> int | None:
        """Return the number of the first such event after that many, as far as was read; None if none is.

        Which messages have no answer is only known once all was read.
        """
        if landmark == "unanswered message" and not self.is_whole:
            return None
        found = self._landmarks[landmark]
        index = bisect_right(found, after)
        return found[index] if index < len(found) else None

    def find_previous(self, landmark: Landmark, before: int) -> int | None:
        """Return the number of the last such event before that one, as :meth:`find_next` the first after."""
        if landmark == "unanswered message" and not self.is_whole:
            return None
        found = self._landmarks[landmark]
        index = bisect_left(found, before)
        return found[index - 1] if index > 0 else None

    def find_checkpoint(self, position: int) -> Checkpoint:
        """Return the place to begin at, to show what comes before that event and the event itself."""
        start = max(0, position - CONTEXT)
        return self._checkpoints[min(start // CHECKPOINT_SPACING, len(self._checkpoints) - 1)]

    def find_time(self, at: int) -> int | None:
        """Return the number of the first event from a moment on, as far as was read; None if none is."""
        index = bisect_left(self._times, at)
        return index + 1 if index < len(self._times) else None

    def _add_sent(self, event: ev.MessageSent) -> None:
        if event.value == _QUIT or event.channel:  # an answer takes the main channel
            return
        pending = self._pending
        pending[event.run, event.number] = self.position
        if len(pending) > MAX_PENDING:
            self._landmarks["unanswered message"].append(pending.pop(next(iter(pending))))

    def _add_other(self, event: ev.AnyEvent) -> None:
        match event:
            case ev.Fault() | ev.HandshakeFailed():
                self._landmarks["fault"].append(self.position)
            case ev.Note():
                self._landmarks["note"].append(self.position)
            case ev.ScriptStep(state="failed"):
                self._landmarks["failed step"].append(self.position)
            case _:
                pass  # not a landmark
        if event.ONCE_A_RUN:
            self._add_to_preface(event)

    def _add_to_preface(self, event: ev.AnyEvent) -> None:
        if event.run not in self._prefaces:
            for run in self._runs_over:
                self._prefaces.pop(run, None)
            self._runs_over.clear()
            if len(self._prefaces) == _MAX_RUNS:
                del self._prefaces[next(iter(self._prefaces))]
            self._prefaces[event.run] = []
        self._prefaces[event.run].append(Place(self._recording.start, self._recording.clock))
        self._preface = None
        if isinstance(event, ev.Audit):
            self._runs_over.add(event.run)

    def _add_checkpoint(self) -> None:
        if self._preface is None:
            self._preface = tuple(sorted(place for places in self._prefaces.values() for place in places))
        place = Place(self._recording.offset, self._recording.clock)
        self._checkpoints.append(Checkpoint(self.position, place, self._preface))


def _follow(followed: FollowedRecording) -> Iterator[ev.AnyEvent | None]:
    """Give the events, and None where nothing more was there, until no event will follow."""
    while not followed.ending:
        yield followed.take()
    followed.close()
