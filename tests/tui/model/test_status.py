"""The state of a run after its events, and its metrics."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.support.sample_events import CONNECTED, HELLO, LISTENING, OPEN, SPAWNED, exited
from tui_ipc.events import (
    AnyEvent,
    ChannelClosed,
    ChildContinued,
    ChildStopped,
    Fault,
    HandshakeFailed,
    MessageReceived,
    MessageSent,
    ServerListening,
    StepLate,
)
from tui_ipc.tui.model.status import (
    LATENCY_WINDOW,
    NANOSECONDS,
    TRAFFIC_WINDOW,
    Percentiles,
    RunMetrics,
    Status,
    TrafficSecond,
    draw_sparkline,
)


def after(*events: AnyEvent) -> Status:
    """The status once events have happened."""
    status = Status()
    for event in events:
        status.apply(event)
    return status


def test_the_state_says_which_step_of_the_handshake_is_next() -> None:
    """The name of the program gives way to the child's own."""
    assert after(LISTENING).state == "listening"
    spawned = after(LISTENING, SPAWNED)
    assert (spawned.name, spawned.pid, spawned.state) == ("calculator", 7, "waiting for it to connect")
    assert after(LISTENING, SPAWNED, CONNECTED).state == "waiting for its hello"
    whole = after(LISTENING, SPAWNED, CONNECTED, HELLO, OPEN)
    assert (whole.name, whole.state, whole.phase) == ("calc", "connected", "open")


def test_a_late_step_is_called_late_until_it_comes() -> None:
    """The state says what is waited for, and that it takes long."""
    late = StepLate(at=5, run=1, step="connected", waited=4, sentence="nobody connected")
    assert after(LISTENING, SPAWNED, late).state == "late: waiting for it to connect"
    assert after(LISTENING, SPAWNED, late, CONNECTED).state == "waiting for its hello"


def test_a_stopped_child_is_stopped_while_it_lasts() -> None:
    """The state comes back as it was, or as it became meanwhile; a dead child is not stopped."""
    stopped = ChildStopped(at=5, run=1, signal=19)
    assert after(LISTENING, SPAWNED, OPEN, stopped).state == "stopped by SIGSTOP"
    assert after(LISTENING, SPAWNED, OPEN, stopped, ChildContinued(at=6, run=1)).state == "connected"
    assert after(LISTENING, SPAWNED, OPEN, stopped, exited(None, 9)).state == "was ended by SIGKILL"
    assert after(LISTENING, stopped, ServerListening(at=9, run=2, name="/run/s")).state == "listening"


def test_messages_are_counted_and_the_median_latency_kept() -> None:
    """The counts are the newest numbers; the median is over answers only."""
    events: list[AnyEvent] = [MessageSent(at=5, run=1, number=n, value=n, raw=b"") for n in (1, 2, 3)]
    for number, elapsed in ((1, 30), (2, 10), (3, 20), (4, None)):
        answer = number if elapsed else None
        events.append(
            MessageReceived(at=6, run=1, number=number, value=0, raw=b"", answers=answer, elapsed=elapsed)
        )
    status = after(LISTENING, SPAWNED, OPEN, *events)
    assert (status.sent, status.received, status.p50) == (3, 4, 20)


def test_after_the_end_the_reason_why_nothing_can_be_sent_is_given() -> None:
    """With the exit code or the signal; a child that closed its channel may still run."""
    assert after(LISTENING, SPAWNED).why_unreachable is None
    assert (
        after(LISTENING, SPAWNED, OPEN, exited(3)).why_unreachable
        == "child not running: it exited with code 3"
    )
    killed = after(LISTENING, SPAWNED, OPEN, exited(None, 9))
    assert killed.why_unreachable == "child not running: it was ended by SIGKILL"
    closed = after(LISTENING, SPAWNED, OPEN, ChannelClosed(at=5, run=1))
    assert (closed.why_unreachable, closed.is_running) == ("channel closed: the child closed it", True)


def test_a_failure_outlives_the_exit_that_follows_it() -> None:
    """The state says what went wrong first, the reason how the child ended."""
    failed = HandshakeFailed(at=5, run=1, step="connected", sentence="it ended", timed_out=False)
    status = after(LISTENING, SPAWNED, failed, exited(1))
    assert (status.state, status.why_unreachable) == (
        "handshake failed",
        "child not running: it exited with code 1",
    )
    broken = after(LISTENING, SPAWNED, OPEN, Fault(at=5, run=1, sentence="not msgpack"))
    assert broken.why_unreachable == "channel unusable: the child broke the protocol"


