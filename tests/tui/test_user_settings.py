"""The explorer as its user wants it."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.support.app_harness import FakeExplorerDriver
from tests.support.fake_session import FakeSession
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.settings import Settings, load_settings


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


def test_a_theme_is_taken_and_another_is_remembered(tmp_path: Path) -> None:
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


def test_what_is_wrong_is_told_and_the_explorer_starts() -> None:
    """Each in a sentence; the rest holds."""

    async def scene(it: FakeExplorerDriver) -> None:
        await it.connected()
        assert it.notices() == [
            "The file [/red] is no TOML.",
            "There is no theme 'norde'; did you mean 'nord'?",
            "There is nothing called 'app.wy' that a key could do; did you mean 'app.why'?",
        ]
        assert it.app.output_view.wraps

    wrong = Settings("norde", wrap=True, keys={"app.wy": "f12"}, problems=("The file [/red] is no TOML.",))
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
