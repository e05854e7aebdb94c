"""What might take for ever is broken off."""

import re
import signal
import threading
from time import process_time

import pytest

from tui_ipc.tui.watchdog import TakesTooLong, at_most

ENDLESS = re.compile("(a+)+$")
VICTIM = "a" * 40 + "b"


def test_an_endless_regular_expression_is_broken_off() -> None:
    """Within its time, and no signal is left to come."""
    begin = process_time()
    with pytest.raises(TakesTooLong), at_most(0.05):
        ENDLESS.search(VICTIM)
    assert process_time() - begin < 5
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is signal.SIG_DFL


def test_what_is_quick_enough_goes_on() -> None:
    """And what it raises comes through."""
    with at_most(10):
        found = ENDLESS.search("aaa")
    assert found is not None
    with pytest.raises(LookupError), at_most(10):
        raise LookupError
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)


def test_another_thread_is_left_alone() -> None:
    """Signals come to the main thread only."""
    seen = []

    def work() -> None:
        with at_most(0.001):
            seen.append(signal.getitimer(signal.ITIMER_VIRTUAL))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(0.0, 0.0)]
