"""From a line to cells: exactly as wide as asked, whatever is in it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.geometry import Offset, Region
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.strip import Strip

from tests.support.app_harness import FakeExplorerDriver, run_explorer_app
from tui_ipc.tui.model.styled_line import Line, Paint, Span, line
from tui_ipc.tui.widgets.line_view import LineView, line_to_strip, restyle

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
    assert cell_len(line_to_strip(Line(left, right), width, plain, shift).text) == width


def test_what_is_cropped_is_marked() -> None:
    """An ellipsis stands where text goes on beyond the edge, at either side."""
    assert line_to_strip(line("abcdefgh"), 5, plain).text == "abcd…"
    assert line_to_strip(line("abcdefgh"), 5, plain, shift=2).text == "…def…"
    assert line_to_strip(line("abcdefgh"), 5, plain, shift=4).text == "…fgh "
    assert line_to_strip(line("abc"), 5, plain, shift=8).text == "…    "
    assert line_to_strip(line("abcde"), 5, plain).text == "abcde"


def test_figures_stay_at_the_right_edge() -> None:
    """The right part is never cropped, but where the view is so narrow that nothing else would be left."""
    row = Line((Span("a long message"),), (Span(" 18 B"),))
    assert line_to_strip(row, 12, plain).text == "a long… 18 B"
    assert line_to_strip(row, 8, plain).text == "a long …"


def test_a_rule_fills_the_row() -> None:
    """The fill reaches from the left part to the edge."""
    assert line_to_strip(Line((Span("── run 2 "),), fill="─"), 12, plain).text == "── run 2 ───"


def test_a_style_is_laid_over_a_part() -> None:
    """Only the characters from start to end change their looks."""
    strip = restyle(line_to_strip(line("abc", "def"), 6, plain), 2, 4, Style(reverse=True))
    assert [(segment.text, bool(segment.style and segment.style.reverse)) for segment in strip] == [
        ("ab", False),
        ("c", True),
        ("d", True),
        ("ef", False),
    ]


Cell = tuple[str, Color | None, Color | None, str]


def cells(strips: Iterable[Strip]) -> list[list[Cell]]:
    """Each character, its colours and its other looks."""
    return [
        [
            (character, style.color, style.bgcolor, str(style.without_color.clear_meta_and_links()))
            for text, style, _ in strip
            if style is not None
            for character in text
        ]
        for strip in strips
    ]


def play(scene: Callable[[FakeExplorerDriver], Awaitable[None]]) -> None:
    """Run a scene in which the child said and printed more than fits."""

    async def main() -> None:
        async with run_explorer_app() as it:
            await it.connected()
            for number in range(40):
                it.session.answer({"number": number, "text": "中" * number})
                it.session.output(b"\x1b[31mred\x1b[0m \x1b[2mdim\x1b[0m %d\n" % number)
            await it.until(lambda: it.shows("output", "39"))
            await scene(it)

    asyncio.run(main())


def assert_as_ever(it: FakeExplorerDriver) -> None:
    """All views on the screen paint what Textual's own way does, whole or in part."""
    views = [view for view in it.app.screen.query(LineView) if view.outer_size]
    assert len(views) >= 3
    for view in views:
        whole = Region(0, 0, *view.outer_size)
        for crop in (whole, whole.shrink((1, 3, 2, 5))):
            painted = cells(view.render_lines(crop))
            view._styles_cache.clear()
            assert painted == cells(ScrollView.render_lines(view, crop))


def test_it_paints_what_textual_would() -> None:
    """Colours of the child and of the theme, the frame, the scrollbar's place, the cursor, a selection."""

    async def scene(it: FakeExplorerDriver) -> None:
        assert_as_ever(it)
        it.app.log_view.focus()
        await it.pilot.press("up", "up", "right")
        assert_as_ever(it)
        first = it.app.output_view.first
        selection = Selection(Offset(2, first + 30), Offset(1, first + 36))
        it.app.screen.selections = {it.app.output_view: selection}
        await it.pilot.pause()
        assert_as_ever(it)
        await it.pilot.resize_terminal(117, 34)
        assert_as_ever(it)
        it.app.theme = "textual-light"
        await it.pilot.resize_terminal(90, 30)
        await it.pilot.press("escape")
        await it.pilot.pause()
        assert_as_ever(it)

    play(scene)


def test_what_has_not_changed_is_not_drawn_again() -> None:
    """A key in the message box leaves the log as it is; a line more draws its rows, and not its frame."""

    async def scene(it: FakeExplorerDriver) -> None:
        view = it.app.log_view
        whole = Region(0, 0, *view.outer_size)
        before = view.render_lines(whole)
        await it.pilot.press("x")
        assert all(old is new for old, new in zip(before, view.render_lines(whole), strict=True))
        it.session.answer("one more")
        await it.until(lambda: it.shows("log", "one more"))
        after = view.render_lines(whole)
        assert after[0] is before[0]
        assert after[-1] is before[-1]
        assert "one more" in after[-2].text

    play(scene)


def test_painting_leaves_the_places_to_the_mouse() -> None:
    """Only a row that is asked for by the mouse tells where its characters stand."""

    async def scene(it: FakeExplorerDriver) -> None:
        view = it.app.log_view
        painted = view.render_lines(Region(0, 0, *view.outer_size))
        assert not any(style.meta for strip in painted for _, style, _ in strip if style is not None)
        index = view.first + view.scroll_offset.y + 3
        places = [style.meta["offset"] for _, style, _ in view.render_line(3) if style is not None]
        assert places[0] == (0, index)
        x, y = view.content_region.offset
        widget, offset = it.app.screen.get_widget_and_offset_at(x + 5, y + 3)
        assert widget is view
        assert offset == Offset(5, index)

    play(scene)
