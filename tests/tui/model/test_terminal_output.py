"""A child's output on its way to the screen."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style

from tests.support.hostile_output import HOSTILE
from tests.support.unicode_text import WHOLE, is_safe
from tui_ipc.tui.model.styled_line import OutputLine, Span
from tui_ipc.tui.model.terminal_output import (
    DEFAULT_STATE,
    MAX_LINE_LENGTH,
    OutputDecoder,
    SgrState,
    apply_sgr,
    to_rich_style,
)


@pytest.mark.parametrize(
    ("parameters", "ink"),
    [
        ("31", SgrState(color=Color.from_ansi(1))),
        ("1;4;97", SgrState(bold=True, underline=True, color=Color.from_ansi(15))),
        ("44", SgrState(bgcolor=Color.from_ansi(4))),
        ("103", SgrState(bgcolor=Color.from_ansi(11))),
        ("38;5;208", SgrState(color=Color.from_ansi(208))),
        ("48;2;1;2;3", SgrState(bgcolor=Color.from_rgb(1, 2, 3))),
        ("38:2:1:2:3", SgrState(color=Color.from_rgb(1, 2, 3))),
        ("38:2::1:2:3", SgrState(color=Color.from_rgb(1, 2, 3))),
        (
            "1;38;2;255;254;253;48;2;1;2;3",
            SgrState(Color.from_rgb(255, 254, 253), Color.from_rgb(1, 2, 3), bold=True),
        ),
        ("38:5:208;1", SgrState(color=Color.from_ansi(208), bold=True)),
        ("4:3", SgrState(underline=True)),
        ("4;4:0", DEFAULT_STATE),
        ("58;2;1;2;3;1", SgrState(bold=True)),
        ("58:5:7;1", SgrState(bold=True)),
        ("1;22", DEFAULT_STATE),
        ("31;39", DEFAULT_STATE),
        ("31;0", DEFAULT_STATE),
        ("31;", DEFAULT_STATE),
        ("", DEFAULT_STATE),
    ],
)
def test_codes_have_their_standard_meaning(parameters: str, ink: SgrState) -> None:
    """ECMA-48's codes, the bright colours and both extended forms are followed; an empty code is 0."""
    assert apply_sgr(DEFAULT_STATE, parameters) == ink


@pytest.mark.parametrize(
    "parameters", ["5", "8", "38;5;256", "38;2;1;2", "38", "38;9", "99", "9999999999", "38:2:1", "3:1"]
)
def test_what_means_nothing_changes_nothing(parameters: str) -> None:
    """Blink, conceal, incomplete and unknown codes leave the looks alone."""
    ink = SgrState(bold=True)
    assert apply_sgr(ink, parameters) == ink


@given(parameters=st.text("0123456789;:", max_size=30))
def test_any_parameters_give_a_style(parameters: str) -> None:
    """No parameters break it, and nothing can be hidden by them."""
    style = to_rich_style(apply_sgr(DEFAULT_STATE, parameters))
    assert not style.conceal
    assert not style.blink


def decoded(*pieces: bytes) -> list[OutputLine]:
    """All lines of an output that comes in pieces."""
    decoder = OutputDecoder()
    return [each for piece in pieces for each in decoder.feed(piece)] + decoder.flush()


def texts(*pieces: bytes) -> list[str]:
    """The same without their looks."""
    return [each.text for each in decoded(*pieces)]


@given(data=HOSTILE)
def test_nothing_hostile_comes_out(data: bytes) -> None:
    """Whatever a child prints, each character of each line is harmless."""
    assert all(is_safe(text) for text in texts(data))


@given(data=HOSTILE, cuts=st.lists(st.integers(0, 200), max_size=6))
def test_pieces_make_no_difference(data: bytes, cuts: list[int]) -> None:
    """However the output is cut into pieces, its lines are the same, looks included."""
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in pairwise(edges)]
    assert decoded(*pieces) == decoded(data)


@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
def test_plain_text_comes_out_as_it_is(text: str) -> None:
    """Nothing is added to, or taken from, text that is harmless."""
    assert texts(text.encode() + b"\n") == [text]


