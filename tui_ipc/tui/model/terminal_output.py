"""Turns what a child prints into styled lines that are safe to show.

Of the control sequences of ECMA-48 a child's output may use two: Select Graphic Rendition (§8.3.117) for
colours, bold, dim, italic, underline, reverse and strike, and Erase in Line (§8.3.41). All others are shown
as text. Blink and conceal are not followed: a tool that shows what a program prints must not let the program
hide it.
"""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

from rich.cells import cell_len, split_graphemes
from rich.color import Color
from rich.style import Style

from tui_ipc.events import Stream
from tui_ipc.text.safe_text import HIDDEN, JOINER_IN_PLACE, JOINERS, is_plain, make_visible, symbol_for
from tui_ipc.text.units import format_count
from tui_ipc.tui.model.styled_line import OutputLine, Span


@dataclass(frozen=True, slots=True)
class SgrState:
    """How text is drawn at one place of the output."""

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
def to_rich_style(state: SgrState) -> Style:
    """The style that draws a state; only what is switched on is named, so that the theme shows through."""
    return Style(
        color=state.color,
        bgcolor=state.bgcolor,
        bold=state.bold or None,
        dim=state.dim or None,
        italic=state.italic or None,
        underline=state.underline or None,
        reverse=state.reverse or None,
        strike=state.strike or None,
    )


@lru_cache(maxsize=512)
def apply_sgr(state: SgrState, parameters: str) -> SgrState:
    """The state after ``ESC [ parameters m``; a parameter that means nothing changes nothing.

    Parameters are separated by semicolons. Colons separate the parts of one parameter (ITU-T T.416), as in
    ``4:3``, a curly underline, or ``38:2::255:0:0``, which leaves a colour space unnamed.
    """
    fields = iter(parameters.split(";"))
    for field in fields:
        code, *parts = (_parse_number(part) for part in field.split(":"))
        if (
            code in _EXTENDED
        ):  # of 38;5;N the next parameters belong to the colour: the loop goes on after them
            color = _parse_extended_color(
                iter(_without_space(parts)) if parts else (_parse_number(each) for each in fields)
            )
            state = state if color is None or code == _UNDERLINE_COLOR else _set_color(state, code, color)
        elif parts:
            state = _set_underline(state, parts[0]) if code == _UNDERLINE else state
        else:
            state = _apply_code(state, code)
    return state


def _parse_number(text: str) -> int:
    # 0 if it is left out, -1 if it is not a small number
    return int(text or 0) if len(text) < 4 and (not text or text.isdecimal()) else -1


def _apply_code(state: SgrState, code: int) -> SgrState:
    if code == 0:
        return DEFAULT_STATE
    if code in _SWITCHES:
        return replace(state, **_SWITCHES[code])
    if code in (39, 49):
        return _set_color(state, code, None)
    if 30 <= code <= 37 or 40 <= code <= 47:
        return _set_color(state, code, Color.from_ansi(code % 10))
    if 90 <= code <= 97 or 100 <= code <= 107:
        return _set_color(state, code, Color.from_ansi(code % 10 + 8))
    return state


def _set_underline(state: SgrState, style: int) -> SgrState:
    # 4:0 is none; straight, double, curly, dotted and dashed ones (1 to 5) are all drawn alike.
    return replace(state, underline=style > 0)


def _set_color(state: SgrState, code: int, color: Color | None) -> SgrState:
    # 4x and 10x are the background, 3x and 9x the text.
    return replace(state, bgcolor=color) if code // 10 in (4, 10) else replace(state, color=color)


def _without_space(parts: list[int]) -> list[int]:
    # Many programs leave out the colour space together with its colon, so the number of parts decides.
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

_GRAPHEME_LIMIT = 64  # characters back at which the beginning of a grapheme is sought
_CONTEXT = 2  # characters back that a joiner looks at

# Lengths are bounded, so that a sequence that the end of a piece cuts can be kept until the next piece comes.
_PARAMETERS = "[0-?]{0,128}"
_INTERMEDIATES = "[ -/]{0,4}"
_UNFINISHED = re.compile(f"\x1b(?:\\[{_PARAMETERS})?{_INTERMEDIATES}\\Z")
_STRING_ENDS = "\x07\x18\x1a\x1b\x9c"  # BEL, by habit; CAN, SUB and ESC, which cancel; ST as one character

