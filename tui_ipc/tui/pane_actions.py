"""What is done with the panes: one takes all the room, is gone to, shows another face, is copied from."""

from typing import ClassVar

from textual import on
from textual.app import App
from textual.binding import Binding, BindingType

from tui_ipc.tui.content.copying import Form
from tui_ipc.tui.views.inspector import Face, Inspector
from tui_ipc.tui.views.key_bar import VIEW
from tui_ipc.tui.views.log_view import LogView
from tui_ipc.tui.views.message_box import MessageBox
from tui_ipc.tui.views.output_view import OutputView
from tui_ipc.tui.views.replay_bar import ReplayBar


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

    def action_face(self, face: Face) -> None:
        """Show what is inspected under another face."""
        self.inspector.face = face

    def action_copy(self, form: Form) -> None:
        """Copy what is inspected."""
        self.inspector.action_copy(form)

    def action_partner(self) -> None:
        """Go to the message that answers what is inspected, or that it answers."""
        self.inspector.action_partner()

    @on(Inspector.Sought)
    def _on_sought(self, sought: Inspector.Sought) -> None:
        self.log_view.pick_entry(sought.index)
