"""Our output streams, the console and its status line, with pipes, terminals and lost readers."""

import asyncio
import fcntl
import io
import os
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.pseudo_terminal import PseudoTerminal
from tui_ipc.script import output
from tui_ipc.script.output import (
    GREEN,
    Console,
    OutputLostError,
    OutputStream,
    choose_paint,
    colour_text,
    format_progress,
    leave_plain,
    show_progress,
    write_stderr,
)
from tui_ipc.text.safe_text import cell_width, make_visible


def test_lines_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with its end."""
    write_stderr("one", "two")
    write_stderr()
    assert capsys.readouterr().err == "one\ntwo\n"


def test_lines_to_a_lost_stderr_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed stream, a full disk, a reader that went away: no traceback, and all else goes on."""
    monkeypatch.setattr(sys, "stderr", None)
    write_stderr("lost")
    reading, writing = os.pipe()
    os.close(reading)
    for name in ("/dev/full", writing):
        stream = open(name, "w", buffering=1, encoding="utf-8")  # noqa: SIM115 - closing it fails, as it must
        monkeypatch.setattr(sys, "stderr", stream)
        write_stderr("lost")
        with pytest.raises(OSError, match=r"No space|Broken pipe"):
            stream.close()


@pytest.fixture
def pipe() -> Iterator[tuple[io.BufferedReader, io.TextIOWrapper]]:
    """A pipe that holds 65 536 bytes, and whose text is ASCII."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 65_536)
    with open(reading, "rb") as reader, open(writing, "w", encoding="ascii") as writer:
        yield reader, writer


Pipe = tuple[io.BufferedReader, io.TextIOWrapper]


def test_a_slow_reader_makes_only_the_writer_wait(pipe: Pipe) -> None:
    """The event loop goes on while a write waits, and all arrives in order."""
    reader, writer = pipe
    os.set_blocking(reader.fileno(), False)
    data = bytes(range(256)) * 1000
    got: list[bytes] = []

    async def main() -> None:
        writing = asyncio.create_task(OutputStream(writer).write(data))
        while sum(map(len, got)) < len(data):
            await asyncio.sleep(0)
            got.append(reader.read(1000) or b"")
        await writing

    asyncio.run(main())
    assert b"".join(got) == data


def test_a_fast_reader_keeps_nobody_waiting() -> None:
    """Other tasks, and signals, have their turns in a large write, and in many small ones."""

    async def main(pieces: list[bytes]) -> int:
        turns = 0

        async def take_turns() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        with open("/dev/null", "w", encoding="ascii") as stream:
            written = OutputStream(stream)
            other = asyncio.create_task(take_turns())
            for piece in pieces:
                await written.write(piece)
            other.cancel()
        return turns

    assert asyncio.run(main([bytes(1024 * 1024)])) >= 3
    assert asyncio.run(main([b"line\n"] * 1000)) >= 3


def test_a_write_can_be_given_up(pipe: Pipe) -> None:
    """A reader that never reads does not keep a task from ending."""
    _, writer = pipe

    async def main() -> None:
        writing = asyncio.create_task(OutputStream(writer).write(bytes(100_000)))
        await asyncio.sleep(0)
        assert not writing.done()
        writing.cancel()
        await asyncio.wait([writing])
        assert writing.cancelled()

    asyncio.run(main())


def test_a_reader_that_went_away(pipe: Pipe) -> None:
    """Data cannot be lost in silence, narration can."""
    reader, writer = pipe
    reader.close()
    with pytest.raises(OutputLostError, match="Broken pipe") as lost:
        asyncio.run(OutputStream(writer).write(b"data"))
    assert lost.value.closed
    asyncio.run(OutputStream(writer, lossy=True).line("narration"))


def test_a_full_disk() -> None:
    """It is distinguished from a reader that went away."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        with pytest.raises(OutputLostError, match="No space left") as lost:
            asyncio.run(OutputStream(full).write(b"data"))
        assert not lost.value.closed


def test_our_lines_stand_alone(pipe: Pipe) -> None:
    """They do not continue an unfinished line of the child, and fit any encoding."""
    reader, writer = pipe

    async def main() -> None:
        sink = OutputStream(writer)
        await sink.write(b"child: \xff")
        await sink.line("parent: é→")
        await sink.line("again")

    asyncio.run(main())
    assert os.read(reader.fileno(), 1000) == b"child: \xff\nparent: \\xe9\\u2192\nagain\n"


