"""A sentence that others say, as the explorer shows it: with a capital, and harmless row by row."""

from tui_ipc.tui.content.sanitize import visible


def sentence(text: str) -> str:
    """What the session or the system says, to stand by itself: its rows stay, control characters do not."""
    return "\n".join(visible(row) for row in (text[:1].upper() + text[1:]).splitlines())
