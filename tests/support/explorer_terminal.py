"""Runs the explorer as a process on a pseudo-terminal: a test types keys and reads all that it writes."""

import os
import pty
import re
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from tests.support.app_harness import WAIT_SECONDS

QUIET_SECONDS = 0.2
"""For how many seconds an explorer that has drawn everything writes nothing."""

MAX_DRAW_SECONDS = 1.0
"""For how many seconds we watch one that goes on drawing."""

SEARCHED_BYTES = 1 << 17
"""How many bytes back a text is looked for that has colours in it."""

_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")

# Makes the terminal its controlling one, as a shell does, so that closing the terminal sends SIGHUP; with
# LOOSE in the environment it does not, and no signal comes.
COMMAND = """\
import fcntl, os, sys, termios
if "LOOSE" not in os.environ:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from tui_ipc.tui.launch import run_explorer, run_replay
if sys.argv[1:2] == ["--"]:
    sys.exit(run_explorer(sys.argv[2:]))
sys.exit(run_replay(sys.argv[1]) if sys.argv[1:] else run_explorer())
"""


class Terminal:
    """An explorer on a pseudo-terminal.

    Attributes:
        process: Its process.
        master: Our side of the terminal.
        screen: What it has written since :meth:`forget`.
        written: All that it has written.
    """

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self.master = master
        self.screen = b""
        self.written = b""
        self._open = True

    def close(self) -> None:
        """Close the terminal, as when its window is closed."""
        if self._open:
            self._open = False
            os.close(self.master)

    def forget(self) -> None:
        """Ignore what was written until now in later waits."""
        self.screen = b""

    def type(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.master, keys)

    def has(self, text: bytes) -> bool:
        """Whether the explorer has written a text, in whatever colours, lately."""
        return text in self.screen or text in _SEQUENCE.sub(b"", self.screen[-SEARCHED_BYTES:])

    def read_until(self, text: bytes) -> None:
        """Return once the explorer has written a text."""
        deadline = monotonic() + WAIT_SECONDS
        while not self.has(text):
            assert select.select([self.master], [], [], max(0.0, deadline - monotonic()))[0], self.screen[
                -500:
            ]
            self._read()

    def press(self, *keys: bytes) -> None:
        """Press one key after the other, each when what the one before did can be seen."""
        for key in keys:
            self.type(key)
            deadline = monotonic() + MAX_DRAW_SECONDS
            while monotonic() < deadline and select.select([self.master], [], [], QUIET_SECONDS)[0]:
                self._read()

    def step(self, key: bytes, then: bytes) -> None:
        """Press a key, and return once a text is written that shows what it did."""
        self.forget()
        self.type(key)
        self.read_until(then)

    def _read(self) -> bytes:
        piece = os.read(self.master, 65536)
        self.screen += piece
        self.written += piece
        return piece

    def finish(self) -> int:
        """Read to the end, and return the exit code."""
        try:
            while select.select([self.master], [], [], WAIT_SECONDS)[0] and self._read():
                pass
        except OSError:
            pass  # EIO: the other side is closed
        return self.process.wait(WAIT_SECONDS)


@contextmanager
def terminal(*arguments: str, program: str = COMMAND, **environment: str) -> Iterator[Terminal]:
    """Start the explorer as a user does: the built-in child, a recording, or a command after ``--``.

    Args:
        arguments: The program's.
        program: What to run instead, in Python.
        environment: Is added to our own.
    """
    master, slave = pty.openpty()
    usual = {"TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"}
    process = subprocess.Popen(
        (sys.executable, "-c", program, *arguments),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env={**os.environ, **usual, **environment},
        start_new_session=True,
    )
    os.close(slave)
    it = Terminal(process, master)
    try:
        yield it
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        it.close()
