"""Which step comes when."""

import sys

from tui_ipc.script.language.steps import Quit, Repeat, Send, Step
from tui_ipc.script.runner.script_cursor import Round, ScriptCursor


def say(*values: str) -> tuple[Step, ...]:
    return tuple(Send(value, line=int(value)) for value in values)


def test_steps_come_in_their_order_each_as_often_as_it_is_repeated() -> None:
    """Blocks may stand in blocks, and at their ends."""
    steps = (
        *say("1"),
        Repeat(2, (*say("3"), Repeat(3, say("5"), line=4), Repeat(1, say("7"), line=6)), line=2),
        *say("8"),
    )
    course = ScriptCursor(steps)
    assert [course.line for _ in course] == [1, 3, 5, 5, 5, 7, 3, 5, 5, 5, 7, 8]
    assert (course.passed, course.total, course.line) == (12, 12, 0)


def test_a_step_passes_once_the_next_is_asked_for() -> None:
    """The one that a failure stops at has not."""
    course = ScriptCursor(say("1", "2", "3"))
    for _ in course:
        if course.line == 2:
            break
    assert (course.passed, course.total) == (1, 3)


def test_the_rounds_are_told_from_the_outermost_in() -> None:
    """For the person who is to find the failure."""
    course = ScriptCursor((Repeat(3, (Repeat(5, say("7"), line=2),), line=1),))
    seen = [course.rounds for _ in course]
    assert seen[0] == (Round(1, 1, 3), Round(2, 1, 5))
    assert seen[7] == (Round(1, 2, 3), Round(2, 3, 5))
    assert course.rounds == ()


def test_each_round_captures_anew_and_the_last_one_for_good() -> None:
    """What was captured before the block stays known in each."""
    course = ScriptCursor((*say("1"), Repeat(3, say("2", "3"), line=4), *say("5")))
    known = []
    for step in course:
        known.append(dict(course.names))
        assert isinstance(step, Send)
        if step.value == "1":
            course.names["before"] = 1
        if step.value == "2":
            course.names["inside"] = len(known)
    assert known == [
        {},
        *({"before": 1}, {"before": 1, "inside": 2}),
        *({"before": 1}, {"before": 1, "inside": 4}),
        *({"before": 1}, {"before": 1, "inside": 6}),
        {"before": 1, "inside": 6},
    ]


def test_a_block_without_rounds_or_steps_is_passed_over() -> None:
    """However often it is repeated."""
    course = ScriptCursor((Repeat(0, say("1")), Repeat(sys.maxsize, ()), *say("2")))
    assert [course.line for _ in course] == [2]
    assert course.total == 1


def test_nothing_is_unrolled() -> None:
    """The figures of a script that never ends are known at once."""
    steps: tuple[Step, ...] = say("1")
    for _ in range(2000):
        steps = (Repeat(10, steps),)
    course = ScriptCursor(steps)
    assert course.total == 10**2000
    next(iter(course))
    assert len(course.rounds) == 2000


def test_what_follows_is_told_as_far_as_the_end_of_the_block() -> None:
    """So that a step can see what stands behind it."""
    course = ScriptCursor((Repeat(2, (*say("1"), Quit(line=2))), *say("3")))
    assert [course.behind for _ in course] == [(Quit(),), (), (Quit(),), (), ()]
