"""What is said of an event."""

from dataclasses import replace

import pytest
from hypothesis import given

from tests.support.event_strategies import any_event
from tui_ipc import events as ev
from tui_ipc.events.sentences import WORD_WIDTH, describe_event, describe_leftovers


@given(event=any_event)
def test_each_event_has_its_mark_and_word(event: ev.AnyEvent) -> None:
    """Whatever it holds, and the words fit into their column."""
    said = describe_event(event)
    assert len(said.mark) == 1
    assert 0 < len(said.word) <= WORD_WIDTH


@pytest.mark.parametrize(
    ("code", "signal", "detail"),
    [
        (3, None, "the child exited with code 3"),
        (None, 9, "the child was ended by SIGKILL"),
        (None, None, "the child ended, and its exit status was lost"),
    ],
)
def test_an_exit_is_described_by_code_or_signal(code: int | None, signal: int | None, detail: str) -> None:
    """With a code, by a signal, or unknown to us."""
    end = ev.ChildExited(
        at=0, run=1, code=code, signal=signal, user_seconds=0.0, system_seconds=0.0, max_rss=1
    )
    said = describe_event(end)
    assert (said.detail, said.tone) == (detail, "bad")


def test_an_audit_lists_what_was_left_behind() -> None:
    """Each thing that was left, with its names; then how long the child took to end."""
    audit = ev.Audit(
        at=0, run=1, processes=(7, 8), files=("/s", "/t"), unread=2, quit_elapsed=7_100_000, held=("channel",)
    )
    left = ["2 processes (pid 7, 8)", "channel held open", "2 files (/s, /t)", "2 unread bytes"]
    assert describe_leftovers(audit) == left
    assert describe_event(audit).detail == " · ".join([*left, 'ended 7.1 ms after "quit"'])
    assert (describe_event(audit).word, describe_event(audit).tone) == ("left", "warn")
    named = replace(audit, commands=("sleep 9",), unfinished=2)
    assert describe_leftovers(named)[0] == "2 processes (pid 7: sleep 9, 8)"
    assert describe_leftovers(named)[-1] == "2 unread bytes of an unfinished message"
    assert describe_leftovers(replace(named, unread=3))[-1] == "1 unread byte"
    clean = ev.Audit(at=0, run=1, processes=(), files=(), unread=0, quit_elapsed=None)
    assert describe_leftovers(clean) == []
    assert (describe_event(clean).word, describe_event(clean).detail) == ("clean", "nothing was left behind")


def test_a_connection_by_another_process_is_described() -> None:
    """With the processes between them."""
    event = ev.ChildConnected(at=0, run=1)
    assert describe_event(event).detail == "to the one-shot server"
    behind = replace(event, lineage=("npm (pid 1)", "sh (pid 2)", "node (pid 3)"))
    assert describe_event(behind).detail == "node (pid 3), started by npm (pid 1) → sh (pid 2)"
    stranger = replace(event, lineage=("node (pid 3)",))
    assert describe_event(stranger).detail == "node (pid 3), not started by the child"


def test_a_long_value_is_cut_where_asked() -> None:
    """The limit is for the value of a message."""
    event = ev.MessageSent(at=0, run=1, number=1, value="x" * 1000, raw=b"")
    assert len(describe_event(event).detail) == 1002
    assert len(describe_event(event, 50).detail) < 100
