"""Colour for people who read us on a terminal, and for nobody else. Pure."""

from collections.abc import Callable, Mapping
from typing import Final

Paint = Callable[[str, str], str]
"""Gives a text in a colour: ``paint(text, RED)``."""

BOLD: Final = "1"
DIM: Final = "2"
RED: Final = "31"
GREEN: Final = "32"
YELLOW: Final = "33"


def plain(text: str, _colour: str) -> str:
    """The text as it is."""
    return text


def coloured(text: str, colour: str) -> str:
    """The text between the sequences that set a colour and end it (ECMA-48, SGR)."""
    return f"\x1b[{colour}m{text}\x1b[m"


def paint(*, terminal: bool, environment: Mapping[str, str]) -> Paint:
    """How to paint what goes to a stream: not at all unless it is a terminal that can, for one who wants it.

    ``NO_COLOR`` set to anything but nothing forbids it (https://no-color.org), as ``TERM=dumb`` does.
    """
    wanted = not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
    return coloured if terminal and wanted else plain
