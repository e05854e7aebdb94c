"""The files that a call leaves: reports, and recordings of its scripts.

A report's file is never older than the call: until all scripts have ended it says that the call did not
finish. Each time it is replaced at once, so that a reader always finds a whole report.
"""

import asyncio
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from errno import EACCES
from typing import Final

from tui_ipc.osutil.files import describe_path_error, replace_file
from tui_ipc.recording.codec import RecordingError
from tui_ipc.recording.writer import RecordingWriter
from tui_ipc.script import ExitCode
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.output import OutputLostError, OutputStream, write_stderr
from tui_ipc.script.report.passthrough import OutputTails
from tui_ipc.script.report.program_reports import format_github, format_junit, format_tap
from tui_ipc.text.safe_text import make_visible

_OPEN_FILES: Final = ("/dev/std", "/dev/fd/", "/proc/")
"""The beginnings of names of open descriptors, such as ``/dev/stderr``."""


class ReportError(Exception):
    """A report cannot be written; the text says why, and the remedy."""


def check_report_path(path: str, sources: Iterable[str] = ()) -> None:
    """Check, as far as that is possible beforehand, that a report can be written.

    Args:
        path: The report's file.
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
    """Write a report at once, or not at all.

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
    """Find the file that will be replaced, the target of a symbolic link, and its status if it exists.

    Raises:
        OSError: It exists and may not be written.
    """
    target = os.path.realpath(path)
    try:
        with open(target, "r+b") as file:
            return target, os.fstat(file.fileno())
    except FileNotFoundError:
        return target, None


def _is_special(path: str) -> bool:
    """Whether the file is a device, a pipe or an open descriptor, which is written to and not replaced."""
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
        f"the report {path} cannot be written: {describe_path_error(error)}; name a file that can be created"
    )


STANDARD_OUTPUT = "-"
"""Stands for standard output instead of a file."""

STANDARD_ERROR = "/dev/stderr"
"""Likewise for standard error; it is written to as it is open, whatever it is."""


class ReportFiles:
    """Writes the reports once all scripts have ended.

    Args:
        wanted: Kinds, ``junit``, ``tap`` or ``github``, and files.
        sources: Files that no report may overwrite.

    Attributes:
        on_stdout: Whether a report goes to standard output.
        make_output_tails: Makes what keeps the end of a child's output; None if no report needs it.

    Raises:
        ReportError: A report cannot be written.
    """

    def __init__(self, wanted: Sequence[tuple[str, str]], sources: Iterable[str]) -> None:
        self.on_stdout = any(file == STANDARD_OUTPUT for _, file in wanted)
        self.make_output_tails = OutputTails if any(kind == "junit" for kind, _ in wanted) else None
        # Its reader may be slow, so it comes last.
        self._wanted = sorted(wanted, key=lambda each: each[1] == STANDARD_OUTPUT)
        self._began = datetime.now(UTC)
        for _, file in wanted:
            if file not in (STANDARD_OUTPUT, STANDARD_ERROR):
                check_report_path(file, sources)

    def write_unfinished(self, names: Sequence[str]) -> None:
        """Replace the reports of earlier calls by reports that say that this call did not finish.

        Raises:
            ReportError: A report cannot be written.
        """
        outcomes = [
            Outcome(name, Status.INTERRUPTED, ExitCode.USAGE, sentence="did not finish") for name in names
        ]
        for kind, file in self._wanted:
            if kind != "github" and file != STANDARD_OUTPUT and not _is_special(file):
                write_report(file, self._format(kind, outcomes))

    def _format(self, kind: str, outcomes: Sequence[Outcome]) -> str:
        match kind:
            case "tap":
                return format_tap(outcomes)
            case "junit":
                return format_junit(outcomes, self._began)
            case "github":
                return format_github(outcomes, os.environ.get("GITHUB_WORKSPACE"))
            case _:
                raise ValueError(kind)

    def write(self, outcomes: Sequence[Outcome]) -> tuple[int, list[str]]:
        """Write all that can be written.

        Returns:
            The exit code that this asks for, and for each report that cannot be written, why.
        """
        code, complaints = int(ExitCode.PASSED), []
        for kind, file in self._wanted:
            text = self._format(kind, outcomes)
            try:
                if file == STANDARD_OUTPUT:
                    asyncio.run(OutputStream(sys.stdout).write(text.encode()))
                elif file == STANDARD_ERROR:
                    asyncio.run(OutputStream(sys.stderr, lossy=True).write(text.encode()))
                else:
                    write_report(file, text)
            except ReportError as error:
                code = max(code, ExitCode.USAGE)
                complaints.append(str(error))
            except OutputLostError as error:
                code = max(code, error.code)
                complaints += [] if error.closed else [str(error)]
        return code, complaints


