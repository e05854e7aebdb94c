"""Makes the pictures in ``screenshots/``: ``python -m tests.screenshots``.

The real explorer explores real children; only what differs from one run to the next is replaced on its way to
the screen: times, process ids and paths. So the same code makes the same pictures, and a changed picture is a
change of the explorer.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

from textual.pilot import Pilot

from tui_ipc.session.diagnosis import Activity, Diagnosis, Traffic
from tui_ipc.session.events import (
    ChannelClosed,
    ChannelsOpen,
    ChildOutput,
    ChildSpawned,
    Event,
    HandshakeFailed,
    HelloReceived,
    MessageReceived,
    MessageSent,
    ServerListening,
)
from tui_ipc.session.recording import header, pack
from tui_ipc.session.replay import Replay
from tui_ipc.session.session import Session
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.replay_app import ReplayApp

SIZE = (120, 36)
SERVER = "/run/user/1000/tui-ipc-5f2c/server"
PID = 4242
BEGAN = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)
PATIENCE = 20.0

# Where the steps of the handshake stand on the clock, and every later event after the one before it.
_STEPS = (1_200_000, 2_100_000, 41_300_000, 41_500_000, 41_900_000)
_PAUSE = 1_730_000_000
_SILENCE = 4_200_000_000
_LATENCIES = (83_000, 61_000, 58_000)

# The pause keeps its two streams in order: they come by two descriptors.
CALCULATOR = """\
import time
print("calculator: reading rates.toml", flush=True)
time.sleep(0.2)
raise SystemExit("calculator: rates.toml has no section [euro]")
"""

Scene = Callable[[ExplorerApp, Pilot[int]], Awaitable[None]]


class StillSession(Session):
    """A session whose events are told as if they had happened at set times, under set names."""

    def __init__(self, command: Sequence[str] | None = None, *, cwd: str | None = None) -> None:
        super().__init__(command, cwd=cwd)
        self._count = 0
        self._at = 0
        self._path = SERVER

    async def events(self) -> AsyncIterator[Event]:
        """Every event, stilled."""
        async for event in super().events():
            yield self._still(event)

    def diagnosis(self) -> Diagnosis:
        """What the child really does, at a set moment."""
        facts = super().diagnosis()
        traffic = facts.traffic or Traffic()
        waiting = tuple(replace(each, waited=_SILENCE) for each in traffic.waiting)
        last = Activity(sent=_SILENCE, received=_SILENCE + _PAUSE, stdout=_SILENCE + _PAUSE)
        return replace(facts, traffic=replace(traffic, waiting=waiting), activity=last)

    def _still(self, event: Event) -> Event:
        if isinstance(event, ServerListening):
            self._path = event.name
        if isinstance(event, ChildOutput):
            return replace(event, data=event.data.replace(self._path.encode(), SERVER.encode()))
        event = self._named(replace(event, at=self._moment(event)))
        if isinstance(event, MessageReceived) and event.answers is not None:
            return replace(event, elapsed=_LATENCIES[(event.answers - 1) % len(_LATENCIES)])
        return event

    def _moment(self, event: Event) -> int:
        if self._count < len(_STEPS):
            self._at = _STEPS[self._count]
        elif isinstance(event, MessageSent):
            self._at += _PAUSE
        self._count += 1
        return self._at

    def _named(self, event: Event) -> Event:
        match event:
            case ServerListening():
                return replace(event, name=SERVER)
            case ChildSpawned():
                command = ("python", *event.command[1:-1], f"channel_name:{SERVER}")
                return replace(event, pid=PID, command=command)
            case HelloReceived():
                return replace(event, pid=PID, raw=bytes(48))
            case HandshakeFailed():
                return replace(event, sentence=event.sentence.replace(self._path, SERVER))
            case _:
                return event


async def until(pilot: Pilot[int], holds: Callable[[], Any]) -> None:
    """Return once something holds."""
    deadline = monotonic() + PATIENCE
    while not holds():
        assert monotonic() < deadline, "the scene did not come about"
        await pilot.pause()


async def talking(app: ExplorerApp, pilot: Pilot[int]) -> None:
    """Three messages and their answers, one of them inspected, and a fourth being typed."""
    for count, text in enumerate(("Hello from parent", "How are you?", '{"op": "add", "args": [2, 3]}'), 1):
        app.message_box.input.value = text
        await pilot.press("enter")
        await until(pilot, partial(_answered, app, count))
    await until(pilot, lambda: app.model.output.end >= 5)
    app.action_face("bytes")
    await pilot.press(*'{"op": "multiply", "args": [6, 7]}')


async def failing(app: ExplorerApp, pilot: Pilot[int]) -> None:
    """A program that ends before it connects."""
    await until(pilot, lambda: app.notice.has_class("-shown") and app.model.status.absence)
    await until(pilot, lambda: "Audit" in {type(entry.event).__name__ for entry in _entries(app)})
    app.log_view.focus()
    await pilot.press("up", "up", "up", "a")


def _answered(app: ExplorerApp, count: int) -> bool:
    return app.model.status.received == count


def _entries(app: ExplorerApp) -> list[Any]:
    return [app.model.log[index] for index in range(app.model.log.first, app.model.log.end)]


async def wondering(session: StillSession, app: ExplorerApp, pilot: Pilot[int]) -> None:
    """A child that somebody stopped, a message that waits for its answer, and the question why."""
    app.message_box.input.value = "Hello from parent"
    await pilot.press("enter")
    await until(pilot, partial(_answered, app, 1))
    await until(pilot, lambda: app.model.output.end >= 3)
    assert session.pid is not None
    os.kill(session.pid, signal.SIGSTOP)
    await until(pilot, lambda: app.model.status.stopped)
    app.message_box.input.value = "Are you there?"
    await pilot.press("enter")
    await until(pilot, lambda: app.model.status.sent == 2)
    await pilot.press("f3")
    await until(pilot, lambda: "#2" in str(app.screen.query_one("#because").render()))


async def replaying(app: ExplorerApp, pilot: Pilot[int]) -> None:
    """A recording, held at the second answer, which is inspected."""
    await until(pilot, lambda: app.model.status.phase == "open")
    await pilot.press("space", "plus")
    while app.model.status.received < 2:
        await pilot.press("full_stop")
    app.action_face("about")
    await until(pilot, lambda: "paused" in str(app.foot.render()))


async def record(path: Path) -> None:
    """Record a talk with the built-in child."""
    happened: list[Event] = []
    async with StillSession() as session:
        events = session.events()
        await session.ready()
        for text in ("Hello from parent", "How are you?", "Goodbye!"):
            await session.send(text)
            async for event in events:
                happened.append(event)
                if isinstance(event, MessageReceived):
                    break
    happened += [event async for event in events]
    command = ("python", "-m", "tui_ipc.child")
    path.write_bytes(header(command, BEGAN) + b"".join(map(pack, _settled(happened))))


def _settled(events: Sequence[Event]) -> Iterator[Event]:
    """Events with the output where the child printed it: its channel and its terminal race each other."""
    printed = b"".join(event.data for event in events if isinstance(event, ChildOutput))
    lines = iter(printed.splitlines(keepends=True))
    for event in events:
        if isinstance(event, ChildOutput):
            continue
        count = {ChannelsOpen: 2, MessageReceived: 1, ChannelClosed: 2}.get(type(event), 0)
        if data := b"".join(islice(lines, count)):
            yield ChildOutput(at=event.at, run=event.run, stream="stdout", data=data)
        yield event


async def picture(app: ExplorerApp, scene: Scene) -> str:
    """Play a scene, and return the screen at its end as SVG that needs nothing from elsewhere."""
    async with app.run_test(size=SIZE) as pilot:
        app.message_box.input.cursor_blink = False
        app.animation_level = "none"
        await scene(app, pilot)
        await until(pilot, lambda: not app.screen._dirty_widgets)
        svg = app.export_screenshot(title="tui-ipc")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace")


async def make(directory: Path) -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as place:
        Path(place, "calculator.py").write_text(CALCULATOR)
        recording = Path(place, "talk.rec")
        await record(recording)
        stopped = StillSession()
        failed = StillSession((sys.executable, "calculator.py"), cwd=place)
        scenes: dict[str, tuple[ExplorerApp, Scene]] = {
            "talking": (ExplorerApp(StillSession()), talking),
            "failed-handshake": (ExplorerApp(failed), failing),
            "why": (ExplorerApp(stopped), partial(wondering, stopped)),
            "replay": (
                ReplayApp(
                    Replay(str(recording)),
                    str(recording),
                    again=lambda speed: Replay(str(recording), speed=speed),
                ),
                replaying,
            ),
        }
        for name, (app, scene) in scenes.items():
            path = directory / f"{name}.svg"
            path.write_text(await picture(app, scene), encoding="utf-8")


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "screenshots"
    target.mkdir(exist_ok=True)
    asyncio.run(make(target))
