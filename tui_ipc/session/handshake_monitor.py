"""Watches a handshake: which step is late, why the handshake failed, and what would help.

What it reports names the step, the evidence and the likely remedy, in this order.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from tui_ipc.events import StepLate
from tui_ipc.ipc.errors import Disconnected
from tui_ipc.ipc.hello import SERVER_NAME_ARGUMENT, SERVER_NAME_VARIABLE, InvalidHello
from tui_ipc.osutil import process_group
from tui_ipc.osutil.async_waits import wait_for_first
from tui_ipc.osutil.procfs import read_process_name
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.handshake import HANDSHAKE_STEPS, Handshake
from tui_ipc.session.mistakes import describe_limit, explain_fault, explain_first_bytes, quote_bytes
from tui_ipc.session.output import DRAIN_BYTES, DRAIN_SECONDS
from tui_ipc.session.process import RunParts
from tui_ipc.session.unfinished import find_unfinished
from tui_ipc.text.notation import render_value
from tui_ipc.text.units import format_plural

_LATE_DIVISOR: Final = 5
_MIN_LATE_SECONDS: Final = 0.5
"""A step is late after this part of the time for all of them, and after so many seconds at least: programs
need time to load."""

_MAX_PROCESSES: Final = 5  # that are named
_QUOTED_LINES: Final = 3  # of what the child printed last
_QUOTED_WIDTH: Final = 200  # characters of each


@dataclass(frozen=True, slots=True, kw_only=True)
class HandshakeEvidence:
    """What is known of a child whose handshake takes long or has failed.

    Attributes:
        connected: Whether it has connected.
        partial_hello_size: Bytes of its first message that have come, while it is not complete.
        first_bytes: What it has sent, from the first byte on.
        processes: Those that the child's session has, in words, if there are several.
        rejected: Who was turned away for being another user, in words; empty if nobody was.
        exit_text: How it ended, None if it lives.
        stopped_by: The name of the signal that it is stopped by, None if it runs or has ended.
        last_output: See :func:`quote_last_output`.
    """

    connected: bool
    partial_hello_size: int
    first_bytes: bytes = b""
    processes: tuple[str, ...] = ()
    rejected: str = ""
    exit_text: str | None
    stopped_by: str | None
    last_output: str


def explain_failure(
    evidence: HandshakeEvidence, *, error: BaseException | None, silence: float | None
) -> str:
    """Explain why the handshake failed.

    Args:
        evidence: What is known of the child.
        error: What was wrong with its hello, None if none came.
        silence: Seconds for which the child did nothing of use until its time was over; None if there was
            time left.
    """
    is_idle = silence is not None and evidence.exit_text is None  # it may have ended just then
    if silence is not None and is_idle:
        happened = _describe_timeout(evidence, silence)
    elif evidence.connected:
        happened = _describe_failure_after_connect(evidence.exit_text, error)
    else:
        happened = _describe_failure_before_connect(evidence.exit_text, error)
    return _append_evidence(happened, evidence, error, is_idle=is_idle)


def late_threshold(timeout: float) -> float:
    """Return the seconds after which a step is late, if all of them have ``timeout`` seconds."""
    return max(timeout / _LATE_DIVISOR, _MIN_LATE_SECONDS)


def describe_delay(evidence: HandshakeEvidence, waited: float) -> str:
    """Describe what is waited for, if a step takes long and may still come.

    Args:
        evidence: What is known of the child.
        waited: Seconds since the step before.
    """
    if not evidence.connected:
        happened = f"the child has run for {waited:.1f} s and has not connected"
    elif evidence.partial_hello_size:
        part = _describe_partial_hello(evidence)
        happened = f"the child connected {waited:.1f} s ago and has sent only {part}"
    else:
        happened = f"the child connected {waited:.1f} s ago and has not sent its hello"
    return _append_evidence(happened, evidence, is_idle=True)


def _append_evidence(
    happened: str, evidence: HandshakeEvidence, error: BaseException | None = None, *, is_idle: bool
) -> str:
    # That a child is stopped explains what it does not do, but not what it did wrong.
    stopped_by = evidence.stopped_by if is_idle else None
    if stopped_by is not None:
        happened += f": it is stopped by {stopped_by}"
    if not evidence.connected and evidence.rejected:
        happened += f"; {evidence.rejected}"
    cause = explain_first_bytes(evidence.first_bytes)
    if evidence.first_bytes and (cause or not isinstance(error, InvalidHello)):  # which shows the message
        happened += f"; it sent {quote_bytes(evidence.first_bytes)}"
    remedy = cause or explain_fault(str(error or "")) or _suggest_remedy(evidence.connected, stopped_by)
    return f"{happened}; {evidence.last_output}. {remedy}"


def _suggest_remedy(connected: bool, stopped_by: str | None) -> str:
    if stopped_by is not None:
        return "A stopped child does nothing until SIGCONT continues it."
    if connected:
        return "The first message of a child must be its hello; PROTOCOL.md shows one."
    return (
        "A child must connect to the one-shot server that is named in its last argument "
        f"({SERVER_NAME_ARGUMENT}…) and in {SERVER_NAME_VARIABLE}."
    )


def _describe_timeout(evidence: HandshakeEvidence, silence: float) -> str:
    if not evidence.connected:
        names = f": {', '.join(evidence.processes)}" if evidence.processes else ""
        runs = f", and still runs{names}" if evidence.stopped_by is None else ""
        return f"the child did not connect within {silence:.1f} s{runs}"
    if evidence.partial_hello_size:
        part = _describe_partial_hello(evidence)
        return f"the child connected and sent {part}, which was not complete after {silence:.1f} s"
    return f"the child connected and sent nothing for {silence:.1f} s"


def _describe_failure_before_connect(exit_text: str | None, error: BaseException | None) -> str:
    if exit_text is not None:
        return f"the child {exit_text} before it connected"
    if error is not None:
        return f"the child could not connect: {error}"
    return "the handshake was broken off before the child had connected"


def _describe_failure_after_connect(exit_text: str | None, error: BaseException | None) -> str:
    if isinstance(error, Disconnected):
        part = f", {error.unfinished} bytes into its first message" if error.unfinished else ""
        if exit_text is not None:
            return f"the child connected and {exit_text} before its hello{part}"
        return f"the child connected and closed the connection before its hello{part}"
    if error is not None:
        return f"the child connected, but {describe_limit(error)}"
    if exit_text is not None:
        return f"the child connected and {exit_text} before its hello"
    return "the handshake was broken off before the child had sent its hello"


def _describe_partial_hello(evidence: HandshakeEvidence) -> str:
    begun = find_unfinished(evidence.first_bytes, evidence.partial_hello_size)
    content = "" if begun is None or not begun.content else f" ({begun.content})"
    return f"{format_plural(evidence.partial_hello_size, 'byte')} of its first message{content}"


def quote_last_output(stderr: bytes, stdout: bytes) -> str:
    """Quote what a child printed last, on stderr if anything: ``it printed on stderr: "…"``."""
    for stream, output in (("stderr", stderr), ("stdout", stdout)):
        lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
        shown = [render_value(line, _QUOTED_WIDTH) for line in lines if line][-_QUOTED_LINES:]
        if shown:
            return f"it printed on {stream}: {' '.join(shown)}"
    return "it printed nothing on stderr"


def _name_processes(sid: int) -> tuple[str, ...]:
    """Name the processes of a child's session, if there are several."""
    pids = process_group.session_processes(sid)[:_MAX_PROCESSES]
    return tuple(str(read_process_name(pid)) for pid in pids) if len(pids) > 1 else ()


