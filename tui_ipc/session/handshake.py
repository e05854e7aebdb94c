"""What the handshake asks of a child, and the sentences that say why it failed.

The one rule: a sentence names the step, the evidence and the likely cure, in this order. Everything here is
pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tui_ipc.ipc.errors import Disconnected
from tui_ipc.session.notation import render

PLACEHOLDER: Final = "{channel_name}"
"""Where a command wants the server name, if not as its last argument."""

VARIABLE: Final = "TUI_IPC_SERVER"
"""The environment variable that holds the server name."""

_PATIENCE: Final = 5
_LEAST_PATIENCE: Final = 0.5
"""A step is late after this part of the time for all of them, and after so many seconds at least."""

_LINES: Final = 3  # of what the child printed last
_WIDTH: Final = 200  # characters of each


class HandshakeError(Exception):
    """The child did not complete the handshake; the text says at which step, why, and what would help.

    Attributes:
        timed_out: True if the deadline passed, False if the handshake failed at once.
    """

    def __init__(self, sentence: str, *, timed_out: bool) -> None:
        super().__init__(sentence)
        self.timed_out = timed_out


def command_line(command: Sequence[str], server: str) -> tuple[str, ...]:
    """The command with the server's name in it: at each ``{channel_name}``, else as a last argument."""
    if any(PLACEHOLDER in word for word in command):
        return tuple(word.replace(PLACEHOLDER, server) for word in command)
    return (*command, f"channel_name:{server}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
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


def explain(evidence: Evidence, *, error: BaseException | None, silence: float | None) -> str:
    """Why the handshake failed.

    Args:
        evidence: What is known of the child.
        error: What was wrong with its hello, None if none came.
        silence: Seconds for which the child did nothing of use until its time was over; None if there was
            time left.
    """
    idle = silence is not None and evidence.ended is None  # it may have ended just then
    if silence is not None and idle:
        happened = _timed_out(evidence, silence)
    elif evidence.connected:
        happened = _after_connecting(evidence.ended, error)
    else:
        happened = _before_connecting(evidence.ended, error)
    return _with_evidence(happened, evidence, idle=idle)


def late_after(timeout: float) -> float:
    """Seconds after which a step of the handshake is late, of the ``timeout`` for all of them."""
    return max(timeout / _PATIENCE, _LEAST_PATIENCE)


def late(evidence: Evidence, waited: float) -> str:
    """What is waited for, if a step takes long and may still come.

    Args:
        evidence: What is known of the child.
        waited: Seconds since the step before.
    """
    if not evidence.connected:
        happened = f"the child has run for {waited:.1f} s and has not connected"
    elif evidence.begun:
        happened = f"the child connected {waited:.1f} s ago and has sent only {_part(evidence.begun)}"
    else:
        happened = f"the child connected {waited:.1f} s ago and has not said hello"
    return _with_evidence(happened, evidence, idle=True)


def _with_evidence(happened: str, evidence: Evidence, *, idle: bool) -> str:
    """The whole sentence. That a child is stopped is the reason only of what it does not do."""
    stopped = evidence.stopped if idle else None
    if stopped is not None:
        happened += f": it is stopped by {stopped}"
    return f"{happened}; {evidence.words}. {_cure(evidence.connected, stopped)}"


def _cure(connected: bool, stopped: str | None) -> str:
    if stopped is not None:
        return "A stopped child does nothing until SIGCONT continues it."
    if connected:
        return "The first message of a child must be its hello; PROTOCOL.md shows one."
    return (
        "A child must connect to the one-shot server that is named in its last argument (channel_name:…) "
        f"and in {VARIABLE}."
    )


def _timed_out(evidence: Evidence, silence: float) -> str:
    if not evidence.connected:
        runs = ", and still runs" if evidence.stopped is None else ""
        return f"the child did not connect within {silence:.1f} s{runs}"
    if evidence.begun:
        part = _part(evidence.begun)
        return f"the child connected and sent {part}, which was not whole after {silence:.1f} s"
    return f"the child connected and said nothing for {silence:.1f} s"


def _before_connecting(ended: str | None, error: BaseException | None) -> str:
    if ended is not None:
        return f"the child {ended} before it connected"
    if error is not None:
        return f"the child could not connect: {error}"
    return "the handshake was broken off before the child had connected"


def _after_connecting(ended: str | None, error: BaseException | None) -> str:
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


def _part(begun: int) -> str:
    return f"{begun} byte{'' if begun == 1 else 's'} of its first message"


def last_words(stderr: bytes, stdout: bytes) -> str:
    """What a child printed last, on stderr if anything: ``it printed on stderr: "…"``."""
    for stream, output in (("stderr", stderr), ("stdout", stdout)):
        lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
        shown = [render(line, _WIDTH) for line in lines if line][-_LINES:]
        if shown:
            return f"it printed on {stream}: {' '.join(shown)}"
    return "it printed nothing on stderr"
