"""What reads annotations at run time (help, validation, documentation) finds those of every public name."""

import inspect
import re
import typing
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

import tui_ipc
import tui_ipc.aio
import tui_ipc.child

MODULES = (tui_ipc, tui_ipc.aio, tui_ipc.child)


def public_functions() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Functions, and the methods and properties of classes, by their names."""
    for module in MODULES:
        for name in module.__all__:
            item = getattr(module, name)
            members = inspect.getmembers_static(item) if isinstance(item, type) else [("", item)]
            for member, value in members:
                function = getattr(value, "fget", None) or getattr(value, "__func__", value)
                if inspect.isfunction(function) and not re.match("_[^_]", member):
                    yield f"{module.__name__}.{name}.{member}".rstrip("."), function


FUNCTIONS = dict(public_functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_annotations_can_be_read(name: str) -> None:
    """`typing.get_type_hints` and `inspect.signature(eval_str=True)`."""
    function = FUNCTIONS[name]
    hints = typing.get_type_hints(function)
    assert set(hints) == set(function.__annotations__)
    inspect.signature(function, eval_str=True)


@pytest.mark.parametrize("module", MODULES)
def test_signatures_can_be_read(module: ModuleType) -> None:
    """Of functions and classes, errors as well, with their annotations evaluated; and those of attributes."""
    for name in module.__all__:
        inspect.signature(getattr(module, name), eval_str=True)
        typing.get_type_hints(getattr(module, name))


def test_all_of_them_were_looked_at() -> None:
    """Methods and properties too, of both faces."""
    assert {"tui_ipc.channel", "tui_ipc.Sender.send_many", "tui_ipc.Receiver.decode"} <= set(FUNCTIONS)
    assert {"tui_ipc.aio.Sender.send", "tui_ipc.aio.accept", "tui_ipc.SharedMemory.allocate"} <= set(
        FUNCTIONS
    )
