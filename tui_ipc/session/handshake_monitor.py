"""What the handshake asks of a child, and the sentences that say why it failed.

The one rule: a sentence names the step, the evidence and the likely cure, in this order. Everything here is
pure.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui_ipc.events import StepLate
from tui_ipc.ipc.errors import Disconnected
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.handshake import Handshake
from tui_ipc.session.job_control import JobControl
from tui_ipc.session.output import OutputReader
from tui_ipc.session.process import Process
from tui_ipc.session.shutdown import DRAIN_BYTES, DRAIN_SECONDS, wait_for_first
from tui_ipc.session.timeline import Timeline
from tui_ipc.text.notation import render_value

SERVER_NAME_PLACEHOLDER: Final = "{channel_name}"
"""Where a command wants the server name, if not as its last argument."""

SERVER_NAME_VARIABLE: Final = "TUI_IPC_SERVER"
"""The environment variable that holds the server name."""

_LATE_DIVISOR: Final = 5
_MIN_LATE_SECONDS: Final = 0.5
"""A step is late after this part of the time for all of them, and after so many seconds at least."""

_QUOTED_LINES: Final = 3  # of what the child printed last
_QUOTED_WIDTH: Final = 200  # characters of each


class HandshakeError(Exception):
    """The child did not complete the handshake; the text says at which step, why, and what would help.

    Attributes:
        timed_out: True if the deadline passed, False if the handshake failed at once.
    """

    def __init__(self, sentence: str, *, timed_out: bool) -> None:
        super().__init__(sentence)
        self.timed_out = timed_out


def insert_server_name(command: Sequence[str], server: str) -> tuple[str, ...]:
    """The command with the server's name in it: at each ``{channel_name}``, else as a last argument."""
    if any(SERVER_NAME_PLACEHOLDER in word for word in command):
        return tuple(word.replace(SERVER_NAME_PLACEHOLDER, server) for word in command)
    return (*command, f"channel_name:{server}")


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeEvidence:
    """What is known of a child whose handshake takes long or has failed.

    Attributes:
        connected: Whether it has connected.
        begun: Bytes of its first message that have come, while it is not whole.
        ended: How it ended, None if it lives.
        stopped: The name of the signal that it is stopped by, None if it runs or has ended.
        words: See :func:`last_words`.
    """

    connected: bool
    begun: int
    ended: str | None
    stopped: str | None
    words: str


def explain_failure(
    evidence: HandshakeEvidence, *, error: BaseException | None, silence: float | None
) -> str:
    """Why the handshake failed.

    Args:
        evidence: What is known of the child.
        error: What was wrong with its hello, None if none came.
        silence: Seconds for which the child did nothing of use until its time was over; None if there was
            time left.
    """
    idle = silence is not None and evidence.ended is None  # it may have ended just then
    if silence is not None and idle:
        happened = _describe_timeout(evidence, silence)
    elif evidence.connected:
        happened = _describe_failure_after_connect(evidence.ended, error)
    else:
        happened = _describe_failure_before_connect(evidence.ended, error)
    return _append_evidence(happened, evidence, idle=idle)


def late_threshold(timeout: float) -> float:
    """Seconds after which a step of the handshake is late, of the ``timeout`` for all of them."""
    return max(timeout / _LATE_DIVISOR, _MIN_LATE_SECONDS)


def describe_delay(evidence: HandshakeEvidence, waited: float) -> str:
    """What is waited for, if a step takes long and may still come.

    Args:
        evidence: What is known of the child.
        waited: Seconds since the step before.
    """
    if not evidence.connected:
        happened = f"the child has run for {waited:.1f} s and has not connected"
    elif evidence.begun:
        part = _describe_partial_hello(evidence.begun)
        happened = f"the child connected {waited:.1f} s ago and has sent only {part}"
    else:
        happened = f"the child connected {waited:.1f} s ago and has not said hello"
    return _append_evidence(happened, evidence, idle=True)


def _append_evidence(happened: str, evidence: HandshakeEvidence, *, idle: bool) -> str:
    """The whole sentence. That a child is stopped is the reason only of what it does not do."""
    stopped = evidence.stopped if idle else None
    if stopped is not None:
        happened += f": it is stopped by {stopped}"
    return f"{happened}; {evidence.words}. {_suggest_remedy(evidence.connected, stopped)}"


