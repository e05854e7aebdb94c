"""Signals make the explorer leave, and have their old handlers again afterwards."""

import asyncio
import gc
import os
import pty
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key, Paste

from tests.support.unicode_text import tricky_texts
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.terminal import LossyStream, PasteParser, run_on_terminal

HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGURG)


@pytest.fixture(autouse=True)
def interpreter() -> Iterator[None]:
    """Restore what the explorer sets for the whole process."""
    thresholds, interval = gc.get_threshold(), sys.getswitchinterval()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    sys.setswitchinterval(interval)


class Runner:
    """What is needed of an app: it sends itself a signal, and runs until it is to leave.

    Attributes:
        return_code: The code that it was to leave with.
    """

    def __init__(self, number: int | None) -> None:
        self.return_code: int | None = None
        self.defect: Exception | None = None
        self._number = number

    async def run_async(self) -> None:
        if self._number is None:
            return
        os.kill(os.getpid(), self._number)
        async with asyncio.timeout(10):
            while self.return_code is None:
                await asyncio.sleep(0)

    def leave(self, code: int = 0) -> None:
        self.return_code = code

    def _handle_exception(self, error: Exception) -> None:
        self.defect = error


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (None, 0)])
def test_a_signal_makes_the_app_leave_and_has_its_old_handler_afterwards(
    number: int | None, code: int
) -> None:
    """Its exit code is that of the signal; afterwards signals do what they did, and no thread is left."""
    before = [signal.getsignal(each) for each in HEARD]
    assert run_on_terminal(cast("ExplorerApp", Runner(number))) == code
    assert [signal.getsignal(each) for each in HEARD] == before
    assert threading.active_count() == 1


def test_writing_to_a_terminal_that_is_gone_raises_nothing() -> None:
    """What is written is lost."""
    master, slave = pty.openpty()
    file = open(slave, "w", closefd=False)  # noqa: SIM115 - closing it would write once more
    os.close(master)
    terminal = LossyStream(file)
    assert terminal.write("x" * 100_000) == 100_000
    terminal.flush()
    assert terminal.fileno() == slave
    with suppress(OSError):
        file.close()
    os.close(slave)


def is_one_paste(text: str) -> bool:
    """Whether it does not hold the end of a paste, which a terminal takes out."""
    return PasteParser.END not in text


@given(
    pasted=(st.text() | tricky_texts | st.text("\x1b[201\x00;m\r\t")).filter(
        lambda text: PasteParser.END not in text
    ),
    cuts=st.lists(st.integers(0, 60)),
)
def test_a_paste_comes_whole(pasted: str, cuts: list[int]) -> None:
    """Escape sequences in it too, however the terminal sends it in pieces, and keys around it stay keys."""
    parser = PasteParser()
    sent = f"{pasted}{PasteParser.END}y"
    edges = [0, *sorted(min(cut, len(sent)) for cut in cuts), len(sent)]
    events = [*parser.feed(f"x{PasteParser.START}")]
    events += [event for start, end in pairwise(edges) for event in parser.feed(sent[start:end])]
    assert [type(event) for event in events] == [Key, Paste, Key]
    assert isinstance(events[1], Paste)
    assert events[1].text == pasted
