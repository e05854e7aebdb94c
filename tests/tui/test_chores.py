"""Long work in slices."""

from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from tui_ipc.tui import chores
from tui_ipc.tui.chores import Chores


class Clock:
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


def steps(clock: Clock, number: int, done: list[str], name: str) -> Iterator[None]:
    """A chore of so many steps of a millisecond."""
    for _ in range(number):
        clock.now += 0.001
        yield
    done.append(name)


def made(clock: Clock) -> Chores:
    """Chores by that clock."""
    return Chores(clock)  # type: ignore[arg-type] # it has the one method that is asked for


def test_a_short_chore_is_done_at_once() -> None:
    """Nobody waits for a timer where there is little to do."""
    clock, done = Clock(), list[str]()
    with patch.object(chores, "monotonic", lambda: clock.now):
        made(clock).begin("a", steps(clock, 3, done, "a"))
    assert done == ["a"]
    assert clock.waiting == []


def test_a_long_chore_leaves_time_between_its_slices() -> None:
    """Each slice is as long as it may be, and one timer waits for the next, whoever asks meanwhile."""
    clock, done = Clock(), list[str]()
    with patch.object(chores, "monotonic", lambda: clock.now):
        all_ = made(clock)
        all_.begin("a", steps(clock, 20, done, "a"))
        assert round(clock.now, 3) == chores.SLICE
        all_.begin("b", steps(clock, 1, done, "b"))
        assert len(clock.waiting) == 1
        clock.ring()
        clock.ring()
    assert done == ["a", "b"]
    assert clock.waiting == []


def test_a_new_chore_replaces_that_of_its_name() -> None:
    """What was asked for last counts; others go on; what is dropped is not done."""
    clock, done = Clock(), list[str]()
    with patch.object(chores, "monotonic", lambda: clock.now):
        all_ = made(clock)
        all_.begin("a", steps(clock, 50, done, "old"))
        all_.begin("a", steps(clock, 2, done, "new"))
        assert done == ["new"]
        all_.begin("a", steps(clock, 50, done, "dropped"))
        all_.drop()
        clock.ring()
    assert done == ["new"]


def test_a_chore_may_begin_another() -> None:
    """It waits for its turn, even of the same name, which it then has."""
    clock, done = Clock(), list[str]()

    def beginning(all_: Chores) -> Iterator[None]:
        all_.begin("a", steps(clock, 1, done, "second"))
        yield
        done.append("never: it was replaced")

    with patch.object(chores, "monotonic", lambda: clock.now):
        all_ = made(clock)
        all_.begin("a", beginning(all_))
    assert done == ["second"]
