"""What the inspector shows of an event besides its value."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import hostile, values
from tests.support.sample_events import CONNECTED, HELLO, LISTENING, SPAWNED, exited
from tests.support.unicode_text import is_safe
from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChannelsOpen,
    ChildSpawned,
    ChildStopped,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
    SignalSent,
    StepLate,
)
from tui_ipc.ipc.wire import encode
from tui_ipc.text.units import format_date_and_time, format_plural
from tui_ipc.tui.model.byte_map import ByteMap
from tui_ipc.tui.model.event_details import (
    COUNT_LIMIT,
    MessageStats,
    about_lines,
    entry_summary,
    entry_title,
    explain_no_partner,
    find_partners,
    list_answers,
    value_lines,
)
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.model.ring_buffer import RingBuffer


def count_message(value: Any, raw: bytes | None = None) -> dict[str, str]:
    """The statistics of a whole message, by name."""
    stats = MessageStats(ByteMap(value, encode(value) if raw is None else raw))
    for _ in stats.steps():
        pass
    return dict(stats.facts())


def test_statistics_have_kinds_depth_and_headers() -> None:
    """Each kind with its number, containers before what they hold; how many of the bytes are headers."""
    assert count_message({"op": "add", "args": [2, 3.5, None, b"x"], "ok": True}) == {
        "holds": "1 map, 1 array, 4 strings, 1 binary, 1 integer, 1 float, 1 boolean, 1 null",
        "depth": "3",
        "headers": "9 of 32 bytes, 28 %",
    }
    assert count_message("Hi") == {"holds": "1 string", "headers": "1 of 3 bytes, 33 %"}


def test_a_large_message_is_counted_in_part() -> None:
    """The first values, with the number of bytes that they take."""
    facts = count_message([7] * (2 * COUNT_LIMIT))
    assert facts["holds"].startswith("1 array, 100 ")
    assert " integers, in its first 100 " in facts["holds"]


@given(value=values)
def test_every_byte_is_counted(value: Any) -> None:
    """However many steps it takes."""
    assert f" of {format_plural(len(encode(value)), 'byte')}, " in count_message(value)["headers"]


@given(data=hostile)
def test_broken_bytes_are_counted_as_far_as_they_make_sense(data: bytes) -> None:
    """It ends, whatever they are."""
    count_message(data, data)


SENT = MessageSent(at=1_500_000_000, run=1, number=2, value={"op": "add"}, raw=b"\x81\xa2op\xa3add")
RECEIVED = MessageReceived(
    at=1_500_061_000, run=1, number=3, value="5", raw=b"\xa15", answers=2, elapsed=61_000
)


def entry(event: AnyEvent | None) -> LogEntry:
    """An entry of the log about an event."""
    return LogEntry(event, 1 if event is None else event.run)


def about(event: AnyEvent) -> dict[str, str]:
    """The facts of an event, by name."""
    facts = (line.left for line in about_lines(entry(event)))
    return {name.text.strip(): fact.text for name, fact in facts}


def test_a_message_has_a_title_a_summary_and_facts() -> None:
    """Which it is, what it answers and how long that took."""
    assert entry_title(entry(RECEIVED)) == "Message #3 received"
    assert entry_summary(entry(RECEIVED)) == "2 B · answers #2 after 61 µs"
    assert about(RECEIVED)["answers"] == "#2 after 61 µs"
    assert about(SENT) == {
        "run": "1",
        "at": "1.500 s",
        "time": "not recorded",
        "direction": "to the child",
        "number": "#2 of this run",
        "kind": "map",
        "size": "8 bytes",
    }


def test_who_sent_a_message_is_said_if_it_was_not_the_user() -> None:
    assert about(replace(SENT, origin="script"))["sent by"] == "script"


def test_the_moment_has_its_date_and_zone() -> None:
    time = datetime(2026, 5, 25, 15, 24, 48, 123_000, tzinfo=UTC)
    facts = [line.text for line in about_lines(LogEntry(SENT, 1, time=time))]
    assert facts[1:3] == ["at         1.500 s", f"time       {format_date_and_time(time)}"]


def test_the_answers_to_a_message_are_facts() -> None:
    """Each answer with its number and the time it took, the first first; more facts follow the event's."""
    late = replace(RECEIVED, at=RECEIVED.at + 1, number=4, elapsed=5_000_000)
    facts = list(list_answers([entry(late), entry(RECEIVED)]))
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
def test_every_event_has_facts(event: AnyEvent, name: str, fact: str) -> None:
    """They show what the line of the log has no room for."""
    assert about(event)[name] == fact


@given(text=st.text())
def test_hostile_text_is_safe_in_the_inspector(text: str) -> None:
    """Names, commands and sentences, in both tabs."""
    events: list[AnyEvent] = [
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
def test_an_event_that_is_not_a_message_can_be_inspected(event: AnyEvent | None) -> None:
    """Every line of the log can be selected; none is blank, and none pretends to be a message."""
    assert entry_title(entry(event))
    assert entry_summary(entry(event)) is None
    assert value_lines(entry(event))[0].text
    assert about_lines(entry(event))


def sent(number: int, run: int = 1) -> LogEntry:
    """A message that was sent."""
    return LogEntry(MessageSent(at=0, run=run, number=number, value=1, raw=b"\x01"), run)


def received(number: int, answers: int | None, run: int = 1) -> LogEntry:
    """A message that came."""
    event = MessageReceived(at=0, run=run, number=number, value=1, raw=b"\x01", answers=answers, elapsed=5)
    return LogEntry(event, run)


def log(*entries: LogEntry, limit: int = 100) -> RingBuffer[LogEntry]:
    """A log of some entries."""
    ring: RingBuffer[LogEntry] = RingBuffer(limit, 1_000)
    for entry in entries:
        ring.append(entry)
    return ring


def test_a_question_and_its_answer_find_each_other() -> None:
    """By number and run: another run has the same numbers."""
    entries = (
        sent(1),
        received(1, 1),
        LogEntry(None, 2),
        sent(1, 2),
        sent(2, 2),
        received(1, 2, 2),
        received(2, 1, 2),
    )
    ring = log(*entries)
    assert [list(find_partners(ring, entry)) for entry in entries] == [[1], [0], [], [6], [5], [4], [3]]


def test_a_message_may_have_several_answers_or_none() -> None:
    """All are found, the newest first; a sentence says why there is none."""
    entries = (
        sent(1),
        received(1, 1),
        received(2, 1),
        sent(2),
        received(3, None),
        LogEntry(ChannelsOpen(at=0, run=1), 1),
    )
    ring = log(*entries)
    assert list(find_partners(ring, entries[0])) == [2, 1]
    assert [list(find_partners(ring, entry)) for entry in entries[3:]] == [[], [], []]
    assert [explain_no_partner(entry) for entry in entries[3:]] == [
        "No answer to #2 has come.",
        "#3 answers no message.",
        "Only messages have answers.",
    ]


def test_what_the_log_has_forgotten_is_not_found() -> None:
    """Indexes stay those of the log, however much it has forgotten."""
    entries = sent(1), received(1, 1), sent(2), received(2, 2)
    ring = log(*entries, limit=3)
    assert list(find_partners(ring, entries[1])) == []
    assert list(find_partners(ring, entries[3])) == [2]
    assert explain_no_partner(entries[1]) == "#1, which this answers, is no longer in the log."
