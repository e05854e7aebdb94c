"""A file that is written while the explorer goes on: claimed at once, written by a thread.

The one rule: what is there already is never written over, and what cannot be written is said in a sentence.
"""

from collections.abc import Iterable
from typing import IO

from tui_ipc.session.recording import reason
from tui_ipc.tui.screens.path_screen import problem


class SaveError(Exception):
    """A file cannot be written; the text says why."""


class NewFile:
    """A file that was not there before.

    Args:
        path: Its path.

    Raises:
        SaveError: It cannot be made.
    """

    def __init__(self, path: str) -> None:
        wrong = problem(path)
        if wrong is not None:
            raise SaveError(wrong)
        self.path = path
        try:
            self._file: IO[str] = open(path, "x", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - closed by write
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise SaveError(f"{path} cannot be made: {reason(error)}; name another file.") from None

    def write(self, pieces: Iterable[str]) -> int:
        """Write pieces of text and close the file; says how many characters they had. May be a thread's work.

        Raises:
            SaveError: They do not all fit, or the like.
        """
        written = 0
        try:
            with self._file as file:
                for piece in pieces:
                    written += file.write(piece)
        except OSError as error:
            raise SaveError(
                f"{self.path} cannot be written on: {reason(error)}; save where there is room."
            ) from None
        return written
