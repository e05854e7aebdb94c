"""How what is being typed may go on: as a message sent before did, or with a word that messages held.

The rule: guessing costs little, whatever a child sends. A value is looked at a little, a word is short, and
the words are few.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from textual.suggester import Suggester

from tui_ipc.session import notation
from tui_ipc.tui.content.history import History
from tui_ipc.tui.content.sanitize import visible

WORDS: Final = 1_000
"""How many words are known."""

WORD_LIMIT: Final = 40
"""How long a word may be, in characters."""

NODES: Final = 200
"""How many parts of one value are looked at."""

TEXT_LIMIT: Final = 2_000
"""How long a text may be to be completed, in characters."""

_MEANT: Final = re.compile(r"\s*[\[{(\"]")
_OPEN: Final = re.compile(  # possessive (*+): no text makes it backtrack
    r"""(?:[^"]|"(?:[^"\\]|\\.)*+")*+ "(?P<begun>(?:[^"\\]|\\.)++)""", re.VERBOSE | re.DOTALL
)


class Vocabulary:
    """The keys and short strings of messages, the latest last, as they are written between quotes."""

    def __init__(self) -> None:
        self._words: dict[str, None] = {}

    def learn(self, value: Any) -> None:
        """Take in the words of a value."""
        for text in _strings(value):
            word = notation.render(text)[1:-1]
            if 1 < len(word) <= WORD_LIMIT and visible(word) == word:
                self._words.pop(word, None)
                self._words[word] = None
        while len(self._words) > WORDS:
            del self._words[next(iter(self._words))]

    def complete(self, begun: str) -> str | None:
        """The latest word that begins so and goes on; None if there is none."""
        longer = (word for word in reversed(self._words) if word.startswith(begun) and word != begun)
        return next(longer, None)


def _strings(value: Any) -> Iterable[str]:
    """Strings that a value holds: breadth first, of its first parts only."""
    parts = [value]
    for part in parts:  # grows meanwhile
        if isinstance(part, str) and len(part) <= WORD_LIMIT:
            yield part
        room = NODES - len(parts)
        if room <= 0 or not part:
            continue
        if isinstance(part, dict):
            for key, held in part.items():
                if len(parts) >= NODES:
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

    def __init__(self, history: History, vocabulary: Vocabulary) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._history = history
        self._vocabulary = vocabulary

    async def get_suggestion(self, value: str) -> str | None:
        """The newest message that begins so; else, in quotes, the latest word that does."""
        if len(value) > TEXT_LIMIT:
            return None
        return next(self._history.newest_first(value), None) or self._quoted(value)

    def _quoted(self, value: str) -> str | None:
        """The text with the word completed in whose quotes it ends."""
        ends = _OPEN.fullmatch(value) if _MEANT.match(value) else None
        word = self._vocabulary.complete(ends["begun"]) if ends else None
        return f'{value[: ends.start("begun")]}{word}"' if ends and word else None
