"""``record_and_replay FILE EXCHANGES SIZE``: records a session with a child that prints SIZE bytes for each
exchange.

It replays the recording as well, and prints one line of JSON: what came live, what came replayed, and the
largest resident memory of this process.
"""

import asyncio
import dataclasses
import hashlib
import json
import sys
from typing import Any

from tests.support.consume_events import peak_memory
from tests.support.sessions import child, environment
from tui_ipc import events as ev
from tui_ipc.recording.replay import Replay
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session


class Tally:
    """Takes events in and keeps what shows whether all came, in order, and the same ones."""

    def __init__(self) -> None:
        self._digest = hashlib.blake2b()
        self.events = self.sent = self.received = self.printed = 0
        self.in_order = True

    def __call__(self, event: ev.AnyEvent) -> None:
        self.events += 1
        if isinstance(event, ev.ChildOutput):
            self.printed += len(event.data)
            self._digest.update(event.data)
            event = dataclasses.replace(event, data=b"")
        elif isinstance(event, ev.MessageSent):
            self.sent += 1
            self.in_order &= event.number == self.sent
        elif isinstance(event, ev.MessageReceived):
            self.received += 1
            self.in_order &= event.number == event.answers == self.received == event.value
        self._digest.update(repr(event).encode())

    def facts(self) -> dict[str, Any]:
        """All of it."""
        return {name: value for name, value in vars(self).items() if name != "_digest"} | {
            "digest": self._digest.hexdigest()
        }


async def record(path: str, exchanges: int, size: int) -> Tally:
    """Run the session to its end."""
    tally = Tally()
    with RecordingWriter(path) as recorder:
        async with Session(
            child("prints_and_answers", str(size)),
            SessionOptions(env=environment(), timeout=20.0, grace=20.0, pty=False),
            record=recorder,
        ) as session:

            async def consume() -> None:
                async for event in session.events():
                    tally(event)

            consuming = asyncio.create_task(consume())
            await session.ready()
            for number in range(1, exchanges + 1):
                await session.send(number)
        await consuming
    assert recorder.failure is None
    return tally


async def replay(path: str) -> Tally:
    """Take every event of the recording."""
    tally = Tally()
    async with Replay(path, speed=None) as replayed:
        async for event in replayed.events():
            tally(event)
        assert replayed.truncated == 0
    return tally


if __name__ == "__main__":
    file = sys.argv[1]
    live = asyncio.run(record(file, int(sys.argv[2]), int(sys.argv[3])))
    again = asyncio.run(replay(file))
    print(json.dumps({"live": live.facts(), "replayed": again.facts(), "peak": peak_memory()}))
