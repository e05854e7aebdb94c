"""What is measured of a run."""

from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.model.metrics import (
    LATENCY_WINDOW,
    NANOSECONDS,
    TRAFFIC_WINDOW,
    Percentiles,
    RunMetrics,
    TrafficSecond,
    draw_sparkline,
)


def measured(*latencies: int) -> RunMetrics:
    """What answers with these latencies make."""
    made = RunMetrics()
    for latency in latencies:
        made.received(0, 1, latency)
    return made


def test_percentiles_are_values_that_were_measured() -> None:
    """The least that so large a share does not exceed."""
    assert RunMetrics().percentiles is None
    assert measured(7).percentiles == Percentiles(7, 7, 7)
    assert measured(*range(1, 101)).percentiles == Percentiles(50, 95, 99)
    assert measured(*range(100, 0, -1)).percentiles == Percentiles(50, 95, 99)


@given(st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=50))
def test_percentiles_rise(latencies: list[int]) -> None:
    """None is below another of a smaller share, and each is one of the values."""
    made = measured(*latencies)
    found = made.percentiles
    assert found is not None
    assert min(latencies) <= found.p50 <= found.p95 <= found.p99 <= max(latencies) == made.slowest
    assert {found.p50, found.p95, found.p99} <= set(latencies)


def test_they_are_those_of_the_newest_answers() -> None:
    """The slowest one, and how many there were, are of the whole run."""
    made = measured(10**9)
    assert made.percentiles == Percentiles(10**9, 10**9, 10**9)
    for _ in range(LATENCY_WINDOW):
        made.received(0, 1, 1)
    assert made.percentiles == Percentiles(1, 1, 1)
    assert (made.slowest, made.answers) == (10**9, LATENCY_WINDOW + 1)


def test_an_unasked_message_has_no_latency() -> None:
    """It counts as traffic alone."""
    made = RunMetrics()
    made.received(0, 5, None)
    assert (made.answers, made.slowest, made.percentiles) == (0, None, None)
    assert made.seconds(NANOSECONDS, 1) == [TrafficSecond(0, received=1, received_bytes=5)]


def test_traffic_is_counted_by_whole_seconds() -> None:
    """Those without any are there too; the one that goes on is not."""
    made = RunMetrics()
    made.sent(0, 10)
    made.sent(NANOSECONDS - 1, 20)
    made.received(2 * NANOSECONDS, 7, 300)
    made.received(2 * NANOSECONDS + 1, 7, 200)
    made.sent(3 * NANOSECONDS, 1)
    assert made.seconds(3 * NANOSECONDS + 5, 4) == [
        TrafficSecond(-1),
        TrafficSecond(0, sent=2, sent_bytes=30),
        TrafficSecond(1),
        TrafficSecond(2, received=2, received_bytes=14, slowest=300),
    ]
    assert made.seconds(4 * NANOSECONDS, 1) == [TrafficSecond(3, sent=1, sent_bytes=1)]


def test_it_is_bounded() -> None:
    """However long a run lasts."""
    made = RunMetrics()
    for second in range(3 * TRAFFIC_WINDOW):
        made.sent(second * NANOSECONDS, 1)
        made.received(second * NANOSECONDS, 1, 1)
    assert len(made._seconds) == TRAFFIC_WINDOW
    assert len(made._latencies) <= LATENCY_WINDOW


def test_a_sparkline_has_a_bar_for_each_value() -> None:
    """The highest is whole; none is blank, nothing is a dot, and the least of something is more."""
    assert draw_sparkline([None, 0, 1, 4, 8]) == " ·▂▅█"
    assert draw_sparkline([1e-9, 100]) == "▁█"
    assert draw_sparkline([1], top=8) == "▂"
    assert draw_sparkline([]) == ""
    assert draw_sparkline([None, 0]) == " ·"
