"""Lines of spans, and how they are broken into rows."""

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui_ipc.tui.model.styled_line import MATCH_PAINT, Line, Span, find_extent, highlight, line, wrap

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


def lit(text: str, prefix: int = 2) -> list[str]:
    """What is lit in a line when a text is looked for."""
    line = highlight(WHOLE, re.compile(text), prefix)
    assert line.text == WHOLE.text
    return [span.text for span in line.left if span.paint == MATCH_PAINT]


def test_what_is_found_is_lit_across_spans() -> None:
    """Only that, wherever spans begin; never in what is left out, nor on the right."""
    assert lit("to") == ["to", "to"]
    assert lit("be or") == ["be ", "or"]
    assert lit("o.*t") == ["o be ", "or not t"]
    assert lit("") == lit("9") == lit("0.1") == ["→ "]  # what the line does not show, its mark stands for
    assert lit("9", 0) == []


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
