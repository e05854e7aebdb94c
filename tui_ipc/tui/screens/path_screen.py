"""A dialog in which a file is named. The rule: what is there already is never written over."""

import os
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.views.safe_input import SafeInput


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
        self._say(os.path.abspath(expanded(changed.value)) if changed.value else "", wrong=False)

    @on(Input.Submitted)
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        path = expanded(submitted.value)
        wrong = problem(path) or self._make(path)
        if wrong is None:
            self.dismiss(path)
        else:
            self._say(wrong, wrong=True)

    def _say(self, sentence: str, *, wrong: bool) -> None:
        self._said.set_class(wrong, "-wrong")
        self._said.update(Content(visible(sentence)))


def expanded(text: str) -> str:
    """The path that a text means: ``~`` is the home directory, blanks around it are none of it."""
    return os.path.expanduser(text.strip())


def problem(path: str) -> str | None:
    """Why no file can be made under a path, as far as can be seen; None if it may."""
    if not path:
        return "Name a file."
    if os.path.lexists(path):
        return f"{path} is there already; name another file."
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        return f"There is no directory {directory}."
    return None


def unused(stem: str, ending: str) -> str:
    """A path in our directory that is not there yet: ``echo.rec``, else ``echo-2.rec`` and so on."""
    path, number = f"{stem}.{ending}", 1
    while os.path.lexists(path):
        number += 1
        path = f"{stem}-{number}.{ending}"
    return path
