"""The history of the message input, kept across starts, and the completion that it and earlier messages feed.

The history's file is a convenience: if it cannot be used, the user reads one sentence, and the texts are lost
at the end. It has one text a line, the newest last. All explorers share it: each appends under a lock
(flock(2)), and each trims it at its start by putting a new file in its place.
"""

import errno
import fcntl
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from platformdirs import user_state_path
from textual.suggester import Suggester

from tui_ipc.osutil.files import replace_file
from tui_ipc.text import notation

HISTORY_LIMIT: Final = 1_000
"""How many texts the history has."""

STORED_TEXT_LIMIT: Final = 10_000
"""The longest text that is written to the file, in characters."""

FILE_LIMIT: Final = 4 << 20
"""How many bytes at the end of the file are read."""

LOCK_ATTEMPTS: Final = 50
LOCK_PAUSE: Final = 0.01
"""How often the lock is asked for, and how many seconds apart: a start or an Enter waits half a second."""


def history_path() -> Path | None:
    """The user's own file. ``TUI_IPC_HISTORY`` in the environment names another or, empty, none."""
    named = os.environ.get("TUI_IPC_HISTORY")
    if named is None:
        return user_state_path("tui-ipc") / "history"
    return Path(named) if named else None


class InputHistory:
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
        """The texts that begin with a prefix and are longer."""
        return (text for text in reversed(self._texts) if text.startswith(prefix) and text != prefix)

    def load(self) -> None:
        """Read the file, and trim it.

        Raises:
            OSError: The file cannot be read or written; the texts that were read are in the history.
        """
        if self._path is None:
            return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _open_locked(self._path) as descriptor:
            size = os.fstat(descriptor).st_size
            data = os.pread(descriptor, FILE_LIMIT, max(0, size - FILE_LIMIT))
            lines = data.decode(errors="replace").split("\n")
            if size > FILE_LIMIT:
                del lines[0]  # it was not read from its beginning
            for line in lines:
                self.keep(line)
            kept = "".join(f"{text}\n" for text in self._texts).encode()
            if kept != data:
                replace_file(str(self._path.resolve()), kept, mode=0o600)  # a link stays a link

    def add(self, text: str) -> None:
        """Add a text, unless it begins with a space, by which shells too keep a command out of their history.

        Raises:
            OSError: It cannot be written to the file; it is in the history until the end.
        """
        if not text or text[0] == " ":
            return
        self.keep(text)
        if self._path is None or len(text) > STORED_TEXT_LIMIT or "\n" in text:
            return
        with _open_locked(self._path) as descriptor:
            _append(descriptor, f"{text}\n".encode(errors="replace"))

    def detach(self) -> None:
        """Neither read nor write the file from now on."""
        self._path = None

    def keep(self, text: str) -> None:
        """Add a text, if it is not empty, until the end: it is not written to the file."""
        self._texts.pop(text, None)
        if text:
            self._texts[text] = None
        if len(self._texts) > HISTORY_LIMIT:
            del self._texts[next(iter(self._texts))]


@contextmanager
def _open_locked(path: Path) -> Iterator[int]:
    """Open a file, or make it, and lock it; yields the descriptor, to read and append.

    Raises:
        OSError: It cannot be opened, is not a regular file, or another process keeps it locked.
    """
    # O_NONBLOCK is for a FIFO of that name, which would block until somebody opened its other end.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    for _ in range(LOCK_ATTEMPTS):
        descriptor = os.open(path, flags, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{path} is not a regular file")
            # Another explorer may have replaced the file while we waited. Then we have locked one without a
            # name, and what we wrote to it would be lost.
            if _try_lock(descriptor) and _has_path(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)
        time.sleep(LOCK_PAUSE)
    raise OSError(f"{path} is locked by another program")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_path(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _append(descriptor: int, data: bytes) -> None:
    size = os.fstat(descriptor).st_size
    if os.write(descriptor, data) < len(data):
        os.ftruncate(descriptor, size)  # the disk is full; half a line would run into the next one
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


VOCABULARY_LIMIT: Final = 1_000
"""How many words the vocabulary has."""

WORD_LIMIT: Final = 40
"""The longest word, in characters."""

LEARN_LIMIT: Final = 200
"""How many parts of a value are visited."""

COMPLETION_LIMIT: Final = 2_000
"""The longest text that is completed, in characters."""

_STRUCTURED_START: Final = re.compile(r"\s*[\[{(\"]")
# Matches a text that ends inside of quotes. The quantifiers are possessive (*+), so that a text is read once:
# what does not match is not tried again in other ways.
_OPEN_QUOTE: Final = re.compile(
    r"""(?:[^"]|"(?:[^"\\]|\\.)*+")*+ "(?P<prefix>(?:[^"\\]|\\.)++)""", re.VERBOSE | re.DOTALL
)


class Vocabulary:
    """The keys and short strings of messages, as they are written between quotes, the latest last."""

    def __init__(self) -> None:
        self._words: dict[str, None] = {}

    def learn(self, value: Any) -> None:
        """Add the words of a value."""
        for text in _iterate_strings(value):
            word = notation.render_value(text)[1:-1]
            if 1 < len(word) <= WORD_LIMIT:
                self._words.pop(word, None)
                self._words[word] = None
        while len(self._words) > VOCABULARY_LIMIT:
            del self._words[next(iter(self._words))]

    def complete(self, prefix: str) -> str | None:
        """Return the latest word that begins with a prefix and is longer, None if there is none."""
        longer = (word for word in reversed(self._words) if word.startswith(prefix) and word != prefix)
        return next(longer, None)


def _iterate_strings(value: Any) -> Iterable[str]:
    """Yield the short strings of a value, breadth first, out of its first :data:`LEARN_LIMIT` parts."""
    parts = [value]
    for part in parts:  # the loop body appends to it
        if isinstance(part, str) and len(part) <= WORD_LIMIT:
            yield part
        room = LEARN_LIMIT - len(parts)
        if room <= 0 or not part:
            continue
        if isinstance(part, dict):
            for key, held in part.items():
                if len(parts) >= LEARN_LIMIT:
                    break
                parts += (key, held)
        elif isinstance(part, list | tuple):
            parts += part[:room]


class MessageSuggester(Suggester):
    """Suggests how a message goes on; Textual shows it in grey after the cursor.

    Args:
        history: The texts that were sent.
        vocabulary: The words of messages.
    """

    def __init__(self, history: InputHistory, vocabulary: Vocabulary) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._history = history
        self._vocabulary = vocabulary

    async def get_suggestion(self, value: str) -> str | None:
        """The newest text that begins like ``value``; else, inside of quotes, the latest word that does."""
        if len(value) > COMPLETION_LIMIT:
            return None
        return next(self._history.newest_first(value), None) or self._complete_word(value)

    def _complete_word(self, value: str) -> str | None:
        ends = _OPEN_QUOTE.fullmatch(value) if _STRUCTURED_START.match(value) else None
        word = self._vocabulary.complete(ends["prefix"]) if ends else None
        return f'{value[: ends.start("prefix")]}{word}"' if ends and word else None
