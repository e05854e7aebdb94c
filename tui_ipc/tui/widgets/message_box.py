"""The message box, below the panes."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_plural
from tui_ipc.tui.input_history import InputHistory, Vocabulary
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.model.status import Status
from tui_ipc.tui.widgets.inputs import MessageInput

MAX_PARSED_CHARS = 10_000
"""Up to how many characters a text is parsed at each key; a longer one is parsed when it is sent."""

_PLACEHOLDER = "Type a message: text, JSON or a Python literal. Enter sends it."


class MessageBox(Horizontal):
    """Takes messages, and says what would be sent.

    Args:
        history: The messages sent before; it is loaded when the box is mounted.
    """

    BORDER_TITLE = "Message"

    def __init__(self, history: InputHistory | None = None) -> None:
        super().__init__(id="message")
        self._history = InputHistory() if history is None else history
        self._vocabulary = Vocabulary()
        self._learnt: LogEntry | None = None
        self.input = MessageInput(self._history, self._vocabulary, id="input")
        self._no_child_reason: str | None = None

    def compose(self) -> ComposeResult:
        """Make the prompt and the input."""
        yield Static("❯", id="prompt")
        yield self.input

    def on_mount(self) -> None:
        """Load the history, and show the placeholder."""
        try:
            self._history.load()
        except OSError as error:
            self.input.report_history_error(error)
        self.watch(self.input, "_suggestion", self._redraw, init=False)
        self._redraw()

    def take_focus(self) -> None:
        """Take the focus."""
        # At once: focus() would wait for messages behind it, and keys that come before would go elsewhere.
        self.screen.set_focus(self.input)

    def edit(self, text: str) -> None:
        """Take the focus with a text to edit; ``down`` brings back the draft that was there."""
        self.input.edit_text(text)
        self.take_focus()

    def follow(self, status: Status) -> None:
        """Say why no child is running, if none is."""
        if status.why_unreachable != self._no_child_reason:
            self._no_child_reason = status.why_unreachable
            self._redraw()

    def learn_words(self, newest: LogEntry | None) -> None:
        """Take words for the completion from the newest message; in a flood, from one in each refresh."""
        if newest is not self._learnt:
            self._learnt = newest
            self._vocabulary.learn(getattr(newest and newest.event, "value", None))

    @on(Input.Changed)
    def _on_changed(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        text = self.input.value
        remedy = f"{format_key(self.app, 'app.restart')} starts it again"
        complaint = notation.interpret(text)[1] if 0 < len(text) <= MAX_PARSED_CHARS else None
        self.input.fault = complaint.offset if complaint else None
        self.set_class(self._no_child_reason is not None, "-absent")
        self.set_class(complaint is not None, "-doubtful")
        self.input.placeholder = (
            f"{self._no_child_reason} — {remedy}" if self._no_child_reason else _PLACEHOLDER
        )
        self.border_subtitle = Content(self._hint(text, remedy))

    def _hint(self, text: str, remedy: str) -> str:
        if not text:
            return ""
        if self._no_child_reason:
            return f"child not running — {remedy}"
        if len(text) > MAX_PARSED_CHARS:
            return format_plural(len(text), "character")
        meaning = make_visible(notation.describe_text(text))
        return (
            f"{meaning} · press {format_key(self.input, 'input.complete')} to accept the suggestion"
            if self.input.has_suggestion
            else meaning
        )