class HandshakeMonitor:
    """Watches the handshake of one run from the spawn on. Owns nothing.

    Args:
        parts: The run's.
        handshake: The handshake.
    """

    def __init__(self, parts: RunParts, handshake: Handshake) -> None:
        self._parts = parts
        self._handshake = handshake
        self._spawned_at = parts.timeline.now()

    async def watch(self, timeout: float) -> None:
        """Emit an event for each step that takes long.

        Args:
            timeout: Seconds for the whole handshake; a step that would be late only after them fails instead.
        """
        threshold = late_threshold(timeout)
        deadline = self._spawned_at + int(timeout * 1e9)
        for name, step in HANDSHAKE_STEPS.items():
            if not step.needs_child:
                continue
            if self._parts.timeline.now() + threshold * 1e9 >= deadline:
                return
            reached = asyncio.create_task(self._handshake.wait_until_reached(name))
            try:
                await wait_for_first(reached, timeout=threshold)
                if not reached.done():
                    self._emit_late_step()
                    await reached
            finally:
                reached.cancel()

    async def explain(self, error: BaseException | None, *, timed_out: bool) -> str:
        """Explain why the handshake failed; the evidence is what the child printed and how it ended.

        Args:
            error: What was wrong with its hello, None if none came.
            timed_out: Whether its time was over.
        """
        exited = self._parts.process.exited
        if isinstance(error, Disconnected):  # it is ending, if it has not ended
            await wait_for_first(exited, timeout=DRAIN_SECONDS)
        if exited.done():
            await self._parts.output.drain(DRAIN_SECONDS, DRAIN_BYTES)
        silence = self._elapsed() / 1e9 if timed_out else None
        return explain_failure(self._collect_evidence(), error=error, silence=silence)

    def _emit_late_step(self) -> None:
        evidence = self._collect_evidence()
        elapsed = self._elapsed()
        self._parts.timeline.add(
            StepLate(
                at=self._parts.timeline.stamp(),
                run=self._parts.run,
                step=self._handshake.step,
                waited=elapsed,
                sentence=describe_delay(evidence, elapsed / 1e9),
            )
        )

    def _collect_evidence(self) -> HandshakeEvidence:
        """Look at the child; what it has printed by now becomes events."""
        process = self._parts.process
        if process.exit_status is None:
            self._parts.output.emit_available()
        self._parts.jobs.poll()
        return HandshakeEvidence(
            connected=self._handshake.connected_at is not None,
            partial_hello_size=self._handshake.partial_hello_size,
            first_bytes=self._handshake.first_bytes,
            processes=() if process.exit_status is not None else _name_processes(process.pid),
            rejected=self._handshake.rejected,
            exit_text=None if process.exit_status is None else str(process.exit_status),
            stopped_by=None if process.stopped_by is None else signal_name(process.stopped_by),
            last_output=quote_last_output(*self._parts.output.last_output),
        )

    def _elapsed(self) -> int:
        """Nanoseconds since the last step that was reached."""
        return self._parts.timeline.now() - (self._handshake.connected_at or self._spawned_at)
