"""Reads the pieces of one line of a script, words, numbers, durations and expressions; has its errors."""

import re
from typing import Final

from tui_ipc.text.conditions import NotationError
from tui_ipc.text.notation import render_value
from tui_ipc.text.notation_reader import read_regex
from tui_ipc.text.placeholders import PlaceholderRules, Regex
from tui_ipc.text.safe_text import cell_width, make_visible
from tui_ipc.text.units import format_count

_MAX_SHOWN: Final = 90  # characters of a faulty line that are shown
_MAX_BEFORE: Final = 60  # of them before the faulty one


class LineError(Exception):
    """A line has no meaning; the text says why, ``offset`` at which of its characters, from 0."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


class ScriptSyntaxError(Exception):
    """A line of a script has no meaning, or probably another one than meant; the text shows the line.

    Attributes:
        name: The script's name.
        line: The number of the line, from 1.
        column: The number of the character in the line, from 1.
        sentence: What is wrong, and the remedy.
        excerpt: The part of the line around the character, safe to show.
        mark: A mark for the line below the excerpt, under the character.
    """

    def __init__(self, name: str, line: int, column: int, sentence: str, source: str) -> None:
        self.excerpt, self.mark = _cut_around(column, source)
        margin = f"{line:5} | "
        shown = f"{margin}{self.excerpt}\n{'| ':>{len(margin)}}{self.mark}"
        super().__init__(f"{name}:{line}:{column}: {sentence}\n{shown}")
        self.name = name
        self.line = line
        self.column = column
        self.sentence = sentence


def _cut_around(column: int, source: str) -> tuple[str, str]:
    """Cut a line to what is around a column, safe to show; returns that and a mark for the line below."""
    begin = max(column - 1 - _MAX_BEFORE, 0)
    before = make_visible(source[begin : column - 1])
    after = make_visible(source[column - 1 : begin + _MAX_SHOWN])
    if begin:
        before = "…" + before
    if begin + _MAX_SHOWN < len(source):
        after += "…"
    return before + after, " " * cell_width(before) + "^"


BLANKS: Final = " \t\r"
MAX_DURATION: Final = 86400.0
"""The longest duration, in seconds: a day."""

_SOME_BLANKS: Final = frozenset(BLANKS)
_BLANK: Final = re.compile(f"[{BLANKS}]*+")
_NEXT_BLANK: Final = re.compile(f"[{BLANKS}]")
_WHOLE: Final = re.compile("[0-9][0-9_]*+")
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)")
_ALMOST_DURATION: Final = re.compile(r"([0-9]+(?:[.,][0-9]+)?)([a-zA-Z]*)")
_UNITS: Final = {
    "s": ("", "s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "ms": ("ms", "msec", "millis", "milliseconds"),
}
_EXAMPLE: Final = "500ms, 2s or 1m"


class LineScanner:
    """One line of a script that is being read.

    Args:
        source: The line as it is in the script.
        number: Its number, from 1.

    Attributes:
        number: As given.
        warnings: What has a meaning here that was probably not meant.
        text: The line without the blanks at its end.
        position: The index in ``text`` at which the next piece is read.
    """

    def __init__(self, source: str, number: int) -> None:
        self.number = number
        self.warnings: list[LineError] = []
        self.text = source.rstrip(BLANKS)
        self.position = 0
        self.skip_blanks()

    @property
    def rest(self) -> str:
        """The part of the line that was not read yet."""
        return self.text[self.position :]

    def warn(self, sentence: str, offset: int) -> None:
        """Note that what begins at ``offset`` is probably not what was meant."""
        self.warnings.append(LineError(sentence, offset))

    def skip_blanks(self) -> None:
        """Move to the next character that is not blank."""
        self.position = self._find_end_of_blanks(self.position)

    def ended(self, position: int | None = None) -> bool:
        """Whether only blanks and a comment follow the current position, or the given one."""
        start = self.position if position is None else position
        following = self._find_end_of_blanks(start)
        if self.text[following : following + 1] != "#":
            return following == len(self.text)
        # "#" begins a comment at the beginning of a line or after a blank; within a word it is a character.
        return following > start or start == 0 or self.text[start - 1] in BLANKS

    def _find_end_of_blanks(self, position: int) -> int:
        if self.text[position : position + 1] not in _SOME_BLANKS:  # as at most places, and quicker
            return position
        match = _BLANK.match(self.text, position)
        return match.end() if match else position

    def read_word(self) -> str:
        """Read up to the next blank; returns an empty text at the end of the line."""
        if self.ended():
            return ""
        self.skip_blanks()
        start = self.position
        blank = _NEXT_BLANK.search(self.text, start)
        self.position = blank.start() if blank else len(self.text)
        return self.text[start : self.position]

    def skip_word(self, word: str) -> bool:
        """Read a word if it is the next one; returns whether it was."""
        before = self.position
        if self.read_word() == word:
            return True
        self.position = before
        return False

    def check_end(self, what: str) -> None:
        """Raise an error unless the line ends here, after ``what``."""
        if not self.ended():
            self.skip_blanks()
            raise LineError(f"only a comment can follow {what}", self.position)

    def read_whole_number(self, least: int, most: int, what: str) -> int:
        """Read ``what``: decimal digits, with ``_`` allowed between them."""
        self.skip_blanks()
        start, word = self.position, self.read_word()
        bounds = f"from {least} to {format_count(most)}"
        if not word:
            raise LineError(f"{what} must follow, {bounds}", start)
        if not _WHOLE.fullmatch(word):
            raise LineError(f"{render_value(word, 40)} is not a number; {what} is {bounds}", start)
        digits = word.replace("_", "").lstrip("0") or "0"
        if len(digits) > len(str(most)) or not least <= int(digits) <= most:
            raise LineError(f"{what} is {bounds}", start)
        return int(digits)

    def read_duration(self) -> float:
        """Read a duration; returns seconds."""
        self.skip_blanks()
        start, word = self.position, self.read_word()
        return self._to_duration(word, start)

    def _to_duration(self, word: str, start: int) -> float:
        if not word:
            raise LineError(f"a duration must follow, for instance {_EXAMPLE}", start)
        match = _DURATION.fullmatch(word)
        if match is None:
            raise LineError(self._explain_not_duration(word), start)
        seconds = to_seconds(match[1], match[2])
        if not 0 < seconds <= MAX_DURATION:
            raise LineError(f"a duration is more than 0s and at most a day, {MAX_DURATION:.0f}s", start)
        return seconds

    def read_deadline(self, what: str) -> float | None:
        """Read ``within DURATION`` and the end of the line, which follow ``what``; None if there is none."""
        start = self._find_end_of_blanks(self.position)
        at_least, seconds = self.read_time_span(what)
        if at_least is not None:
            raise LineError("a least time is for messages: < and <~", start)
        return seconds

    def read_time_span(self, what: str) -> tuple[float | None, float | None]:
        """Read ``within MOST`` or ``within LEAST..MOST`` and the end of the line; each is None if missing."""
        self.skip_blanks()
        start, word = self.position, self.read_word()
        if not word:
            return None, None
        if word != "within":
            raise LineError(f"only within DURATION can follow {what}", start)
        self.skip_blanks()
        start = self.position
        least, dots, most = self.read_word().partition("..")
        if not dots:
            self.position = start
            at_least, seconds = None, self.read_duration()
        else:
            at_least = self._to_duration(least, start)
            seconds = self._to_duration(most, start + len(least) + len(dots))
            if at_least > seconds:
                raise LineError("an empty span of time: its first duration is the longer one", start)
        self.check_end("the deadline")
        return at_least, seconds

    def read_regex(self, rules: PlaceholderRules | None = None) -> Regex:
        """Read ``/re/``; without rules it has no names."""
        self.skip_blanks()
        start = self.position
        if self.ended() or self.text[start] != "/":
            shown = "" if self.ended() else f", for instance {render_value(Regex(self.read_word()), 40)}"
            raise LineError(f"a regular expression must follow, between two /{shown}", start)
        try:
            regex, self.position = read_regex(self.text, start, rules)
        except NotationError as error:
            raise LineError(str(error), error.offset) from None
        if self.text[self.position : self.position + 1].strip(BLANKS):
            raise LineError(explain_text_after_regex(self.rest), self.position)
        return regex

    def _explain_not_duration(self, word: str) -> str:
        """Say how to write what was probably meant by ``word``; its unit may be the next word."""
        match = _ALMOST_DURATION.fullmatch(word)
        written = match[2] or ("" if self.ended() else self.read_word()) if match else ""
        unit = next((unit for unit, names in _UNITS.items() if written.lower() in names), "")
        if match is None or not unit:
            shown = render_value(word, 40)
            return f"{shown} is not a duration; write a number and its unit, for instance {_EXAMPLE}"
        remedy = f"write {match[1].replace(',', '.')}{unit}"
        return f"{word} is not a duration; {remedy}" if match[2] else f"{word} has no unit; {remedy}"


def to_seconds(number: str, unit: str) -> float:
    """Convert a duration to seconds, so that 100 ms are exactly what Python writes as 0.1 s.

    It divides by 1000 for that: a multiplication by 0.001 would not give the nearest number.
    """
    return float(number) / 1000 if unit == "ms" else float(number) * (60 if unit == "m" else 1)


def find_regex_flags(rest: str) -> str:
    """The flags that follow ``/re/``, as in other languages; an empty text if ``rest`` is something else."""
    flags = re.match("[aimsux]+(?![^ \t])", rest)
    return flags[0] if flags else ""


def explain_text_after_regex(rest: str) -> str:
    """Say what is wrong with ``rest``, which directly follows ``/re/``."""
    if flags := find_regex_flags(rest):
        return f"a regular expression has no flags after it; write (?{flags}) at its beginning"
    return r"a regular expression ends at the second /; a / inside it is written \/"
