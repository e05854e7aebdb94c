"""What stands in the file of settings, and what may be wrong with it."""

import os
from pathlib import Path

import pytest

from tui_ipc.tui.settings import Settings, load_settings, remember_theme, settings_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the settings are."""
    return tmp_path / "settings.toml"


def test_without_a_file_everything_is_as_usual(path: Path) -> None:
    """And nothing is wrong."""
    assert load_settings(path) == Settings(path=path)
    assert load_settings(None) == Settings()


def test_every_setting_can_be_given(path: Path) -> None:
    """As the documentation of the module shows."""
    path.write_text('theme = "nord"\nremember = false\nwrap = true\n[keys]\n"app.restart" = "f12"\n')
    assert load_settings(path) == Settings(
        "nord", remember=False, wrap=True, keys={"app.restart": "f12"}, path=path
    )


def test_what_is_wrong_is_told_and_the_rest_holds(path: Path) -> None:
    """A name with the nearest that there is, a value with what it may be."""
    path.write_text('theem = "nord"\nremember = "no"\nwrap = 1\n[keys]\n"a" = 1\n"b" = "f12"\n')
    found = load_settings(path)
    assert (found.theme, found.remember, found.wrap, found.keys) == (None, True, False, {"b": "f12"})
    assert found.problems == (
        f"{path}: there is no setting 'theem'; did you mean 'theme'?",
        f"{path}: remember must be true or false.",
        f"{path}: wrap must be true or false.",
        f"{path}: the key of 'a' must be a text, such as \"f12\".",
    )
    path.write_text("keys = 3")
    assert load_settings(path).problems[0].startswith(f"{path}: keys must be a table")


@pytest.mark.parametrize("content", [b"theme = ", b"\xff", b"x" * (2 << 20)])
def test_a_file_that_is_no_toml_is_told(path: Path, content: bytes) -> None:
    """In one sentence with the place; nothing of it holds."""
    path.write_bytes(content)
    (problem,) = load_settings(path).problems
    assert problem.startswith(f"The settings in {path} are no TOML, and none of them holds: ")
    assert load_settings(path) == Settings(problems=(problem,), path=path)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """With what the system says."""
    assert load_settings(tmp_path).problems == (
        f"The settings in {tmp_path} cannot be read: Is a directory.",
    )


def test_a_theme_is_remembered_and_nothing_else_is_touched(path: Path) -> None:
    """Comments, other settings, the mode of the file and a link to it stay."""
    assert remember_theme(path, "nord") is None
    assert path.read_text() == 'theme = "nord"\n'
    before = '# mine\ntheme = "nord"  # old\nwrap = true\n[keys]\n"app.quit" = "f10"\ntheme = "x"\n'
    path.write_text(before)
    os.chmod(path, 0o640)
    link = path.with_name("link.toml")
    link.symlink_to(path)
    assert remember_theme(link, "gruvbox") is None
    assert path.read_text() == before.replace('theme = "nord"  # old', 'theme = "gruvbox"')
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(each.name for each in path.parent.iterdir()) == ["link.toml", "settings.toml"]
    path.write_text("[keys]\n")
    assert remember_theme(path, "nord") is None
    assert path.read_text() == 'theme = "nord"\n[keys]\n'


def test_a_broken_file_is_left_alone(path: Path, tmp_path: Path) -> None:
    """And told; so is a place that cannot be written to."""
    path.write_text("theme = ")
    assert "The theme is not remembered" in (remember_theme(path, "nord") or "")
    assert path.read_text() == "theme = "
    path.write_text('wrap = true\n"theme" = "a"\n')
    assert "cannot be written" in (remember_theme(path, "nord") or "")
    assert "Not a directory" in (remember_theme(path / "in" / "file", "nord") or "")
    assert remember_theme(None, "nord") is None


def test_the_file_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the place that the system has for it; the environment may name another, or none."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path() == tmp_path / "tui-ipc" / "settings.toml"
    monkeypatch.setenv("TUI_IPC_SETTINGS", "mine.toml")
    assert settings_path() == Path("mine.toml")
    monkeypatch.setenv("TUI_IPC_SETTINGS", "")
    assert settings_path() is None