# What joins may need the character after it, so at the end of a piece it waits for the next: a joiner, a
# selector, or the tags of a flag as far as they have come.
_TAGS = "\U000e0061-\U000e007f"
_OPEN_JOINER = re.compile(f"(?:(?![{_TAGS}])[{JOINERS}]|(?<=\U0001f3f4)[{_TAGS}]{{1,5}})\\Z")
_LAST_JOINERS = re.compile(f"[{JOINERS}]+\\Z")


@cache
def _tokens() -> re.Pattern[str]:
    # ECMA-48: control sequences (§5.4), other escape sequences (§5.3), and control strings (§5.6), opened by
    # ESC and a letter or by one C1 character. Compiled when a child first prints more than plain text.
    return re.compile(
        f"(?P<text>(?:[^{HIDDEN}]+|{JOINER_IN_PLACE})+)"
        "|\x1b\\[(?P<sgr>[0-9;:]{0,128})m"
        "|\x1b\\[(?P<erase>[0-2]?)K"
        "|(?P<opener>\x1b[P\\]X^_]|[\x90\x98\x9d-\x9f])"
        f"|(?P<sequence>\x1b(?:\\[{_PARAMETERS}{_INTERMEDIATES}[@-~]|{_INTERMEDIATES}[0-Z\\\\^-~]))"
        f"|(?P<control>[{HIDDEN}])"
    )


