"""What the pictures in ``screenshots/`` show: what is typed and done to the example child ``thumbnailer.py``.

A scene waits for what must be on the screen, never for a time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from signal import SIGSTOP
from time import monotonic
from typing import Any, Final

from textual.pilot import Pilot
from textual.widgets import Input

from tests.support.frozen_session import FrozenSession
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.widgets.search_pane import FilterBar

TIMEOUT: Final = 60.0

# What is said to the thumbnailer, and how many lines it has printed when it has answered.
TALK: Final = (
    ('{"op": "open", "path": "beach.jpg"}', 2),
    ('{"op": "thumbnail", "path": "beach.jpg", "width": 160}', 3),
    ('{"op": "open", "path": "dunes.gif"}', 4),
    ('{"op": "stats"}', 4),
)
TYPED: Final = '{"op": "thumbnail", "path": "beach.jpg", "width": 320}'


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a scene is played.

    Attributes:
        app: The explorer.
        pilot: Presses its keys.
        session: What it explores; in a replay nothing happens in it.
    """

    app: ExplorerApp
    pilot: Pilot[int]
    session: FrozenSession

    async def until(self, holds: Callable[[], Any]) -> None:
        """Return once something holds."""
        deadline = monotonic() + TIMEOUT
        while not holds():
            assert self.app.is_running, "the explorer came to its end"
            assert monotonic() < deadline, "the scene did not come about"
            await self.pilot.pause()

    async def say(self, text: str, *, printed: int) -> None:
        """Send a message, and return once it was answered and so many lines are printed in all."""
        status = self.app.model.status
        received = status.received + 1
        self.app.message_box.input.value = text
        await self.pilot.press("enter")
        await self.until(lambda: status.received == received and self.app.model.output.end >= printed)

    async def talk(self) -> None:
        """Send all of :data:`TALK`."""
        for text, printed in TALK:
            await self.say(text, printed=printed)

    async def work(self, count: int) -> None:
        """Have many thumbnails made, one after the other."""
        await self.session.ready()
        async with asyncio.timeout(TIMEOUT):
            for number in range(1, count + 1):
                path, width = f"IMG_{number:04}.jpg", 80 + number * 7 % 80
                await self.session.send({"op": "thumbnail", "path": path, "width": width})
                while self.app.model.status.received < number:
                    await asyncio.sleep(0)  # no message is on its way while another is: their order is set
        await self.until(lambda: self.app.model.output.end > count)

    async def shows(self, place: str, text: str) -> None:
        """Return once a widget says something."""
        await self.until(lambda: text in str(self.app.screen.query_one(place).render()))

    def happened(self, kind: str) -> bool:
        """Whether an event of a kind is in the log."""
        log = self.app.model.log
        return any(type(log[index].event).__name__ == kind for index in range(log.first, log.end))


Play = Callable[[Stage], Awaitable[None]]


async def talking(scene: Stage) -> None:
    """Four messages and their answers, and a fifth being typed."""
    await scene.talk()
    scene.app.message_box.input.insert_text_at_cursor(TYPED)


async def inspecting(scene: Stage) -> None:
    """A message that holds bytes, value and wire side by side, one part of it selected in both."""
    await scene.talk()
    scene.app.log_view.focus()
    await scene.pilot.press(*["up"] * 7, "enter", "f2", "down", "down", "down")
    await scene.shows("#part", "$.camera.make")


async def filtering(scene: Stage) -> None:
    """Much work, of which only the slow answers are shown."""
    await scene.work(300)
    scene.app.log_view.focus()
    await scene.pilot.press("slash")
    scene.app.screen.query_one(FilterBar).query_one(Input).value = "slower 20ms"
    await scene.until(lambda: scene.app.log_view.filter and scene.app.log_view.is_scan_complete)
    await scene.pilot.press("enter")
    await scene.pilot.press(*["up"] * 5, "slash", "end")


async def measuring(scene: Stage) -> None:
    """How fast that work goes."""
    await scene.work(600)
    await scene.pilot.press("f6")
    await scene.shows("#metrics", "p99")


async def failing(scene: Stage) -> None:
    """A program that ends before it connects."""
    await scene.until(lambda: scene.app.notice.has_class("-shown") and scene.happened("Audit"))
    scene.app.log_view.focus()
    await scene.pilot.press("up", "up", "up", "a")


async def wondering(scene: Stage) -> None:
    """A child that somebody stopped, a message that waits for its answer, and the question why."""
    await scene.say(TALK[0][0], printed=2)
    scene.session.signal(SIGSTOP)
    await scene.until(lambda: scene.app.model.status.stopped)
    scene.app.message_box.input.value = TALK[1][0]
    await scene.pilot.press("enter")
    await scene.until(lambda: scene.app.model.status.sent == 2)
    await scene.pilot.press("f3")
    await scene.shows("#because", "#2")


async def crashing(scene: Stage) -> None:
    """A child that dies at work and leaves a process behind, and what is known of that run."""
    await scene.say(TALK[0][0], printed=2)
    scene.app.message_box.input.value = '{"op": "rotate", "degrees": 90}'
    await scene.pilot.press("enter")
    await scene.until(lambda: scene.happened("Audit"))
    await scene.pilot.press("f7")
    await scene.shows("#story", "pid 4242 · python thumbnailer.py")


async def replaying(scene: Stage) -> None:
    """A recording, held at the second answer."""
    await scene.until(lambda: scene.app.model.status.phase == "open")
    await scene.pilot.press("space", "plus")
    while scene.app.model.status.received < 2:
        await scene.pilot.press("full_stop")
    await scene.shows("#replay", "paused")
    await scene.shows("#replay", " of ")


async def asking(scene: Stage) -> None:
    """The help, over a talk."""
    await scene.talk()
    await scene.pilot.press("f1")
