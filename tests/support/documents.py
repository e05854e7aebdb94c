"""The project's documents, and the examples in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = ROOT / "tui_ipc" / "docs"


def find_block(document: Path, language: str, start: str) -> str:
    """The one fenced block of a language that begins with a text."""
    (block,) = [block for block in find_blocks(document, language) if block.startswith(start)]
    return block


def find_blocks(document: Path, language: str) -> list[str]:
    """The content of each fenced block of a language."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
