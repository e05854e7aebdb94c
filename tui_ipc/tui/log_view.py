"""The timeline: the handshake, every message, the child's end. A cursor picks what the inspector explains."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from tui_ipc.tui.line import Line, Span, line
from tui_ipc.tui.model import Entry, Model
from tui_ipc.tui.ring_view import RingView


class LogView(RingView):
    """Shows the log, newest line last.

    With a cursor the view holds still; moving the cursor past the last line lets it go, and the view follows
    again.
    """

    BORDER_TITLE = "Log"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor(-1)", "Select", show=True, key_display="↑↓", id="log.up"),
        Binding("down", "cursor(1)", "Select next", show=False, id="log.down"),
        Binding(
            "enter", "app.inspect", "Inspect", id="log.inspect", tooltip="Look closely at the selected line"
        ),
        Binding("v", "app.face('value')", "Value", show=False, id="log.value"),
        Binding("b", "app.face('bytes')", "Bytes", show=False, id="log.bytes"),
        Binding("a", "app.face('about')", "About", show=False, id="log.about"),
        Binding("c", "app.copy", "Copy", show=False, id="log.copy"),
    ]

    @dataclass
    class Picked(Message):
        """The cursor came to an entry, or left the log (None)."""

        entry: Entry | None

    def __init__(self, model: Model) -> None:
        super().__init__(id="log")
        self._model = model

    @property
    def first(self) -> int:
        """The index of the oldest entry that is held."""
        return self._model.log.first

    @property
    def end(self) -> int:
        """The index after the newest entry."""
        return self._model.log.end

    def line(self, index: int) -> Line:
        """The line about an entry."""
        return self._model.log[index].line

    def placeholder(self) -> list[Line]:
        """Say what will come here."""
        sentence = "Each step of the handshake and each message appears here with its time, latency and size."
        return [line(Span(sentence, "muted"))]

    def may_follow(self) -> bool:
        """A selected line must not be swept away."""
        return self.cursor is None

    def watch_cursor(self, cursor: int | None) -> None:
        """Hold still at a cursor, and tell the inspector."""
        if cursor is not None:
            self.set_follows(False)
        self.post_message(self.Picked(None if cursor is None else self._model.log[cursor]))

    def action_cursor(self, direction: int) -> None:
        """Move the cursor; the first move up from the end picks the newest line."""
        cursor = self.end if self.cursor is None else self.cursor
        if direction > 0 and cursor + direction >= self.end:
            self.action_follow()
        else:
            self.pick(cursor + direction)

    def action_page(self, direction: int) -> None:
        """Move the cursor by what fits on the screen."""
        self.action_cursor(direction * max(1, self.size.height - 1))

    def action_scroll_home(self) -> None:
        """Move the cursor to the oldest entry."""
        self.pick(self.first)

    def action_follow(self) -> None:
        """Let the cursor go and follow the newest entry."""
        self.cursor = None
        super().action_follow()

    def pick(self, index: int) -> None:
        """Put the cursor on an entry, and bring it into sight."""
        if self.first == self.end:
            return
        self.cursor = max(self.first, min(index, self.end - 1))
        row = self.cursor - self.first
        top = self.scroll_offset.y
        if row < top:
            self.go_to(row)
        elif row >= top + self.size.height:
            self.go_to(row - self.size.height + 1)

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse points."""
        offset = event.get_content_offset(self)
        index = self.first + self.scroll_offset.y + offset.y if offset is not None else self.end
        if index < self.end:
            self.pick(index)
