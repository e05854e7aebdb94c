"""How often the screen is brought up to date: at leisure, and never before a key that was pressed."""

import os
from collections.abc import Callable
from time import monotonic
from typing import Any, Final

from textual import screen
from textual.app import App

from tui_ipc.tui.precedence import Precedence

FRAMES: Final = 30
"""How often in a second the screen follows what happens, at most."""

SHARE: Final = 4
"""Drawing takes one part in so many of the time: a key that comes meanwhile has to wait for its end."""

LOOK: Final = 0.01
"""How often it is looked whether a key still goes first, in seconds."""

STEP: Final = 1 / 120
"""How long what a key did waits after a picture, in seconds, at most; Textual's own step is twice that."""


def quicken() -> None:
    """Have screens that are made from now on draw in smaller steps, unless the user tells Textual how often.

    Measured in a flood: the median of the time from a key to the screen shrinks by a quarter.
    """
    if "TEXTUAL_FPS" not in os.environ:
        screen.UPDATE_PERIOD = STEP  # type: ignore[misc]  # Textual has no other way to say this to one program


class Pace:
    """Brings the screen up to date some time after it was asked to, once for all that asked meanwhile.

    Args:
        app: Whose screen it is.
        update: Brings the widgets up to date; the app draws them afterwards.

    Attributes:
        precedence: Whether a key goes first.
        next_at: The earliest moment of the next picture, by the monotonic clock.
    """

    def __init__(self, app: App[Any], update: Callable[[], None]) -> None:
        self._app = app
        self._update = update
        self._due = False
        self._began_at = 0.0
        self.precedence = Precedence()
        self.next_at = 0.0

    def ask(self) -> None:
        """The screen is out of date."""
        if self._due or not self._app.is_running:
            return
        self._due = True
        delay = self.next_at - monotonic()
        if delay > 0:
            self._app.set_timer(delay, self._begin)
        else:
            self._app.call_later(self._begin)

    def _begin(self) -> None:
        if self.precedence.taken:
            self._app.set_timer(LOOK, self._begin)
        else:
            self.now()

    def now(self) -> None:
        """Bring the screen up to date at once."""
        self._due = False
        self._began_at = monotonic()
        self._app.call_after_refresh(self._drawn)
        self._update()

    def _drawn(self) -> None:
        """Let the next picture wait in proportion to what this one took."""
        took = monotonic() - self._began_at
        self.next_at = self._began_at + max(1 / FRAMES, SHARE * took)
