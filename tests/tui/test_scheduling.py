"""The priority of keys, the rate of pictures, work in slices, and a limit of CPU time."""

import asyncio
import re
import signal
import threading
from collections.abc import Callable, Iterator
from time import process_time
from typing import Any, cast
from unittest.mock import patch

import pytest
from textual import events, screen
from textual.app import App

from tui_ipc.tui import scheduling
from tui_ipc.tui.scheduling import (
    DRAW_PERIOD,
    DRAW_TIMEOUT,
    KEY_TIMEOUT,
    BackgroundSteps,
    InputPriority,
    InputQueue,
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


def is_active(input_priority: InputPriority) -> bool:
    """Whether a key has priority now: mypy knows no property that changes by itself."""
    return input_priority.is_active


def test_a_key_has_priority_until_its_effect_is_drawn() -> None:
    """A picture that was drawn before the key was handled does not show its effect."""
    input_priority = InputPriority(Clock())
    assert not is_active(input_priority)
    input_priority.begin()
    input_priority.end()
    assert is_active(input_priority)
    input_priority.expect_drawing()
    assert is_active(input_priority)
    input_priority.end()
    assert not is_active(input_priority)


def test_a_key_that_is_never_handled_has_priority_until_its_timeout() -> None:
    """Its widget may be busy, or gone."""
    input_priority = InputPriority(clock := Clock())
    input_priority.begin()
    clock.now += KEY_TIMEOUT * 0.99
    assert is_active(input_priority)
    clock.now += KEY_TIMEOUT * 0.02
    assert not is_active(input_priority)
    input_priority.expect_drawing()
    assert not is_active(input_priority)


def test_a_key_without_a_visible_effect_has_priority_for_a_short_time() -> None:
    """Once it was handled, the next picture should come soon."""
    input_priority = InputPriority(clock := Clock())
    input_priority.begin()
    input_priority.expect_drawing()
    clock.now += DRAW_TIMEOUT * 1.01
    assert not is_active(input_priority)


def test_keys_are_delivered_when_what_the_one_before_caused_is_done() -> None:
    """A handler may do its work in several turns; one that never ends keeps the next key for a while only."""
    seen: list[str] = []

    class Slow(App[None]):
        def on_mount(self) -> None:
            self.input_queue = InputQueue(self, self._deliver, lambda: seen.append("handled"))
            self.is_over = asyncio.Event()
            self.run_worker(self.input_queue.run())

        async def _deliver(self, event: events.Key | events.Paste) -> None:
            assert isinstance(event, events.Key)
            self.screen.call_later(self._act, event.key)

        async def _act(self, key: str) -> None:
            seen.append(f"{key} begins")
            for _ in range(20):
                await asyncio.sleep(0)
            self.call_later(seen.append, f"{key} ends")
            if key == "b":
                await self.is_over.wait()

    async def main() -> None:
        app = Slow()
        async with app.run_test():
            for key in "abc":
                app.input_queue.add(events.Key(key, key))
            while seen.count("handled") < 2:
                await asyncio.sleep(0)
            seen.append("next")
            app.is_over.set()

    with patch.object(scheduling, "INPUT_TIMEOUT", 0.0):
        asyncio.run(main())
    assert seen == ["a begins", "a ends", "handled", "b begins", "b ends", "handled", "next"]


def test_a_key_held_down_leaves_half_of_the_time() -> None:
    """Events are taken in meanwhile, however fast keys come."""
    input_priority = InputPriority(clock := Clock())
    free = 0
    for _ in range(1000):
        input_priority.begin()
        clock.now += 0.001
        free += not input_priority.is_active
    assert 450 <= free <= 550


def test_the_next_key_has_priority_too() -> None:
    """A typist's keys, drawn within 15 ms each, with as much between them."""
    input_priority = InputPriority(clock := Clock())
    for _ in range(20):
        input_priority.begin()
        assert is_active(input_priority)
        clock.now += 0.015
        input_priority.expect_drawing()
        input_priority.end()
        assert not is_active(input_priority)
        clock.now += 0.016


class FakeApp:
    """What the throttle needs of an app: it keeps what is to be called later.

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

    def run_next(self) -> float | str:
        """Call the oldest of it; return when it was to be called."""
        when, callback = self.later.pop(0)
        callback()
        return when


def make_throttle() -> tuple[FakeApp, RefreshThrottle, list[str]]:
    """An app, its throttle, and the pictures that were made."""
    app, pictures = FakeApp(), list[str]()
    return app, RefreshThrottle(cast("App[Any]", app), lambda: pictures.append("picture")), pictures


def test_many_changes_make_one_picture() -> None:
    """Asked at every event, it is made once."""
    app, throttle, pictures = make_throttle()
    for _ in range(3):
        throttle.request()
    assert app.run_next() == "turn"
    assert pictures == ["picture"]


def test_the_next_picture_has_to_wait() -> None:
    """For a thirtieth of a second at least, then for what the last one took, four times."""
    app, throttle, pictures = make_throttle()
    throttle.request()
    app.run_next()
    assert app.run_next() == "drawn"
    throttle.request()
    delay = app.run_next()
    assert isinstance(delay, float)
    assert 0 < delay <= 1 / 30
    assert pictures == ["picture"] * 2


def test_a_key_comes_before_a_picture() -> None:
    """The picture waits until the key is on the screen."""
    app, throttle, pictures = make_throttle()
    throttle.request()
    throttle.input_priority.begin()
    app.run_next()
    assert isinstance(app.run_next(), float)
    assert pictures == []
    throttle.input_priority.expect_drawing()
    throttle.input_priority.end()
    assert isinstance(app.run_next(), float)
    assert pictures == ["picture"]


def test_an_app_that_does_not_run_is_not_asked() -> None:
    """Before its beginning and after its end there is no screen."""
    app, throttle, _ = make_throttle()
    app.is_running = False
    throttle.request()
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
    """A widget's timers, and a clock that each step of a task moves on by a millisecond."""

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
    """A task of so many steps of a millisecond."""
    for _ in range(number):
        clock.now += 0.001
        yield
    done.append(name)


def make_steps(clock: FakeTimers) -> BackgroundSteps:
    """Background steps with that clock."""
    return BackgroundSteps(clock)  # type: ignore[arg-type] # it has the one method that is asked for


def test_a_short_task_is_done_at_once() -> None:
    """Nobody waits for a timer where there is little to do."""
    clock, done = FakeTimers(), list[str]()
    with patch.object(scheduling, "monotonic", lambda: clock.now):
        make_steps(clock).begin("a", steps(clock, 3, done, "a"))
    assert done == ["a"]
    assert clock.waiting == []


def test_a_long_task_leaves_time_between_its_slices() -> None:
    """Each slice is as long as it may be, and one timer waits for the next, whoever asks meanwhile."""
    clock, done = FakeTimers(), list[str]()
    with patch.object(scheduling, "monotonic", lambda: clock.now):
        tasks = make_steps(clock)
        tasks.begin("a", steps(clock, 20, done, "a"))
        assert round(clock.now, 3) == scheduling.BACKGROUND_SLICE
        tasks.begin("b", steps(clock, 1, done, "b"))
        assert len(clock.waiting) == 1
        clock.ring()
        clock.ring()
    assert done == ["a", "b"]
    assert clock.waiting == []


def test_a_new_task_replaces_that_of_its_name() -> None:
    """What was asked for last counts; others go on; what is dropped is not done."""
    clock, done = FakeTimers(), list[str]()
    with patch.object(scheduling, "monotonic", lambda: clock.now):
        tasks = make_steps(clock)
        tasks.begin("a", steps(clock, 50, done, "old"))
        tasks.begin("a", steps(clock, 2, done, "new"))
        assert done == ["new"]
        tasks.begin("a", steps(clock, 50, done, "dropped"))
        tasks.cancel_all()
        clock.ring()
    assert done == ["new"]


def test_a_task_may_begin_another() -> None:
    """It waits for its turn, even of the same name, which it then has."""
    clock, done = FakeTimers(), list[str]()

    def beginning(tasks: BackgroundSteps) -> Iterator[None]:
        tasks.begin("a", steps(clock, 1, done, "second"))
        yield
        done.append("never: it was replaced")

    with patch.object(scheduling, "monotonic", lambda: clock.now):
        tasks = make_steps(clock)
        tasks.begin("a", beginning(tasks))
    assert done == ["second"]


ENDLESS = re.compile("(a+)+$")
VICTIM = "a" * 40 + "b"


def test_an_endless_regular_expression_is_interrupted() -> None:
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
