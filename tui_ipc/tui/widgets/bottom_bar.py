"""The bar below the panes: the message box, or in a replay the bar that shows where the replay is."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui_ipc.recording.replay import Replay
from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural, to_local_time
from tui_ipc.tui.input_history import InputHistory, Vocabulary
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.model.session_model import LogEntry
from tui_ipc.tui.model.status import Status
from tui_ipc.tui.widgets.inputs import MessageInput
from tui_ipc.tui.widgets.line_view import MUTED

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


SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""The speeds of a replay; beyond the last it makes no pauses."""

POLL_SECONDS = 0.2
"""Seconds between two looks at the replay, whose end no event reports."""

PROGRESS_CELLS = 16
"""The width of the progress line, in cells."""


def increase_speed(speed: float | None) -> float | None:
    """Return the next higher of :data:`SPEEDS`, None (no pauses) beyond the last."""
    return None if speed is None else next((each for each in SPEEDS if each > speed), None)


def decrease_speed(speed: float | None) -> float | None:
    """Return the next lower of :data:`SPEEDS`; the first stays the first."""
    return next((each for each in reversed(SPEEDS) if speed is None or each < speed), speed)


class ReplayBar(Static, can_focus=True):
    """Shows where a replay is.

    Args:
        replay: The replay.

    Attributes:
        flaw: What is wrong with the recording, in a few words; empty if nothing is.
    """

    BORDER_TITLE = "Replay"

    def __init__(self, replay: Replay) -> None:
        super().__init__(id="replay")
        self.flaw = ""
        self._replay = replay
        self._shown: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Show the replay, and look again at intervals."""
        self.border_subtitle = f"recorded {to_local_time(self._replay.began):%Y-%m-%d %H:%M %Z}"
        self.sync()
        self.set_interval(POLL_SECONDS, self.sync)

    def take_focus(self) -> None:
        """Take the focus."""
        self.screen.set_focus(self)

    def follow(self, status: Status) -> None:
        """Show the replay as it is now, after an event."""
        self.sync()

    def sync(self) -> None:
        """Show the replay as it is now."""
        replay = self._replay
        shown = (replay.playing, replay.over, replay.position, replay.progress, replay.speed, self.flaw)
        if shown != self._shown:
            self._shown = shown
            self.update(self._content(), layout=False)

    def _content(self) -> Content:
        replay = self._replay
        if replay.over and self.flaw:
            state = (f"■ over: {self.flaw}", "bold $text-error")
        elif replay.over:
            state = ("■ over", f"bold {MUTED}")
        elif replay.playing:
            state = ("▶ playing", "bold $text-success")
        else:
            state = ("‖ paused", "bold $text-warning")
        of = "" if replay.length is None else f" of {format_count(replay.length)}"
        speed = "no pauses" if replay.speed is None else f"{replay.speed:g}×"
        events = (("   event ", MUTED), (format_count(replay.position), "bold"), (of, MUTED))
        return Content.assemble(
            state, *events, ("   speed ", MUTED), speed, "   ", *_render_progress(replay.progress)
        )


def _render_progress(progress: float) -> tuple[tuple[str, str], ...]:
    cells = round(progress * PROGRESS_CELLS)
    return (
        ("━" * cells, "$text-success"),
        ("─" * (PROGRESS_CELLS - cells), MUTED),
        (f" {progress:.0%}", MUTED),
    )
