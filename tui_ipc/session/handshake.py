"""What the handshake asks of a child, and the sentences that say why it failed.

The one rule: a sentence names the step, the evidence and the likely cure, in this order. Everything here is
pure.
"""

from collections.abc import Sequence
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


def explain(
    *,
    connected: bool,
    ended: str | None,
    error: BaseException | None,
    silence: float | None,
    begun: int = 0,
    stopped: str | None = None,
    words: str,
) -> str:
    """Why the handshake failed.

    Args:
        connected: Whether the child had connected.
        ended: How the child ended, None if it lives.
        error: What was wrong with its hello, None if none came.
        silence: Seconds for which the child did nothing of use until its time was over; None if there was
            time left.
        begun: Bytes of its first message that came until then.
        stopped: The name of the signal that it was stopped by when its time was over, None if it ran.
        words: See :func:`last_words`.
    """
    if connected:
        happened = _after_connecting(ended, error, silence, begun)
    else:
        happened = _before_connecting(ended, error, silence)
    if stopped is not None:
        happened += f": {_stopped(stopped)}"
    elif silence is not None and not connected:
        happened += ", and still runs"
    return f"{happened}; {words}. {_cure(connected, stopped)}"


def late_after(timeout: float) -> float:
    """Seconds after which a step of the handshake is late, of the ``timeout`` for all of them."""
    return max(timeout / _PATIENCE, _LEAST_PATIENCE)


def late(*, connected: bool, waited: float, stopped: str | None, words: str) -> str:
    """What is waited for, if a step takes long and may still come.

    Args:
        connected: Whether the child has connected, so that its hello is waited for.
        waited: Seconds since the step before.
        stopped: The name of the signal that the child is stopped by, None if it runs.
        words: See :func:`last_words`.
    """
    if connected:
        happened = f"the child connected {waited:.1f} s ago and has not said hello"
    else:
        happened = f"the child has run for {waited:.1f} s and has not connected"
    if stopped is not None:
        happened += f": {_stopped(stopped)}"
    return f"{happened}; {words}. {_cure(connected, stopped)}"


def _stopped(name: str) -> str:
    return f"it is stopped by {name}"


def _cure(connected: bool, stopped: str | None) -> str:
    if stopped is not None:
        return "A stopped child does nothing until SIGCONT continues it."
    if connected:
        return "The first message of a child must be its hello; PROTOCOL.md shows one."
    return (
        "A child must connect to the one-shot server that is named in its last argument (channel_name:…) "
        f"and in {VARIABLE}."
    )


def _before_connecting(ended: str | None, error: BaseException | None, silence: float | None) -> str:
    if ended is not None:
        return f"the child {ended} before it connected"
    if silence is not None:
        return f"the child did not connect within {silence:.1f} s"
    if error is not None:
        return f"the child could not connect: {error}"
    return "the handshake was broken off before the child had connected"


def _after_connecting(
    ended: str | None, error: BaseException | None, silence: float | None, begun: int
) -> str:
    if isinstance(error, Disconnected):
        part = f", {error.unfinished} bytes into its first message" if error.unfinished else ""
        if ended is not None:
            return f"the child connected and {ended} before its hello{part}"
        return f"the child connected and closed the connection before its hello{part}"
    if error is not None:
        return f"the child connected, but {error}"
    if ended is not None:
        return f"the child connected and {ended} before its hello"
    if silence is not None and begun:
        part = f"{begun} byte{'' if begun == 1 else 's'} of its first message"
        return f"the child connected and sent {part}, which was not whole after {silence:.1f} s"
    if silence is not None:
        return f"the child connected and said nothing for {silence:.1f} s"
    return "the handshake was broken off before the child had said hello"


def last_words(stderr: bytes, stdout: bytes) -> str:
    """What a child printed last, on stderr if anything: ``it printed on stderr: "…"``."""
    for stream, output in (("stderr", stderr), ("stdout", stdout)):
        lines = [line.strip() for line in output.decode(errors="replace").splitlines()]
        shown = [render(line, _WIDTH) for line in lines if line][-_LINES:]
        if shown:
            return f"it printed on {stream}: {' '.join(shown)}"
    return "it printed nothing on stderr"
