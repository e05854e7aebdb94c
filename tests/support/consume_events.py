"""``consume_events PACE STREAM CHILD...``: a program that takes the events of a session and measures what
that costs.

The pace is how many turns of the event loop it lets go by before each event. It prints one line of JSON: the
bytes and messages that came, the last of each, and the largest resident memory of this process alone.
"""

import asyncio
import json
import resource
import sys
from pathlib import Path
from typing import Any

from tests.support.sessions import environment
from tui_ipc import events as ev
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session


def peak_memory() -> int:
    """The most memory that was resident, in bytes.

    Not by getrusage(2) on Linux: there a process begins with the peak of the one that started it.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return next(int(line.split()[1]) for line in status.open() if line.startswith("VmHWM:")) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


async def consume(pace: int, command: list[str], pty: bool) -> dict[str, Any]:
    """Take every event, slowly."""
    size = messages = 0
    tail, last = b"", None
    async with Session(command, SessionOptions(env=environment(), timeout=20.0, pty=pty)) as session:
        async for event in session.events():
            if isinstance(event, ev.ChildOutput):
                size += len(event.data)
                tail = (tail + event.data)[-100:]
            elif isinstance(event, ev.MessageReceived):
                messages += 1
                last = event.value
            elif isinstance(event, ev.Audit):
                break
            for _ in range(pace):
                await asyncio.sleep(0)
    return {
        "bytes": size,
        "last line": tail.decode().splitlines()[-1] if tail else None,
        "messages": messages,
        "last message": last,
        "peak": peak_memory(),
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(consume(int(sys.argv[1]), sys.argv[3:], sys.argv[2] == "pty"))))
