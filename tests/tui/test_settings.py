"""The settings file, mistakes in it, and the explorer with settings."""

import asyncio
import os
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.app_harness import FakeExplorerDriver
from tests.support.fake_session import FakeSession
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.settings import Settings, load_settings, save_theme, settings_path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The path of a settings file."""
    return tmp_path / "settings.toml"


def test_without_a_file_the_settings_are_the_defaults(path: Path) -> None:
    """And nothing is wrong."""
    assert load_settings(path) == Settings(path=path)
    assert load_settings(None) == Settings()


def test_every_setting_can_be_given(path: Path) -> None:
    """As the documentation of the module shows."""
    path.write_text(
        'theme = "nord"\nremember = false\nwrap = true\nwall_clock = true\n[keys]\n"app.restart" = "f12"\n'
    )
    assert load_settings(path) == Settings(
        "nord", remember=False, wrap=True, wall_clock=True, keys={"app.restart": "f12"}, path=path
    )


def test_mistakes_are_reported_and_the_rest_applies(path: Path) -> None:
    """A name with the nearest that there is, a value with what it may be."""
    path.write_text('theem = "nord"\nremember = "no"\nwrap = 1\n[keys]\n"a" = 1\n"b" = "f12"\n')
    found = load_settings(path)
    assert (found.theme, found.remember, found.wrap, found.keys) == (None, True, False, {"b": "f12"})
    assert found.problems == (
        f"{path}: unknown setting 'theem'; did you mean theme?",
        f"{path}: remember must be true or false.",
        f"{path}: wrap must be true or false.",
        f"{path}: the key of 'a' must be a string, such as \"f12\".",
    )
    path.write_text("keys = 3")
    assert load_settings(path).problems[0].startswith(f"{path}: keys must be a table")


@pytest.mark.parametrize("content", [b"theme = ", b"\xff", b"x" * (2 << 20)])
def test_a_file_that_is_not_toml_is_reported(path: Path, content: bytes) -> None:
    """In one sentence with the position; nothing in it applies."""
    path.write_bytes(content)
    (problem,) = load_settings(path).problems
    assert problem.startswith(f"The settings in {path} are not valid TOML, so none applies: ")
    assert load_settings(path) == Settings(problems=(problem,), path=path)


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """With what the system says."""
    assert load_settings(tmp_path).problems == (
        f"The settings in {tmp_path} cannot be read: Is a directory.",
    )


def test_a_theme_is_saved_and_nothing_else_is_changed(path: Path) -> None:
    """Comments, other settings, the mode of the file and a link to it stay."""
    assert save_theme(path, "nord") is None
    assert path.read_text() == 'theme = "nord"\n'
    before = '# mine\ntheme = "nord"  # old\nwrap = true\n[keys]\n"app.quit" = "f10"\ntheme = "x"\n'
    path.write_text(before)
    os.chmod(path, 0o640)
    link = path.with_name("link.toml")
    link.symlink_to(path)
    assert save_theme(link, "gruvbox") is None
    assert path.read_text() == before.replace('theme = "nord"  # old', 'theme = "gruvbox"')
    assert path.stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(each.name for each in path.parent.iterdir()) == ["link.toml", "settings.toml"]
    path.write_text("[keys]\n")
    assert save_theme(path, "nord") is None
    assert path.read_text() == 'theme = "nord"\n[keys]\n'


def test_a_broken_file_is_left_alone(path: Path, tmp_path: Path) -> None:
    """And reported; so is a path that cannot be written to."""
    path.write_text("theme = ")
    assert f"The theme is not saved in {path}: " in (save_theme(path, "nord") or "")
    assert path.read_text() == "theme = "
    path.write_text('wrap = true\n"theme" = "a"\n')
    assert "cannot replace the theme that it has" in (save_theme(path, "nord") or "")
    assert "Not a directory" in (save_theme(path / "in" / "file", "nord") or "")
    assert save_theme(None, "nord") is None


def test_the_file_is_the_users_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the place that the system has for it; the environment may name another, or none."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert settings_path() == tmp_path / "tui-ipc" / "settings.toml"
    monkeypatch.setenv("TUI_IPC_SETTINGS", "mine.toml")
    assert settings_path() == Path("mine.toml")
    monkeypatch.setenv("TUI_IPC_SETTINGS", "")
    assert settings_path() is None


def perform(scene: Callable[[FakeExplorerDriver], Awaitable[None]], settings: Settings) -> None:
    """Run a scene with settings."""

    async def main() -> None:
        session = FakeSession()
        app = ExplorerApp(session, settings=settings)
        async with app.run_test(size=(120, 36)) as pilot:
            await scene(FakeExplorerDriver(app, session, pilot))

    asyncio.run(main())


def test_keys_are_as_the_user_bound_them() -> None:
    """They work, the old ones do not, and the line below, the help and the hints name the new ones."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f3")
        assert len(it.app.screen_stack) == 1
        await it.pilot.press("f12")
        await it.until(lambda: "Why does nothing happen?" in it.frame())
        await it.pilot.press("escape")
        keys = "".join(str(child.render()) for child in it.app.key_bar.children)
        assert "F12 Why?" in " ".join(keys.split())
        await it.pilot.press("f1")
        await it.until(lambda: "F12" in it.frame())
        await it.pilot.press("escape")
        it.session.exit(code=3)
        await it.until(lambda: it.app.model.status.phase == "over")
        await it.pilot.press("f4")
        assert "^b starts it again" in it.notices()[-1]

    perform(scene, Settings(keys={"app.why": "f12", "app.restart": "ctrl+b"}))


def test_a_theme_is_applied_and_another_is_saved(tmp_path: Path) -> None:
    """What is chosen in the palette is there at the next start; a start by itself writes nothing."""
    path = tmp_path / "settings.toml"
    path.write_text('theme = "nord"  # for the nights\n')

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.pause()
        assert it.app.theme == "nord"
        assert path.read_text() == 'theme = "nord"  # for the nights\n'
        it.app.theme = "gruvbox"
        await it.until(lambda: load_settings(path).theme == "gruvbox")

    perform(scene, load_settings(path))


def test_the_explorer_starts_whatever_is_wrong_and_reports_it() -> None:
    """Each mistake in a sentence; the rest applies."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        assert it.notices() == [
            "The file [/red] is not TOML.",
            "Unknown theme 'norde'; did you mean nord?",
            "Unknown action 'app.wy' to bind a key to; did you mean app.why?",
        ]
        assert it.app.output_view.is_wrapped

    wrong = Settings("norde", wrap=True, keys={"app.wy": "f12"}, problems=("The file [/red] is not TOML.",))
    perform(scene, wrong)


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell of the screen is grey, whatever the theme."""
    monkeypatch.setenv("NO_COLOR", "1")

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        await it.pilot.press("f6")
        await it.pilot.pause()
        shown = it.app.export_screenshot()
        assert "listening" in shown
        buttons = {"ff5f57", "febc2e", "28c840"}  # of the window that a picture draws around the screen
        for colour in set(re.findall(r"#([0-9a-f]{6})\b", shown)) - buttons:
            parts = [int(colour[place : place + 2], 16) for place in (0, 2, 4)]
            assert max(parts) - min(parts) < 5, colour

    perform(scene, Settings(theme="dracula"))
