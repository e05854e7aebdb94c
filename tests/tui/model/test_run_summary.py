"""The story of a run: the rungs of its handshake, and its end."""

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


def story(*events: AnyEvent) -> RunSummary:
    """The story that events make."""
    made = RunSummary(1)
    for event in events:
        made.note(event)
    return made


def test_a_handshake_that_goes_on_awaits_its_next_step() -> None:
    """What was reached says how long it took; one step is awaited, and those behind it are missing."""
    rungs = story(LISTENING, SPAWNED).ladder
    assert [rung.step for rung in rungs] == ["listening", "spawned", "connected", "hello", "channels open"]
    assert [rung.state for rung in rungs] == ["reached", "reached", "awaited", "missing", "missing"]
    assert [rung.took for rung in rungs] == [None, 1, None, None, None]
    assert "pid 7" in rungs[1].detail


def test_a_late_step_keeps_its_reason() -> None:
    """While it is awaited, and after it came."""
    assert story(LISTENING, SPAWNED, LATE).ladder[2].late is LATE
    came = story(LISTENING, SPAWNED, LATE, CONNECTED).ladder[2]
    assert (came.state, came.late) == ("reached", LATE)


def test_a_failed_step_is_where_it_ended() -> None:
    """Also when the child ended, or was ended, before the handshake was over."""
    for end in (FAILED, exited(1), AUDIT):
        states = [rung.state for rung in story(LISTENING, SPAWNED, end).ladder]
        assert states == ["reached", "reached", "failed", "missing", "missing"]


def test_a_whole_handshake_has_only_reached_steps() -> None:
    """The end of the child changes nothing about it, and is told in the rest."""
    whole = story(LISTENING, SPAWNED, CONNECTED, HELLO, OPEN, exited(), AUDIT)
    assert {rung.state for rung in whole.ladder} == {"reached"}
    assert whole.rest == [exited(), AUDIT]


def test_messages_and_output_are_no_part_of_it() -> None:
    """They come without limit."""
    sent = MessageSent(at=6, run=1, number=1, value="x", raw=b"\xa1x")
    assert story(sent, ChildOutput(at=7, run=1, stream="stdout", data=b"x")).events == []


def test_it_is_bounded() -> None:
    """Signals are forgotten, oldest first; the steps never are; old runs are."""
    made = story(
        LISTENING, *(SignalSent(at=at, run=1, signal=2, reason="") for at in range(REPEATED_EVENT_LIMIT + 5))
    )
    assert made.events[0] is LISTENING
    assert [event.at for event in made.rest] == list(range(5, REPEATED_EVENT_LIMIT + 5))
    stories = RunSummaries()
    for run in range(1, RUN_LIMIT + 3):
        stories.note(exited(run=run))
    assert stories.runs == tuple(range(3, RUN_LIMIT + 3))
    assert stories[RUN_LIMIT + 2].events == [exited(run=RUN_LIMIT + 2)]


def test_a_story_can_be_moved_in_time() -> None:
    """Its steps keep their distances, its last one stands where it is wanted, none before the beginning."""
    assert [event.at for event in shift_events((SPAWNED, OPEN), 100)] == [97, 100]
    assert [event.at for event in shift_events((SPAWNED, OPEN), 2)] == [0, 2]
    assert shift_events((), 5) == []
