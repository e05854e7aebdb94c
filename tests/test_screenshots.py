"""The pictures in the README are what the explorer shows today.

Every word and its place are compared, not the bytes: colours and the rest of the file are Textual's to
change.
"""

import asyncio
import re
from html import unescape
from pathlib import Path

import pytest

from tests.screenshots import PICTURES, make

ROOT = Path(__file__).parent.parent
CELL = 12.2
"""How wide a cell is in these pictures."""

_TEXT = re.compile(r'<text class="\S+" x="([\d.]+)" y="([\d.]+)" textLength[^>]*>([^<]*)</text>')


def rows(svg: str) -> list[str]:
    """What stands in a picture, row by row, each character in its column."""
    found: dict[float, str] = {}
    for x, y, text in _TEXT.findall(svg):
        row = found.get(float(y), "")
        found[float(y)] = row.ljust(round(float(x) / CELL)) + unescape(text).replace("\xa0", " ")
    return [found[y].rstrip() for y in sorted(found)]


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_shows_what_the_explorer_shows(name: str, tmp_path: Path) -> None:
    """If this fails, make them again, ``python -m tests.screenshots``, and look at them."""
    asyncio.run(make(tmp_path, [name]))
    picture = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
    assert "url(" not in picture.replace("url(#", ""), "it needs something from elsewhere"
    assert str(tmp_path.parent) not in picture, "it names a path of this machine"
    assert rows(picture) == rows((ROOT / "screenshots" / f"{name}.svg").read_text(encoding="utf-8"))
