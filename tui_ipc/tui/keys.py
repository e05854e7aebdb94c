"""How a key is called in a hint: as it is bound now, which the user's settings may have changed."""

from textual.binding import Binding
from textual.dom import DOMNode


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
