"""What is shown of texts that others wrote."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.unicode_text import JOINERS, WHOLE, is_harmless, is_safe, tricky_texts
from tui_ipc.text.safe_text import (
    VisibleText,
    cell_width,
    decode_output,
    format_sentence,
    has_hidden,
    make_lines_visible,
    make_visible,
)


def test_every_character_of_unicode_is_judged_by_its_category() -> None:
    """The table in the source agrees with this Python's Unicode tables: no dangerous character is missing."""
    wrong = [each for each in map(chr, range(0x110000)) if is_harmless(each) == has_hidden(each)]
    # A later Unicode than this Python's may have assigned characters to hide.
    assert [f"U+{ord(each):04X}" for each in wrong if unicodedata.category(each) != "Cn"] == []
    assert all(has_hidden(each) for each in wrong)


def test_what_follows_another_character_is_judged_as_well() -> None:
    """The table is right in the middle of a text too, where the character before might justify the next."""
    dangerous = [each for each in map(chr, range(0x110000)) if not is_harmless(each)]
    for before in "a 1👩بक्ᠠ🏴\u200d":
        assert is_safe(make_visible("".join(f"{before}{each} " for each in dangerous)))


@given(text=tricky_texts)
def test_what_is_shown_is_safe_and_stays_as_it_is(text: str) -> None:
    """Whatever a text holds, all that is shown can be seen, and to show it once more changes nothing."""
    shown = make_visible(text)
    assert is_safe(shown)
    assert not has_hidden(shown)
    assert make_visible(shown) == shown
    assert has_hidden(text) == (shown != text)


@given(text=tricky_texts)
def test_a_joiner_that_stays_has_something_to_join(text: str) -> None:
    """No joiner comes first, or after a Latin letter, a space, or a joiner but the selector of an emoji."""
    shown = make_visible(text)
    for before, character in zip(" " + shown, shown, strict=False):
        if character in JOINERS:
            assert unicodedata.category(before) in (
                "Lo",
                "Mn",
                "Mc",
                "So",
                "Sk",
                "Sm",
                "Po",
                "Nd",
                "Pd",
                "Cn",
            ) or ((before, character) == ("\ufe0f", "\u200d"))
            assert not before.isascii() or before in "0123456789#*"


@pytest.mark.parametrize("text", WHOLE)
def test_what_a_writing_system_needs_stays_whole(text: str) -> None:
    """Emoji that are joined of several, and letters that are joined or kept apart, are left alone."""
    assert make_visible(text) == text
    assert make_visible(f"say {text}, again {text}!") == f"say {text}, again {text}!"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("yes\u3164", "yes‹U+3164›"),
        ("yes\ufe0f", "yes‹U+FE0F›"),
        ("a\ufe00c\u034f", "a‹U+FE00›c‹U+034F›"),
        ("ab\u202etxt.exe\u200b", "ab‹U+202E›txt.exe‹U+200B›"),
        ("10\u00a0000\u3000!\u2800", "10‹U+00A0›000‹U+3000›!‹U+2800›"),
        ("a\u200db\u200cc", "a‹U+200D›b‹U+200C›c"),
        ("👩\u200d", "👩‹U+200D›"),
        ("👩\u200d\u200d👩", "👩‹U+200D›‹U+200D›👩"),
        ("👩\ufe0f\ufe0f", "👩\ufe0f‹U+FE0F›"),
        ("a\ufe0f\u200d👩", "a‹U+FE0F›‹U+200D›👩"),
        ("1\ufe0f", "1‹U+FE0F›"),
        (
            "\u062f\u0627\u200c\u0646",
            "\u062f\u0627‹U+200C›\u0646",
        ),  # after a letter that joins nothing the non-joiner does nothing
        ("🏴\U000e0068\U000e0069\U000e007f", "🏴‹U+E0068›‹U+E0069›‹U+E007F›"),
        ("葛\U000e0100", "葛‹U+E0100›"),
        ("\x00\t\n\x1b\x7f\x9b", "␀␉␊␛␡‹U+009B›"),
        ("\ud83d\udcff", "‹U+D83D›‹FF›"),
        ("\ufdd0\uffff\U0010ffff", "‹U+FDD0›‹U+FFFF›‹U+10FFFF›"),
    ],
)
def test_what_is_invisible_is_shown(text: str, shown: str) -> None:
    """A character without ink, or without width, or which steers a terminal, has a symbol or its number."""
    assert make_visible(text) == shown
    assert has_hidden(text)


@given(text=st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)))
def test_plain_text_stays(text: str) -> None:
    """Nothing is added to, or taken from, text that is harmless."""
    assert make_visible(text) == text


def test_tabs_may_stay() -> None:
    """Where a tab is obeyed it can be kept, and nothing else with it."""
    assert make_visible("a\tb\x1b", keep_tabs=True) == "a\tb␛"


def test_lines_stay_apart() -> None:
    """Line feeds stay, with or without a carriage return; what only some take for a line end is shown."""
    assert make_lines_visible("one\r\ntwo\x1b\n\nthree\x0b\u2028") == "one\ntwo␛\n\nthree␋‹U+2028›"


def test_a_sentence_begins_with_a_capital_and_steers_no_terminal() -> None:
    """Nothing else of it changes, and no row of it is lost."""
    assert format_sentence("the child printed 42\nand \x1b[2J") == "The child printed 42\nand ␛[2J"
    assert format_sentence("2 messages wait") == "2 messages wait"
    assert format_sentence("éclair") == "Éclair"
    assert format_sentence("") == ""


@given(data=st.binary())
def test_bytes_that_are_not_utf8_can_be_told_from_text(data: bytes) -> None:
    """What a child printed is decoded without loss: bytes are shown as bytes, not as text it might print."""
    text = decode_output(data)
    assert text.encode("utf-8", "surrogateescape") == data
    assert is_safe(make_visible(text))


def test_a_byte_is_shown_in_hex() -> None:
    """It does not look like the four characters of an escape."""
    assert make_visible(decode_output(rb"\xff" + b"\xff\xc3")) == r"\xff‹FF›‹C3›"


@pytest.mark.parametrize(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("é", 1),
        ("e\N{COMBINING ACUTE ACCENT}", 1),
        ("日本", 4),
        ("\N{FULLWIDTH LATIN SMALL LETTER A}", 2),
        ("a😀b", 4),
        ("👩\u200d💻", 2),
        ("👨\u200d👩\u200d👧\u200d👦!", 3),
        ("👩🏽\u200d🚀", 2),
        ("❤\ufe0f", 2),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", 7),
        ("🇩🇪", 2),
    ],
)
def test_cells(text: str, width: int) -> None:
    """As a terminal shows it: an emoji that is joined of several takes the cells of one."""
    assert cell_width(text) == width


@given(text=tricky_texts, other=st.integers(0, 40))
def test_positions_lead_there_and_back(text: str, other: int) -> None:
    """Each position of a text has one in what is shown of it, and the other way round."""
    shown = VisibleText(text)
    assert shown.text == make_visible(text)
    positions = [shown.position_of(position) for position in range(len(text) + 1)]
    assert positions == sorted(set(positions))
    assert (positions[0], positions[-1]) == (0, len(shown.text))
    assert [shown.original_position(position) for position in positions] == list(range(len(text) + 1))
    inside = min(other, len(shown.text))
    found = shown.original_position(inside)
    assert positions[found] <= inside < [*positions, len(shown.text) + 1][found + 1]
