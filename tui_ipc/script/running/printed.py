"""What a child printed on one stream, to be searched as it grows. Pure.

The one rule: memory and time are bounded however much is printed. Of what was printed behind the last match,
the latest :data:`KEPT` characters at least are kept, and twice as many at most. Nothing is decoded before
somebody looks for something.
"""

import codecs
import re
from collections import deque
from typing import Final

KEPT: Final = 1024 * 1024
"""Characters, or bytes that were not looked at yet, of which none is forgotten."""

_REACH: Final = 64 * 1024
"""How far back a match may begin, in characters before the news, to be found at once. One that is longer is
found once the text has grown by an eighth, or nothing more can come."""

_SHOWN: Final = 4096  # characters in which the last lines are sought


class Printed:
    """One stream of one run. Its bytes are UTF-8; those that are not become U+FFFD."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._news: deque[bytes] = deque()
        self._news_size = 0
        self._text = ""
        self._begin = 0  # in the text: behind the last match
        self._searched = 0  # how long the text was when all of it was searched, and for what
        self._sought: str | None = None

    def feed(self, data: bytes) -> None:
        """Take what was printed."""
        self._news.append(data)
        self._news_size += len(data)
        while self._news_size - len(self._news[0]) >= KEPT:
            self._news_size -= len(self._news.popleft())

    def find(self, expression: str, *, final: bool = False) -> bool:
        """Whether a regular expression is found behind the last match; if so, that is the last match now.

        ``^`` and ``$`` stand for the beginning and the end of a line.

        Args:
            expression: What to look for, as :mod:`re` has it.
            final: Nothing more comes: look everywhere.
        """
        if expression != self._sought:
            self._sought, self._searched = expression, 0
        elif not self._news and not final:
            return False
        before = len(self._text)
        self._read()
        start = max(self._begin, before - _REACH)
        if final or len(self._text) - self._begin <= _REACH or len(self._text) > self._searched * 9 // 8:
            start, self._searched = self._begin, len(self._text)
        match = re.compile(expression, re.MULTILINE).search(self._text, start)
        if match is not None:
            self._begin, self._sought = match.end(), None
        return match is not None

    def last_lines(self, count: int) -> list[str]:
        """The last lines behind the last match; of the line that this ended, the rest if there is one."""
        self._read()
        text = self._text[max(self._begin, len(self._text) - _SHOWN) :]
        return text.lstrip("\r\n").splitlines()[-count:]

    def _read(self) -> None:
        """Decode the news, and forget what is too old."""
        if not self._news:
            return
        self._text += self._decoder.decode(b"".join(self._news))
        self._news.clear()
        self._news_size = 0
        behind = len(self._text) - self._begin
        surplus = self._begin - _REACH  # what stands before a match may decide whether it is one
        if behind > 2 * KEPT:
            surplus = len(self._text) - KEPT
        if surplus > _REACH:
            self._text = self._text[surplus:]
            self._begin = max(self._begin - surplus, 0)
            self._searched = max(self._searched - surplus, 0)
