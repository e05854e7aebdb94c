"""The screen changes its size while a child floods it."""

import asyncio

from tests.support.app_harness import run_explorer_app
from tui_ipc.events import MessageReceived
from tui_ipc.ipc.wire import encode

SIZES = ((80, 24), (40, 10), (200, 60), (1, 1), (3, 2), (120, 36), (160, 5), (20, 50), (80, 24))

ROUND = 400
"""Messages and lines of output between two sizes."""


def test_resizing_under_load_breaks_nothing() -> None:
    """Through sizes that no layout was made for, with dialogs open too; the last line and message come."""

    async def main() -> None:
        async with run_explorer_app(120, 36) as it:
            await it.connected()
            for turn, (width, height) in enumerate(SIZES):
                for number in range(turn * ROUND + 1, (turn + 1) * ROUND + 1):
                    value = {"number": number, "text": "x" * (number % 90)}
                    it.session.feed(
                        MessageReceived(
                            at=number * 1_000_000, run=1, number=number, value=value, raw=encode(value)
                        )
                    )
                    it.session.output(f"line {number} of 世界\n".encode())
                await it.pilot.resize_terminal(width, height)
                await it.pilot.press("f6", ("f1", "f3", "f4", "f5", "f7", "f9")[turn % 6])
                await it.pilot.pause()
                await it.pilot.press("escape")
            last = ROUND * len(SIZES)
            await it.until(lambda: it.app.model.status.received == last)
            await it.pilot.press("escape")
            await it.until(lambda: it.shows("log", f'"number": {last}'))
            await it.until(lambda: it.shows("output", f"line {last} of 世界"))
            await it.say("still here")
            await it.until(lambda: it.session.sent == ["still here"])
            assert it.app.is_running

    asyncio.run(main())
