"""The log: the handshake, every message, the child's end; its cursor selects what the inspector explains."""

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui_ipc.text.units import format_count
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.model.exchanges import Exchange
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.model.ring_buffer import IncrementalFilter
from tui_ipc.tui.model.session_model import SessionModel
from tui_ipc.tui.model.styled_line import Line, Span, line
from tui_ipc.tui.widgets.line_view import restyle
from tui_ipc.tui.widgets.searchable_view import SearchableView, shorten

if TYPE_CHECKING:
    from tui_ipc.tui.model.search import Filter


WIDE_CELLS: Final = 70
"""From which width on a row says why no answer comes."""


class LogView(SearchableView):
    """Shows the log, newest line last; with a filter, only the lines that pass.

    With a cursor the view holds still; moving the cursor past the last line removes it, and the view follows
    the end again. An index here counts the lines that pass.

    The selected entry outlives a change of the filter: :meth:`set_filter` removes the cursor and keeps the
    index of the entry; once the new filter has scanned up to there, :meth:`place_cursor` puts the cursor on
    the entry, or on the nearest one that passes. Until then changes of the cursor do not count as selections.

    Args:
        model: Holds the log.
        now: Returns the current time of the session in ns.
        wall_clock: Whether the time of day is shown at first, not seconds.
    """

    BORDER_TITLE = "Log"
    PREFIX = 2  # the time, and the mark with the number

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Select", show=True, key_display="↑↓", id="log.up"),
        Binding("down", "cursor(1)", "Select next", show=False, id="log.down"),
        Binding(
            "enter",
            "app.inspect",
            "Inspect",
            id="log.inspect",
            tooltip="Go to the inspector, which explains the selected line",
        ),
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            id="log.filter",
            tooltip="Show only the lines that pass a filter: text, direction, kind, slower 5ms, …",
        ),
        Binding(
            "f",
            "search",
            "Find",
            id="log.find",
            tooltip="Search in the log; n and N go to the next and the previous match",
        ),
        Binding(
            "exclamation_mark",
            "invert",
            "Invert the filter",
            show=False,
            key_display="!",
            id="log.invert",
            tooltip="Show the lines that the filter hides, and hide the others",
        ),
        Binding(
            "T",
            "app.wall_clock",
            "Times",
            id="log.clock",
            tooltip="Show the time of day in the log, or the seconds since the session began",
        ),
        Binding("v", "app.tab('value')", "Value", show=False, id="log.value"),
        Binding("b", "app.tab('bytes')", "Bytes", show=False, id="log.bytes"),
        Binding("a", "app.tab('about')", "About", show=False, id="log.about"),
        Binding("g", "app.partner", "Go to answer", show=False, id="log.partner"),
        Binding("c", "app.copy('notation')", "Copy", show=False, id="log.copy"),
        Binding("j", "app.copy('JSON')", "Copy JSON", show=False, id="log.copy_json"),
        Binding("x", "app.copy('hex')", "Copy hex", show=False, id="log.copy_hex"),
        Binding(
            "m",
            "app.note",
            "Note",
            show=False,
            id="log.note",
            tooltip="Write a line of text about the selected line; it becomes an event of the session",
        ),
        Binding(
            "e",
            "app.edit_again",
            "Edit and resend",
            show=False,
            id="log.edit",
            tooltip="Put the selected message into the message box, to edit and send it; ↓ recalls a draft",
        ),
        Binding(
            "r",
            "app.send_again",
            "Resend",
            show=False,
            id="log.resend",
            tooltip="Send the selected message again, as it is",
        ),
    ]

    @dataclass
    class EntrySelected(Message):
        """The cursor is on another entry, or was removed (None)."""

        entry: LogEntry | None

    class FilterRequested(Message):
        """The user wants to type a filter."""

    class InvertRequested(Message):
        """The user wants the filter inverted."""

    class FilterCleared(Message):
        """The filter was cleared."""

    class EndRequested(Message):
        """The user wants to see what comes."""

    def __init__(self, model: SessionModel, now: Callable[[], int], *, wall_clock: bool = False) -> None:
        super().__init__(id="log")
        self._model = model
        self._now = now
        self._wall_clock = wall_clock
        self.filter: Filter | None = None
        self._filtered: IncrementalFilter | None = None
        self._selected_entry_index: int | None = None  # passing the filter or not
        self._is_restoring_cursor = False
        self._selected_exchange: Exchange | None = None

    # Which lines there are

    @property
    def first(self) -> int:
        """The index of the oldest line that is held."""
        if self._filtered is None:
            return self._model.log.first
        self._filtered.forget(self._model.log.first)
        return self._filtered.first

    @property
    def end(self) -> int:
        """The index after the newest line."""
        return self._model.log.end if self._filtered is None else self._filtered.end

    @property
    def selected(self) -> LogEntry | None:
        """The entry under the cursor, None if there is no cursor or the entry is no longer held."""
        held = self.cursor is not None and self.first <= self.cursor < self.end
        return self.entry(self.cursor) if held and self.cursor is not None else None

    def entry(self, index: int) -> LogEntry:
        """Return the entry of a line."""
        return self._model.log[index if self._filtered is None else self._filtered[index]]

    def line(self, index: int) -> Line:
        """Return a line."""
        return self.entry(index).format_line(
            self._now(), time_of_day=self._wall_clock, is_wide=self.width >= WIDE_CELLS
        )

    def version(self) -> object:
        """Return a value that differs whenever the lines do, or what became of a message."""
        return super().version(), self._model.exchanges.changes

    def refresh_waits(self) -> None:
        """Draw the rows again if one of them shows how long its message has waited."""
        now, top = self._now(), self.first + self.scroll_offset.y
        shown = (self.entry(index).exchange for index in range(top, min(self.end, top + self.size.height)))
        if any(exchange is not None and exchange.is_waiting(now) for exchange in shown):
            self.refresh_rows()

    def show_wall_clock(self, shown: bool) -> None:
        """Show the time of day, or the seconds since the session began."""
        self._wall_clock = shown
        self.refresh()

    def searched(self, index: int) -> str:
        """Return the whole text of an entry; its line may show less."""
        return self.entry(index).text

    def placeholder(self) -> list[Line]:
        """Return what the view is for, or why it is empty."""
        if self._filtered is not None and len(self._model.log):
            text = "No line passes the filter." if self.is_scan_complete else "Filtering …"
            return [line(Span(text, "muted"))]
        sentence = "Each step of the handshake and each message appears here with its time, latency and size."
        return [line(Span(sentence, "muted"))]

    # The filter

    def set_filter(self, wanted: "Filter | None") -> None:
        """Change the filter; lines are found newest first, and the selected entry stays selected."""
        self._is_restoring_cursor = True
        self.cursor = None
        self.set_follows(self._selected_entry_index is None)
        self.filter = wanted
        self._filtered = None if wanted is None else IncrementalFilter(self._passes, self._model.log.end)
        self.renumber()

    def _passes(self, index: int) -> bool:
        event = (entry := self._model.log[index]).held
        assert self.filter is not None
        return event is not None and self.filter.passes(event, lambda: entry.text)

    def scan_until(self, until: float) -> bool:
        """Filter and search until a time of the monotonic clock; return whether all lines were scanned."""
        log = self._model.log
        filtered = self._filtered is None or self._filtered.scan(log.first, log.end, until, monotonic)
        return super().scan_until(until) and filtered

    def place_cursor(self) -> None:
        """Put the cursor on the selected entry again, once the filter has scanned up to it."""
        anchor = max(self._selected_entry_index or 0, self._model.log.first)
        if self._is_restoring_cursor and (self._filtered is None or self._filtered.has_tested(anchor)):
            if self._selected_entry_index is not None:
                self.select(anchor if self._filtered is None else self._filtered.find_position(anchor))
            self._is_restoring_cursor = False
        super().place_cursor()

    @property
    def filter_status(self) -> str:
        """How many lines pass the filter, of how many; empty without a filter."""
        if self._filtered is None:
            return ""
        more = "" if self.is_scan_complete else "…"
        return f"{format_count(len(self._filtered))}{more} of {format_count(len(self._model.log))}"

    def abort_search(self) -> None:
        """Clear the search, else the filter: one of their expressions takes too long."""
        if self.pattern is None:
            self.set_filter(None)
            self.post_message(self.FilterCleared())
        super().abort_search()

    def title_parts(self) -> list[str]:
        """Return the filter and how much passes it, then the search, then how to clear them."""
        marks = super().title_parts()
        if self.filter is None:
            return marks
        verb = "hide" if self.filter.inverted else "show"
        status = f"{verb} {shorten(self.filter.text)}: {self.filter_status}"
        return [status, *(marks or [f"{format_key(self, 'search.clear')} clears it"])]

    def action_filter(self) -> None:
        """Open the bar to filter."""
        self.post_message(self.FilterRequested())

    def action_invert(self) -> None:
        """Invert the filter."""
        self.post_message(self.InvertRequested())

    def action_clear(self) -> None:
        """Clear the search, else the filter."""
        if self.pattern is not None:
            super().action_clear()
        elif self.filter is not None:
            self.set_filter(None)
            self.post_message(self.FilterCleared())

    # The cursor

    def watch_cursor(self, cursor: int | None) -> None:
        """Hold still at a cursor, and post which entry is selected."""
        super().watch_cursor(cursor)
        entry = self.selected
        self._selected_exchange = None if entry is None else entry.exchange
        if not self._is_restoring_cursor:
            self._selected_entry_index = (
                cursor if cursor is None or self._filtered is None else self._filtered[cursor]
            )
        self.post_message(self.EntrySelected(entry))

    def draw_row(self, index: int, width: int) -> Strip:
        """Draw the row of a line; the question or the answer to the selected one is marked."""
        strip = super().draw_row(index, width)
        exchange = self._selected_exchange
        if exchange is None or index == self.cursor or self.entry(index).exchange is not exchange:
            return strip
        return restyle(strip, 0, None, self._style_of("partner"))

    def select_entry(self, index: int) -> None:
        """Put the cursor on an entry of the log; a filter that hides it is cleared."""
        if self._filtered is None:
            self.select(index)
            return
        place = self._filtered.find_position(index)
        if place < self._filtered.end and self._filtered[place] == index:
            self.select(place)
        else:
            self._selected_entry_index = index
            self.set_filter(None)
            self.post_message(self.FilterCleared())

    def action_cursor(self, direction: int) -> None:
        """Move the cursor; the first move up selects the newest line."""
        cursor = self.end if self.cursor is None else self.cursor
        if direction > 0 and cursor + direction >= self.end:
            super().action_follow()
        else:
            self.select(cursor + direction)

    def action_follow(self) -> None:
        """Remove the cursor, and follow the newest line, also of a recording that was paused."""
        super().action_follow()
        self.post_message(self.EndRequested())

    def action_page(self, direction: int) -> None:
        """Move the cursor by a screenful."""
        self.action_cursor(direction * max(1, self.size.height - 1))

    def action_scroll_home(self) -> None:
        """Move the cursor to the oldest entry."""
        self.select(self.first)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points."""
        offset = event.get_content_offset(self)
        index = self.first + self.scroll_offset.y + offset.y if offset is not None else self.end
        if index < self.end:
            self.select(index)
