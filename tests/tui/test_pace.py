"""When the screen is brought up to date, over an app that a test plays."""

from collections.abc import Callable
from typing import Any, cast

import pytest
from textual import screen
from textual.app import App

from tui_ipc.tui.pace import STEP, Pace, quicken


class FakeApp:
    """What the pace needs of an app: it keeps what is to be called later.

    Attributes:
        later: What is to be called in the next turn, after a time in seconds, or once the screen was drawn.
    """

    def __init__(self) -> None:
        self.is_running = True
        self.later: list[tuple[float | str, Callable[[], None]]] = []

    def call_later(self, callback: Callable[[], None]) -> None:
        self.later.append(("turn", callback))

    def set_timer(self, delay: float, callback: Callable[[], None]) -> None:
        self.later.append((delay, callback))

    def call_after_refresh(self, callback: Callable[[], None]) -> None:
        self.later.append(("drawn", callback))

    def go_on(self) -> float | str:
        """Let the oldest of it happen; when it was to."""
        when, callback = self.later.pop(0)
        callback()
        return when


def made() -> tuple[FakeApp, Pace, list[str]]:
    """An app, its pace, and the pictures that were made."""
    app, pictures = FakeApp(), list[str]()
    return app, Pace(cast("App[Any]", app), lambda: pictures.append("picture")), pictures


def test_many_changes_make_one_picture() -> None:
    """Asked at every event, it is made once."""
    app, pace, pictures = made()
    for _ in range(3):
        pace.ask()
    assert app.go_on() == "turn"
    assert pictures == ["picture"]


def test_the_next_picture_has_to_wait() -> None:
    """For a thirtieth of a second at least, then for what the last one took, four times."""
    app, pace, pictures = made()
    pace.ask()
    app.go_on()
    assert app.go_on() == "drawn"
    pace.ask()
    delay = app.go_on()
    assert isinstance(delay, float)
    assert 0 < delay <= 1 / 30
    assert pictures == ["picture"] * 2


def test_a_key_goes_before_a_picture() -> None:
    """The picture waits until the key is on the screen."""
    app, pace, pictures = made()
    pace.ask()
    pace.precedence.press()
    app.go_on()
    assert isinstance(app.go_on(), float)
    assert pictures == []
    pace.precedence.handle()
    pace.precedence.draw()
    assert isinstance(app.go_on(), float)
    assert pictures == ["picture"]


def test_an_app_that_does_not_run_is_not_asked() -> None:
    """Before its beginning and after its end there is no screen."""
    app, pace, _ = made()
    app.is_running = False
    pace.ask()
    assert app.later == []


def test_the_screen_is_drawn_in_small_steps_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Textual's variable for that is heeded."""
    monkeypatch.setattr(screen, "UPDATE_PERIOD", 1 / 30)
    monkeypatch.setenv("TEXTUAL_FPS", "30")
    quicken()
    assert screen.UPDATE_PERIOD == 1 / 30
    monkeypatch.delenv("TEXTUAL_FPS")
    quicken()
    assert screen.UPDATE_PERIOD == STEP
