"""The timeline with the bar in which its filter is typed, or what to search in it."""

from typing import TYPE_CHECKING

from textual import on

from tui_ipc.tui.views.log_view import LogView
from tui_ipc.tui.views.search_pane import SearchPane

if TYPE_CHECKING:
    from tui_ipc.tui.views.filter_bar import FilterBar


class LogPane(SearchPane):
    """Holds the log.

    Args:
        log: The log.
    """

    def __init__(self, log: LogView) -> None:
        super().__init__(log, id="timeline")
        self.log_view = log
        self._filter_bar: FilterBar | None = None
        self._asked = ""
        self._inverted = False
        self._applied = ("", False)

    @property
    def _filtering(self) -> "FilterBar | None":
        """The bar, while a filter is being typed."""
        return self._filter_bar if self._filter_bar is self.bar else None

    @property
    def _prompt(self) -> str:
        return "hide" if self._inverted else "show"

    @property
    def news(self) -> str:
        """How many lines pass, or were found."""
        return self.log_view.shown_of if self._filtering else super().news

    @on(LogView.FilterAsked)
    def _on_filter_asked(self) -> None:
        from tui_ipc.tui.views.filter_bar import FilterBar  # only who asks for it pays for it

        self._filter_bar = FilterBar(self._prompt, self._asked)
        self.open(self._filter_bar)
        self._filter(self._asked)

    @on(LogView.InvertAsked)
    def _on_invert_asked(self) -> None:
        self._inverted = not self._inverted
        if bar := self._filtering:
            bar.ask(self._prompt)
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
        if self._filtering:
            self._filter(text)
        else:
            super().answer(text)

    def step(self, direction: int) -> None:
        """Select another of the lines that pass, or go on to another that was found."""
        if self._filtering:
            self.log_view.action_cursor(direction)
        else:
            super().step(direction)

    def _filter(self, text: str) -> None:
        from tui_ipc.tui.content.filter import FilterError, parse

        self._asked = text
        try:
            wanted = parse(text, inverted=self._inverted)
        except FilterError as error:
            if bar := self._filtering:
                bar.say(str(error), wrong=True)
            return
        if self._applied != (text, self._inverted):
            self._applied = (text, self._inverted)
            self.log_view.set_filter(wanted)
        if bar := self._filtering:
            bar.say(self.news)
