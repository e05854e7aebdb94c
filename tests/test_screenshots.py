"""The pictures in the README can be made again."""

import asyncio
from pathlib import Path

from tests.screenshots import make


def test_the_pictures_are_made_from_the_real_explorer(tmp_path: Path) -> None:
    """The scenes come about; the pictures need nothing from elsewhere and name nothing of this machine."""
    asyncio.run(make(tmp_path))
    pictures = {path.stem: path.read_text(encoding="utf-8") for path in tmp_path.iterdir()}
    assert set(pictures) == {"talking", "failed-handshake", "replay", "why"}
    for picture in pictures.values():
        assert "url(" not in picture.replace("url(#", "")
        assert str(tmp_path.parent) not in picture
        assert "4242" in picture
    assert "Received&#160;from&#160;parent:&#160;How&#160;are&#160;you?" in pictures["talking"]
    assert "stopped&#160;by&#160;SIGSTOP" in pictures["why"]
    assert "paused" in pictures["replay"]
    assert "Handshake&#160;failed" in pictures["failed-handshake"]
