"""Writing files: a recording, a script, the log, the screen. Actions of the explorer, and their keys."""

import asyncio
import os
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import IO, TYPE_CHECKING, Final, Literal, Protocol

from textual.binding import Binding

from tui_ipc.events import AnyEvent
from tui_ipc.osutil.files import describe_path_error
from tui_ipc.recording.codec import RecordingError
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_plural, format_size
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.session_controller import SessionRecorder
from tui_ipc.tui.widgets.key_bar import FILES

if TYPE_CHECKING:
    from tui_ipc.tui.app import ExplorerApp

_NAME_LIMIT = 40
"""Characters of a child's name in the name of a file."""


class SaveScript(Protocol):
    """Writes a script that makes a session happen again."""

    def __call__(self, events: Iterable[AnyEvent], command: Sequence[str], *, first_missing: bool) -> str: ...


BINDINGS: Final[tuple[Binding, ...]] = (
    Binding(
        "f5",
        "record",
        "Record",
        key_display="F5",
        id="app.record",
        group=FILES,
        tooltip="Write everything that happens from now on to a file, or stop writing",
    ),
    Binding(
        "f8",
        "save_script",
        "Save script",
        key_display="F8",
        id="app.script",
        group=FILES,
        tooltip="Write what happened as a script that makes it happen again, for CI",
    ),
    Binding(
        "f9",
        "export",
        "Export",
        key_display="F9",
        id="app.export",
        group=FILES,
        tooltip="Write the log as lines of JSON, or the screen as a picture (SVG)",
    ),
)


# Recording


def toggle_recording(app: "ExplorerApp") -> None:
    """Record from now on, or no longer."""
    recorder = app.recorder
    if recorder is None:
        app.notify("There is nothing to record.", title="Not recorded", severity="warning")
    elif recorder.state == "off":
        _ask_for_path(app, "Record from now on, to", "rec", partial(_start_recording, app, recorder))
    else:
        _stop_recording(app, recorder)


def _start_recording(app: "ExplorerApp", recorder: SessionRecorder, path: str) -> str | None:
    try:
        recorder.start(path)
    except RecordingError as error:
        return str(error)
    app.request_refresh()
    app.notify(path, title="Recording to")
    return None


def _stop_recording(app: "ExplorerApp", recorder: SessionRecorder) -> None:
    path, size, state = recorder.path, recorder.size, recorder.state
    recorder.stop()
    app.request_refresh()
    if state == "on":
        app.notify(f"{format_size(size)} in {path}", title="Recorded")


# A script, the log, the screen


def save_script(app: "ExplorerApp") -> None:
    """Write what happened as a script."""
    write_script, first_missing = app.save_script, app.model.is_beginning_missing
    entries = _held_entries(app)
    if write_script is None:
        return

    def pieces() -> Iterable[str]:
        events = (event for entry in entries if (event := entry.in_thread().event) is not None)
        yield write_script(events, app.command, first_missing=first_missing)

    _ask_and_write(app, "Save as a script", "tipc", pieces, "a script")


def ask_for_export(app: "ExplorerApp") -> None:
    """Ask what to export, and to which file."""
    from tui_ipc.tui.screens.dialogs import Choice, ChoiceScreen

    held = format_plural(len(_held_entries(app)), "event")
    choices = [
        Choice("Log", f"its {held}, as lines of JSON", "log"),
        Choice("Screen", "a picture of the screen, as SVG", "screen"),
    ]
    if app.log_view.filter is not None:
        choices.insert(
            1, Choice("Filtered log", "the events that pass the filter, as lines of JSON", "filtered")
        )
    screen = ChoiceScreen(
        "Export",
        "The log does not hold the child's output; a recording does.",
        lambda text: [each for each in choices if text.lower() in each.title.lower()],
        empty_text="There is nothing of that name.",
        prompt="what to write to a file",
    )
    app.push_screen(screen, partial(export, app))


