"""Progress comes to whoever waits long enough, and goes with the wait."""

import asyncio
import time
from collections.abc import Iterator

import pytest

from tests.script.terminal import Terminal
from tui_ipc.script.reporting import ticker
from tui_ipc.script.reporting.console import Console

ERASE = "\r\x1b[K"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def shown(terminal: Terminal, label: str, looks: int) -> list[str]:
    """What is drawn, and erased again, until it was asked for so many times how much passed."""

    async def main(console: Console) -> None:
        asked = asyncio.Event()
        counted = 0

        def passed() -> int:
            nonlocal counted
            counted += 1
            if counted == looks:
                asked.set()
            return counted - 1

        async with ticker.ticking(console, label, 9, passed):
            await asked.wait()

    asyncio.run(main(Console(None, terminal.stream, {})))
    return terminal.shown().split(ERASE)[1:]


def test_it_comes_and_goes(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn again and again, from the number that is asked for each time; erased in the end."""
    monkeypatch.setattr(ticker, "PATIENCE", 0.0)
    monkeypatch.setattr(ticker, "INTERVAL", 0.0)
    first, second, third, *_, last = shown(terminal, "load.tipc", 3)
    assert first == "load.tipc: 0 of 9 steps"
    assert second.startswith("load.tipc: 1 of 9 steps")
    assert third.startswith("load.tipc: 2 of 9 steps")
    assert last == ""


def test_it_leaves_room_for_what_is_typed(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``^C`` that a terminal shows behind it must stay on its line, where it will be erased."""
    monkeypatch.setattr(ticker, "PATIENCE", 0.0)
    monkeypatch.setattr(Console, "width", 20)
    drawn, erased = shown(terminal, "x" * 30, 1)
    assert (len(drawn), erased) == (17, "")


def test_what_is_over_soon_shows_nothing(terminal: Terminal) -> None:
    """Not even something to erase."""

    async def main(console: Console) -> None:
        async with ticker.ticking(console, "load.tipc", 9, lambda: 1):
            await asyncio.sleep(0)

    begun = time.monotonic()
    asyncio.run(main(Console(None, terminal.stream, {})))
    assert time.monotonic() - begun < ticker.PATIENCE
    assert terminal.shown() == ""
