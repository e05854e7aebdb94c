"""A view of lines that keep coming, with a cursor and a search; matches are highlighted in the rows.

A search never blocks: it scans the lines in short slices of time, newest first, and new lines as they come.
"""

import re
from time import monotonic
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message

from tui_ipc.text.units import format_count
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.model.ring_buffer import IncrementalFilter
from tui_ipc.tui.model.styled_line import Line, find_extent, highlight
from tui_ipc.tui.scheduling import TimeLimitExceeded, limit_cpu_time
from tui_ipc.tui.widgets.tail_view import TailView

SLICE_SECONDS = 0.008
"""Seconds of scanning after which other tasks run."""

PAUSE_SECONDS = 0.002
"""The least number of seconds until the next slice."""

TIME_LIMIT = 0.5
"""Seconds of CPU time after which a slice is aborted: some expressions take exponential time."""

REDRAW_SECONDS = 0.1
"""Seconds between two redraws while a search is under way."""


TITLE_CHARS = 24
"""The most characters of the search text that the title shows."""


class SearchableView(TailView):
    """A :class:`TailView` with a cursor and a search.

    With a cursor the view holds still; following the end removes the cursor. A subclass defines which text is
    searched (:meth:`searched`), and binds a key to ``search``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "found(1)", "Find next", show=False, id="search.next", tooltip="Go to the next match"),
        Binding(
            "N",
            "found(-1)",
            "Find previous",
            show=False,
            id="search.previous",
            tooltip="Go to the previous match",
        ),
        Binding(
            "backspace,delete",
            "clear",
            "Clear search",
            show=False,
            key_display="⌫",
            id="search.clear",
            tooltip="Clear the search; pressed again in the log, clear its filter",
        ),
    ]

    PREFIX = 0
    """How many spans at the start of a line are not searched; the last is highlighted for a hidden match."""

    class SearchRequested(Message):
        """The user wants to search; a search pane opens its bar."""

    class SearchStatusChanged(Message):
        """The status of the search changed: :attr:`SearchableView.search_status`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pattern: re.Pattern[str] | None = None
        self._text = ""
        self._matches: IncrementalFilter | None = None
        self._jumps_to_match = False
        self._wrapped = ""
        self._is_scan_scheduled = False
        self._redraw_at = 0.0
        self._title = ""

    def searched(self, index: int) -> str:
        """Return the text of a line to search: all of it, though the row may show less."""
        return self.line(index).text

    @property
    def complete_end(self) -> int:
        """The index after the last line that will not change; those before it are searched only once."""
        return self.end

    @property
    def match_count(self) -> int:
        """How many lines matched so far."""
        return 0 if self._matches is None else len(self._matches)

    @property
    def is_scan_complete(self) -> bool:
        """True if all lines were scanned."""
        return not self._is_scan_scheduled

    @property
    def search_status(self) -> str:
        """The status of the search in a few words; empty if there is none."""
        if self._matches is None:
            return ""
        more = "" if self.is_scan_complete else "…"
        if not self._matches:
            return f"searching{more}" if more else "not found"
        index = self.cursor
        place = self._matches.find_position(index) if index is not None else self._matches.end
        number = place - self._matches.first + 1
        at = place < self._matches.end and self._matches[place] == index
        of = (
            f"{format_count(number)} of {format_count(self.match_count)}{more}"
            if at
            else f"{format_count(self.match_count)}{more} found"
        )
        return f"{of}, {self._wrapped}" if self._wrapped else of

    def search(self, pattern: re.Pattern[str] | None, text: str = "") -> None:
        """Search from the cursor on, else from the newest line.

        Args:
            pattern: What to search for; None clears the search.
            text: The pattern as the user typed it.
        """
        if pattern == self.pattern:
            return
        self.pattern = pattern
        self._text = text
        self._wrapped = ""
        self._jumps_to_match = pattern is not None
        self.shift = 0  # what the first letters matched may be far right, and not be looked for any more
        self._matches = None if pattern is None else IncrementalFilter(self._matches_line, self.complete_end)
        self.catch_up()
        self.refresh()

    def renumber(self) -> None:
        """Search again after the lines were given other indexes."""
        super().renumber()
        self._matches = (
            None if self.pattern is None else IncrementalFilter(self._matches_line, self.complete_end)
        )
        self.catch_up()
        self.refresh()

    def _matches_line(self, index: int) -> bool:
        return self.pattern is not None and self.pattern.search(self.searched(index)) is not None

    def follow_source(self) -> None:
        """Search and show lines that came or went."""
        if not self._is_scan_scheduled:
            self._scan_slice()
        self._refresh_from_source()

    def catch_up(self) -> None:
        """Scan for one slice of time, and schedule the rest."""
        self._scan_slice()
        self._refresh_from_source()

    def _scan_slice(self) -> None:
        try:
            with limit_cpu_time(TIME_LIMIT):
                complete = self.scan_until(monotonic() + SLICE_SECONDS)
        except TimeLimitExceeded:
            self.abort_search()
            return
        if complete:
            self._is_scan_scheduled = False
        elif not self._is_scan_scheduled:
            self._is_scan_scheduled = True
            self.set_timer(PAUSE_SECONDS, self._continue_scan)

    def _continue_scan(self) -> None:
        self._is_scan_scheduled = False
        self._scan_slice()
        if self.is_scan_complete or monotonic() >= self._redraw_at:
            self._redraw_at = monotonic() + REDRAW_SECONDS
            self._refresh_from_source()

    def _refresh_from_source(self) -> None:
        super().follow_source()
        self.place_cursor()
        self.update_title()

    def scan_until(self, until: float) -> bool:
        """Scan lines until a time of the monotonic clock; return whether all were scanned."""
        return self._matches is None or self._matches.scan(self.first, self.complete_end, until, monotonic)

    def abort_search(self) -> None:
        """Clear a search that takes too long, and say so."""
        self.search(None)
        text = f"A line took more than {TIME_LIMIT} s to search. Write a simpler regular expression."
        self.app.notify(text, title="Search ended", severity="warning")

    def place_cursor(self) -> None:
        """Move to the first match from the cursor on, else to the last before it, once that is known."""
        if not self._jumps_to_match or self._matches is None:
            return
        at = self.end if self.cursor is None else self.cursor
        if self._matches and self._matches.has_tested(min(at, self.complete_end)):
            self._jumps_to_match = False
            self._go_to_found(min(self._matches.find_position(at), self._matches.end - 1))
        elif self.is_scan_complete:
            self._jumps_to_match = False

    def action_search(self) -> None:
        """Open the bar to search."""
        self.post_message(self.SearchRequested())

    def action_found(self, direction: int) -> None:
        """Go to the next (1) or the previous (-1) match; after the last comes the first."""
        if not self._matches:
            return
        first, end = self._matches.first, self._matches.end
        at = self.end if self.cursor is None else self.cursor
        place = self._matches.find_position(at + 1) if direction > 0 else self._matches.find_position(at) - 1
        self._wrapped = ""
        if place >= end:
            place, self._wrapped = first, "wrapped to the first"
        elif place < first:
            place, self._wrapped = end - 1, "wrapped to the last"
        self._go_to_found(place)
        self.update_title()

    def action_clear(self) -> None:
        """Clear the search."""
        self.search(None)

    def _go_to_found(self, place: int) -> None:
        if self._matches is not None:
            index = self._matches[place]
            self.select(index)
            self._shift_to(self.line(index))

    def _shift_to(self, line: Line) -> None:
        """Shift the view to bring the match in a line into view, if it is too far right."""
        span = None if self.pattern is None else find_extent(line, self.pattern, self.PREFIX)
        room = self.width - line.right_width
        start, end = span or (0, 0)
        if end <= room:
            self.shift = 0
        elif not (self.shift < start and end <= self.shift + room):
            self.shift = max(0, start - room // 3)

    # The cursor

    def can_follow(self) -> bool:
        """Return False while there is a cursor: its line must not scroll away."""
        return self.cursor is None

    def watch_cursor(self, cursor: int | None) -> None:
        """Hold still while there is a cursor."""
        if cursor is not None:
            self.set_follows(False)
        self.update_title()

    def action_follow(self) -> None:
        """Remove the cursor, and follow the newest line."""
        self.cursor = None
        super().action_follow()

    def select(self, index: int) -> None:
        """Put the cursor on a line, and bring the line into view."""
        if self.first == self.end:
            return
        self.cursor = max(self.first, min(index, self.end - 1))
        self.show_row(self.cursor - self.first)

    # What is displayed

    def displayed_line(self, index: int) -> Line:
        """Return the line as it is displayed, with its matches highlighted."""
        line = self.line(index)
        return self.highlight_matches(line) if self._is_found(index) else line

    def highlight_matches(self, line: Line) -> Line:
        """Return a line with its matches highlighted."""
        if self.pattern is None:
            return line
        try:
            with limit_cpu_time(TIME_LIMIT):
                return highlight(line, self.pattern, self.PREFIX)
        except TimeLimitExceeded:
            self.call_later(self.abort_search)
            return line

    def _is_found(self, index: int) -> bool:
        if self._matches is None:
            return False
        place = self._matches.find_position(index)
        return place < self._matches.end and self._matches[place] == index

    def title_parts(self) -> list[str]:
        """Return what follows the title: the search text, its status, how to clear it."""
        if self.pattern is None:
            return []
        return [
            f"find {shorten(self._text)}: {self.search_status}",
            f"{format_key(self, 'search.clear')} clears it",
        ]

    def update_title(self) -> None:
        """Update the title, and post a message if it changed."""
        title = " · ".join([self.BORDER_TITLE or "", *self.title_parts()])
        if title != self._title:
            self._title = title
            self.border_title = Content(title)  # no markup: it may hold what a user typed
            self.post_message(self.SearchStatusChanged())


def shorten(text: str) -> str:
    """Return a typed text, shortened to fit into a title."""
    return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"
