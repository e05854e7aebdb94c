"""What can be asked of a pattern."""

from typing import Any

from hypothesis import given, settings

from tests.support.script_strategies import patterns
from tui_ipc.ipc.wire import NESTING_LIMIT, encode
from tui_ipc.text.placeholders import (
    ANY_REST,
    ANY_VALUE,
    Capture,
    Regex,
    iter_placeholders,
    list_captured_names,
    replace_placeholders,
)

A, B = Capture("a"), Capture("b")


def deep(innermost: Any) -> Any:
    value = innermost
    for _ in range(NESTING_LIMIT):
        value = [value]
    return value


def test_holes_are_found_in_the_order_of_the_text() -> None:
    """A person reads from the left."""
    pattern = [B, {"x": (A, ANY_REST), "y": Regex("/"), ANY_REST: ANY_REST}, B]
    assert list(iter_placeholders(pattern)) == [B, A, ANY_REST, Regex("/"), ANY_REST, B]
    assert list(iter_placeholders(deep(A))) == [A]
    assert list(iter_placeholders([1, {"a": "..."}])) == []


def test_names_are_told_once() -> None:
    """Each where it stands first; what captures nothing has none."""
    assert list_captured_names([B, {"x": A}, B, ANY_VALUE]) == ("b", "a")
    assert list_captured_names(deep(A)) == ("a",)
    assert list_captured_names({"a": ANY_REST}) == ()


def test_holes_are_filled() -> None:
    """Each by what it is said to stand for; no further entries are made up."""
    pattern = {"x": [A, (Regex("m"), 1)], ANY_REST: ANY_REST, "y": ANY_REST}
    assert replace_placeholders(pattern, lambda hole: hole == A) == {"x": [True, [False, 1]], "y": False}
    assert pattern == {"x": [A, (Regex("m"), 1)], ANY_REST: ANY_REST, "y": ANY_REST}
    assert list(iter_placeholders(replace_placeholders(deep(A), lambda _: 1))) == []
    assert replace_placeholders(A, lambda _: 1) == 1


def test_what_has_no_holes_is_itself() -> None:
    """Nothing is copied for nothing."""
    value = {"h": [1, (2,)]}
    assert replace_placeholders(value, lambda _: None) is value


@settings(deadline=None)
@given(patterns)
def test_a_filled_pattern_is_a_message(pattern: Any) -> None:
    """No hole is left that could not be sent."""
    encode(replace_placeholders(pattern, lambda _: None))
