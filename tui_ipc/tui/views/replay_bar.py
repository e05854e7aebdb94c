"""Where a live session has its message box, a replay has this: how far it is, and how fast it goes."""

from datetime import datetime
from typing import Protocol

from textual.content import Content
from textual.widgets import Static

from tui_ipc.session.units import count
from tui_ipc.tui.content.status import Status

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
"""How many times as fast as it happened a recording can be shown; beyond the last without any pause."""

PERIOD = 0.2
"""Seconds after which the bar looks at the replay by itself, since the end of one is no event."""

BAR = 16
"""How many cells the line takes that shows how much was shown."""

_MUTED = "$foreground 60%"


class Deck(Protocol):
    """What the bar needs of a replay; :class:`~tui_ipc.session.replay.Replay` is one."""

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


def faster(speed: float | None) -> float | None:
    """The next higher of :data:`SPEEDS`, None (no pause between events) beyond the last."""
    return None if speed is None else next((each for each in SPEEDS if each > speed), None)


def slower(speed: float | None) -> float | None:
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

    def __init__(self, deck: Deck) -> None:
        super().__init__(id="replay")
        self.flaw = ""
        self._deck = deck
        self._shown: tuple[object, ...] = ()

    def on_mount(self) -> None:
        """Show the beginning, and look again from time to time."""
        self.border_subtitle = f"recorded {self._deck.began:%Y-%m-%d %H:%M %Z}"
        self.sync()
        self.set_interval(PERIOD, self.sync)

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
        of = "" if deck.length is None else f" of {count(deck.length)}"
        speed = "as fast as it goes" if deck.speed is None else f"{deck.speed:g}×"
        events = (("   event ", _MUTED), (count(deck.position), "bold"), (of, _MUTED))
        return Content.assemble(state, *events, ("   speed ", _MUTED), speed, "   ", *_bar(deck.progress))


def _bar(progress: float) -> tuple[tuple[str, str], ...]:
    """How much was shown: a line, and the hundredths."""
    cells = round(progress * BAR)
    return ("━" * cells, "$text-success"), ("─" * (BAR - cells), _MUTED), (f" {progress:.0%}", _MUTED)
