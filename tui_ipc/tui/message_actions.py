"""What is done with messages: one is sent, an earlier one is sent again, or edited first."""

from typing import Any

from textual import on
from textual.app import App
from textual.widgets import Input

from tui_ipc.session import notation
from tui_ipc.session.events import MessageReceived, MessageSent
from tui_ipc.session.units import size
from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.content.sentences import sentence
from tui_ipc.tui.session_keeper import SessionKeeper
from tui_ipc.tui.views.inspector import Inspector
from tui_ipc.tui.views.message_box import MessageBox
from tui_ipc.tui.views.replay_bar import ReplayBar

BOX_LIMIT = 1 << 18
"""How long a text may be, in characters, to be edited in one line."""


class MessageActions(App[int]):
    """The part of the explorer that sends messages."""

    inspector: Inspector
    message_box: MessageBox
    foot: MessageBox | ReplayBar
    _keeper: SessionKeeper

    @on(Input.Submitted, "#input")
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        self._keeper.post(submitted.value, notation.parse(submitted.value))

    def _on_refused(self, text: str, sentence: str) -> None:
        """A message was not sent: it is given back to whoever typed it."""
        self.message_box.input.restore(text)
        self._deny("Not sent", sentence)

    def action_edit_again(self) -> None:
        """Put the inspected message into the box."""
        event = self._inspected("edited")
        if event is None:
            return
        text = box_text(event.value) if len(event.raw) <= BOX_LIMIT else None
        if text is None:
            much = f"A message of {size(len(event.raw))} is more than the box takes"
            self._deny("Not edited", f"{much}; what was sent can be sent again as it is.")
        else:
            self.screen_stack[0].remove_class("-maximized", "-inspecting")
            self.message_box.take(text)

    def action_send_again(self) -> None:
        """Send the inspected message once more, as it is."""
        event = self._inspected("sent")
        if isinstance(event, MessageSent):
            self._keeper.post("", event.value)
        elif event is not None:
            self._deny("Not sent", "This message came from the child; only what was sent can be sent again.")

    def _inspected(self, done: str) -> MessageSent | MessageReceived | None:
        """The message that is inspected; if there is none, or nobody to send one to, that is said."""
        event: Any = None if self.inspector.entry is None else self.inspector.entry.event
        if self.foot is not self.message_box:
            self._deny(f"Not {done}", "A recording is only shown: nobody listens.")
        elif isinstance(event, MessageSent | MessageReceived):
            return event
        else:
            self._deny(f"Not {done}", "No message is selected in the log.")
        return None

    def _deny(self, title: str, reason: str) -> None:
        self.notify(sentence(reason), title=title, severity="error", markup=False)


def box_text(value: Any) -> str | None:
    """How a value is written in the box: a string without quotes if it reads so; None if that is too long."""
    if (
        isinstance(value, str)
        and value
        and notation.interpret(value) == (value, None)
        and visible(value) == value
    ):
        return value
    text = notation.render(value)
    return text if len(text) <= BOX_LIMIT else None
