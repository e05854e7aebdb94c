"""What a recording costs, beside files that a program would write without one: msgpack, and lines of JSON.

The peers are given what they write: the msgpack file has the arrays of the recording, and nothing in either
file is checked when it is read. A recording is written event by event, and what is read of it is events.
"""

import asyncio
import json
import os
from collections.abc import Callable
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import msgpack

from tests.benchmarks.measure import Figures, Tally, turns
from tui_ipc.events import AnyEvent, ChildOutput, MessageReceived, MessageSent, json_form
from tui_ipc.ipc.wire import encode
from tui_ipc.recording.event_schema import SCHEMAS
from tui_ipc.recording.index import RecordingIndex
from tui_ipc.recording.reader import open_recording
from tui_ipc.recording.writer import RecordingWriter

_PER_TURN = 50  # events that a session has in one turn of the event loop while much happens


def make_events(count: int) -> list[AnyEvent]:
    """Make so many events: a message, its answer, and a line that the child prints, over and over."""
    events: list[AnyEvent] = []
    for number in range(1, count // 3 + 1):
        at = number * 30_000
        sent = {"id": number, "method": "add", "params": [number, 2, 3.5]}
        received = {"id": number, "result": f"ok {number}", "took": 0.25}
        events += (
            MessageSent(at=at, run=1, number=number, value=sent, raw=encode(sent)),
            MessageReceived(
                at=at + 10_000,
                run=1,
                number=number,
                answers=number,
                elapsed=10_000,
                value=received,
                raw=encode(received),
            ),
            ChildOutput(at=at + 20_000, run=1, stream="stdout", data=b"handled request %d\n" % number),
        )
    return events


class Recordings:
    """This library's."""

    name = "tui_ipc"

    def __init__(self, path: str, events: list[AnyEvent]) -> None:
        self._path = path
        self._events = events

    def write(self) -> None:
        """Write all of it, as a session does."""

        async def main() -> None:
            with RecordingWriter(self._path) as record:
                for number, event in enumerate(self._events):
                    record(event)
                    if number % _PER_TURN == 0:
                        await asyncio.sleep(0)

        asyncio.run(main())

    def read(self) -> int:
        """Read all of it; says how much that is."""
        return sum(1 for _ in open_recording(self._path).events())


class Index(Recordings):
    """The same, and where everything in it is."""

    name = "tui_ipc, index"

    def read(self) -> int:
        """Read all of it, for moving in it; says how much that is."""
        index = RecordingIndex(self._path)
        while not index.is_whole:
            index.read_on(1000)
        return index.position


class Arrays:
    """msgpack, one array after the other."""

    name = "msgpack to a file"

    def __init__(self, path: str, events: list[AnyEvent]) -> None:
        self._path = path
        self._arrays = [SCHEMAS[event.KIND].write(event) for event in events]

    def write(self) -> None:
        """Write all of it."""
        pack = msgpack.Packer().pack
        with open(self._path, "wb") as file:
            file.writelines(map(pack, self._arrays))

    def read(self) -> int:
        """Read all of it, with the message in each array; says how much that is."""
        with open(self._path, "rb") as file:
            return sum(1 for array in msgpack.Unpacker(file) if array[0] == 9 or msgpack.unpackb(array[-1]))


class Lines:
    """JSON, an object a line."""

    name = "json lines"

    def __init__(self, path: str, events: list[AnyEvent]) -> None:
        self._path = path
        self._objects: list[dict[str, Any]] = [json_form.list_members(event) for event in events]

    def write(self) -> None:
        """Write all of it."""
        with open(self._path, "w", encoding="ascii") as file:
            file.writelines(f"{json.dumps(each)}\n" for each in self._objects)

    def read(self) -> int:
        """Read all of it; says how much that is."""
        with open(self._path, encoding="ascii") as file:
            return sum(1 for _ in map(json.loads, file))


def rates(count: int, rounds: int) -> tuple[Figures, Figures]:
    """Events in a second that are written, and that are read."""
    events = make_events(count)
    with TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        writers = [kind(f"{path}-{kind.name}", events) for kind in (Arrays, Lines, Recordings)]
        writing = _measure({one.name: one.write for one in writers}, count, rounds)
        readers = [*writers, Index(f"{path}-{Recordings.name}", events)]
        reading = _measure({one.name: one.read for one in readers}, count, rounds)
    return writing, reading


def _measure(work: dict[str, Callable[[], int | None]], count: int, rounds: int) -> Figures:
    tally = Tally()
    for name, counts in turns(work, rounds):
        begin = perf_counter()
        done = work[name]()
        assert done in (None, count), done
        if counts:
            tally.add(name, [begin, perf_counter()], count)
    return tally.rates()
