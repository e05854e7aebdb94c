"""A program on a pseudo-terminal that nobody looks at, and the moments at which texts came onto its screen.

Every wait has an end, and the program has one too, whatever happens.
"""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Self

from tests.benchmarks.measure import CPUS

ROWS, COLUMNS = 36, 120

_TAIL = 256  # bytes that are looked at once more: a text may come in two pieces


class NotShownError(Exception):
    """A text did not come onto the screen; the text says which, and what came last."""


class Terminal:
    """Runs a command on a terminal of its own, and on all CPUs that we may use.

    Args:
        command: The program and its arguments.
        environment: Its environment; what it says of the terminal is replaced.

    Attributes:
        seen: When a text that was watched for came, by :func:`time.perf_counter`.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = {
            **{
                name: text
                for name, text in environment.items()
                if name not in {"COLUMNS", "LINES", "NO_COLOR"}
            },
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "TUI_IPC_SETTINGS": "",  # nor are the user's settings for a benchmark
            "TUI_IPC_HISTORY": "",  # what a benchmark types is not for the user's history
        }
        self._wanted: set[bytes] = set()
        self._tail = b""
        self.seen: dict[bytes, float] = {}

    def __enter__(self) -> Self:
        self._master, slave = pty.openpty()
        try:
            fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
            self._process = subprocess.Popen(
                self._command,
                stdin=slave,
                stdout=slave,
                stderr=slave,
                env=self._environment,
                start_new_session=True,
            )
            os.sched_setaffinity(self._process.pid, CPUS)
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()
        finally:
            os.close(self._master)

    @property
    def pid(self) -> int:
        """That of the program."""
        return self._process.pid

    def type(self, keys: bytes) -> float:
        """Press keys; the moment of it."""
        now = perf_counter()
        os.write(self._master, keys)
        return now

    def watch(self, text: bytes) -> None:
        """From now on, note when a text comes."""
        assert len(text) <= _TAIL
        self.seen.pop(text, None)
        self._wanted.add(text)

    def read(self, deadline: float) -> bool:
        """Take what the program writes next.

        Returns:
            Whether there was something before the deadline, and the program still writes.
        """
        patience = deadline - perf_counter()
        if patience < 0 or not select.select([self._master], [], [], patience)[0]:
            return False
        try:
            piece = os.read(self._master, 1 << 16)
        except OSError:  # EIO: it has ended
            return False
        now = perf_counter()
        data = self._tail + piece
        for text in [text for text in self._wanted if text in data]:
            self._wanted.discard(text)
            self.seen[text] = now
        self._tail = data[-_TAIL:]
        return True

    def until(self, text: bytes, seconds: float) -> float:
        """Read until a text that is watched for has come; the moment at which it did.

        Raises:
            NotShownError: It did not come in time.
        """
        deadline = perf_counter() + seconds
        while text not in self.seen:
            if not self.read(deadline):
                raise NotShownError(f"{text!r} did not come within {seconds} s; the last was {self._tail!r}")
        return self.seen[text]

    def leave(self, keys: bytes, seconds: float) -> None:
        """Press the keys that end the program, and let it end."""
        self.type(keys)
        deadline = perf_counter() + seconds
        while self.read(deadline):
            pass
        self._process.wait(seconds)
