"""What is looked for in a text: words as they stand, or a regular expression between slashes.

Letters match whatever their case, unless a capital is among what is looked for.
"""

import re
import warnings
from bisect import bisect_left
from collections import deque
from collections.abc import Callable
from time import monotonic

_ESCAPE = re.compile(r"\\.", re.DOTALL)


class SearchPatternError(Exception):
    """Nothing can be looked for by this text; the message is a sentence that says why."""


def compile_literal(text: str) -> re.Pattern[str]:
    """Look for a text as it stands."""
    return re.compile(re.escape(text), _case_flag(text))


def compile_regex(text: str) -> re.Pattern[str]:
    """Look for what a regular expression matches.

    Raises:
        NeedleError: It is none.
    """
    if not text:
        raise SearchPatternError("regex: nothing stands between the slashes")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a doubtful set is no fault, and a warning would tear the screen
        try:
            return re.compile(text, _case_flag(_ESCAPE.sub("", text)))
        except RecursionError:
            raise SearchPatternError("regex: nested too deeply") from None
        except (re.error, OverflowError, ValueError) as error:
            raise SearchPatternError(f"regex: {error}") from None


def compile_search(text: str) -> re.Pattern[str]:
    """Look for a text, or for a regular expression if it stands between slashes.

    Raises:
        NeedleError: The regular expression is none.
    """
    if len(text) > 1 and text[0] == text[-1] == "/":
        return compile_regex(text[1:-1])
    return compile_literal(text)


def _case_flag(text: str) -> re.RegexFlag:
    return re.NOFLAG if text != text.lower() else re.IGNORECASE


class IncrementalFilter:
    """Holds the indexes of the items that pass; what is new is tested first, then what is older, backwards.

    Places are counted so that the place of an index is never greater than the index, and never below zero.

    Args:
        passes: Tests the item with an index. It is asked once for each.
        end: The index after the newest item.

    Attributes:
        first: The place of the oldest index that passed and is held.
    """

    def __init__(self, passes: Callable[[int], bool], end: int) -> None:
        self._passes = passes
        self._held: deque[int] = deque()
        self._low = self._high = end
        self.first = end

    def __len__(self) -> int:
        return len(self._held)

    def __getitem__(self, place: int) -> int:
        """The index that has a place."""
        return self._held[place - self.first]

    @property
    def end(self) -> int:
        """The place that the next index to pass will have."""
        return self.first + len(self._held)

    def place(self, index: int) -> int:
        """The place of an index if it passed, else that of the next that did: :attr:`end` if none did."""
        return self.first + bisect_left(self._held, index)

    def reaches(self, index: int) -> bool:
        """Whether everything from an index on has been tested, so that its place is known."""
        return self._low <= index

    def forget(self, first: int) -> None:
        """Take in that the sequence now begins at an index."""
        while self._held and self._held[0] < first:
            self._held.popleft()
            self.first += 1
        self._high = max(self._high, first)

    def scan(self, first: int, end: int, until: float, clock: Callable[[], float] = monotonic) -> bool:
        """Test what has not been tested yet, at least one item and no more once it is late.

        Args:
            first: The index of the oldest item that is held.
            end: The index after the newest.
            until: When to stop, by the clock.
            clock: Tells the time in seconds.

        Returns:
            Whether everything has been tested.
        """
        self.forget(first)
        while self._high < end:
            if self._passes(self._high):
                self._held.append(self._high)
            self._high += 1
            if clock() >= until:
                return self._done(first, end)
        while self._low > first:
            self._low -= 1
            if self._passes(self._low):
                self._held.appendleft(self._low)
                self.first -= 1
            if clock() >= until:
                break
        return self._done(first, end)

    def _done(self, first: int, end: int) -> bool:
        return self._low <= first and self._high >= end
