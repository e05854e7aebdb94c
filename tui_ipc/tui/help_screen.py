"""F1: what the panes are, how a message is written, and every key that works where you were."""

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

_ABOUT = """\
tui-ipc started the program named at the top as its child, and holds both ends of the talk.
What you type goes to the child; what the child answers or prints appears as it comes."""

_ABOUT_REPLAY = """\
This is a recording: what happened between tui-ipc and the program named at the top.
It is only shown, at the pace at which it happened or at yours; nobody listens and nothing is started."""

_PANES = (
    ("Log", "each step of the handshake, each message, the child's end; → went to the child, ← came from it"),
    ("Inspector", "the newest message, or the line selected in the log: its value, its bytes, what is known"),
    (
        "Child output",
        "what the child prints, live; ▌ marks stderr, symbols such as ␛ stand for control characters",
    ),
)
_MESSAGE = ("Message", "what you say to the child")
_REPLAY = ("Replay", "how many events are shown, and how fast they follow one another")

_NOTATION = (
    ("Hello from parent", "a string: anything that is neither JSON nor a literal"),
    ('{"op": "add", "args": [2, 3]}', "a map: JSON"),
    ("42", "a number"),
    ('"42"', "a string, since JSON says so"),
    (r'b"\x00\xff"', "bytes: a Python literal"),
    ('{1: b"x"}', "a map whose key is a number"),
    ('""', "the empty string; Enter alone sends nothing"),
    ("quit", "ends the child"),
)


@dataclass(frozen=True, slots=True)
class Key:
    """A key that works.

    Attributes:
        key: How it is written on the keyboard.
        title: What it does in a word or two.
        help: What it does in a sentence; may be empty.
    """

    key: str
    title: str
    help: str


class HelpScreen(ModalScreen[None]):
    """Help over the explorer; it goes with Escape or F1.

    Args:
        keys: What works where the user was.
        replay: Whether a recording is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", "Close", key_display="esc", id="help.close"),
    ]

    def __init__(self, keys: Sequence[Key], *, replay: bool = False) -> None:
        super().__init__()
        self.keys = keys
        self._replay = replay

    def compose(self) -> ComposeResult:
        """Make the page."""
        with VerticalScroll(id="help") as page:
            page.border_title = "Help"
            page.border_subtitle = "esc closes"
            yield Static(self._page())

    def _page(self) -> Group:
        keys = [(key.key, f"{key.title}. {key.help}." if key.help else key.title) for key in self.keys]
        if self._replay:
            return Group(
                Text(_ABOUT_REPLAY),
                _section("What you see", (*_PANES, _REPLAY)),
                _section("Keys here", keys),
            )
        return Group(
            Text(_ABOUT),
            _section("What you see", (*_PANES, _MESSAGE)),
            _section("How to write a message", _NOTATION),
            _section("Keys here", keys),
        )


def _section(title: str, rows: Sequence[tuple[str, str]]) -> Group:
    table = Table.grid(Column(no_wrap=True), Column(), padding=(0, 3, 0, 0))
    for name, text in rows:
        table.add_row(Text(name, style="bold"), Text(text))
    return Group(Text(f"\n{title}", style="underline"), table)
