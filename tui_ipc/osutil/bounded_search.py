"""Searches for a regular expression within a time, and until a signal asks this process to end.

Python's ``re`` backtracks: ``(a+)+$`` takes twice as long with each further letter. A Python signal handler
that raises ends it, but only between its operations, each of which may pass over the whole text. So an
expression that repeats nothing is searched for directly. One that does is searched for in a text of at most
:data:`MAX_DIRECT` characters under an interval timer whose handler raises. In a longer text that could be
late by minutes, and so a forked process does it, which is killed once the time is over.
"""

import os
import re
import select
import signal
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final, NamedTuple, NoReturn

from tui_ipc.osutil.signals import END_SIGNALS, fork_with_default_signals, replace_signal_handlers

MAX_DIRECT: Final = 4096
"""The longest text that is searched in this process, where a search ends 0.1 s late at most (measured)."""

_REPEATS: Final = frozenset("*+?{")  # an expression with none of these takes time in proportion to the text
_MIN_SECONDS: Final = 0.25  # for a search that begins at the deadline: what had arrived by then counts
_SPAN_SIZE: Final = struct.calcsize("2q")
_NOT_FOUND: Final = (-1, -1)


class FoundText(NamedTuple):
    """What was found: where, and what its named groups matched."""

    span: tuple[int, int]
    groups: dict[str, str]


_Spans = Sequence[tuple[int, int]]  # of a match, and of each of its named groups


class SearchTimeout(Exception):
    """A search was not over in time; ``expression`` is what it searched for."""

    def __init__(self, expression: str) -> None:
        super().__init__(f"the search for /{expression}/ took too long")
        self.expression = expression


class SearchInterrupted(Exception):
    """A signal that asks this process to end came during a search; an event loop's handler is called next."""


class BoundedSearch:
    """Searches, all of which must be over within a time from now.

    Args:
        timeout: Seconds.
    """

    def __init__(self, timeout: float) -> None:
        self._deadline = time.monotonic() + timeout

    def __call__(self, expression: str, text: str) -> dict[str, str] | None:
        """What the named groups of an expression match in a text; None if it is not found."""
        found = self.find(expression, text)
        return None if found is None else found.groups

    def find(self, expression: str, text: str, start: int = 0, flags: int = 0) -> FoundText | None:
        """Find an expression in a text from an index on.

        Raises:
            SearchTimeout: The time is over.
            SearchInterrupted: A signal came.
        """
        pattern = re.compile(expression, flags)
        spans = self._find_spans(pattern, text, start)
        if spans is None:
            return None
        groups = {
            name: text[begin:end]
            for name, (begin, end) in zip(pattern.groupindex, spans[1:], strict=True)
            if begin >= 0
        }
        return FoundText(spans[0], groups)

    def _find_spans(self, pattern: re.Pattern[str], text: str, start: int) -> _Spans | None:
        if _REPEATS.isdisjoint(pattern.pattern):
            return _list_spans(pattern.search(text, start))
        is_main = threading.current_thread() is threading.main_thread()  # handlers and timers are only for it
        seconds = max(self._deadline - time.monotonic(), _MIN_SECONDS)
        interruption = _Interruption()
        try:
            if not is_main:
                return _search_in_process(pattern, text, start, seconds, interruption)
            handlers = dict.fromkeys(_find_handled_signals(), interruption.handle)
            with replace_signal_handlers(handlers), _unblock_end_signals():
                if len(text) - start > MAX_DIRECT:
                    return _search_in_process(pattern, text, start, seconds, interruption)
                with _raise_after(seconds), interruption.let_in():
                    return _list_spans(pattern.search(text, start))
        except TimeoutError:
            raise SearchTimeout(pattern.pattern) from None


def _list_spans(match: re.Match[str] | None) -> _Spans | None:
    return None if match is None else [match.span(), *map(match.span, match.re.groupindex)]


@contextmanager
def block_end_signals() -> Iterator[None]:
    """Keep signals that ask this process to end waiting; in a search they are let in, and end it.

    A signal that comes shortly before a search would otherwise be noticed after it: its handler only wakes
    the event loop. Whoever blocks them first, then lets the loop run, and then searches, misses none.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _unblock_end_signals() -> Iterator[None]:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _find_handled_signals() -> list[int]:
    """The signals whose handler would not end a search.

    An event loop's handler does nothing but wake the loop, which cannot run before the search is over. The
    loop is woken all the same, by C code, and so calls its own handlers after the interruption. The default
    handlers end the process, or raise KeyboardInterrupt, and stay.
    """
    found: list[int] = []
    for number in END_SIGNALS:
        handler = signal.getsignal(number)
        if callable(handler) and handler is not signal.default_int_handler:
            found.append(number)
    return found


class _Interruption:
    """Raises SearchInterrupted where a search waits, once a signal came.

    Only there: in a fork, for one, it would leave the locks of ``logging`` taken for good.
    """

    def __init__(self) -> None:
        self._came = False
        self._is_let_in = False

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        """The handler of the signals."""
        self._came = True
        if self._is_let_in:
            raise SearchInterrupted

    @contextmanager
    def let_in(self) -> Iterator[None]:
        """Raise here, also for a signal that came before."""
        self._is_let_in = True
        try:
            if self._came:
                raise SearchInterrupted
            yield
        finally:
            self._is_let_in = False


def _raise_timeout(_number: int, _frame: FrameType | None) -> NoReturn:
    raise TimeoutError


@contextmanager
def _raise_after(seconds: float) -> Iterator[None]:
    """Raise TimeoutError from whatever runs after so many seconds; a timer that runs goes on afterwards."""
    began = time.monotonic()
    with replace_signal_handlers({signal.SIGALRM: _raise_timeout}):
        before, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
        try:
            yield
        finally:
            left = max(before - (time.monotonic() - began), 0.000_001) if before else 0.0
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _search_in_process(
    pattern: re.Pattern[str], text: str, start: int, seconds: float, interruption: _Interruption
) -> _Spans | None:
    """Search in a forked process, which shares the text; raises TimeoutError once the time is over."""
    reader, writer = os.pipe()
    packing = _choose_packing(pattern)
    data = b""
    try:
        pid = fork_with_default_signals(lambda: _write_span(writer, pattern, text, start))
        try:
            os.close(writer)
            writer = -1
            poll = select.poll()
            poll.register(reader, select.POLLIN)
            with interruption.let_in():
                if not poll.poll(seconds * 1000):
                    raise TimeoutError
            while len(data) < packing.size and (piece := os.read(reader, packing.size)):
                data += piece
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    finally:
        os.close(reader)
        if writer >= 0:
            os.close(writer)
    if len(data) != packing.size:  # it was ended by a signal that was meant for the whole process group
        raise SearchInterrupted
    numbers = packing.unpack(data)
    spans = list(zip(numbers[::2], numbers[1::2], strict=True))
    return None if spans[0] == _NOT_FOUND else spans


def _write_span(writer: int, pattern: re.Pattern[str], text: str, start: int) -> None:
    packing = _choose_packing(pattern)
    spans = _list_spans(pattern.search(text, start)) or [_NOT_FOUND] * (packing.size // _SPAN_SIZE)
    os.write(writer, packing.pack(*(number for span in spans for number in span)))


def _choose_packing(pattern: re.Pattern[str]) -> struct.Struct:
    return struct.Struct(f"{2 * (1 + len(pattern.groupindex))}q")
