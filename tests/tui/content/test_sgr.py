"""Colour and weight, as a child asks for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color

from tui_ipc.tui.content.sgr import PLAIN, Ink, apply_sgr, style_of


@pytest.mark.parametrize(
    ("parameters", "ink"),
    [
        ("31", Ink(color=Color.from_ansi(1))),
        ("1;4;97", Ink(bold=True, underline=True, color=Color.from_ansi(15))),
        ("44", Ink(bgcolor=Color.from_ansi(4))),
        ("103", Ink(bgcolor=Color.from_ansi(11))),
        ("38;5;208", Ink(color=Color.from_ansi(208))),
        ("48;2;1;2;3", Ink(bgcolor=Color.from_rgb(1, 2, 3))),
        ("38:2:1:2:3", Ink(color=Color.from_rgb(1, 2, 3))),
        ("38:2::1:2:3", Ink(color=Color.from_rgb(1, 2, 3))),
        (
            "1;38;2;255;254;253;48;2;1;2;3",
            Ink(Color.from_rgb(255, 254, 253), Color.from_rgb(1, 2, 3), bold=True),
        ),
        ("38:5:208;1", Ink(color=Color.from_ansi(208), bold=True)),
        ("4:3", Ink(underline=True)),
        ("4;4:0", PLAIN),
        ("58;2;1;2;3;1", Ink(bold=True)),
        ("58:5:7;1", Ink(bold=True)),
        ("1;22", PLAIN),
        ("31;39", PLAIN),
        ("31;0", PLAIN),
        ("31;", PLAIN),
        ("", PLAIN),
    ],
)
def test_codes_have_their_standard_meaning(parameters: str, ink: Ink) -> None:
    """ECMA-48's codes, the bright colours and both extended forms are followed; an empty code is 0."""
    assert apply_sgr(PLAIN, parameters) == ink


@pytest.mark.parametrize(
    "parameters", ["5", "8", "38;5;256", "38;2;1;2", "38", "38;9", "99", "9999999999", "38:2:1", "3:1"]
)
def test_what_means_nothing_changes_nothing(parameters: str) -> None:
    """Blink, conceal, incomplete and unknown codes leave the looks alone."""
    ink = Ink(bold=True)
    assert apply_sgr(ink, parameters) == ink


@given(parameters=st.text("0123456789;:", max_size=30))
def test_any_parameters_give_a_style(parameters: str) -> None:
    """No parameters break it, and nothing can be hidden by them."""
    style = style_of(apply_sgr(PLAIN, parameters))
    assert not style.conceal
    assert not style.blink
