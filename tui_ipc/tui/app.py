"""The explorer's app: it owns the session, applies its events to the model, and refreshes the panes.

Events are applied as they come; the panes are refreshed at a bounded rate. So the events of a child that
floods are all taken in, few of the states between them are drawn, and a key does not have to wait.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from time import monotonic, monotonic_ns
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.console import Console, RenderableType
from textual import events, on
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Input
from textual.worker import WorkerFailed

from tui_ipc.events import AnyEvent, Audit, HandshakeFailed, MessageSent
from tui_ipc.ipc.errors import IpcError
from tui_ipc.osutil.leaving import EXIT_DEFECT
from tui_ipc.recording.codec import RecordingError
from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_lines_visible, make_visible
from tui_ipc.tui import child_actions, file_actions, view_actions
from tui_ipc.tui.file_actions import SaveScript
from tui_ipc.tui.input_history import InputHistory
from tui_ipc.tui.keys import format_key, list_commands
from tui_ipc.tui.model.log_entry import LogEntry
from tui_ipc.tui.model.run_summary import RunSummaries
from tui_ipc.tui.model.session_model import SessionModel
from tui_ipc.tui.scheduling import InputQueue, RefreshThrottle, raise_fps
from tui_ipc.tui.session_controller import ExplorableSession, SessionController, SessionPhase, SessionRecorder
from tui_ipc.tui.settings import Settings, apply_settings
from tui_ipc.tui.widgets.inspector import Inspector
from tui_ipc.tui.widgets.key_bar import KeyBar
from tui_ipc.tui.widgets.line_view import LINE_CLASSES
from tui_ipc.tui.widgets.log_view import LogView
from tui_ipc.tui.widgets.message_box import MessageBox
from tui_ipc.tui.widgets.output_view import OutputView
from tui_ipc.tui.widgets.replay_bar import ReplayBar
from tui_ipc.tui.widgets.search_pane import LogPane, SearchPane
from tui_ipc.tui.widgets.status_bar import (
    WIDE_COLUMNS,
    WIDEST_COLUMNS,
    MetricsPanel,
    StatusBar,
    TroubleNotice,
    describe_backlog,
)

if TYPE_CHECKING:
    from tui_ipc.session.diagnosis import Diagnosis

CHANNEL_CHECK_SECONDS = 1.0
"""Seconds between two looks at how full the channels are."""

EXIT_SESSION_FAILED = 3
"""The exit code if the last handshake did not succeed, or if the system refused what the session needs."""

WAIT_REFRESH_SECONDS = 0.2
"""Seconds between two updates of how long messages have waited."""

_PHASE_TEXTS: Final[dict[SessionPhase, str | None]] = {
    SessionPhase.RUNNING: None,
    SessionPhase.RESTARTING: "restarting: waiting for the child to end",
    SessionPhase.ENDING: "ending: waiting for the child to end",
    SessionPhase.LEAVING: "quitting: waiting for the child to end",
}
"""What is under way and waits for the child, as the status bar says it."""


class ExplorerApp(App[int]):
    """Explores one session, from its beginning to its end.

    Args:
        session: A session that has not begun; the app begins it and ends it.
        recorder: Records the session when it is switched on; the session has it as its ``record``.
        command: The session's command, as the user gave it.
        save_script: Writes a script of what happened; without it that cannot be done.
        bottom_bar: Takes the message box's place, for a session that takes no messages.
        source: Where the events come from, if not from a running child.
        history: What was sent in earlier starts; None begins empty and keeps nothing.
        settings: The user's settings; None for the defaults.

    Attributes:
        limit_leaving: Called with the exit code as soon as the app is to end; sees to it that it does.
        saved_files: The path of the newest file of each kind (``a script``) that was saved.
    """

    TITLE = "tui-ipc"
    CSS_PATH = "app.tcss"
    COMPONENT_CLASSES: ClassVar[set[str]] = {*LINE_CLASSES}
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide"), (WIDEST_COLUMNS, "-widest")]

    IS_REPLAY: ClassVar[bool] = False
    """Whether a recording is shown, so that there is no child."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *child_actions.BINDINGS,
        *file_actions.BINDINGS,
        *view_actions.BINDINGS,
    ]

    # Textual finds an action as a method called action_NAME. What each does is in the module named here.
    action_restart = child_actions.restart
    action_end = child_actions.end
    action_why = child_actions.show_diagnosis
    action_signal = child_actions.ask_for_signal
    action_metrics = child_actions.toggle_metrics
    action_run = child_actions.show_run
    action_record = file_actions.toggle_recording
    action_save_script = file_actions.save_script
    action_export = file_actions.ask_for_export
    action_help = view_actions.show_help
    action_redraw = view_actions.redraw
    action_command_palette = view_actions.show_palette
    action_maximize = view_actions.toggle_maximized
    action_focus_bottom_bar = view_actions.focus_bottom_bar
    action_inspect = view_actions.focus_inspector
    action_tab = view_actions.show_tab
    action_copy = view_actions.copy
    action_partner = view_actions.go_to_partner
    action_edit_again = view_actions.edit_again
    action_send_again = view_actions.send_again
    action_note = view_actions.write_note
    action_wall_clock = view_actions.toggle_wall_clock

    def __init__(
        self,
        session: ExplorableSession,
        *,
        recorder: SessionRecorder | None = None,
        command: Sequence[str] = (),
        save_script: SaveScript | None = None,
        bottom_bar: ReplayBar | None = None,
        source: str = "",
        history: InputHistory | None = None,
        settings: Settings | None = None,
    ) -> None:
        super().__init__()
        self.recorder = recorder
        if recorder is not None:
            recorder.on_failure = self.report_recording_failure
        self.command = tuple(command)
        self.save_script = save_script
        self.saved_files: dict[str, str] = {}
        self.settings = settings or Settings()
        self.wall_clock = self.settings.wall_clock
        self._source = source
        self._history = history
        self._exit_code = 0
        self.limit_leaving: Callable[[int], object] = lambda code: None
        raise_fps()
        self.refresh_throttle = RefreshThrottle(self, self._refresh_views)
        self._input_queue = InputQueue(
            self, self._deliver_input, self.refresh_throttle.input_priority.expect_drawing
        )
        self.key_bar = KeyBar()
        self.model = SessionModel(session.match)
        self.status_bar = StatusBar(lambda: format_key(self, "app.why"), self._source)
        self.notice = TroubleNotice(self._describe_remedy)
        self.metrics_panel = MetricsPanel(lambda: self.model.status.metrics, self._now, self._diagnose)
        self.log_view = LogView(self.model, self._now, wall_clock=self.wall_clock)
        self.inspector = Inspector(self.model.log, self._now, id="inspector")
        self.output_view = OutputView(self.model, self._resize_terminal)
        self.message_box = MessageBox(self._history)
        self.bottom_bar: MessageBox | ReplayBar = bottom_bar or self.message_box
        self._take_session(session)

    def _resize_terminal(self, rows: int, columns: int) -> None:
        self.session.resize(rows, columns)

    def _take_session(self, session: ExplorableSession) -> None:
        """Have a session, of which nothing has happened yet."""
        self.session = session
        self.run_summaries = RunSummaries()
        self.controller = SessionController(
            session,
            self._on_event,
            self._on_refused,
            self._on_ended,
            self.refresh_throttle.input_priority,
            self._decode_output,
        )
        self._latest = 0, monotonic_ns()
        self._awaits_own_row = False
        self._backlog = ""

    def compose(self) -> ComposeResult:
        """Make the panes."""
        yield self.status_bar
        yield self.notice
        yield self.metrics_panel
        with Container(id="panes"):
            yield LogPane(self.log_view)
            yield self.inspector
            yield SearchPane(self.output_view, id="output-pane")
        yield self.bottom_bar
        yield self.key_bar

    def on_mount(self) -> None:
        """Apply the settings and begin the session."""
        apply_settings(self, self.settings)
        self.run_worker(self._input_queue.run(), group="input")
        if self.settings.wrap:
            self.output_view.action_wrap()
        self.bottom_bar.take_focus()
        self._start_session()
        self.app_resume_signal.subscribe(self, self._on_resume)
        self.set_interval(CHANNEL_CHECK_SECONDS, self._check_channels)
        self.set_interval(WAIT_REFRESH_SECONDS, self._refresh_waits)
        if self.recorder is not None and self.recorder.replaced:
            self.notify(self.recorder.replaced, title="Replaced", severity="warning")

    def _start_session(self) -> None:
        self.refresh_throttle.refresh()
        self.controller.start(self._on_session_over)

    # Keys and the screen, as Textual hands them over

    def post_message(self, message: Message) -> bool:
        """Give a key precedence over the child's events from its arrival on (Textual calls this)."""
        if isinstance(message, events.Key):
            self.refresh_throttle.input_priority.begin()
        return super().post_message(message)

    async def on_event(self, event: events.Event) -> None:
        """Handle an event; keys and pastes one after the other (Textual calls this)."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            self._input_queue.add(event)
        else:
            await super().on_event(event)

    async def _deliver_input(self, event: events.Key | events.Paste) -> None:
        if not (self._is_leaving and isinstance(event, events.Key) and event.is_printable):
            await super().on_event(event)

    @property
    def _is_leaving(self) -> bool:
        return self.controller.phase is SessionPhase.LEAVING

    def _on_resume(self, _: App[Any]) -> None:
        """Draw everything after the shell or an editor had the terminal."""
        self.refresh(layout=True)

    def post_display_hook(self) -> None:
        """Note that the screen was drawn (Textual calls this)."""
        self.refresh_throttle.input_priority.end()

    def get_key_display(self, binding: Binding) -> str:
        """How a key is written: ``F12`` as on the keyboard, also if a user bound it (Textual calls this)."""
        written = super().get_key_display(binding)
        return written.upper() if re.fullmatch(r"f\d+", written) else written

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Hide the saving of scripts where it cannot be done (Textual calls this)."""
        if action == "save_script" and self.save_script is None:
            return False
        return super().check_action(action, parameters)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Show a notification as plain, safe text; widgets and screens call this, too."""
        text = make_lines_visible(message)
        super().notify(text, title=title, severity=severity, timeout=timeout, markup=False)

    # Leaving

    def action_help_quit(self) -> None:
        """Name the key that quits: ctrl+c does not (Textual calls this, and its own text has markup)."""
        self.notify(f"Press {format_key(self, 'app.quit')} to quit.", title="Still running")

    async def action_quit(self) -> None:
        """End the child, then the explorer."""
        self.leave()

    def leave(self, code: int = 0) -> None:
        """Send ``"quit"``, wait for the child, and exit with a code; signal handlers may call this."""
        self._exit_code = code
        self.limit_leaving(code)
        self.message_box.input.ignores_keys = True
        self.controller.leave()
        self.call_later(self.request_refresh)  # a timer needs the app's context, which a signal handler lacks

    async def on_unmount(self) -> None:
        """End the session, however the app ended."""
        await self.controller.wait_until_left()

    def _handle_exception(self, error: Exception) -> None:
        """End the app because of a defect (Textual calls this, wherever an exception was not handled).

        Whoever runs the app raises the error once the terminal is given back and the session has ended.
        """
        self._return_code = EXIT_DEFECT
        self.limit_leaving(EXIT_DEFECT)
        if self._exception is None:
            self._exception = error.error if isinstance(error, WorkerFailed) else error  # type: ignore[assignment]
            self._exception_event.set()
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:
        """End the app because the thread that reads the keys failed (Textual's driver calls this)."""
        console = Console(file=StringIO(), width=WIDE_COLUMNS, no_color=True)
        with console.capture() as capture:
            console.print(*renderables)
        traceback = capture.get().strip()
        error = RuntimeError(f"the terminal cannot be read any more: {traceback.rpartition(chr(10))[2]}")
        error.add_note(traceback)
        self._handle_exception(error)

    @property
    def defect(self) -> Exception | None:
        """The error that ended the app, if one did."""
        return self._exception

    def _on_session_over(self, error: BaseException | None) -> None:
        """Exit: with a sentence if the system refused something, as a defect with anything else."""
        if self._exception is not None:
            return  # the app is being ended because of that
        if isinstance(error, OSError | IpcError):
            message = f"tui-ipc: the session failed: {make_visible(str(error))}"
            self.exit(return_code=EXIT_SESSION_FAILED, message=message)
        elif isinstance(error, Exception):
            self._handle_exception(error)
        else:
            failed = isinstance(self.model.problem, HandshakeFailed) and not self.IS_REPLAY
            code = self._exit_code or (EXIT_SESSION_FAILED if failed else 0)
            self.exit(code, return_code=code)

    # What the session reports

    def _on_event(self, event: AnyEvent) -> None:
        self.model.apply(event, self.session.time_of(event.at))
        self.run_summaries.add(event)
        if isinstance(event, Audit):  # the only kind that opens a notification; the panes show all of them
            child_actions.notify_leftovers(self, event)
        self._latest = event.at, monotonic_ns()
        if self._awaits_own_row and isinstance(event, MessageSent):
            # The user looks for the row: it does not wait for the next picture, which in a flood is late.
            self._awaits_own_row = False
            self.call_later(self.refresh_throttle.refresh)
        else:
            self.request_refresh()

    def _decode_output(self, until: float) -> bool:
        is_done = self.model.output_queue.decode(until, monotonic)
        self.request_refresh()
        return is_done

    def _on_ended(self, broken: RecordingError | None) -> None:
        """Do nothing when the events end: a session with a child ends only because the app is quitting."""

    def _on_refused(self, text: str, reason: str) -> None:
        """Give a message that could not be sent back to the user, and say why."""
        self.message_box.input.restore(text)
        view_actions.notify_refusal(self, "Not sent", reason)

    def report_recording_failure(self, text: str) -> None:
        """Say that the rest will not be recorded; the recorder calls this."""
        self.call_later(self._notify_recording_failure, text)

    def _notify_recording_failure(self, text: str) -> None:
        self.notify(text, title="Not recorded", severity="error", timeout=30)
        self.request_refresh()

    # What the widgets report

    @on(Input.Submitted, "#input")
    def _on_submitted(self, submitted: Input.Submitted) -> None:
        self._awaits_own_row = True
        self.controller.post(submitted.value, notation.parse_value(submitted.value))

    @on(LogView.EntrySelected)
    def _on_entry_selected(self, selected: LogView.EntrySelected) -> None:
        self.inspector.entry = self._newest if selected.entry is None else selected.entry

    @on(Inspector.EntryRequested)
    def _on_entry_requested(self, requested: Inspector.EntryRequested) -> None:
        self.log_view.select_entry(requested.index)

    # The panes

    def request_refresh(self) -> None:
        """Have the panes follow what happened, soon."""
        self.refresh_throttle.request()

    def _refresh_views(self) -> None:
        self._show_status()
        self.notice.show(self.model.problem)
        self.bottom_bar.follow(self.model.status)
        self.log_view.follow_source()
        self.output_view.follow_source()
        if self.log_view.cursor is None:
            self.inspector.entry = self._newest
        self.inspector.refresh_wait()
        self.message_box.learn_words(self._newest)

    def _show_status(self) -> None:
        self.status_bar.show(
            self.model.status,
            self._now(),
            pending=self._pending_action,
            waiting=self.model.exchanges.count_waiting(self._now()),
            recorder=self.recorder,
            warning=self._backlog,
        )

    def _refresh_waits(self) -> None:
        """Show how long messages have waited, which no event reports."""
        if self.model.exchanges.count_waiting(self._now()) is not None:
            self._show_status()
            self.log_view.refresh_waits()
            self.inspector.refresh_wait()

    def _check_channels(self) -> None:
        """Look whether a channel is nearly full; no event reports that."""
        is_open = self.model.status.phase == "open"
        self._backlog = describe_backlog(self._diagnose()) if is_open else ""
        self._show_status()

    def _diagnose(self) -> "Diagnosis":
        return self.session.diagnosis()

    @property
    def _pending_action(self) -> str | None:
        """What is under way and waits for the child to end."""
        return _PHASE_TEXTS[self.controller.phase]

    def _describe_remedy(self) -> str:
        """What can be done about a failed handshake or a fault."""
        return f"{format_key(self, 'app.restart')} tries again · {format_key(self, 'app.run')} for details"

    def _now(self) -> int:
        """The current time of the session in ns, estimated from its latest event."""
        at, taken_at = self._latest
        return at + monotonic_ns() - taken_at

    @property
    def _newest(self) -> LogEntry | None:
        """The newest message, if it is still held."""
        latest = self.model.latest
        is_held = latest is not None and latest >= self.model.log.first
        return self.model.log[latest] if latest is not None and is_held else None

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the palette offers: every binding with a tooltip, the panes, the theme, a screenshot."""
        panes = (self.log_view, *self.inspector.nodes_with_bindings, self.output_view)
        box = () if self.IS_REPLAY else (self.message_box.input,)
        yield from list_commands(self, (self, *panes, *box))
        yield SystemCommand("Go to the log", "Move through what happened", self.log_view.focus)
        yield SystemCommand(
            "Go to the child's output", "Scroll through what the child printed", self.output_view.focus
        )
        yield SystemCommand("Theme", "Choose other colours", self.action_change_theme)
        yield SystemCommand(
            "Screenshot",
            "Save a picture of the screen, as SVG",
            lambda: file_actions.export(self, "screen"),
        )
