"""A pane that holds a searchable view, and below it a bar while the user types a search."""

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
