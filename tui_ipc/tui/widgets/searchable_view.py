"""A view of lines that keep coming, with a cursor, in which one searches; what is found is lit in the rows.

The rule: nobody waits for a search. It looks at the lines a slice of time at a time, newest first, and at
those that come as they come.
"""

import re
from time import monotonic
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from tui_ipc.text.units import format_count
from tui_ipc.tui.keys import dispatch_key, format_key
from tui_ipc.tui.model.ring_buffer import IncrementalFilter
from tui_ipc.tui.model.styled_line import Line, find_extent, highlight
from tui_ipc.tui.scheduling import TimeLimitExceeded, limit_cpu_time
from tui_ipc.tui.widgets.tail_view import TailView

SLICE_SECONDS = 0.005
"""For how many seconds lines are looked at before everybody else gets a turn."""

PAUSE_SECONDS = 0.005
"""How long that turn is at least, in seconds."""

TIME_LIMIT = 0.5
"""For how many seconds of computing a slice may go on at most: an expression may be worth years of them."""

REDRAW_SECONDS = 0.1
"""How often what was found so far is shown, in seconds."""


TITLE_CHARS = 24
"""How many characters of what is searched for stand in the title."""


class SearchableView(TailView):
    """A :class:`TailView` with a cursor and a search.

    With a cursor the view holds still; following the end lets it go. A subclass says what is searched
    (:meth:`searched`), and binds a key to ``search``.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "n", "found(1)", "Find next", show=False, id="search.next", tooltip="Go to the next line found"
        ),
        Binding(
            "N",
            "found(-1)",
            "Find previous",
            show=False,
            id="search.previous",
            tooltip="Go to the line found before this one",
        ),
        Binding(
            "backspace,delete",
            "clear",
            "End search",
            show=False,
            key_display="⌫",
            id="search.clear",
            tooltip="End the search; asked again in the log, take its filter away",
        ),
    ]

    PREFIX = 0
    """How many spans at the beginning of a line are not searched; the last is lit for what the line hides."""

    class SearchRequested(Message):
        """Something is to be searched for; a search pane opens its bar."""

    class SearchStatusChanged(Message):
        """There is other news of the search: :attr:`SearchableView.news`."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.pattern: re.Pattern[str] | None = None
        self._text = ""
        self._found: IncrementalFilter | None = None
        self._jumps_to_match = False
        self._wrapped = ""
        self._is_scan_scheduled = False
        self._redraw_at = 0.0
        self._title = ""
        self._early_keys: list[events.Key] | None = None

    def searched(self, index: int) -> str:
        """The text of a line in which is searched: all of it, though the row may show less."""
        return self.line(index).text

    @property
    def complete_end(self) -> int:
        """The index after the last line that will not change, so that it is enough to search it once."""
        return self.end

    @property
    def found(self) -> int:
        """How many lines were found so far."""
        return 0 if self._found is None else len(self._found)

    @property
    def is_scan_complete(self) -> bool:
        """True if no line is left to be looked at."""
        return not self._is_scan_scheduled

    @property
    def news(self) -> str:
        """How the search stands, in a few words; empty if there is none."""
        if self._found is None:
            return ""
        more = "" if self.is_scan_complete else "…"
        if not self._found:
            return f"searching{more}" if more else "not found"
        index = self.cursor
        place = self._found.find_position(index) if index is not None else self._found.end
        number = place - self._found.first + 1
        at = place < self._found.end and self._found[place] == index
        of = (
            f"{format_count(number)} of {format_count(self.found)}{more}"
            if at
            else f"{format_count(self.found)}{more} found"
        )
        return f"{of}, {self._wrapped}" if self._wrapped else of

    def search(self, pattern: re.Pattern[str] | None, text: str = "") -> None:
        """Search for something else, from the cursor on, else from the newest line.

        Args:
            pattern: What to look for; None ends the search.
            text: How that was written.
        """
        if pattern == self.pattern:
            return
        self.pattern = pattern
        self._text = text
        self._wrapped = ""
        self._jumps_to_match = pattern is not None
        self._found = None if pattern is None else IncrementalFilter(self._matches_line, self.complete_end)
        self.catch_up()
        self.refresh()

    def renumber(self) -> None:
        """Take in that the lines have other indexes than before: search in them anew."""
        super().renumber()
        self._found = (
            None if self.pattern is None else IncrementalFilter(self._matches_line, self.complete_end)
        )
        self.catch_up()
        self.refresh()

    def _matches_line(self, index: int) -> bool:
        return self.pattern is not None and self.pattern.search(self.searched(index)) is not None

    def follow_source(self) -> None:
        """Take in that lines may have come and gone."""
        if not self._is_scan_scheduled:
            self._look()
        self._show()

    def catch_up(self) -> None:
        """Look at lines for a while, and see to it that the rest follows."""
        self._look()
        self._show()

    def _look(self) -> None:
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
        self._look()
        if self.is_scan_complete or monotonic() >= self._redraw_at:
            self._redraw_at = monotonic() + REDRAW_SECONDS
            self._show()

    def _show(self) -> None:
        super().follow_source()
        self.place_cursor()
        self.tell()

    def scan_until(self, until: float) -> bool:
        """Look at lines until a moment; whether there was time for all."""
        return self._found is None or self._found.scan(self.first, self.complete_end, until, monotonic)

    def abort_search(self) -> None:
        """End what takes too long, and say so."""
        self.search(None)
        sentence = f"A line took more than {TIME_LIMIT} s to search. Write a simpler regular expression."
        self.app.notify(sentence, title="Search ended", severity="warning", markup=False)

    def place_cursor(self) -> None:
        """Go where the cursor belongs, once that is known: to what is found from it on, else before it."""
        if not self._jumps_to_match or self._found is None:
            return
        at = self.end if self.cursor is None else self.cursor
        if self._found and self._found.has_tested(min(at, self.complete_end)):
            self._jumps_to_match = False
            self._go_to_found(min(self._found.find_position(at), self._found.end - 1))
        elif self.is_scan_complete:
            self._jumps_to_match = False

    def action_search(self) -> None:
        """Ask what to search for."""
        self.ask(self.SearchRequested())

    def ask(self, question: Message) -> None:
        """Have a bar opened. Keys that come before it is there are typed into it."""
        self._early_keys = []
        self.post_message(question)

    async def _on_key(self, event: events.Key) -> None:
        """Take keys in their order; none that is meant for a bar is a command here."""
        focused = self.screen.focused
        if self._early_keys is not None:
            event.stop()
            self._early_keys.append(event)
        elif focused is self or focused is None:
            await dispatch_key(self, event)
        else:  # it was on its way here when the focus went on
            event.stop()
            _forward_key(event, focused)

    def forward_early_keys(self, box: Widget) -> None:
        """Give the keys that came early to what has the focus now."""
        early, self._early_keys = self._early_keys or [], None
        for event in early:
            _forward_key(event, box)

    def action_found(self, direction: int) -> None:
        """Go to the next (1) or the previous (-1) line found; past the last comes the first."""
        if not self._found:
            return
        first, end = self._found.first, self._found.end
        at = self.end if self.cursor is None else self.cursor
        place = self._found.find_position(at + 1) if direction > 0 else self._found.find_position(at) - 1
        self._wrapped = ""
        if place >= end:
            place, self._wrapped = first, "from the first again"
        elif place < first:
            place, self._wrapped = end - 1, "from the last again"
        self._go_to_found(place)
        self.tell()

    def action_clear(self) -> None:
        """End the search."""
        self.search(None)

    def _go_to_found(self, place: int) -> None:
        if self._found is not None:
            index = self._found[place]
            self.select(index)
            self._shift_to(self.line(index))

    def _shift_to(self, line: Line) -> None:
        """Bring what was found in a line into sight if it lies too far right."""
        span = None if self.pattern is None else find_extent(line, self.pattern, self.PREFIX)
        room = self.width - line.right_width
        start, end = span or (0, 0)
        if end <= room:
            self.shift = 0
        elif not (self.shift < start and end <= self.shift + room):
            self.shift = max(0, start - room // 3)

    # The cursor

    def can_follow(self) -> bool:
        """A selected line must not be swept away."""
        return self.cursor is None

    def watch_cursor(self, cursor: int | None) -> None:
        """Hold still at a cursor."""
        if cursor is not None:
            self.set_follows(False)
        self.tell()

    def action_follow(self) -> None:
        """Let the cursor go and follow the newest line."""
        self.cursor = None
        super().action_follow()

    def select(self, index: int) -> None:
        """Put the cursor on a line, and bring it into sight."""
        if self.first == self.end:
            return
        self.cursor = max(self.first, min(index, self.end - 1))
        self.show_row(self.cursor - self.first)

    # What is seen of it

    def displayed_line(self, index: int) -> Line:
        """A line as its row shows it, with what was found in it lit."""
        line = self.line(index)
        return self.highlight_matches(line) if self._is_found(index) else line

    def highlight_matches(self, line: Line) -> Line:
        """A line with what is searched for lit in it."""
        if self.pattern is None:
            return line
        try:
            with limit_cpu_time(TIME_LIMIT):
                return highlight(line, self.pattern, self.PREFIX)
        except TimeLimitExceeded:
            self.call_later(self.abort_search)
            return line

    def _is_found(self, index: int) -> bool:
        if self._found is None:
            return False
        place = self._found.find_position(index)
        return place < self._found.end and self._found[place] == index

    def title_parts(self) -> list[str]:
        """What stands behind the title: what is searched for, how that goes, how to end it."""
        if self.pattern is None:
            return []
        return [f"find {shorten(self._text)}: {self.news}", f"{format_key(self, 'search.clear')} ends it"]

    def tell(self) -> None:
        """Bring the title up to date, and tell whoever listens."""
        title = " · ".join([self.BORDER_TITLE or "", *self.title_parts()])
        if title != self._title:
            self._title = title
            self.border_title = Content(title)  # no markup: it may hold what a user typed
            self.post_message(self.SearchStatusChanged())


def _forward_key(event: events.Key, widget: Widget) -> None:
    """Have a widget take a key as if it had been pressed there."""
    widget._forward_event(events.Key(event.key, event.character))


def shorten(text: str) -> str:
    """What was typed, as it fits into a title."""
    return text if len(text) <= TITLE_CHARS else text[: TITLE_CHARS - 1] + "…"
