"""The explorer as its user wants it: its colours, its keys, and what is told of wrong settings."""

import re

from textual.app import App
from textual.binding import Binding
from textual.theme import Theme

from tui_ipc.tui.model.terminal_output import make_visible
from tui_ipc.tui.settings import Settings, remember_theme, suggest_name
from tui_ipc.tui.widgets.output_view import OutputView


class UserSettings(App[int]):
    """The part of the explorer that follows the settings."""

    settings: Settings
    output_view: OutputView
    _saved_theme = ""  # the theme that the file has, as far as is known

    def get_key_display(self, binding: Binding) -> str:
        """How a key is written: ``F12`` as on the keyboard, by whomever it was bound (Textual calls this)."""
        written = super().get_key_display(binding)
        return written.upper() if re.fullmatch(r"f\d+", written) else written

    def _apply_settings(self) -> None:
        """Take the settings; once, when the app begins."""
        problems = [*self.settings.problems, *self._apply_theme(), *self._apply_keys()]
        for problem in problems:
            self.notify(make_visible(problem), title="Settings", severity="warning", timeout=30, markup=False)
        self.theme_changed_signal.subscribe(self, self._on_theme_changed)

    def _apply_theme(self) -> list[str]:
        theme = self.settings.theme
        if theme is None:
            return []
        if theme not in self.available_themes:
            return [f"There is no theme {theme!r}{suggest_name(theme, self.available_themes)}"]
        self.theme = self._saved_theme = theme
        return []

    def _apply_keys(self) -> list[str]:
        if not self.settings.keys:
            return []
        from tui_ipc.tui.keys import check_keys, collect_bindings

        usable, problems = check_keys(self.settings.keys, collect_bindings())
        self.set_keymap(usable)
        return problems

    def _on_theme_changed(self, theme: Theme) -> None:
        if theme.name == self._saved_theme:  # Textual tells of the one at the start, too
            return
        self._saved_theme = theme.name
        problem = remember_theme(self.settings.path, theme.name)
        if problem is not None:
            self.notify(make_visible(problem), title="Settings", severity="warning", markup=False)
