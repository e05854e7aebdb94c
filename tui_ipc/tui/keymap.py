"""Keys that the user bound anew: which of them can be meant, and what is wrong with the others.

The one rule: a binding of ours that bears an id can be given another key, and nothing else can.
"""

import importlib
import pkgutil
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Final

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import KEY_NAME_REPLACEMENTS, Keys

import tui_ipc.tui
from tui_ipc.tui.content.settings import meant

_MODIFIERS: Final = frozenset(("ctrl", "shift", "alt", "super", "hyper", "meta"))
_NAMES: Final = frozenset(KEY_NAME_REPLACEMENTS.values()).union(key.value.rpartition("+")[2] for key in Keys)


def known() -> dict[str, Binding]:
    """Every binding of ours by its id. Imports every module of the explorer: ask only if keys were bound."""
    for module in pkgutil.walk_packages(tui_ipc.tui.__path__, f"{tui_ipc.tui.__name__}."):
        importlib.import_module(module.name)
    found: dict[str, Binding] = {}
    for kind in _kinds(DOMNode):
        if kind.__module__.startswith(tui_ipc.tui.__name__):
            for binding in vars(kind).get("BINDINGS", ()):
                if isinstance(binding, Binding) and binding.id:
                    found.setdefault(binding.id, binding)
    return found


def _kinds(base: type[Any]) -> Iterable[type[Any]]:
    for kind in base.__subclasses__():
        yield kind
        yield from _kinds(kind)


def checked(keys: Mapping[str, str], bindings: Mapping[str, Binding]) -> tuple[dict[str, str], list[str]]:
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
            problems.append(f"There is nothing called {name!r} that a key could do{meant(name, bindings)}")
        elif wrong:
            example = "f12, ctrl+t and question_mark are some"
            problems.append(f"{wrong[0].strip()!r} is no key, so {name!r} keeps its own; {example}.")
        else:
            usable[name] = ",".join(key.strip() for key in text.split(","))
    return usable, [*problems, *_clashes(usable, bindings)]


def is_key(text: str) -> bool:
    """Whether Textual can hear of a key of that name."""
    *modifiers, name = text.split("+") if text != "+" else [text]
    if not name or not _MODIFIERS.issuperset(modifiers):
        return False
    if len(name) == 1:
        return name.isprintable() and not name.isspace()
    if name in _NAMES:
        return True
    try:
        unicodedata.lookup(name.replace("_", " ").upper())
    except KeyError:
        return False
    return True


def _clashes(usable: Mapping[str, str], bindings: Mapping[str, Binding]) -> Iterable[str]:
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
