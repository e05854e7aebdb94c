"""What is kept of a run."""

import signal
from typing import Any

from tests.script.fake_session import exited, printed, received, signalled, spawned
from tui_ipc.ipc.wire import encode
from tui_ipc.script.running.life import MAX_MESSAGES, Life, Untaken
from tui_ipc.session.events import ASKED, Event, MessageReceived, MessageSent


def message(value: Any) -> MessageReceived:
    event = received(value)
    assert isinstance(event, MessageReceived)
    return event


def lived(*events: Event) -> Life:
    life = Life(1)
    for event in events:
        life.note(event)
    return life


def sent(number: int) -> Event:
    return MessageSent(at=0, run=1, number=number, value=number, raw=encode(number))


def test_messages_are_taken_in_their_order() -> None:
    """There is room again once one is taken."""
    untaken = Untaken(max_messages=2)
    for number in range(3):
        untaken.add(message(number))
    assert untaken.full
    assert untaken.dropped == 1
    assert [one.value for one in untaken.first(5)] == [0, 1]
    assert untaken.take().value == 0
    untaken.add(message(3))
    assert [untaken.take().value, untaken.take().value] == [1, 3]
    assert not untaken


def test_messages_are_bounded_by_their_bytes_too() -> None:
    """The one that goes beyond is still kept."""
    untaken = Untaken(max_bytes=100)
    for number in range(3):
        untaken.add(message(bytes(60 + number)))
    assert (len(untaken), untaken.dropped) == (2, 1)
    untaken.take()
    assert not untaken.full


def test_however_long_a_run_is_it_takes_little_memory() -> None:
    """Messages that were sent and not answered, those that nobody takes, and what is printed."""
    life = Life(1)
    for number in range(101_000):
        life.note(sent(number))
        life.note(message(number))
        life.note(printed(b"x" * 1000, "stderr"))
    assert list(life.unanswered) == list(range(100_984, 101_000))
    assert len(life.received) == MAX_MESSAGES
    assert life.received.dropped == 1000
    assert life.last_errors(9) == ["x" * 4096]
    assert life.printed["stderr"]._news_size < 1_100_000


def test_a_message_that_is_answered_is_forgotten() -> None:
    """Others wait on."""
    life = lived(sent(1), sent(2), received("x", answers=1))
    assert list(life.unanswered) == [2]


def test_what_the_session_had_to_do_to_end_the_child() -> None:
    """No signal that was asked for is that, nor what only wakes it, nor what is for those it left behind."""
    life = lived(
        spawned(),
        signalled(signal.SIGTERM, ASKED),
        signalled(signal.SIGCONT, "it is stopped"),
        signalled(signal.SIGKILL, "it had not ended"),
        exited(None, signal.SIGKILL),
        signalled(signal.SIGTERM, "left behind"),
    )
    assert [event.reason for event in life.forced] == ["it had not ended"]
    assert life.state() == "was ended by SIGKILL"


def test_a_child_that_ended_sends_nothing_more() -> None:
    """Even if nobody saw its channel close."""
    assert not lived(spawned()).closed
    assert lived(spawned(), exited()).closed
