"""Lines of spans, matches in them, and the rows that they are broken into."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_ipc.events import Stream
from tui_ipc.tui.model.styled_line import (
    MATCH_PAINT,
    Line,
    OutputLine,
    Span,
    break_rows,
    count_rows,
    find_extent,
    highlight,
    line,
    wrap,
)

TEXTS = st.text(st.sampled_from("ab  中é"), max_size=40)


@given(spans=st.lists(TEXTS, max_size=4), width=st.integers(2, 20))
def test_wrapping_keeps_every_character_and_fits(spans: list[str], width: int) -> None:
    """Rows are as wide as they may be at most, and put together they are the line."""
    rows = wrap([line(*spans)], width)
    assert "".join(row.text for row in rows) == "".join(spans)
    assert all(cell_len(row.text) <= width for row in rows)


def test_wrapping_prefers_the_space_between_words() -> None:
    """A row ends after a word where that costs little room."""
    assert [row.text for row in wrap([line("the quick brown")], 12)] == ["the quick ", "brown"]


def test_an_empty_line_is_a_row() -> None:
    """A blank line stays one."""
    assert [row.text for row in wrap([line(), line("x")], 5)] == ["", "x"]


def test_a_line_is_copied_with_its_right_part() -> None:
    """Copied text has no columns, but the figures at the right edge are in it."""
    assert Line((Span("→ 42"),), (Span("   61 µs"),)).text == "→ 42  61 µs"
    assert line("plain").text == "plain"


WHOLE = Line((Span("0.1 "), Span("→ ", "sent"), Span("to be "), Span("or not to", "bad")), (Span("9 B"),))


def list_matches(text: str, prefix: int = 2) -> list[str]:
    """The texts that are painted as matches of a pattern."""
    line = highlight(WHOLE, re.compile(text), prefix)
    assert line.text == WHOLE.text
    return [span.text for span in line.left if span.paint == MATCH_PAINT]


def test_a_match_is_painted_across_spans() -> None:
    """Only that, wherever spans begin; never in what is left out, nor on the right."""
    assert list_matches("to") == ["to", "to"]
    assert list_matches("be or") == ["be ", "or"]
    assert list_matches("o.*t") == ["o be ", "or not t"]
    assert (
        list_matches("") == list_matches("9") == list_matches("0.1") == ["→ "]
    )  # what the line does not show is at its mark
    assert list_matches("9", 0) == []


def test_an_emoji_is_lit_as_a_whole() -> None:
    """A part of what is drawn as one cannot have a style of its own."""
    line = highlight(Line((Span("say 👩\u200d💻!"),)), re.compile("💻"))
    assert [span.text for span in line.left if span.paint == MATCH_PAINT] == ["👩\u200d💻"]


def test_the_extent_of_what_is_found_is_told_in_cells() -> None:
    """A wide character takes two."""
    line = Line((Span("時 "), Span("漢字 x y")))
    assert find_extent(line, re.compile("x"), 1) == (8, 9)
    assert find_extent(line, re.compile("字"), 1) == (5, 7)
    assert find_extent(line, re.compile("時"), 1) is None


GRAPHEMES = [*"ab 中é🎉", "e\u0301", "👩\u200d💻", "❤\ufe0f", "🏳\ufe0f\u200d🌈"]
OUTPUT_TEXTS = st.lists(st.sampled_from(GRAPHEMES), max_size=30).map("".join)
OUTPUT_LINES = st.builds(
    lambda texts, stream: OutputLine(tuple(map(Span, texts)), stream=stream),
    st.lists(OUTPUT_TEXTS, max_size=4),
    st.sampled_from(["stdout", "stderr"]),
)


@given(output=OUTPUT_LINES, width=st.integers(1, 20))
def test_rows_hold_the_line(output: OutputLine, width: int) -> None:
    """Nothing is lost or added, each row fits if anything can, and there are as many as were counted."""
    rows = break_rows(output, width)
    assert "".join(row.text for row in rows) == output.text
    assert len(rows) == count_rows(output, width)
    assert all(row.stream == output.stream for row in rows)
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
def test_an_empty_line_of_output_takes_a_row(stream: Stream, text: str) -> None:
    """It was printed."""
    empty = OutputLine(stream=stream)
    assert count_rows(empty, 10) == 1
    assert [row.with_mark.text for row in break_rows(empty, 10)] == [text]


def test_a_rule_is_never_broken() -> None:
    """The line between two runs is ours, and as wide as the view."""
    rule = OutputLine((Span("── run 2 "),), fill="─")
    assert break_rows(rule, 3) == [rule]
    assert count_rows(rule, 3) == 1