def export(app: "ExplorerApp", what: Literal["log", "filtered", "screen"] | None) -> None:
    """Write the log or the screen to a file that the user names; None if the user changed their mind."""
    if what is None:
        return
    if what == "screen":
        picture = app.export_screenshot(title=f"tui-ipc · {make_visible(app.model.status.name)}")
        _ask_and_write(app, "Save the screen as SVG", "svg", lambda: (picture,), "a picture")
        return
    entries, wanted = _held_entries(app), app.log_view.filter if what == "filtered" else None

    def lines() -> Iterable[str]:
        from tui_ipc.events.json_form import format_line

        for entry in map(LogEntry.in_thread, entries):
            event = entry.event
            if event and (wanted is None or wanted.passes(event, partial(getattr, entry, "text"))):
                yield f"{format_line(event)}\n"

    _ask_and_write(app, "Save the log as lines of JSON", "jsonl", lines, "the log")


def _held_entries(app: "ExplorerApp") -> list[LogEntry]:
    log = app.model.log
    entries = (log[index] for index in range(log.first, log.end))
    return [entry for entry in entries if entry.held is not None]


def _ask_for_path(
    app: "ExplorerApp", title: str, ending: str, create_file: Callable[[str], str | None]
) -> None:
    from tui_ipc.tui.screens.dialogs import PathScreen

    name = re.sub(r"[^\w.-]+", "-", make_visible(app.model.status.name)).strip("-.")[:_NAME_LIMIT]
    stem = f"{name or 'session'}-{datetime.now():%Y%m%d-%H%M%S}"

    def check_and_create(path: str) -> str | None:
        return find_path_problem(path) or create_file(path)

    app.push_screen(PathScreen(title, find_unused_path(stem, ending), check_and_create))


def _ask_and_write(
    app: "ExplorerApp", title: str, ending: str, pieces: Callable[[], Iterable[str]], what: str
) -> None:
    """Ask for a file, and let a thread make the pieces of text and write them to it."""

    def create_file(path: str) -> str | None:
        try:
            file = NewFile(path)
        except SaveError as error:
            return str(error)
        app.run_worker(_write(app, file, pieces, what), exclusive=False)
        return None

    _ask_for_path(app, title, ending, create_file)


async def _write(app: "ExplorerApp", file: "NewFile", pieces: Callable[[], Iterable[str]], what: str) -> None:
    try:
        written = await asyncio.to_thread(file.write, pieces())
    except SaveError as error:
        app.notify(str(error), title="Not saved", severity="error", timeout=30)
    else:
        app.saved_files[what] = file.path
        app.notify(f"{what.capitalize()}, {format_size(written)}, is in {file.path}")


class SaveError(Exception):
    """A file cannot be written; the text says why."""


class NewFile:
    """A file that is created here and did not exist before.

    Args:
        path: Its path.

    Raises:
        SaveError: It cannot be created.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            self._file: IO[str] = open(path, "x", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115 - closed by write
        except (OSError, ValueError) as error:  # ValueError: a null byte in the path
            raise SaveError(
                f"{path} cannot be created: {describe_path_error(error)}; name another file."
            ) from None

    def write(self, pieces: Iterable[str]) -> int:
        """Write pieces of text and close the file; may run in a thread.

        Returns:
            How many characters were written.

        Raises:
            SaveError: They could not all be written.
        """
        written = 0
        try:
            with self._file as file:
                for piece in pieces:
                    written += file.write(piece)
        except OSError as error:
            raise SaveError(
                f"{self.path} cannot be written: {describe_path_error(error)}; save it where there is room."
            ) from None
        return written


def find_path_problem(path: str) -> str | None:
    """Why no file can be created at a path, as far as can be seen beforehand; None if nothing is wrong."""
    if not path:
        return "Name a file."
    if os.path.lexists(path):
        return f"{path} already exists; name another file."
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        return f"The directory {directory} does not exist; make it first, or name another file."
    return None


def find_unused_path(stem: str, ending: str) -> str:
    """A path in the working directory that does not exist: ``echo.rec``, else ``echo-2.rec`` and so on."""
    path, number = f"{stem}.{ending}", 1
    while os.path.lexists(path):
        number += 1
        path = f"{stem}-{number}.{ending}"
    return path
