r"""Makes text that a child, a file or a user brought safe to show.

Characters that control a terminal, reorder or hide text, or have no ink or no width, are replaced by
something that a reader sees: ``␛``, ``‹U+202E›``, ``‹FF›`` for a byte that is not UTF-8. Invisible characters
that a writing system needs stay where they do their work: a zero width joiner in an emoji or an Indic
conjunct, a non-joiner in a Persian word, a selector after its emoji.

This is for display only: a value that is sent, stored or copied never passes through here. Inside quoted
values the notation writes the same characters as escapes (``\u202e``), which read back.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import cache
from typing import Final

# Categories Cc, Cf, Cs, Zl, Zp and Zs (without U+0020) of Unicode 15, all that is Default_Ignorable (fillers,
# variation selectors), U+2800 (a Braille pattern without dots) and the noncharacters. Spelled out, because to
# scan unicodedata for them at start-up would cost 100 ms; a test compares the table with unicodedata.
HIDDEN: Final = (
    "\x00-\x1f\x7f-\xa0\u00ad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u1680\u17b4\u17b5"
    "\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ud800-\udfff\ufdd0-\ufdef"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000110bd\U000110cd\U00013430-\U0001345f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0x10000, 0x110000, 0x10000))
)
"""The characters to replace, as the inside of a character class of :mod:`re`."""

# Extended_Pictographic of emoji-data.txt, including the ranges that Unicode keeps free for emoji to come.
_PICTOGRAPHS: Final = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u2199\u21a9-\u21aa\u231a-\u231b\u2328\u2388\u23cf\u23e9-\u23f3"
    "\u23f8-\u23fa\u24c2\u25aa-\u25ab\u25b6\u25c0\u25fb-\u25fe\u2600-\u2605\u2607-\u2612\u2614-\u2685\u2690-\u2705"
    "\u2708-\u2712\u2714\u2716\u271d\u2721\u2728\u2733-\u2734\u2744\u2747\u274c\u274e\u2753-\u2755\u2757"
    "\u2763-\u2767\u2795-\u2797\u27a1\u27b0\u27bf\u2934-\u2935\u2b05-\u2b07\u2b1b-\u2b1c\u2b50\u2b55\u3030\u303d"
    "\u3297\u3299\U0001f000-\U0001f0ff\U0001f10d-\U0001f10f\U0001f12f\U0001f16c-\U0001f171\U0001f17e-\U0001f17f"
    "\U0001f18e\U0001f191-\U0001f19a\U0001f1ad-\U0001f1e5\U0001f201-\U0001f20f\U0001f21a\U0001f22f"
    "\U0001f232-\U0001f23a\U0001f23c-\U0001f23f\U0001f249-\U0001f3fa\U0001f400-\U0001f53d\U0001f546-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f774-\U0001f77f\U0001f7d5-\U0001f7ff\U0001f80c-\U0001f80f\U0001f848-\U0001f84f"
    "\U0001f85a-\U0001f85f\U0001f888-\U0001f88f\U0001f8ae-\U0001f8ff\U0001f90c-\U0001f93a\U0001f93c-\U0001f945"
    "\U0001f947-\U0001faff\U0001fc00-\U0001fffd"
)
_SKIN_TONES: Final = "\U0001f3fb-\U0001f3ff"
_FLAG: Final = "\U0001f3f4"
# England, Scotland, Wales: the only flags that are written with tags. Any other tags are hidden text.
_FLAG_TAGS: Final = "|".join(
    "".join(chr(0xE0000 + ord(letter)) for letter in region) + "\U000e007f"
    for region in ("gbeng", "gbsct", "gbwls")
)
# Joining_Type D (joins on both sides) and R (joins what precedes it) of ArabicShaping.txt: Arabic, Syriac,
# N'Ko, Mandaic. After a letter of type R a non-joiner changes nothing that one could see: there it is shown.
_JOINING: Final = (
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649-\u064a\u066e-\u066f\u0678-\u0687\u069a-\u06bf"
    "\u06c1-\u06c2\u06cc\u06ce\u06d0-\u06d1\u06fa-\u06fc\u06ff\u0712-\u0714\u071a-\u071d\u071f-\u0727\u0729\u072b"
    "\u072d-\u072e\u074e-\u0758\u075c-\u076a\u076d-\u0770\u0772\u0775-\u0777\u077a-\u077f\u07ca-\u07ea\u0841-\u0845"
    "\u0848\u084a-\u0853\u0855\u0860\u0862-\u0865\u0868\u0886\u0889-\u088d\u08a0-\u08a9\u08af-\u08b0\u08b3-\u08b8"
    "\u08ba-\u08c8"
)
_JOINED: Final = _JOINING + (
    "\u0622-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06c0\u06c3-\u06cb\u06cd"
    "\u06cf\u06d2-\u06d3\u06d5\u06ee-\u06ef\u0710\u0715-\u0719\u071e\u0728\u072a\u072c\u072f\u074d\u0759-\u075b"
    "\u076b-\u076c\u0771\u0773-\u0774\u0778-\u0779\u0840\u0846-\u0847\u0849\u0854\u0856-\u0858\u0867\u0869-\u086a"
    "\u0870-\u0882\u088e\u08aa-\u08ac\u08ae\u08b1-\u08b2\u08b9"
)
_INDIC: Final = (
    "\u0900-\u0dff\u0f00-\u109f\u1700-\u17ff\u1a20-\u1aad\u1b00-\u1bff\ua800-\ua82f\ua880-\ua8df\ua930-\ua9ff"
)
_VIRAMAS: Final = (  # canonical combining class 9, in those blocks
    "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b-\u0d3c\u0d4d\u0dca\u0f84\u1039-\u103a\u1714-\u1715\u1734"
    "\u17d2\u1a60\u1b44\u1baa-\u1bab\u1bf2-\u1bf3\ua806\ua82c\ua8c4\ua953\ua9c0"
)
_MONGOLIAN: Final = "\u1820-\u1878\u1880-\u18aa"

_JOINERS_IN_PLACE: Final = "|".join(
    (
        # Emoji: what makes one of several, chooses its form, and the keycaps 0️⃣ to 9️⃣, #️⃣ and *️⃣.
        f"(?:(?<=[{_PICTOGRAPHS}{_SKIN_TONES}])|(?<=[{_PICTOGRAPHS}]\ufe0f))\u200d(?=[{_PICTOGRAPHS}])",
        f"(?<=[{_PICTOGRAPHS}])[\ufe0e\ufe0f]",
        "(?<=[0-9#*])\ufe0f(?=\u20e3)",
        f"(?<={_FLAG})(?:{_FLAG_TAGS})",
        # Letters, as IDNA allows it (RFC 5892, appendix A): a non-joiner between letters that would join,
        # both after a virama. Besides, a joiner before a virama, as Bengali and Kannada write their ra.
        f"(?<=[{_JOINING}])\u200c(?=[{_JOINED}])",
        f"(?<=[{_VIRAMAS}])(?:\u200d|\u200c(?=[{_INDIC}]))",
        f"(?<=[{_INDIC}])\u200d(?=[{_VIRAMAS}])",
        # Mongolian: the form of a letter, the vowel that is written apart, the space before a suffix.
        f"(?<=[{_MONGOLIAN}])(?:[\u180b-\u180d\u180f]|[\u180e\u202f](?=[{_MONGOLIAN}]))",
    )
)
JOINERS: Final = "\u180b-\u180f\u200c\u200d\u202f\ufe0e\ufe0f\U000e0061-\U000e007f"
"""What may join others, as the inside of a character class."""

JOINER_IN_PLACE: Final = f"(?=[{JOINERS}])(?:{_JOINERS_IN_PLACE})"  # one test, before many that fail
"""Matches what :data:`HIDDEN` holds but its place justifies. It looks at most two characters back."""

_HIDDEN: Final = re.compile(f"[{HIDDEN}]")
_PICTOGRAPH: Final = re.compile(f"[{_PICTOGRAPHS}]")
_LINE_END: Final = re.compile("\r?\n")


@cache
def _hidden_or_joiner() -> re.Pattern[str]:
    # Compiled when the first such character comes: it takes 3 ms, which most starts need not pay.
    return re.compile(f"(?P<joiner>{JOINER_IN_PLACE})|[{HIDDEN}]")


def is_plain(text: str) -> bool:
    """Whether a text has no invisible character at all, not even one that joins; a quick test."""
    # The first half is ten times as quick as the second, and true of most texts.
    return (text.isascii() and text.isprintable()) or _HIDDEN.search(text) is None


def has_hidden(text: str) -> bool:
    """Whether :func:`make_visible` would change a text."""
    return find_hidden(text) >= 0


def find_hidden(text: str) -> int:
    """Where the first character is that :func:`make_visible` would replace; -1 if there is none."""
    if is_plain(text):
        return -1
    matches = _hidden_or_joiner().finditer(text)
    return next((match.start() for match in matches if match.lastgroup is None), -1)


def replace_hidden(text: str, replace: Callable[[str], str]) -> str:
    """Replace each character that is invisible and not a joiner in its place."""
    if is_plain(text):
        return text
    return _hidden_or_joiner().sub(lambda match: match[0] if match.lastgroup else replace(match[0]), text)


def make_visible(text: str, *, keep_tabs: bool = False) -> str:
    """Return text that is safe to show: one line, every character seen.

    Args:
        text: Any text. A byte that is not UTF-8 is in it as :func:`decode_output` decodes it.
        keep_tabs: Whether a tab stays one, where it is obeyed: in a child's lines on a terminal.
    """
    if keep_tabs:
        return "\t".join(make_visible(part) for part in text.split("\t"))
    return replace_hidden(text, symbol_for)


class VisibleText:
    """A text made visible, and which of its positions are which of the original's.

    Args:
        original: Any text.

    Attributes:
        original: That text.
        text: What :func:`make_visible` makes of it.
    """

    def __init__(self, original: str) -> None:
        self.original = original
        self._replaced: list[int] = []  # positions in the original, and where in the text their symbols end
        self._symbol_ends: list[int] = []
        pieces: list[str] = []
        done = length = 0
        matches = iter(()) if is_plain(original) else _hidden_or_joiner().finditer(original)
        for match in matches:
            if match.lastgroup is None:
                symbol = symbol_for(match[0])
                pieces += (original[done : match.start()], symbol)
                length += match.start() - done + len(symbol)
                done = match.end()
                self._replaced.append(match.start())
                self._symbol_ends.append(length)
        self.text = "".join((*pieces, original[done:]))

    def position_of(self, position: int) -> int:
        """Return the position in the text of a position in the original."""
        before = bisect_left(self._replaced, position)
        if not before:
            return position
        return self._symbol_ends[before - 1] + position - self._replaced[before - 1] - 1

    def original_position(self, position: int) -> int:
        """Return the position in the original of a position in the text; of one in a symbol, the symbol's."""
        before = bisect_right(self._symbol_ends, position)
        if before:
            position += self._replaced[before - 1] + 1 - self._symbol_ends[before - 1]
        return min(position, self._replaced[before]) if before < len(self._replaced) else position


