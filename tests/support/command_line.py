"""``tui-ipc`` run as a user runs it: a process with arguments, streams and an exit code."""

import subprocess
import sys
from pathlib import Path

TUI_IPC = (sys.executable, "-m", "tui_ipc")
"""The command, run by the Python of the tests."""


def run(*arguments: str, given: str = "", cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run ``tui-ipc`` to its end."""
    return subprocess.run(
        [*TUI_IPC, *arguments], input=given, capture_output=True, text=True, timeout=30, check=False, cwd=cwd
    )


def start(*arguments: str) -> "subprocess.Popen[str]":
    """Begin to run ``tui-ipc``."""
    return subprocess.Popen(
        [*TUI_IPC, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def python(path: Path, text: str) -> tuple[str, str]:
    """A command that runs a program of our own as the child."""
    path.write_text(text)
    return sys.executable, str(path)


MEET = """
import sys
from tui_ipc.child import _connect_to_parent
sender, receiver = _connect_to_parent(sys.argv[-1].removeprefix("channel_name:"), "test")
"""
"""How a child of a test begins: it connects and sends its hello; ``sender`` and ``receiver`` are its ends."""

FILLS = f"{MEET}\nprint('x' * 9 + '\\n', end='', flush=True)\nwhile True: print('x' * 1000)\n"
"""A child that prints without end after its hello, its first line a short one."""
