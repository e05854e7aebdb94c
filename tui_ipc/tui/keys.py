"""Keys as they are bound now, which the user's settings may have changed: how one is called, what it does."""

import importlib
import pkgutil
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.events import Key
from textual.keys import KEY_NAME_REPLACEMENTS, Keys
from textual.widget import Widget

import tui_ipc.tui
from tui_ipc.tui.settings import suggest_name
from tui_ipc.tui.widgets.key_bar import PALETTE_ACTION


def format_key(node: DOMNode, name: str) -> str:
    """How the first key of a binding is written; empty if a node has no such binding.

    Args:
        node: A widget, screen or app that has the binding.
        name: The binding's id.
    """
    for kind in type(node).__mro__:
        for binding in vars(kind).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id == name:
                return _format_binding(node, binding)
    return ""


def _format_binding(node: DOMNode, binding: Binding) -> str:
    keys = node.app._keymap.get(binding.id or "")  # Textual tells it to the footer alone
    own = binding if keys is None else binding.with_key(keys, key_display=None)
    first = next(iter(Binding.make_bindings([own])), own)
    return node.app.get_key_display(first)


async def dispatch_key(widget: Widget, event: Key) -> None:
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


_MODIFIERS: Final = frozenset(("ctrl", "shift", "alt", "super", "hyper", "meta"))
_KEY_NAMES: Final = frozenset(KEY_NAME_REPLACEMENTS.values()).union(
    key.value.rpartition("+")[2] for key in Keys
)


def collect_bindings() -> dict[str, Binding]:
    """Every binding of ours by its id. Imports every module of the explorer: ask only if keys were bound."""
    for module in pkgutil.walk_packages(tui_ipc.tui.__path__, f"{tui_ipc.tui.__name__}."):
        importlib.import_module(module.name)
    found: dict[str, Binding] = {}
    for kind in _iterate_subclasses(DOMNode):
        if kind.__module__.startswith(tui_ipc.tui.__name__):
            for binding in vars(kind).get("BINDINGS", ()):
                if isinstance(binding, Binding) and binding.id:
                    found.setdefault(binding.id, binding)
    return found


def _iterate_subclasses(base: type[Any]) -> Iterable[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _iterate_subclasses(kind)


def check_keys(keys: Mapping[str, str], bindings: Mapping[str, Binding]) -> tuple[dict[str, str], list[str]]:
    """What of the user's keys can be used, and a sentence for each that cannot.

    Args:
        keys: Keys by ids; several for one id have commas between them.
        bindings: Those that there are, by their ids.
    """
    usable: dict[str, str] = {}
    problems = []
    for name, text in keys.items():
        wrong = [key for key in text.split(",") if not is_key(key.strip())]
        if name not in bindings:
            problems.append(
                f"There is nothing called {name!r} that a key could do{suggest_name(name, bindings)}"
            )
        elif wrong:
            example = "f12, ctrl+t and question_mark are some"
            problems.append(f"{wrong[0].strip()!r} is no key, so {name!r} keeps its own; {example}.")
        else:
            usable[name] = ",".join(key.strip() for key in text.split(","))
    return usable, [*problems, *_find_clashes(usable, bindings)]


def is_key(text: str) -> bool:
    """Whether Textual can hear of a key of that name."""
    *modifiers, name = text.split("+") if text != "+" else [text]
    if not name or not _MODIFIERS.issuperset(modifiers):
        return False
    if len(name) == 1:
        return name.isprintable() and not name.isspace()
    if name in _KEY_NAMES:
        return True
    try:
        unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return False
    return True


def _find_clashes(usable: Mapping[str, str], bindings: Mapping[str, Binding]) -> Iterable[str]:
    """Keys that would do two things in one place."""
    taken = {name: usable.get(name, binding.key).split(",") for name, binding in bindings.items()}
    for name, keys in usable.items():
        place = name.partition(".")[0]
        for other, others in taken.items():
            if other == name or other.partition(".")[0] != place:
                continue
            if (shared := set(keys.split(",")) & set(others)) and (other not in usable or other > name):
                key = min(shared)
                yield f"The key {key} is bound to {name!r} and to {other!r}; give one of them another."


def list_commands(app: App[Any], nodes: Sequence[DOMNode]) -> Iterable[SystemCommand]:
    """One command for each action of some nodes whose binding has a tooltip.

    A subclass that writes a binding anew, under the same id, speaks for it; without a tooltip it hides it.
    """
    offered: dict[str, tuple[Binding, list[DOMNode]]] = {}
    for node in nodes:
        for binding in _iterate_bindings(node):
            if binding.tooltip and _is_available(app, binding):
                offered.setdefault(binding.action, (binding, []))[1].append(node)
    for binding, places in offered.values():
        yield SystemCommand(binding.description, binding.tooltip, _make_runner(app, binding.action, places))


def _is_available(app: App[Any], binding: Binding) -> bool:
    """Whether the app has the action of one of its bindings, now; opening the palette is no use in it."""
    return binding.action != PALETTE_ACTION and app.check_action(binding.action, ()) is not False


def _iterate_bindings(node: DOMNode) -> Iterable[Binding]:
    """The bindings of a node's class and of its bases, as they are written; the first of an id counts."""
    seen: set[str | None] = set()
    for kind in type(node).__mro__:
        for binding in vars(kind).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id not in seen:
                seen.add(binding.id)
                yield binding


def _make_runner(app: App[Any], action: str, places: Sequence[DOMNode]) -> Any:
    async def run() -> None:
        focused = app.screen_stack[0].focused
        chain = () if focused is None else focused.ancestors_with_self
        node = next((place for place in places if place in chain and place is not app), places[0])
        await app.run_action(action, node)

    return run