def test_lines_end_at_line_feeds() -> None:
    """A carriage return before a line feed belongs to the line's end; an unfinished line comes last."""
    assert texts(b"one\r\ntwo\n\nthree") == ["one", "two", "", "three"]


def test_a_line_that_has_begun_can_be_seen() -> None:
    """A prompt without a line feed is shown at once, and once only."""
    decoder = OutputDecoder()
    assert decoder.feed(b"name: ") == []
    assert decoder.partial == OutputLine((Span("name: "),), stream="stdout")
    assert decoder.feed(b"x\n") == [OutputLine((Span("name: x"),), stream="stdout")]
    assert decoder.partial is None


def test_a_progress_bar_rewrites_its_line() -> None:
    """What follows a lone carriage return replaces the line."""
    assert texts(b" 10%\r 50%\r100%\ndone\n") == ["100%", "done"]


def test_a_progress_bar_is_seen_between_two_steps() -> None:
    """A bar that ends each step with a carriage return is not blank meanwhile."""
    decoder = OutputDecoder()
    decoder.feed(b" 50%\r")
    assert decoder.partial == OutputLine((Span(" 50%"),), stream="stdout")


def test_control_characters_have_pictures() -> None:
    """Escape sequences other than colours are shown as what they are, and so is a bell."""
    (shown,) = decoded(b"a\x1b[2Jb\x1b(B\x07\x7f\x00\n")
    assert [(span.text, span.paint) for span in shown.left] == [
        ("a", "text"),
        ("␛[2J", "note"),
        ("b", "text"),
        ("␛(B␇␡␀", "note"),
    ]


