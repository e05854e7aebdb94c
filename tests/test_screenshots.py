"""The pictures in the README are what the explorer shows today.

Every character is compared, and where it stands. Colours are Textual's to change: they are compared where the
same versions made the picture that is in the README.
"""

import asyncio
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.screenshots import PICTURES, describe_versions, make_pictures

ROOT = Path(__file__).parent.parent
COLUMN, ROW = 12.2, 24.4
"""How wide and how high a cell is in these pictures."""

_STYLE = re.compile(r"\.terminal-\d+-(r\d+) \{ (.*?);? \}")
_TEXT = re.compile(r'<text class="terminal-\d+-(r\d+)" x="(\S+)" y="(\S+)" textLength[^>]*>([^<]*)</text>')
_GROUND = re.compile(r'<rect fill="(\S+)" x="(\S+)" y="(\S+)" width="(\S+)"')

Cell = tuple[int, int]
"""A row and a column."""


def characters(svg: str) -> Iterator[tuple[Cell, str, str]]:
    """Each character of a picture that is no blank, with its cell and its style."""
    styles = dict(_STYLE.findall(svg))
    for name, x, y, text in _TEXT.findall(svg):
        for place, character in enumerate(unescape(text), round(float(x) / COLUMN)):
            if not character.isspace():
                yield (int(float(y) / ROW), place), character, styles[name]


def rows(svg: str) -> list[str]:
    """What stands in a picture, row by row."""
    found: dict[int, str] = {}
    for (row, column), character, _ in sorted(characters(svg)):
        found[row] = found.get(row, "").ljust(column) + character
    return [found.get(row, "") for row in range(max(found) + 1)]


def grounds(svg: str) -> Iterator[tuple[Cell, str]]:
    """The colour behind each cell of a picture."""
    for colour, x, y, width in _GROUND.findall(svg):
        first = round(float(x) / COLUMN)
        for column in range(first, first + round(float(width) / COLUMN)):
            yield (int(float(y) / ROW), column), colour


def looks(svg: str) -> dict[Cell, list[str]]:
    """How each cell of a picture looks: the colour behind it, and what stands in it and in which style."""
    cells = {cell: [colour] for cell, colour in grounds(svg)}
    for cell, character, style in characters(svg):
        cells.setdefault(cell, []).append(f"{character} {style}")
    return cells


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_the_explorer_shows(name: str, tmp_path: Path) -> None:
    """If this fails, make them again, ``python -m tests.screenshots``, and look at them."""
    asyncio.run(make_pictures(tmp_path, [name]))
    picture = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    shown = (ROOT / "screenshots" / f"{name}.svg").read_text(encoding="utf-8")
    assert "url(" not in picture.replace("url(#", ""), "it needs something from elsewhere"
    assert str(tmp_path.parent) not in picture, "it names a path of this machine"
    assert rows(picture) == rows(shown)
    if describe_versions() in shown:
        now, then = looks(picture), looks(shown)
        differing = {cell for cell in now.keys() | then.keys() if now.get(cell) != then.get(cell)}
        assert {cell: (now.get(cell), then.get(cell)) for cell in sorted(differing)} == {}
