"""Reads, checks, creates and replaces the files of scripts.

A file that cannot be run is a failed script of its own, and the other scripts are run.
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tui_ipc.osutil.files import replace_file
from tui_ipc.recording.codec import describe_path_error
from tui_ipc.script import ExitCode
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.script.language.steps import Script, count_steps
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.output import write_stderr
from tui_ipc.script.report.text_report import describe_failure
from tui_ipc.text.diff import Detail
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_plural

STANDARD_INPUT = "-"
"""Stands for standard input instead of a file."""


@dataclass(frozen=True, slots=True)
class FaultyScript:
    """A file that cannot be run as a script.

    Attributes:
        name: Its name for people.
        sentence: What is wrong with it, and the remedy.
        line: The number of the faulty line, 0 if it is not about a line.
        column: The number of the faulty character in it, 0 if it is not about one.
        details: What helps to understand it, as :attr:`~tui_ipc.script.outcome.Outcome.details`.
    """

    name: str
    sentence: str
    line: int = 0
    column: int = 0
    details: tuple[Detail, ...] = ()

    def make_outcome(self) -> Outcome:
        """The outcome of a script of which nothing could be run."""
        return Outcome(
            self.name,
            Status.FAILED,
            ExitCode.USAGE,
            line=self.line,
            column=self.column,
            sentence=self.sentence,
            details=self.details,
        )


def load_scripts(files: Sequence[str]) -> list[Script | FaultyScript]:
    """Load scripts from files; one that is faulty does not keep the others from being run.

    Args:
        files: Paths; ``-`` is standard input.
    """
    return [_load_script(file) for file in files]


def run_check_scripts(files: Sequence[str]) -> int:
    """Read scripts, and say for each how many steps it has, or what is wrong with it.

    Returns:
        The exit code: 0 if all of them can be run, else 2.
    """
    code = ExitCode.PASSED
    for script in load_scripts(files):
        if isinstance(script, Script):
            write_stderr(f"{script.name}: {format_plural(count_steps(script.steps), 'step')}")
        else:
            code = ExitCode.USAGE
            write_stderr(*describe_failure(script.make_outcome()))
    return code


def _load_script(file: str) -> Script | FaultyScript:
    name = "standard input" if file == STANDARD_INPUT else make_visible(file) or "''"
    try:
        data = _read_bytes(file)
    except IsADirectoryError:
        return FaultyScript(name, f"it is a directory; name the scripts in it: {name}/*.tipc")
    except FileNotFoundError as error:
        return FaultyScript(name, f"{error.strerror}; check its path, or put the child's command after --")
    except OSError as error:
        return FaultyScript(name, error.strerror or str(error))
    except ValueError as error:  # a null byte in the path
        return FaultyScript(name, str(error))
    try:
        script = parse_script(data.decode(), name)
    except ScriptSyntaxError as error:
        details: tuple[Detail, ...] = (("line", error.excerpt), ("", error.mark))
        if os.access(file, os.X_OK):
            details += (("remedy", f"{name} is executable: the child's command goes after --"),)
        return FaultyScript(name, error.sentence, error.line, error.column, details)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return FaultyScript(
            name, "a script is UTF-8 text, and this is not; the child's command goes after --", line
        )
    if not script.steps:
        return FaultyScript(name, "nothing to run: it has no steps")
    return script


def _read_bytes(file: str) -> bytes:
    if file != STANDARD_INPUT:
        with open(file, "rb") as script:
            return script.read()
    return b"" if sys.stdin is None else sys.stdin.buffer.read()


class UnwritableScriptError(Exception):
    """A script cannot be written, and nothing was changed; the text says why."""


def create_script_file(path: str, text: str) -> None:
    """Write a script into a file that does not exist yet.

    Raises:
        UnwritableScriptError: The file exists, or cannot be created.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise UnwritableScriptError(f"{path} exists already; name another file, or remove it first") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UnwritableScriptError(
            f"{path} cannot be written: {describe_path_error(error)}; name a file that can be created"
        ) from None
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
    except OSError as error:
        os.unlink(path)
        raise UnwritableScriptError(f"{path} cannot be written: {describe_path_error(error)}") from None


def replace_script_file(path: str, old: bytes, new: bytes) -> None:
    """Replace the content of a file at once; its owner and permissions stay, and a symbolic link stays one.

    Raises:
        UnwritableScriptError: It no longer holds ``old``, or cannot be replaced.
    """
    path = os.path.realpath(path)
    try:
        with open(path, "r+b") as file:  # for its check: a file that may not be written must not be replaced
            content = file.read()
            status = os.fstat(file.fileno())
        if content != old:
            raise UnwritableScriptError(f"{path} was changed meanwhile and was not rewritten; run it again")
        replace_file(path, new, status)
    except OSError as error:
        raise UnwritableScriptError(f"{path} cannot be rewritten: {describe_path_error(error)}") from None
