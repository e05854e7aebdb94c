"""Searches for regular expressions end in time, and when a signal comes; what is found is what re finds."""

import os
import re
import signal
import subprocess
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.osutil.bounded_search import (
    MAX_DIRECT,
    BoundedSearch,
    SearchInterrupted,
    SearchTimeout,
    block_end_signals,
)
from tui_ipc.osutil.signals import replace_signal_handlers

EXPONENTIAL = (r"^(a+)+$", "a" * 44 + "b")
QUADRATIC = (r"a*b", "a" * 1_000_000)  # each step passes over the whole text: a timer would be minutes late


@pytest.mark.parametrize("length", [0, 10, MAX_DIRECT, MAX_DIRECT + 1, 100_000])
@pytest.mark.parametrize("expression", ["x+y", "xy", "(?=x).{2}", "z*$"])
def test_the_span_is_that_of_re(expression: str, length: int) -> None:
    """In a short text and in a long one, from the beginning and from an index on."""
    text = "." * length + "xxy" + "." * length
    for start in (0, length, length + 3):
        found = re.compile(expression).search(text, start)
        searched = BoundedSearch(30).find(expression, text, start)
        assert (searched and searched.span) == (found and found.span())


@given(st.text("ab\n", max_size=20), st.sampled_from(["^a+$", "a?b*", "b{2}", "(a|b)+?b"]))
def test_flags_are_those_of_re(text: str, expression: str) -> None:
    """Such as that ^ and $ are those of a line."""
    found = re.compile(expression, re.MULTILINE).search(text)
    searched = BoundedSearch(30).find(expression, text, flags=re.MULTILINE)
    assert (searched and searched.span) == (found and found.span())


@pytest.mark.parametrize("length", [0, MAX_DIRECT + 1])
def test_named_groups_come_with_what_they_match(length: int) -> None:
    """One that matches nothing does not."""
    text = "." * length + "port 8080"
    expression = r"port (?P<port>\d+)(?P<host> \w+)?"
    assert BoundedSearch(30)(expression, text) == {"port": "8080"}
    assert BoundedSearch(30)("(?P<a>x+)(?P<b>y)", text) is None


@pytest.mark.parametrize(("expression", "text"), [EXPONENTIAL, QUADRATIC])
def test_a_slow_search_ends_in_time(expression: str, text: str) -> None:
    """It names the expression, and leaves neither a timer nor a process."""
    began = time.monotonic()
    with pytest.raises(SearchTimeout) as caught:
        BoundedSearch(0.3)(expression, text)
    assert time.monotonic() - began < 5
    assert caught.value.expression == expression
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@pytest.mark.parametrize(("expression", "text"), [EXPONENTIAL, QUADRATIC])
def test_a_slow_search_ends_when_a_signal_comes(expression: str, text: str) -> None:
    """Even though the handler, as one of an event loop, does nothing."""
    with (
        replace_signal_handlers({signal.SIGTERM: lambda *_: None}),
        subprocess.Popen(["sh", "-c", f"sleep 0.2; kill -TERM {os.getpid()}"]),
        pytest.raises(SearchInterrupted),
    ):
        BoundedSearch(30)(expression, text)


def test_a_signal_that_waits_ends_a_search_at_once() -> None:
    """It was blocked, so that it would not come before the search unnoticed."""
    with replace_signal_handlers({signal.SIGTERM: lambda *_: None}), block_end_signals():
        # To this thread: a test runner may have others, which would take a signal sent to the process.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        began = time.monotonic()
        with pytest.raises(SearchInterrupted):
            BoundedSearch(30)(*EXPONENTIAL)
        assert time.monotonic() - began < 5


def test_a_signal_in_the_middle_of_a_fork_ends_the_search_and_breaks_no_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another thread takes the signal then; its handler, which raises, must not run in what a fork calls."""
    fork = os.fork

    def fork_with_a_signal() -> int:
        pid = fork()
        if pid:
            thread = threading.Thread(target=os.kill, args=(os.getpid(), signal.SIGTERM))
            thread.start()
            thread.join()
        return pid

    monkeypatch.setattr(os, "fork", fork_with_a_signal)
    with replace_signal_handlers({signal.SIGTERM: lambda *_: None}), pytest.raises(SearchInterrupted):
        BoundedSearch(30)(*QUADRATIC)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_slow_search_in_another_thread_ends_in_time() -> None:
    """Where no handler can be installed, a process searches."""
    errors: list[type[Exception]] = []

    def search() -> None:
        try:
            BoundedSearch(0.3)(*EXPONENTIAL)
        except SearchTimeout as error:
            errors.append(type(error))

    thread = threading.Thread(target=search)
    thread.start()
    thread.join(30)
    assert errors == [SearchTimeout]


def test_a_timer_that_runs_goes_on() -> None:
    """The time that the search took counts for it as well."""
    fired = []
    with replace_signal_handlers({signal.SIGALRM: lambda *_: fired.append(time.monotonic())}):
        before = signal.setitimer(signal.ITIMER_REAL, 0.4)
        began = time.monotonic()
        try:
            with pytest.raises(SearchTimeout):
                BoundedSearch(0.3)(*EXPONENTIAL)
            while not fired:
                signal.sigtimedwait([], 0.05)
        finally:
            signal.setitimer(signal.ITIMER_REAL, *before)
    assert 0.35 < fired[0] - began < 5
