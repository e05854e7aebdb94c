"""Bars are judged by the figures of one run."""

import pytest

from tests.benchmarks.bars import BARS, PIPE, judged
from tests.benchmarks.measure import Figure, Group, Tally, percentile, turns


def group(**medians: float) -> Group:
    return Group("µs", {name: Figure(median, median) for name, median in medians.items()})


@pytest.mark.parametrize(("ours", "holds"), [(69.9, True), (70.0, True), (70.1, False)])
def test_a_time_holds_up_to_its_share_of_a_peers(ours: float, holds: bool) -> None:
    """0.7 × Pipe is reached by that and by less."""
    table = {"round trip, 32 bytes": group(**{"tui_ipc": ours, PIPE: 100})}
    assert [(one.bar.limit, one.holds) for one in judged(table)] == [(0.7, holds)]


@pytest.mark.parametrize(("ours", "holds"), [(159, False), (160, True), (300, True)])
def test_a_rate_holds_from_its_multiple_of_a_peers_on(ours: float, holds: bool) -> None:
    """1.6 × Pipe is reached by that and by more."""
    table = {"one way, 32 bytes": group(**{"tui_ipc": ours, PIPE: 100})}
    assert [(one.bar.limit, one.holds) for one in judged(table)] == [(1.6, holds)]


@pytest.mark.parametrize(("ours", "holds"), [(0.9, True), (1.1, False)])
def test_a_figure_without_a_peer_is_judged_as_it_is(ours: float, holds: bool) -> None:
    """64 MiB are readable within a millisecond, whatever others take."""
    table = {"64 MiB to the peer": group(**{"tui_ipc, SharedMemory": ours})}
    assert [(one.measured, one.holds) for one in judged(table)] == [(ours, holds)]


@pytest.mark.parametrize(("ours", "holds"), [(130, True), (131, False)])
def test_a_difference_holds_however_large_the_ratio(ours: float, holds: bool) -> None:
    """A script's child runs within 120 ms more than a bare Python takes."""
    table = {"script, start until its child runs": group(**{"python -c pass": 10, "tui-ipc --script": ours})}
    assert [(one.measured, one.holds) for one in judged(table)] == [(ours - 10, holds)]


def test_a_bar_says_what_it_compares() -> None:
    """Every bar reads as a sentence of its own."""
    assert str(BARS[0]) == "round trip, 32 bytes: tui_ipc ≤ 1.4 × bare socket pair"
    assert len({str(bar) for bar in BARS}) == len(BARS)


def test_contenders_take_turns_and_the_first_round_does_not_count() -> None:
    """A round to warm up, then each round has all; a single round proves nothing and needs no other."""
    warm_up, counted = [("a", False), ("b", False)], [("a", True), ("b", True)]
    assert list(turns("ab", 2)) == [*warm_up, *counted, *counted]
    assert list(turns("ab", 1)) == counted


def test_a_tally_takes_the_median_of_rounds_and_the_percentile_of_operations() -> None:
    """Rounds of 1, 2 and 9 seconds an operation have the median 2; of operations one was the slowest."""
    tally = Tally()
    tally.add("one", [0, 1])
    tally.add("one", [0, 1, 4])
    tally.add("one", [0, 18], 2)
    assert tally.times(10) == {"one": Figure(20, 90)}
    assert tally.rates()["one"].median == 0.5


def test_the_percentile_is_a_value_that_so_many_do_not_exceed() -> None:
    """Of a hundred values in any order the 95th percentile is that which five exceed at most."""
    assert percentile(list(range(100, 0, -1)), 0.95) == 95
    assert percentile([7.0], 0.95) == 7
