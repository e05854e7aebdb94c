"""Where a message is typed: an input with a memory, in a box that says what would be sent, and to whom."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui_ipc.session import notation
from tui_ipc.session.units import plural
from tui_ipc.tui.sanitize import visible
from tui_ipc.tui.status import Status

HINT_LIMIT = 10_000
"""Up to how many characters a text is understood at each key; a longer one only when it is sent."""

HISTORY = 1_000
"""How many sent messages are remembered."""

_INVITATION = "Type a message: text, JSON or a Python literal. Enter sends it."
_REMEDY = "ctrl+r starts it again"


class MessageInput(Input):
    """One line of text with a history, as a shell has it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "recall(-1)", "History", key_display="↑↓", id="input.older"),
        Binding("down", "recall(1)", "Newer message", show=False, id="input.newer"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, compact=True, select_on_focus=False)
        self._history: list[str] = []
        self._place = 0
        self._draft = ""

    def validate_value(self, value: str) -> str:
        """Keep out of the box, and so off the terminal, what cannot be shown: a pasted control character."""
        return visible(value)

    def remember(self, text: str) -> None:
        """Take a sent text into the history and empty the box."""
        if not self._history or self._history[-1] != text:
            self._history = [*self._history[-HISTORY + 1 :], text]
        self._place = len(self._history)
        self._draft = ""
        self.clear()

    def restore(self, text: str) -> None:
        """Give back a text that could not be sent, unless another has been begun."""
        if not self.value:
            self._show(text)

    def action_recall(self, direction: int) -> None:
        """Go to an older (-1) or newer (1) text; past the newest lies what was being typed."""
        place = self._place + direction
        if not 0 <= place <= len(self._history):
            return
        if self._place == len(self._history):
            self._draft = self.value
        self._place = place
        self._show(self._draft if place == len(self._history) else self._history[place])

    def _show(self, text: str) -> None:
        self.value = text
        self.cursor_position = len(self.value)


class MessageBox(Horizontal):
    """The input in its frame."""

    BORDER_TITLE = "Message"

    def __init__(self) -> None:
        super().__init__(id="message")
        self.input = MessageInput(id="input")
        self._absence: str | None = None

    def compose(self) -> ComposeResult:
        """Make the prompt and the input."""
        yield Static("❯", id="prompt")
        yield self.input

    def on_mount(self) -> None:
        """Begin with an invitation."""
        self._redraw()

    def take_focus(self) -> None:
        """Be typed into."""
        self.input.focus()

    def follow(self, status: Status) -> None:
        """Say why nobody listens, if so."""
        if status.absence != self._absence:
            self._absence = status.absence
            self._redraw()

    @on(Input.Changed)
    def _follow(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        self.set_class(self._absence is not None, "-absent")
        self.input.placeholder = f"{self._absence} — {_REMEDY}" if self._absence else _INVITATION
        self.border_subtitle = Content(self._hint(self.input.value))

    def _hint(self, text: str) -> str:
        if not text:
            return ""
        if self._absence:
            return f"nobody listens — {_REMEDY}"
        if len(text) > HINT_LIMIT:
            return plural(len(text), "character")
        return visible(notation.describe(text))
