"""A view of lines that keep coming: it follows their end until the user scrolls up, and then holds still."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui_ipc.text.units import format_count
from tui_ipc.tui.widgets.line_view import LineView

SHIFT_CELLS = 8
"""By how many cells ← and → shift the lines."""


class TailView(LineView):
    """A :class:`LineView` that follows its end.

    While it does not follow, lines that arrive do not move what is on the screen, not even when the ring
    forgets its oldest; a mark at the border counts them.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "end",
            "follow",
            "Follow",
            show=False,
            id="view.follow",
            tooltip="Go to the newest line, and follow it as more arrive",
        ),
        Binding("left", "shift(-1)", "Shift left", show=False, id="view.left"),
        Binding("right", "shift(1)", "Shift right", show=False, id="view.right"),
        Binding("home", "scroll_home", "First line", show=False, id="view.home"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="view.pageup"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="view.pagedown"),
    ]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._follows = True
        self._known_first = 0
        self._version: object = None
        self._seen = 0
        self._shown_new_count = 0

    @property
    def follows(self) -> bool:
        """True while the newest line is kept in view."""
        return self._follows

    @property
    def new_count(self) -> int:
        """How many lines came after the view stopped following, and are below what is shown."""
        if self._follows:
            return 0
        below = self.end - self.first - self.scroll_offset.y - self.size.height
        return max(0, min(self.end - self._seen, below))

    def can_follow(self) -> bool:
        """Return whether to follow once the end is in view; a subclass may have a reason to hold still."""
        return True

    def follow_source(self) -> None:
        """Show lines that came or went; does nothing if none did."""
        version = self.version()
        if version != self._version:
            self._version = version
            self.sync()

    def renumber(self) -> None:
        """Start over after the lines were given other indexes."""
        self._known_first = self.first
        self._version = None
        self._seen = self.end

    def version(self) -> object:
        """Return a value that differs whenever the lines do."""
        return self.first, self.end

    def sync(self) -> None:
        """Show the lines after they, or the room for them, have changed."""
        forgotten, self._known_first = self.first - self._known_first, self.first
        if forgotten and not self._follows:
            # Before fit(), which clamps the scroll position to fewer lines and would move the view.
            self.go_to(self.scroll_y - forgotten)
        self.fit()
        if self._follows:
            self.go_to(self.max_scroll_y)
        self._show_new_count()
        self.refresh_rows()

    def go_to(self, row: float) -> None:
        """Scroll to make a row the topmost, as far as there are rows."""
        self.scroll_to(y=max(0, min(row, self.max_scroll_y)), animate=False, force=True)

    def show_row(self, row: int) -> None:
        """Scroll as little as needed to bring a row into view."""
        top = self.scroll_offset.y
        if row < top:
            self.go_to(row)
        elif row >= top + self.size.height:
            self.go_to(row - self.size.height + 1)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Stop following when the user scrolls away from the end, and follow again at the end."""
        super().watch_scroll_y(old_value, new_value)
        follows = round(new_value) >= self.max_scroll_y and self.can_follow()
        if follows != self._follows:
            self.set_follows(follows)
        self._show_new_count()

    def set_follows(self, follows: bool) -> None:
        """Follow the end, or hold still, from now on."""
        self._follows = follows
        self._seen = self.end

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.set_follows(True)
        self.sync()

    def action_shift(self, direction: int) -> None:
        """Shift cropped lines to show what is further right (1) or left (-1)."""
        self.shift = max(0, self.shift + direction * SHIFT_CELLS)

    def action_page(self, direction: int) -> None:
        """Scroll by what fits on the screen."""
        self.go_to(self.scroll_y + direction * max(1, self.size.height - 1))

    def action_scroll_home(self) -> None:
        """Go to the oldest line that is held."""
        self.go_to(0)

    def action_scroll_up(self) -> None:
        """Scroll up by a line."""
        self.go_to(self.scroll_y - 1)

    def action_scroll_down(self) -> None:
        """Scroll down by a line."""
        self.go_to(self.scroll_y + 1)

    def _show_new_count(self) -> None:
        new = self.new_count
        if new != self._shown_new_count:
            self._shown_new_count = new
            self.border_subtitle = f"{format_count(new)} new ↓ End" if new else None
