"""A dialog in which one of several things is chosen: by moving to it, clicking it, or typing its name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.views.safe_input import SafeInput


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen.

    Attributes:
        title: Its name.
        help: What it does, in some words.
        value: What choosing it means.
    """

    title: str
    help: str
    value: Any


class ChoiceScreen(ModalScreen[Any]):
    """Asks for one of some choices; it gives the ``value`` of the chosen one, or None.

    Args:
        title: What is asked for.
        intro: What the choice is applied to, in a sentence.
        choices: What can be chosen once a text was typed, the best first.
        nothing: What is said if that is nothing.
        prompt: What may be typed.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", key_display="esc", id="choice.close"),
        Binding("enter", "choose", "Choose", show=False, id="choice.choose"),
        Binding("up", "move(-1)", "Previous", show=False, id="choice.up"),
        Binding("down", "move(1)", "Next", show=False, id="choice.down"),
        Binding("pageup", "move(-8)", "Page up", show=False, id="choice.pageup"),
        Binding("pagedown", "move(8)", "Page down", show=False, id="choice.pagedown"),
    ]

    def __init__(
        self, title: str, intro: str, choices: Callable[[str], Sequence[Choice]], *, nothing: str, prompt: str
    ) -> None:
        super().__init__()
        self._title = title
        self._intro = intro
        self._choices = choices
        self._nothing = nothing
        self._input = SafeInput(placeholder=prompt, compact=True, id="typed")
        self._list = OptionList(id="choices", compact=True)
        self._list.can_focus = False
        self._none = Static(Content(nothing), id="none")
        self._shown: Sequence[Choice] = ()

    def compose(self) -> ComposeResult:
        """Make the dialog."""
        with Vertical(id="choice", classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "↑↓ or type · enter chooses · esc closes"
            yield Static(Content(visible(self._intro)), id="intro")
            yield self._input
            yield self._none
            yield self._list

    def on_mount(self) -> None:
        """Show every choice."""
        self._offer("")
        self._input.focus()

    @on(Input.Changed)
    def _on_changed(self, changed: Input.Changed) -> None:
        self._offer(changed.value)

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        """Choose when the input's turn comes: what was typed before Enter was offered by then."""
        self.action_choose()

    @on(OptionList.OptionSelected)
    def _on_selected(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[selected.option_index].value)

    def action_move(self, rows: int) -> None:
        """Move to another choice."""
        if self._shown:
            place = 0 if self._list.highlighted is None else self._list.highlighted
            self._list.highlighted = max(0, min(place + rows, len(self._shown) - 1))

    def action_choose(self) -> None:
        """Take the choice that is lit."""
        if self._list.highlighted is not None:
            self.dismiss(self._shown[self._list.highlighted].value)
        else:
            self.app.bell()

    def _offer(self, text: str) -> None:
        self._shown = self._choices(text.strip())
        width = max((len(choice.title) for choice in self._shown), default=0)
        self._list.set_options(_shown(choice, width) for choice in self._shown)
        self._list.highlighted = 0 if self._shown else None
        self._none.display = not self._shown


def _shown(choice: Choice, width: int) -> Content:
    return Content.assemble((f"{choice.title:<{width}}", "bold"), "   ", (choice.help, "$foreground 60%"))
