"""A report's way into its file.

The one rule: whoever looks at the file sees the report before this one, or all of this one, never a half.
"""

import os
import stat
from collections.abc import Iterable
from errno import EISDIR
from typing import Final

from tui_ipc.session.recording import reason

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
        if _is_special(path):
            return
        probe, name = _begun(path)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _unwritable(path, error) from None
    os.close(probe)
    os.unlink(name)


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
            _replace(path, text)
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def _replace(path: str, text: str) -> None:
    file, name = _begun(path)
    try:
        with open(file, "w", encoding="utf-8") as report:
            report.write(text)
        os.replace(name, os.path.realpath(path))
    except BaseException:
        os.unlink(name)
        raise


def _begun(path: str) -> tuple[int, str]:
    """A new file beside the one that it will replace: its descriptor and its name."""
    target = os.path.realpath(path)  # a link stays one
    if os.path.isdir(target):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    name = f"{target}.{os.getpid()}.new"
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666), name


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
