"""The user's settings: a small TOML file, which is read at the start and never prevents it.

Each mistake in the file is reported in one sentence with its remedy; the settings that are right apply. Only
the theme is ever written to the file, and the other lines stay as they are.

    theme = "nord"          # any theme of the palette; choosing one there writes it here
    remember = true         # whether what is sent is kept for later starts
    wrap = false            # whether long lines of the child's output are wrapped at first
    wall_clock = false      # whether the log shows the time of day at first, not seconds

    [keys]                  # a key, or several with commas, by the name of the action (see the help, F1)
    "app.restart" = "f12"
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from platformdirs import user_config_path
from textual.app import App
from textual.theme import Theme

from tui_ipc.osutil.files import describe_path_error, replace_file
from tui_ipc.text import suggest_name
from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.keys import check_keys, collect_bindings

SETTINGS_LIMIT: Final = 1 << 20
"""The largest settings file that is read, in bytes."""

_THEME: Final = re.compile(r"^[ \t]*theme[ \t]*=.*$", re.MULTILINE)
_TABLE: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Settings:
    """The user's settings.

    Attributes:
        theme: The name of a theme; None for the default.
        remember: Whether what is sent is kept for later starts.
        wrap: Whether long lines of the child's output are wrapped at first.
        wall_clock: Whether the log shows the time of day at first, not seconds.
        keys: Keys by the id of their binding.
        problems: What is wrong with the file, one sentence each.
        path: The file, which need not exist; None if nothing is to be saved.
    """

    theme: str | None = None
    remember: bool = True
    wrap: bool = False
    wall_clock: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    path: Path | None = None


_SETTING_TYPES: Final[Mapping[str, tuple[type, str]]] = {
    "theme": (str, 'a string, such as "nord"'),
    "remember": (bool, "true or false"),
    "wrap": (bool, "true or false"),
    "wall_clock": (bool, "true or false"),
    "keys": (dict, 'a table: a line [keys], and below it lines such as "app.restart" = "f12"'),
}


def settings_path() -> Path | None:
    """The user's own file. ``TUI_IPC_SETTINGS`` in the environment names another or, empty, none."""
    named = os.environ.get("TUI_IPC_SETTINGS")
    if named is None:
        return user_config_path("tui-ipc") / "settings.toml"
    return Path(named) if named else None


def load_settings(path: Path | None) -> Settings:
    """Read a settings file; a missing one gives the defaults."""
    if path is None:
        return Settings()
    try:
        with path.open("rb") as file:
            text = file.read(SETTINGS_LIMIT + 1)
    except FileNotFoundError:
        return Settings(path=path)
    except OSError as error:
        return Settings(
            problems=(f"The settings in {path} cannot be read: {describe_path_error(error)}.",), path=path
        )
    import tomllib  # imported only where there is a file: it costs part of the start

    try:
        if len(text) > SETTINGS_LIMIT:
            raise ValueError(f"it is longer than {SETTINGS_LIMIT} bytes")
        given = tomllib.loads(text.decode())
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors
        problem = f"The settings in {path} are not valid TOML, so none applies: {error}."
        return Settings(problems=(problem,), path=path)
    return _build_settings(path, given)


def _build_settings(path: Path, given: Mapping[str, Any]) -> Settings:
    valid: dict[str, Any] = {}
    problems = []
    for name, value in given.items():
        if name not in _SETTING_TYPES:
            problems.append(f"{path}: unknown setting {name!r}{suggest_name(name, _SETTING_TYPES) or '.'}")
            continue
        kind, form = _SETTING_TYPES[name]
        if type(value) is kind:
            valid[name] = value
        else:
            problems.append(f"{path}: {name} must be {form}.")
    keys = valid.get("keys", {})
    for name in [name for name, key in keys.items() if not isinstance(key, str)]:
        del keys[name]
        problems.append(f'{path}: the key of {name!r} must be a string, such as "f12".')
    return Settings(**valid, problems=tuple(problems), path=path)


def apply_settings(app: App[Any], settings: Settings) -> None:
    """Give an app its theme and keys, report what is wrong with them, and save each theme chosen from now on.

    Call it once, when the app is mounted.
    """
    problems = [*settings.problems, *_apply_theme(app, settings.theme), *_apply_keys(app, settings.keys)]
    for problem in problems:
        _report_problem(app, problem, timeout=30)
    saved = app.theme

    def save_if_new(theme: Theme) -> None:
        nonlocal saved
        if theme.name == saved:  # Textual also reports the theme at the start, later than it is set
            return
        saved = theme.name
        problem = save_theme(settings.path, saved)
        if problem is not None:
            _report_problem(app, problem)

    app.theme_changed_signal.subscribe(app, save_if_new)


def _report_problem(app: App[Any], problem: str, timeout: float | None = None) -> None:
    app.notify(make_visible(problem), title="Settings", severity="warning", timeout=timeout, markup=False)


def _apply_theme(app: App[Any], theme: str | None) -> list[str]:
    if theme is None:
        return []
    if theme not in app.available_themes:
        return [f"Unknown theme {theme!r}{suggest_name(theme, app.available_themes) or '.'}"]
    app.theme = theme
    return []


def _apply_keys(app: App[Any], keys: Mapping[str, str]) -> list[str]:
    if not keys:
        return []  # collecting the bindings imports every module of the explorer
    usable, problems = check_keys(keys, collect_bindings())
    app.set_keymap(usable)
    return problems


def save_theme(path: Path | None, theme: str) -> str | None:
    """Write a theme to the file in place of the one that it has; return what went wrong, if anything.

    A file that is not TOML stays as it is. A valid one is replaced as a whole, so that no reader sees half
    of it.
    """
    if path is None:
        return None
    try:
        path = path.resolve()
        text = path.read_text() if path.exists() else ""
        changed = _replace_theme(text, theme)
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(str(path), changed.encode(), path.stat() if path.exists() else None)
    except (OSError, ValueError) as error:
        reason = describe_path_error(error) if isinstance(error, OSError) else error
        return f"The theme is not saved in {path}: {reason}."
    return None


def _replace_theme(text: str, theme: str) -> str:
    """Return the text of a file with another theme.

    The line is found by a pattern, since no TOML writer keeps comments. The parser checks the text before
    and after: a pattern alone could be misled, by a line inside of a multi-line string for instance.

    Raises:
        ValueError: The text is not TOML, or the theme is written in a form that the pattern does not find.
    """
    import tomllib

    tomllib.loads(text)
    line = f'theme = "{theme}"'
    table = _TABLE.search(text)
    head, rest = (text, "") if table is None else (text[: table.start()], text[table.start() :])
    head, found = _THEME.subn(lambda _: line, head, count=1)
    changed = head + rest if found else f"{line}\n{text}"
    try:
        replaced = tomllib.loads(changed).get("theme") == theme
    except tomllib.TOMLDecodeError:
        replaced = False
    if not replaced:
        raise ValueError("cannot replace the theme that it has; write theme = … on a line of its own")
    return changed