def _suggest_remedy(connected: bool, stopped: str | None) -> str:
    if stopped is not None:
        return "A stopped child does nothing until SIGCONT continues it."
    if connected:
        return "The first message of a child must be its hello; PROTOCOL.md shows one."
    return (
        "A child must connect to the one-shot server that is named in its last argument (channel_name:…) "
        f"and in {SERVER_NAME_VARIABLE}."
    )


def _describe_timeout(evidence: HandshakeEvidence, silence: float) -> str:
    if not evidence.connected:
        runs = ", and still runs" if evidence.stopped is None else ""
        return f"the child did not connect within {silence:.1f} s{runs}"
    if evidence.begun:
        part = _describe_partial_hello(evidence.begun)
        return f"the child connected and sent {part}, which was not whole after {silence:.1f} s"
    return f"the child connected and said nothing for {silence:.1f} s"


def _describe_failure_before_connect(ended: str | None, error: BaseException | None) -> str:
    if ended is not None:
        return f"the child {ended} before it connected"
    if error is not None:
        return f"the child could not connect: {error}"
    return "the handshake was broken off before the child had connected"


def _describe_failure_after_connect(ended: str | None, error: BaseException | None) -> str:
    if isinstance(error, Disconnected):
        part = f", {error.unfinished} bytes into its first message" if error.unfinished else ""
        if ended is not None:
            return f"the child connected and {ended} before its hello{part}"
        return f"the child connected and closed the connection before its hello{part}"
    if error is not None:
        return f"the child connected, but {error}"
    if ended is not None:
        return f"the child connected and {ended} before its hello"
    return "the handshake was broken off before the child had said hello"


def _describe_partial_hello(begun: int) -> str:
    return f"{begun} byte{'' if begun == 1 else 's'} of its first message"


def quote_last_output(stderr: bytes, stdout: bytes) -> str:
    """What a child printed last, on stderr if anything: ``it printed on stderr: "…"``."""
    for stream, output in (("stderr", stderr), ("stdout", stdout)):
        lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
        shown = [render_value(line, _QUOTED_WIDTH) for line in lines if line][-_QUOTED_LINES:]
        if shown:
            return f"it printed on {stream}: {' '.join(shown)}"
    return "it printed nothing on stderr"


_CHILD_STEPS: Final = ("connected", "hello")
"""What depends on the child, and so can be late."""


class HandshakeMonitor:
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
        ladder: Handshake,
        process: Process,
        *,
        jobs: JobControl,
        printing: OutputReader,
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
        patience = late_threshold(timeout)
        deadline = self._spawned_at + int(timeout * 1e9)
        for step in _CHILD_STEPS:
            if self._timeline.now() + patience * 1e9 >= deadline:
                return
            reached = asyncio.create_task(self._ladder.reached(step))
            try:
                await wait_for_first(reached, within=patience)
                if not reached.done():
                    self._emit_late_step()
                    await reached
            finally:
                reached.cancel()

    async def explain_failure(self, error: BaseException | None, *, timed_out: bool) -> str:
        """Why the handshake failed; the evidence is what the child printed and how it ended.

        Args:
            error: What was wrong with its hello, None if none came.
            timed_out: Whether its time was over.
        """
        process = self._process
        if isinstance(error, Disconnected):  # it is ending, if it has not ended
            await wait_for_first(process.exited, within=DRAIN_SECONDS)
        if process.exited.done():
            await self._printing.drain(DRAIN_SECONDS, DRAIN_BYTES)
        return explain_failure(
            self._evidence(), error=error, silence=self._waited() / 1e9 if timed_out else None
        )

    def _emit_late_step(self) -> None:
        evidence = self._evidence()
        waited = self._waited()
        self._timeline.add(
            StepLate(
                at=self._timeline.stamp(),
                run=self._run,
                step=self._ladder.step,
                waited=waited,
                sentence=describe_delay(evidence, waited / 1e9),
            )
        )

    def _evidence(self) -> HandshakeEvidence:
        """What is known at this moment; what the child has printed by now becomes events."""
        process = self._process
        if process.exit is None:
            self._printing.catch_up()
        self._jobs.look()
        return HandshakeEvidence(
            connected=self._ladder.connected_at is not None,
            begun=self._ladder.begun,
            ended=None if process.exit is None else str(process.exit),
            stopped=None if process.stopped is None else signal_name(process.stopped),
            words=quote_last_output(*self._printing.tails),
        )

    def _waited(self) -> int:
        """Nanoseconds since the last step that was reached."""
        return self._timeline.now() - (self._ladder.connected_at or self._spawned_at)
