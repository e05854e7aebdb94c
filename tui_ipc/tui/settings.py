"""The user's settings: a small TOML file, read at the start, and never a reason not to start.

The one rule: whatever is wrong in the file is told in one sentence with its remedy, and what is right in it
holds. Nothing but the theme is ever written to it, and that without touching another line.

    theme = "nord"          # any theme of the palette; choosing one there writes it here
    remember = true         # whether what is sent is kept for later starts
    wrap = false            # whether long lines of the child's output are wrapped at first

    [keys]                  # a key, or several with commas, by the name of what it does (see the help, F1)
    "app.restart" = "f12"
"""

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from platformdirs import user_config_path

from tui_ipc.osutil.files import replace_file
from tui_ipc.recording.codec import describe_path_error

SETTINGS_LIMIT: Final = 1 << 20
"""Bytes of a file of settings at most."""

_THEME: Final = re.compile(r"^[ \t]*theme[ \t]*=.*$", re.MULTILINE)
_TABLE: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the user wants.

    Attributes:
        theme: The name of a theme; None for the usual one.
        remember: Whether what is sent is kept for later starts.
        wrap: Whether long lines of the child's output are wrapped at first.
        keys: Keys by the ids of what they do.
        problems: What is wrong with the file, a sentence each.
        path: The file, whether it is there or not; None if nothing is to be remembered.
    """

    theme: str | None = None
    remember: bool = True
    wrap: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    path: Path | None = None


_SETTING_TYPES: Final[Mapping[str, tuple[type, str]]] = {
    "theme": (str, 'a text, such as "nord"'),
    "remember": (bool, "true or false"),
    "wrap": (bool, "true or false"),
    "keys": (dict, 'a table: a line [keys], and below it lines such as "app.restart" = "f12"'),
}


def settings_path() -> Path | None:
    """The user's own file. ``TUI_IPC_SETTINGS`` in the environment names another or, empty, none."""
    named = os.environ.get("TUI_IPC_SETTINGS")
    if named is None:
        return user_config_path("tui-ipc") / "settings.toml"
    return Path(named) if named else None


def load_settings(path: Path | None) -> Settings:
    """Read a file of settings; one that is not there says nothing."""
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
    import tomllib  # only who has such a file pays for reading it

    try:
        if len(text) > SETTINGS_LIMIT:
            raise ValueError(f"it has more than {SETTINGS_LIMIT} bytes")
        given = tomllib.loads(text.decode())
    except ValueError as error:  # TOMLDecodeError and UnicodeDecodeError are such
        problem = f"The settings in {path} are no TOML, and none of them holds: {error}."
        return Settings(problems=(problem,), path=path)
    return _build_settings(path, given)


def _build_settings(path: Path, given: Mapping[str, Any]) -> Settings:
    taken: dict[str, Any] = {}
    problems = []
    for name, value in given.items():
        if name not in _SETTING_TYPES:
            problems.append(f"{path}: there is no setting {name!r}{suggest_name(name, _SETTING_TYPES)}")
            continue
        kind, form = _SETTING_TYPES[name]
        if type(value) is kind:
            taken[name] = value
        else:
            problems.append(f"{path}: {name} must be {form}.")
    keys = taken.get("keys", {})
    for name in [name for name, key in keys.items() if not isinstance(key, str)]:
        del keys[name]
        problems.append(f'{path}: the key of {name!r} must be a text, such as "f12".')
    return Settings(**taken, problems=tuple(problems), path=path)


def suggest_name(name: str, known: Collection[str]) -> str:
    """The end of a sentence: ``; did you mean X?`` where a name is like a known one, else a full stop."""
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]!r}?" if close else "."


def remember_theme(path: Path | None, theme: str) -> str | None:
    """Write a theme to the file, in the place of the one that is there; says what is wrong, if anything.

    A file that is no TOML is left alone. Another is replaced as a whole, so that it is never half there.
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
        return f"The theme is not remembered, for {path} cannot be written: {describe_path_error(error)}."
    return None


def _replace_theme(text: str, theme: str) -> str:
    """The text of a file, with another theme and else the same.

    Raises:
        ValueError: It is no TOML, or would be none.
    """
    import tomllib

    tomllib.loads(text)
    line = f'theme = "{theme}"'
    table = _TABLE.search(text)
    head, rest = (text, "") if table is None else (text[: table.start()], text[table.start() :])
    head, found = _THEME.subn(lambda _: line, head, count=1)
    changed = head + rest if found else f"{line}\n{text}"
    if tomllib.loads(changed).get("theme") != theme:
        raise ValueError("its theme stands where it cannot be replaced")
    return changed
