"""The holes that a pattern may have, where a value need not be told. Pure.

The one rule: a pattern is a value as messages hold it, in which holes stand for values, alone, in arrays or
in maps; so a pattern without holes is a value. No message holds a hole, and no hole is the key of a map, but
that ``REST`` as key and value of one entry stands for further entries.
"""

from dataclasses import dataclass
from typing import Final, final


@final
@dataclass(frozen=True, slots=True, eq=False)  # nothing equals it but itself: `REST in items` is quick
class Rest:
    """``...``: alone any value, in an array any further items, in a map any further entries."""


REST: Final = Rest()
"""The only one there is."""


@final
@dataclass(frozen=True, slots=True)
class Matching:
    """``/re/``: a string in which a regular expression is found, as ``re.search`` does."""

    expression: str


@final
@dataclass(frozen=True, slots=True)
class Captured:
    """``{{name}}``: where it stands first any value, which bears the name from then on; later that value."""

    name: str


ANYTHING: Final = Captured("_")
"""``{{_}}``: one value, whatever it is, wherever it stands; it bears no name."""

HOLES: Final = (Rest, Matching, Captured)
