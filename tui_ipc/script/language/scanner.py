"""What is wrong with a script, and how a person sees it. Pure."""

import re
from typing import Final

from tui_ipc.text.notation import render_value
from tui_ipc.text.notation_reader import NotationError, read_regex
from tui_ipc.text.placeholders import Regex
from tui_ipc.text.safe_text import cell_width
from tui_ipc.text.units import format_count

_SHOWN: Final = 90  # characters of a faulty line
_LEAD: Final = 60  # of them before the fault


class LineError(Exception):
    """What is wrong with a line, and at which character of it, from 0."""

    def __init__(self, sentence: str, offset: int) -> None:
        super().__init__(sentence)
        self.offset = offset


class ScriptSyntaxError(Exception):
    """A line of a script has no meaning; the text shows it.

    Attributes:
        name: The script's name.
        line: The number of the line, from 1.
        column: The character in it, from 1.
        sentence: What is wrong, and the remedy.
    """

    def __init__(self, name: str, line: int, column: int, sentence: str, source: str) -> None:
        super().__init__(f"{name}:{line}:{column}: {sentence}\n{_point_at(line, column, source)}")
        self.name = name
        self.line = line
        self.column = column
        self.sentence = sentence


def _point_at(line: int, column: int, source: str) -> str:
    """The line, cut to what is around the column and safe for a terminal, and a mark below the character."""
    begin = max(column - 1 - _LEAD, 0)
    before, after = _escape(source[begin : column - 1]), _escape(source[column - 1 : begin + _SHOWN])
    margin = f"{line:5} | "
    if begin:
        before = "…" + before
    if begin + _SHOWN < len(source):
        after += "…"
    return f"{margin}{before}{after}\n{'| ':>{len(margin)}}{' ' * cell_width(before)}^"


def _escape(text: str) -> str:
    return "".join(
        character if character.isprintable() else render_value(character)[1:-1] for character in text
    )


BLANKS: Final = " \t\r"
MAX_DURATION: Final = 86400.0
"""Seconds that a duration may have: a day."""

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
        source: The line as it stands in the script.
        number: Which it is, from 1.

    Attributes:
        text: The line without what is blank behind it.
        position: Where the next thing is read, as an index of ``text``.
    """

    def __init__(self, source: str, number: int) -> None:
        self.number = number
        self.text = source.rstrip(BLANKS)
        self.position = 0
        self.skip_blanks()

    @property
    def rest(self) -> str:
        """What was not yet read."""
        return self.text[self.position :]

    def skip_blanks(self) -> None:
        """Go to what is not blank."""
        self.position = self._behind_blanks(self.position)

    def ended(self, position: int | None = None) -> bool:
        """Whether nothing but blanks and a comment follow; ``position`` is where, None where we are."""
        start = self.position if position is None else position
        following = self._behind_blanks(start)
        if self.text[following : following + 1] != "#":
            return following == len(self.text)
        return following > start or start == 0 or self.text[start - 1] in BLANKS

    def _behind_blanks(self, position: int) -> int:
        match = _BLANK.match(self.text, position)
        return match.end() if match else position

    def word(self) -> str:
        """Read up to the next blank; nothing if the line ended."""
        if self.ended():
            return ""
        self.skip_blanks()
        start = self.position
        blank = _NEXT_BLANK.search(self.text, start)
        self.position = blank.start() if blank else len(self.text)
        return self.text[start : self.position]

    def finish(self, what: str) -> None:
        """See that the line ends here, behind ``what``."""
        if not self.ended():
            self.skip_blanks()
            raise LineError(f"only a comment can follow {what}", self.position)

    def whole_number(self, least: int, most: int, what: str) -> int:
        """Read ``what``, a number of decimal digits, between which there may be ``_``."""
        self.skip_blanks()
        start, word = self.position, self.word()
        bounds = f"from {least} to {format_count(most)}"
        if not word:
            raise LineError(f"{what} must follow, {bounds}", start)
        if not _WHOLE.fullmatch(word):
            raise LineError(f"{render_value(word, 40)} is no number; {what} is {bounds}", start)
        digits = word.replace("_", "").lstrip("0") or "0"
        if len(digits) > len(str(most)) or not least <= int(digits) <= most:
            raise LineError(f"{what} is {bounds}", start)
        return int(digits)

    def duration(self) -> float:
        """Read a duration; returns seconds."""
        self.skip_blanks()
        start, word = self.position, self.word()
        if not word:
            raise LineError(f"a duration must follow, for instance {_EXAMPLE}", start)
        match = _DURATION.fullmatch(word)
        if match is None:
            raise LineError(self._nearly_a_duration(word), start)
        seconds = to_seconds(match[1], match[2])
        if not 0 < seconds <= MAX_DURATION:
            raise LineError(f"a duration is more than nothing and at most a day, {MAX_DURATION:.0f}s", start)
        return seconds

    def deadline(self, what: str) -> float | None:
        """Read ``within DURATION``, if it stands here behind ``what``, to the end of the line."""
        self.skip_blanks()
        start, word = self.position, self.word()
        if not word:
            return None
        if word != "within":
            raise LineError(f"only within DURATION can follow {what}", start)
        seconds = self.duration()
        self.finish("the deadline")
        return seconds

    def expression(self) -> str:
        """Read ``/re/``."""
        self.skip_blanks()
        start = self.position
        if self.ended() or self.text[start] != "/":
            shown = "" if self.ended() else f", for instance {render_value(Regex(self.word()), 40)}"
            raise LineError(f"a regular expression must follow, between two /{shown}", start)
        try:
            matching, self.position = read_regex(self.text, start)
        except NotationError as error:
            raise LineError(str(error), error.offset) from None
        if self.text[self.position : self.position + 1].strip(BLANKS):
            raise LineError(explain_text_after_regex(self.rest), self.position)
        return matching.expression

    def _nearly_a_duration(self, word: str) -> str:
        """What is said of a word that is no duration; the unit may be the next word."""
        match = _ALMOST_DURATION.fullmatch(word)
        written = match[2] or ("" if self.ended() else self.word()) if match else ""
        unit = next((unit for unit, names in _UNITS.items() if written.lower() in names), "")
        if match is None or not unit:
            shown = render_value(word, 40)
            return f"{shown} is not a duration; write a number and its unit, for instance {_EXAMPLE}"
        remedy = f"write {match[1].replace(',', '.')}{unit}"
        return f"{word} is not a duration; {remedy}" if match[2] else f"{word} has no unit; {remedy}"


def to_seconds(number: str, unit: str) -> float:
    """How long a duration is, exactly: a hundred milliseconds are what Python writes as 0.1 seconds."""
    return float(number) / 1000 if unit == "ms" else float(number) * (60 if unit == "m" else 1)


def find_regex_flags(rest: str) -> str:
    """The flags that a person wrote behind ``/re/``, empty if ``rest`` is no such thing."""
    flags = re.match("[aimsux]+(?![^ \t])", rest)
    return flags[0] if flags else ""


def explain_text_after_regex(rest: str) -> str:
    """What is said of ``rest``, which stands directly behind ``/re/``."""
    if flags := find_regex_flags(rest):
        return f"no flags stand behind a regular expression; write (?{flags}) at its beginning"
    return r"a regular expression ends at the second /; a / inside it is written \/"
