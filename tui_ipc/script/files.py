"""Reads, checks, creates and replaces the files of scripts.

A file that cannot be run is a failed script of its own, and the other scripts are run.
"""

import codecs
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from tui_ipc.osutil.files import describe_path_error, replace_file
from tui_ipc.script import ExitCode
from tui_ipc.script.language.commands import write_command
from tui_ipc.script.language.parser import read_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.script.language.steps import NO_VARIABLES, Script, count_steps
from tui_ipc.script.outcome import Outcome, Status
from tui_ipc.script.output import write_stderr
from tui_ipc.script.report.text_report import describe_failure, format_detail
from tui_ipc.text import suggest_name
from tui_ipc.text.diff import Detail
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_count, format_plural

STANDARD_INPUT = "-"
"""Stands for standard input instead of a file."""

_IS_UTF8: Final = "a script is UTF-8 text; save it as that"
_MAX_OTHERS: Final = 20  # faults in a report besides the first
_FIRST_PRINTABLE: Final = 0xA0  # of Latin-1, beyond ASCII


@dataclass(frozen=True, slots=True)
class FaultyScript:
    """A file that cannot be run as a script.

    Attributes:
        name: Its name for people.
        sentence: What is wrong with it, and the remedy.
        line: The number of the faulty line, 0 if it is not about a line.
        column: The number of the faulty character in it, 0 if it is not about one.
        details: What helps to understand it, as :attr:`~tui_ipc.script.outcome.Outcome.details`.
        others: Its further faults, each as a script that has only that one.
        warnings: What in its text was probably not meant.
    """

    name: str
    sentence: str
    line: int = 0
    column: int = 0
    details: tuple[Detail, ...] = ()
    others: "tuple[FaultyScript, ...]" = ()
    warnings: tuple[ScriptSyntaxError, ...] = ()

    def make_outcome(self) -> Outcome:
        """The outcome of a script of which nothing could be run."""
        details = [*self.details]
        details += (
            ("also", f"{other.line}:{other.column}: {other.sentence}") for other in self.others[:_MAX_OTHERS]
        )
        if len(self.others) > _MAX_OTHERS:
            details.append(("also", f"{format_count(len(self.others) - _MAX_OTHERS)} more; see --check"))
        return Outcome(
            self.name,
            Status.FAILED,
            ExitCode.USAGE,
            line=self.line,
            column=self.column,
            sentence=self.sentence,
            details=tuple(details),
        )


def load_scripts(
    files: Sequence[str], variables: Mapping[str, Any] = NO_VARIABLES
) -> list[Script | FaultyScript]:
    """Load scripts from files; one that is faulty does not keep the others from being run.

    Args:
        files: Paths; ``-`` is standard input.
        variables: The values of names that the call sets; besides, scripts know the environment.
    """
    environment = {f"env.{name}": value for name, value in os.environ.items()}
    scripts = [_load_script(file, {**environment, **variables}) for file in files]
    are_sound = [script for script in scripts if isinstance(script, Script)]
    if len(are_sound) == len(scripts):
        used = {name for script in are_sound for name in script.variables}
        for name in variables:
            if name not in used:
                remedy = suggest_name(name, [each for each in used if not each.startswith("env.")])
                write_stderr(f"tui-ipc: warning: no script uses {name}, which --set sets{remedy}")
    return scripts


def run_check_scripts(
    files: Sequence[str], variables: Mapping[str, Any] = NO_VARIABLES, *, strict: bool = False
) -> int:
    """Read scripts, and say for each how many steps it has, or all that is wrong with it.

    Args:
        files: Paths; ``-`` is standard input.
        variables: The values of names that the call sets.
        strict: Whether what was probably not meant is a fault, too.

    Returns:
        The exit code: 0 if all of them can be run, else 2.
    """
    code = ExitCode.PASSED
    scripts = load_scripts(files, variables)
    write_stderr(*describe_warnings(scripts))
    for script in scripts:
        if strict and script.warnings:
            code = ExitCode.USAGE
        if isinstance(script, Script):
            write_stderr(f"{script.name}: {format_plural(count_steps(script.steps), 'step')}")
            continue
        code = ExitCode.USAGE
        for fault in (replace(script, others=()), *script.others):
            write_stderr(*describe_failure(fault.make_outcome()))
        if script.others:
            write_stderr(f"{script.name}: {format_plural(len(script.others) + 1, 'mistake')}")
    return code


