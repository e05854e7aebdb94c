"""Where the recordings of taps are, and which there are.

They are in one directory of the user, in memory as a rule (XDG_RUNTIME_DIR). The newest are kept.
"""

import os
import shlex
import stat
import tempfile
from dataclasses import dataclass
from typing import Final

from tui_ipc.osutil.files import is_locked
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.reader import open_recording
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_date_and_time, format_size

MAX_SIZE: Final = 64 * 1024 * 1024
"""Bytes of a recording whose file was not named."""

MAX_FILES: Final = 32
"""Recordings that are kept of taps that have ended."""

_SUFFIX: Final = ".rec"


@dataclass(frozen=True, slots=True)
class TapFile:
    """The recording of a tap.

    Attributes:
        name: What people call it: the child's program and its process id.
        path: Where it is.
        began: When, in seconds since 1970.
        size: In bytes.
        is_live: Whether it is still written.
    """

    name: str
    path: str
    began: float
    size: int
    is_live: bool


def make_tap_file(command: tuple[str, ...], pid: int) -> str:
    """Return a path for the recording of a child, and remove the oldest recordings.

    Raises:
        RecordingError: The directory for it cannot be used.
    """
    directory = _tap_directory()
    try:
        os.mkdir(directory, 0o700)
    except FileExistsError:
        pass
    except OSError as error:
        raise RecordingError(
            f"no recording can be made in {directory}: {error.strerror}; name a file with --record"
        ) from None
    status = os.lstat(directory)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise RecordingError(
            f"{directory} is not a directory of yours alone; remove it, or name a file with --record"
        )
    ended = [tap for tap in list_tap_files() if not tap.is_live]
    for tap in ended[MAX_FILES - 1 :]:
        try:
            os.unlink(tap.path)
        except FileNotFoundError:
            pass  # another tap removed it
    return os.path.join(directory, f"{_name_program(command)}-{pid}{_SUFFIX}")


def list_tap_files() -> list[TapFile]:
    """List the recordings of taps, the newest first."""
    found = []
    try:
        entries = list(os.scandir(_tap_directory()))
    except OSError:
        return []
    for entry in entries:
        if not entry.name.endswith(_SUFFIX) or not entry.is_file(follow_symlinks=False):
            continue
        try:
            descriptor = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            continue  # it was removed
        try:
            status, is_live = os.fstat(descriptor), is_locked(descriptor)
        finally:
            os.close(descriptor)
        name = entry.name.removesuffix(_SUFFIX)
        found.append(TapFile(name, entry.path, status.st_mtime, status.st_size, is_live))
    return sorted(found, key=lambda tap: (tap.is_live, tap.began), reverse=True)


def find_tap_file(name: str) -> TapFile:
    """Find a recording by its name or a part of it, such as the process id; of several, the only live one.

    Raises:
        RecordingError: There is none, or there are several.
    """
    taps = list_tap_files()
    found = [tap for tap in taps if tap.name == name] or [tap for tap in taps if name in tap.name]
    for choice in (found, [tap for tap in found if tap.is_live]):
        if len(choice) == 1:
            return choice[0]
    if found:
        names = ", ".join(tap.name for tap in found[:5])
        raise RecordingError(f"{len(found)} taps have {name!r} in their names ({names}); name one of them")
    raise RecordingError(f"no tap is called {name!r}; list them with: tui-ipc --watch")


def describe_tap_files(width: int | None = None) -> str:
    """Describe the recordings of taps, the newest first, as lines of a table.

    Args:
        width: Columns, after which a line is cut; None for whole lines.
    """
    rows = [("NAME", "STATE", "BEGAN", "SIZE", "COMMAND")]
    for tap in list_tap_files():
        try:
            recording = open_recording(tap.path)
        except RecordingError:
            continue  # nothing is in it yet, or it was removed
        state = "live" if tap.is_live else "ended"
        command = make_visible(shlex.join(recording.command))
        began = format_date_and_time(recording.began)
        rows.append((make_visible(tap.name), state, began, format_size(tap.size), command))
    if len(rows) == 1:
        return "no taps; put tui-ipc --tap -- before the command of a child in its parent\n"
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    if width is not None:
        lines = [line if len(line) <= width else f"{line[: width - 1]}…" for line in lines]
    return "".join(f"{line}\n" for line in lines)


def _tap_directory() -> str:
    private = os.environ.get("XDG_RUNTIME_DIR")
    if private and os.path.isdir(private):
        return os.path.join(private, "tui-ipc-taps")
    return os.path.join(tempfile.gettempdir(), f"tui-ipc-taps-{os.geteuid()}")


def _name_program(command: tuple[str, ...]) -> str:
    """The name of the program, or of the script that an interpreter runs."""
    words = command[:1] if len(command) < 2 or command[1].startswith("-") else command[:2]
    name = os.path.basename(words[-1]) if words[-1].rpartition(".")[2] in _SCRIPTS else ""
    name = name or os.path.basename(words[0]) or "child"
    return "".join(each if each.isalnum() or each in "._-" else "_" for each in name[:60])


_SCRIPTS: Final = ("py", "js", "mjs", "rb", "pl", "lua", "sh")
