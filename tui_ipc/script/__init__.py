"""Scripts: conversations with a child, run without a screen, for CI. Here are the exit codes of a call."""

from enum import IntEnum
from typing import Final


class ExitCode(IntEnum):
    """How a call ended; CI decides by it."""

    PASSED = 0
    UNEXPECTED = 1
    USAGE = 2
    NO_HANDSHAKE = 3
    TIMED_OUT = 4
    CHILD_FAILED = 5


SIGNAL_EXIT_BASE: Final = 128
"""Added to the number of the signal that ended the call, as a shell does: 130 after SIGINT."""

EXIT_CODE_MEANINGS: Final = (
    ("0", "passed"),
    ("1", "an expectation of the script was not met"),
    ("2", "a mistake in the command line or a script, or a file that is unusable"),
    ("3", "the child could not be started, or the handshake failed"),
    ("4", "timed out: nothing came in time, or the child did not read a message"),
    ("5", "the child died, broke the protocol, or did not quit with exit code 0"),
    ("70", "tui-ipc itself failed; it prints where the traceback is"),
    ("130", "interrupted by SIGINT (Ctrl-C); 128 + N in general, after signal N"),
)
"""Each code and its meaning, for the help."""
