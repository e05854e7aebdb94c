"""Dialogs: a choice from a list, the palette, the path of a new file, a line of text, and a confirmation."""

import os
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.command import CommandList, CommandPalette
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from tui_ipc.osutil.signals import signal_name
from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.widgets.inputs import SafeInput
from tui_ipc.tui.widgets.line_view import MUTED


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be chosen.

    Attributes:
        title: Its name.
        help: What it does, in a few words.
        value: The dialog's result if it is chosen.
    """

    title: str
    help: str
    value: Any


class ChoiceScreen(ModalScreen[Any]):
    """Asks for one of several choices; its result is the ``value`` of the chosen one, else None.

    Args:
        title: What is asked for.
        intro: What the choice applies to, in a sentence.
        find_choices: Returns the choices that match a typed text, the best first.
        empty_text: Shown if no choice matches.
        prompt: Shown in the input while nothing is typed.
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
        self,
        title: str,
        intro: str,
        find_choices: Callable[[str], Sequence[Choice]],
        *,
        empty_text: str,
        prompt: str,
    ) -> None:
        super().__init__()
        self._title = title
        self._intro = intro
        self._find_choices = find_choices
        self._input = SafeInput(placeholder=prompt, compact=True, id="typed")
        self._list = OptionList(id="choices", compact=True)
        self._list.can_focus = False
        self._empty = Static(Content(empty_text), id="empty")
        self._shown: Sequence[Choice] = ()

    def compose(self) -> ComposeResult:
        """Make the dialog."""
        with Vertical(id="choice", classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "↑↓ or type · Enter chooses · Esc closes"
            yield Static(Content(make_visible(self._intro)), id="intro")
            yield self._input
            yield self._empty
            yield self._list

    def on_mount(self) -> None:
        """Show every choice."""
        self._show_choices("")
        self._input.focus()

    @on(Input.Changed)
    def _on_changed(self, changed: Input.Changed) -> None:
        self._show_choices(changed.value)

    @on(Input.Submitted)
    def _on_submitted(self) -> None:
        # Enter is handled by the input, whose events are in order: the text typed before it has been matched.
        self.action_choose()

    @on(OptionList.OptionSelected)
    def _on_selected(self, selected: OptionList.OptionSelected) -> None:
        self.dismiss(self._shown[selected.option_index].value)

    def action_move(self, rows: int) -> None:
        """Move to another choice."""
        if self._shown:
            index = 0 if self._list.highlighted is None else self._list.highlighted
            self._list.highlighted = max(0, min(index + rows, len(self._shown) - 1))

    def action_choose(self) -> None:
        """Choose what is highlighted."""
        if self._list.highlighted is not None:
            self.dismiss(self._shown[self._list.highlighted].value)
        else:
            self.app.bell()

    def _show_choices(self, text: str) -> None:
        self._shown = self._find_choices(text.strip())
        width = max((len(choice.title) for choice in self._shown), default=0)
        self._list.set_options(_render_choice(choice, width) for choice in self._shown)
        self._list.highlighted = 0 if self._shown else None
        self._empty.display = not self._shown


def _render_choice(choice: Choice, width: int) -> Content:
    return Content.assemble((f"{choice.title:<{width}}", "bold"), "   ", (choice.help, MUTED))


class Palette(CommandPalette):
    """Textual's palette, whose list ignores keys until it has a size: a page of no rows is an error there."""

    def _action_command_list(self, action: str) -> None:
        if self.query_one(CommandList).scrollable_content_region.height:
            super()._action_command_list(action)


class PathScreen(ModalScreen[str | None]):
    """Asks for the path of a new file; its result is the path once the file was created, None if cancelled.

    Args:
        title: What is saved.
        suggestion: The path to begin with.
        create_file: Creates the file at a path; returns why that failed, None if it did not.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", key_display="esc", id="path.close"),
    ]

    def __init__(self, title: str, suggestion: str, create_file: Callable[[str], str | None]) -> None:
        super().__init__()
        self._title = title
        self._create_file = create_file
        self._input = SafeInput(
            suggestion, compact=True, id="path"
        )  # the focus selects it, so typing replaces it
        self._message = Static(id="message-line")

    def compose(self) -> ComposeResult:
        """Make the dialog."""
        with Vertical(id="file", classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "Enter saves · Esc cancels"
            yield self._input
            yield self._message

    def on_mount(self) -> None:
        """Take the focus."""
        self._input.focus()

    @on(Input.Changed)
    def _on_changed(self, changed: Input.Changed) -> None:
        self._show_message(
            os.path.abspath(expand_path(changed.value)) if changed.value else "", is_error=False
        )

    @on(Input.Submitted)
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        path = expand_path(submitted.value)
        problem = self._create_file(path)
        if problem is None:
            self.dismiss(path)
        else:
            self._show_message(problem, is_error=True)

    def _show_message(self, text: str, *, is_error: bool) -> None:
        self._message.set_class(is_error, "-wrong")
        self._message.update(Content(make_visible(text)))


class LineScreen(ModalScreen[str | None]):
    """Asks for a line of text; its result is that line, None if cancelled or empty.

    Args:
        title: What it is for.
        hint: What the keys do.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", key_display="esc", id="line.close"),
    ]

    def __init__(self, title: str, hint: str) -> None:
        super().__init__()
        self._title = title
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Make the dialog."""
        with Vertical(id="file", classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = self._hint
            yield SafeInput(compact=True, id="path")

    def on_mount(self) -> None:
        """Take the focus."""
        self.query_one(SafeInput).focus()

    @on(Input.Submitted)
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        self.dismiss(submitted.value.strip() or None)


class ConfirmScreen(ModalScreen[bool]):
    """Asks whether to do something; its result is whether the user confirmed it.

    Args:
        title: What would be done.
        text: What it means, in a sentence or two.
        verb: What Enter does, in a word.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "dismiss(True)", "Confirm", show=False, id="confirm.confirm"),
        Binding("escape", "dismiss(False)", "Cancel", key_display="esc", id="confirm.close"),
    ]

    def __init__(self, title: str, text: str, verb: str) -> None:
        super().__init__()
        self._title = title
        self._text = text
        self._verb = verb

    def compose(self) -> ComposeResult:
        """Make the dialog."""
        with Vertical(id="file", classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = f"Enter {self._verb} · Esc cancels"
            yield Static(Content(make_visible(self._text)))


def expand_path(text: str) -> str:
    """The path that a text names: ``~`` is the home directory, blanks at the ends do not count."""
    return os.path.expanduser(text.strip())


QUIT_VALUE: Final = 0
"""The value of the choice that ends the child with ``"quit"``; no signal has this number."""

_USUAL: Final[dict[int, str]] = {
    signal.SIGSTOP: "stop it until it is continued",
    signal.SIGCONT: "continue it",
    signal.SIGINT: "interrupt it, as ctrl+c in its terminal would",
    signal.SIGTERM: "ask it to end",
    signal.SIGKILL: "kill it at once; it cannot object",
    signal.SIGHUP: "its terminal is gone; many servers reload their settings",
    signal.SIGUSR1: "the program defines what it means",
    signal.SIGUSR2: "the program defines what it means",
}

_UNUSUAL: Final[dict[int, str]] = {
    signal.SIGQUIT: "end it with a core dump",
    signal.SIGABRT: "end it as abort() does",
    signal.SIGSEGV: "end it as an invalid access to memory does",
    signal.SIGALRM: "end it as a timer that it set does",
    signal.SIGPIPE: "end it as writing to a closed pipe does",
    signal.SIGTSTP: "stop it as ctrl+z does, unless it handles that",
    signal.SIGWINCH: "tell it that its terminal was resized",
    signal.SIGCHLD: "tell it that a child of its own changed state",
}

_QUIT_CHOICE: Final = Choice("quit", "ask it to exit; SIGTERM, then SIGKILL if it does not", QUIT_VALUE)


def find_signals(text: str) -> Sequence[Choice]:
    """Return the signals that match a typed text; for none, the usual ones.

    Args:
        text: A number (``9``), a name (``SIGKILL``, ``kill``) or a part of one.
    """
    if not text:
        return [_QUIT_CHOICE, *map(_make_choice, _USUAL)]
    if text.isascii() and text.isdecimal() and len(text) < 5:
        return [_make_choice(int(text))] if int(text) in signal.valid_signals() else []
    part = text.lower()
    found = [
        choice
        for choice in (_QUIT_CHOICE, *map(_make_choice, _list_signals()))
        if part in choice.title.lower()
    ]
    exact = {part, f"sig{part}"}
    return sorted(found, key=lambda choice: choice.title.split()[0].lower() not in exact)


def _list_signals() -> Sequence[int]:
    """Every signal with a name, the usual ones first."""
    return [*_USUAL, *(number for number in sorted(signal.Signals) if number not in _USUAL)]


def _make_choice(number: int) -> Choice:
    meaning = (
        _USUAL.get(number)
        or _UNUSUAL.get(number)
        or "the program defines what it means; else it usually ends the program"
    )
    name = signal_name(number)
    return Choice(name if name.endswith(f" {number}") else f"{name} {number}", meaning, int(number))
