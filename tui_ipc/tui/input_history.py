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
from tui_ipc.text.safe_text import make_visible

HISTORY_LIMIT: Final = 1_000
"""How many texts are kept."""

STORED_TEXT_LIMIT: Final = 10_000
"""How long a text may be, in characters, to be written to the file."""

FILE_LIMIT: Final = 4 << 20
"""How many bytes at the end of the file are read."""

LOCK_ATTEMPTS: Final = 50
LOCK_PAUSE: Final = 0.01
"""So often the lock is asked for, and so many seconds apart: neither a start nor Enter waits for long."""


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
        with _open_locked(self._path) as descriptor:
            size = os.fstat(descriptor).st_size
            data = os.pread(descriptor, FILE_LIMIT, max(0, size - FILE_LIMIT))
            lines = data.decode(errors="replace").split("\n")
            if size > FILE_LIMIT:
                del lines[0]  # its beginning is not among what was read
            for line in lines:
                self._keep(make_visible(line))
            kept = "".join(f"{text}\n" for text in self._texts).encode()
            if kept != data:
                replace_file(str(self._path.resolve()), kept, mode=0o600)  # a link leads on to it

    def add(self, text: str) -> None:
        """Remember a text, unless it begins with a space: the shell's way to say that it is a secret.

        Raises:
            OSError: It cannot be written to the file; it is remembered until the end.
        """
        if not text or text[0] == " ":
            return
        self._keep(text)
        if self._path is None or len(text) > STORED_TEXT_LIMIT or "\n" in text:
            return
        with _open_locked(self._path) as descriptor:
            _append(descriptor, f"{text}\n".encode(errors="replace"))

    def detach(self) -> None:
        """Leave the file alone from now on."""
        self._path = None

    def _keep(self, text: str) -> None:
        self._texts.pop(text, None)
        if text:
            self._texts[text] = None
        if len(self._texts) > HISTORY_LIMIT:
            del self._texts[next(iter(self._texts))]


@contextmanager
def _open_locked(path: Path) -> Iterator[int]:
    """The file that has this name, made if there is none, to be read and appended to by nobody else.

    Raises:
        OSError: It cannot be opened, is no regular file, or another keeps it locked.
    """
    flags = (
        os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NONBLOCK
    )  # a FIFO must not make us wait
    for _ in range(LOCK_ATTEMPTS):
        descriptor = os.open(path, flags, 0o600)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(f"{path} is no regular file")
            if _try_lock(descriptor) and _has_path(descriptor, path):
                yield descriptor
                return
        finally:
            os.close(descriptor)
        time.sleep(LOCK_PAUSE)
    raise OSError(f"another program keeps {path} locked")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _has_path(descriptor: int, path: Path) -> bool:
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


VOCABULARY_LIMIT: Final = 1_000
"""How many words are known."""

WORD_LIMIT: Final = 40
"""How long a word may be, in characters."""

LEARN_LIMIT: Final = 200
"""How many parts of one value are looked at."""

COMPLETION_LIMIT: Final = 2_000
"""How long a text may be to be completed, in characters."""

_STRUCTURED_START: Final = re.compile(r"\s*[\[{(\"]")
_OPEN_QUOTE: Final = re.compile(  # possessive (*+): no text makes it backtrack
    r"""(?:[^"]|"(?:[^"\\]|\\.)*+")*+ "(?P<begun>(?:[^"\\]|\\.)++)""", re.VERBOSE | re.DOTALL
)


class Vocabulary:
    """The keys and short strings of messages, the latest last, as they are written between quotes."""

    def __init__(self) -> None:
        self._words: dict[str, None] = {}

    def learn(self, value: Any) -> None:
        """Take in the words of a value."""
        for text in _iterate_strings(value):
            word = notation.render_value(text)[1:-1]
            if 1 < len(word) <= WORD_LIMIT and make_visible(word) == word:
                self._words.pop(word, None)
                self._words[word] = None
        while len(self._words) > VOCABULARY_LIMIT:
            del self._words[next(iter(self._words))]

    def complete(self, begun: str) -> str | None:
        """The latest word that begins so and goes on; None if there is none."""
        longer = (word for word in reversed(self._words) if word.startswith(begun) and word != begun)
        return next(longer, None)


def _iterate_strings(value: Any) -> Iterable[str]:
    """Strings that a value holds: breadth first, of its first parts only."""
    parts = [value]
    for part in parts:  # grows meanwhile
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
    """Suggests how a message goes on: Textual shows it in grey behind the cursor.

    Args:
        history: What was sent.
        vocabulary: What messages held.
    """

    def __init__(self, history: InputHistory, vocabulary: Vocabulary) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._history = history
        self._vocabulary = vocabulary

    async def get_suggestion(self, value: str) -> str | None:
        """The newest message that begins so; else, in quotes, the latest word that does."""
        if len(value) > COMPLETION_LIMIT:
            return None
        return next(self._history.newest_first(value), None) or self._quoted(value)

    def _quoted(self, value: str) -> str | None:
        """The text with the word completed in whose quotes it ends."""
        ends = _OPEN_QUOTE.fullmatch(value) if _STRUCTURED_START.match(value) else None
        word = self._vocabulary.complete(ends["begun"]) if ends else None
        return f'{value[: ends.start("begun")]}{word}"' if ends and word else None