class OneRecording:
    """Records the only script of a call, and keeps the recording however the script ends.

    Args:
        path: The file; it is created at once.
        command: The child's command.

    Raises:
        RecordingError: It cannot be created, or is a file that must not be replaced.
    """

    def __init__(self, path: str, command: Sequence[str]) -> None:
        self._path = path
        self._recorder = RecordingWriter(path, command=command)
        if self._recorder.replaced:
            write_stderr(f"tui-ipc: {make_visible(self._recorder.replaced)}")

    def begin(self, _number: int, _command: Sequence[str], _retry: int) -> RecordingWriter:
        """Return the recorder, which knows the command already."""
        return self._recorder

    def end(self, *, failed: bool) -> str | None:
        """End the recording; returns the file if the script failed."""
        self._recorder.close()
        return self._path if failed else None


class FailureRecordings:
    """Records each script into a file of its own, which is kept only if the script failed.

    Args:
        directory: For the files; it is created if it does not exist.
        names: Those of the scripts.

    Raises:
        RecordingError: No file can be created there.
    """

    def __init__(self, directory: str, names: Sequence[str]) -> None:
        try:
            os.makedirs(directory, exist_ok=True)
            if not os.access(directory, os.W_OK | os.X_OK):
                raise PermissionError(EACCES, os.strerror(EACCES))
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise RecordingError(
                f"{directory} cannot hold recordings: {describe_path_error(error)}; "
                "name a directory that can be created"
            ) from None
        self._stems = [os.path.join(directory, stem) for stem in _choose_stems(names)]
        self._recorder: RecordingWriter | None = None
        self._path = self._kept = ""

    def begin(self, number: int, command: Sequence[str], retry: int) -> RecordingWriter:
        """Begin to record a script: into ``talk.rec`` for ``tests/talk.tipc``, ``talk-2.rec`` for the next
        one. A retry that fails replaces the recording of the attempt before it.

        Args:
            number: Which script it is, from 1.
            command: Its child's.
            retry: Which retry it is, 0 for the first attempt.

        Raises:
            RecordingError: The file cannot be created.
        """
        self._recorder = None
        self._kept = f"{self._stems[number - 1]}.rec"
        self._path = f"{self._stems[number - 1]}.retry.rec" if retry else self._kept
        self._recorder = RecordingWriter(self._path, command=command)
        return self._recorder

    def end(self, *, failed: bool) -> str | None:
        """End the recording; returns the file if the script failed, else removes it."""
        if self._recorder is None:
            return None
        self._recorder.close()
        try:
            if failed and self._path != self._kept:
                os.replace(self._path, self._kept)
            elif not failed:
                os.unlink(self._path)
        except OSError:  # a recording that stays where it is, is not a reason to fail
            return self._path if failed else None
        return self._kept if failed else None


def _choose_stems(names: Iterable[str]) -> list[str]:
    stems: dict[str, None] = {}
    for name in names:
        stem = os.path.basename(name).removesuffix(".tipc").replace(" ", "-") or "script"
        number, free = 1, stem
        while free in stems:
            number += 1
            free = f"{stem}-{number}"
        stems[free] = None
    return [*stems]


RecordingPolicy = OneRecording | FailureRecordings
"""Which scripts are recorded, and which of the recordings are kept."""