def describe_warnings(scripts: "Sequence[Script | FaultyScript]") -> list[str]:
    """Describe what in scripts was probably not meant; it keeps none from being run."""
    return [
        line
        for script in scripts
        for warning in script.warnings
        for line in (
            f"{script.name}:{warning.line}:{warning.column}: warning: {warning.sentence}",
            *(format_detail(*detail) for detail in _show_line(warning)),
        )
    ]


def _show_line(problem: ScriptSyntaxError) -> tuple[Detail, ...]:
    return ("line", problem.excerpt), ("", problem.mark)


def _load_script(file: str, variables: Mapping[str, Any]) -> Script | FaultyScript:
    name = "standard input" if file == STANDARD_INPUT else make_visible(file) or "''"
    try:
        data = _read_bytes(file)
    except IsADirectoryError:
        return FaultyScript(name, f"it is a directory; name the scripts in it: {name}/*.tipc")
    except FileNotFoundError as error:
        return FaultyScript(name, f"{error.strerror}; check its path, or put the child's command after --")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        return FaultyScript(name, f"{describe_path_error(error)}; name a file that can be read")
    is_executable = os.access(file, os.X_OK)
    remedy: tuple[Detail, ...] = ()
    if is_executable:
        remedy = (("remedy", f"{name} is executable: the child's command goes after --"),)
    if objection := _find_encoding_fault(data):
        sentence, offset = objection
        line_start = data.rfind(b"\n", 0, offset) + 1
        column = len(data[line_start:offset].decode(errors="replace")) + 1
        return FaultyScript(name, sentence, data.count(b"\n", 0, offset) + 1, column, remedy)
    reading = read_script(data.decode(), name, variables)
    script = reading.script
    if reading.faults:
        first, *others = (
            FaultyScript(name, fault.sentence, fault.line, fault.column, _show_line(fault))
            for fault in reading.faults
        )
        details = first.details + remedy
        return replace(first, details=details, others=tuple(others), warnings=script.warnings)
    if not script.steps:
        return FaultyScript(name, "nothing to run: it has no steps")
    return script if file == STANDARD_INPUT else _locate_command(script, os.path.dirname(file))


def _locate_command(script: Script, directory: str) -> Script:
    """Find what the words of ``spawn`` that begin with ``./`` or ``../`` name beside the script.

    One that is only in our working directory works as well, with a warning.
    """
    paths = {}
    old = []
    for word in script.command or ():
        if not word.startswith(("./", "../")) or os.path.realpath(directory or ".") == os.getcwd():
            continue
        path = os.path.join(directory, word)
        if os.path.exists(path):
            paths[word] = os.path.abspath(path)
        elif os.path.exists(word):
            old.append(word)
    if not old or script.spawn is None:
        return replace(script, paths=paths)
    line, column = script.spawn.line, script.spawn.span[0] + 1
    sentence = (
        f"{make_visible(old[0])} is used from the working directory, because it is not beside the script; "
        f"write the path from {make_visible(directory)}"
    )
    source = f"spawn {write_command(script.spawn.command)}"
    warning = ScriptSyntaxError(script.name, line, column, sentence, source)
    return replace(script, paths=paths, warnings=(*script.warnings, warning))


def _find_encoding_fault(data: bytes) -> tuple[str, int] | None:
    """Say why bytes are not the text of a script, and from which one on; None if they are."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return f"this is UTF-16, and {_IS_UTF8}", 0
    null = data.find(b"\0")
    if null in (0, 1) and data[null::2].strip(b"\0") == b"":
        return f"this is UTF-16, and {_IS_UTF8}", 0
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if not 0 <= null < error.start:
            byte = data[error.start]
            shown = f" ({bytes([byte]).decode('latin-1')} in Latin-1)" if byte >= _FIRST_PRINTABLE else ""
            return f"the byte 0x{byte:02x}{shown} is not UTF-8, and {_IS_UTF8}", error.start
    return (
        ("a null byte, which no text has; remove it, or put the child's command after --", null)
        if null >= 0
        else None
    )


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
