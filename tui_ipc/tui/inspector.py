"""The inspector: one entry of the log under three faces, the newest message until a line is selected."""

from collections.abc import Sequence
from typing import ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui_ipc.tui.document_view import DocumentView
from tui_ipc.tui.inspection import HexLines, about_lines, raw_bytes, summary, title, value_lines
from tui_ipc.tui.line import Line, Span, line, wrap
from tui_ipc.tui.model import Entry

Face = Literal["value", "bytes", "about"]
FACES: tuple[Face, ...] = ("value", "bytes", "about")

_EMPTY = "Select a message in the log with ↑ ↓ to see its value and bytes."
_NO_BYTES = "No bytes passed on the wire here. Press a to see what is known."


class Inspector(Vertical):
    """Explains one entry of the log."""

    BORDER_TITLE = "Inspector"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "v",
            "app.face('value')",
            "Value",
            id="inspector.value",
            tooltip="Inspector: show the value",
        ),
        Binding(
            "b",
            "app.face('bytes')",
            "Bytes",
            id="inspector.bytes",
            tooltip="Inspector: show the bytes on the wire",
        ),
        Binding(
            "a",
            "app.face('about')",
            "About",
            id="inspector.about",
            tooltip="Inspector: show time, number, size, latency",
        ),
        Binding(
            "c",
            "app.copy",
            "Copy",
            id="inspector.copy",
            tooltip="Copy the inspected value as text that you could type",
        ),
        Binding("left", "turn(-1)", "Previous face", show=False, id="inspector.previous"),
        Binding("right", "turn(1)", "Next face", show=False, id="inspector.next"),
    ]

    entry: reactive[Entry | None] = reactive(None)
    """What is shown, None before the first message."""

    face: reactive[Face] = reactive[Face]("value")
    """Under which face it is shown."""

    def compose(self) -> ComposeResult:
        """Make the row of faces and the page."""
        yield Static(id="faces")
        yield DocumentView(id="page")

    def on_mount(self) -> None:
        """Begin with what the inspector is for."""
        self._redraw()

    def on_resize(self, event: events.Resize) -> None:
        """Lay the page out for the new width."""
        self.call_after_refresh(self._redraw)

    def watch_entry(self) -> None:
        """Show another entry."""
        self.border_title = "Inspector" if self.entry is None else title(self.entry)
        self.border_subtitle = None if self.entry is None else summary(self.entry)
        self._redraw()

    def watch_face(self) -> None:
        """Show another face."""
        self._redraw()

    def action_turn(self, direction: int) -> None:
        """Turn to the next face (1) or the one before (-1)."""
        self.face = FACES[(FACES.index(self.face) + direction) % len(FACES)]

    def _redraw(self) -> None:
        if not self.is_mounted:
            return
        self.query_one("#faces", Static).update(self._tabs())
        page = self.query_one("#page", DocumentView)
        page.show(self._lines(page.width), [line(Span(_EMPTY if self.entry is None else _NO_BYTES, "muted"))])

    def _tabs(self) -> Content:
        names = [
            Content.styled(face, "bold $text-primary" if face == self.face else "$foreground 60%")
            for face in FACES
        ]
        return Content.styled(" │ ", "$foreground 30%").join(names)

    def _lines(self, width: int) -> Sequence[Line]:
        if self.entry is None:
            return ()
        if self.face == "bytes":
            return HexLines.fitting(raw_bytes(self.entry), width)
        return wrap(value_lines(self.entry) if self.face == "value" else about_lines(self.entry), width)
