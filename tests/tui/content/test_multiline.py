"""A message over lines and in one line."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.session import notation
from tui_ipc.tui.content.multiline import fold, unfold

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=8,
)


@given(value=VALUES)
def test_editing_without_a_change_changes_nothing(value: Any) -> None:
    """What an editor is given and gives back is the same message."""
    text = notation.render(value)
    assert notation.render(notation.parse(fold(unfold(text) + "\n").text)) == text


@given(text=st.text())
def test_whatever_is_edited_comes_back_in_one_line(text: str) -> None:
    """Any text gives a line; it stands for the same value as the text."""
    folded = fold(text).text
    assert "\n" not in folded
    line = text.removesuffix("\n").removesuffix("\r")
    assert notation.render(notation.parse(folded)) == notation.render(notation.parse(line))


@pytest.mark.parametrize(
    ("box", "editor"),
    [
        ('{"op": "add", "args": [1]}', '{\n  "op": "add",\n  "args": [\n    1\n  ]\n}'),
        ('"one\\ntwo"', "one\ntwo"),
        ("plain words", "plain words"),
        ('"42"', '"42"'),
        ('"{\\n}"', '"{\\n}"'),
        ('{1: b"x"}', '{1: b"x"}'),
        ("[]", "[]"),
        ("[1, NaN]", "[\n  1,\n  NaN\n]"),
    ],
)
def test_a_value_is_spread_by_its_structure(box: str, editor: str) -> None:
    """Lists, maps and strings with line ends take lines; what would then mean something else does not."""
    assert unfold(box) == editor


def test_a_faulty_text_is_told_with_its_place() -> None:
    """Several lines that are nearly JSON become a string, and the complaint says where they fail."""
    folded = fold('{\n  "a": 1,\n  "b" 2\n}\n')
    assert notation.parse(folded.text) == '{\n  "a": 1,\n  "b" 2\n}'
    assert folded.complaint == "not JSON: expecting ':' at line 3, column 7"


def test_a_text_of_one_line_stays_as_it_is() -> None:
    """Nothing is quoted or rendered without need."""
    assert fold("{'a':1}\n") == ("{'a':1}", "")
    assert fold("a\r\n") == ("a", "")
    assert fold("") == ("", "")
