"""Which recordings of scripts are made, and which are kept.

The one rule: a recording that was asked for only in case of a failure is gone once there was none.
"""

import os
from collections.abc import Sequence
from errno import EACCES
from typing import Protocol

from tui_ipc.recording.codec import RecordingError, describe_path_error
from tui_ipc.recording.writer import RecordingWriter


class RecordingPolicy(Protocol):
    """Records scripts, one after the other."""

    def begin(self, name: str, command: Sequence[str], /) -> RecordingWriter:
        """Begin to record the script of that name, with a child of that command.

        Raises:
            RecordingError: The file cannot be made, or is not ours to replace.
        """

    def end(self, *, failed: bool) -> str | None:
        """End the recording of the script that was begun last.

        Returns:
            The file that shows the failure, None if there was none.
        """


class OneRecording:
    """Records the only script, however it ends.

    Args:
        path: The file; it is made at once.
        command: Of the child.

    Raises:
        RecordingError: It cannot be made, or is not ours to replace.
    """

    def __init__(self, path: str, command: Sequence[str]) -> None:
        self._path = path
        self._recorder = RecordingWriter(path, command=command)

    def begin(self, _name: str, _command: Sequence[str]) -> RecordingWriter:
        """The recorder, which was told the command already."""
        return self._recorder

    def end(self, *, failed: bool) -> str | None:
        """The file, if the script failed."""
        self._recorder.close()
        return self._path if failed else None


class FailureRecordings:
    """Records each script into a file of its own, which stays only if the script failed.

    Args:
        directory: For the files; it is made if need be.

    Raises:
        RecordingError: No file can be made there.
    """

    def __init__(self, directory: str) -> None:
        try:
            os.makedirs(directory, exist_ok=True)
            if not os.access(directory, os.W_OK | os.X_OK):
                raise PermissionError(EACCES, os.strerror(EACCES))
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise RecordingError(
                f"{directory} cannot hold recordings: {describe_path_error(error)}; "
                "name a directory that can be made"
            ) from None
        self._directory = directory
        self._recorder: RecordingWriter | None = None
        self._path = ""
        self._taken: set[str] = set()

    def begin(self, name: str, command: Sequence[str]) -> RecordingWriter:
        """A recorder to ``talk.rec`` for ``tests/talk.tipc``; the next of that name is ``talk-2.rec``."""
        self._recorder = None
        self._path = os.path.join(self._directory, self._free(name))
        self._recorder = RecordingWriter(self._path, command=command)
        return self._recorder

    def end(self, *, failed: bool) -> str | None:
        """The file, if the script failed and was recorded; else there is none any more."""
        if self._recorder is None:
            return None
        self._recorder.close()
        if failed:
            return self._path
        try:
            os.unlink(self._path)
        except OSError:  # somebody else did it, or does not let us: one file too many, and no failure
            pass
        return None

    def _free(self, name: str) -> str:
        stem = os.path.basename(name).removesuffix(".tipc").replace(" ", "-") or "script"
        number, free = 1, f"{stem}.rec"
        while free in self._taken:
            number += 1
            free = f"{stem}-{number}.rec"
        self._taken.add(free)
        return free
