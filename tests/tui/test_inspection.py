"""What the inspector says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.test_sanitize import is_safe
from tests.tui.test_status import CONNECTED, HELLO, LISTENING, SPAWNED, exited
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
from tui_ipc.tui.inspection import HexLines, about_lines, raw_bytes, summary, title, value_lines
from tui_ipc.tui.model import Entry

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


@given(data=st.binary(max_size=300), width=st.integers(20, 100))
def test_the_dump_is_the_bytes(data: bytes, width: int) -> None:
    """Every byte is in the dump once, in order, and rows fit where at least four bytes do."""
    dump = HexLines.fitting(data, width)
    rows = [row.text for row in dump]
    assert bytes.fromhex("".join(row.left[1].text for row in dump)) == data
    assert all(len(row) <= max(width, 24) for row in rows)


def test_a_row_of_the_dump() -> None:
    """Offset, hex, characters; what is not printable ASCII is a dot."""
    dump = HexLines(b"Hi\x00\xff\x1b there", 8)
    assert [row.text for row in dump] == [
        "0000  48 69 00 ff 1b 20 74 68  Hi··· th",
        "0008  65 72 65                 ere",
    ]
    with pytest.raises(IndexError, match="line 2 of 2"):
        dump[2]


def test_a_large_dump_costs_what_is_looked_at() -> None:
    """The rows of 64 MiB are made one by one, with an offset that has room for all."""
    dump = HexLines.fitting(bytes(64 << 20), 80)
    assert len(dump) == 4 << 20
    assert dump[len(dump) - 1].text.startswith("03fffff0  00")


def test_a_message() -> None:
    """Its value, its bytes, what it answers and how long that took."""
    assert title(entry(RECEIVED)) == "Message #3 received"
    assert summary(entry(RECEIVED)) == "2 B · answers #2 after 61 µs"
    assert raw_bytes(entry(RECEIVED)) == b"\xa15"
    assert [line.text for line in value_lines(entry(SENT))] == ['{"op": "add"}']
    assert about(RECEIVED)["answers"] == "#2 after 61 µs"
    assert about(SENT) == {
        "run": "1",
        "at": "1.500 s",
        "direction": "to the child",
        "number": "#2 of this run",
        "kind": "dict",
        "size": "8 bytes",
    }


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
        HelloReceived(at=0, run=1, name=text, pid=1, inline=True, raw=text.encode("utf-8", "replace")),
        MessageSent(at=0, run=1, number=1, value=[text], raw=text.encode("utf-8", "replace")),
        SignalSent(at=0, run=1, signal=15, reason=text),
        HandshakeFailed(at=0, run=1, step="hello", sentence=text, timed_out=False),
        Audit(at=0, run=1, processes=(), files=(text,), unread=0, quit_elapsed=None),
    ]
    for event in events:
        it = entry(event)
        lines = [*value_lines(it), *about_lines(it), *HexLines(raw_bytes(it), 8)]
        assert all(is_safe(character) for line in lines for character in line.text)


@pytest.mark.parametrize("event", [LISTENING, SPAWNED, CONNECTED, HELLO, exited(), None])
def test_what_is_no_message_has_a_face_too(event: Event | None) -> None:
    """Every line of the log can be selected; none is blank, and none pretends to be a message."""
    assert title(entry(event))
    assert summary(entry(event)) is None
    assert value_lines(entry(event))[0].text
    assert about_lines(entry(event))
