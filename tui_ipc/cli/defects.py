"""What the user is told if this program itself failed: one sentence, and where the traceback is."""

import os
import sys
import tempfile
import traceback
from contextlib import suppress

from tui_ipc.osutil.leaving import EXIT_DEFECT
from tui_ipc.text.safe_text import make_visible


def report_defect(error: Exception) -> int:
    """Write the traceback of an error to a file, tell the user about both, and return the exit code.

    If the file cannot be written, the traceback itself is printed.
    """
    text = "".join(traceback.format_exception(error))
    cause = _find_cause(error)
    if isinstance(cause, MemoryError):
        sentence = "out of memory; allow it more (ulimit -v), or have the child send and print less"
    else:
        what = f"{type(cause).__name__}: {cause}" if str(cause) else type(cause).__name__
        sentence = f"a defect in tui-ipc, please report it: {make_visible(what)}"
    try:
        descriptor, path = tempfile.mkstemp(prefix="tui-ipc-traceback-", suffix=".txt")
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError:
        where = "".join(f"\n{make_visible(line)}" for line in text.splitlines())
    else:
        where = f"\ntui-ipc: the traceback is in {make_visible(os.fspath(path))}"
    if sys.stderr is not None:
        with suppress(OSError):  # its reader went away: the exit code says the rest
            sys.stderr.write(f"tui-ipc: {sentence}{where}\n")
    return EXIT_DEFECT


def _find_cause(error: BaseException) -> BaseException:
    """The first error of those in a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
