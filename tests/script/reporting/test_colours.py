"""Colour is for people on a terminal that can, who did not ask for none."""

import pytest

from tui_ipc.script.reporting.colours import GREEN, coloured, paint, plain


@pytest.mark.parametrize(
    ("terminal", "environment", "expected"),
    [
        (True, {}, coloured),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, coloured),
        (True, {"NO_COLOR": "0"}, plain),
        (True, {"TERM": "dumb"}, plain),
        (False, {"TERM": "xterm"}, plain),
    ],
)
def test_who_gets_colour(terminal: bool, environment: dict[str, str], expected: object) -> None:
    """``NO_COLOR`` forbids it whatever it says, unless it is empty."""
    assert paint(terminal=terminal, environment=environment) is expected


def test_how_it_is_given() -> None:
    """Between the sequence that sets it and the one that ends it, or not at all."""
    assert coloured("passed", GREEN) == "\x1b[32mpassed\x1b[m"
    assert plain("passed", GREEN) == "passed"
