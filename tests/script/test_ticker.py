"""Progress comes to whoever waits long enough, and goes with the wait."""

import asyncio
import os
import pty
import time
import tty

import pytest

from tui_ipc.script import ticker
from tui_ipc.script.console import Console


def test_it_comes_and_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn again and again, from the number that is asked for each time; erased in the end."""
    monkeypatch.setattr(ticker, "PATIENCE", 0.0)
    monkeypatch.setattr(ticker, "INTERVAL", 0.0)
    leader, follower = pty.openpty()
    tty.setraw(follower)
    counted: list[int] = []

    async def main(console: Console) -> None:
        asked = asyncio.Event()

        def passed() -> int:
            counted.append(len(counted))
            if len(counted) == 3:
                asked.set()
            return counted[-1]

        async with ticker.ticking(console, "load.tipc", 9, passed):
            await asked.wait()

    with os.fdopen(follower, "w", encoding="utf-8") as stderr:
        asyncio.run(main(Console(None, stderr, {})))
        shown = os.read(leader, 4096).decode()
        os.close(leader)
    first, second, third, *_, last = shown.split("\r\x1b[K")[1:]
    assert (first, second[:24]) == ("load.tipc: 0 of 9 steps", "load.tipc: 1 of 9 steps")
    assert third.startswith("load.tipc: 2 of 9 steps")
    assert last == ""


def test_what_is_over_soon_shows_nothing() -> None:
    """Not even something to erase."""
    leader, follower = pty.openpty()

    async def main(console: Console) -> None:
        async with ticker.ticking(console, "load.tipc", 9, lambda: 1):
            await asyncio.sleep(0)

    with os.fdopen(follower, "w", encoding="utf-8") as stderr:
        begun = time.monotonic()
        asyncio.run(main(Console(None, stderr, {})))
        assert time.monotonic() - begun < ticker.PATIENCE
        stderr.write("end")
        stderr.flush()
        assert os.read(leader, 100) == b"end"
        os.close(leader)
