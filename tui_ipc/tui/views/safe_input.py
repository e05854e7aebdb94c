"""One line in which a person types, and into which nothing can be pasted that would steer the terminal."""

from textual import events
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

from tui_ipc.tui.content.sanitize import visible
from tui_ipc.tui.keys import act_in_turn


class SafeInput(Input):
    """An input that shows control characters as symbols, and takes keys in their order."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """As every input has it, but no key lays out the screen anew: nothing depends on how long the text is."""

    def validate_value(self, value: str) -> str:
        """Keep out of the line, and so off the terminal, what cannot be shown."""
        return visible(value)

    async def _on_key(self, event: events.Key) -> None:
        """Take keys in their order: Textual inserts what can be printed, and leaves the rest for later."""
        if not event.is_printable:  # else Textual calls the base class's handler as well
            await act_in_turn(self, event)
