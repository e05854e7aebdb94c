"""Runs a child with a tap in front of it, and reads what the tap saw."""

import fcntl
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tui_ipc.events import AnyEvent
from tui_ipc.recording.reader import open_recording


def tap(recording: Path, command: Sequence[str]) -> list[str]:
    """The command of a child, tapped."""
    return [sys.executable, "-m", "tui_ipc", "--tap", "--record", str(recording), "--", *command]


def read_tap(recording: Path) -> list[AnyEvent]:
    """Every event that a tap recorded, once it has ended."""
    with recording.open("rb") as file:
        fcntl.lockf(file, fcntl.LOCK_SH)  # waits for the writer's lock
    found = open_recording(str(recording))
    events = list(found.events())
    assert found.is_complete, "the relay was ended, or failed"
    return events


def find_relay(recording: Path) -> int:
    """The process that writes a recording."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        directory = f"/proc/{pid}/fd"
        try:
            files = [os.readlink(f"{directory}/{each}") for each in os.listdir(directory)]
        except OSError:
            continue  # it has ended, or is not ours
        if str(recording) in files:
            return int(pid)
    raise AssertionError(f"no process has {recording} open")
