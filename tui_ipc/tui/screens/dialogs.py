"""A dialog in which one of several things is chosen: by moving to it, clicking it, or typing its name."""

import os
import signal
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any, ClassVar, Final

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static

from tui_ipc.osutil.signals import signal_name
from tui_ipc.recording.codec import describe_path_error
from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.widgets.inputs import SafeInput


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
            yield Static(Content(make_visible(self._intro)), id="intro")
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
        self._list.set_options(_render_choice(choice, width) for choice in self._shown)
        self._list.highlighted = 0 if self._shown else None
        self._none.display = not self._shown


def _render_choice(choice: Choice, width: int) -> Content:
    return Content.assemble((f"{choice.title:<{width}}", "bold"), "   ", (choice.help, "$foreground 60%"))


class PathScreen(ModalScreen[str | None]):
    """Asks for the path of a new file; it gives the path once the file was made, None if it was not to be.

    Args:
        title: What is saved.
        suggestion: A path to begin with.
        make: Makes the file that is named; says what is wrong, or None if it was made.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", key_display="esc", id="path.close"),
    ]

    def __init__(self, title: str, suggestion: str, make: Callable[[str], str | None]) -> None:
        super().__init__()
        self._title = title
        self._make = make
        self._input = SafeInput(suggestion, compact=True, id="path")  # focused, it is selected
        self._said = Static(id="said")

    def compose(self) -> ComposeResult:
        """Make the dialog."""
        with Vertical(id="file", classes="dialog") as dialog:
            dialog.border_title = self._title
            dialog.border_subtitle = "enter saves · esc cancels"
            yield self._input
            yield self._said

    def on_mount(self) -> None:
        """Be typed into."""
        self._input.focus()

    @on(Input.Changed)
    def _on_changed(self, changed: Input.Changed) -> None:
        self._say(os.path.abspath(expand_path(changed.value)) if changed.value else "", wrong=False)

    @on(Input.Submitted)
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        path = expand_path(submitted.value)
        wrong = find_path_problem(path) or self._make(path)
        if wrong is None:
            self.dismiss(path)
        else:
            self._say(wrong, wrong=True)

    def _say(self, sentence: str, *, wrong: bool) -> None:
        self._said.set_class(wrong, "-wrong")
        self._said.update(Content(make_visible(sentence)))


def expand_path(text: str) -> str:
    """The path that a text means: ``~`` is the home directory, blanks around it are none of it."""
    return os.path.expanduser(text.strip())


def find_path_problem(path: str) -> str | None:
    """Why no file can be made under a path, as far as can be seen; None if it may."""
    if not path:
        return "Name a file."
    if os.path.lexists(path):
        return f"{path} is there already; name another file."
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        return f"There is no directory {directory}."
    return None


def find_unused_path(stem: str, ending: str) -> str:
    """A path in our directory that is not there yet: ``echo.rec``, else ``echo-2.rec`` and so on."""
    path, number = f"{stem}.{ending}", 1
    while os.path.lexists(path):
        number += 1
        path = f"{stem}-{number}.{ending}"
    return path


QUIT_VALUE: Final = 0
"""Stands among the numbers of signals for the orderly end; no signal has it."""

_USUAL: Final[dict[int, str]] = {
    signal.SIGSTOP: "stop it where it is, until it is continued",
    signal.SIGCONT: "let it go on",
    signal.SIGINT: "interrupt it, as ctrl+c in its terminal would",
    signal.SIGTERM: "ask it to end",
    signal.SIGKILL: "end it at once, whatever it does",
    signal.SIGHUP: "its terminal is gone; many servers read their settings anew",
    signal.SIGUSR1: "whatever its author meant by it",
    signal.SIGUSR2: "whatever its author meant by it",
}

_UNUSUAL: Final[dict[int, str]] = {
    signal.SIGQUIT: "end it with a core dump",
    signal.SIGABRT: "end it as abort() does",
    signal.SIGSEGV: "end it as an invalid access to memory does",
    signal.SIGALRM: "end it as a timer that it set does",
    signal.SIGPIPE: "end it as writing to nobody does",
    signal.SIGTSTP: "stop it as ctrl+z does, if it lets that happen",
    signal.SIGWINCH: "tell it that its terminal has another size",
    signal.SIGCHLD: "tell it that a child of its own changed",
}

_QUIT_CHOICE: Final = Choice("quit", "ask it to leave; SIGTERM and SIGKILL if it does not", QUIT_VALUE)


def find_signals(text: str) -> Sequence[Choice]:
    """What can be sent once a text was typed: the usual ones for none, else what it names or is part of.

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
    meaning = _USUAL.get(number) or _UNUSUAL.get(number) or "what it does is the child's affair, or its end"
    name = signal_name(number)
    return Choice(name if name.endswith(f" {number}") else f"{name} {number}", meaning, int(number))


class SaveError(Exception):
    """A file cannot be written; the text says why."""


class NewFile:
    """A file that was not there before.

    Args:
        path: Its path.

    Raises:
        SaveError: It cannot be made.
    """

    def __init__(self, path: str) -> None:
        wrong = find_path_problem(path)
        if wrong is not None:
            raise SaveError(wrong)
        self.path = path
        try:
            self._file: IO[str] = open(path, "x", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - closed by write
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise SaveError(
                f"{path} cannot be made: {describe_path_error(error)}; name another file."
            ) from None

    def write(self, pieces: Iterable[str]) -> int:
        """Write pieces of text and close the file; says how many characters they had. May be a thread's work.

        Raises:
            SaveError: They do not all fit, or the like.
        """
        written = 0
        try:
            with self._file as file:
                for piece in pieces:
                    written += file.write(piece)
        except OSError as error:
            raise SaveError(
                f"{self.path} cannot be written on: {describe_path_error(error)}; save where there is room."
            ) from None
        return written
