"""Lines of output, broken into rows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_ipc.events import Stream
from tui_ipc.tui.model.child_output import OutputLine, break_rows, count_rows
from tui_ipc.tui.model.styled_line import Span

GRAPHEMES = [*"ab 中é🎉", "e\u0301", "👩\u200d💻", "❤\ufe0f", "🏳\ufe0f\u200d🌈"]
TEXTS = st.lists(st.sampled_from(GRAPHEMES), max_size=30).map("".join)
LINES = st.builds(
    lambda texts, stream: OutputLine(tuple(map(Span, texts)), stream=stream),
    st.lists(TEXTS, max_size=4),
    st.sampled_from(["stdout", "stderr"]),
)


@given(line=LINES, width=st.integers(1, 20))
def test_rows_hold_the_line(line: OutputLine, width: int) -> None:
    """Nothing is lost or added, each row fits if anything can, and there are as many as were counted."""
    rows = break_rows(line, width)
    assert "".join(row.text for row in rows) == line.text
    assert len(rows) == count_rows(line, width)
    assert all(row.stream == line.stream for row in rows)
    if width > 3:
        assert all(cell_len(row.with_mark.text) <= width for row in rows)


@given(text=st.text("abc ", min_size=1, max_size=50), width=st.integers(1, 20))
def test_rows_are_full(text: str, width: int) -> None:
    """All but the last are as wide as there is room."""
    *full, last = break_rows(OutputLine((Span(text),), stream="stdout"), width)
    assert {len(row.text) for row in full} <= {width}
    assert 0 < len(last.text) <= width


def test_an_emoji_that_is_joined_of_several_is_never_broken() -> None:
    """It takes two cells, however many characters it has."""
    family = "👨\u200d👩\u200d👧"
    rows = break_rows(OutputLine((Span(f"a{family}{family}b"),), stream="stdout"), 3)
    assert [row.text for row in rows] == [f"a{family}", f"{family}b"]


def test_colours_go_on_in_the_next_row() -> None:
    """A span that is broken keeps its paint."""
    rows = break_rows(OutputLine((Span("ab", "bad"), Span("cdef")), stream="stdout"), 3)
    assert [row.left for row in rows] == [(Span("ab", "bad"), Span("c")), (Span("def"),)]


@pytest.mark.parametrize(("stream", "text"), [("stdout", ""), ("stderr", "▌ ")])
def test_an_empty_line_takes_a_row(stream: Stream, text: str) -> None:
    """It was printed."""
    empty = OutputLine(stream=stream)
    assert count_rows(empty, 10) == 1
    assert [row.with_mark.text for row in break_rows(empty, 10)] == [text]


def test_a_rule_is_never_broken() -> None:
    """The line between two runs is ours, and as wide as the view."""
    rule = OutputLine((Span("── run 2 "),), fill="─")
    assert break_rows(rule, 3) == [rule]
    assert count_rows(rule, 3) == 1
