"""Which file is written, and which never is."""

import asyncio
import os
from pathlib import Path

import pytest
from textual.app import App

from tui_ipc.tui.screens.path_screen import PathScreen, expanded, problem, unused


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a directory of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_is_there_is_not_written_over(here: Path) -> None:
    """Neither a file, nor a link that leads nowhere, nor a directory."""
    (here / "a.rec").touch()
    (here / "link").symlink_to("nowhere")
    (here / "sub").mkdir()
    for name in ("a.rec", "link", "sub"):
        assert problem(name) == f"{name} is there already; name another file."
    assert problem("b.rec") is None
    assert problem("sub/b.rec") is None
    assert problem("missing/b.rec") == "There is no directory missing."
    assert problem("") == "Name a file."


def test_a_name_that_is_free_is_suggested(here: Path) -> None:
    """It counts up from what is there."""
    assert unused("echo", "rec") == "echo.rec"
    (here / "echo.rec").touch()
    (here / "echo-2.rec").touch()
    assert unused("echo", "rec") == "echo-3.rec"


def test_a_tilde_is_the_home_directory() -> None:
    """As in a shell."""
    assert expanded(" ~/a.rec ") == os.path.expanduser("~/a.rec")


def test_what_is_typed_takes_the_place_of_the_suggestion() -> None:
    """The suggestion is selected: Enter takes it, and the first letter begins another name."""
    made: list[str] = []

    async def main() -> None:
        app = App[None]()
        async with app.run_test() as pilot:
            for keys in ("enter",), (*"b.rec", "enter"):
                await app.push_screen(PathScreen("Record", "a.rec", made.append))
                await pilot.press(*keys)

    asyncio.run(main())
    assert made == ["a.rec", "b.rec"]