def test_a_closed_stream_takes_everything() -> None:
    """Whoever closes our standard output wants none of it."""
    asyncio.run(OutputStream(None).write(b"data"))


@pytest.mark.parametrize(
    ("terminal", "environment", "expected"),
    [
        (True, {}, colour_text),
        (True, {"TERM": "xterm", "NO_COLOR": ""}, colour_text),
        (True, {"NO_COLOR": "0"}, leave_plain),
        (False, {"FORCE_COLOR": "1", "TERM": "dumb"}, colour_text),
        (False, {"FORCE_COLOR": ""}, leave_plain),
        (True, {"FORCE_COLOR": "1", "NO_COLOR": "1"}, leave_plain),
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


def test_an_unfinished_line_is_not_overwritten_by_the_status(terminal: PseudoTerminal) -> None:
    """A status line in its place would cut it, and leave its end alone."""

    async def main() -> None:
        console = Console(terminal.stream, terminal.stream, {})
        for sink in (console.stdout, console.stderr):
            await console.write(sink, b"ha")
            console.show("1 of 9")
            await console.write(sink, b"lf\n")

    asyncio.run(main())
    assert terminal.shown() == "half\nhalf\n"


def test_data_to_a_pipe_leaves_the_status_line(
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


def test_no_status_line_without_a_terminal(
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


def test_a_lost_terminal_is_not_a_failure() -> None:
    """Narration is lost without a word."""
    terminal = PseudoTerminal()
    with terminal.stream:
        console = Console(None, terminal.stream, {})
        os.close(terminal.leader)
        console.show("1 of 9")
        asyncio.run(console.line(console.stderr, "news"))


def test_the_status_line_has_the_steps() -> None:
    """Those that passed, and all."""
    assert format_progress("load.tipc", "step", 25_000, 100_000, 80) == "load.tipc: 25 000 of 100 000 steps"


@pytest.mark.parametrize(("width", "label"), [(23, "…k.tipc: "), (17, "…: "), (16, ""), (5, "")])
def test_what_does_not_fit_is_cut_from_the_name(width: int, label: str) -> None:
    """The end of the name tells more than its beginning; the figures come first."""
    assert format_progress("talk.tipc", "step", 10, 20, width) == f"{label}10 of 20 steps"[:width]


def test_wide_characters_take_two_cells() -> None:
    """As a terminal shows them."""
    line = format_progress("日本語の会話.tipc", "step", 10, 20, 27)
    assert line == "…会話.tipc: 10 of 20 steps"
    assert cell_width(line) == 26


@given(st.text(max_size=40), st.integers(0, 10**12), st.integers(-1, 100))
def test_it_fits_whatever_the_name(name: str, passed: int, width: int) -> None:
    """Control characters are seen, wide ones count twice; a terminal is never steered."""
    line = format_progress(name, "step", passed, 10**12, width)
    assert cell_width(line) <= max(width, 0)
    assert make_visible(line) == line


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

        async with show_progress(console, label, "step", 9, passed):
            await asked.wait()

    asyncio.run(main(Console(None, terminal.stream, {})))
    return terminal.shown().split(ERASE)[1:]


def test_it_comes_and_goes(terminal: PseudoTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn again and again, from the number that is asked for each time; erased in the end."""
    monkeypatch.setattr(output, "SHOW_AFTER", 0.0)
    monkeypatch.setattr(output, "INTERVAL", 0.0)
    first, second, third, *_, last = shown(terminal, "load.tipc", 3)
    assert first == "load.tipc: 0 of 9 steps"
    assert second.startswith("load.tipc: 1 of 9 steps")
    assert third.startswith("load.tipc: 2 of 9 steps")
    assert last == ""


def test_it_leaves_room_for_what_is_typed(terminal: PseudoTerminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ``^C`` that a terminal shows after it must stay on its line, where it will be erased."""
    monkeypatch.setattr(output, "SHOW_AFTER", 0.0)
    monkeypatch.setattr(Console, "width", 20)
    drawn, erased = shown(terminal, "x" * 30, 1)
    assert (len(drawn), erased) == (17, "")


def test_what_is_over_soon_shows_nothing(terminal: PseudoTerminal) -> None:
    """Not even something to erase."""

    async def main(console: Console) -> None:
        async with show_progress(console, "load.tipc", "step", 9, lambda: 1):
            await asyncio.sleep(0)

    began = time.monotonic()
    asyncio.run(main(Console(None, terminal.stream, {})))
    assert time.monotonic() - began < output.SHOW_AFTER
    assert terminal.shown() == ""
