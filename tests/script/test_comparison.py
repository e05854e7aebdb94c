"""When two values are the same message."""

from datetime import UTC, datetime, timedelta, timezone
from math import nan
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.script.comparison import same
from tui_ipc.session.notation import parse, render

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def deep(innermost: Any) -> Any:
    value = innermost
    for _ in range(NESTING_LIMIT):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1),
        ("a", "a"),
        (None, None),
        (nan, nan),
        ([1, [2]], (1, (2,))),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}),
        ({(1, 2): "x", nan: 1}, {nan: 1, (1, 2): "x"}),
        (NOON, NOON.astimezone(timezone(timedelta(hours=5)))),
        (deep(1), deep(1)),
    ],
)
def test_the_same(one: Any, other: Any) -> None:
    """Equal on the wire, whichever way round they are compared."""
    assert same(one, other)
    assert same(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (0, False),
        (1, 1.0),
        ("a", b"a"),
        ("1", 1),
        (None, False),
        ([], {}),
        ([1], 1),
        ([1, 2], [2, 1]),
        ([1], [1, 1]),
        ([[True]], [[1]]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, {"b": 1}),
        ({1: "x"}, {True: "x"}),
        ({"1": "x"}, {1: "x"}),
        (NOON, NOON + timedelta(microseconds=1)),
        (NOON, "2026-11-24T12:00:00Z"),
        (deep(1), deep(True)),
    ],
)
def test_not_the_same(one: Any, other: Any) -> None:
    """Python would take some of these for equal."""
    assert not same(one, other)
    assert not same(other, one)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.floats(-1, 1)
    | st.text(max_size=2)
    | st.binary(max_size=2)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=1) | st.integers(0, 1), inner, max_size=3)
    ),
    max_leaves=5,
)


@given(values)
def test_a_value_is_what_its_text_says(value: Any) -> None:
    """A message saved in a script is expected as it came."""
    assert same(parse(render(value)), value)


@given(scalars, scalars)
def test_scalars_differ_as_their_texts_do(one: Any, other: Any) -> None:
    """What a person sees as different is different, but for the sign of a zero."""
    if one != 0 or other != 0:
        assert same(one, other) == (render(one) == render(other))
