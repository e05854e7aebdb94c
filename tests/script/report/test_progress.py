"""The line that tells how far a script is: short, and never wider than it may be."""

import asyncio
import time
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pseudo_terminal import PseudoTerminal
from tui_ipc.script.report import progress
from tui_ipc.script.report.console import Console
from tui_ipc.script.report.progress import Progress


def cells(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def test_it_tells_steps_rate_and_time_left() -> None:
    """In the words of a person who waits."""
    progress = Progress("load.tipc", 100_000, now=10.0)
    assert progress.line(0, 10.0, 80) == "load.tipc: 0 of 100 000 steps"
    assert progress.line(25_000, 12.0, 80) == "load.tipc: 25 000 of 100 000 steps · 12 500/s · 6 s left"


@pytest.mark.parametrize(
    ("passed", "left"),
    [(900, "1.0/s · 1 min 40 s left"), (999, "1.1/s · 1 s left"), (100, "0.1/s · 2 h 15 min left")],
)
def test_time_is_told_as_it_is_waited_for(passed: int, left: str) -> None:
    """With the parts that matter; a slow rate keeps a decimal."""
    progress = Progress("a", 1000, now=0.0)
    assert progress.line(passed, 900.0, 80).endswith(f" · {left}")


def test_nothing_is_left_to_guess_where_nothing_moves() -> None:
    """No rate, no time left: neither is known."""
    assert Progress("a", 5, now=0.0).line(0, 9.0, 80) == "a: 0 of 5 steps"


def test_the_rate_is_that_of_the_last_seconds() -> None:
    """A script that was slow at its beginning is not slow for ever."""
    progress = Progress("a", 10_000, now=0.0)
    for look in range(1, 40):
        progress.line(10 if look < 10 else 10 + (look - 10) * 100, float(look), 80)
    assert "100/s" in progress.line(3010, 40.0, 80)


@pytest.mark.parametrize(("width", "label"), [(41, "…k.tipc: "), (35, "…: "), (34, ""), (5, "")])
def test_what_does_not_fit_is_cut_from_the_name(width: int, label: str) -> None:
    """The end of the name tells more than its beginning; the figures come first."""
    told = Progress("talk.tipc", 20, now=0.0).line(10, 1.0, width)
    assert told == f"{label}10 of 20 steps · 10/s · 1 s left"[:width]


def test_wide_characters_take_two_cells() -> None:
    """As a terminal shows them."""
    told = Progress("日本語の会話.tipc", 20, now=0.0).line(10, 1.0, 45)
    assert told == "…会話.tipc: 10 of 20 steps · 10/s · 1 s left"
    assert cells(told) == 44


@given(st.text(max_size=40), st.integers(0, 10**12), st.floats(0, 1e6), st.integers(-1, 100))
def test_it_fits_whatever_the_name(name: str, passed: int, now: float, width: int) -> None:
    """Control characters are seen, wide ones count twice; a terminal is never steered."""
    told = Progress(name, 10**12, now=0.0).line(passed, now, width)
    assert cells(told) <= max(width, 0)
    assert told.isprintable()


ERASE = "\r\x1b[K"


@pytest.fixture
def terminal() -> Iterator[PseudoTerminal]:
    made = PseudoTerminal()
    yield made
    made.close()


def shown(terminal: PseudoTerminal, label: str, looks: int) -> list[str]:
    """What is drawn, and erased again, until it was asked for so many times how much passed."""

    async def main(console: Console) -> None:
        asked = asyncio.Event()
        counted = 0

        def passed() -> int:
            nonlocal counted
            counted += 1
            if counted == looks:
                asked.set()
            return counted - 1

        async with progress.show_progress(console, label, 9, passed):
            await asked.wait()

    asyncio.run(main(Console(None, terminal.stream, {})))
    return terminal.shown().split(ERASE)[1:]


def test_it_comes_and_goes(terminal: PseudoTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn again and again, from the number that is asked for each time; erased in the end."""
    monkeypatch.setattr(progress, "SHOW_AFTER", 0.0)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)
    first, second, third, *_, last = shown(terminal, "load.tipc", 3)
    assert first == "load.tipc: 0 of 9 steps"
    assert second.startswith("load.tipc: 1 of 9 steps")
    assert third.startswith("load.tipc: 2 of 9 steps")
    assert last == ""


def test_it_leaves_room_for_what_is_typed(terminal: PseudoTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``^C`` that a terminal shows behind it must stay on its line, where it will be erased."""
    monkeypatch.setattr(progress, "SHOW_AFTER", 0.0)
    monkeypatch.setattr(Console, "width", 20)
    drawn, erased = shown(terminal, "x" * 30, 1)
    assert (len(drawn), erased) == (17, "")


def test_what_is_over_soon_shows_nothing(terminal: PseudoTerminal) -> None:
    """Not even something to erase."""

    async def main(console: Console) -> None:
        async with progress.show_progress(console, "load.tipc", 9, lambda: 1):
            await asyncio.sleep(0)

    begun = time.monotonic()
    asyncio.run(main(Console(None, terminal.stream, {})))
    assert time.monotonic() - begun < progress.SHOW_AFTER
    assert terminal.shown() == ""
