"""The explorer from the command line to its exit code: the app, over a session or a recording."""

import sys
from collections.abc import Sequence
from typing import Any, Final

from tui_ipc.session.recording import RecordingError
from tui_ipc.session.session import BUILT_IN_CHILD, Session
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.history import History, history_path
from tui_ipc.tui.sanitize import visible
from tui_ipc.tui.terminal import run

USAGE: Final = 2
"""The exit code if a file that the user named cannot be used."""


def run_explorer(
    command: Sequence[str] | None = None,
    *,
    record: str | None = None,
    remember: bool = True,
    **options: Any,
) -> int:
    """Explore a child on this terminal until the user leaves.

    Args:
        command: The child's command, None for the built-in child.
        record: Path of a file to write every event to, None for none.
        remember: Whether what is sent is kept for later starts.
        options: As :class:`~tui_ipc.session.session.Session` takes them.

    Returns:
        The exit code: 0 after quitting, 128 + N after signal N, 2 if the recording cannot be written to its
        file at all, 3 if the session could not begin.
    """
    history = History(history_path() if remember else None)
    if record is None:
        return run(ExplorerApp(Session(command, **options), history=history))
    from tui_ipc.session.recorder import Recorder

    def on_failure(sentence: str) -> None:
        app.recording_failed(sentence)

    words = BUILT_IN_CHILD if command is None else tuple(command)
    try:
        recorder = Recorder(record, command=words, on_failure=on_failure)
    except RecordingError as error:
        return _refused(error)
    with recorder:
        app = ExplorerApp(Session(command, record=recorder, **options), recorded=True, history=history)
        code = run(app)
    if recorder.failure is not None:
        sys.stderr.write(f"tui-ipc: {visible(recorder.failure)}\n")
    return code


def run_replay(path: str, *, speed: float | None = 1.0) -> int:
    """Show a recording on this terminal until the user leaves.

    Args:
        path: The file.
        speed: How many times as fast as it happened, None for no pause between events.

    Returns:
        The exit code: 0 after leaving, 128 + N after signal N, 2 if the file is no recording.
    """
    from tui_ipc.session.replay import Replay
    from tui_ipc.tui.replay_app import ReplayApp

    try:
        replay = Replay(path, speed=speed)
    except RecordingError as error:
        return _refused(error)
    return run(ReplayApp(replay, path))


def _refused(error: Exception) -> int:
    sys.stderr.write(f"tui-ipc: {visible(str(error))}\n")
    return USAGE
