"""What the log says about each event."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.content.test_sanitize import is_safe
from tests.tui.content.test_status import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tui_ipc.session.events import (
    Audit,
    ChannelClosed,
    ChildContinued,
    ChildStopped,
    Event,
    Fault,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    SignalSent,
    StepLate,
)
from tui_ipc.tui.content.lines import log_line, rule

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (LISTENING, "  0.000  ● listening  /run/s"),
        (SPAWNED, "  0.000  ● spawned    pid 7 · /usr/bin/calculator channel_name:/run/s"),
        (CONNECTED, "  0.000  ● connected  to the one-shot server"),
        (HELLO, "  0.000  ● hello      calc · two channels"),
        (OPEN, "  0.000  ● open       messages may pass"),
        (
            MessageSent(at=SECOND, run=1, number=1, value="Hello", raw=b"123456"),
            '  1.000  → "Hello"  6 B',
        ),
        (
            MessageReceived(
                at=2 * SECOND, run=1, number=1, value={"a": 1}, raw=b"1", answers=1, elapsed=61_000
            ),
            '  2.000  ← {"a": 1}  61 µs       1 B',
        ),
        (
            SignalSent(at=0, run=1, signal=15, reason="it did not end"),
            "  0.000  ▲ signal     SIGTERM · it did not end",
        ),
        (
            HandshakeFailed(at=0, run=1, step="hello", sentence="no hello came", timed_out=True),
            "  0.000  ✕ failed     no hello came",
        ),
        (Fault(at=0, run=1, sentence="not msgpack"), "  0.000  ✕ fault      not msgpack"),
        (ChannelClosed(at=0, run=1), "  0.000  ○ closed     the channel from the child ended"),
        (exited(3), "  0.000  ■ exited     the child exited with code 3"),
        (exited(None, 11), "  0.000  ■ exited     the child was ended by SIGSEGV"),
        (
            Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=None),
            "  0.000  ✓ clean      nothing was left behind",
        ),
        (
            Audit(
                at=0,
                run=1,
                processes=(8, 9),
                held=("stdout",),
                files=("/s",),
                unread=1,
                quit_elapsed=None,
            ),
            "  0.000  ! left       2 processes (pid 8, 9) · stdout held open · 1 file (/s) · 1 unread byte",
        ),
        (
            Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=12_000_000),
            '  0.000  ✓ clean      nothing was left behind · ended 12 ms after "quit"',
        ),
        (
            StepLate(at=0, run=1, step="hello", waited=SECOND, sentence="it said nothing for 1 s"),
            "  0.000  ▲ late       it said nothing for 1 s",
        ),
        (
            ChildStopped(at=0, run=1, signal=19),
            "  0.000  ▲ stopped    by SIGSTOP, until it is continued",
        ),
        (ChildContinued(at=0, run=1), "  0.000  ● continued  the child goes on"),
    ],
)
def test_each_event_has_its_line(event: Event, text: str) -> None:
    """Time, mark, words, latency, size: each event is told in one line."""
    assert log_line(event).text == text


def test_a_step_of_the_handshake_says_how_long_it_took() -> None:
    """The time since the step before stands where a message has its latency."""
    assert [span.text.strip() for span in log_line(SPAWNED, since=12_000_000).right] == ["+12 ms", ""]


def test_columns_stand_below_each_other() -> None:
    """Whatever the figures, the right parts of two messages are equally wide."""
    rows = [
        MessageReceived(at=0, run=1, number=1, value=0, raw=raw, answers=answers, elapsed=elapsed)
        for raw, answers, elapsed in ((b"1", 1, 61_000), (b"1" * 70_000, None, None), (b"", 2, 12 * SECOND))
    ]
    assert len({sum(len(span.text) for span in log_line(row).right) for row in rows}) == 1


@given(text=st.text())
def test_nothing_a_child_says_reaches_the_terminal_unseen(text: str) -> None:
    """Names, values and sentences are sanitised wherever they appear."""
    events: list[Event] = [
        HelloReceived(at=0, run=1, name=text, pid=1, inline=True, raw=b""),
        MessageSent(at=0, run=1, number=1, value={text: text}, raw=b""),
        HandshakeFailed(at=0, run=1, step="hello", sentence=text, timed_out=False),
        Fault(at=0, run=1, sentence=text),
        StepLate(at=0, run=1, step="hello", waited=1, sentence=text),
    ]
    assert all(is_safe(character) for event in events for character in log_line(event).text)


def test_a_rule_names_the_run() -> None:
    """Between two runs stands which one begins."""
    assert rule(2).text == "── run 2 "
