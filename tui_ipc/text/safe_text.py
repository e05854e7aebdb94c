"""How wide a text is on a terminal. Pure."""


def cell_width(text: str) -> int:
    """How many columns a terminal takes for printable characters: none for an accent, two for a wide one."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width  # most texts do not pay for this

    return sum(
        0 if combining(character) else 2 if east_asian_width(character) in "WF" else 1 for character in text
    )
