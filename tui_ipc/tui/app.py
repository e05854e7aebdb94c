"""The explorer: it owns the session and turns its events into what is on the screen.

Events go into the model as they come; the screen is brought up to date at its own pace.
So a child that floods is remembered at full speed, drawn at leisure, and never keeps a key waiting.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from time import monotonic_ns
from typing import Any, ClassVar

from textual import events, on
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.screen import Screen

from tui_ipc.events import AnyEvent, Audit
from tui_ipc.ipc.errors import IpcError
from tui_ipc.recording.codec import RecordingError
from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.child_actions import ChildActions
from tui_ipc.tui.file_actions import FileActions, SaveScript
from tui_ipc.tui.input_history import InputHistory
from tui_ipc.tui.keys import format_key, list_commands
from tui_ipc.tui.model.run_summary import RunSummaries
from tui_ipc.tui.model.session_model import LogEntry, SessionModel
from tui_ipc.tui.scheduling import RefreshThrottle, raise_fps
from tui_ipc.tui.session_controller import ExplorableSession, SessionController, SessionPhase, SessionRecorder
from tui_ipc.tui.settings import Settings, apply_settings
from tui_ipc.tui.view_actions import MessageActions, PaneActions
from tui_ipc.tui.widgets.bottom_bar import MessageBox, ReplayBar
from tui_ipc.tui.widgets.inspector import Inspector
from tui_ipc.tui.widgets.key_bar import SESSION, VIEW, KeyBar, group_rank
from tui_ipc.tui.widgets.line_view import LINE_CLASSES
from tui_ipc.tui.widgets.log_view import LogPane, LogView
from tui_ipc.tui.widgets.metrics_panel import MetricsPanel, describe_backlog
from tui_ipc.tui.widgets.output_view import OutputView
from tui_ipc.tui.widgets.search_pane import SearchPane
from tui_ipc.tui.widgets.status_bar import WIDEST_COLUMNS, StatusBar, TroubleNotice

CHANNEL_CHECK_SECONDS = 1.0
"""Seconds between two looks at how full the channels are."""

EXIT_SESSION_FAILED = 3
"""The exit code if the session could not begin or go on for want of what it needs of the system."""

WIDE_COLUMNS = 100
"""From how many columns on the inspector has a place of its own."""


_PHASE_TEXTS: dict[SessionPhase, str | None] = {
    SessionPhase.RUNNING: None,
    SessionPhase.RESTARTING: "restarting: waiting for the child to end",
    SessionPhase.ENDING: "ending: waiting for the child to end",
    SessionPhase.LEAVING: "quitting: waiting for the child to end",
}


class ExplorerApp(ChildActions, FileActions, MessageActions, PaneActions):
    """Explores one session, from its beginning to its end.

    Args:
        session: A session that has not begun; the app begins it and ends it.
        tape: Records the session when it is switched on; the session has it as its ``record``.
        command: What the session runs, as it was asked for.
        save_script: Writes a script of what happened; None if nobody does.
        foot: A widget to stand where the message box does, for a session that takes no messages.
        source: Where the events come from, if not from a living child.
        history: What was sent in earlier starts; None begins with nothing and keeps nothing.
        settings: What the user wants; None for nothing in particular.
    """

    TITLE = "tui-ipc"
    CSS_PATH = ["app.tcss", "dialogs.tcss"]
    COMPONENT_CLASSES: ClassVar[set[str]] = {*LINE_CLASSES}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide"), (WIDEST_COLUMNS, "-widest")]

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "f1",
            "help",
            "Help",
            key_display="F1",
            id="app.help",
            group=SESSION,
            tooltip="Explain the panes, the notation and the keys",
        ),
        Binding(
            "ctrl+p",
            "command_palette",
            "Palette",
            show=False,
            priority=True,
            id="app.palette",
            group=VIEW,
            tooltip="Find anything that can be done here by its name, and do it",
        ),
    ]

    def __init__(
        self,
        session: ExplorableSession,
        *,
        tape: SessionRecorder | None = None,
        command: Sequence[str] = (),
        save_script: SaveScript | None = None,
        foot: ReplayBar | None = None,
        source: str = "",
        history: InputHistory | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.tape = tape
        if tape is not None:
            tape.on_failure = self.recording_failed
        self._command = tuple(command)
        self._save_script = save_script
        self.settings = settings or Settings()
        self._source = source
        self._history = history
        self._code = 0
        raise_fps()
        self._pace = RefreshThrottle(self, self._refresh_views)
        self.key_bar = KeyBar()
        self._make_panes(session, foot)

    def _make_panes(self, session: ExplorableSession, foot: ReplayBar | None) -> None:
        """Make everything that knows what happened, which is nothing so far."""
        self._session = session
        self.model = SessionModel()
        self.stories = RunSummaries()
        self.status_bar = StatusBar(self._source)
        self.notice = TroubleNotice(self._remedy)
        self.metrics_panel = MetricsPanel(lambda: self.model.status.metrics, self._now, session.diagnosis)
        self.log_view = LogView(self.model)
        self.inspector = Inspector(self.model.log, id="inspector")
        self.output_view = OutputView(self.model)
        self.message_box = MessageBox(self._history)
        self.foot: MessageBox | ReplayBar = foot or self.message_box
        self._keeper = SessionController(
            session, self._on_event, self._on_refused, self._on_ended, self._pace.input_priority
        )
        self._latest = 0, monotonic_ns()
        self._warning = ""

    def compose(self) -> ComposeResult:
        """Make the panes."""
        yield self.status_bar
        yield self.notice
        yield self.metrics_panel
        with Container(id="panes"):
            yield LogPane(self.log_view)
            yield self.inspector
            yield SearchPane(self.output_view, id="printed")
        yield self.foot
        yield self.key_bar

    def on_mount(self) -> None:
        """Begin the session."""
        apply_settings(self, self.settings)
        self._begin()
        self.set_interval(CHANNEL_CHECK_SECONDS, self._look)

    def _begin(self) -> None:
        if self.settings.wrap:
            self.output_view.action_wrap()
        self.foot.take_focus()
        self._pace.refresh()
        self._keeper.start(self._on_over)

    def post_message(self, message: Message) -> bool:
        """Give a key precedence over what the child says from its arrival on (Textual calls this)."""
        if isinstance(message, events.Key):
            self._pace.input_priority.begin()
        return super().post_message(message)

    async def on_event(self, event: events.Event) -> None:
        """Let a key act, but a backlog of them not before being told to leave (Textual calls this)."""
        if (
            isinstance(event, events.Key)
            and self._keeper.phase is SessionPhase.LEAVING
            and event.is_printable
        ):
            return
        await super().on_event(event)
        if isinstance(event, events.Key):
            holder = self.focused or self.screen  # which tells the screen what it did before this comes to it
            holder.call_later(self.screen.call_later, self._pace.input_priority.expect_drawing)
            await asyncio.sleep(0)

    def post_display_hook(self) -> None:
        """Take in that the screen was drawn (Textual calls this)."""
        self._pace.input_priority.end()

    async def on_unmount(self) -> None:
        """End the session, however the app came to its end."""
        await self._keeper.wait_until_left()

    def leave(self, code: int = 0) -> None:
        """Send ``"quit"``, wait for the child, and leave with a code; signal handlers may call this."""
        self._code = code
        self.message_box.input.deaf = True
        self._keeper.leave()
        self.call_later(self._schedule_refresh)  # a timer needs the app's context, which a handler has not

    def recording_failed(self, sentence: str) -> None:
        """Say that the rest will not be recorded; whoever writes the recording calls this."""
        self.call_later(self._tell_failure, sentence)

    def _tell_failure(self, sentence: str) -> None:
        self.notify(make_visible(sentence), title="Not recorded", severity="error", timeout=30, markup=False)
        self._schedule_refresh()

    def get_key_display(self, binding: Binding) -> str:
        """Write a function key as it is on the keyboard, ``F12`` (Textual calls this)."""
        written = super().get_key_display(binding)
        return written.upper() if re.fullmatch(r"f\d+", written) else written

    # What the session says

    def _on_event(self, event: AnyEvent) -> None:
        self.model.apply(event)
        self.stories.add(event)
        if isinstance(event, Audit):
            self._notify_leftovers(event)
        self._latest = event.at, monotonic_ns()
        self._schedule_refresh()

    def _on_ended(self, broken: RecordingError | None) -> None:
        """No event will follow. A living session ends when it is left, and tells that by itself."""

    def _on_over(self, error: BaseException | None) -> None:
        if isinstance(error, OSError | IpcError):
            sentence = f"tui-ipc: the session broke off: {make_visible(str(error))}"
            self.exit(return_code=EXIT_SESSION_FAILED, message=sentence)
        elif isinstance(error, Exception):
            self._handle_exception(error)
        else:
            self.exit(self._code, return_code=self._code)

    # The screen

    @property
    def _doing(self) -> str | None:
        return _PHASE_TEXTS[self._keeper.phase]

    def _remedy(self) -> str:
        """What can be done about a failed handshake or a fault."""
        more = f"{format_key(self, 'app.run')} tells more"
        return (
            more
            if self.foot is not self.message_box
            else f"{format_key(self, 'app.restart')} tries again · {more}"
        )

    def _now(self) -> int:
        """The moment of the session, as far as is known here; in a replay, that of the latest event."""
        at, taken_at = self._latest
        return at if self.foot is not self.message_box else at + monotonic_ns() - taken_at

    def _look(self) -> None:
        """See whether a stream nears full: that is no event."""
        if self.model.status.phase == "open":
            self._warning = describe_backlog(self._session.diagnosis())
        else:
            self._warning = ""
        self._show_status()

    def _show_status(self) -> None:
        self.status_bar.show(
            self.model.status, self._now(), doing=self._doing, tape=self.tape, warning=self._warning
        )

    def _schedule_refresh(self) -> None:
        self._pace.request()

    def _refresh_views(self) -> None:
        self._show_status()
        self.notice.show(self.model.problem)
        self.foot.follow(self.model.status)
        self.log_view.follow_source()
        self.output_view.follow_source()
        if self.log_view.cursor is None:
            self._inspect_newest()
        self.message_box.learn(self._newest)

    @property
    def _newest(self) -> LogEntry | None:
        """The newest message, if it is still held."""
        latest = self.model.latest
        held = latest is not None and latest >= self.model.log.first
        return self.model.log[latest] if latest is not None and held else None

    def _inspect_newest(self) -> None:
        self.inspector.entry = self._newest

    @on(LogView.EntrySelected)
    def _on_picked(self, picked: LogView.EntrySelected) -> None:
        if picked.entry is None:
            self._inspect_newest()
        else:
            self.inspector.entry = picked.entry

    # Actions

    async def action_quit(self) -> None:
        """End the child, then the explorer."""
        self.leave()

    def action_help(self) -> None:
        """Open the help."""
        from tui_ipc.tui.screens.help_screen import HelpScreen, KeyHelp  # only who asks for it pays for it

        bindings = [
            active.binding for active in self.screen.active_bindings.values() if not active.binding.system
        ]
        shown = sorted((each for each in bindings if each.show or each.tooltip), key=group_rank)
        keys = [
            KeyHelp(self.get_key_display(each), each.description, each.tooltip, each.id or "")
            for each in shown
        ]
        replay = self.foot is not self.message_box
        self.push_screen(HelpScreen(list(dict.fromkeys(keys)), replay=replay))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: every binding that explains itself, each pane, the theme, a screenshot."""
        box = (self.message_box.input,) if self.foot is self.message_box else ()
        panes = (self.log_view, *self.inspector.nodes_with_bindings, self.output_view)
        yield from list_commands(self, (self, *panes, *box))
        yield SystemCommand("Go to the log", "Move through what happened", self.log_view.focus)
        yield SystemCommand(
            "Go to the child's output", "Scroll through what the child printed", self.output_view.focus
        )
        yield SystemCommand("Theme", "Choose other colours", self.action_change_theme)
        yield SystemCommand(
            "Screenshot", "Save a picture of the screen, as SVG", lambda: self._export("screen")
        )
