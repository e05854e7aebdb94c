"""A flood into the explorer: how fast it is taken in, how long keys wait meanwhile, how much memory it takes.

The explorer runs on a terminal as a user's does. Keys are letters that stand nowhere else on the screen, so
the first bytes that hold one are its echo.
"""

import asyncio
import sys
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from time import perf_counter

from tests.benchmarks.measure import Figure, Group, percentile
from tests.benchmarks.starts import TUI_IPC, environment
from tests.benchmarks.terminal import NotShownError, Terminal
from tui_ipc.events import AnyEvent, ChildOutput, MessageReceived
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import Session

PATIENCE = 120.0
"""Seconds until we give up waiting for the flood to end."""

LAST_LINE = "the last line"
LAST_MESSAGE = "the last message"
FILTER = "message"

_PAUSE = 0.02  # between a key's echo and the next key: about how fast a hurried typist is, twice
_LETTERS = [letter for letter in map(chr, range(0x410, 0x530)) if letter.isalpha()]  # Cyrillic: none is ours
_SETTLE = 0.5  # seconds until a flood that has ended is drawn
_MEBIBYTE = 1024  # kB, as /proc tells memory

# What the explorer writes when the focus comes there: of the keys that work there, or of what may be typed.
_LOG_HAS_FOCUS, _BAR_HAS_FOCUS, _BOX_HAS_FOCUS = b"Filter", b"slower 5ms", b"History"


@dataclass(frozen=True, slots=True)
class Flooded:
    """What was seen of one flood.

    Attributes:
        seconds: From the word to begin until the last line and the last message were on the screen.
        quiet: Seconds from key to screen before the flood, key by key.
        busy: The same in the flood.
        memory_before: MiB of resident memory before the flood.
        memory_peak: The most it ever was.
    """

    seconds: float
    quiet: list[float]
    busy: list[float]
    memory_before: float
    memory_peak: float


def floods(quick: bool) -> dict[str, Group]:
    """Title → what was compared."""
    lines, messages = (20_000, 2_000) if quick else (1_000_000, 100_000)
    alone = asyncio.run(session_alone(lines, messages))
    seen = explorer(lines, messages, 20 if quick else 200)
    filtered = explorer(lines, messages, 20 if quick else 200, FILTER)
    title = f"flood of {lines:,} lines and {messages:,} messages"
    return {
        title: Group(
            "lines/s",
            {"session, events dropped": _single(lines / alone), "explorer": _single(lines / seen.seconds)},
        ),
        "explorer, key to screen": Group(
            "ms",
            {
                "quiet": _keys(seen.quiet, 0.5),
                "in the flood": _keys(seen.busy, 0.5),
                "in the flood, filtered": _keys(filtered.busy, 0.5),
            },
        ),
        "explorer, key to screen, 99 of 100": Group(
            "ms",
            {
                "quiet": _keys(seen.quiet, 0.99),
                "in the flood": _keys(seen.busy, 0.99),
                "in the flood, filtered": _keys(filtered.busy, 0.99),
            },
        ),
        "explorer, resident memory": Group(
            "MiB",
            {
                "before the flood": _single(seen.memory_before),
                "at most": _single(seen.memory_peak),
                "at most, filtered": _single(filtered.memory_peak),
            },
        ),
    }


def answers(quick: bool) -> dict[str, Group]:
    """What a user waits for while a child floods without end: the own message, the end; and for a filter."""
    count, rows, warm_up = (3, 2_000, 0.5) if quick else (100, 60_000, 3.0)
    lines, lines_quit = own_messages("lines", count, warm_up)
    messages, messages_quit = own_messages("messages", count, warm_up)
    kinds = "flood of lines", "flood of 5 000 messages/s"
    return {
        "explorer, own message to its row, 99 of 100": Group(
            "ms", {kind: _keys(each, 0.99) for kind, each in zip(kinds, (lines, messages), strict=True)}
        ),
        "explorer, quit": Group(
            "ms",
            {
                kind: _single(seconds * 1e3)
                for kind, seconds in zip(kinds, (lines_quit, messages_quit), strict=True)
            },
        ),
        "explorer, long log filtered": Group("ms", {"by a text": _single(filter_time(rows) * 1e3)}),
    }


def own_messages(flood: str, count: int, warm_up: float) -> tuple[list[float], float]:
    """Send so many messages in an endless flood; the seconds from Enter to each one's row, and to the end.

    The flood has ``warm_up`` seconds to come to its height.

    In a flood of messages the log is filtered by ``sent``, since rows leave it faster than it is drawn.
    """
    command = (*TUI_IPC, "--", sys.executable, "-m", "tests.benchmarks.programs.endless")
    seconds = []
    with Terminal(command, environment()) as terminal:
        terminal.watch(b"connected")
        terminal.until(b"connected", PATIENCE)
        if flood == "messages":
            _filter(terminal, "sent")
        terminal.type(f"{flood}\r".encode())
        _look_for(terminal, warm_up)
        for number in range(count):
            row = f'"own {number}"'.encode()
            terminal.watch(row)
            terminal.type(f"own {number}".encode())
            _look_for(terminal, _PAUSE)
            begin = terminal.type(b"\r")
            seconds.append(terminal.until(row, PATIENCE) - begin)
            _look_for(terminal, _PAUSE)
        begin = perf_counter()
        terminal.leave(b"\x11", PATIENCE)
        return seconds, perf_counter() - begin


