"""The dialogs: which signals match a typed text, and how a path is typed."""

import asyncio
import os
import signal

from textual.app import App

from tui_ipc.tui.screens.dialogs import QUIT_VALUE, PathScreen, expand_path, find_signals


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
