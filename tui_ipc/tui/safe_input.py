"""One line in which a person types, and into which nothing can be pasted that would steer the terminal."""

from textual import events
from textual.geometry import Size
from textual.reactive import Reactive
from textual.widgets import Input

from tui_ipc.tui.sanitize import visible


class SafeInput(Input):
    """An input that shows control characters as symbols, and takes keys in their order."""

    virtual_size: Reactive[Size] = Reactive(Size(0, 0))
    """As every input has it, but no key lays out the screen anew: nothing depends on how long the text is."""

    def validate_value(self, value: str) -> str:
        """Keep out of the line, and so off the terminal, what cannot be shown."""
        return visible(value)

    async def _on_key(self, event: events.Key) -> None:
        """Do what a key of ours, or of what the input stands in, is bound to in its turn.

        Textual inserts what can be printed right here, but sends any other key on a way round through the
        app. So of keys that arrive together, Ctrl+U and Enter would act after the text that follows them.
        """
        if event.is_printable:
            return  # Textual calls the base class's handler as well
        for node, bindings in self.screen._modal_binding_chain:  # nobody else tells what comes after a skip
            if node is self.app:
                return
            for binding in bindings.key_to_bindings.get(event.key, ()):
                if await self.app.run_action(binding.action, node):
                    event.stop()
                    return
