"""What the text that is shown may consist of, by Python's own Unicode tables: the sanitizer's oracle.

It is written apart from the sanitizer: it knows which characters have a work to do, not where.
"""

import unicodedata

from hypothesis import strategies as st

JOINERS = frozenset("\u200c\u200d\ufe0e\ufe0f\u180b\u180c\u180d\u180e\u180f\u202f")
"""What may join or shape the characters beside it; the tags of three flags besides."""

WHOLE = (
    "👩\u200d💻",  # a woman, a joiner, a computer
    "👨\u200d👩\u200d👧\u200d👦",
    "👍🏽",
    "👩🏽\u200d🚀",
    "🏳\ufe0f\u200d🌈",
    "❤\ufe0f",
    "☎\ufe0e",
    "1\ufe0f\u20e3",
    "🇩🇪",
    "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",  # England
    "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: "I want"
    "क्\u200dष",  # Devanagari: a half form
    "क्\u200cष",  # and a virama that is to be seen
    "ශ්\u200dරී",  # Sinhala: "Sri"
    "র\u200d্যাব",  # Bengali
    "ന്\u200d",  # Malayalam: a chillu at the end of a word
    "ᠠ\u180b",  # Mongolian: a variant
    "ᠭᠠ\u202fᠶᠢᠨ",  # and a suffix
)
"""Words and emoji in which something invisible does its work."""

tricky_texts = st.lists(
    st.one_of(
        st.text(max_size=3),
        st.sampled_from(WHOLE),
        st.sampled_from(
            [*JOINERS, "\u3164", "\u2800", "\u00a0", "\U000e0067", "\U000e007f", "🏴", "👩", "ب", "क", "्"]
        ),
    ),
    max_size=8,
).map("".join)
"""Texts in which characters that join meet all others."""


def is_harmless(character: str) -> bool:
    """Whether a character moves nothing, reorders nothing, hides nothing and has ink; a space is harmless."""
    if character == " ":
        return True
    point = ord(character)
    return not (
        unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
        or point & 0xFFFE == 0xFFFE
        or 0xFDD0 <= point <= 0xFDEF
        or character in INVISIBLE
        or 0xFE00 <= point <= 0xFE0F
        or 0xE0000 <= point <= 0xE0FFF
    )


INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0")
"""Fillers and selectors that look like nothing, in categories of letters, marks and symbols."""


def is_safe(text: str) -> bool:
    """Whether a text is harmless, but for characters whose work is to join others."""
    return all(is_harmless(each) or each in JOINERS or _is_tag(each) for each in text)


def _is_tag(character: str) -> bool:
    return "\U000e0061" <= character <= "\U000e007f"
