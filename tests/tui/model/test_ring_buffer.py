"""The ring buffer, the index of rows and the incremental filter."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.model.ring_buffer import TRIM_THRESHOLD, IncrementalFilter, RingBuffer, RowIndex


@given(
    weights=st.lists(st.integers(1, 50), max_size=60), limit=st.integers(1, 10), budget=st.integers(1, 100)
)
def test_a_ring_holds_the_newest_items_within_its_bounds(weights: list[int], limit: int, budget: int) -> None:
    """Whatever is appended, the ring holds the newest items: as many as the bounds allow, at least one."""
    ring: RingBuffer[int] = RingBuffer(limit, budget)
    for index, weight in enumerate(weights):
        ring.append(index, weight)
    assert ring.end == len(weights)
    assert [ring[index] for index in range(ring.first, ring.end)] == list(range(ring.first, len(weights)))
    held = weights[ring.first :]
    assert len(ring) == len(held) <= limit
    assert sum(held) <= budget or len(held) == 1
    if ring.first:
        more = weights[ring.first - 1 :]
        assert len(more) > limit or sum(more) > budget, "an item was forgotten before it had to be"


def test_an_index_that_is_not_held_is_an_error() -> None:
    """Neither a forgotten item nor one to come is returned."""
    ring: RingBuffer[str] = RingBuffer(2, 100)
    for item in "abc":
        ring.append(item)
    assert ring[1] == "b"
    with pytest.raises(IndexError, match="item 0 is not held; 1 to 2 are"):
        ring[0]
    with pytest.raises(IndexError):
        ring[3]


HEIGHTS = st.lists(st.integers(0, 4), max_size=60)


def expected(heights: list[int], first: int) -> list[tuple[int, int]]:
    """What each row shows, from a line on."""
    return [(index, part) for index, rows in enumerate(heights) if index >= first for part in range(rows)]


@given(heights=HEIGHTS, cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=5))
def test_rows_are_found_whatever_comes_and_goes(heights: list[int], cuts: list[tuple[int, int]]) -> None:
    """However lines arrive and are forgotten, each row shows its part of its line, and keeps its number."""
    rows = RowIndex(heights.__getitem__)
    numbers: dict[tuple[int, int], int] = {}
    first = end = 0
    for forgotten, known in cuts:
        end = max(end, min(known, len(heights)))
        first = max(first, min(forgotten, end))
        rows.update(first, end)
        held = expected(heights[:end], first)
        assert [rows.locate(row) for row in range(rows.first, rows.end)] == held
        for row, place in zip(range(rows.first, rows.end), held, strict=True):
            assert numbers.setdefault(place, row) == row


@given(heights=HEIGHTS)
def test_a_line_is_found_by_its_first_row(heights: list[int]) -> None:
    """A line without rows has the row of the next one."""
    rows = RowIndex(heights.__getitem__)
    rows.update(0, len(heights))
    for index in range(len(heights) + 1):
        assert rows.row(index) == sum(heights[:index])


def test_each_line_is_measured_once() -> None:
    """A flood costs what comes, not what is there."""
    measured: list[int] = []

    def height(index: int) -> int:
        measured.append(index)
        return 1

    rows = RowIndex(height)
    for end in range(0, 5_000, 100):
        rows.update(max(0, end - 1_000), end)
    assert measured == list(range(4_900))
    assert len(rows._lines) <= 2_000 + TRIM_THRESHOLD + 100


def test_lines_that_came_and_went_unseen_take_no_rows() -> None:
    """Between two pictures more may have come than is held."""
    rows = RowIndex(lambda index: 2)
    rows.update(0, 10)
    rows.update(100, 110)
    assert rows.end - rows.first == 20
    assert rows.locate(rows.first) == (100, 0)


def is_even(index: int) -> bool:
    return index % 2 == 0


def ticks(count: int) -> Callable[[], float]:
    """Make a clock that is past the moment after so many looks at it."""
    left = iter(range(count - 1))
    return lambda: 0.0 if next(left, None) is not None else 2.0


def list_passed(found: IncrementalFilter) -> list[int]:
    """The indexes that passed, in the order of their positions."""
    return [found[position] for position in range(found.first, found.end)]


@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 7)),
        max_size=30,
    ),
    st.integers(0, 20),
)
def test_a_filter_finds_what_a_plain_loop_finds(steps: list[tuple[int, int, int]], start: int) -> None:
    """However the sequence moves between slices, in the end all that is held was tested, once each."""
    asked: list[int] = []

    def passes(index: int) -> bool:
        asked.append(index)
        return is_even(index)

    first, end = 0, start
    found = IncrementalFilter(passes, end)
    for grown, forgotten, looks in steps:
        end += grown
        first = min(end, first + forgotten)
        found.scan(first, end, 1.0, ticks(looks))
        assert all(first <= index < end for index in list_passed(found))
    while not found.scan(first, end, 1.0, ticks(3)):
        pass
    assert list_passed(found) == [index for index in range(first, end) if is_even(index)]
    assert len(asked) == len(set(asked))


def test_the_newest_items_are_found_first() -> None:
    """One who looks at the end of a long log sees what passes there after the first slice."""
    found = IncrementalFilter(is_even, 1000)
    assert not found.scan(0, 1000, 1.0, ticks(4))
    assert list_passed(found) == [996, 998]
    assert found.has_tested(996)
    assert not found.has_tested(995)


def test_new_items_and_older_ones_are_tested_in_turn() -> None:
    """A flood neither waits for the rest of the log nor keeps it from being searched."""
    found = IncrementalFilter(is_even, 1000)
    found.scan(0, 1000, 1.0, ticks(2))
    found.scan(0, 1004, 1.0, ticks(4))
    assert list_passed(found) == [994, 996, 998, 1000, 1002]


def test_positions_are_kept_for_life() -> None:
    """Neither what is found later nor what is forgotten moves an index that has a position."""
    found = IncrementalFilter(is_even, 100)
    found.scan(0, 100, 1.0, ticks(10))
    position = found.find_position(96)
    while not found.scan(0, 110, 1.0, ticks(9)):
        assert found[position] == 96
    found.forget(90)
    assert found[position] == 96
    assert (found.first >= 0, len(found)) == (True, 10)


def test_the_position_of_an_item_that_failed_is_that_of_the_next_that_passed() -> None:
    """So a cursor on a line that is hidden goes to the nearest one shown."""
    found = IncrementalFilter(is_even, 10)
    found.scan(0, 10, 1.0, ticks(100))
    assert found[found.find_position(3)] == 4
    assert found.find_position(9) == found.end
