"""Keys and bindings: how a bound key is written, which action it runs, and which keys a user may bind."""

import importlib
import pkgutil
import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

import tui_ipc.tui
from tui_ipc.text import suggest_name

PALETTE_ACTION: Final = "command_palette"
"""The action that opens the command palette."""


def iterate_bindings(kinds: Iterable[type[Any]]) -> Iterator[Binding]:
    """The bindings with an id, as these classes write them; of each id the first."""
    seen: set[str] = set()
    for kind in kinds:
        for binding in vars(kind).get("BINDINGS", ()):
            if isinstance(binding, Binding) and binding.id and binding.id not in seen:
                seen.add(binding.id)
                yield binding


def format_key(node: DOMNode, name: str) -> str:
    """The first key of a binding as the user sees it; empty if the node has no such binding.

    Args:
        node: A widget, screen or app that has the binding.
        name: The binding's id.
    """
    bindings = iterate_bindings(type(node).__mro__)
    return next((_format_binding(node, binding) for binding in bindings if binding.id == name), "")


def _format_binding(node: DOMNode, binding: Binding) -> str:
    keys = node.app._keymap.get(
        binding.id or ""
    )  # private: Textual shows the keymap's keys in its footer only
    rebound = binding if keys is None else binding.with_key(keys, key_display=None)
    first = next(iter(Binding.make_bindings([rebound])), rebound)
    return node.app.get_key_display(first)


_MODIFIERS: Final = frozenset(("ctrl", "shift", "alt", "super", "hyper", "meta"))
_KEY_NAMES: Final = frozenset(KEY_NAME_REPLACEMENTS.values()).union(
    key.value.rpartition("+")[2] for key in Keys
)


def collect_bindings() -> dict[str, Binding]:
    """Return every binding of ours by its id.

    This imports every module of the explorer, so call it only if the user bound keys.
    """
    for module in pkgutil.walk_packages(tui_ipc.tui.__path__, f"{tui_ipc.tui.__name__}."):
        importlib.import_module(module.name)
    ours = (kind for kind in _iterate_subclasses(DOMNode) if kind.__module__.startswith(tui_ipc.tui.__name__))
    return {binding.id: binding for binding in iterate_bindings(ours) if binding.id}


def _iterate_subclasses(base: type[Any]) -> Iterator[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _iterate_subclasses(kind)


def check_keys(keys: Mapping[str, str], bindings: Mapping[str, Binding]) -> tuple[dict[str, str], list[str]]:
    """Split the user's keys into the usable ones and a sentence about each of the others.

    Args:
        keys: Keys by binding id; several for one id are separated by commas.
        bindings: Every binding, by id.
    """
    usable: dict[str, str] = {}
    problems = []
    for name, text in keys.items():
        invalid = [key for key in text.split(",") if not is_key(key.strip())]
        if name not in bindings:
            problems.append(f"Unknown action {name!r} to bind a key to{suggest_name(name, bindings) or '.'}")
        elif invalid:
            problems.append(
                f"{invalid[0].strip()!r} is not a key, so {name!r} keeps its own; "
                "try f12, ctrl+t or question_mark."
            )
        else:
            usable[name] = ",".join(key.strip() for key in text.split(","))
    return usable, [*problems, *_describe_clashes(usable, bindings)]


def is_key(text: str) -> bool:
    """Whether Textual has a key of this name."""
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


def _describe_clashes(usable: Mapping[str, str], bindings: Mapping[str, Binding]) -> Iterator[str]:
    """A sentence about each key that would have two actions in one pane, which an id's first word names."""
    taken = {name: usable.get(name, binding.key).split(",") for name, binding in bindings.items()}
    for name, keys in usable.items():
        pane = name.partition(".")[0]
        for other, others in taken.items():
            if other == name or other.partition(".")[0] != pane:
                continue
            # Of two bindings that the user changed, the clash is reported once.
            if (shared := set(keys.split(",")) & set(others)) and (other not in usable or other > name):
                key = min(shared)
                yield f"The key {key} is bound to {name!r} and to {other!r}; give one of them another."


def list_commands(app: App[Any], nodes: Sequence[DOMNode]) -> Iterator[SystemCommand]:
    """Make a command of the palette for each action of these nodes whose binding has a tooltip.

    A subclass that repeats a binding under the same id replaces it; without a tooltip it hides the action.
    """
    offered: dict[str, tuple[Binding, list[DOMNode]]] = {}
    for node in nodes:
        for binding in iterate_bindings(type(node).__mro__):
            if binding.tooltip and _is_available(app, binding):
                offered.setdefault(binding.action, (binding, []))[1].append(node)
    for binding, owners in offered.values():
        yield SystemCommand(binding.description, binding.tooltip, _make_runner(app, binding.action, owners))


def _is_available(app: App[Any], binding: Binding) -> bool:
    if binding.action == PALETTE_ACTION:  # the palette is open when this is asked
        return False
    return app.check_action(binding.action, ()) is not False


def _make_runner(app: App[Any], action: str, owners: Sequence[DOMNode]) -> Callable[[], Awaitable[None]]:
    """Return a function that runs an action in the pane that was left for the palette, else in the first."""

    async def run() -> None:
        focused = app.screen_stack[0].focused
        chain = () if focused is None else focused.ancestors_with_self
        node = next((owner for owner in owners if owner in chain and owner is not app), owners[0])
        await app.run_action(action, node)

    return run
