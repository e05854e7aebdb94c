"""What a child prints, searched while it comes."""

import signal
import sys
from typing import Any

from tests.support.scripted_session import exited, printed, received, signalled, spawned
from tui_ipc.events import USER_REQUESTED, AnyEvent, MessageReceived, MessageSent
from tui_ipc.ipc.wire import encode
from tui_ipc.script.language.steps import Quit, Repeat, Send, Step
from tui_ipc.script.runner.run_state import (
    MAX_MESSAGES,
    Round,
    RunState,
    ScriptCursor,
    UnclaimedMessages,
)


def message(value: Any) -> MessageReceived:
    event = received(value)
    assert isinstance(event, MessageReceived)
    return event


def lived(*events: AnyEvent) -> RunState:
    run_state = RunState(1)
    for event in events:
        run_state.apply(event)
    return run_state


def sent(number: int) -> AnyEvent:
    return MessageSent(at=0, run=1, number=number, value=number, raw=encode(number))


def test_messages_are_taken_in_their_order() -> None:
    """There is room again once one is taken."""
    untaken = UnclaimedMessages(max_messages=2)
    for number in range(3):
        untaken.add(message(number))
    assert untaken.is_full
    assert untaken.dropped == 1
    assert [one.value for one in untaken.first(5)] == [0, 1]
    assert untaken.take().value == 0
    untaken.add(message(3))
    assert [untaken.take().value, untaken.take().value] == [1, 3]
    assert not untaken


def test_messages_are_bounded_by_their_bytes_too() -> None:
    """The one that goes beyond is still kept."""
    untaken = UnclaimedMessages(max_bytes=100)
    for number in range(3):
        untaken.add(message(bytes(60 + number)))
    assert (len(untaken), untaken.dropped) == (2, 1)
    untaken.take()
    assert not untaken.is_full


def test_however_long_a_run_is_it_takes_little_memory() -> None:
    """Messages that were sent and not answered, those that no step takes, and what is printed."""
    run_state = RunState(1)
    for number in range(101_000):
        run_state.apply(sent(number))
        run_state.apply(message(number))
        run_state.apply(printed(b"x" * 1000, "stderr"))
    assert list(run_state.unanswered) == list(range(100_984, 101_000))
    assert len(run_state.received) == MAX_MESSAGES
    assert run_state.received.dropped == 1000
    assert run_state.last_stderr_lines(9) == ["x" * 4096]
    assert run_state.output["stderr"]._undecoded_size < 1_100_000


def test_a_message_that_is_answered_is_forgotten() -> None:
    """Others wait on."""
    run_state = lived(sent(1), sent(2), received("x", answers=1))
    assert list(run_state.unanswered) == [2]


def test_what_the_session_had_to_do_to_end_the_child() -> None:
    """No signal that was asked for is that, nor what only wakes it, nor what is for those it left behind."""
    run_state = lived(
        spawned(),
        signalled(signal.SIGTERM, USER_REQUESTED),
        signalled(signal.SIGCONT, "it is stopped"),
        signalled(signal.SIGKILL, "it had not ended"),
        exited(None, signal.SIGKILL),
        signalled(signal.SIGTERM, "left behind"),
    )
    assert [event.reason for event in run_state.forced] == ["it had not ended"]
    assert run_state.describe_state() == "was ended by SIGKILL"


def test_a_child_that_ended_sends_nothing_more() -> None:
    """Even if its channel was not seen to close."""
    assert not lived(spawned()).is_closed
    assert lived(spawned(), exited()).is_closed


def say(*values: str) -> tuple[Step, ...]:
    return tuple(Send(value, line=int(value)) for value in values)


def test_steps_come_in_their_order_each_as_often_as_it_is_repeated() -> None:
    """Blocks may be nested, and at their ends."""
    steps = (
        *say("1"),
        Repeat(2, (*say("3"), Repeat(3, say("5"), line=4), Repeat(1, say("7"), line=6)), line=2),
        *say("8"),
    )
    cursor = ScriptCursor(steps)
    assert [cursor.line for _ in cursor] == [1, 3, 5, 5, 5, 7, 3, 5, 5, 5, 7, 8]
    assert (cursor.passed, cursor.total, cursor.line) == (12, 12, 0)


def test_a_step_passes_once_the_next_is_asked_for() -> None:
    """The one that a failure stops at has not."""
    cursor = ScriptCursor(say("1", "2", "3"))
    for _ in cursor:
        if cursor.line == 2:
            break
    assert (cursor.passed, cursor.total) == (1, 3)


def test_rounds_are_listed_from_the_outermost_in() -> None:
    """For the person who is to find the failure."""
    cursor = ScriptCursor((Repeat(3, (Repeat(5, say("7"), line=2),), line=1),))
    seen = [cursor.rounds for _ in cursor]
    assert seen[0] == (Round(1, 1, 3), Round(2, 1, 5))
    assert seen[7] == (Round(1, 2, 3), Round(2, 3, 5))
    assert cursor.rounds == ()


def test_each_round_captures_anew_and_the_last_one_for_good() -> None:
    """What was captured before the block stays known in each."""
    cursor = ScriptCursor((*say("1"), Repeat(3, say("2", "3"), line=4), *say("5")))
    known = []
    for step in cursor:
        known.append(dict(cursor.names))
        assert isinstance(step, Send)
        if step.value == "1":
            cursor.names["before"] = 1
        if step.value == "2":
            cursor.names["inside"] = len(known)
    assert known == [
        {},
        *({"before": 1}, {"before": 1, "inside": 2}),
        *({"before": 1}, {"before": 1, "inside": 4}),
        *({"before": 1}, {"before": 1, "inside": 6}),
        {"before": 1, "inside": 6},
    ]


def test_a_block_without_rounds_or_steps_is_passed_over() -> None:
    """However often it is repeated."""
    cursor = ScriptCursor((Repeat(0, say("1")), Repeat(sys.maxsize, ()), *say("2")))
    assert [cursor.line for _ in cursor] == [2]
    assert cursor.total == 1


def test_nothing_is_unrolled() -> None:
    """The figures of a script that never ends are known at once."""
    steps: tuple[Step, ...] = say("1")
    for _ in range(2000):
        steps = (Repeat(10, steps),)
    cursor = ScriptCursor(steps)
    assert cursor.total == 10**2000
    next(iter(cursor))
    assert len(cursor.rounds) == 2000


def test_following_steps_end_with_the_block() -> None:
    """A step can look at what follows it."""
    cursor = ScriptCursor((Repeat(2, (*say("1"), Quit(line=2))), *say("3")))
    assert [cursor.following_steps for _ in cursor] == [(Quit(),), (), (Quit(),), (), ()]
