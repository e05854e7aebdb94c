"""One line in which a person types, and into which nothing can be pasted that would steer the terminal."""

from textual.widgets import Input

from tui_ipc.tui.sanitize import visible


class SafeInput(Input):
    """An input that shows control characters as symbols."""

    def validate_value(self, value: str) -> str:
        """Keep out of the line, and so off the terminal, what cannot be shown."""
        return visible(value)
