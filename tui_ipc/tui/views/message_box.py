"""The box in which a message is typed: it says what would be sent, and to whom."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui_ipc.session import notation
from tui_ipc.session.units import plural
from tui_ipc.tui.content.completion import Vocabulary
from tui_ipc.tui.content.history import History
from tui_ipc.tui.content.model import Entry
from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.content.status import Status
from tui_ipc.tui.keys import key_of
from tui_ipc.tui.views.message_input import MessageInput

HINT_LIMIT = 10_000
"""Up to how many characters a text is understood at each key; a longer one only when it is sent."""

_INVITATION = "Type a message: text, JSON or a Python literal. Enter sends it."


class MessageBox(Horizontal):
    """The input in its frame.

    Args:
        history: What was sent before; it is loaded when the box appears.
    """

    BORDER_TITLE = "Message"

    def __init__(self, history: History | None = None) -> None:
        super().__init__(id="message")
        self._history = History() if history is None else history
        self._vocabulary = Vocabulary()
        self._learnt: Entry | None = None
        self.input = MessageInput(self._history, self._vocabulary, id="input")
        self._absence: str | None = None

    def compose(self) -> ComposeResult:
        """Make the prompt and the input."""
        yield Static("❯", id="prompt")
        yield self.input

    def on_mount(self) -> None:
        """Begin with an invitation, and with what earlier starts sent."""
        try:
            self._history.load()
        except OSError as error:
            self.input.complain(error)
        self.watch(self.input, "_suggestion", self._redraw, init=False)
        self._redraw()

    def take_focus(self) -> None:
        """Be typed into."""
        self.input.focus()

    def take(self, text: str) -> None:
        """Be typed into, with a text to begin with; ``down`` gives back what was being typed."""
        self.input.put(text)
        self.take_focus()

    def follow(self, status: Status) -> None:
        """Say why nobody listens, if so."""
        if status.absence != self._absence:
            self._absence = status.absence
            self._redraw()

    def learn(self, newest: Entry | None) -> None:
        """Take words for the completion from the newest message: of a flood, from one in each picture."""
        if newest is not self._learnt:
            self._learnt = newest
            self._vocabulary.learn(getattr(newest and newest.event, "value", None))

    @on(Input.Changed)
    def _follow(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        text = self.input.value
        remedy = f"{key_of(self.app, 'app.restart')} starts it again"
        complaint = notation.interpret(text)[1] if 0 < len(text) <= HINT_LIMIT else None
        self.input.fault = complaint.offset if complaint else None
        self.set_class(self._absence is not None, "-absent")
        self.set_class(complaint is not None, "-doubtful")
        self.input.placeholder = f"{self._absence} — {remedy}" if self._absence else _INVITATION
        self.border_subtitle = Content(self._hint(text, remedy))

    def _hint(self, text: str, remedy: str) -> str:
        if not text:
            return ""
        if self._absence:
            return f"nobody listens — {remedy}"
        if len(text) > HINT_LIMIT:
            return plural(len(text), "character")
        said = visible(notation.describe(text))
        return f"{said} · {key_of(self.input, 'input.complete')} completes" if self.input.completes else said
