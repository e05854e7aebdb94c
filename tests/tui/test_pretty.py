"""A value laid out over lines."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.tui.test_sanitize import is_safe
from tui_ipc.session import notation
from tui_ipc.tui.pretty import LINES, pretty
from tui_ipc.tui.sanitize import visible

# Variation selectors are printable, says Unicode, and so the notation leaves them; the sanitiser does not.
TEXTS = st.text().filter(lambda text: visible(notation.render(text)) == notation.render(text))
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | TEXTS | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS | st.integers(-99, 99), inner),
    max_leaves=20,
)


def texts(value: Any) -> list[str]:
    """The lines without their looks."""
    return [line.text for line in pretty(value)]


@given(value=VALUES)
def test_what_is_read_can_be_typed(value: Any) -> None:
    """Put on one line, the layout is the value in the notation; and it is safe to show."""
    lines = texts(value)
    assert notation.parse(" ".join(line.strip() for line in lines)) == value
    assert all(is_safe(character) for line in lines for character in line)


def test_what_is_short_stays_on_its_line() -> None:
    """Only what does not fit is spread, and what is inside it is judged again."""
    value = {"op": "add", "args": [1, 2, 3], "note": "a string that is too long for one line"}
    assert texts(value) == [
        "{",
        '  "op": "add",',
        '  "args": [1, 2, 3],',
        '  "note": "a string that is too long for one line"',
        "}",
    ]
    assert texts([1, 2]) == ["[1, 2]"]
    assert texts(({"a": "x" * 50},)) == ["(", "  {", f'    "a": "{"x" * 50}"', "  },", ")"]


def test_large_values_are_cut() -> None:
    """A list of a million is laid out as far as anyone reads, and says so."""
    lines = texts(list(range(1_000_000)))
    assert len(lines) == LINES + 1
    assert "left out" in lines[-1]


def test_deep_values_do_not_overflow() -> None:
    """A value nested deeper than the interpreter's stack is laid out."""
    value: Any = "x" * 60
    for _ in range(1_500):
        value = [value]
    assert len(texts(value)) == LINES + 1
