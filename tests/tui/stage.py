"""The explorer on a screen of a given size that nobody sees, and what stands on it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from time import monotonic

from textual.pilot import Pilot

from tests.tui.fake_session import FakeSession
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.line_view import LineView

PATIENCE = 20.0
"""Seconds until a test gives up waiting for something that should come at once."""


class Stage:
    """An explorer that runs, and the hands at its keys.

    Attributes:
        app: The explorer.
        session: The session that it explores, played by the test.
        pilot: Presses keys.
    """

    def __init__(self, app: ExplorerApp, session: FakeSession, pilot: Pilot[int]) -> None:
        self.app = app
        self.session = session
        self.pilot = pilot

    async def until(self, holds: Callable[[], object]) -> None:
        """Return once something holds; fail if it does not come to hold."""
        deadline = monotonic() + PATIENCE
        while not holds():
            assert monotonic() < deadline, "it did not happen"
            await self.pilot.pause()
        await self.pilot.pause()

    async def connected(self) -> None:
        """Let a handshake happen, and return once the explorer shows it."""
        self.session.handshake()
        await self.until(lambda: self.app.model.status.phase == "open" and self.shows("log", "open"))

    async def say(self, text: str) -> None:
        """Type a message and send it."""
        self.app.message_box.input.value = text
        await self.pilot.press("enter")

    def rows(self, name: str) -> list[str]:
        """What stands in a pane (``log``, ``output``, ``page``), row by row."""
        view = self.app.screen_stack[0].query_one(f"#{name}", LineView)
        return [view.render_line(y).text.rstrip() for y in range(view.size.height)]

    def shows(self, name: str, text: str) -> bool:
        """Whether a text stands in a pane."""
        return any(text in row for row in self.rows(name))

    def text(self, name: str) -> str:
        """What a line of text (``who``, ``counts``, ``notice``) says."""
        return str(self.app.screen_stack[0].query_one(f"#{name}").render())


@asynccontextmanager
async def stage(width: int = 120, height: int = 36) -> AsyncIterator[Stage]:
    """Run the explorer over a fake session that has not begun to happen."""
    session = FakeSession()
    app = ExplorerApp(session)
    async with app.run_test(size=(width, height)) as pilot:
        yield Stage(app, session, pilot)
