"""The examples in the docstrings do what they say."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["channel", "oneshot", "parent", "receiver_set", "shared_memory"])
def test_the_examples_of_a_module_run(module: str) -> None:
    """Each example of a docstring, run as it stands, gives what it shows; and there is one."""
    failed, attempted = doctest.testmod(importlib.import_module(f"tui_ipc.ipc.{module}"))
    assert attempted
    assert not failed
