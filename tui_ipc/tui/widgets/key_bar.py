"""The line at the bottom: the keys of the current pane, in groups, as many as there is room for.

Textual's own Footer cannot leave keys out where room is short, and has no order of groups; of it, only the
widget of one key is used here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets._footer import FooterKey  # a key of Textual's own footer; it cannot leave keys out

from tui_ipc.tui.keys import PALETTE_ACTION

SESSION: Final = Binding.Group("Session")
CHILD: Final = Binding.Group("Child")
FILES: Final = Binding.Group("Files")
VIEW: Final = Binding.Group("View")

GROUP_ORDER: Final = (None, SESSION, CHILD, FILES, VIEW)
"""The order of the groups; keys of the focused pane have none. If room is short the last gives way first."""

ROOMY_COLUMNS: Final = 100
"""The least number of columns at which the keys are further apart."""


def group_rank(binding: Binding) -> int:
    """Return the position of a binding's group in :data:`GROUP_ORDER`."""
    return GROUP_ORDER.index(binding.group) if binding.group in GROUP_ORDER else 0


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key in the line.

    Attributes:
        key: The key as it is written.
        binding: Its binding.
        enabled: Whether it works now.
    """

    key: str
    binding: Binding
    enabled: bool

    @property
    def group_rank(self) -> int:
        """The position of its group."""
        return group_rank(self.binding)

    def width(self, *, roomy: bool) -> int:
        """Return how many cells it takes."""
        return cell_len(self.key) + cell_len(self.binding.description) + (3 if roomy else 2)


@dataclass(frozen=True, slots=True)
class KeySlot:
    """A key as the line shows it.

    Attributes:
        entry: The key.
        classes: Its classes for the style sheet.
        roomy: Whether the keys are further apart.
    """

    entry: KeyEntry
    classes: str
    roomy: bool


def fit_entries(entries: Sequence[KeyEntry], room: int, *, roomy: bool) -> list[KeyEntry]:
    """Return the entries that fit, by group; where room is short, the last of the last group goes first."""
    kept = sorted(entries, key=lambda entry: entry.group_rank)
    while kept and _total_width(kept, roomy=roomy) > room:
        kept.pop()
    return kept


def _total_width(entries: Sequence[KeyEntry], *, roomy: bool) -> int:
    edges = len({entry.group_rank for entry in entries}) - 1
    return sum(entry.width(roomy=roomy) for entry in entries) + max(0, edges)


class KeyBar(Horizontal):
    """Shows the keys that work, and presses a clicked one."""

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._shown: tuple[KeySlot, ...] = ()
        self._room = 0

    def compose(self) -> ComposeResult:
        """Make a widget for each key that is shown."""
        for slot in self._shown:
            yield _make_key_widget(slot)

    def _list_slots(self) -> Iterable[KeySlot]:
        """Return the palette's key, and each key for which there is room."""
        active = self.screen.active_bindings
        palette = next((each for each in active.values() if each.binding.action == PALETTE_ACTION), None)
        room = self.app.size.width
        roomy = room >= ROOMY_COLUMNS
        if palette is not None:
            last = KeyEntry(self.app.get_key_display(palette.binding), palette.binding, palette.enabled)
            room -= last.width(roomy=roomy) + 1
            yield KeySlot(last, "-palette", roomy)
        # Of several keys for one action, the first stays: a later entry of a dict replaces an earlier one.
        shown = {each.binding.action: each for each in reversed(active.values()) if each.binding.show}
        entries = [
            KeyEntry(self.app.get_key_display(each.binding), each.binding, each.enabled)
            for each in reversed(shown.values())
        ]
        latest = -1
        for entry in fit_entries(entries, room, roomy=roomy):
            begins = latest not in (-1, entry.group_rank)
            latest = entry.group_rank
            yield KeySlot(entry, "-begins" if begins else "", roomy)

    def on_mount(self) -> None:
        """Subscribe to changes of the keys."""
        self.screen.bindings_updated_signal.subscribe(self, self._follow)

    def on_unmount(self) -> None:
        """Unsubscribe."""
        self.screen.bindings_updated_signal.unsubscribe(self)

    def on_resize(self, event: events.Resize) -> None:
        """Fit the keys to the new width."""
        if event.size.width != self._room:
            self._room = event.size.width
            self.call_after_refresh(self._renew)

    def _follow(self, screen: Screen[object]) -> None:
        if self.app.app_focus and self.is_attached and screen is self.screen:
            self.call_after_refresh(self._renew)

    async def _renew(self) -> None:
        """Show the current keys."""
        # Textual signals far more often than keys change, so we compare before anything is made again.
        slots = tuple(self._list_slots())
        if slots != self._shown:
            self._shown = slots
            await self.recompose()


def _make_key_widget(slot: KeySlot) -> FooterKey:
    binding = slot.entry.binding
    widget = FooterKey(
        binding.key,
        slot.entry.key,
        binding.description,
        binding.action,
        disabled=not slot.entry.enabled,
        tooltip=binding.tooltip or binding.description,
        classes=slot.classes,
    )
    widget.set_reactive(FooterKey.compact, not slot.roomy)
    widget.set_class(not slot.roomy, "-compact")
    return widget
