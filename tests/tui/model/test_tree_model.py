"""A value as rows that open on demand."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import values
from tests.support.tree_models import open_whole_tree
from tests.support.unicode_text import is_safe
from tui_ipc.text import notation
from tui_ipc.text.safe_text import make_visible
from tui_ipc.tui.model.tree_model import (
    CHILD_LIMIT,
    INITIAL_ROWS,
    MIN_TEXT_WIDTH,
    PAGE_LENGTH,
    TreeModel,
    ValueNode,
    render_text,
)

WIDE = 200
HOSTILE = [
    "\x1b[31mred",
    "\u202eabc",
    "a\u0301\u200d",
    "\x9b2J",
    "[/red]",
    "漢字" * 30,
    "\ufe0f\U000e0141" * 30,
    "\x00" * 50,
]


def texts(tree: TreeModel) -> list[str]:
    """The rows without their looks."""
    return [tree.line(index).text for index in range(len(tree.rows))]


def rebuilt(node: ValueNode) -> Any:
    """The value that the rows below a row make."""
    children = node.children
    if children is None or children[0].kind != "value":
        return node.content
    if isinstance(node.value, dict):
        return {child.key: rebuilt(child) for child in children}
    return type(node.value)(rebuilt(child) for child in children)


def test_a_small_value_is_open_and_what_fits_stays_on_its_row() -> None:
    """The outer is opened; a part is too only if it does not fit on a row."""
    value = {
        "op": "add",
        "args": [1, 2.5, None],
        "note": "a string that is too long for its row",
        b"x": {1: True},
    }
    assert texts(TreeModel(value, 40)) == [
        "▾ map, 4 keys",
        '    "op": "add"',
        '  ▸ "args": [1, 2.5, null]',
        '  ▾ "note": string, 37 characters',
        "      a string that is too long for its ",
        "      row",
        '  ▸ b"x": {1: true}',
    ]
    assert texts(TreeModel("Hi", 40)) == ['"Hi"']
    assert texts(TreeModel([], 40)) == ["[]"]
    assert texts(TreeModel([1, (2,)], 40)) == ["▾ array, 2 items", "    0: 1", "  ▸ 1: (2,)"]


@given(value=values, width=st.integers(0, 100))
def test_all_of_a_value_is_in_its_rows(value: Any, width: int) -> None:
    """Opened to the last, the rows are the value again; all are safe to show, and each knows its place."""
    tree = open_whole_tree(value, width)
    assert repr(rebuilt(tree.root)) == repr(value)
    assert all(is_safe(character) for text in texts(tree) for character in text)
    for node in tree.rows:
        found: Any = value
        for place in node.position:
            found = list(found.values())[place] if isinstance(found, dict) else found[place]
        assert found is node.value


@given(text=st.text() | st.binary() | st.sampled_from(HOSTILE), width=st.integers(0, 60))
def test_all_of_a_text_is_in_its_pieces(text: str | bytes, width: int) -> None:
    """The pieces of a long text are the text, in order, and fit on their rows; so they do after a resize."""
    tree = open_whole_tree(text, width)
    assert all(make_visible(row) == row for row in texts(tree))
    for laid in (width, width + 7):
        tree.fit(laid)
        pieces = [node for node in tree.rows if node.kind == "piece"]
        if pieces:
            assert type(text)().join(node.content for node in pieces) == text
            fitting = [render_text(node.content) for node in pieces if node.stop - node.start > 1]
            assert all(len(each) <= max(MIN_TEXT_WIDTH, laid) for each in fitting)


def test_a_text_is_divided_between_lines_and_words() -> None:
    """A line of the text begins a row; a word is cut only where it is long."""
    tree = TreeModel("one line\nanother, which is rather long\n\nend" + "x" * 30, 28)
    assert [text.strip() for text in texts(tree)[1:]] == [
        r"one line\n",
        "another, which is",
        r"rather long\n",
        r"\n",
        "endxxxxxxxxxxxxxxxxxxxxx",
        "xxxxxxxxx",
    ]


def test_rows_open_and_close() -> None:
    """What was opened closes with all that is in it; neither is done twice."""
    tree = TreeModel({"a": [[1], [2]], "b": 3}, WIDE)
    assert texts(tree)[1:] == ['  ▸ "a": [[1], [2]]', '    "b": 3']
    assert tree.open(1)
    assert not tree.open(1)
    assert tree.open(2)
    assert texts(tree)[1:] == [
        '  ▾ "a": array, 2 items',
        "    ▾ 0: array, 1 item",
        "        0: 1",
        "    ▸ 1: [2]",
        '    "b": 3',
    ]
    assert not tree.open(3)
    assert tree.close(1)
    assert not tree.close(1)
    assert texts(tree)[1:] == ['  ▸ "a": [[1], [2]]', '    "b": 3']


@pytest.mark.parametrize(
    "value",
    [
        list(range(2_000_000)),
        {f"key{number}": number for number in range(300_000)},
        bytes(64 << 20),
        "x" * (64 << 20),
        [[["x" * 90] * 200] * 200] * 200,
    ],
    ids=["items", "keys", "bytes", "characters", "nested"],
)
def test_a_large_value_opens_as_little_as_is_looked_at(value: Any) -> None:
    """However large it is, few rows are made of it, its first item among them, and the last is near."""
    tree = TreeModel(value, 60)
    assert len(tree.rows) <= INITIAL_ROWS + PAGE_LENGTH
    assert len(tree.root.children or ()) <= max(CHILD_LIMIT, 200)
    assert any(node.kind != "group" and node.start == 0 and node.depth for node in tree.rows)
    if not isinstance(value, str | bytes):
        last = len(value) - 1
        index = tree.reveal((last,))
        assert tree.rows[index].position == (last,)
        assert len(tree.rows) <= INITIAL_ROWS + PAGE_LENGTH + 3 * CHILD_LIMIT
    assert sum(len(text) for text in texts(tree)) < 100_000


def test_groups_say_what_is_in_them() -> None:
    """From which to which item, and how many; the last has what is left."""
    tree = TreeModel(list(range(12_345)), 60)
    assert texts(tree)[:4] == [
        "▾ array, 12 345 items",
        "  ▾ [0 … 9 999]  10 000 items",
        "    ▾ [0 … 99]  100 items",
        "        0: 0",
    ]
    assert texts(tree)[-1] == "  ▸ [10 000 … 12 344]  2 345 items"
    assert tree.rows[-1].content == list(range(10_000, 12_345))
    keys = TreeModel({number: -number for number in range(250)}, 60)
    assert keys.rows[-1].content == {number: -number for number in range(200, 250)}
    assert keys.rows[-1].position == ()


def test_a_part_of_a_deep_value_is_revealed() -> None:
    """What it is inside of is opened, however deep, and no more."""
    value: Any = "x"
    for _ in range(1_000):
        value = [value]
    tree = TreeModel(value, 60)
    index = tree.reveal((0,) * 1_000)
    assert tree.rows[index].value == "x"
    assert index == 1_000
    assert tree.line(index).text.strip() == '0: "x"'


def test_opening_all_has_a_bound() -> None:
    """The result says if not all was opened; long texts stay closed."""
    tree = TreeModel([[[1] * 50] * 50] * 50, WIDE)
    assert not tree.open_all(0, 1_000)
    assert 1_000 <= len(tree.rows) <= 1_100
    small = TreeModel([[1, [2]], "x" * (PAGE_LENGTH + 1)], WIDE)
    assert small.open_all(1, 1_000)
    assert texts(small)[1:5] == [
        "  ▾ 0: array, 2 items",
        "      0: 1",
        "    ▾ 1: array, 1 item",
        "        0: 2",
    ]
    assert small.open_all(0, 1_000)
    assert [node.depth for node in small.rows if node.is_text] == [1]


def test_a_row_that_is_cut_says_how_much_there_is() -> None:
    """What does not fit is cut, and its size is shown in the cells that there are."""
    tree = TreeModel([["abc" * 40, 2]] * 90, 60)
    tree.close(0)
    tree.open(0)
    row = texts(tree)[1]
    assert row.endswith("(2 items)")
    assert len(row) <= 60


def test_scalars_are_in_the_notation() -> None:
    """A row can be typed as it is read."""
    for value in (None, True, -5, 2.5, "é\n\u202e", b"\x00\xff"):
        assert notation.parse_value(texts(TreeModel(value, WIDE))[0]) == value


def test_another_width_changes_what_the_user_has_not_touched() -> None:
    """What was open for want of room closes where there is room; what the user opened stays open."""
    value = {"note": "a text of some length, and more", "list": [1]}
    tree = TreeModel(value, 20)
    assert len(tree.rows) > 3
    tree.fit(80)
    assert texts(tree)[1:] == ['    "note": "a text of some length, and more"', '  ▸ "list": [1]']
    tree.open(2)
    tree.fit(90)
    assert texts(tree)[2:] == ['  ▾ "list": array, 1 item', "      0: 1"]
