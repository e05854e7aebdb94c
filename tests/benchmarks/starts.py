"""How long it takes to begin: the child, a script, the explorer; each beside the least that Python can do.

All of them find their bytecode kept, as an installed program does.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from tests.benchmarks.measure import Figures, Group, Tally, turns
from tests.benchmarks.terminal import COLUMNS, ROWS, Terminal
from tui_ipc import OneShotServer

PATIENCE = 30.0
"""Seconds until we give up waiting for a program to begin."""

TUI_IPC = (sys.executable, "-c", "import sys; from tui_ipc.cli.main import main; sys.exit(main())")
"""What the installed command does."""

BARE_APP = Path(__file__).with_name("programs") / "bare_app.py"

_LAST_OF_BARE = b"nothing follows"
_LAST_OF_PANES = b"Message"  # the title of the last; rows are drawn from the top
_LAST_OF_ALL = b"Palette"  # at the end of the last row; Textual adds the row of keys in the frame after

Operation = Callable[[], tuple[float, float]]
"""Does something, and tells when it began and when what is measured was over."""


def environment() -> dict[str, str]:
    """Ours, but Python keeps bytecode."""
    return {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def starts(quick: bool) -> dict[str, Group]:
    """Title → what was compared, in milliseconds."""
    return {
        "start, handshake, quit": Group("ms", lives(1 if quick else 20)),
        "script, start until its child runs": Group("ms", scripts(1 if quick else 20)),
        "explorer, start to first frame": Group("ms", first_frames(1 if quick else 9)),
    }


def compared(work: dict[str, Operation], rounds: int) -> Figures:
    """Milliseconds of each, in turn."""
    tally = Tally()
    for name, counts in turns(work, rounds):
        stamps = work[name]()
        if counts:
            tally.add(name, list(stamps))
    return tally.times(1e3)


def _python(code: str) -> Operation:
    """A Python that runs some code and ends."""

    def run() -> tuple[float, float]:
        begin = perf_counter()
        subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
        return begin, perf_counter()

    return run


def lives(rounds: int) -> Figures:
    """A whole life of the built-in child, beside a Python that only imports what it needs."""

    def child() -> tuple[float, float]:
        begin = perf_counter()
        with OneShotServer() as server:
            command = [sys.executable, "-m", "tui_ipc.child", f"channel_name:{server.name}"]
            process = subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL)
            bootstrap, hello = server.accept(PATIENCE, child=process)
        with bootstrap, hello["to_child"] as to_child, hello["from_child"]:
            to_child.send("quit")
            process.wait()
        return begin, perf_counter()

    code = "import socket, msgpack"
    return compared({f'python -c "{code}"': _python(code), "built-in child": child}, rounds)


def scripts(rounds: int) -> Figures:
    """``tui-ipc --script`` until what it spawns has said so, beside a Python that does nothing."""

    def script() -> tuple[float, float]:
        begin = perf_counter()
        process = subprocess.Popen(
            [*TUI_IPC, "--script", "--", "echo", "running"],  # which does not connect: then it is over
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        with process:
            assert process.stdout is not None
            heard = any(line.startswith(b"running") for line in process.stdout)
            end = perf_counter()
        assert heard, "the child did not run"
        return begin, end

    return compared({"python -c pass": _python("pass"), "tui-ipc --script": script}, rounds)


def first_frames(rounds: int) -> Figures:
    """The explorer until its first frame is on the terminal, beside an app of as many that do nothing."""
    count = asyncio.run(_widgets())
    bare = (sys.executable, str(BARE_APP), str(count), _LAST_OF_BARE.decode())
    work = {
        "bare Textual app": _drawn(bare, _LAST_OF_BARE),
        "explorer, panes": _drawn(TUI_IPC, _LAST_OF_PANES),
        "explorer, panes and keys": _drawn(TUI_IPC, _LAST_OF_ALL),
    }
    return compared(work, rounds)


async def _widgets() -> int:
    """How many the explorer has when it begins."""
    from tests.support.fake_session import FakeSession  # brings Textual, which nothing else here wants
    from tui_ipc.tui.app import ExplorerApp

    app = ExplorerApp(FakeSession())
    async with app.run_test(size=(COLUMNS, ROWS)) as pilot:
        await pilot.pause()
        return len(app.screen.query("*"))


def _drawn(command: tuple[str, ...], last: bytes) -> Operation:
    def run() -> tuple[float, float]:
        begin = perf_counter()
        with Terminal(command, environment()) as terminal:
            terminal.watch(last)
            end = terminal.until(last, PATIENCE)
            terminal.leave(b"\x11", PATIENCE)
        return begin, end

    return run
