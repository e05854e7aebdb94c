"""A view of words that are all there, broken to its width."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from tui_ipc.tui.content.line import Line, wrap
from tui_ipc.tui.views.line_view import LineView


class DocumentView(LineView):
    """Shows some lines of text, each over as many rows as it needs."""

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
        self._text: Sequence[Line] = ()
        self._rows: Sequence[Line] = ()
        self._placeholder: list[Line] = []

    @property
    def end(self) -> int:
        """The index after the last row."""
        return len(self._rows)

    def line(self, index: int) -> Line:
        """A row by its index."""
        return self._rows[index]

    def placeholder(self) -> list[Line]:
        """What is shown while there is no text."""
        return self._placeholder

    def show(self, text: Sequence[Line], placeholder: Sequence[Line] = ()) -> None:
        """Show another text from its beginning, or the placeholder if there is none."""
        self._placeholder = list(placeholder)
        self.scroll_to(y=0, animate=False, force=True)
        self.replace(text)

    def replace(self, text: Sequence[Line]) -> None:
        """Show a text in the place of that shown, and stay where one reads."""
        self._text = text
        self._rows = wrap(text, self.width)
        self.sync()

    def on_resize(self, event: events.Resize) -> None:
        """Break the text anew for another width."""
        self.replace(self._text)
