"""Moving between panes, and using the selected message. Actions of the explorer, and their keys."""

from typing import TYPE_CHECKING, Any, Final

from textual.binding import Binding

from tui_ipc.events import MessageReceived, MessageSent
from tui_ipc.text import notation
from tui_ipc.text.safe_text import format_sentence, has_hidden
from tui_ipc.text.units import format_size
from tui_ipc.tui.model.clipboard import CopyFormat
from tui_ipc.tui.widgets.inspector import InspectorTab
from tui_ipc.tui.widgets.key_bar import SESSION, VIEW, group_rank

if TYPE_CHECKING:
    from tui_ipc.tui.app import ExplorerApp

MAX_BOX_CHARS: Final = 1 << 18
"""How long a text may be, in characters, to be edited in the message box."""

BINDINGS: Final[tuple[Binding, ...]] = (
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
        "f2",
        "maximize",
        "Maximize",
        key_display="F2",
        id="app.maximize",
        group=VIEW,
        tooltip="Give the current pane all the room, or show all panes again",
    ),
    Binding(
        "ctrl+l",
        "redraw",
        "Redraw",
        show=False,
        priority=True,
        id="app.redraw",
        group=VIEW,
        tooltip="Draw the whole screen again, if something else wrote to the terminal",
    ),
    Binding(
        "ctrl+z",
        "suspend_process",
        "Suspend",
        show=False,
        priority=True,
        id="app.suspend",
        group=SESSION,
        tooltip="Stop the explorer and go back to the shell; fg continues it, and the child runs on",
    ),
    Binding(
        "ctrl+p",
        "command_palette",
        "Palette",
        show=False,
        priority=True,
        id="app.palette",
        group=VIEW,
        tooltip="Find a command by its name, and run it",
    ),
)


def show_help(app: "ExplorerApp") -> None:
    """Open the help, with the keys that work in the current pane."""
    from tui_ipc.tui.screens.help_screen import HelpScreen, KeyHelp

    bindings = [active.binding for active in app.screen.active_bindings.values() if not active.binding.system]
    explained = sorted((each for each in bindings if each.show or each.tooltip), key=group_rank)
    keys = [
        KeyHelp(app.get_key_display(each), each.description, each.tooltip, each.id or "")
        for each in explained
    ]
    app.push_screen(HelpScreen(list(dict.fromkeys(keys)), replay=app.IS_REPLAY))


def redraw(app: "ExplorerApp") -> None:
    """Draw the whole screen again."""
    app.refresh(layout=True)


def show_palette(app: "ExplorerApp") -> None:
    """Open the palette."""
    from tui_ipc.tui.screens.dialogs import Palette

    if not isinstance(app.screen, Palette):
        app.push_screen(Palette())


def toggle_maximized(app: "ExplorerApp") -> None:
    """Give the pane that has the focus all the room, or show all panes again."""
    screen = app.screen_stack[0]
    if app.output_view.has_focus:
        pane = "output"
    elif app.inspector.has_focus_within:
        pane = "inspector"
    else:
        pane = "log"
    screen.set_class(not screen.has_class("-maximized"), "-maximized")
    for name in ("log", "inspector", "output"):
        screen.set_class(name == pane, f"-{name}")


def focus_bottom_bar(app: "ExplorerApp") -> None:
    """Go to the message box or the replay bar, and show all panes again."""
    _show_all_panes(app)
    app.bottom_bar.take_focus()


def _show_all_panes(app: "ExplorerApp") -> None:
    app.screen_stack[0].remove_class("-maximized", "-inspecting")


def focus_inspector(app: "ExplorerApp") -> None:
    """Go to the inspector; on a narrow screen, show it first."""
    app.screen_stack[0].add_class("-inspecting")
    app.inspector.page.focus()


def show_tab(app: "ExplorerApp", tab: InspectorTab) -> None:
    """Show a tab of the inspector."""
    app.inspector.tab = tab


def copy(app: "ExplorerApp", form: CopyFormat) -> None:
    """Copy the inspected message."""
    app.inspector.action_copy(form)


def go_to_partner(app: "ExplorerApp") -> None:
    """Go to the message that answers the inspected one, or that it answers."""
    app.inspector.action_partner()


def edit_again(app: "ExplorerApp") -> None:
    """Put the inspected message into the message box."""
    event = _inspected_message(app, "Not edited")
    if event is None:
        return
    text = format_for_box(event.value) if len(event.raw) <= MAX_BOX_CHARS else None
    if text is None:
        reason = f"A message of {format_size(len(event.raw))} is too long for the message box"
        notify_refusal(app, "Not edited", f"{reason}; resend it as it is.")
    else:
        _show_all_panes(app)
        app.message_box.edit(text)


def send_again(app: "ExplorerApp") -> None:
    """Send the inspected message once more, as it is."""
    event = _inspected_message(app, "Not sent")
    if isinstance(event, MessageSent):
        app.controller.post("", event.value)
    elif event is not None:
        notify_refusal(
            app, "Not sent", "This message came from the child; only a sent message can be resent."
        )


def write_note(app: "ExplorerApp") -> None:
    """Ask for a line of text about the selected line of the log, and make it an event of the session."""
    if app.IS_REPLAY:
        notify_refusal(
            app, "No note", "A replay does not change its file: notes are written while the session runs."
        )
        return
    from tui_ipc.tui.screens.dialogs import LineScreen

    entry = app.inspector.entry
    about = None if entry is None or entry.held is None else entry.held.at

    def add(text: str | None) -> None:
        if text:
            app.session.add_note(text, about)

    app.push_screen(LineScreen("Note", "Enter adds it · Esc cancels"), add)


def toggle_wall_clock(app: "ExplorerApp") -> None:
    """Show the time of day in the log, or the seconds since the session began."""
    entries = (entry for _, entry in app.model.log.newest_first() if entry.held is not None)
    newest = next(entries, None)
    if not app.wall_clock and newest is not None and newest.time is None:
        refuse_wall_clock(app)
        return
    app.wall_clock = not app.wall_clock
    app.log_view.show_wall_clock(app.wall_clock)


def refuse_wall_clock(app: "ExplorerApp") -> None:
    """Say why the time of day is not known, and show seconds."""
    app.wall_clock = False
    app.log_view.show_wall_clock(False)
    reason = "The recording does not say the time of day of its events"
    notify_refusal(app, "No time of day", f"{reason}: their times are seconds since the session began.")


def _inspected_message(app: "ExplorerApp", title: str) -> MessageSent | MessageReceived | None:
    """The inspected message; if there is none, or no child to send one to, the user is told."""
    event = None if app.inspector.entry is None else app.inspector.entry.event
    if app.IS_REPLAY:
        notify_refusal(app, title, "A recording has no child to send to.")
    elif isinstance(event, MessageSent | MessageReceived):
        return event
    else:
        notify_refusal(app, title, "No message is selected in the log.")
    return None


def notify_refusal(app: "ExplorerApp", title: str, reason: str) -> None:
    """Say why something was not done."""
    app.notify(format_sentence(reason), title=title, severity="error")


def format_for_box(value: Any) -> str | None:
    """Return a value as one would type it, a string without quotes if possible; None if it is too long."""
    if (
        isinstance(value, str)
        and value
        and notation.interpret(value) == (value, None)
        and not has_hidden(value)
    ):
        return value
    text = notation.render_value(value)
    return text if len(text) <= MAX_BOX_CHARS else None
