"""How many values of each kind a message holds, and how many of its bytes say no more than what they are."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Final

from tui_ipc.session.units import count, plural
from tui_ipc.tui.content.dissection import Dissection

MOST: Final = 100_000
"""So many values are counted; who has more has seen what they are like."""

_CHUNK: Final = 500  # values of one step: a millisecond

_IN_ONE: Final = ("nil", "bool", "int")  # what a single byte can say, kind and content in one

_NOUNS: Final = {
    "map": ("map", "maps"),
    "array": ("array", "arrays"),
    "str": ("string", "strings"),
    "bin": ("binary", "binaries"),
    "int": ("integer", "integers"),
    "float": ("float", "floats"),
    "bool": ("boolean", "booleans"),
    "nil": ("null", "nulls"),
    "ext": ("extension", "extensions"),
}


class Census:
    """Counts what is in a message, step by step.

    Args:
        subject: The message.
    """

    def __init__(self, subject: Dissection) -> None:
        self._subject = subject
        self._kinds: Counter[str] = Counter()
        self._headers = 0
        self._depth = 0
        self._counted = 0  # bytes

    def steps(self) -> Iterator[None]:
        """Count; each step takes a millisecond or so."""
        anatomy = self._subject.anatomy
        while self._kinds.total() < MOST:
            chunk = list(islice(anatomy.parts(self._counted), _CHUNK))
            for part, path in chunk:
                self._kinds[part.family] += 1
                if part.end - part.start > 1 or part.family not in _IN_ONE:
                    self._headers += part.payload - part.start
                self._depth = max(self._depth, len(path))
                self._counted = part.end
            if not chunk and not self._subject.walk() and anatomy.walked == self._counted:
                return
            yield

    def facts(self) -> Iterator[tuple[str, str]]:
        """What was found so far, by its names."""
        if not self._counted:
            return
        kinds = ((self._kinds[kind], nouns) for kind, nouns in _NOUNS.items())
        held = ", ".join(plural(number, *nouns) for number, nouns in kinds if number)
        whole = self._counted == len(self._subject.raw)
        yield "holds", held if whole else f"{held}, in its first {plural(self._counted, 'byte')}"
        if self._depth > 1:
            yield "depth", str(self._depth)
        share = 100 * self._headers / self._counted
        yield "headers", f"{count(self._headers)} of {plural(self._counted, 'byte')}, {share:.0f} %"
