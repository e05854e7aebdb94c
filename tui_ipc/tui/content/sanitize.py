"""The one gate between what a child says and what reaches the terminal.

Out of it come only characters that move nothing, reorder nothing and hide nothing. Colour becomes style; what
rewrites a line (carriage return, backspace, erase in line) rewrites it; every other control sequence, every
invisible or reordering character and every byte that is no UTF-8 becomes a visible symbol. The raw bytes stay
in the event. State is bounded: whatever a child prints, :class:`OutputDecoder` holds one cut line.
"""

import codecs
import re

from rich.cells import cell_len

from tui_ipc.session.events import Stream
from tui_ipc.session.units import count
from tui_ipc.tui.content.line import Span
from tui_ipc.tui.content.printed import Printed
from tui_ipc.tui.content.sgr import PLAIN, Ink, apply_sgr, style_of

LINE_LIMIT = 4096
"""How many characters of one line of output are kept; the rest is counted."""

STRING_LIMIT = 32
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


def symbol(character: str) -> str:
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


def visible(text: str) -> str:
    """Return text that is safe to show: one line, every character seen."""
    return _ANY_HIDDEN.sub(lambda match: symbol(match[0]), text)


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
        self._ink = PLAIN
        self._begin()

    def _begin(self) -> None:
        self._spans: list[Span] = []
        self._kept = 0
        self._dropped = 0
        self._column = 0
        self._returned = False
        self._backed = 0  # cells that the cursor stands before the end of the line
        self._string: int | None = None  # in a control string: how many more of its characters are shown

    @property
    def partial(self) -> Printed | None:
        """The line that has begun and not ended, None if there is none."""
        return self._line() if self._spans else None

    def feed(self, data: bytes) -> list[Printed]:
        """Take the next piece of output, and return the lines that it ends."""
        return self._take(self._utf8.decode(data))

    def flush(self) -> list[Printed]:
        """Take the end of the output: what was begun is shown as it stands."""
        rest, self._unfinished = self._unfinished, ""
        lines = self._take(rest + self._utf8.decode(b"", final=True), final=True)
        if self._spans:
            lines.append(self._line())
        self._ink = PLAIN
        self._begin()
        return lines

    def _take(self, text: str, final: bool = False) -> list[Printed]:
        text = self._unfinished + text
        self._unfinished = ""
        if not final and (unfinished := _UNFINISHED.search(text)):
            self._unfinished = unfinished[0]
            text = text[: unfinished.start()]
        first, *others = text.split("\n")
        self._scan(first)
        lines: list[Printed] = []
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
            self._write(visible(text), None)
            if kind == "opener":
                self._string = STRING_LIMIT

    def _control(self, character: str) -> None:
        if character == "\r":
            self._returned = True
            self._string = None
        elif self._string is not None:
            self._write_string(symbol(character))
            if character in _STRING_ENDS:
                self._string = None
        elif character == "\t":
            self._write(" " * (TAB - self._column % TAB), self._ink)
        elif character == "\b":
            self._backed = min(self._backed + 1, self._column)
        else:
            self._write(symbol(character), None)

    def _erase(self, part: str) -> None:
        """Erase in line: behind the cursor (``0`` or nothing), before it (``1``), or all of it (``2``)."""
        if part == "2" or (part == "1") != self._returned:
            self._begin()
        elif part != "1":
            self._rub_out()

    def _write_string(self, text: str) -> None:
        """Show the beginning of a control string; what is left out, an ellipsis tells once."""
        room = self._string or 0
        if room >= 0:
            self._write(text if len(text) <= room else text[:room] + "…", None)
            self._string = room - len(text)

    def _write(self, text: str, ink: Ink | None) -> None:
        """Add text in an ink, or in our own paint for symbols if it is None."""
        if not text:
            return
        if self._returned:
            self._begin()
        if self._backed:
            self._rub_out()
        room = LINE_LIMIT - self._kept
        self._dropped += max(0, len(text) - room)
        text = text[:room]
        if not text:
            return
        self._kept += len(text)
        self._column += len(text) if text.isascii() else cell_len(text)  # most is, and this is the hot path
        paint = "note" if ink is None else "text" if ink is PLAIN else style_of(ink)
        if self._spans and self._spans[-1].paint is paint:
            text = self._spans.pop().text + text
        self._spans.append(Span(text, paint))

    def _rub_out(self) -> None:
        """Take back the cells that backspaces went over, as far as they are text."""
        while self._backed > 0 and self._spans and self._spans[-1].paint != "note":
            text, paint = self._spans.pop()
            kept = len(text)
            while kept and self._backed > 0:
                kept -= 1
                self._backed -= cell_len(text[kept])
            self._kept -= len(text) - kept
            self._column -= cell_len(text[kept:])
            if kept:
                self._spans.append(Span(text[:kept], paint))
        self._backed = 0

    def _line(self) -> Printed:
        if self._dropped:
            more = Span(f" … {count(self._dropped)} more characters", "note")
            return Printed((*self._spans, more), stream=self._stream)
        return Printed(tuple(self._spans), stream=self._stream)
