"""Reads one line of a script from left to right: words, numbers, durations, regular expressions. Pure.

The one rule: whatever is read moves the place in the line, and a :class:`~tui_ipc.script.syntax.faults.Fault`
names the character at which it could not be read.
"""

import re
from typing import Final

from tui_ipc.script.syntax.faults import Fault
from tui_ipc.session.holes import Matching
from tui_ipc.session.notation import render
from tui_ipc.session.reader import NotationError, read_expression
from tui_ipc.session.units import count

BLANKS: Final = " \t\r"
LONGEST: Final = 86400.0
"""Seconds that a duration may have: a day."""

_BLANK: Final = re.compile(f"[{BLANKS}]*+")
_NEXT_BLANK: Final = re.compile(f"[{BLANKS}]")
_WHOLE: Final = re.compile("[0-9][0-9_]*+")
_DURATION: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m)")
_NEARLY: Final = re.compile(r"([0-9]+(?:[.,][0-9]+)?)([a-zA-Z]*)")
_UNITS: Final = {
    "s": ("", "s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "ms": ("ms", "msec", "millis", "milliseconds"),
}
_EXAMPLE: Final = "500ms, 2s or 1m"


class Line:
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
            raise Fault(f"only a comment can follow {what}", self.position)

    def whole_number(self, least: int, most: int, what: str) -> int:
        """Read ``what``, a number of decimal digits, between which there may be ``_``."""
        self.skip_blanks()
        start, word = self.position, self.word()
        bounds = f"from {least} to {count(most)}"
        if not word:
            raise Fault(f"{what} must follow, {bounds}", start)
        if not _WHOLE.fullmatch(word):
            raise Fault(f"{render(word, 40)} is no number; {what} is {bounds}", start)
        digits = word.replace("_", "").lstrip("0") or "0"
        if len(digits) > len(str(most)) or not least <= int(digits) <= most:
            raise Fault(f"{what} is {bounds}", start)
        return int(digits)

    def duration(self) -> float:
        """Read a duration; returns seconds."""
        self.skip_blanks()
        start, word = self.position, self.word()
        if not word:
            raise Fault(f"a duration must follow, for instance {_EXAMPLE}", start)
        match = _DURATION.fullmatch(word)
        if match is None:
            raise Fault(self._nearly_a_duration(word), start)
        seconds = in_seconds(match[1], match[2])
        if not 0 < seconds <= LONGEST:
            raise Fault(f"a duration is more than nothing and at most a day, {LONGEST:.0f}s", start)
        return seconds

    def deadline(self, what: str) -> float | None:
        """Read ``within DURATION``, if it stands here behind ``what``, to the end of the line."""
        self.skip_blanks()
        start, word = self.position, self.word()
        if not word:
            return None
        if word != "within":
            raise Fault(f"only within DURATION can follow {what}", start)
        seconds = self.duration()
        self.finish("the deadline")
        return seconds

    def expression(self) -> str:
        """Read ``/re/``."""
        self.skip_blanks()
        start = self.position
        if self.ended() or self.text[start] != "/":
            shown = "" if self.ended() else f", for instance {render(Matching(self.word()), 40)}"
            raise Fault(f"a regular expression must follow, between two /{shown}", start)
        try:
            matching, self.position = read_expression(self.text, start)
        except NotationError as error:
            raise Fault(str(error), error.offset) from None
        if self.text[self.position : self.position + 1].strip(BLANKS):
            raise Fault(fault_behind(self.rest), self.position)
        return matching.expression

    def _nearly_a_duration(self, word: str) -> str:
        """What is said of a word that is no duration; the unit may be the next word."""
        match = _NEARLY.fullmatch(word)
        written = match[2] or ("" if self.ended() else self.word()) if match else ""
        unit = next((unit for unit, names in _UNITS.items() if written.lower() in names), "")
        if match is None or not unit:
            shown = render(word, 40)
            return f"{shown} is not a duration; write a number and its unit, for instance {_EXAMPLE}"
        remedy = f"write {match[1].replace(',', '.')}{unit}"
        return f"{word} is not a duration; {remedy}" if match[2] else f"{word} has no unit; {remedy}"


def in_seconds(number: str, unit: str) -> float:
    """How long a duration is, exactly: a hundred milliseconds are what Python writes as 0.1 seconds."""
    return float(number) / 1000 if unit == "ms" else float(number) * (60 if unit == "m" else 1)


def flags_behind(rest: str) -> str:
    """The flags that a person wrote behind ``/re/``, empty if ``rest`` is no such thing."""
    flags = re.match("[aimsux]+(?![^ \t])", rest)
    return flags[0] if flags else ""


def fault_behind(rest: str) -> str:
    """What is said of ``rest``, which stands directly behind ``/re/``."""
    if flags := flags_behind(rest):
        return f"no flags stand behind a regular expression; write (?{flags}) at its beginning"
    return r"a regular expression ends at the second /; a / inside it is written \/"
