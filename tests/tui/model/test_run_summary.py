"""The summary of a run: the steps of its handshake, and its end."""

from dataclasses import replace

from hypothesis import given, settings

from tests.support.hostile_output import HOSTILE
from tests.support.sample_events import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tests.support.unicode_text import is_safe
from tui_ipc.events import (
    AnyEvent,
    Audit,
    ChildOutput,
    Fault,
    HandshakeFailed,
    MessageSent,
    SignalSent,
    StepLate,
)
from tui_ipc.tui.model.run_summary import (
    REPEATED_EVENT_LIMIT,
    RUN_LIMIT,
    RunSummaries,
    RunSummary,
    shift_events,
    summarize_session,
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


def summarize_runs(*events: AnyEvent, unanswered: dict[int, int] | None = None) -> list[str]:
    """The lines about a session with these events."""
    summaries = RunSummaries()
    for event in events:
        summaries.add(event)
    return summarize_session(summaries, unanswered or {})


def test_a_session_is_summarized_in_a_line_for_each_run_and_one_for_what_was_left() -> None:
    """How long the child lived and how it ended; what had no answer; of leftovers, the newest first."""
    dirty = replace(AUDIT, processes=(77,), commands=("sleep 60",))
    assert summarize_runs(LISTENING, SPAWNED, HELLO, exited(), AUDIT) == [
        "run 1: calc ran for 8 ns and exited with code 0",
        "left behind: nothing",
    ]
    assert summarize_runs(
        *(SPAWNED, HELLO, exited(None, 9), dirty),
        *(replace(SPAWNED, run=2), exited(3, run=2), replace(AUDIT, run=2, unread=5)),
        unanswered={1: 2},
    ) == [
        "run 1: calc ran for 8 ns and was ended by SIGKILL; 2 messages without an answer",
        "run 2: calculator ran for 8 ns and exited with code 3",
        "left behind: 5 unread bytes (run 2); 1 process (pid 77: sleep 60) (run 1)",
    ]


def test_the_summary_of_a_session_says_what_went_wrong() -> None:
    """Also without a child, or with one that has not ended; nothing is said of what was not tried."""
    fault = Fault(at=5, run=1, sentence="it sent 0xc1", byte=0)
    assert summarize_runs() == summarize_runs(LISTENING) == []
    assert summarize_runs(LISTENING, FAILED) == ["run 1: the handshake failed; no child was started"]
    assert summarize_runs(SPAWNED, FAILED, exited(1)) == [
        "run 1: the handshake failed; calculator ran for 8 ns and exited with code 1"
    ]
    assert summarize_runs(SPAWNED, HELLO, fault) == ["run 1: the protocol was broken; calc has not ended"]


def test_the_summary_of_many_runs_has_the_last_ones_and_how_many_were_before() -> None:
    """Forgotten runs are counted, too."""
    spawned = [replace(SPAWNED, run=run) for run in range(1, RUN_LIMIT + 3)]
    assert [line[:6] for line in summarize_runs(*spawned[:3])] == ["run 1:", "run 2:", "run 3:"]
    assert [line[:8] for line in summarize_runs(*spawned)] == ["100 earl", "run 101:", "run 102:"]


@given(HOSTILE, HOSTILE)
@settings(max_examples=30)
def test_what_a_child_is_called_does_not_reach_the_terminal_raw(name: bytes, command: bytes) -> None:
    """Neither its name nor the command of a process that it left."""
    audit = replace(AUDIT, processes=(7,), commands=(command.decode(errors="replace"),))
    for steered in (
        (replace(HELLO, name=name.decode(errors="replace")),),
        (replace(SPAWNED, command=(command.decode(errors="surrogateescape") or "x",)),),
    ):
        for line in summarize_runs(SPAWNED, *steered, exited(), audit):
            assert all(map(is_safe, line)), line
