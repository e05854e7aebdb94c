"""A report's way into its file.

The one rule: whoever looks at the file sees the report before this one, or all of this one, never a half.
"""

import os
import stat
import tempfile
from collections.abc import Iterable
from typing import Final

from tui_ipc.session.recording import reason
from tui_ipc.session.replacing import replace

_OPEN_FILES: Final = ("/dev/std", "/dev/fd/", "/proc/")
"""How the names of files begin that stand for descriptors, ``/dev/stderr`` for instance."""


class ReportError(Exception):
    """A report cannot be written; the text says why, and what to do."""


def claim(path: str, sources: Iterable[str] = ()) -> None:
    """Make sure, as far as one can know, that a report can be written.

    Args:
        path: Where to.
        sources: Files that must not be overwritten.

    Raises:
        ReportError: It cannot.
    """
    try:
        if any(_same(path, source) for source in sources):
            raise ReportError(f"the report would overwrite the script {path}; name another file")
        if not _is_special(path):
            target, _ = _target(path)
            with tempfile.TemporaryFile(dir=os.path.dirname(target)):
                pass
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _unwritable(path, error) from None


def write(path: str, text: str) -> None:
    """Write a report: at once, or not at all.

    Raises:
        ReportError: It cannot be written; what was there before is still there.
    """
    try:
        if _is_special(path):
            with open(path, "a", encoding="utf-8") as special:
                special.write(text)
        else:
            target, facts = _target(path)
            replace(target, text.encode(), facts)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def _target(path: str) -> tuple[str, os.stat_result | None]:
    """The file that will be replaced, where a link stays one, and what is known of it if it is there.

    Raises:
        OSError: It is there and may not be written.
    """
    target = os.path.realpath(path)
    try:
        with open(target, "r+b") as file:
            return target, os.fstat(file.fileno())
    except FileNotFoundError:
        return target, None


def _is_special(path: str) -> bool:
    """Whether the file is a device, a pipe or an open file of ours, which is written to and not replaced."""
    if os.path.abspath(path).startswith(_OPEN_FILES):
        return True
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _same(path: str, source: str) -> bool:
    try:
        return os.path.samefile(path, source)
    except OSError:
        return False


def _unwritable(path: str, error: OSError | ValueError) -> ReportError:
    return ReportError(f"the report {path} cannot be written: {reason(error)}; name a file that can be made")
