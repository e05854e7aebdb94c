"""When a pilot may go on.

Textual's own pilot goes on when the process took little of a CPU for 20 ms, twice for each key. On a busy
machine that is soon the case, whatever there is still to do, and on a quiet one it makes up most of a test.
Here it goes on when the event loop has nothing to do, and nothing that is planned is due soon.
"""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any, cast

import pytest

from tests.support.recordings import encode_recording
from tests.support.sample_events import TALK

SOON_SECONDS = 0.04
"""Seconds ahead: longer than from one picture of the explorer to the next, and from one slice of work."""


async def wait_until_idle(min_sleep: float = 0.0, max_sleep: float = 1.0) -> None:
    """Return once nothing happens, or after a while; in place of Textual's ``wait_for_idle``."""
    loop = cast("Any", asyncio.get_running_loop())
    begun = monotonic()
    await asyncio.sleep(min_sleep)
    while monotonic() - begun < max_sleep:
        if loop._ready:
            await asyncio.sleep(0)
            continue
        rest = (
            min((timer.when() for timer in loop._scheduled if not timer.cancelled()), default=1e9)
            - loop.time()
        )
        if rest > SOON_SECONDS:
            return
        await asyncio.sleep(max(0.0, rest))


@pytest.fixture(autouse=True)
def pilots_wait_for_what_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every pilot wait so."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", wait_until_idle)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """The talk of the sample events as a recording."""
    path = tmp_path / "talk.rec"
    path.write_bytes(encode_recording(*TALK, command=("./calculator",)))
    return path
