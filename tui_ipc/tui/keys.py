"""Keys as they are bound now, which the user's settings may have changed: how one is called, what it does."""

from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Key
from textual.widget import Widget


def key_of(node: DOMNode, name: str) -> str:
    """How the first key of a binding is written; empty if a node has no such binding.

    Args:
        node: A widget, screen or app that has the binding.
        name: The binding's id.
    """
    for kind in type(node).__mro__:
        for binding in vars(kind).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id == name:
                return _written(node, binding)
    return ""


def _written(node: DOMNode, binding: Binding) -> str:
    keys = node.app._keymap.get(binding.id or "")  # Textual tells it to the footer alone
    own = binding if keys is None else binding.with_key(keys, key_display=None)
    first = next(iter(Binding.make_bindings([own])), own)
    return node.app.get_key_display(first)


async def act_in_turn(widget: Widget, event: Key) -> None:
    """Do what a key is bound to, in the widget that has the focus or in what that stands in.

    Textual sends every key on a way round through the app first. Of keys that arrive together, the later
    ones would be somewhere else before the first has acted. What the app does still goes that way, behind
    the messages that tell the app what it is done to.
    """
    for node, bindings in widget.screen._modal_binding_chain:  # nothing public tells what comes after a skip
        if node is widget.app:
            return
        for binding in bindings.key_to_bindings.get(event.key, ()):
            if binding.action.startswith("app."):
                return
            if await widget.app.run_action(binding.action, node):
                event.stop()
                return
