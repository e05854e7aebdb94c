"""What a child prints, searched while it comes."""

import signal
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scripted_session import exited, printed, received, signalled, spawned
from tui_ipc.events import USER_REQUESTED, AnyEvent, MessageReceived, MessageSent
from tui_ipc.ipc.wire import encode
from tui_ipc.osutil.bounded_search import BoundedSearch
from tui_ipc.script.language.steps import Quit, Repeat, Send, Step
from tui_ipc.script.runner.run_state import (
    KEEP_AT_LEAST,
    MAX_MESSAGES,
    Round,
    RunState,
    ScriptCursor,
    SearchableOutput,
    UnclaimedMessages,
)

SEARCH = BoundedSearch(30)


def fed(*pieces: bytes) -> SearchableOutput:
    printed = SearchableOutput()
    for piece in pieces:
        printed.feed(piece)
    return printed


def test_a_search_begins_after_the_last_match() -> None:
    """Each line is found once, in the order in which it was printed."""
    printed = fed(b"one\ntwo\none\n")
    assert printed.find("one", SEARCH)
    assert printed.find("one", SEARCH)
    assert not printed.find("one", SEARCH)
    assert not printed.find("two", SEARCH)
    printed.feed(b"two\n")
    assert printed.find("two", SEARCH)


@given(st.lists(st.integers(1, 20)), st.integers(0, 30))
def test_a_match_may_span_pieces(cuts: list[int], before: int) -> None:
    """However the text is cut, a character in two included."""
    data = ("x" * before + "begin … — é 🎉 end").encode()
    printed = SearchableOutput()
    found = False
    for cut in [*cuts, len(data)]:
        piece, data = data[:cut], data[cut:]
        printed.feed(piece)
        found = printed.find("begin … — é 🎉 end", SEARCH) or found
    assert found


def test_lines_have_a_beginning_and_an_end() -> None:
    """So that a whole line can be asked for."""
    printed = fed(b"not ready\nready\nset\n")
    assert printed.find("^ready$", SEARCH)
    assert printed.find("^set$", SEARCH)


def test_bytes_that_are_not_text_are_replaced() -> None:
    """The text around them can still be found."""
    assert fed(b"a\xff\xfeb").find("a\N{REPLACEMENT CHARACTER}{2}b", SEARCH)


def test_a_match_longer_than_the_reach_is_found_once_nothing_more_comes() -> None:
    """Before, only the text that is new is searched, and the text before it within reach."""
    printed = fed(b"begin" + b"." * 200_000)
    assert not printed.find("(?s)begin.*end", SEARCH)
    printed.feed(b"end")
    assert not printed.find("(?s)begin.*end", SEARCH)
    assert printed.find("(?s)begin.*end", SEARCH, final=True)


def test_a_match_within_reach_is_found_at_once_in_a_long_text() -> None:
    """Though the text before it was searched already."""
    printed = fed(b"." * 500_000)
    assert not printed.find("begin.*end", SEARCH)
    printed.feed(b"begin" + b"." * 1000)
    assert not printed.find("begin.*end", SEARCH)
    printed.feed(b"end")
    assert printed.find("begin.*end", SEARCH)


def test_a_long_text_is_not_searched_again_for_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """All searches together look at a small multiple of the text."""
    looked_at = 0

    class Expression:
        def search(self, text: str, start: int) -> None:
            nonlocal looked_at
            looked_at += len(text) - start

    class Expressions:
        MULTILINE = 0

        @staticmethod
        def compile(*_: Any) -> Expression:
            return Expression()

    monkeypatch.setattr("tui_ipc.script.runner.run_state.re", Expressions)
    printed = SearchableOutput()
    for _ in range(500):
        printed.feed(b"." * 2000)
        assert not printed.find("x", SEARCH)
        assert not printed.find("x", SEARCH)  # nothing is new
    assert looked_at < 45 * 500 * 2000  # 125 times with every piece a search of all


@pytest.mark.parametrize("looking", [False, True])
def test_of_an_endless_text_the_end_is_kept(looking: bool) -> None:
    """Whether or not anybody looks at it."""
    printed = fed(b"early\n")
    for _ in range(100):
        printed.feed(b"x" * 65536)
        if looking:
            assert not printed.find("z", SEARCH)
    printed.feed(b"late\n")
    assert not printed.find("early", SEARCH, final=True)
    assert printed.find("x{1000}late", SEARCH, final=True)
    assert len(printed._text) < 4 * KEEP_AT_LEAST


def test_what_was_found_long_ago_is_forgotten() -> None:
    """What follows it is found all the same."""
    printed = fed(b"x" * 300_000 + b"one")
    assert printed.find("one", SEARCH)
    for _ in range(30):
        printed.feed(b"y" * 100_000 + b"two")
        assert printed.find("two", SEARCH)
        assert not printed.find("two", SEARCH)
    assert len(printed._text) < KEEP_AT_LEAST


def test_the_last_lines_are_those_after_the_last_match() -> None:
    """What stood before it has been asked for."""
    printed = fed(b"one\ntwo\n")
    assert printed.find("one\n", SEARCH)
    printed.feed(b"three\nfour")
    assert printed.last_lines(2) == ["three", "four"]
    assert printed.last_lines(5) == ["two", "three", "four"]


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
