"""What a child prints, as a person sees it, and the search in it while it grows."""

import codecs
import re
from collections import deque
from typing import Final

from tui_ipc.osutil.bounded_search import BoundedSearch, FoundText

KEEP_AT_LEAST: Final = 1024 * 1024
"""Characters after the last match, or bytes that are not decoded yet, that are kept at least; at most
twice."""

_LOOKBACK: Final = 64 * 1024
"""Characters before the new ones at which a match may begin and still be found at once. A longer match is
found once the text has grown by an eighth, or nothing more can come."""

_MAX_LAST_LINES: Final = 4096  # characters in which the last lines are looked for


_SEQUENCE: Final = re.compile(
    r"\x1b(?:\[[0-?]*+[ -/]*+(?:[@-~]|(?=\x1b))"  # CSI: colours, cursor (ECMA-48); an escape aborts it
    r"|[]PX^_][^\x07\x1b]*+(?:\x07|\x1b\\)"  # OSC and the other strings: titles, links
    r"|[ -/]*+[0-OQ-WYZ\\`-~]"  # two characters, or with intermediate ones
    r"|(?P<unfinished>(?:\[[0-?]*+[ -/]*+|[]PX^_][^\x07\x1b]*+\x1b?+|[ -/]*+)\Z)"
    r"|)"  # begins none of these: the escape alone goes
)
_LAST_CARRIAGE_RETURN: Final = re.compile(r"\r[\x00-\x08\x0b-\x1f\x7f]*+\Z")
_CARRIAGE_RETURNS: Final = re.compile(r"\r++(\n?)")
_OTHER_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]+")
_MAX_UNFINISHED: Final = 4096  # characters of a control sequence; more are no sequence


class _PlainTextFilter:
    """Leaves of a child's output what a person sees. Pieces may end anywhere, also within a sequence.

    A line that is written anew after a carriage return becomes a new line: so each of its states can be
    found, however many of them come at once.
    """

    def __init__(self) -> None:
        self._held = ""
        self._is_at_line_start = True

    def feed(self, text: str) -> str:
        # One pass from left to right: what is left of a broken sequence never joins what came after it.
        held = ""

        def remove(match: re.Match[str]) -> str:
            nonlocal held
            if match["unfinished"] is not None:
                held = match[0]
            return ""

        text = _SEQUENCE.sub(remove, self._held + text)
        if last := _LAST_CARRIAGE_RETURN.search(text):  # what follows decides what it means
            text, held = text[: last.start()], last[0] + held
        if len(held) > _MAX_UNFINISHED:
            text, held = text + held, ""
        self._held = held
        text = _CARRIAGE_RETURNS.sub(self._end_line, _OTHER_CONTROLS.sub("", text))
        if text:
            self._is_at_line_start = text.endswith("\n")
        return text

    def _end_line(self, match: re.Match[str]) -> str:
        before = match.string[match.start() - 1 : match.start()] if match.start() else ""
        is_at_start = before == "\n" if before else self._is_at_line_start
        return match[1] or ("" if is_at_start else "\n")


class SearchableOutput:
    """What a child prints on one stream of one run, searched while it grows.

    Memory and time are bounded however much is printed: see :data:`KEEP_AT_LEAST`. Bytes are decoded only
    when somebody searches; those that are not UTF-8 become U+FFFD.

    Args:
        raw: Whether to search in all that is printed, and not only in what a person sees of it.
    """

    def __init__(self, *, raw: bool = False) -> None:
        self._filter = None if raw else _PlainTextFilter()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._undecoded: deque[bytes] = deque()
        self._undecoded_size = 0
        self._text = ""
        self._begin = 0  # the end of the last match, as an index in the text
        self._searched_length = 0  # the length of the text when all of it was searched last,
        self._searched_for: str | None = None  # and for which expression

    def feed(self, data: bytes) -> None:
        """Add what was printed."""
        self._undecoded.append(data)
        self._undecoded_size += len(data)
        while self._undecoded_size - len(self._undecoded[0]) >= KEEP_AT_LEAST:
            self._undecoded_size -= len(self._undecoded.popleft())

    def find(self, expression: str, search: BoundedSearch, *, final: bool = False) -> FoundText | None:
        """Search for a regular expression after the last match; what is found is the last match then.

        ``^`` and ``$`` stand for the beginning and the end of a line.

        Args:
            expression: A regular expression of :mod:`re`.
            search: Searches within a time. What it raises is raised.
            final: Whether nothing more can come, so that all of the text is searched.
        """
        if expression != self._searched_for:
            self._searched_length = 0
        elif not self._undecoded and not final:
            return None
        before = len(self._text)
        self._decode()
        # Usually only the new text and what is shortly before it is searched. All of it is searched each
        # time that it has grown by an eighth: with that the whole effort stays proportional to what is
        # printed.
        start = max(self._begin, before - _LOOKBACK)
        if (
            final
            or len(self._text) - self._begin <= _LOOKBACK
            or len(self._text) > self._searched_length * 9 // 8
        ):
            start, self._searched_length = self._begin, len(self._text)
        self._searched_for = None  # a search that is broken off has to be done again
        found = search.find(expression, self._text, start, re.MULTILINE)
        if found is None:
            self._searched_for = expression
        else:
            self._begin = found.span[1]
        return found

    def last_match_line(self) -> str:
        """The line in which the last match ended."""
        begin = self._text.rfind("\n", 0, max(self._begin - 1, 0)) + 1
        return self._text[begin:][:_MAX_LAST_LINES].lstrip("\n").partition("\n")[0]

    def last_lines(self, count: int) -> list[str]:
        """The last lines after the last match; of the line in which it ended, the rest."""
        self._decode()
        text = self._text[max(self._begin, len(self._text) - _MAX_LAST_LINES) :]
        return text.lstrip("\r\n").splitlines()[-count:]

    def _decode(self) -> None:
        """Decode what was added, and drop what is too old."""
        if not self._undecoded:
            return
        text = self._decoder.decode(b"".join(self._undecoded))
        self._text += text if self._filter is None else self._filter.feed(text)
        self._undecoded.clear()
        self._undecoded_size = 0
        unmatched = len(self._text) - self._begin
        surplus = self._begin - _LOOKBACK  # \b, ^ and (?<=...) look at characters before a match
        if unmatched > 2 * KEEP_AT_LEAST:
            surplus = len(self._text) - KEEP_AT_LEAST
        if surplus > _LOOKBACK:
            self._text = self._text[surplus:]
            self._begin = max(self._begin - surplus, 0)
            self._searched_length = max(self._searched_length - surplus, 0)
