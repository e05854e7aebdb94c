"""The ring: bounded, and each item keeps its index for life."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.model.ring_buffer import TRIM_THRESHOLD, RingBuffer, RowIndex


@given(
    weights=st.lists(st.integers(1, 50), max_size=60), limit=st.integers(1, 10), budget=st.integers(1, 100)
)
def test_it_holds_the_newest_items_within_its_bounds(weights: list[int], limit: int, budget: int) -> None:
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
    """A forgotten item and one to come are told apart from those held."""
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
    """A line without rows stands where the next one does."""
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
