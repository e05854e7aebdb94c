"""Trees of values, as the inspector shows them."""

from typing import Any

from tui_ipc.tui.model.tree_model import TreeModel


def open_whole_tree(value: Any, width: int = 200) -> TreeModel:
    """A value of which everything is open."""
    outline = TreeModel(value, width)
    while not outline.open_all(0, len(outline.rows) + 1000):
        pass
    return outline
