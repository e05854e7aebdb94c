"""One line in which a question about the view above it is typed, and answered while it is typed."""

from collections.abc import Callable
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
    """A prompt, an input, and what is said about it.

    It is there only while it is used: whoever asks mounts it under a view and focuses it, hears
    :class:`Changed` at each change, and removes it at :class:`Left`. A
    :class:`~tui_ipc.tui.widgets.search_pane.SearchPane` does all of that.

    Args:
        prompt: A word before the input: what the question is for.
        text: What stands in the input at first.
        hint: What could be typed; shown while nothing is.

    Attributes:
        said: What is said about the question.
        ready: Is called with the input once it has the focus.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape", "leave", "Done", key_display="⏎", id="query.leave"),
        Binding("up", "step(-1)", "Previous", show=False, id="query.previous"),
        Binding("down", "step(1)", "Next", show=False, id="query.next"),
    ]

    @dataclass
    class Changed(Message):
        """Another question was typed."""

        bar: "QueryBar"
        text: str

    @dataclass
    class Stepped(Message):
        """The next (1) or the previous (-1) answer is wanted."""

        bar: "QueryBar"
        direction: int

    @dataclass
    class Left(Message):
        """The question stands as it is; the bar is no longer needed."""

        bar: "QueryBar"

    def __init__(self, prompt: str, text: str, hint: str) -> None:
        super().__init__()
        self._prompt = Static(Content(prompt), classes="query--prompt")
        self.said = ""
        self.ready: Callable[[Input], None] = lambda box: None
        self._said = Static(classes="query--said")
        self.input = SafeInput(text, placeholder=hint, compact=True, select_on_focus=True)

    def compose(self) -> ComposeResult:
        """Make the parts."""
        yield self._prompt
        yield self.input
        yield self._said

    def on_mount(self) -> None:
        """Be typed into, from now on."""
        self.screen.set_focus(self.input)
        self.ready(self.input)

    @property
    def wrong(self) -> bool:
        """True while something is wrong with the question."""
        return self.has_class("-wrong")

    def say(self, sentence: str, *, wrong: bool = False) -> None:
        """Answer: a count, or what is wrong with the question."""
        self.said = make_visible(sentence)
        self.set_class(wrong, "-wrong")
        self._said.update(Content(self.said))

    def ask(self, prompt: str) -> None:
        """Change the prompt."""
        self._prompt.update(Content(prompt))

    def action_step(self, direction: int) -> None:
        """Ask for the next (1) or the previous (-1) answer."""
        self.post_message(self.Stepped(self, direction))

    def action_leave(self) -> None:
        """Let the question stand, and go back to the view."""
        self.post_message(self.Left(self))

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
    """Holds a view, and under it a :class:`QueryBar` while something is asked.

    To make a view searchable: derive it from :class:`SearchableView`, bind a key of it to the action
    ``search`` (that opens the bar), and compose ``SearchPane(view, id=…)`` in the view's place. The rest is
    done: ``n`` and ``N``, the arrows in the bar, the light on what is found, the count at the title. In the
    style sheet the pane takes the view's size among its neighbours; the view fills the pane.

    Args:
        view: The view.
        id: The pane's own.
    """

    def __init__(self, view: SearchableView, *, id: str) -> None:
        super().__init__(id=id)
        self.view = view
        self.bar: QueryBar | None = None
        self._text = ""

    def compose(self) -> ComposeResult:
        """Make the view."""
        yield self.view

    def open(self, bar: "QueryBar") -> None:
        """Ask a question; one that is being asked is taken to be answered."""
        if self.bar is not None:
            self.bar.remove()
        self.bar = bar
        bar.ready = self.view.forward_early_keys
        self.mount(bar)

    @on(SearchableView.SearchRequested)
    def _on_asked(self) -> None:

        self.open(QueryBar("find", self._text if self.view.pattern else "", SEARCH_HINT))
        self._on_told()

    @on(SearchableView.SearchStatusChanged)
    def _on_told(self) -> None:
        if self.bar is not None and not self.bar.wrong:
            self.bar.say(self.news)

    @property
    def news(self) -> str:
        """The answer to what is asked, as far as it is known."""
        return self.view.news

    def on_query_bar_changed(self, changed: "QueryBar.Changed") -> None:
        """Answer what is asked now."""
        if changed.bar is self.bar:
            self.answer(changed.text)

    def answer(self, text: str) -> None:
        """Search for what was typed; what cannot be searched for leaves the search as it was."""
        from tui_ipc.tui.model.search import SearchPatternError, compile_search

        assert self.bar is not None
        try:
            wanted = compile_search(text) if text else None
        except SearchPatternError as error:
            self.bar.say(str(error), wrong=True)
            return
        self._text = text
        self.view.search(wanted, text)
        self.bar.say(self.news)

    def on_query_bar_stepped(self, stepped: "QueryBar.Stepped") -> None:
        """Go on to another answer."""
        self.step(stepped.direction)

    def step(self, direction: int) -> None:
        """Go to the next (1) or the previous (-1) line found."""
        self.view.action_found(direction)

    def on_query_bar_left(self) -> None:
        """Go back to the view."""
        if self.bar is not None:
            self.bar.remove()
            self.bar = None
        self.view.focus()