class OutputDecoder:
    """Turns the pieces of a child's output into lines, however the pieces are cut.

    A line feed ends a line. Within a line the decoder is in one of these states, apart from its style:

    ===============  ================================  ===================================================
    state            entered by                        and then
    ===============  ================================  ===================================================
    text             the line's begin                  text is appended
    carriage return  CR                                the next text replaces the line: a progress bar
    backspaces       each BS                           the next text replaces as many cells: a spinner
    control string   ESC P, ESC ] … or a C1 control    its beginning is shown, until it or the line ends
    ===============  ================================  ===================================================

    Only text is replaced: a symbol stays, so that a child cannot hide what it did.

    Args:
        stream: Where it is printed.
    """

    def __init__(self, stream: Stream = "stdout") -> None:
        self._stream = stream
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._context = ""  # the last characters that were taken, by which the next may be a joiner in place
        self._unfinished = ""  # those that wait for what follows them
        self._style = DEFAULT_STATE
        self._start_line()

    def _start_line(self) -> None:
        self._spans: list[Span] = []
        self._kept = 0
        self._dropped = 0
        self._column = 0
        self._last_grapheme = ""
        self._has_returned = False
        self._backspaces = 0  # cells between the cursor and the end of the line
        self._string_room: int | None = None  # in a control string: how many more characters of it are shown

    @property
    def partial(self) -> OutputLine | None:
        """The line that has begun and not ended, None if there is none."""
        return self._make_line() if self._spans else None

    def feed(self, data: bytes) -> list[OutputLine]:
        """Take the next piece of output, and return the lines that it ends."""
        return self._take(self._utf8.decode(data))

    def flush(self) -> list[OutputLine]:
        """Take the end of the output: what is unfinished is shown as it is."""
        lines = self._take(self._utf8.decode(b"", final=True), final=True)
        if self._spans:
            lines.append(self._make_line())
        self._context = ""
        self._style = DEFAULT_STATE
        self._start_line()
        return lines

    def _take(self, text: str, final: bool = False) -> list[OutputLine]:
        start = len(self._context)
        text = self._context + self._unfinished + text
        self._unfinished = ""
        unfinished = _UNFINISHED.search(text, start) or _OPEN_JOINER.search(text, max(start, len(text) - 5))
        if unfinished and not final:
            self._unfinished = unfinished[0]
            text = text[: unfinished.start()]
        self._context = text[-_CONTEXT:]
        lines: list[OutputLine] = []
        while (end := text.find("\n", start)) >= 0:
            self._scan(text, start, end)
            lines.append(self._make_line())
            self._start_line()
            start = end + 1
        self._scan(text, start, len(text))
        return lines

    def _scan(self, text: str, start: int, end: int) -> None:
        piece = text[start:end]
        if self._string_room is None and is_plain(piece):
            self._write(piece, self._style)
            return
        for token in _tokens().finditer(text, start, end):  # not in the piece: a joiner looks back beyond it
            match token.lastgroup:
                case "text" if self._string_room is None:
                    self._write(token[0], self._style)
                case "text":
                    self._write_string(token[0])
                case "control":
                    self._control(token[0])
                case kind:
                    self._string_room = None  # every escape sequence ends a string
                    self._escape(kind, token)

    def _escape(self, kind: str | None, token: re.Match[str]) -> None:
        if kind == "sgr":
            self._style = apply_sgr(self._style, token["sgr"])
        elif kind == "erase":
            self._erase(token["erase"])
        else:
            self._write(make_visible(token[0]), None)
            if kind == "opener":
                self._string_room = MAX_STRING_LENGTH

    def _control(self, character: str) -> None:
        if character == "\r":
            self._has_returned = True
            self._string_room = None
        elif self._string_room is not None:
            self._write_string(symbol_for(character))
            if character in _STRING_ENDS:
                self._string_room = None
        elif character == "\t":
            self._write(" " * (TAB - self._column % TAB), self._style)
        elif character == "\b":
            self._backspaces = min(self._backspaces + 1, self._column)
        else:
            self._write(symbol_for(character), None)

    def _erase(self, part: str) -> None:
        """Erase in line: after the cursor (``0`` or nothing), before it (``1``), or all of it (``2``)."""
        if part == "2" or (part == "1") != self._has_returned:
            self._start_line()
        elif part != "1":
            self._apply_backspaces()

    def _write_string(self, text: str) -> None:
        """Show the beginning of a control string; one ellipsis replaces all the rest."""
        room = self._string_room or 0
        if room >= 0:
            self._write(text if len(text) <= room else _cut(text, room) + "…", None)
            self._string_room = room - len(text)

    def _write(self, text: str, style: SgrState | None) -> None:
        """Add text in a style, or as a note of ours if that is None."""
        if not text:
            return
        if self._has_returned:
            self._start_line()
        if self._backspaces:
            self._apply_backspaces()
        room = MAX_LINE_LENGTH - self._kept
        self._kept += min(len(text), room)
        if len(text) > room:
            whole, text = text, _cut(text, room)
            self._dropped += len(whole) - len(text)
        if not text:
            return
        self._advance_column(text)
        paint = "note" if style is None else "text" if style is DEFAULT_STATE else to_rich_style(style)
        if self._spans and self._spans[-1].paint is paint:
            text = self._spans.pop().text + text
        self._spans.append(Span(text, paint))

    def _advance_column(self, text: str) -> None:
        if text.isascii():  # most is, and this is the hot path
            self._column += len(text)
            self._last_grapheme = text[-1]
            return
        # What begins the text may belong to the last grapheme, and change its width.
        text = self._last_grapheme + text
        self._column += cell_len(text) - cell_len(self._last_grapheme)
        length, _ = _measure_last_grapheme(text)
        self._last_grapheme = text[-length:]

    def _apply_backspaces(self) -> None:
        """Take back the cells that backspaces went over, as far as they are text."""
        while self._backspaces > 0 and self._spans and self._spans[-1].paint != "note":
            text, paint = self._spans.pop()
            while text and self._backspaces > 0:
                length, cells = _measure_last_grapheme(text)
                text = text[:-length]
                self._backspaces -= cells
                self._column -= cells
                self._kept -= length
            if text:
                self._spans.append(Span(text, paint))
        self._backspaces = 0
        self._last_grapheme = ""

    def _make_line(self) -> OutputLine:
        if self._dropped:
            more = Span(f" … {format_count(self._dropped)} more characters", "note")
            return OutputLine((*self._spans, more), stream=self._stream)
        return OutputLine(tuple(self._spans), stream=self._stream)


def _cut(text: str, length: int) -> str:
    """The beginning of a text, without joiners at its end: nothing follows that they could join."""
    return _LAST_JOINERS.sub("", text[:length])


def _measure_last_grapheme(text: str) -> tuple[int, int]:
    """How many characters the last grapheme of a text has, and how many cells."""
    if text[-1].isascii():
        return 1, 1
    # Of a long text only the end is split: this is done for each backspace of a child that floods.
    start, end, cells = split_graphemes(text[-_GRAPHEME_LIMIT:])[0][-1]
    return end - start, cells
