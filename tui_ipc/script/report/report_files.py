"""A report's way into its file.

The one rule: whoever looks at the file sees the report before this one, or all of this one, never a half.
"""

import asyncio
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from tui_ipc.osutil.files import replace_file
from tui_ipc.recording.codec import describe_path_error
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.outcome import Outcome
from tui_ipc.script.output import OutputLostError, OutputStream
from tui_ipc.script.report.ci_formats import format_junit, format_tap
from tui_ipc.script.report.passthrough import OutputTails

_OPEN_FILES: Final = ("/dev/std", "/dev/fd/", "/proc/")
"""How the names of files begin that stand for descriptors, ``/dev/stderr`` for instance."""


class ReportError(Exception):
    """A report cannot be written; the text says why, and what to do."""


def check_report_path(path: str, sources: Iterable[str] = ()) -> None:
    """Make sure, as far as one can know, that a report can be written.

    Args:
        path: Where to.
        sources: Files that must not be overwritten.

    Raises:
        ReportError: It cannot.
    """
    try:
        if any(_is_same_file(path, source) for source in sources):
            raise ReportError(f"the report would overwrite the script {path}; name another file")
        if not _is_special(path):
            target, _ = _resolve_target(path)
            with tempfile.TemporaryFile(dir=os.path.dirname(target)):
                pass
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise _report_error(path, error) from None


def write_report(path: str, text: str) -> None:
    """Write a report: at once, or not at all.

    Raises:
        ReportError: It cannot be written; what was there before is still there.
    """
    try:
        if _is_special(path):
            with open(path, "a", encoding="utf-8") as special:
                special.write(text)
        else:
            target, facts = _resolve_target(path)
            replace_file(target, text.encode(), facts)
    except (OSError, ValueError) as error:
        raise _report_error(path, error) from None


def _resolve_target(path: str) -> tuple[str, os.stat_result | None]:
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


def _is_same_file(path: str, source: str) -> bool:
    try:
        return os.path.samefile(path, source)
    except OSError:
        return False


def _report_error(path: str, error: OSError | ValueError) -> ReportError:
    return ReportError(
        f"the report {path} cannot be written: {describe_path_error(error)}; name a file that can be made"
    )


STANDARD_OUTPUT = "-"
"""The file that is none."""


class ReportFiles:
    """Writes reports once all scripts ended.

    Args:
        wanted: Kinds, ``junit`` or ``tap``, and files.
        sources: Files that no report may overwrite.

    Attributes:
        on_stdout: Whether one goes to standard output.
        tails: Makes what keeps the end of a child's output, None if no report tells that.

    Raises:
        ReportError: One of them cannot be written.
    """

    def __init__(self, wanted: Sequence[tuple[str, str]], sources: Iterable[str]) -> None:
        self.on_stdout = any(file == STANDARD_OUTPUT for _, file in wanted)
        self.tails = OutputTails if any(kind == "junit" for kind, _ in wanted) else None
        self._wanted = sorted(wanted, key=lambda each: each[1] == STANDARD_OUTPUT)  # a slow reader comes last
        self._began = datetime.now(UTC)
        for _, file in wanted:
            if file != STANDARD_OUTPUT:
                check_report_path(file, sources)

    def write(self, outcomes: Sequence[Outcome]) -> tuple[int, list[str]]:
        """Write all that can be written.

        Returns:
            The exit code that it asks for, and of each that cannot be written, why.
        """
        code, complaints = int(ExitCode.PASSED), []
        for kind, file in self._wanted:
            text = format_tap(outcomes) if kind == "tap" else format_junit(outcomes, self._began)
            try:
                if file == STANDARD_OUTPUT:
                    asyncio.run(OutputStream(sys.stdout).write(text.encode()))
                else:
                    write_report(file, text)
            except ReportError as error:
                code = max(code, ExitCode.USAGE)
                complaints.append(str(error))
            except OutputLostError as error:
                code = max(code, error.code)
                complaints += [] if error.closed else [str(error)]
        return code, complaints
