"""What is done to the child, and what is asked about it."""

from typing import ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from tui_ipc.tui.session_keeper import Explored, SessionKeeper


class ChildActions(App[int]):
    """The part of the explorer that has the child in hand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q",
            "quit",
            "Quit",
            priority=True,
            id="app.quit",
            tooltip='Send "quit", wait for the child to end, and leave',
        ),
        Binding(
            "ctrl+r",
            "restart",
            "Restart",
            priority=True,
            id="app.restart",
            tooltip="End the child, if it lives, and start it again; the log goes on",
        ),
        Binding(
            "f3",
            "why",
            "Why?",
            key_display="F3",
            id="app.why",
            tooltip="Why does nothing happen? What the child, the channels and the system say",
        ),
    ]

    _session: Explored
    _keeper: SessionKeeper

    def _schedule_refresh(self) -> None:
        """Have the screen follow what was done."""
        raise NotImplementedError

    def action_restart(self) -> None:
        """End this run and begin the next."""
        self._keeper.restart()
        self._schedule_refresh()

    def action_why(self) -> None:
        """Say why nothing happens."""
        from tui_ipc.tui.why_screen import WhyScreen

        self.push_screen(WhyScreen(lambda: self._session.diagnosis().sentences))
