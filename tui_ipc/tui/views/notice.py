"""What must not be overlooked: a late step, why the handshake failed, how the child broke the protocol."""

from collections.abc import Callable

from textual.content import Content
from textual.widgets import Static

from tui_ipc.session.events import Fault, HandshakeFailed, StepLate
from tui_ipc.tui.content.model import Trouble
from tui_ipc.tui.content.sentences import sentence


class Notice(Static):
    """A box above the panes that is there only while there is something to say.

    Args:
        remedy: Says what the user can do about it.
    """

    def __init__(self, remedy: Callable[[], str]) -> None:
        super().__init__(id="notice")
        self._remedy = remedy
        self._trouble: Trouble | None = None

    def show(self, trouble: Trouble | None) -> None:
        """Say what goes or went wrong; None if nothing does."""
        if trouble is self._trouble:
            return
        self._trouble = trouble
        self.set_class(trouble is not None, "-shown")
        self.set_class(isinstance(trouble, StepLate), "-late")
        if trouble is None:
            return
        self.border_title = _title(trouble)
        self.border_subtitle = self._remedy()
        self.update(Content(sentence(trouble.sentence)))


def _title(trouble: Trouble) -> str:
    match trouble:
        case StepLate():
            return "The handshake takes long"
        case HandshakeFailed():
            return "Handshake failed"
        case Fault():
            return "Protocol broken"
