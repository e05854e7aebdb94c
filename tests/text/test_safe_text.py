"""How wide a text is."""

import pytest

from tui_ipc.text.safe_text import cell_width


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
    ],
)
def test_cells(text: str, width: int) -> None:
    """As a terminal shows it."""
    assert cell_width(text) == width