def make_lines_visible(text: str) -> str:
    """Make a text of several lines safe to show; its line ends stay, as line feeds."""
    return "\n".join(map(make_visible, _LINE_END.split(text)))


def format_sentence(text: str) -> str:
    """Make a message of the session or the system a sentence: with a capital, safe to show line by line."""
    return make_lines_visible(text[:1].upper() + text[1:])


def symbol_for(character: str) -> str:
    """Show one character that must not reach the terminal.

    C0 controls and DEL have pictures in Unicode; a byte that is not UTF-8 is shown as ``‹FF›``, any other
    character as ``‹U+202E›``.
    """
    point = ord(character)
    if point < 0x20:
        return chr(0x2400 + point)
    if point == 0x7F:
        return "\u2421"
    return f"‹{point - 0xDC00:02X}›" if 0xDC80 <= point <= 0xDCFF else f"‹U+{point:04X}›"


def decode_output(data: bytes) -> str:
    """Decode what a child printed: a byte that is not UTF-8 becomes a lone surrogate (PEP 383)."""
    return data.decode("utf-8", "surrogateescape")


def cell_width(text: str) -> int:
    """How many columns a terminal takes for text that is safe to show.

    An accent takes none, a wide character two, an emoji that is joined of several as many as its first.
    """
    if text.isascii():
        return len(text)
    from unicodedata import category, east_asian_width  # most texts do not pay for this

    width = 0
    before = ""
    for character in text:
        if character == "\ufe0f":  # asks for the colour form, which is wide
            width += _PICTOGRAPH.match(before) is not None and east_asian_width(before) not in "WF"
        elif _PICTOGRAPH.match(before) and "\U0001f3fb" <= character <= "\U0001f3ff":
            pass  # a skin tone colours the emoji before it
        elif before == "\u200d" and _PICTOGRAPH.match(character):
            pass  # drawn inside of the emoji that it is joined to
        elif category(character) not in ("Mn", "Me", "Cf"):
            width += 2 if east_asian_width(character) in "WF" else 1
        before = character
    return width
