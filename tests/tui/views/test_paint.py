"""From a line to cells: exactly as wide as asked, whatever is in it."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from tui_ipc.tui.content.line import Line, Paint, Span, line
from tui_ipc.tui.views.paint import paint, restyle

TEXTS = st.text(st.sampled_from("ab中 é"), max_size=12)
SPANS = st.lists(TEXTS.map(Span), max_size=4).map(tuple)


def plain(look: Paint) -> Style:
    """No looks at all."""
    return look if isinstance(look, Style) else Style()


@given(left=SPANS, right=SPANS, width=st.integers(1, 40), shift=st.integers(0, 30))
def test_a_row_is_exactly_as_wide_as_the_view(
    left: tuple[Span, ...], right: tuple[Span, ...], width: int, shift: int
) -> None:
    """No row leaves a cell unpainted or paints over the border, wide characters at the edge included."""
    assert cell_len(paint(Line(left, right), width, plain, shift).text) == width


def test_what_is_cropped_is_marked() -> None:
    """An ellipsis stands where text goes on beyond the edge, at either side."""
    assert paint(line("abcdefgh"), 5, plain).text == "abcd…"
    assert paint(line("abcdefgh"), 5, plain, shift=2).text == "…def…"
    assert paint(line("abcdefgh"), 5, plain, shift=4).text == "…fgh "
    assert paint(line("abc"), 5, plain, shift=8).text == "…    "
    assert paint(line("abcde"), 5, plain).text == "abcde"


def test_figures_stay_at_the_right_edge() -> None:
    """The right part is never cropped, but where the view is so narrow that nothing else would be left."""
    row = Line((Span("a long message"),), (Span(" 18 B"),))
    assert paint(row, 12, plain).text == "a long… 18 B"
    assert paint(row, 8, plain).text == "a long …"


def test_a_rule_fills_the_row() -> None:
    """The fill reaches from the left part to the edge."""
    assert paint(Line((Span("── run 2 "),), fill="─"), 12, plain).text == "── run 2 ───"


def test_a_style_is_laid_over_a_part() -> None:
    """Only the characters from start to end change their looks."""
    strip = restyle(paint(line("abc", "def"), 6, plain), 2, 4, Style(reverse=True))
    assert [(segment.text, bool(segment.style and segment.style.reverse)) for segment in strip] == [
        ("ab", False),
        ("c", True),
        ("d", True),
        ("ef", False),
    ]
