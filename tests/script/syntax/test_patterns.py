"""What can be asked of a pattern."""

from typing import Any

from hypothesis import given, settings

from tests.script.examples import patterns
from tui_ipc.ipc.wire import NESTING_LIMIT, encode
from tui_ipc.script.syntax.patterns import ANYTHING, REST, Captured, Matching, filled, holes, names

A, B = Captured("a"), Captured("b")


def deep(innermost: Any) -> Any:
    value = innermost
    for _ in range(NESTING_LIMIT):
        value = [value]
    return value


def test_holes_are_found_in_the_order_of_the_text() -> None:
    """A person reads from the left."""
    pattern = [B, {"x": (A, REST), "y": Matching("/"), REST: REST}, B]
    assert list(holes(pattern)) == [B, A, REST, Matching("/"), REST, B]
    assert list(holes(deep(A))) == [A]
    assert list(holes([1, {"a": "..."}])) == []


def test_names_are_told_once() -> None:
    """Each where it stands first; what captures nothing has none."""
    assert names([B, {"x": A}, B, ANYTHING]) == ("b", "a")
    assert names(deep(A)) == ("a",)
    assert names({"a": REST}) == ()


def test_holes_are_filled() -> None:
    """Each by what it is said to stand for; no further entries are made up."""
    pattern = {"x": [A, (Matching("m"), 1)], REST: REST, "y": REST}
    assert filled(pattern, lambda hole: hole == A) == {"x": [True, [False, 1]], "y": False}
    assert pattern == {"x": [A, (Matching("m"), 1)], REST: REST, "y": REST}
    assert list(holes(filled(deep(A), lambda _: 1))) == []
    assert filled(A, lambda _: 1) == 1


def test_what_has_no_holes_is_itself() -> None:
    """Nothing is copied for nothing."""
    value = {"h": [1, (2,)]}
    assert filled(value, lambda _: None) is value


@settings(deadline=None)
@given(patterns)
def test_a_filled_pattern_is_a_message(pattern: Any) -> None:
    """No hole is left that could not be sent."""
    encode(filled(pattern, lambda _: None))
