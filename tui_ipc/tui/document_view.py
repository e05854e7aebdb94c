"""A view of lines that are all there: the inspector's page."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_ipc.tui.line import Line
from tui_ipc.tui.line_view import LineView


class DocumentView(LineView):
    """Shows a sequence of lines, each made when it comes into sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "Scroll up", show=False, id="document.up"),
        Binding("down", "scroll_down", "Scroll down", show=False, id="document.down"),
        Binding("home", "scroll_home", "First line", show=False, id="document.home"),
        Binding("end", "scroll_end", "Last line", show=False, id="document.end"),
        Binding("pageup", "page_up", "Page up", show=False, id="document.pageup"),
        Binding("pagedown", "page_down", "Page down", show=False, id="document.pagedown"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Line] = ()
        self._placeholder: list[Line] = []

    @property
    def end(self) -> int:
        """The index after the last line."""
        return len(self._lines)

    def line(self, index: int) -> Line:
        """A line by its index."""
        return self._lines[index]

    def placeholder(self) -> list[Line]:
        """What is shown while there are no lines."""
        return self._placeholder

    def show(self, lines: Sequence[Line], placeholder: Sequence[Line] = ()) -> None:
        """Show other lines from their beginning, or the placeholder if there are none."""
        self._lines = lines
        self._placeholder = list(placeholder)
        self.shift = 0
        self.scroll_to(y=0, animate=False, force=True)
        self.sync()
