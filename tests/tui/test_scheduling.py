"""Who goes first while a key is on its way to the screen."""

import re
import signal
import threading
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any, cast
from unittest.mock import patch

import pytest
from textual import screen
from textual.app import App

from tui_ipc.tui import scheduling
from tui_ipc.tui.scheduling import (
    DRAW_PERIOD,
    DRAW_TIMEOUT,
    KEY_TIMEOUT,
    BackgroundSteps,
    InputPriority,
    RefreshThrottle,
    TimeLimitExceeded,
    limit_cpu_time,
    raise_fps,
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def taken(precedence: InputPriority) -> bool:
    """Whether a key goes first now."""
    return precedence.taken


def test_a_key_goes_first_until_what_it_did_is_drawn() -> None:
    """A picture that was drawn before the key was handled is not yet what it did."""
    precedence = InputPriority(Clock())
    assert not taken(precedence)
    precedence.press()
    precedence.draw()
    assert taken(precedence)
    precedence.handle()
    assert taken(precedence)
    precedence.draw()
    assert not taken(precedence)


def test_a_key_that_nobody_handles_delays_for_no_longer_than_told() -> None:
    """Its widget may be busy, or gone."""
    precedence = InputPriority(clock := Clock())
    precedence.press()
    clock.now += KEY_TIMEOUT * 0.99
    assert taken(precedence)
    clock.now += KEY_TIMEOUT * 0.02
    assert not taken(precedence)
    precedence.handle()
    assert not taken(precedence)


def test_a_key_that_shows_nothing_is_not_waited_for_long() -> None:
    """Once it was handled the next picture should be soon."""
    precedence = InputPriority(clock := Clock())
    precedence.press()
    precedence.handle()
    clock.now += DRAW_TIMEOUT * 1.01
    assert not taken(precedence)


def test_a_key_held_down_leaves_half_of_the_time() -> None:
    """What the child says is taken in meanwhile, however fast keys come."""
    precedence = InputPriority(clock := Clock())
    free = 0
    for _ in range(1000):
        precedence.press()
        clock.now += 0.001
        free += not precedence.taken
    assert 450 <= free <= 550


def test_the_next_key_goes_first_too() -> None:
    """A typist's keys, drawn within 15 ms each, with as much between them."""
    precedence = InputPriority(clock := Clock())
    for _ in range(20):
        precedence.press()
        assert taken(precedence)
        clock.now += 0.015
        precedence.handle()
        precedence.draw()
        assert not taken(precedence)
        clock.now += 0.016


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


def make_throttle() -> tuple[FakeApp, RefreshThrottle, list[str]]:
    """An app, its pace, and the pictures that were made."""
    app, pictures = FakeApp(), list[str]()
    return app, RefreshThrottle(cast("App[Any]", app), lambda: pictures.append("picture")), pictures


def test_many_changes_make_one_picture() -> None:
    """Asked at every event, it is made once."""
    app, pace, pictures = make_throttle()
    for _ in range(3):
        pace.ask()
    assert app.go_on() == "turn"
    assert pictures == ["picture"]


def test_the_next_picture_has_to_wait() -> None:
    """For a thirtieth of a second at least, then for what the last one took, four times."""
    app, pace, pictures = make_throttle()
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
    app, pace, pictures = make_throttle()
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
    app, pace, _ = make_throttle()
    app.is_running = False
    pace.ask()
    assert app.later == []


def test_the_screen_is_drawn_in_small_steps_unless_the_user_says_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Textual's variable for that is heeded."""
    monkeypatch.setattr(screen, "UPDATE_PERIOD", 1 / 30)
    monkeypatch.setenv("TEXTUAL_FPS", "30")
    raise_fps()
    assert screen.UPDATE_PERIOD == 1 / 30
    monkeypatch.delenv("TEXTUAL_FPS")
    raise_fps()
    assert screen.UPDATE_PERIOD == DRAW_PERIOD


class FakeTimers:
    """A widget's timers, and a clock that each step of a chore moves on by a millisecond."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waiting: list[Callable[[], Any]] = []

    def set_timer(self, delay: float, callback: Callable[[], Any]) -> object:
        """What the widget would do later."""
        self.waiting.append(callback)
        return callback

    def ring(self) -> None:
        """Let the timers end."""
        waiting, self.waiting = self.waiting, []
        for callback in waiting:
            callback()


def steps(clock: FakeTimers, number: int, done: list[str], name: str) -> Iterator[None]:
    """A chore of so many steps of a millisecond."""
    for _ in range(number):
        clock.now += 0.001
        yield
    done.append(name)


def make_steps(clock: FakeTimers) -> BackgroundSteps:
    """Chores by that clock."""
    return BackgroundSteps(clock)  # type: ignore[arg-type] # it has the one method that is asked for


def test_a_short_chore_is_done_at_once() -> None:
    """Nobody waits for a timer where there is little to do."""
    clock, done = FakeTimers(), list[str]()
    with patch.object(scheduling, "monotonic", lambda: clock.now):
        make_steps(clock).begin("a", steps(clock, 3, done, "a"))
    assert done == ["a"]
    assert clock.waiting == []


def test_a_long_chore_leaves_time_between_its_slices() -> None:
    """Each slice is as long as it may be, and one timer waits for the next, whoever asks meanwhile."""
    clock, done = FakeTimers(), list[str]()
    with patch.object(scheduling, "monotonic", lambda: clock.now):
        all_ = make_steps(clock)
        all_.begin("a", steps(clock, 20, done, "a"))
        assert round(clock.now, 3) == scheduling.BACKGROUND_SLICE
        all_.begin("b", steps(clock, 1, done, "b"))
        assert len(clock.waiting) == 1
        clock.ring()
        clock.ring()
    assert done == ["a", "b"]
    assert clock.waiting == []


def test_a_new_chore_replaces_that_of_its_name() -> None:
    """What was asked for last counts; others go on; what is dropped is not done."""
    clock, done = FakeTimers(), list[str]()
    with patch.object(scheduling, "monotonic", lambda: clock.now):
        all_ = make_steps(clock)
        all_.begin("a", steps(clock, 50, done, "old"))
        all_.begin("a", steps(clock, 2, done, "new"))
        assert done == ["new"]
        all_.begin("a", steps(clock, 50, done, "dropped"))
        all_.drop()
        clock.ring()
    assert done == ["new"]


def test_a_chore_may_begin_another() -> None:
    """It waits for its turn, even of the same name, which it then has."""
    clock, done = FakeTimers(), list[str]()

    def beginning(all_: BackgroundSteps) -> Iterator[None]:
        all_.begin("a", steps(clock, 1, done, "second"))
        yield
        done.append("never: it was replaced")

    with patch.object(scheduling, "monotonic", lambda: clock.now):
        all_ = make_steps(clock)
        all_.begin("a", beginning(all_))
    assert done == ["second"]


ENDLESS = re.compile("(a+)+$")
VICTIM = "a" * 40 + "b"


def test_an_endless_regular_expression_is_broken_off() -> None:
    """Within its time, and no signal is left to come."""
    begin = process_time()
    with pytest.raises(TimeLimitExceeded), limit_cpu_time(0.05):
        ENDLESS.search(VICTIM)
    assert process_time() - begin < 5
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_DFL


def test_what_is_quick_enough_goes_on() -> None:
    """And what it raises comes through."""
    with limit_cpu_time(10):
        found = ENDLESS.search("aaa")
    assert found is not None
    with pytest.raises(LookupError), limit_cpu_time(10):
        raise LookupError
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_another_thread_is_left_alone() -> None:
    """Signals come to the main thread only."""
    seen = []

    def work() -> None:
        with limit_cpu_time(0.001):
            seen.append(signal.getitimer(signal.ITIMER_VIRTUAL))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0.0, 0.0)]