def test_a_new_run_begins_anew() -> None:
    """Counts, latencies and the end belong to their run; the name stays until the child says another."""
    status = after(
        LISTENING, SPAWNED, HELLO, OPEN, MessageSent(at=5, run=1, number=1, value=0, raw=b""), exited()
    )
    status.apply(ServerListening(at=10, run=2, name="/run/s"))
    assert (status.run, status.sent, status.p50, status.why_unreachable) == (2, 0, None, None)
    assert (status.name, status.pid) == ("calc", None)


def make_metrics(*latencies: int) -> RunMetrics:
    """The metrics of a run whose answers took so long."""
    metrics = RunMetrics()
    for latency in latencies:
        metrics.add_received(0, 1, latency)
    return metrics


def test_percentiles_are_values_that_were_make_metrics() -> None:
    """The least that so large a share does not exceed."""
    assert RunMetrics().percentiles is None
    assert make_metrics(7).percentiles == Percentiles(7, 7, 7)
    assert make_metrics(*range(1, 101)).percentiles == Percentiles(50, 95, 99)
    assert make_metrics(*range(100, 0, -1)).percentiles == Percentiles(50, 95, 99)


@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=50))
def test_percentiles_rise(latencies: list[int]) -> None:
    """None is below another of a smaller share, and each is one of the values."""
    metrics = make_metrics(*latencies)
    found = metrics.percentiles
    assert found is not None
    assert min(latencies) <= found.p50 <= found.p95 <= found.p99 <= max(latencies) == metrics.slowest
    assert {found.p50, found.p95, found.p99} <= set(latencies)


def test_they_are_those_of_the_newest_answers() -> None:
    """The slowest one, and how many there were, are of the whole run."""
    metrics = make_metrics(10**9)
    assert metrics.percentiles == Percentiles(10**9, 10**9, 10**9)
    for _ in range(LATENCY_WINDOW):
        metrics.add_received(0, 1, 1)
    assert metrics.percentiles == Percentiles(1, 1, 1)
    assert (metrics.slowest, metrics.answers) == (10**9, LATENCY_WINDOW + 1)


def test_an_unasked_message_has_no_latency() -> None:
    """It counts as traffic alone."""
    metrics = RunMetrics()
    metrics.add_received(0, 5, None)
    assert (metrics.answers, metrics.slowest, metrics.percentiles) == (0, None, None)
    assert metrics.list_seconds(NANOSECONDS, 1) == [TrafficSecond(0, received=1, received_bytes=5)]


def test_traffic_is_counted_by_whole_seconds() -> None:
    """Those without any are there too; the one that goes on is not."""
    metrics = RunMetrics()
    metrics.add_sent(0, 10)
    metrics.add_sent(NANOSECONDS - 1, 20)
    metrics.add_received(2 * NANOSECONDS, 7, 300)
    metrics.add_received(2 * NANOSECONDS + 1, 7, 200)
    metrics.add_sent(3 * NANOSECONDS, 1)
    assert metrics.list_seconds(3 * NANOSECONDS + 5, 4) == [
        TrafficSecond(-1),
        TrafficSecond(0, sent=2, sent_bytes=30),
        TrafficSecond(1),
        TrafficSecond(2, received=2, received_bytes=14, slowest=300),
    ]
    assert metrics.list_seconds(4 * NANOSECONDS, 1) == [TrafficSecond(3, sent=1, sent_bytes=1)]


def test_it_is_bounded() -> None:
    """However long a run lasts."""
    metrics = RunMetrics()
    for second in range(3 * TRAFFIC_WINDOW):
        metrics.add_sent(second * NANOSECONDS, 1)
        metrics.add_received(second * NANOSECONDS, 1, 1)
    assert len(metrics._seconds) == TRAFFIC_WINDOW
    assert len(metrics._latencies) <= LATENCY_WINDOW


def test_a_sparkline_has_a_bar_for_each_value() -> None:
    """The highest is whole; none is blank, nothing is a dot, and the least of something is more."""
    assert draw_sparkline([None, 0, 1, 4, 8]) == " ·▂▅█"
    assert draw_sparkline([1e-9, 100]) == "▁█"
    assert draw_sparkline([1], top=8) == "▂"
    assert draw_sparkline([]) == ""
    assert draw_sparkline([None, 0]) == " ·"


def test_a_run_whose_messages_another_parent_sent_is_tapped() -> None:
    """Until the next run, which may be another's."""
    message = MessageSent(at=9, run=1, number=1, value=None, raw=b"\xc0", origin="parent")
    assert after(LISTENING, message).is_tapped
    assert not after(LISTENING, replace(message, origin="user")).is_tapped
    assert not after(LISTENING, message, ServerListening(at=10, run=2, name="/x")).is_tapped
