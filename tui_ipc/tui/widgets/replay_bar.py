"""The bar below a replay: the position, and marks for faults, failed steps, unanswered messages and notes."""

from collections.abc import Callable
from typing import Final

from textual.content import Content
from textual.widgets import Static

from tui_ipc.recording.index import Landmark, RecordingIndex
from tui_ipc.recording.replay import Replay
from tui_ipc.text.units import format_count, format_plural, to_local_time
from tui_ipc.tui.model.status import Status
from tui_ipc.tui.widgets.line_view import MUTED

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""The speeds of a replay; beyond the last it makes no pauses."""

POLL_SECONDS = 0.2
"""Seconds between two looks at the replay, whose end no event reports."""

MIN_PROGRESS_CELLS = 8
"""The least width of the progress line, in cells; where there is no room for it, it is left out."""

_LANDMARKS: Final[tuple[tuple[Landmark, str, str], ...]] = (
    ("fault", "✕", "bold $text-error"),
    ("failed step", "✕", "bold $text-error"),
    ("unanswered message", "?", "bold $text-warning"),
    ("note", "✎", "bold $text-accent"),
)
"""What is marked in the progress line, and how; of several in one cell, the first."""

_PERCENT_CELLS: Final = 5


def increase_speed(speed: float | None) -> float | None:
    """Return the next higher of :data:`SPEEDS`, None (no pauses) beyond the last."""
    return None if speed is None else next((each for each in SPEEDS if each > speed), None)


def decrease_speed(speed: float | None) -> float | None:
    """Return the next lower of :data:`SPEEDS`; the first stays the first."""
    return next((each for each in reversed(SPEEDS) if speed is None or each < speed), speed)


class ReplayBar(Static, can_focus=True):
    """Shows where a replay is.

    Args:
        replay: The replay.
        describe_time: Returns the time of the event that a replay showed last; empty before the first.

    Attributes:
        flaw: What is wrong with the recording, in a few words; empty if nothing is.
        index: Where things are in the recording; None while that is not known.
    """

    BORDER_TITLE = "Replay"

    def __init__(self, replay: Replay, describe_time: Callable[[Replay], str]) -> None:
        super().__init__(id="replay")
        self.flaw = ""
        self.index: RecordingIndex | None = None
        self._replay = replay
        self._describe_time = describe_time
        self._shown: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Show the replay, and look again at intervals."""
        self.show(self._replay)
        self.set_interval(POLL_SECONDS, self.sync)

    def on_resize(self) -> None:
        """Draw as long a progress line as there is room for."""
        self.sync()

    def show(self, replay: Replay) -> None:
        """Show another replay."""
        self._replay, self.flaw = replay, ""
        self.border_subtitle = f"recorded {to_local_time(replay.began):%Y-%m-%d %H:%M %Z}"
        self.sync()

    def take_focus(self) -> None:
        """Take the focus."""
        self.screen.set_focus(self)

    def follow(self, status: Status) -> None:
        """Show the replay as it is now, after an event."""
        self.sync()

    def sync(self) -> None:
        """Show the replay as it is now."""
        replay, index = self._replay, self.index
        shown = (
            replay.playing,
            replay.over,
            replay.position,
            replay.progress,
            replay.speed,
            self.flaw,
            self._describe_time(replay),
            self.content_size.width,
            index and (index.position, index.is_whole),
        )
        if shown != self._shown:
            self._shown = shown
            self.update(self._content(), layout=False)

    @property
    def length(self) -> int | None:
        """How many events there are, in a recording that is still written so far; None if not known."""
        if self.index is not None and (self.index.is_whole or self._replay.is_followed):
            return max(self.index.position, self._replay.position)
        return self._replay.length

    def _content(self) -> Content:
        replay, length = self._replay, self.length
        of = "" if length is None else f" of {format_count(length)}"
        parts = [
            self._describe_state(),
            ("   event ", MUTED),
            (format_count(replay.position), "bold"),
            (of, MUTED),
        ]
        if time := self._describe_time(replay):
            parts += [("   at ", MUTED), (time, "")]
        if not replay.is_followed:
            speed = "no pauses" if replay.speed is None else f"{replay.speed:g}×"
            parts += [("   speed ", MUTED), (speed, "")]
        text = Content.assemble(*parts, "   ")
        room = self.content_size.width - text.cell_length - _PERCENT_CELLS
        if room < MIN_PROGRESS_CELLS:
            return text
        progress = replay.progress if length is None else replay.position / max(1, length)
        line = draw_progress(progress, room, self.index if length is not None else None)
        return text + Content.assemble(*line, (f" {progress:.0%}", MUTED))

    def _describe_state(self) -> tuple[str, str]:
        replay, length = self._replay, self.length
        if replay.over:
            return (f"■ over: {self.flaw}", "bold $text-error") if self.flaw else ("■ over", f"bold {MUTED}")
        if replay.is_followed and replay.playing:
            return "● live", "bold $text-success"
        if replay.playing:
            return "▶ playing", "bold $text-success"
        behind = (length or 0) - replay.position if replay.is_followed else 0
        how_far = f", {format_plural(behind, 'event')} behind" if behind > 0 else ""
        return f"‖ paused{how_far}", "bold $text-warning"


def draw_progress(progress: float, cells: int, index: RecordingIndex | None) -> list[tuple[str, str]]:
    """Return a line of so many cells, filled as far as the replay is, with a mark for each landmark.

    Args:
        progress: Which share of the events was shown, from 0 to 1.
        cells: The width.
        index: Where the landmarks are; None for none.
    """
    filled = round(progress * cells)
    parts = []
    for cell in range(cells):
        mark = None if index is None else _find_mark(index, cell, cells)
        parts.append(mark or (("━", "$text-success") if cell < filled else ("─", MUTED)))
    return parts


def _find_mark(index: RecordingIndex, cell: int, cells: int) -> tuple[str, str] | None:
    """Return the mark of the first kind of landmark that is among the events of a cell."""
    before, last = cell * index.position // cells, (cell + 1) * index.position // cells
    for landmark, mark, style in _LANDMARKS:
        found = index.find_next(landmark, before)
        if found is not None and found <= last:
            return mark, style
    return None
