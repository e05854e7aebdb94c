"""What is done to the child, and what is asked about it."""

from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType

from tui_ipc.events import Audit
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.handshake import RunPhase
from tui_ipc.text.safe_text import format_sentence, make_visible
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.model.run_summary import RunSummaries
from tui_ipc.tui.model.session_model import SessionModel
from tui_ipc.tui.session_controller import ExplorableSession, SessionController, SessionPhase
from tui_ipc.tui.widgets.key_bar import CHILD, SESSION
from tui_ipc.tui.widgets.metrics_panel import MetricsPanel


class ChildActions(App[int]):
    """The part of the explorer that has the child in hand."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "ctrl+q",
            "quit",
            "Quit",
            priority=True,
            id="app.quit",
            group=SESSION,
            tooltip='Send "quit", wait for the child to end, and leave',
        ),
        Binding(
            "ctrl+r",
            "restart",
            "Restart",
            priority=True,
            id="app.restart",
            group=SESSION,
            tooltip="End the child, if it lives, and start it again; the log goes on",
        ),
        Binding(
            "ctrl+t",
            "end",
            "End the child",
            priority=True,
            show=False,
            id="app.end",
            group=SESSION,
            tooltip='Send "quit", wait for the child to end, and stay here',
        ),
        Binding(
            "f3",
            "why",
            "Why?",
            key_display="F3",
            id="app.why",
            group=CHILD,
            tooltip="Why does nothing happen? What the child, the channels and the system say",
        ),
        Binding(
            "f4",
            "signal",
            "Signal",
            key_display="F4",
            id="app.signal",
            group=CHILD,
            tooltip="Stop the child, let it go on, or send it any other signal",
        ),
        Binding(
            "f6",
            "measures",
            "Measures",
            key_display="F6",
            id="app.measures",
            group=CHILD,
            tooltip="Show latencies, rates and what lies unread, or hide them",
        ),
        Binding(
            "f7",
            "run",
            "Handshake",
            key_display="F7",
            id="app.run",
            group=CHILD,
            tooltip="The handshake, step by step, and what came of the run; of earlier runs too",
        ),
    ]

    model: SessionModel
    metrics_panel: MetricsPanel
    stories: RunSummaries
    _session: ExplorableSession
    _keeper: SessionController

    def _schedule_refresh(self) -> None:
        """Have the screen follow what was done."""
        raise NotImplementedError

    async def action_restart(self) -> None:
        """End this run and begin the next."""
        self._keeper.restart()
        self._schedule_refresh()

    def action_end(self) -> None:
        """End this run, and stay."""
        if self.model.status.pid is None or not self.model.status.is_running:
            self._notify_no_child()
            return
        self._keeper.end()
        self._schedule_refresh()

    def action_why(self) -> None:
        """Say why nothing happens."""
        from tui_ipc.tui.screens.diagnosis_screens import WhyScreen

        self.push_screen(WhyScreen(lambda: self._session.diagnosis().sentences))

    def action_run(self) -> None:
        """Tell the story of the run."""
        from tui_ipc.tui.screens.diagnosis_screens import RunScreen

        self.push_screen(RunScreen(self.stories, self._waited))

    def action_measures(self) -> None:
        """Show the measures, or hide them."""
        self.metrics_panel.toggle(format_key(self, "app.measures"))

    def action_signal(self) -> None:
        """Ask for a signal, and send it."""
        from tui_ipc.tui.screens import dialogs
        from tui_ipc.tui.screens.dialogs import ChoiceScreen

        status = self.model.status
        if status.pid is None or not status.is_running:
            self._notify_no_child()
            return
        intro = f"To process group {status.pid}: {status.name} (pid {status.pid}) and what it started."
        screen = ChoiceScreen(
            "Signal",
            intro,
            dialogs.find_signals,
            nothing="There is no such signal: a name such as SIGUSR1, or a number, is one.",
            prompt="a name or a number",
        )
        self.push_screen(screen, self._send_signal)

    def _send_signal(self, number: Any) -> None:
        from tui_ipc.tui.screens.dialogs import QUIT_VALUE

        if number is None:
            return
        if number == QUIT_VALUE:
            self.action_end()
            return
        try:
            self._session.signal(number)
        except (NotConnected, ValueError) as error:
            self.notify(make_visible(str(error)), title="Not signalled", severity="warning", markup=False)
        else:
            self.notify(f"Sent {signal_name(number)} to process group {self.model.status.pid}.", markup=False)

    def _notify_no_child(self) -> None:
        why = self.model.status.why_unreachable
        reason = "no child was started yet" if why is None else why
        again = "" if why is None else f"; {format_key(self, 'app.restart')} starts it again"
        self.notify(
            format_sentence(f"{reason}{again}."), title="Not signalled", severity="warning", markup=False
        )

    def _notify_leftovers(self, audit: Audit) -> None:
        """Say aloud what a run left behind, if anything; the log and the run's story say it too."""
        if audit.clean or self._keeper.phase is SessionPhase.LEAVING:
            return
        said = f"{', '.join(describe_leftovers(audit))}; {format_key(self, 'app.run')} tells more."
        title = f"Run {audit.run} left something behind"
        self.notify(make_visible(said), title=title, severity="warning", timeout=20, markup=False)

    def _waited(self) -> int | None:
        """For how long the next step of the handshake has been awaited, in ns."""
        diagnosis = self._session.diagnosis()
        return diagnosis.waited if diagnosis.phase is RunPhase.HANDSHAKE else None
