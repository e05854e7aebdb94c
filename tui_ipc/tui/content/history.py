"""What was sent before, kept across starts: a list for the arrows, and a file that explorers share.

The rule: the file is a convenience. Whatever is wrong with it is told once, in a sentence, and costs nothing
but the memory of later starts.

The file holds one text a line, the newest last. Every explorer appends under a lock (flock(2)); one that
starts trims it, by a new file in the old one's place. So whoever has waited for the lock looks whether what
it locked is still the file of that name.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from platformdirs import user_state_path

from tui_ipc.session.replacing import replace
from tui_ipc.tui.content.sanitize import visible

LIMIT: Final = 1_000
"""How many texts are kept."""

TEXT_LIMIT: Final = 10_000
"""How long a text may be, in characters, to be written to the file."""

FILE_LIMIT: Final = 4 << 20
"""How many bytes at the end of the file are read."""

TRIES: Final = 50
PAUSE: Final = 0.01
"""So often the lock is asked for, and so many seconds apart: neither a start nor Enter waits for long."""


def history_path() -> Path | None:
    """The user's own file. ``TUI_IPC_HISTORY`` in the environment names another or, empty, none."""
    named = os.environ.get("TUI_IPC_HISTORY")
    if named is None:
        return user_state_path("tui-ipc") / "history"
    return Path(named) if named else None


class History:
    """The texts that were sent, oldest first, each once: where it was sent last.

    Args:
        path: The file that keeps them, None to forget them at the end.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._texts: dict[str, None] = {}  # a dict keeps an order, and takes no time to look a text up

    def __len__(self) -> int:
        return len(self._texts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._texts)

    def newest_first(self, prefix: str) -> Iterator[str]:
        """The texts that begin so, and go on."""
        return (text for text in reversed(self._texts) if text.startswith(prefix) and text != prefix)

    def load(self) -> None:
        """Take in what the file holds, and trim it.

        Raises:
            OSError: It cannot be read or written; what was read counts.
        """
        if self._path is None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _locked(self._path) as descriptor:
            size = os.fstat(descriptor).st_size
            data = os.pread(descriptor, FILE_LIMIT, max(0, size - FILE_LIMIT))
            lines = data.decode(errors="replace").split("\n")
            if size > FILE_LIMIT:
                del lines[0]  # its beginning is not among what was read
            for line in lines:
                self._keep(visible(line))
            kept = "".join(f"{text}\n" for text in self._texts).encode()
            if kept != data:
                replace(str(self._path.resolve()), kept, mode=0o600)  # a link leads on to it

    def add(self, text: str) -> None:
        """Remember a text, unless it begins with a space: the shell's way to say that it is a secret.

        Raises:
            OSError: It cannot be written to the file; it is remembered until the end.
        """
        if not text or text[0] == " ":
            return
        self._keep(text)
        if self._path is None or len(text) > TEXT_LIMIT or "\n" in text:
            return
        with _locked(self._path) as descriptor:
            _append(descriptor, f"{text}\n".encode(errors="replace"))

    def detach(self) -> None:
        """Leave the file alone from now on."""
        self._path = None

    def _keep(self, text: str) -> None:
        self._texts.pop(text, None)
        if text:
            self._texts[text] = None
        if len(self._texts) > LIMIT:
            del self._texts[next(iter(self._texts))]


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """The file that has this name, made if there is none, to be read and appended to by nobody else.

    Raises:
        OSError: It cannot be opened, is no regular file, or another keeps it locked.
    """
    flags = (
        os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    )  # a FIFO must not make us wait
    for _ in range(TRIES):
        descriptor = os.open(path, flags, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{path} is no regular file")
            if _lock(descriptor) and _is_at(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)
        time.sleep(PAUSE)
    raise OSError(f"another program keeps {path} locked")


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether a file still has its name: another explorer may have put a trimmed one in its place."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _append(descriptor: int, data: bytes) -> None:
    """Write a whole line or none: a part would run into the next one."""
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, data) < len(data):
        os.ftruncate(descriptor, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
