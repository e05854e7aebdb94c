"""Reads, checks, creates and replaces the files of scripts.

The errors of all files are reported before anything is run.
"""

import os
import sys
from collections.abc import Sequence

from tui_ipc.osutil.files import replace_file
from tui_ipc.recording.codec import describe_path_error
from tui_ipc.script import ExitCode
from tui_ipc.script.language.parser import parse_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.script.language.steps import Script, count_steps
from tui_ipc.script.output import write_stderr
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_plural

STANDARD_INPUT = "-"
"""Stands for standard input instead of a file."""


class UnreadableScriptsError(Exception):
    """Some scripts cannot be run; the text says why, for each of them."""


def load_scripts(files: Sequence[str]) -> list[Script]:
    """Load scripts from files.

    Args:
        files: Paths; ``-`` is standard input.

    Raises:
        UnreadableScriptsError: Some of the files cannot be read, or are not scripts.
    """
    scripts, complaints = [], []
    for file in files:
        try:
            scripts.append(_load_script(file))
        except (_UnreadableError, ScriptSyntaxError) as error:
            complaints.append(str(error))
    if complaints:
        raise UnreadableScriptsError("\n".join(complaints))
    return scripts


def run_check_scripts(files: Sequence[str]) -> int:
    """Read scripts, and say for each how many steps it has, or what is wrong with it.

    Returns:
        The exit code: 0 if all of them can be run, else 2.
    """
    code = ExitCode.PASSED
    for file in files:
        try:
            script = _load_script(file)
        except (_UnreadableError, ScriptSyntaxError) as error:
            code = ExitCode.USAGE
            write_stderr(str(error))
        else:
            write_stderr(f"{script.name}: {format_plural(count_steps(script.steps), 'step')}")
    return code


class _UnreadableError(Exception):
    """A file cannot be read as text; the text says why."""


def _load_script(file: str) -> Script:
    name = "standard input" if file == STANDARD_INPUT else make_visible(file) or "''"
    try:
        data = _read_bytes(file)
    except IsADirectoryError:
        raise _UnreadableError(f"{name}: it is a directory; name the scripts in it: {name}/*.tipc") from None
    except OSError as error:
        raise _UnreadableError(f"{name}: {error.strerror}") from None
    except ValueError as error:  # a null byte in the path
        raise _UnreadableError(f"{name}: {error}") from None
    try:
        return parse_script(data.decode(), name)
    except ScriptSyntaxError as error:
        if not os.access(file, os.X_OK):
            raise
        raise _UnreadableError(f"{error}\n{name} is executable: the child's command goes after --") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _UnreadableError(
            f"{name}:{line}: a script is UTF-8 text, and this is not; the child's command goes after --"
        ) from None


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
        raise UnwritableScriptError(f"{path} cannot be written: {describe_path_error(error)}") from None
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
