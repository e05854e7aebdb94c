"""Scripts, and whatever else users keep, on their way into files.

The one rule: nobody loses a text to us. A new script replaces no file; a rewritten one is in its file whole,
or the file is as it was.
"""

import os

from tui_ipc.session.recording import reason
from tui_ipc.session.replacing import replace


class UnwritableScriptError(Exception):
    """A script cannot be written; the text says why, and that nothing was changed."""


def create(path: str, text: str) -> None:
    """Write a script into a file that does not exist yet.

    Raises:
        UnwritableScriptError: It exists, or cannot be made.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    except FileExistsError:
        raise UnwritableScriptError(f"{path} exists already; name another file, or remove it first") from None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise UnwritableScriptError(f"{path} cannot be written: {reason(error)}") from None
    try:
        with open(descriptor, "wb") as file:
            file.write(text.encode())
    except OSError as error:
        os.unlink(path)
        raise UnwritableScriptError(f"{path} cannot be written: {reason(error)}") from None


def rewrite(path: str, old: bytes, new: bytes) -> None:
    """Replace what is in a file at once; its owner and permissions stay, and a symbolic link leads on to it.

    Raises:
        UnwritableScriptError: It does not hold ``old`` any more, or cannot be replaced.
    """
    path = os.path.realpath(path)
    try:
        with open(path, "r+b") as file:  # nothing is written here, but who may not write must not replace
            held = file.read()
            facts = os.fstat(file.fileno())
        if held != old:
            raise UnwritableScriptError(
                f"{path} was changed meanwhile, and so was not rewritten; run it again"
            )
        replace(path, new, facts)
    except OSError as error:
        raise UnwritableScriptError(f"{path} cannot be rewritten: {reason(error)}") from None
