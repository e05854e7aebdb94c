"""Signals to the child, and whether it is stopped.

The one rule: what we did to the child, and what its state became, is told in the order in which it happened.
The state is looked at a few times a second: SIGCHLD would tell at once, but a program has one handler for
it, which is not ours to take.
"""

import asyncio
import signal
from typing import Final

from tui_ipc.events import ChildContinued, ChildStopped, SignalSent
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.process import Process
from tui_ipc.session.timeline import Timeline

_POLL_SECONDS: Final = 0.2
"""Seconds between two looks."""

_POLL_SECONDS_AFTER_SIGNAL: Final = (0.005, 0.02, 0.05)
"""Seconds between the looks after a signal of ours: the kernel stops a process when its turn comes."""


class JobControl:
    """Signals the child of one run and watches for its stops. Must be made in an event loop.

    Nothing is told any more once the child was reaped.

    Args:
        run: The run's number, for events.
        timeline: Where the events go.
        process: The child.

    Attributes:
        continued_at: When a stopped child last went on, None if it never was stopped.
    """

    def __init__(self, run: int, timeline: Timeline, process: Process) -> None:
        self.continued_at: int | None = None
        self._run = run
        self._timeline = timeline
        self._process = process
        self._ending = False
        self._signalled = asyncio.Event()
        self._watching = asyncio.create_task(self._watch())

    def signal(self, number: int, reason: str) -> bool:
        """Send a signal to the child's process group; False if it reached nobody."""
        if not self._process.signal(number):
            return False
        self._timeline.add(
            SignalSent(at=self._timeline.stamp(), run=self._run, signal=int(number), reason=reason)
        )
        self.look()  # that a process goes on is so at once
        self._signalled.set()
        return True

    def keep_continuing(self) -> None:
        """Continue the child if it is stopped, and from now on whenever it is."""
        self._ending = True
        self.look()
        self._continue()

    def look(self) -> None:
        """Tell of what happened to the child since the last look."""
        for number in self._process.stops():
            at = self._timeline.stamp()
            if number is None:
                self.continued_at = at
                self._timeline.add(ChildContinued(at=at, run=self._run))
            else:
                self._timeline.add(ChildStopped(at=at, run=self._run, signal=number))

    def close(self) -> None:
        """Look no more. Closing twice is harmless."""
        self._watching.cancel()

    async def _watch(self) -> None:
        while True:
            self.look()
            self._continue()
            try:
                async with asyncio.timeout(_POLL_SECONDS):
                    await self._signalled.wait()
            except TimeoutError:
                continue
            self._signalled.clear()
            for delay in _POLL_SECONDS_AFTER_SIGNAL:
                await asyncio.sleep(delay)
                self.look()

    def _continue(self) -> None:
        if not self._ending or self._process.stopped is None:
            return
        name = signal_name(self._process.stopped)
        self.signal(signal.SIGCONT, f"the child is stopped by {name}, and a stopped child cannot quit")
