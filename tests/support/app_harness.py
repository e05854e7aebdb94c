"""Runs the explorer on a screen of a given size in memory, presses its keys, and reads what it shows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

from textual.events import Key
from textual.pilot import Pilot

from tests.support.fake_session import FakeSession
from tui_ipc.recording.replay import Replay
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.replay_app import ReplayApp
from tui_ipc.tui.settings import Settings
from tui_ipc.tui.widgets.line_view import LineView

WAIT_SECONDS = 20.0
"""Seconds until a test gives up waiting for something that should happen at once."""

POLL_SECONDS = 0.005
"""Seconds between two looks at what it waits for, in which a child may do something."""


class ExplorerDriver:
    """An explorer that runs, and what is on its screen.

    Attributes:
        app: The explorer.
        pilot: Presses keys.
    """

    def __init__(self, app: ExplorerApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, holds: Callable[[], object]) -> None:
        """Return once something holds and is drawn; fail if it does not come to hold."""
        deadline = monotonic() + WAIT_SECONDS
        while not holds():
            assert monotonic() < deadline, "it did not happen"
            await asyncio.sleep(POLL_SECONDS)
            await self.pilot.pause()
        held_at = monotonic()
        while self._awaits_picture(held_at) and monotonic() < deadline:
            await self.pilot.pause()
        await self.pilot.pause()

    def _awaits_picture(self, since: float) -> bool:
        """Whether a picture is due and none was begun since: the slower the machine, the longer it takes."""
        pace = self.app.refresh_throttle
        return pace._is_due and pace._began_at < since and self.app.return_code is None

    def rows(self, name: str) -> list[str]:
        """What a pane shows (``log``, ``output``, ``page``: the inspector's), row by row."""
        screen, inspector = self.app.screen_stack[0], self.app.inspector
        view = inspector.page if name == "page" else screen.query_one(f"#{name}", LineView)
        return [view.render_line(y).text.rstrip() for y in range(view.size.height)]

    def shows(self, name: str, text: str) -> bool:
        """Whether a pane shows a text."""
        return any(text in row for row in self.rows(name))

    def text(self, name: str) -> str:
        """What a line of text (``who``, ``counts``, ``notice``) says."""
        return str(self.app.screen_stack[0].query_one(f"#{name}").render())

    def notices(self) -> list[str]:
        """The texts of the notifications that are still shown."""
        return [notification.message for notification in self.app._notifications]

    def frame(self) -> str:
        """Every character on the screen."""
        strips = self.app.screen._compositor.render_strips()
        return "".join(segment.text for strip in strips for segment in strip)


class FakeExplorerDriver(ExplorerDriver):
    """An explorer over a fake session.

    Attributes:
        session: That session.
    """

    def __init__(self, app: ExplorerApp, session: FakeSession, pilot: Pilot[int]) -> None:
        super().__init__(app, pilot)
        self.session = session

    async def connected(self) -> None:
        """Let a handshake happen, and return once the explorer shows it."""
        self.session.handshake()
        await self.until(lambda: self.app.model.status.phase == "open" and self.shows("log", "open"))

    async def say(self, text: str) -> None:
        """Type a message and send it."""
        self.app.message_box.input.value = text
        await self.pilot.press("enter")


@asynccontextmanager
async def run_explorer_app(width: int = 120, height: int = 36) -> AsyncIterator[FakeExplorerDriver]:
    """Run the explorer over a fake session that has not begun to happen."""
    session = FakeSession()
    app = ExplorerApp(session)
    async with app.run_test(size=(width, height)) as pilot:
        yield FakeExplorerDriver(app, session, pilot)


@asynccontextmanager
async def run_replay_app(
    path: Path,
    speed: float | None = 1.0,
    width: int = 120,
    height: int = 36,
    settings: Settings | None = None,
) -> AsyncIterator[ExplorerDriver]:
    """Run the explorer over a recording."""

    def open_replay(speed: float | None) -> Replay:
        return Replay(str(path), speed=speed)

    app = ReplayApp(open_replay(speed), str(path), open_replay=open_replay, settings=settings)
    async with app.run_test(size=(width, height)) as pilot:
        yield ExplorerDriver(app, pilot)


Scene = Callable[[FakeExplorerDriver], Awaitable[None]]
"""What a test does with an explorer over a fake session."""


def run_scene(scene: Scene, width: int = 120, height: int = 36) -> None:
    """Run a scene with an explorer of its own."""

    async def main() -> None:
        async with run_explorer_app(width, height) as it:
            await scene(it)

    asyncio.run(main())


def press_at_once(it: ExplorerDriver, *keys: str) -> None:
    """Press keys at once: all are in the app's queue before it looks at the first."""
    for key in keys:
        it.app.post_message(Key(key, key if len(key) == 1 else None))


def replay_bar(it: ExplorerDriver) -> str:
    """The text of the bar below a recording."""
    return it.text("replay")
