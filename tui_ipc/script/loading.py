"""Scripts from files, and what is wrong with them.

The one rule: all that is wrong with any of them is told before anything is run.
"""

import os
import sys
from collections.abc import Sequence

from tui_ipc.script.asides import say
from tui_ipc.script.exit_codes import ExitCode
from tui_ipc.script.language import Script, ScriptSyntaxError, parse
from tui_ipc.script.relay import visible
from tui_ipc.script.running.course import total
from tui_ipc.session.units import plural

STANDARD_INPUT = "-"
"""The file that is none."""


class UnreadableScriptsError(Exception):
    """Some scripts cannot be run; the text says of each why."""


def load(files: Sequence[str]) -> list[Script]:
    """The scripts in some files.

    Args:
        files: Paths; ``-`` is standard input.

    Raises:
        UnreadableScriptsError: Some hold none.
    """
    scripts, complaints = [], []
    for file in files:
        try:
            scripts.append(_read(file))
        except (_UnreadableError, ScriptSyntaxError) as error:
            complaints.append(str(error))
    if complaints:
        raise UnreadableScriptsError("\n".join(complaints))
    return scripts


def run_check(files: Sequence[str]) -> int:
    """Read some scripts, and say of each how many steps it takes, or what is wrong with it.

    Returns:
        The exit code: 0 if all of them can be run, else 2.
    """
    code = ExitCode.PASSED
    for file in files:
        try:
            script = _read(file)
        except (_UnreadableError, ScriptSyntaxError) as error:
            code = ExitCode.USAGE
            say(str(error))
        else:
            say(f"{script.name}: {plural(total(script.steps), 'step')}")
    return code


class _UnreadableError(Exception):
    """A file holds no text."""


def _read(file: str) -> Script:
    name = "standard input" if file == STANDARD_INPUT else visible(file) or "''"
    try:
        data = _contents(file)
    except IsADirectoryError:
        raise _UnreadableError(f"{name}: it is a directory; name the scripts in it: {name}/*.tipc") from None
    except OSError as error:
        raise _UnreadableError(f"{name}: {error.strerror}") from None
    except ValueError as error:  # a null byte in the path
        raise _UnreadableError(f"{name}: {error}") from None
    try:
        return parse(data.decode(), name)
    except ScriptSyntaxError as error:
        if not os.access(file, os.X_OK):
            raise
        raise _UnreadableError(f"{error}\n{name} can be executed: a child's command goes behind --") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _UnreadableError(
            f"{name}:{line}: a script is UTF-8 text, and this is not; the child's command goes behind --"
        ) from None


def _contents(file: str) -> bytes:
    if file != STANDARD_INPUT:
        with open(file, "rb") as script:
            return script.read()
    return b"" if sys.stdin is None else sys.stdin.buffer.read()
