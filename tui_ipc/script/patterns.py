"""The holes that a pattern may have, where a value need not be told. Pure.

A pattern is a value as messages hold it, in which holes may stand for values: in arrays, in maps, or alone.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Rest:
    """``...``: alone any value, in an array any further items, in a map (its own key) any further entries."""


REST: Final = Rest()


@dataclass(frozen=True, slots=True)
class Matching:
    """``/re/``: a string in which a regular expression is found."""

    expression: str


@dataclass(frozen=True, slots=True)
class Captured:
    """``{{name}}``: where it stands first any value, which bears the name from then on; later that value."""

    name: str
