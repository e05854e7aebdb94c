"""The summary of a run: the steps of its handshake, and its end."""

from tests.support.sample_events import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tui_ipc.events import AnyEvent, Audit, ChildOutput, HandshakeFailed, MessageSent, SignalSent, StepLate
from tui_ipc.tui.model.run_summary import (
    REPEATED_EVENT_LIMIT,
    RUN_LIMIT,
    RunSummaries,
    RunSummary,
    shift_events,
)

LATE = StepLate(at=2_000, run=1, step="connected", waited=1_999, sentence="it sleeps")
FAILED = HandshakeFailed(at=5_000, run=1, step="connected", sentence="it never came", timed_out=True)
AUDIT = Audit(at=10, run=1, processes=(), files=(), unread=0, quit_elapsed=None)


def summarize(*events: AnyEvent) -> RunSummary:
    """The summary of a run with these events."""
    summary = RunSummary(1)
    for event in events:
        summary.add(event)
    return summary


def test_a_handshake_that_goes_on_awaits_its_next_step() -> None:
    """What was reached says how long it took; one step is awaited, and those after it are missing."""
    steps = summarize(LISTENING, SPAWNED).handshake_steps
    assert [step.step for step in steps] == ["listening", "spawned", "connected", "hello", "channels open"]
    assert [step.state for step in steps] == ["reached", "reached", "awaited", "missing", "missing"]
    assert [step.took for step in steps] == [None, 1, None, None, None]
    assert "pid 7" in steps[1].detail


def test_a_late_step_keeps_its_reason() -> None:
    """While it is awaited, and after it came."""
    assert summarize(LISTENING, SPAWNED, LATE).handshake_steps[2].late is LATE
    came = summarize(LISTENING, SPAWNED, LATE, CONNECTED).handshake_steps[2]
    assert (came.state, came.late) == ("reached", LATE)


def test_a_failed_step_is_where_it_ended() -> None:
    """Also when the child ended, or was ended, before the handshake was over."""
    for end in (FAILED, exited(1), AUDIT):
        states = [step.state for step in summarize(LISTENING, SPAWNED, end).handshake_steps]
        assert states == ["reached", "reached", "failed", "missing", "missing"]


def test_a_whole_handshake_has_only_reached_steps() -> None:
    """The end of the child changes nothing about it, and is among the other events."""
    whole = summarize(LISTENING, SPAWNED, CONNECTED, HELLO, OPEN, exited(), AUDIT)
    assert {step.state for step in whole.handshake_steps} == {"reached"}
    assert whole.other_events == [exited(), AUDIT]


def test_messages_and_output_are_left_out() -> None:
    """A run may have any number of them."""
    sent = MessageSent(at=6, run=1, number=1, value="x", raw=b"\xa1x")
    assert summarize(sent, ChildOutput(at=7, run=1, stream="stdout", data=b"x")).events == []


def test_the_summary_is_bounded() -> None:
    """Signals are forgotten, oldest first; the steps never are; old runs are."""
    summary = summarize(
        LISTENING, *(SignalSent(at=at, run=1, signal=2, reason="") for at in range(REPEATED_EVENT_LIMIT + 5))
    )
    assert summary.events[0] is LISTENING
    assert [event.at for event in summary.other_events] == list(range(5, REPEATED_EVENT_LIMIT + 5))
    summaries = RunSummaries()
    for run in range(1, RUN_LIMIT + 3):
        summaries.add(exited(run=run))
    assert summaries.runs == tuple(range(3, RUN_LIMIT + 3))
    assert summaries[RUN_LIMIT + 2].events == [exited(run=RUN_LIMIT + 2)]


def test_events_can_be_moved_in_time() -> None:
    """They keep their distances; the last happens at the moment asked for, and none before the beginning."""
    assert [event.at for event in shift_events((SPAWNED, OPEN), 100)] == [97, 100]
    assert [event.at for event in shift_events((SPAWNED, OPEN), 2)] == [0, 2]
    assert shift_events((), 5) == []
