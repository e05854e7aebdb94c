"""Panes that hold a searchable view, and below it a bar while the user types a search or a filter."""

from dataclasses import dataclass
from typing import ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.widgets.inputs import SafeInput
from tui_ipc.tui.widgets.log_view import LogView
from tui_ipc.tui.widgets.searchable_view import SearchableView


class QueryBar(Horizontal):
    """A prompt, an input, and a status.

    It exists only while it is used: a :class:`SearchPane` mounts it below its view, reacts to
    :class:`Changed`, and removes it at :class:`Closed`.

    Args:
        prompt: A word before the input: what the text is for.
        text: The text to begin with.
        hint: What could be typed; shown while the input is empty.

    Attributes:
        status: The status that is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape", "leave", "Done", key_display="⏎", id="query.leave"),
        Binding("up", "step(-1)", "Previous", show=False, id="query.previous"),
        Binding("down", "step(1)", "Next", show=False, id="query.next"),
    ]

    @dataclass
    class Changed(Message):
        """The text was changed."""

        bar: "QueryBar"
        text: str

    @dataclass
    class StepRequested(Message):
        """The user wants the next (1) or the previous (-1) match."""

        bar: "QueryBar"
        direction: int

    @dataclass
    class Closed(Message):
        """The user is done; the text stays in force."""

        bar: "QueryBar"

    def __init__(self, prompt: str, text: str, hint: str) -> None:
        super().__init__()
        self._prompt = Static(Content(prompt), classes="query--prompt")
        self.status = ""
        self._status = Static(classes="query--status")
        self.input = SafeInput(text, placeholder=hint, compact=True, select_on_focus=True)

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield self._prompt
        yield self.input
        yield self._status

    def on_mount(self) -> None:
        """Take the focus."""
        self.screen.set_focus(self.input)

    @property
    def has_error(self) -> bool:
        """True while the status is an error."""
        return self.has_class("-wrong")

    def show_status(self, text: str, *, is_error: bool = False) -> None:
        """Show a status: a count, or what is wrong with the text."""
        self.status = make_visible(text)
        self.set_class(is_error, "-wrong")
        self._status.update(Content(self.status))

    def set_prompt(self, prompt: str) -> None:
        """Change the prompt."""
        self._prompt.update(Content(prompt))

    def action_step(self, direction: int) -> None:
        """Request the next (1) or the previous (-1) match."""
        self.post_message(self.StepRequested(self, direction))

    def action_leave(self) -> None:
        """Close the bar; the text stays in force."""
        self.post_message(self.Closed(self))

    @on(Input.Changed)
    def _on_changed(self, changed: Input.Changed) -> None:
        changed.stop()
        self.post_message(self.Changed(self, changed.value))

    @on(Input.Submitted)
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        submitted.stop()
        self.action_leave()


SEARCH_HINT: Final = "text, or /regular expression/"


class SearchPane(Vertical):
    """Holds a view, and below it a :class:`QueryBar` while the user types a search.

    To make a view searchable, derive it from :class:`SearchableView`, bind a key of it to the action
    ``search``, which opens the bar, and compose ``SearchPane(view, id=…)`` in the view's place. In the style
    sheet the pane has the size among its neighbours; the view fills the pane.

    Args:
        view: The view.
        id: The pane's id.
    """

    def __init__(self, view: SearchableView, *, id: str) -> None:
        super().__init__(id=id)
        self.view = view
        self.bar: QueryBar | None = None
        self._text = ""

    def compose(self) -> ComposeResult:
        """Make the view."""
        yield self.view

    def open(self, bar: QueryBar) -> None:
        """Open a bar, in place of one that is open."""
        if self.bar is not None:
            self.bar.remove()
        self.bar = bar
        self.mount(bar)

    @on(SearchableView.SearchRequested)
    def _on_search_requested(self) -> None:
        self.open(QueryBar("find", self._text if self.view.pattern else "", SEARCH_HINT))
        self._show_status()

    @on(SearchableView.SearchStatusChanged)
    def _show_status(self) -> None:
        if self.bar is not None and not self.bar.has_error:
            self.bar.show_status(self.status_text)

    @property
    def status_text(self) -> str:
        """The status of the search."""
        return self.view.search_status

    @on(QueryBar.Changed)
    def _on_bar_changed(self, changed: QueryBar.Changed) -> None:
        if changed.bar is self.bar:
            self.apply_text(changed.text)

    def apply_text(self, text: str) -> None:
        """Search for a text; one that is not a valid search leaves the search as it was."""
        from tui_ipc.tui.model.search import SearchPatternError, compile_search

        assert self.bar is not None
        try:
            wanted = compile_search(text) if text else None
        except SearchPatternError as error:
            self.bar.show_status(str(error), is_error=True)
            return
        self._text = text
        self.view.search(wanted, text)
        self.bar.show_status(self.status_text)

    @on(QueryBar.StepRequested)
    def _on_step_requested(self, requested: QueryBar.StepRequested) -> None:
        self.step(requested.direction)

    def step(self, direction: int) -> None:
        """Go to the next (1) or the previous (-1) match."""
        self.view.action_found(direction)

    @on(QueryBar.Closed)
    def _on_bar_closed(self) -> None:
        if self.bar is not None:
            self.bar.remove()
            self.bar = None
        self.view.focus()


FILTER_HINT: Final = "text  /regex/  sent  received  slower 5ms  run 2  faults  !not  (all must pass)"


class FilterBar(QueryBar):
    """Takes the text of a filter.

    Args:
        prompt: What happens to the lines that pass: show or hide.
        text: The text to begin with.
    """

    BINDINGS = [
        Binding("ctrl+n", "invert", "Invert", id="query.invert"),
    ]

    def __init__(self, prompt: str, text: str) -> None:
        super().__init__(prompt, text, FILTER_HINT)

    def action_invert(self) -> None:
        """Show what the filter hides."""
        self.post_message(LogView.InvertRequested())


class LogPane(SearchPane):
    """Holds the log, and below it a bar while the user types a search or a filter."""

    def __init__(self, log: LogView) -> None:
        super().__init__(log, id="log-pane")
        self.log_view = log
        self._filter_bar: FilterBar | None = None
        self._filter_text = ""
        self._inverted = False
        self._applied = ("", False)

    @property
    def _open_filter_bar(self) -> "FilterBar | None":
        """The filter bar, while it is open."""
        return self._filter_bar if self._filter_bar is self.bar else None

    @property
    def _prompt(self) -> str:
        return "hide" if self._inverted else "show"

    @property
    def status_text(self) -> str:
        """How many lines pass the filter, or the status of the search."""
        return self.log_view.filter_status if self._open_filter_bar else super().status_text

    @on(LogView.FilterRequested)
    def _on_filter_requested(self) -> None:
        self._filter_bar = FilterBar(self._prompt, self._filter_text)
        self.open(self._filter_bar)
        self._filter(self._filter_text)

    @on(LogView.InvertRequested)
    def _on_invert_requested(self) -> None:
        self._inverted = not self._inverted
        if bar := self._open_filter_bar:
            bar.set_prompt(self._prompt)
        elif not self._filter_text:
            self._on_filter_requested()
        self._filter(self._filter_text)

    @on(LogView.FilterCleared)
    def _on_filter_cleared(self) -> None:
        self._filter_text = ""
        self._inverted = False
        self._applied = ("", False)

    def apply_text(self, text: str) -> None:
        """Filter or search; an invalid text leaves the log as it was, and the bar says why."""
        if self._open_filter_bar:
            self._filter(text)
        else:
            super().apply_text(text)

    def step(self, direction: int) -> None:
        """Select the next line that passes, or go to the next match."""
        if self._open_filter_bar:
            self.log_view.action_cursor(direction)
        else:
            super().step(direction)

    def _filter(self, text: str) -> None:
        from tui_ipc.tui.model.search import FilterError, parse_filter

        self._filter_text = text
        try:
            wanted = parse_filter(text, inverted=self._inverted)
        except FilterError as error:
            if bar := self._open_filter_bar:
                bar.show_status(str(error), is_error=True)
            return
        if self._applied != (text, self._inverted):
            self._applied = (text, self._inverted)
            self.log_view.set_filter(wanted)
        if bar := self._open_filter_bar:
            bar.show_status(self.status_text)
