"""F1: the help on the panes, the notation of messages, filters, settings, and the current pane's keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.console import Group
from rich.table import Column, Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.model.search import GRAMMAR
from tui_ipc.tui.settings import settings_path

_ABOUT = """\
tui-ipc started the program named at the top as its child, and is connected to it by a channel.
What you type is sent to the child; its answers and its output are shown as they come."""

_ABOUT_REPLAY = """\
This is a recording of what happened between tui-ipc and the program named at the top.
It is shown at the original speed or at yours. No child is running, so nothing can be sent.
The file is not changed, so notes cannot be written; those that were written are in the log."""

_NAVIGATION = "Tab goes from pane to pane. The line at the bottom shows the keys of the current pane."

_PANES = (
    (
        "Log",
        "each step of the handshake, messages (→ to the child, ← from it; ⧗ waits; #4 answers #4), the end",
    ),
    ("Inspector", "the newest message, or the line selected in the log: value, bytes, facts"),
    ("Child output", "what the child prints, live; ▌ marks stderr, symbols such as ␛ are control characters"),
)
_MESSAGE = ("Message", "what you send to the child")
_REPLAY = (
    "Replay",
    "which event is the last one shown; in the line: ✕ fault or failed step, ? unanswered message, ✎ note",
)

_SETTINGS = "theme, wrap, wall_clock, remember, and [keys], which binds the names shown in grey to other keys"

_NOTATION = (
    ("Hello from parent", "a string: anything that is neither JSON nor a literal"),
    ('{"op": "add", "args": [2, 3]}', "a map: JSON"),
    ("42", "a number"),
    ('"42"', "a string, because of the quotes"),
    (r'b"\x00\xff"', "bytes: a Python literal"),
    ('{1: b"x"}', "a map whose key is a number"),
    ('""', "the empty string; Enter alone sends nothing"),
    ("quit", "ends the child"),
)


@dataclass(frozen=True, slots=True)
class KeyHelp:
    """A key and what it does.

    Attributes:
        key: The key, as it is written on the keyboard.
        title: What it does, in a word or two.
        help: What it does, in a sentence; may be empty.
        name: Its name in the settings.
    """

    key: str
    title: str
    help: str
    name: str = ""


class HelpScreen(ModalScreen[None]):
    """Shows the help; Escape or F1 closes it.

    Args:
        keys: The keys of the pane that the user came from.
        replay: Whether a recording is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", "Close", key_display="esc", id="help.close"),
    ]

    def __init__(self, keys: Sequence[KeyHelp], *, replay: bool = False) -> None:
        super().__init__()
        self.keys = keys
        self._replay = replay

    def compose(self) -> ComposeResult:
        """Make the page."""
        with VerticalScroll(id="help", classes="dialog") as page:
            page.border_title = "Help"
            page.border_subtitle = "Esc closes"
            yield Static(self._page())

    def _page(self) -> Group:
        about, bottom_bar = (_ABOUT_REPLAY, _REPLAY) if self._replay else (_ABOUT, _MESSAGE)
        sections = [_render_section("What you see", (*_PANES, bottom_bar)), _render_keys(self.keys)]
        if not self._replay:
            sections.append(_render_section("How to write a message", _NOTATION))
        sections.append(_render_section("How to filter the log", GRAMMAR))
        settings = settings_path()
        if settings is not None:
            sections.append(_render_section("Settings", [(make_visible(str(settings)), _SETTINGS)]))
        return Group(Text(about), Text(_NAVIGATION), *sections)


def _render_section(title: str, rows: Sequence[tuple[str, str]]) -> Group:
    table = Table.grid(Column(no_wrap=True), Column(), padding=(0, 3, 0, 0))
    for name, text in rows:
        table.add_row(Text(name, style="bold"), Text(text))
    return Group(_render_heading(title), table)


def _render_keys(keys: Sequence[KeyHelp]) -> Group:
    table = Table.grid(Column(no_wrap=True), Column(), padding=(0, 3, 0, 0))
    for key in keys:
        title = key.title if key.title.endswith("?") else f"{key.title}."
        text = f"{title} {key.help}." if key.help else key.title
        table.add_row(Text(key.key, style="bold"), Text.assemble(text, (f"  {key.name}", "dim")))
    return Group(_render_heading("Keys here"), table)


def _render_heading(title: str) -> Text:
    return Text(f"\n{title}", style="underline")
