"""Makes the pictures in ``screenshots/``: ``python -m tests.screenshots``.

The real explorer explores real children, see :mod:`tests.support.scenes`; only what differs from one run to
the next is replaced, see :mod:`tests.support.frozen_session`. So the same code makes the same pictures, and a
changed picture is a change of the explorer.
"""

import asyncio
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from math import sin
from pathlib import Path
from typing import Final
from unittest.mock import patch

from tests.support import scenes
from tests.support.frozen_session import FrozenSession
from tui_ipc.events import AnyEvent, ChannelClosed, ChannelsOpen, ChildOutput, MessageReceived, Note, Stream
from tui_ipc.recording.codec import encode_event, encode_header
from tui_ipc.recording.replay import Replay
from tui_ipc.text.notation import parse_value
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.replay_app import ReplayApp

WIDTH: Final = 120
BEGAN: Final = datetime(2026, 5, 4, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Picture:
    """What one picture shows.

    Attributes:
        play: What happens.
        height: How many rows the screen has.
        arguments: What the program is given.
        busy: Whether much passes, at a pace that varies.
        recorded: Whether a recording is shown, and no program runs.
    """

    play: scenes.Play
    height: int = 32
    arguments: tuple[str, ...] = ()
    busy: bool = False
    recorded: bool = False


PICTURES: Final[Mapping[str, Picture]] = {
    "talking": Picture(scenes.talking, height=30),
    "inspector": Picture(scenes.inspecting, height=26),
    "filter": Picture(scenes.filtering, busy=True),
    "metrics": Picture(scenes.measuring, busy=True),
    "failed-handshake": Picture(scenes.failing, height=26, arguments=("thumbnailer.toml",)),
    "why": Picture(scenes.wondering, height=26),
    "run": Picture(scenes.crashing),
    "replay": Picture(scenes.replaying, height=26, recorded=True),
    "help": Picture(scenes.asking),
}


def open_session(arguments: Sequence[str] = (), *, busy: bool = False) -> FrozenSession:
    """A session with the thumbnailer."""
    command = (sys.executable, "thumbnailer.py", *arguments)
    place = str(Path(__file__).parent / "support" / "children")
    if not busy:
        return FrozenSession(command, cwd=place)
    chance = random.Random(12)
    pauses = [round(150_000_000 * (1.4 + sin(number / 90)) * chance.random()) for number in range(1000)]
    latencies = [round(3_000_000 * chance.paretovariate(1.6)) for _ in range(1000)]
    return FrozenSession(command, cwd=place, pauses=pauses, latencies=latencies)


async def record(path: Path) -> None:
    """Record the talk of the scenes."""
    session = open_session()
    happened: list[AnyEvent] = []
    async with session:
        events = session.events()
        await session.ready()
        happened += await collect_until(events, ChannelsOpen, 1)
        for text, printed in scenes.TALK:
            lines = sum(_lines(event.data) for event in happened if isinstance(event, ChildOutput))
            await session.send(parse_value(text))
            happened += await collect_until(events, MessageReceived, printed - lines)
            if text == scenes.TALK[0][0]:
                happened.append(Note(at=happened[-1].at + 900_000_000, run=1, text="the one for the cover"))
    happened += await collect_until(events, ChannelClosed, 1)
    happened += [event async for event in events]
    command = ("python", "thumbnailer.py")
    path.write_bytes(encode_header(command, BEGAN) + b"".join(map(encode_event, happened)))


async def collect_until(events: AsyncIterator[AnyEvent], last: type[AnyEvent], lines: int) -> list[AnyEvent]:
    """What happens until an event of a type came and so many lines were printed.

    The child's channel and its two streams race each other: what it printed is put before the event.
    """
    others: list[AnyEvent] = []
    printed: dict[Stream, bytes] = {"stdout": b"", "stderr": b""}
    while not (others and isinstance(others[-1], last) and sum(map(_lines, printed.values())) >= lines):
        event = await anext(events)
        if isinstance(event, ChildOutput):
            printed[event.stream] += event.data
        else:
            others.append(event)
    *before, end = others
    outputs = [
        ChildOutput(at=end.at, run=end.run, stream=stream, data=data)
        for stream, data in printed.items()
        if data
    ]
    return [*before, *outputs, end]


def _lines(data: bytes) -> int:
    return data.count(b"\n")


async def render_picture(wanted: Picture, recording: Path) -> str:
    """Play a scene, and return the screen at its end as SVG that needs nothing from elsewhere."""
    session = open_session(wanted.arguments, busy=wanted.busy)
    app = open_replay(recording) if wanted.recorded else ExplorerApp(session)
    async with app.run_test(size=(WIDTH, wanted.height)) as pilot:
        app.message_box.input.cursor_blink = False
        app.animation_level = "none"
        await wanted.play(scenes.Stage(app, pilot, session))
        app.refresh_throttle.refresh()
        await pilot.pause()
        await pilot.pause()
        svg = app.export_screenshot(title="tui-ipc")
    # A page lays out a picture by its size, which Textual leaves out.
    svg = re.sub(r'viewBox="0 0 (\S+) (\S+)"', r'\g<0> width="\1" height="\2"', svg, count=1)
    svg = re.sub("<!-- .*? -->", f"<!-- {describe_versions()} -->", svg, count=1)
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code, monospace", "'Fira Code', 'DejaVu Sans Mono', Menlo, Consolas, monospace")


def describe_versions() -> str:
    """What else decides how a picture looks."""
    return f"Made by tests/screenshots.py with Textual {version('textual')} and Rich {version('rich')}"


def open_replay(path: Path) -> ReplayApp:
    """The explorer over a recording."""
    return ReplayApp(Replay(str(path)), str(path), open_replay=lambda speed: Replay(str(path), speed=speed))


async def make_pictures(directory: Path, names: Iterable[str] = PICTURES) -> None:
    """Make pictures, all unless some are named."""
    with (
        tempfile.TemporaryDirectory() as place,
        patch.dict(os.environ, TUI_IPC_SETTINGS="/home/you/.config/tui-ipc/settings.toml", TZ="UTC"),
        patch("tui_ipc.tui.app.monotonic_ns", lambda: 0),  # nothing is later than what happened last
    ):
        os.environ.pop("NO_COLOR", None)
        time.tzset()
        recording = Path(place, "thumbnailer.rec")
        for name in names:
            if PICTURES[name].recorded:
                await record(recording)
            svg = await render_picture(PICTURES[name], recording)
            (directory / f"{name}.svg").write_text(svg, encoding="utf-8")
    time.tzset()


if __name__ == "__main__":
    target = Path(__file__).parent.parent / "screenshots"
    target.mkdir(exist_ok=True)
    asyncio.run(make_pictures(target, sys.argv[1:] or PICTURES))
