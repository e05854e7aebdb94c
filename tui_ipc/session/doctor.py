"""The handshake doctor: says of a step that it is late, and of a handshake why it failed.

The one rule: a sentence comes after the evidence that it names, so what the child printed is told first.
"""

import asyncio
from typing import Final

from tui_ipc.ipc.errors import Disconnected
from tui_ipc.session.ending import DRAIN_BYTES, DRAIN_SECONDS, first_of
from tui_ipc.session.events import StepLate
from tui_ipc.session.handshake import Evidence, explain, last_words, late, late_after
from tui_ipc.session.jobcontrol import JobControl
from tui_ipc.session.ladder import Ladder
from tui_ipc.session.printing import Printing
from tui_ipc.session.process import Process, signal_name
from tui_ipc.session.timeline import Timeline

_STEPS: Final = ("connected", "hello")
"""What depends on the child, and so can be late."""


class Doctor:
    """Watches the handshake of one run from the spawn on. Owns nothing.

    Args:
        run: The run's number, for events.
        timeline: Where the events go.
        ladder: The handshake.
        process: The child, just spawned.
        jobs: Tells whether it is stopped.
        printing: What it prints.
    """

    def __init__(
        self,
        run: int,
        timeline: Timeline,
        ladder: Ladder,
        process: Process,
        *,
        jobs: JobControl,
        printing: Printing,
    ) -> None:
        self._run = run
        self._timeline = timeline
        self._ladder = ladder
        self._process = process
        self._jobs = jobs
        self._printing = printing
        self._spawned_at = timeline.now()

    async def watch(self, timeout: float) -> None:
        """Tell of each step that takes long, once.

        Args:
            timeout: Seconds for the whole handshake; a step that would be late only after them fails instead.
        """
        patience = late_after(timeout)
        deadline = self._spawned_at + int(timeout * 1e9)
        for step in _STEPS:
            if self._timeline.now() + patience * 1e9 >= deadline:
                return
            reached = asyncio.create_task(self._ladder.reached(step))
            try:
                await first_of(reached, within=patience)
                if not reached.done():
                    self._tell_late()
                    await reached
            finally:
                reached.cancel()

    async def explain(self, error: BaseException | None, *, timed_out: bool) -> str:
        """Why the handshake failed; the evidence is what the child printed and how it ended.

        Args:
            error: What was wrong with its hello, None if none came.
            timed_out: Whether its time was over.
        """
        process = self._process
        if isinstance(error, Disconnected):  # it is ending, if it has not ended
            await first_of(process.exited, within=DRAIN_SECONDS)
        if process.exited.done():
            await self._printing.drain(DRAIN_SECONDS, DRAIN_BYTES)
        return explain(self._evidence(), error=error, silence=self._waited() / 1e9 if timed_out else None)

    def _tell_late(self) -> None:
        evidence = self._evidence()
        waited = self._waited()
        self._timeline.add(
            StepLate(
                at=self._timeline.stamp(),
                run=self._run,
                step=self._ladder.step,
                waited=waited,
                sentence=late(evidence, waited / 1e9),
            )
        )

    def _evidence(self) -> Evidence:
        """What is known at this moment; what the child has printed by now becomes events."""
        process = self._process
        if process.exit is None:
            self._printing.catch_up()
        self._jobs.look()
        return Evidence(
            connected=self._ladder.connected_at is not None,
            begun=self._ladder.begun,
            ended=None if process.exit is None else str(process.exit),
            stopped=None if process.stopped is None else signal_name(process.stopped),
            words=last_words(*self._printing.tails),
        )

    def _waited(self) -> int:
        """Nanoseconds since the last step that was reached."""
        return self._timeline.now() - (self._ladder.connected_at or self._spawned_at)