def test_a_control_string_is_shown_in_short() -> None:
    """A title, a link or a picture is for terminals: its beginning and its end are seen."""
    link = b"\x1b]8;;https://example.org/a/very/long/path\x1b\\here\x1b]8;;\x07\n"
    (shown,) = decoded(link)
    assert [(span.text, span.paint) for span in shown.left] == [
        ("␛]8;;https://example.org/a/very/lo…␛\\", "note"),
        ("here", "text"),
        ("␛]8;;␇", "note"),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\x07", b"\x18", b"\xc2\x9c", b"\x1b\\", b"\x1b[1m"])
def test_a_control_string_ends(end: bytes) -> None:
    """What ends it for a terminal ends it here, and so does the line: nothing can swallow the rest."""
    assert "after" in {span.text for each in decoded(b"\x1bPq#0" + end + b"after\n") for span in each.left}


def test_a_spinner_rewrites_its_cell() -> None:
    """After backspaces the next text replaces as many cells, wide and combined characters included."""
    assert texts(b"wait |\x08/\x08-\x08\\\n") == ["wait \\"]
    assert texts("ab中\b\bX\n".encode()) == ["abX"]
    assert texts("ae\u0301\bX\n".encode()) == ["aX"]
    assert texts("a👩\u200d💻\bX\n".encode(), "a❤\ufe0f\bX\n".encode()) == ["aX", "aX"]
    assert texts(b"abc\x08 \x08X\n", b"abc\x08\n", b"\x08\x08a\n") == ["abX", "abc", "a"]
    assert texts(b"a\tb\x08\x08\x08c\n") == ["a     c"]


def test_a_symbol_cannot_be_rubbed_out() -> None:
    """A child does not hide with backspaces what it did."""
    assert texts(b"ab\x07\x08c\n") == ["ab␇c"]


@pytest.mark.parametrize(
    ("printed", "seen"),
    [
        (b"50%\r\x1b[Kdone\n", "done"),
        (b"50%\x1b[2K\rdone\n", "done"),
        (b"50%\x1b[1Kdone\n", "done"),
        (b"50%\x1b[K done\n", "50% done"),
        (b"50%\r\x1b[1K\n", "50%"),
        (b"abc\x08\x08\x1b[K\n", "a"),
    ],
)
def test_erasing_in_a_line_erases(printed: bytes, seen: str) -> None:
    """What a program erases on a terminal is erased here; most of the time that is nothing."""
    assert texts(printed) == [seen]


def test_what_looks_like_nothing_is_named() -> None:
    """Fillers and selectors that draw nothing could smuggle text."""
    assert texts("a\u3164b\ufe00c\u034f d\u202etxt\n".encode()) == [
        "a‹U+3164›b‹U+FE00›c‹U+034F› d‹U+202E›txt"
    ]


@pytest.mark.parametrize("whole", WHOLE)
def test_what_a_writing_system_needs_stays_whole(whole: str) -> None:
    """Emoji and words that need an invisible character are printed as they are, wherever a piece ends."""
    data = f"a {whole}\n".encode()
    for cut in range(len(data)):
        assert texts(data[:cut], data[cut:]) == [f"a {whole}"]


def test_a_joiner_at_the_end_joins_nothing() -> None:
    """What a joiner waits for may not come: it is shown then."""
    assert texts("👩\u200d\n👩\u200d".encode()) == ["👩‹U+200D›", "👩‹U+200D›"]
    assert texts("👩\u200d".encode(), b"x\n") == ["👩‹U+200D›x"]
    assert texts("👩\x1b[1m\u200d👩\n".encode()) == ["👩‹U+200D›👩"]


def test_what_is_cut_does_not_end_in_a_joiner() -> None:
    """Where a line or a control string is cut, nothing is left to be joined to what we write."""
    (text,) = texts(b"x" * (MAX_LINE_LENGTH - 2) + "👩\u200d💻".encode())
    assert text == "x" * (MAX_LINE_LENGTH - 2) + "👩 … 2 more characters"
    (text,) = texts(b"\x1b]" + b"x" * 30 + "👩\u200d💻\x07\n".encode())
    assert text == "␛]" + "x" * 30 + "👩…"


def test_what_is_no_utf8_is_shown_as_bytes() -> None:
    """Each byte that is no UTF-8 is shown in hex, and a character cut off at the end as well."""
    assert texts(b"a\xffb\xc3", b"\n\xe2\x82") == ["a‹FF›b‹C3›", "‹E2›‹82›"]


def test_tabs_reach_their_stops() -> None:
    """Tabs become blanks up to each eighth cell; a wide character takes two."""
    assert texts("a\tb\t中\tc\n".encode()) == ["a       b       中      c"]
    assert texts("👩\u200d".encode(), "💻\tc\n".encode()) == ["👩\u200d💻      c"]


def test_colour_becomes_style() -> None:
    """A colour lasts until it is reset, over the line's end and across pieces."""
    first, second = decoded(b"\x1b[3", b"1mred\nstill\x1b[0m plain")
    red = Style(color=Color.from_ansi(1))
    assert [(span.text, span.paint) for span in first.left] == [("red", red)]
    assert [(span.text, span.paint) for span in second.left] == [("still", red), (" plain", "text")]


@pytest.mark.parametrize(
    "endless",
    [b"x", b"\x07", b"\x1b[", b"\x1b[1", b"\xf0\x9f", b"\x1b[31my", b"\r\t", b"\x1b]x", b"\x1bP", b"\x08x"],
)
def test_what_never_ends_is_held_within_bounds(endless: bytes) -> None:
    """A line without end is cut and counted; no piece of it makes the state grow."""
    decoder = OutputDecoder()
    for _ in range(50):
        assert decoder.feed(endless * 1000) == []
        partial = decoder.partial
        assert partial is None or len(partial.text) <= 10 * MAX_LINE_LENGTH


@pytest.mark.parametrize("begun", [b"\x1b[0", b"\x1b[ ", b"\x1b("])
def test_a_sequence_that_never_ends_is_text(begun: bytes) -> None:
    """A decoder does not wait for ever for the end of what a child began."""
    decoder = OutputDecoder()
    decoder.feed(begun + begun[-1:] * 1_000)
    assert decoder.partial is not None
    assert len(decoder.partial.text) >= 1_000 - 140


def test_a_long_line_says_how_much_is_left_out() -> None:
    """The part of a line beyond the limit is counted."""
    (text,) = texts(b"x" * (MAX_LINE_LENGTH + 12_345) + b"\n")
    assert text == "x" * MAX_LINE_LENGTH + " … 12 345 more characters"
