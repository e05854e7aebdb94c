"""Runs the explorer on this terminal, over a session or a recording, and returns its exit code."""

import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tui_ipc.recording.codec import NothingRecordedError, RecordingError
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND, Session
from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.file_actions import SaveScript
from tui_ipc.tui.input_history import InputHistory, history_path
from tui_ipc.tui.session_controller import SessionRecorder
from tui_ipc.tui.settings import Settings, load_settings, settings_path
from tui_ipc.tui.terminal import run_on_terminal

if TYPE_CHECKING:
    from tui_ipc.recording.replay import Replay

EXIT_USAGE: Final = 2
"""The exit code if a file that the user named cannot be used."""


def run_explorer(
    command: Sequence[str] | None = None,
    options: SessionOptions | None = None,
    *,
    record: str | None = None,
    save_script: SaveScript | None = None,
    wall_clock: bool = False,
) -> int:
    """Explore a child on this terminal until the user leaves.

    Args:
        command: The child's command, None for the built-in child.
        options: How to run it.
        record: Path of a file to write every event to, None for none.
        save_script: Writes a script of what happened; without it that cannot be done.
        wall_clock: Whether the log shows the time of day at first, whatever the settings say.

    Returns:
        The exit code: 0 after quitting, 128 + N after signal N, 2 if a recording could not be begun or ended
        early, 3 if the session could not begin or its last handshake did not succeed. That a recording ended
        early is shown when it happens, and printed to standard error at the end.
    """
    settings = _load_settings(wall_clock)
    argv = BUILTIN_CHILD_COMMAND if command is None else tuple(command)
    recorder = SessionRecorder(argv)
    if record is not None:
        try:
            recorder.start(record)
        except RecordingError as error:
            return _report_error(error)
    try:
        app = ExplorerApp(
            Session(command, options, record=recorder),
            recorder=recorder,
            command=argv,
            save_script=save_script,
            history=InputHistory(history_path() if settings.remember else None),
            settings=settings,
        )
        code = run_on_terminal(app)
    finally:
        recorder.stop()
    for failure in recorder.failures:
        sys.stderr.write(f"tui-ipc: {make_visible(failure)}\n")
    return code or (EXIT_USAGE if recorder.failures else 0)


def run_replay(
    path: str,
    *,
    speed: float | None = 1.0,
    follow: bool = False,
    wall_clock: bool = False,
    save_script: SaveScript | None = None,
) -> int:
    """Show a recording on this terminal until the user leaves.

    Args:
        path: The file.
        speed: How many times as fast as it happened, None for no pauses.
        follow: Whether to go on while the recording is written, and to wait for it.
        wall_clock: Whether the log shows the time of day at first, whatever the settings say.
        save_script: Writes a script of what happened; without it that cannot be done.

    Returns:
        The exit code: 0 after leaving, 128 + N after signal N, 2 if the file is not a recording.
    """
    from tui_ipc.recording.reader import name_file
    from tui_ipc.recording.replay import Replay
    from tui_ipc.tui.replay_app import ReplayApp

    def open_replay(speed: float | None) -> Replay:
        return Replay(path, speed=speed, follow=follow)

    try:
        replay = _wait_for_replay(path, open_replay, speed) if follow else open_replay(speed)
    except RecordingError as error:
        return _report_error(error)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return run_on_terminal(
        ReplayApp(
            replay,
            name_file(path),
            open_replay=open_replay,
            save_script=save_script,
            settings=_load_settings(wall_clock),
        )
    )


def _load_settings(wall_clock: bool) -> Settings:
    settings = load_settings(settings_path())
    return replace(settings, wall_clock=True) if wall_clock else settings


def _wait_for_replay(
    path: str, open_replay: "Callable[[float | None], Replay]", speed: float | None
) -> "Replay":
    """Open a recording as soon as there is one, and say that it is waited for."""
    from tui_ipc.recording.reader import FOLLOW_INTERVAL, name_file

    is_reported = False
    while True:
        try:
            return open_replay(speed)
        except NothingRecordedError:
            if not is_reported:
                waiting = f"waiting for {name_file(path)}, which has no recording yet; Ctrl-C ends"
                sys.stderr.write(f"tui-ipc: {make_visible(waiting)}\n")
                is_reported = True
            time.sleep(FOLLOW_INTERVAL)


def _report_error(error: Exception) -> int:
    sys.stderr.write(f"tui-ipc: {make_visible(str(error))}\n")
    return EXIT_USAGE
