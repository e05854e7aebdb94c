"""How a person names a signal."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from textual.app import App

from tui_ipc.tui.screens.dialogs import (
    QUIT_VALUE,
    NewFile,
    PathScreen,
    SaveError,
    expand_path,
    find_path_problem,
    find_signals,
    find_unused_path,
)


def values(text: str) -> list[int]:
    """The numbers that are offered."""
    return [choice.value for choice in find_signals(text)]


def test_without_a_text_the_usual_ones_are_offered() -> None:
    """Each says what it does; the orderly end comes first."""
    offered = find_signals("")
    assert [choice.value for choice in offered[:3]] == [QUIT_VALUE, signal.SIGSTOP, signal.SIGCONT]
    assert {signal.SIGKILL, signal.SIGUSR1, signal.SIGHUP} <= set(values(""))
    assert all(choice.help for choice in offered)
    assert offered[1].title == f"SIGSTOP {signal.SIGSTOP.value}"


def test_a_number_is_that_signal() -> None:
    """Real-time signals too; a number that is none offers nothing."""
    assert values("9") == [signal.SIGKILL]
    assert values("40") == [40]
    assert values("0") == values("999") == values("12345678901234567890") == values("²") == []


def test_a_name_needs_no_case_and_no_prefix() -> None:
    """What it names exactly comes first; a part of a name finds all that have it."""
    assert values("term") == values("SIGTERM") == [signal.SIGTERM]
    assert values("int")[0] == signal.SIGINT
    assert set(values("usr")) == {signal.SIGUSR1, signal.SIGUSR2}
    assert values("ill") == [signal.SIGILL, signal.SIGKILL]
    assert values("quit")[0] == QUIT_VALUE
    assert signal.SIGWINCH in values("winch")
    assert values("nonsense") == []


def test_the_pieces_are_in_the_file(tmp_path: Path) -> None:
    """In their order, as UTF-8; what that cannot hold is told in its place."""
    path = tmp_path / "new.txt"
    assert NewFile(str(path)).write(iter(["é\n", "\udcff", "end"])) == 6
    assert path.read_bytes() == "é\n\\udcffend".encode()


def test_a_file_that_comes_between_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although it was not there when one looked."""
    path = tmp_path / "new.txt"
    path.write_text("precious")
    with pytest.raises(SaveError, match="is there already"):
        NewFile(str(path))
    monkeypatch.setattr("tui_ipc.tui.screens.dialogs.find_path_problem", lambda path: None)
    with pytest.raises(SaveError, match=r"cannot be made: File exists; name another file\."):
        NewFile(str(path))
    assert path.read_text() == "precious"


def test_what_cannot_be_a_path_is_told() -> None:
    """With what the system says."""
    for path in ("a\0b", "x" * 300, "/proc/nothing-can-be-made-here"):
        with pytest.raises(SaveError, match="cannot be made"):
            NewFile(path)


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
        assert find_path_problem(name) == f"{name} is there already; name another file."
    assert find_path_problem("b.rec") is None
    assert find_path_problem("sub/b.rec") is None
    assert find_path_problem("missing/b.rec") == "There is no directory missing."
    assert find_path_problem("") == "Name a file."


def test_a_name_that_is_free_is_suggested(here: Path) -> None:
    """It counts up from what is there."""
    assert find_unused_path("echo", "rec") == "echo.rec"
    (here / "echo.rec").touch()
    (here / "echo-2.rec").touch()
    assert find_unused_path("echo", "rec") == "echo-3.rec"


def test_a_tilde_is_the_home_directory() -> None:
    """As in a shell."""
    assert expand_path(" ~/a.rec ") == os.path.expanduser("~/a.rec")


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
