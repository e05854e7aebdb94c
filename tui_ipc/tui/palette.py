"""What the command palette offers: every binding that explains itself, found where it is written.

The one rule: an action that several panes have is done in the one that has the focus, else in the first.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode

from tui_ipc.tui.views.key_bar import PALETTE


def commands(app: App[Any], nodes: Sequence[DOMNode]) -> Iterable[SystemCommand]:
    """One command for each action of some nodes whose binding has a tooltip.

    A subclass that writes a binding anew, under the same id, speaks for it; without a tooltip it hides it.
    """
    offered: dict[str, tuple[Binding, list[DOMNode]]] = {}
    for node in nodes:
        for binding in _bindings(node):
            if binding.tooltip and _is_there(app, binding):
                offered.setdefault(binding.action, (binding, []))[1].append(node)
    for binding, places in offered.values():
        yield SystemCommand(binding.description, binding.tooltip, _runner(app, binding.action, places))


def _is_there(app: App[Any], binding: Binding) -> bool:
    """Whether the app has the action of one of its bindings, now; opening the palette is no use in it."""
    return binding.action != PALETTE and app.check_action(binding.action, ()) is not False


def _bindings(node: DOMNode) -> Iterable[Binding]:
    """The bindings of a node's class and of its bases, as they are written; the first of an id counts."""
    seen: set[str | None] = set()
    for kind in type(node).__mro__:
        for binding in vars(kind).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id not in seen:
                seen.add(binding.id)
                yield binding


def _runner(app: App[Any], action: str, places: Sequence[DOMNode]) -> Any:
    async def run() -> None:
        focused = app.screen_stack[0].focused
        chain = () if focused is None else focused.ancestors_with_self
        node = next((place for place in places if place in chain and place is not app), places[0])
        await app.run_action(action, node)

    return run
