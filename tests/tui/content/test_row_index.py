"""Rows of lines that take several rows or none."""

from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.tui.content.row_index import SPARE, RowIndex

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
    assert len(rows._lines) <= 2_000 + SPARE + 100


def test_lines_that_came_and_went_unseen_take_no_rows() -> None:
    """Between two pictures more may have come than is held."""
    rows = RowIndex(lambda index: 2)
    rows.update(0, 10)
    rows.update(100, 110)
    assert rows.end - rows.first == 20
    assert rows.locate(rows.first) == (100, 0)
