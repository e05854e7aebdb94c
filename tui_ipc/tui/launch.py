"""Runs the explorer on this terminal, over a session or a recording, and returns its exit code."""

import select
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.text import Text

from tui_ipc.recording.codec import NothingRecordedError, RecordingError
from tui_ipc.session.run import SessionOptions
from tui_ipc.session.session import BUILTIN_CHILD_COMMAND, Session
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_plural, format_size
from tui_ipc.tui.app import ExplorerApp
from tui_ipc.tui.file_actions import SaveScript
from tui_ipc.tui.input_history import InputHistory, history_path
from tui_ipc.tui.model.run_summary import summarize_session
from tui_ipc.tui.session_controller import SessionRecorder
from tui_ipc.tui.settings import Settings, load_settings, settings_path
from tui_ipc.tui.terminal import run_on_terminal

if TYPE_CHECKING:
    from tui_ipc.recording.replay import Replay

EXIT_USAGE: Final = 2
"""The exit code if a file that the user named cannot be used."""

LINE_CELLS: Final = 160
"""Cells of each line that is printed about the runs after the screen has gone."""


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
        early, 3 if the session could not begin or its last handshake did not succeed. How the runs ended, and
        that a recording ended early, is shown when it happens, and printed to standard error at the end.
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
    lines = summarize_session(app.run_summaries, app.model.exchanges.unanswered)
    _print_lines([*map(_cut_line, lines), *_list_files(app, recorder)])
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
    app = ReplayApp(
        replay,
        name_file(path),
        open_replay=open_replay,
        save_script=save_script,
        settings=_load_settings(wall_clock),
    )
    code = run_on_terminal(app)
    _print_lines(_list_files(app))  # how the runs ended is in the recording
    return code


def _list_files(app: ExplorerApp, recorder: SessionRecorder | None = None) -> list[str]:
    """Where the newest recording and files of each kind are. Paths are not cut: they are copied."""
    lines = []
    if recorder is not None and recorder.finished:
        *earlier, (path, size) = recorder.finished
        others = f", after {format_plural(len(earlier), 'other')}" if earlier else ""
        lines.append(f"recorded: {make_visible(path)} ({format_size(size)}){others}")
    if app.saved_files:
        files = (f"{what} in {make_visible(path)}" for what, path in app.saved_files.items())
        lines.append(f"saved: {'; '.join(files)}")
    return lines


def _cut_line(line: str) -> str:
    """Cut a line so that it takes two rows of a usual terminal, and a few of a narrow one."""
    text = Text(line)
    text.truncate(LINE_CELLS, overflow="ellipsis")
    return text.plain


def _print_lines(lines: Sequence[str]) -> None:
    """Print lines where the screen was, unless the terminal is gone or takes nothing."""
    poll = select.poll()
    poll.register(2, select.POLLOUT)
    if lines and poll.poll(0):
        with suppress(OSError):
            sys.stderr.write("".join(f"{line}\n" for line in lines))
            sys.stderr.flush()


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