def filter_time(messages: int) -> float:
    """Seconds from typing a filter that nothing passes until so many messages were filtered."""
    with Terminal((*TUI_IPC, "--", *_command(messages, messages)), environment()) as terminal:
        for text in (b"connected", LAST_MESSAGE.encode()):
            terminal.watch(text)
        terminal.until(b"connected", PATIENCE)
        terminal.type(b"begin\r")
        terminal.until(LAST_MESSAGE.encode(), PATIENCE)
        _look_for(terminal, _SETTLE)
        for keys, shown in ((b"\t", _LOG_HAS_FOCUS), (b"/", _BAR_HAS_FOCUS)):
            terminal.watch(shown)
            terminal.type(keys)
            terminal.until(shown, PATIENCE)
        letter = next(iter(_LETTERS))
        complete = f"show {letter}: 0 of ".encode()  # while some are to be filtered it says "0… of"
        terminal.watch(complete)
        begin = terminal.type(letter.encode())
        seconds = terminal.until(complete, PATIENCE) - begin
        terminal.leave(b"\x11", PATIENCE)
    return seconds


def _look_for(terminal: Terminal, seconds: float) -> None:
    """Read what the terminal writes for a while."""
    end = perf_counter() + seconds
    while terminal.read(end):
        pass


def _single(value: float) -> Figure:
    return Figure(value, value)


def _keys(seconds: list[float], share: float) -> Figure:
    return Figure(percentile(seconds, share) * 1e3, percentile(seconds, 0.95) * 1e3)


def _command(lines: int, messages: int) -> tuple[str, ...]:
    module = "tests.benchmarks.programs.flood"
    return (sys.executable, "-m", module, str(lines), str(messages), LAST_LINE, LAST_MESSAGE)


async def session_alone(lines: int, messages: int) -> float:
    """Seconds that a session takes for the flood if nobody looks at what comes."""
    async with Session(_command(lines, messages), SessionOptions(timeout=PATIENCE)) as session:
        events = session.events()
        await session.ready()
        begin = perf_counter()
        await session.send("begin")
        missing = {LAST_LINE, LAST_MESSAGE}
        async with asyncio.timeout(PATIENCE):
            while missing:
                missing.discard(_told(await anext(events)))
        return perf_counter() - begin


def _told(event: AnyEvent) -> str:
    """Which of the last things an event brings."""
    match event:
        case ChildOutput(data=data) if LAST_LINE.encode() in data:
            return LAST_LINE
        case MessageReceived(value=value) if value == LAST_MESSAGE:
            return LAST_MESSAGE
        case _:
            return ""


def explorer(lines: int, messages: int, keys: int, filter_: str = "") -> Flooded:
    """Type so many keys into the explorer, then flood it, and go on typing until the flood is over.

    ``filter_`` is what the log is filtered by meanwhile; the last message must pass it.
    """
    last = [LAST_LINE.encode(), LAST_MESSAGE.encode()]
    letters = cycle(_LETTERS)
    with Terminal((*TUI_IPC, "--", *_command(lines, messages)), environment()) as terminal:
        terminal.watch(b"connected")
        terminal.until(b"connected", PATIENCE)
        if filter_:
            _filter(terminal, filter_)
        quiet = [_echo(terminal, next(letters)) for _ in range(keys)]
        memory_before = _memory(terminal.pid, "VmRSS")
        for text in last:
            terminal.watch(text)
        begin = terminal.type(b"\r")
        busy = []
        while not all(text in terminal.seen for text in last):
            if perf_counter() - begin > PATIENCE:
                raise NotShownError(f"the end of the flood did not come within {PATIENCE} s")
            busy.append(_echo(terminal, next(letters)))
        seen = Flooded(
            max(terminal.seen[text] for text in last) - begin,
            quiet,
            busy,
            memory_before,
            _memory(terminal.pid, "VmHWM"),
        )
        terminal.leave(b"\x11", PATIENCE)
    return seen


def _filter(terminal: Terminal, text: str) -> None:
    """Filter the log, and go back to the message box: each key when what the one before did is shown."""
    steps = (
        (b"\t", _LOG_HAS_FOCUS),
        (b"/", _BAR_HAS_FOCUS),
        (text.encode(), f"show {text}".encode()),
        (b"\x1b", _LOG_HAS_FOCUS),
        (b"\x1b", _BOX_HAS_FOCUS),
    )
    for keys, shown in steps:
        terminal.watch(shown)
        terminal.type(keys)
        terminal.until(shown, PATIENCE)


def _echo(terminal: Terminal, letter: str) -> float:
    """Press a key; the seconds until it is on the screen."""
    text = letter.encode()
    terminal.watch(text)
    begin = terminal.type(text)
    end = terminal.until(text, PATIENCE)
    _look_for(terminal, _PAUSE)
    return end - begin


def _memory(pid: int, key: str) -> float:
    """MiB, from ``/proc/PID/status``; VmRSS is what is resident now, VmHWM the most that ever was."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1]) / _MEBIBYTE
    raise LookupError(key)
