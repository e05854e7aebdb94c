"""Acting on the child, and asking about it. Actions of the explorer, and their keys."""

from typing import TYPE_CHECKING, Any, Final

from textual.binding import Binding

from tui_ipc.events import Audit
from tui_ipc.events.sentences import describe_leftovers
from tui_ipc.osutil.signals import signal_name
from tui_ipc.session.conversation import NotConnected
from tui_ipc.session.handshake import RunPhase
from tui_ipc.text.safe_text import format_sentence
from tui_ipc.tui.keys import format_key
from tui_ipc.tui.session_controller import SessionPhase
from tui_ipc.tui.widgets.key_bar import CHILD, SESSION

if TYPE_CHECKING:
    from tui_ipc.tui.app import ExplorerApp

BINDINGS: Final[tuple[Binding, ...]] = (
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
        tooltip="Start the child again, and end it first if it is running, which is asked; the log goes on",
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
        tooltip="Explain why nothing happens: the state of the child, its channels and its process",
    ),
    Binding(
        "f4",
        "signal",
        "Signal",
        key_display="F4",
        id="app.signal",
        group=CHILD,
        tooltip="Stop the child, continue it, or send it any other signal",
    ),
    Binding(
        "f6",
        "metrics",
        "Metrics",
        key_display="F6",
        id="app.metrics",
        group=CHILD,
        tooltip="Show or hide latencies, rates and what is unread",
    ),
    Binding(
        "f7",
        "run",
        "Handshake",
        key_display="F7",
        id="app.run",
        group=CHILD,
        tooltip="Show the handshake step by step, and how the run ended; earlier runs too",
    ),
)


async def restart(app: "ExplorerApp") -> None:
    """End this run and begin the next; if that ends a child that nobody asked to end yet, ask first."""
    from tui_ipc.tui.screens.dialogs import ConfirmScreen

    def begin(is_confirmed: bool | None) -> None:
        if is_confirmed:
            app.controller.restart()
            app.request_refresh()

    if isinstance(app.screen, ConfirmScreen):
        return  # the key has priority, and was pressed again
    status = app.model.status
    if not status.is_running or app.controller.phase is not SessionPhase.RUNNING:
        begin(True)
        return
    text = f"{status.name} (pid {status.pid}) is running. It is asked to quit, and ended if it does not."
    app.push_screen(ConfirmScreen("Restart", text, "restarts"), begin)


def end(app: "ExplorerApp") -> None:
    """End this run; the explorer stays."""
    if app.model.status.pid is None or not app.model.status.is_running:
        _notify_no_child(app, "Not ended")
        return
    app.controller.end()
    app.request_refresh()


def show_diagnosis(app: "ExplorerApp") -> None:
    """Explain why nothing happens."""
    from tui_ipc.tui.screens.diagnosis_screens import (
        WhyScreen,  # screens are imported once they are asked for
    )

    app.push_screen(WhyScreen(lambda: app.session.diagnosis().sentences))


def show_run(app: "ExplorerApp") -> None:
    """Show the handshake of the run, and how the run ended."""
    from tui_ipc.tui.screens.diagnosis_screens import RunScreen

    def waited() -> int | None:
        diagnosis = app.session.diagnosis()
        return diagnosis.waited if diagnosis.phase is RunPhase.HANDSHAKE else None

    app.push_screen(RunScreen(app.run_summaries, waited))


def toggle_metrics(app: "ExplorerApp") -> None:
    """Show the metrics, or hide them."""
    app.metrics_panel.toggle(format_key(app, "app.metrics"))


def ask_for_signal(app: "ExplorerApp") -> None:
    """Ask for a signal, and send it."""
    from tui_ipc.tui.screens.dialogs import QUIT_VALUE, ChoiceScreen, find_signals

    status = app.model.status
    if status.pid is None or not status.is_running:
        _notify_no_child(app, "Not signalled")
        return

    def send(number: Any) -> None:
        if number == QUIT_VALUE:
            end(app)
        elif number is not None:
            _send_signal(app, number)

    screen = ChoiceScreen(
        "Signal",
        f"To process group {status.pid}: {status.name} (pid {status.pid}) and the processes that it started.",
        find_signals,
        empty_text="No such signal. Type a name such as SIGUSR1, or a number.",
        prompt="a name or a number",
    )
    app.push_screen(screen, send)


def _send_signal(app: "ExplorerApp", number: int) -> None:
    try:
        app.session.signal(number)
    except (NotConnected, ValueError) as error:
        app.notify(str(error), title="Not signalled", severity="warning")
    else:
        app.notify(f"Sent {signal_name(number)} to process group {app.model.status.pid}.")


def _notify_no_child(app: "ExplorerApp", title: str) -> None:
    reason = app.model.status.why_unreachable
    if reason is None:
        text = "no child was started yet"
    else:
        text = f"{reason}; {format_key(app, 'app.restart')} starts it again"
    app.notify(f"{format_sentence(text)}.", title=title, severity="warning")


def notify_leftovers(app: "ExplorerApp", audit: Audit) -> None:
    """Say what a run left behind, if anything; while quitting, the log alone says it."""
    if audit.clean or app.controller.phase is SessionPhase.LEAVING:
        return
    text = f"{', '.join(describe_leftovers(audit))}; press {format_key(app, 'app.run')} for details."
    app.notify(text, title=f"Run {audit.run} left something behind", severity="warning", timeout=20)
