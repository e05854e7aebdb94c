"""Select Graphic Rendition (ECMA-48 §8.3.117): the only control sequence that a child's output may use on us.

Colours, bold, dim, italic, underline, reverse and strike are followed; blink and conceal are not, since a
tool that shows what a program prints must not let the program hide it.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style

from tui_ipc.events import Stream
from tui_ipc.text.units import format_count
from tui_ipc.tui.model.child_output import OutputLine
from tui_ipc.tui.model.styled_line import Span


@dataclass(frozen=True, slots=True)
class SgrState:
    """The looks that are in force at one place of the output."""

    color: Color | None = None
    bgcolor: Color | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


DEFAULT_STATE = SgrState()

_UNDERLINE = 4
_UNDERLINE_COLOR = 58  # followed by a colour, like the next two, but drawn by few terminals: not by us
_EXTENDED = (38, 48, _UNDERLINE_COLOR)

_SWITCHES: dict[int, dict[str, Any]] = {
    1: {"bold": True},
    2: {"dim": True},
    3: {"italic": True},
    4: {"underline": True},
    7: {"reverse": True},
    9: {"strike": True},
    21: {"underline": True},
    22: {"bold": False, "dim": False},
    23: {"italic": False},
    24: {"underline": False},
    27: {"reverse": False},
    29: {"strike": False},
}


@lru_cache(maxsize=512)
def to_rich_style(ink: SgrState) -> Style:
    """The style that draws an ink; only what is switched on is named, so that the theme shows through."""
    return Style(
        color=ink.color,
        bgcolor=ink.bgcolor,
        bold=ink.bold or None,
        dim=ink.dim or None,
        italic=ink.italic or None,
        underline=ink.underline or None,
        reverse=ink.reverse or None,
        strike=ink.strike or None,
    )


@lru_cache(maxsize=512)
def apply_sgr(ink: SgrState, parameters: str) -> SgrState:
    """The ink after ``ESC [ parameters m``; a parameter that means nothing changes nothing.

    Parameters are separated by semicolons. Colons separate the parts of one parameter (ITU-T T.416), as in
    ``4:3``, a curly underline, or ``38:2::255:0:0``, which leaves a colour space unnamed.
    """
    fields = iter(parameters.split(";"))
    for field in fields:
        code, *parts = (_parse_number(part) for part in field.split(":"))
        if code in _EXTENDED:
            color = _parse_extended_color(
                iter(_without_space(parts)) if parts else (_parse_number(each) for each in fields)
            )
            ink = ink if color is None or code == _UNDERLINE_COLOR else _set_color(ink, code, color)
        elif parts:
            ink = _set_underline(ink, parts[0]) if code == _UNDERLINE else ink
        else:
            ink = _apply_code(ink, code)
    return ink


def _parse_number(text: str) -> int:
    """A parameter, 0 if it is left out, -1 if it is no small number."""
    return int(text or 0) if len(text) < 4 and (not text or text.isdecimal()) else -1


def _apply_code(ink: SgrState, code: int) -> SgrState:
    if code == 0:
        return DEFAULT_STATE
    if code in _SWITCHES:
        return replace(ink, **_SWITCHES[code])
    if code in (39, 49):
        return _set_color(ink, code, None)
    if 30 <= code <= 37 or 40 <= code <= 47:
        return _set_color(ink, code, Color.from_ansi(code % 10))
    if 90 <= code <= 97 or 100 <= code <= 107:
        return _set_color(ink, code, Color.from_ansi(code % 10 + 8))
    return ink


def _set_underline(ink: SgrState, style: int) -> SgrState:
    """``4:0`` is none; straight, double, curly, dotted and dashed ones (1 to 5) are all drawn alike."""
    return replace(ink, underline=style > 0)


def _set_color(ink: SgrState, code: int, color: Color | None) -> SgrState:
    """Colour the layer that a code is about: 4x and 10x are the background, 3x and 9x the text."""
    return replace(ink, bgcolor=color) if code // 10 in (4, 10) else replace(ink, color=color)


def _without_space(parts: list[int]) -> list[int]:
    """The parts of a colour without the colour space; many programs leave it out together with its colon."""
    return [2, *parts[2:]] if parts[0] == 2 and len(parts) > 4 else parts


def _parse_extended_color(following: Iterator[int]) -> Color | None:
    """Read the rest of ``38;5;N`` or ``38;2;R;G;B``; None if it is incomplete or out of range."""
    kind = next(following, -1)
    numbers = [next(following, -1) for _ in range({5: 1, 2: 3}.get(kind, 0))]
    if not numbers or not all(0 <= number <= 255 for number in numbers):
        return None
    return Color.from_ansi(numbers[0]) if kind == 5 else Color.from_rgb(*numbers)


MAX_LINE_LENGTH = 4096
"""How many characters of one line of output are kept; the rest is counted."""

MAX_STRING_LENGTH = 32
"""How many characters of a control string (a title, a link, a picture) are shown: it is for terminals."""

TAB = 8

# Categories Cc, Cf, Cs, Zl and Zp of Unicode 15, and what is Default_Ignorable there: fillers that look like
# nothing, variation selectors that can smuggle text. Spelled out, since scanning unicodedata for them at
# start-up would cost 100 ms.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0d\ufeff\uffa0"
    "\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001345f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Ask for an emoji's text or colour form. Terminals disagree on the width of the result; they say nothing, so
# they go.
_PRESENTATION = "\ufe0e\ufe0f"

_ANY_HIDDEN = re.compile(f"[{_HIDDEN}{_PRESENTATION}]")
# ECMA-48 §5.4: ESC [, parameters, intermediates, a final character; other sequences have no parameters. Their
# lengths are bounded, so that one cut by the end of a piece can be kept until the next piece comes.
_PARAMETERS = "[0-?]{0,128}"
_INTERMEDIATES = "[ -/]{0,4}"
_TOKEN = re.compile(
    f"(?P<text>[^{_HIDDEN}{_PRESENTATION}]+)"
    "|\x1b\\[(?P<sgr>[0-9;:]{0,128})m"
    "|\x1b\\[(?P<erase>[0-2]?)K"
    "|(?P<opener>\x1b[P\\]X^_]|[\x90\x98\x9d-\x9f])"
    f"|(?P<sequence>\x1b(?:\\[{_PARAMETERS}{_INTERMEDIATES}[@-~]|{_INTERMEDIATES}[0-Z\\\\^-~]))"
    f"|(?P<control>[{_HIDDEN}{_PRESENTATION}])"
)
_UNFINISHED = re.compile(f"\x1b(?:\\[{_PARAMETERS})?{_INTERMEDIATES}\\Z")
_STRING_ENDS = "\x07\x18\x1a\x1b\x9c"  # BEL, by habit; CAN, SUB and ESC, which cancel; ST as one character


def symbol_for(character: str) -> str:
    """Show one character that must not reach the terminal.

    C0 controls and DEL have pictures in Unicode; a byte that is no UTF-8 (kept as a lone surrogate by
    ``surrogateescape``, PEP 383) is shown as ``‹FF›``, any other as ``‹U+202E›``.
    """
    point = ord(character)
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\u2421"
    if character in _PRESENTATION:
        return ""
    return f"‹{point - 0xDC00:02X}›" if 0xDC80 <= point <= 0xDCFF else f"‹U+{point:04X}›"


def make_visible(text: str) -> str:
    """Return text that is safe to show: one line, every character seen."""
    return _ANY_HIDDEN.sub(lambda match: symbol_for(match[0]), text)


class OutputDecoder:
    """Turns the pieces of a child's output into lines, however the pieces are cut.

    A line feed ends a line. After a carriage return that no line feed follows, the next text replaces the
    line, as a progress bar means it to; after a backspace it replaces as many cells, as a spinner does. Only
    text goes that way: a symbol stays.

    Args:
        stream: Where it is printed.
    """

    def __init__(self, stream: Stream = "stdout") -> None:
        self._stream = stream
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._unfinished = ""
        self._ink = DEFAULT_STATE
        self._begin()

    def _begin(self) -> None:
        self._spans: list[Span] = []
        self._kept = 0
        self._dropped = 0
        self._column = 0
        self._returned = False
        self._pending_backspaces = 0  # cells that the cursor stands before the end of the line
        self._string: int | None = None  # in a control string: how many more of its characters are shown

    @property
    def partial(self) -> OutputLine | None:
        """The line that has begun and not ended, None if there is none."""
        return self._line() if self._spans else None

    def feed(self, data: bytes) -> list[OutputLine]:
        """Take the next piece of output, and return the lines that it ends."""
        return self._take(self._utf8.decode(data))

    def flush(self) -> list[OutputLine]:
        """Take the end of the output: what was begun is shown as it stands."""
        rest, self._unfinished = self._unfinished, ""
        lines = self._take(rest + self._utf8.decode(b"", final=True), final=True)
        if self._spans:
            lines.append(self._line())
        self._ink = DEFAULT_STATE
        self._begin()
        return lines

    def _take(self, text: str, final: bool = False) -> list[OutputLine]:
        text = self._unfinished + text
        self._unfinished = ""
        if not final and (unfinished := _UNFINISHED.search(text)):
            self._unfinished = unfinished[0]
            text = text[: unfinished.start()]
        first, *others = text.split("\n")
        self._scan(first)
        lines: list[OutputLine] = []
        for piece in others:
            lines.append(self._line())
            self._begin()
            self._scan(piece)
        return lines

    def _scan(self, piece: str) -> None:
        if self._string is None and not _ANY_HIDDEN.search(piece):
            self._write(piece, self._ink)
            return
        for token in _TOKEN.finditer(piece):
            text = token[0]
            match token.lastgroup:
                case "text" if self._string is None:
                    self._write(text, self._ink)
                case "text":
                    self._write_string(text)
                case "control":
                    self._control(text)
                case kind:
                    self._string = None  # every escape sequence ends a string
                    self._escape(kind, text, token)

    def _escape(self, kind: str | None, text: str, token: re.Match[str]) -> None:
        if kind == "sgr":
            self._ink = apply_sgr(self._ink, token["sgr"])
        elif kind == "erase":
            self._erase(token["erase"])
        else:
            self._write(make_visible(text), None)
            if kind == "opener":
                self._string = MAX_STRING_LENGTH

    def _control(self, character: str) -> None:
        if character == "\r":
            self._returned = True
            self._string = None
        elif self._string is not None:
            self._write_string(symbol_for(character))
            if character in _STRING_ENDS:
                self._string = None
        elif character == "\t":
            self._write(" " * (TAB - self._column % TAB), self._ink)
        elif character == "\b":
            self._pending_backspaces = min(self._pending_backspaces + 1, self._column)
        else:
            self._write(symbol_for(character), None)

    def _erase(self, part: str) -> None:
        """Erase in line: behind the cursor (``0`` or nothing), before it (``1``), or all of it (``2``)."""
        if part == "2" or (part == "1") != self._returned:
            self._begin()
        elif part != "1":
            self._apply_backspaces()

    def _write_string(self, text: str) -> None:
        """Show the beginning of a control string; what is left out, an ellipsis tells once."""
        room = self._string or 0
        if room >= 0:
            self._write(text if len(text) <= room else text[:room] + "…", None)
            self._string = room - len(text)

    def _write(self, text: str, ink: SgrState | None) -> None:
        """Add text in an ink, or in our own paint for symbols if it is None."""
        if not text:
            return
        if self._returned:
            self._begin()
        if self._pending_backspaces:
            self._apply_backspaces()
        room = MAX_LINE_LENGTH - self._kept
        self._dropped += max(0, len(text) - room)
        text = text[:room]
        if not text:
            return
        self._kept += len(text)
        self._column += len(text) if text.isascii() else cell_len(text)  # most is, and this is the hot path
        paint = "note" if ink is None else "text" if ink is DEFAULT_STATE else to_rich_style(ink)
        if self._spans and self._spans[-1].paint is paint:
            text = self._spans.pop().text + text
        self._spans.append(Span(text, paint))

    def _apply_backspaces(self) -> None:
        """Take back the cells that backspaces went over, as far as they are text."""
        while self._pending_backspaces > 0 and self._spans and self._spans[-1].paint != "note":
            text, paint = self._spans.pop()
            kept = len(text)
            while kept and self._pending_backspaces > 0:
                kept -= 1
                self._pending_backspaces -= cell_len(text[kept])
            self._kept -= len(text) - kept
            self._column -= cell_len(text[kept:])
            if kept:
                self._spans.append(Span(text[:kept], paint))
        self._pending_backspaces = 0

    def _line(self) -> OutputLine:
        if self._dropped:
            more = Span(f" … {format_count(self._dropped)} more characters", "note")
            return OutputLine((*self._spans, more), stream=self._stream)
        return OutputLine(tuple(self._spans), stream=self._stream)


def sentence(text: str) -> str:
    """What the session or the system says, to stand by itself: its rows stay, control characters do not."""
    return "\n".join(make_visible(row) for row in (text[:1].upper() + text[1:]).splitlines())
