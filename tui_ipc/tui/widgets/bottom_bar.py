"""The box in which a message is typed: it says what would be sent, and to whom."""

from datetime import datetime
from typing import Protocol

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural
from tui_ipc.tui.input_history import InputHistory, Vocabulary
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.model.session_model import LogEntry
from tui_ipc.tui.model.status import Status
from tui_ipc.tui.widgets.inputs import MessageInput

MAX_PARSED_CHARS = 10_000
"""Up to how many characters a text is understood at each key; a longer one only when it is sent."""

_PLACEHOLDER = "Type a message: text, JSON or a Python literal. Enter sends it."


class MessageBox(Horizontal):
    """The input in its frame.

    Args:
        history: What was sent before; it is loaded when the box appears.
    """

    BORDER_TITLE = "Message"

    def __init__(self, history: InputHistory | None = None) -> None:
        super().__init__(id="message")
        self._history = InputHistory() if history is None else history
        self._vocabulary = Vocabulary()
        self._learnt: LogEntry | None = None
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
        """Say why no message can be sent, if so."""
        if status.why_unreachable != self._absence:
            self._absence = status.why_unreachable
            self._redraw()

    def learn(self, newest: LogEntry | None) -> None:
        """Take words for the completion from the newest message: of a flood, from one in each picture."""
        if newest is not self._learnt:
            self._learnt = newest
            self._vocabulary.learn(getattr(newest and newest.event, "value", None))

    @on(Input.Changed)
    def _follow(self) -> None:
        self._redraw()

    def _redraw(self) -> None:
        text = self.input.value
        remedy = f"{format_key(self.app, 'app.restart')} starts it again"
        complaint = notation.interpret(text)[1] if 0 < len(text) <= MAX_PARSED_CHARS else None
        self.input.fault = complaint.offset if complaint else None
        self.set_class(self._absence is not None, "-absent")
        self.set_class(complaint is not None, "-doubtful")
        self.input.placeholder = f"{self._absence} — {remedy}" if self._absence else _PLACEHOLDER
        self.border_subtitle = Content(self._hint(text, remedy))

    def _hint(self, text: str, remedy: str) -> str:
        if not text:
            return ""
        if self._absence:
            return f"{self._absence.partition(':')[0]} — {remedy}"
        if len(text) > MAX_PARSED_CHARS:
            return format_plural(len(text), "character")
        said = make_visible(notation.describe_text(text))
        return (
            f"{said} · {format_key(self.input, 'input.complete')} completes" if self.input.completes else said
        )


SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""How many times as fast as it happened a recording can be shown; beyond the last without any pause."""

POLL_SECONDS = 0.2
"""Seconds after which the bar looks at the replay by itself, since the end of one is no event."""

PROGRESS_CELLS = 16
"""How many cells the line takes that shows how much was shown."""

_MUTED = "$foreground 60%"


class ReplayControls(Protocol):
    """What the bar needs of a replay; :class:`~tui_ipc.recording.replay.Replay` is one."""

    speed: float | None

    @property
    def playing(self) -> bool: ...
    @property
    def over(self) -> bool: ...
    @property
    def position(self) -> int: ...
    @property
    def length(self) -> int | None: ...
    @property
    def progress(self) -> float: ...
    @property
    def truncated(self) -> int: ...
    @property
    def began(self) -> datetime: ...
    def play(self) -> None: ...
    def pause(self) -> None: ...
    def step(self) -> None: ...


def increase_speed(speed: float | None) -> float | None:
    """The next higher of :data:`SPEEDS`, None (no pause between events) beyond the last."""
    return None if speed is None else next((each for each in SPEEDS if each > speed), None)


def decrease_speed(speed: float | None) -> float | None:
    """The next lower of :data:`SPEEDS`; there is none below the first."""
    return next((each for each in reversed(SPEEDS) if speed is None or each < speed), speed)


class ReplayBar(Static, can_focus=True):
    """Shows where a replay is.

    Args:
        deck: The replay.

    Attributes:
        flaw: What is wrong with the recording, in a word; empty while nothing is known to be.
    """

    BORDER_TITLE = "Replay"

    def __init__(self, deck: ReplayControls) -> None:
        super().__init__(id="replay")
        self.flaw = ""
        self._deck = deck
        self._shown: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Show the beginning, and look again from time to time."""
        self.border_subtitle = f"recorded {self._deck.began:%Y-%m-%d %H:%M %Z}"
        self.sync()
        self.set_interval(POLL_SECONDS, self.sync)

    def take_focus(self) -> None:
        """Have the keys."""
        self.focus()

    def follow(self, status: Status) -> None:
        """Show what has become of the replay."""
        self.sync()

    def sync(self) -> None:
        """Show the replay as it is now."""
        deck = self._deck
        shown = (deck.playing, deck.over, deck.position, deck.progress, deck.speed, self.flaw)
        if shown != self._shown:
            self._shown = shown
            self.update(self._content(), layout=False)

    def _content(self) -> Content:
        deck = self._deck
        if deck.over:
            state = (
                ("■ over", "bold $foreground 60%")
                if not self.flaw
                else (f"■ over: {self.flaw}", "bold $text-error")
            )
        elif deck.playing:
            state = ("▶ playing", "bold $text-success")
        else:
            state = ("‖ paused", "bold $text-warning")
        of = "" if deck.length is None else f" of {format_count(deck.length)}"
        speed = "as fast as it goes" if deck.speed is None else f"{deck.speed:g}×"
        events = (("   event ", _MUTED), (format_count(deck.position), "bold"), (of, _MUTED))
        return Content.assemble(
            state, *events, ("   speed ", _MUTED), speed, "   ", *_render_progress(deck.progress)
        )


def _render_progress(progress: float) -> tuple[tuple[str, str], ...]:
    """How much was shown: a line, and the hundredths."""
    cells = round(progress * PROGRESS_CELLS)
    return (
        ("━" * cells, "$text-success"),
        ("─" * (PROGRESS_CELLS - cells), _MUTED),
        (f" {progress:.0%}", _MUTED),
    )
