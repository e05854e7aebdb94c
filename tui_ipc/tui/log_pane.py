"""The timeline with the bar in which its filter is typed, or what to search in it."""

from typing import Final

from textual import on
from textual.binding import Binding

from tui_ipc.tui.filter import FilterError, parse
from tui_ipc.tui.log_view import LogView
from tui_ipc.tui.query_bar import QueryBar
from tui_ipc.tui.search_pane import SearchPane

FILTER_HINT: Final = "text  /regex/  sent  received  slower 5ms  run 2  faults  !not  (all must pass)"


class FilterBar(QueryBar):
    """Where a filter is typed."""

    BINDINGS = [
        Binding("ctrl+n", "invert", "Invert", id="query.invert"),
    ]

    def action_invert(self) -> None:
        """Show what the filter hides."""
        self.post_message(LogView.InvertAsked())


class LogPane(SearchPane):
    """Holds the log.

    Args:
        log: The log.
    """

    def __init__(self, log: LogView) -> None:
        super().__init__(log, id="timeline")
        self.log_view = log
        self._asked = ""
        self._inverted = False
        self._applied = ("", False)

    @property
    def _prompt(self) -> str:
        return "hide" if self._inverted else "show"

    @property
    def news(self) -> str:
        """How many lines pass, or were found."""
        return self.log_view.shown_of if isinstance(self.bar, FilterBar) else super().news

    @on(LogView.FilterAsked)
    def _on_filter_asked(self) -> None:
        self.open(FilterBar(self._prompt, self._asked, FILTER_HINT))
        self._filter(self._asked)

    @on(LogView.InvertAsked)
    def _on_invert_asked(self) -> None:
        self._inverted = not self._inverted
        if isinstance(self.bar, FilterBar):
            self.bar.ask(self._prompt)
        elif not self._asked:
            self._on_filter_asked()
        self._filter(self._asked)

    @on(LogView.FilterCleared)
    def _on_filter_cleared(self) -> None:
        self._asked = ""
        self._inverted = False
        self._applied = ("", False)

    def answer(self, text: str) -> None:
        """Filter or search; what is neither leaves the log as it was, and the bar says why."""
        if isinstance(self.bar, FilterBar):
            self._filter(text)
        else:
            super().answer(text)

    def _filter(self, text: str) -> None:
        self._asked = text
        try:
            wanted = parse(text, inverted=self._inverted)
        except FilterError as error:
            if self.bar is not None:
                self.bar.say(str(error), wrong=True)
            return
        if self._applied != (text, self._inverted):
            self._applied = (text, self._inverted)
            self.log_view.set_filter(wanted)
        if self.bar is not None:
            self.bar.say(self.news)
