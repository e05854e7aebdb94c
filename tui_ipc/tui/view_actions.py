"""What is done with the panes: one takes all the room, is gone to, shows another face, is copied from."""

from typing import Any, ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType
from textual.widgets import Input

from tui_ipc.events import MessageReceived, MessageSent
from tui_ipc.text import notation
from tui_ipc.text.safe_text import format_sentence, make_visible
from tui_ipc.text.units import format_size
from tui_ipc.tui.model.clipboard import CopyFormat
from tui_ipc.tui.session_controller import SessionController
from tui_ipc.tui.widgets.bottom_bar import MessageBox, ReplayBar
from tui_ipc.tui.widgets.inspector import Inspector, InspectorTab
from tui_ipc.tui.widgets.key_bar import VIEW
from tui_ipc.tui.widgets.log_view import LogView
from tui_ipc.tui.widgets.output_view import OutputView


class PaneActions(App[int]):
    """The part of the explorer that moves between its panes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f2",
            "maximize",
            "Maximize",
            key_display="F2",
            id="app.maximize",
            group=VIEW,
            tooltip="Give all the room to the pane you are in, or take it back",
        ),
    ]

    log_view: LogView
    inspector: Inspector
    output_view: OutputView
    foot: MessageBox | ReplayBar

    def action_maximize(self) -> None:
        """Give all the room to one pane, or take it back."""
        screen = self.screen_stack[0]
        pane = (
            "output"
            if self.output_view.has_focus
            else "inspector"
            if self.inspector.has_focus_within
            else "log"
        )
        screen.set_class(not screen.has_class("-maximized"), "-maximized")
        for name in ("log", "inspector", "output"):
            screen.set_class(name == pane, f"-{name}")

    def action_foot(self) -> None:
        """Go to the box at the bottom; the panes take their usual places."""
        self.screen_stack[0].remove_class("-maximized", "-inspecting")
        self.foot.take_focus()

    def action_inspect(self) -> None:
        """Go to the inspector."""
        self.screen_stack[0].add_class("-inspecting")
        self.inspector.page.focus()

    def action_face(self, face: InspectorTab) -> None:
        """Show what is inspected under another face."""
        self.inspector.face = face

    def action_copy(self, form: CopyFormat) -> None:
        """Copy what is inspected."""
        self.inspector.action_copy(form)

    def action_partner(self) -> None:
        """Go to the message that answers what is inspected, or that it answers."""
        self.inspector.action_partner()

    @on(Inspector.EntryRequested)
    def _on_sought(self, sought: Inspector.EntryRequested) -> None:
        self.log_view.pick_entry(sought.index)


MAX_BOX_CHARS = 1 << 18
"""How long a text may be, in characters, to be edited in one line."""


class MessageActions(App[int]):
    """The part of the explorer that sends messages."""

    inspector: Inspector
    message_box: MessageBox
    foot: MessageBox | ReplayBar
    _keeper: SessionController

    @on(Input.Submitted, "#input")
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        self._keeper.post(submitted.value, notation.parse_value(submitted.value))

    def _on_refused(self, text: str, sentence: str) -> None:
        """A message was not sent: it is given back to whoever typed it."""
        self.message_box.input.restore(text)
        self._notify_refusal("Not sent", sentence)

    def action_edit_again(self) -> None:
        """Put the inspected message into the box."""
        event = self._inspected("edited")
        if event is None:
            return
        text = format_for_box(event.value) if len(event.raw) <= MAX_BOX_CHARS else None
        if text is None:
            much = f"A message of {format_size(len(event.raw))} is more than the box takes"
            self._notify_refusal("Not edited", f"{much}; what was sent can be sent again as it is.")
        else:
            self.screen_stack[0].remove_class("-maximized", "-inspecting")
            self.message_box.take(text)

    def action_send_again(self) -> None:
        """Send the inspected message once more, as it is."""
        event = self._inspected("sent")
        if isinstance(event, MessageSent):
            self._keeper.post("", event.value)
        elif event is not None:
            self._notify_refusal(
                "Not sent", "This message came from the child; only what was sent can be sent again."
            )

    def _inspected(self, done: str) -> MessageSent | MessageReceived | None:
        """The message that is inspected; if there is none, or nobody to send one to, that is said."""
        event: Any = None if self.inspector.entry is None else self.inspector.entry.event
        if self.foot is not self.message_box:
            self._notify_refusal(f"Not {done}", "A recording is only shown: nobody listens.")
        elif isinstance(event, MessageSent | MessageReceived):
            return event
        else:
            self._notify_refusal(f"Not {done}", "No message is selected in the log.")
        return None

    def _notify_refusal(self, title: str, reason: str) -> None:
        self.notify(format_sentence(reason), title=title, severity="error", markup=False)


def format_for_box(value: Any) -> str | None:
    """How a value is written in the box: a string without quotes if it reads so; None if that is too long."""
    if (
        isinstance(value, str)
        and value
        and notation.interpret(value) == (value, None)
        and make_visible(value) == value
    ):
        return value
    text = notation.render_value(value)
    return text if len(text) <= MAX_BOX_CHARS else None
