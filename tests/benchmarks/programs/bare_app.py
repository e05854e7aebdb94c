"""``bare_app COUNT TEXT``: a Textual app of so many widgets that do nothing, the last with that text."""

import sys

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """Its widgets fill the screen, four to a row."""

    CSS = "Screen { layout: grid; grid-size: 4; }"

    def __init__(self, count: int, last: str) -> None:
        super().__init__()
        self._count = count
        self._last = last

    def compose(self) -> ComposeResult:
        """Make the widgets."""
        for count in range(self._count - 1):
            yield Static(f"widget {count}")
        yield Static(self._last)


if __name__ == "__main__":
    BareApp(int(sys.argv[1]), sys.argv[2]).run()
