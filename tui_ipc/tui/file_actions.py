"""What is written to files: a recording, a script, the events, the screen."""

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, ClassVar, Literal, Protocol

from textual.app import App
from textual.binding import Binding, BindingType

from tui_ipc.events import AnyEvent
from tui_ipc.recording.codec import RecordingError
from tui_ipc.text.safe_text import make_visible
from tui_ipc.text.units import format_plural, format_size
from tui_ipc.tui.model.session_model import LogEntry, SessionModel
from tui_ipc.tui.session_controller import SessionRecorder
from tui_ipc.tui.widgets.key_bar import FILES
from tui_ipc.tui.widgets.log_view import LogView

_NAME_LIMIT = 40
"""Characters of a child's name in the name of a file."""


class SaveScript(Protocol):
    """Writes the script that has a session happen again."""

    def __call__(self, events: Iterable[AnyEvent], command: Sequence[str], *, first_missing: bool) -> str: ...


class FileActions(App[int]):
    """The part of the explorer that writes files."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f5",
            "record",
            "Record",
            key_display="F5",
            id="app.record",
            group=FILES,
            tooltip="Write everything that happens from now on to a file, or end that",
        ),
        Binding(
            "f8",
            "save_script",
            "Save script",
            key_display="F8",
            id="app.script",
            group=FILES,
            tooltip="Write what happened as a script that has it happen again, for CI",
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
    ]

    model: SessionModel
    log_view: LogView
    tape: SessionRecorder | None
    _command: tuple[str, ...]
    _save_script: SaveScript | None

    def _schedule_refresh(self) -> None:
        """Have the screen follow what was done."""
        raise NotImplementedError

    def action_record(self) -> None:
        """Record from now on, or no more."""
        tape = self.tape
        if tape is None:
            self.notify("There is nothing to record.", title="Not recorded", severity="warning")
        elif tape.state == "off":
            self._ask("Record from now on, to", "rec", self._start_tape)
        else:
            self._stop_tape(tape)

    def action_save_script(self) -> None:
        """Write what happened as a script."""
        save_script, missing = self._save_script, self.model.log.first > 0
        events = [event for event, _ in self._held()]
        if save_script is None:
            return

        def text() -> Iterable[str]:
            yield save_script(events, self._command, first_missing=missing)

        self._ask_and_write("Save as a script", "tipc", text, "a script")

    def action_export(self) -> None:
        """Ask what to export, and to which file."""
        from tui_ipc.tui.screens.dialogs import Choice, ChoiceScreen

        held = len(self._held())
        choices = [
            Choice("Log", f"the {format_plural(held, 'event')} that are held, as lines of JSON", "log"),
            Choice("Screen", "a picture of the screen, as SVG", "screen"),
        ]
        if self.log_view.filter is not None:
            choices.insert(1, Choice("Filtered log", "what passes the filter, as lines of JSON", "passed"))
        screen = ChoiceScreen(
            "Export",
            "What was printed is not in the log; a recording has it.",
            lambda text: [each for each in choices if text.lower() in each.title.lower()],
            nothing="There is nothing of that name.",
            prompt="what to write to a file",
        )
        self.push_screen(screen, self._export)

    def _export(self, what: Literal["log", "passed", "screen"] | None) -> None:
        if what is None:
            return
        if what == "screen":
            picture = self.export_screenshot(title=f"tui-ipc · {make_visible(self.model.status.name)}")
            self._ask_and_write("Save the screen as SVG", "svg", lambda: (picture,), "a picture")
            return
        held, wanted = self._held(), self.log_view.filter if what == "passed" else None

        def lines() -> Iterable[str]:
            from tui_ipc.events.json_form import line

            for event, entry in held:
                if wanted is None or wanted.passes(event, partial(getattr, entry, "text")):
                    yield f"{line(event)}\n"

        self._ask_and_write("Save the log as lines of JSON", "jsonl", lines, "the log")

    def _held(self) -> list[tuple[AnyEvent, LogEntry]]:
        """Every event that the log holds, with its entry."""
        log = self.model.log
        entries = (log[index] for index in range(log.first, log.end))
        return [(entry.event, entry) for entry in entries if entry.event is not None]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is no saving as a script where nobody writes scripts."""
        if action == "save_script" and self._save_script is None:
            return False
        return super().check_action(action, parameters)

    # Recording

    def _start_tape(self, path: str) -> str | None:
        assert self.tape is not None
        try:
            self.tape.start(path)
        except RecordingError as error:
            return str(error)
        self._schedule_refresh()
        self.notify(make_visible(path), title="Recording to", markup=False)
        return None

    def _stop_tape(self, tape: SessionRecorder) -> None:
        path, length, state = tape.path, tape.size, tape.state
        tape.stop()
        self._schedule_refresh()
        if state == "on":
            self.notify(make_visible(f"{format_size(length)} in {path}"), title="Recorded", markup=False)

    # Other files

    def _ask(self, title: str, ending: str, make: Callable[[str], str | None]) -> None:
        from tui_ipc.tui.screens.dialogs import PathScreen, find_unused_path

        name = re.sub(r"[^\w.-]+", "-", make_visible(self.model.status.name)).strip("-.")[:_NAME_LIMIT]
        stem = f"{name or 'session'}-{datetime.now():%Y%m%d-%H%M%S}"
        self.push_screen(PathScreen(title, find_unused_path(stem, ending), make))

    def _ask_and_write(self, title: str, ending: str, pieces: Callable[[], Iterable[str]], what: str) -> None:
        """Ask for a file, and have a thread write to it what it makes of the events."""
        from tui_ipc.tui.screens.dialogs import NewFile, SaveError

        def make(path: str) -> str | None:
            try:
                file = NewFile(path)
            except SaveError as error:
                return str(error)
            self.run_worker(self._write(file, pieces, what), exclusive=False)
            return None

        self._ask(title, ending, make)

    async def _write(self, file: Any, pieces: Callable[[], Iterable[str]], what: str) -> None:
        from tui_ipc.tui.screens.dialogs import SaveError

        try:
            written = await asyncio.to_thread(file.write, pieces())
        except SaveError as error:
            self.notify(
                make_visible(str(error)), title="Not saved", severity="error", timeout=30, markup=False
            )
        else:
            self.notify(
                make_visible(f"{what.capitalize()}, {format_size(written)}, is in {file.path}"), markup=False
            )
