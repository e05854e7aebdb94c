"""Colour is for people on a terminal that can, who did not ask for none."""

import asyncio
import fcntl
import io
import os
import struct
import termios
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.support.pseudo_terminal import PseudoTerminal
from tui_ipc.script.report.console import GREEN, Console, choose_paint, colour_text, leave_plain


@pytest.mark.parametrize(
    ("terminal", "environment", "expected"),
    [
        (True, {}, colour_text),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, colour_text),
        (True, {"NO_COLOR": "0"}, leave_plain),
        (True, {"TERM": "dumb"}, leave_plain),
        (False, {"TERM": "xterm"}, leave_plain),
    ],
)
def test_who_gets_colour(terminal: bool, environment: dict[str, str], expected: object) -> None:
    """``NO_COLOR`` forbids it whatever it says, unless it is empty."""
    assert choose_paint(terminal=terminal, environment=environment) is expected


def test_how_it_is_given() -> None:
    """Between the sequence that sets it and the one that ends it, or not at all."""
    assert colour_text("passed", GREEN) == "\x1b[32mpassed\x1b[m"
    assert leave_plain("passed", GREEN) == "passed"


ERASE = "\r\x1b[K"


@pytest.fixture
def terminal() -> Iterator[PseudoTerminal]:
    made = PseudoTerminal()
    yield made
    made.close()


@pytest.fixture
def pipe() -> Iterator[tuple[io.BufferedReader, io.TextIOWrapper]]:
    """Something that is no terminal."""
    reading, writing = os.pipe()
    with open(reading, "rb") as reader, open(writing, "w", encoding="utf-8") as writer:
        yield reader, writer


def test_a_line_is_never_written_into_the_status_line(terminal: PseudoTerminal) -> None:
    """It is erased first, and comes again when somebody draws it."""

    async def main() -> None:
        console = Console(terminal.stream, terminal.stream, {})
        console.show("1 of 9")
        await console.line(console.stderr, "news")
        await console.line(console.stderr, "more")
        console.show("2 of 9")
        await console.write(console.stdout, b"data\n")
        console.show("3 of 9")
        await console.clear()
        await console.clear()

    asyncio.run(main())
    assert terminal.shown() == (
        f"{ERASE}1 of 9{ERASE}news\nmore\n{ERASE}2 of 9{ERASE}data\n{ERASE}3 of 9{ERASE}"
    )


def test_a_line_that_is_begun_is_not_disturbed(terminal: PseudoTerminal) -> None:
    """A status line in its place would cut it, and its end would stand alone."""

    async def main() -> None:
        console = Console(terminal.stream, terminal.stream, {})
        for sink in (console.stdout, console.stderr):
            await console.write(sink, b"ha")
            console.show("1 of 9")
            await console.write(sink, b"lf\n")

    asyncio.run(main())
    assert terminal.shown() == "half\nhalf\n"


def test_data_that_goes_elsewhere_disturbs_no_status_line(
    terminal: PseudoTerminal, pipe: tuple[io.BufferedReader, io.TextIOWrapper]
) -> None:
    """A file takes what is printed, even half a line of it, and the terminal shows how far it is."""
    reader, writer = pipe

    async def main() -> None:
        console = Console(writer, terminal.stream, {})
        console.show("1 of 9")
        await console.write(console.stdout, b"half")
        console.show("2 of 9")
        await console.clear()

    asyncio.run(main())
    assert terminal.shown() == f"{ERASE}1 of 9{ERASE}2 of 9{ERASE}"
    assert os.read(reader.fileno(), 100) == b"half"


def test_while_something_is_written_nothing_is_drawn(terminal: PseudoTerminal) -> None:
    """A terminal that is slow, or stopped by Ctrl-S, has the first half of a line."""

    async def main() -> bytes:
        console = Console(terminal.stream, terminal.stream, {})
        for descriptor in (terminal.leader, terminal.stream.fileno()):
            os.set_blocking(descriptor, False)
        writing = asyncio.create_task(console.line(console.stderr, "x" * 100_000))
        await asyncio.sleep(0)
        assert not writing.done()
        console.show("1 of 9")
        shown = b""
        while len(shown) < 100_001:
            await asyncio.sleep(0)
            with suppress(BlockingIOError):
                shown += os.read(terminal.leader, 4096)
        await writing
        return shown

    assert asyncio.run(main()) == b"x" * 100_000 + b"\n"


def test_where_nobody_looks_nothing_is_drawn(
    terminal: PseudoTerminal, pipe: tuple[io.BufferedReader, io.TextIOWrapper]
) -> None:
    """Not into a pipe, not on a terminal that cannot erase, not without standard error."""
    reader, writer = pipe

    async def main() -> None:
        for console in (
            Console(terminal.stream, writer, {}),
            Console(None, terminal.stream, {"TERM": "dumb"}),
            Console(None, None, {}),
        ):
            console.show("1 of 9")
            await console.clear()
            assert not console.interactive

    asyncio.run(main())
    writer.write("end")
    writer.flush()
    assert os.read(reader.fileno(), 100) == b"end"
    assert terminal.shown() == ""


def test_its_width_and_colour_are_the_terminals(
    terminal: PseudoTerminal, pipe: tuple[io.BufferedReader, io.TextIOWrapper]
) -> None:
    """Asked for each time, for windows are resized."""
    console = Console(None, terminal.stream, {})
    for columns in (33, 120):
        fcntl.ioctl(terminal.leader, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        assert console.width == columns
    assert console.paint is colour_text
    assert Console(None, terminal.stream, {"NO_COLOR": "1"}).paint is leave_plain
    elsewhere = Console(None, pipe[1], {})
    assert (elsewhere.width, elsewhere.paint) == (80, leave_plain)


def test_a_terminal_that_went_away_is_no_failure() -> None:
    """Narration is lost without a word."""
    terminal = PseudoTerminal()
    with terminal.stream:
        console = Console(None, terminal.stream, {})
        os.close(terminal.leader)
        console.show("1 of 9")
        asyncio.run(console.line(console.stderr, "news"))
