"""What must not be overlooked: why the handshake failed, or how the child broke the protocol."""

from textual.content import Content
from textual.widgets import Static

from tui_ipc.session.events import Fault, HandshakeFailed
from tui_ipc.tui.sanitize import visible


class Notice(Static):
    """A box above the panes that is there only while there is something to say.

    Args:
        remedy: What the user can do about it; may be empty.
    """

    def __init__(self, remedy: str) -> None:
        super().__init__(id="notice")
        self._remedy = remedy
        self._trouble: HandshakeFailed | Fault | None = None

    def show(self, trouble: HandshakeFailed | Fault | None) -> None:
        """Say what went wrong; None if nothing did."""
        if trouble is self._trouble:
            return
        self._trouble = trouble
        self.set_class(trouble is not None, "-shown")
        if trouble is None:
            return
        self.border_title = "Handshake failed" if isinstance(trouble, HandshakeFailed) else "Protocol broken"
        self.border_subtitle = self._remedy
        sentence = trouble.sentence[:1].upper() + trouble.sentence[1:]
        self.update(Content("\n".join(visible(row) for row in sentence.splitlines())))
