"""What the inspector says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.content.test_sanitize import is_safe
from tests.tui.content.test_status import CONNECTED, HELLO, LISTENING, SPAWNED, exited
from tui_ipc.session.events import (
    Audit,
    ChildSpawned,
    ChildStopped,
    Event,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
    StepLate,
)
from tui_ipc.tui.content.inspection import about_lines, answer_facts, summary, title, value_lines
from tui_ipc.tui.content.model import Entry

SENT = MessageSent(at=1_500_000_000, run=1, number=2, value={"op": "add"}, raw=b"\x81\xa2op\xa3add")
RECEIVED = MessageReceived(
    at=1_500_061_000, run=1, number=3, value="5", raw=b"\xa15", answers=2, elapsed=61_000
)


def entry(event: Event | None) -> Entry:
    """An entry of the log about an event."""
    return Entry(event, 1 if event is None else event.run)


def about(event: Event) -> dict[str, str]:
    """The facts, by their names."""
    facts = (line.left for line in about_lines(entry(event)))
    return {name.text.strip(): fact.text for name, fact in facts}


def test_a_message() -> None:
    """Which it is, what it answers and how long that took."""
    assert title(entry(RECEIVED)) == "Message #3 received"
    assert summary(entry(RECEIVED)) == "2 B · answers #2 after 61 µs"
    assert about(RECEIVED)["answers"] == "#2 after 61 µs"
    assert about(SENT) == {
        "run": "1",
        "at": "1.500 s",
        "direction": "to the child",
        "number": "#2 of this run",
        "kind": "map",
        "size": "8 bytes",
    }


def test_what_answered_a_message() -> None:
    """Each answer with its number and the time it took, the first first; more facts follow the event's."""
    late = replace(RECEIVED, at=RECEIVED.at + 1, number=4, elapsed=5_000_000)
    facts = list(answer_facts([entry(late), entry(RECEIVED)]))
    assert facts == [("answered by", "#3 after 61 µs"), ("answered by", "#4 after 5.0 ms")]
    assert [line.text for line in about_lines(entry(SENT), facts)][-2:] == [
        "answered by  #3 after 61 µs",
        "answered by  #4 after 5.0 ms",
    ]


@pytest.mark.parametrize(
    ("event", "name", "fact"),
    [
        (LISTENING, "server name", "/run/s"),
        (SPAWNED, "command", "/usr/bin/calculator channel_name:/run/s"),
        (HELLO, "form", "two channels"),
        (exited(None, 9), "end", "the child was ended by SIGKILL"),
        (SignalSent(at=0, run=1, signal=15, reason="it did not end"), "reason", "it did not end"),
        (
            HandshakeFailed(at=0, run=1, step="hello", sentence="silence", timed_out=True),
            "step missed",
            "hello",
        ),
        (
            Audit(at=0, run=1, processes=(8,), files=(), unread=3, quit_elapsed=9_000_000),
            "quit took",
            "9.0 ms",
        ),
        (Audit(at=0, run=1, processes=(8,), files=(), unread=3, quit_elapsed=None), "processes", "8"),
        (
            Audit(
                at=0, run=1, processes=(), held=("stdout", "channel"), files=(), unread=0, quit_elapsed=None
            ),
            "held open",
            "stdout, channel",
        ),
        (StepLate(at=0, run=1, step="hello", waited=1_500_000_000, sentence="silence"), "waited", "1.5 s"),
        (ChildStopped(at=0, run=1, signal=19), "signal", "SIGSTOP"),
        (Fault(at=0, run=1, sentence="not msgpack", byte=1_234), "byte", "1 234, counted from 0"),
    ],
)
def test_every_event_has_facts(event: Event, name: str, fact: str) -> None:
    """What the log line has no room for is told here."""
    assert about(event)[name] == fact


@given(text=st.text())
def test_nothing_hostile_is_inspected_unseen(text: str) -> None:
    """Under every face names, commands, values and sentences are safe to show."""
    events: list[Event] = [
        ServerListening(at=0, run=1, name=text),
        ChildSpawned(at=0, run=1, pid=1, command=(text, text)),
        HelloReceived(at=0, run=1, name=text, pid=1, inline=True, raw=b""),
        SignalSent(at=0, run=1, signal=15, reason=text),
        HandshakeFailed(at=0, run=1, step="hello", sentence=text, timed_out=False),
        Audit(at=0, run=1, processes=(), files=(text,), unread=0, quit_elapsed=None),
    ]
    for event in events:
        it = entry(event)
        lines = [*value_lines(it), *about_lines(it)]
        assert all(is_safe(character) for line in lines for character in line.text)


@pytest.mark.parametrize("event", [LISTENING, SPAWNED, CONNECTED, HELLO, exited(), None])
def test_what_is_no_message_has_a_face_too(event: Event | None) -> None:
    """Every line of the log can be selected; none is blank, and none pretends to be a message."""
    assert title(entry(event))
    assert summary(entry(event)) is None
    assert value_lines(entry(event))[0].text
    assert about_lines(entry(event))
