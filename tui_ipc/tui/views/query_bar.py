"""One line in which a question about the view above it is typed, and answered while it is typed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.views.safe_input import SafeInput


class QueryBar(Horizontal):
    """A prompt, an input, and what is said about it.

    It is there only while it is used: whoever asks mounts it under a view and focuses it, hears
    :class:`Changed` at each change, and removes it at :class:`Left`. A
    :class:`~tui_ipc.tui.views.search_pane.SearchPane` does all of that.

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
        self.said = visible(sentence)
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
