"""What is copied of a value."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.message_strategies import values
from tests.support.unicode_text import is_safe, tricky_texts
from tui_ipc.events.json_form import MAX_VALUE_DEPTH
from tui_ipc.text import notation
from tui_ipc.text.safe_text import has_hidden
from tui_ipc.tui.model.clipboard import (
    CLIPBOARD_LIMIT,
    JSON_DEPTH,
    ClipboardText,
    CopyError,
    copy_as_hex,
    copy_as_json,
    copy_as_notation,
    copy_as_text,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(value=JSON)
def test_what_json_can_hold_is_copied_as_it_is(value: Any) -> None:
    """Reading it gives the value back, and nothing was changed."""
    text, changes = copy_as_json(value)
    assert repr(json.loads(text)) == repr(value)
    assert changes == ()


@given(value=values)
def test_the_notation_reads_back(value: Any) -> None:
    """Of whatever a message holds."""
    assert repr(notation.parse_value(copy_as_notation(value).text)) == repr(value)


@given(value=values)
def test_what_json_cannot_hold_is_changed_and_listed_or_refused(value: Any) -> None:
    """Either the text is JSON and the changes are listed, or a sentence says why not."""
    try:
        text, changes = copy_as_json(value)
    except CopyError as refusal:
        assert "Two keys" in str(refusal)  # noqa: PT017 - either outcome is right
    else:
        assert bool(changes) == (repr(json.loads(text)) != repr(_listed(value)))


def _listed(value: Any) -> Any:
    """A value with its tuples as lists, which they are on the wire."""
    if isinstance(value, list | tuple):
        return [_listed(item) for item in value]
    if isinstance(value, dict):
        return {key: _listed(item) for key, item in value.items()}
    return value


def test_changes_are_counted() -> None:
    """Each kind of them, with what became of it."""
    moment = datetime(2024, 5, 6, tzinfo=UTC)
    text, changes = copy_as_json({1: b"hi", "t": moment, "n": [float("nan"), float("inf")]})
    assert json.loads(text) == {"1": "aGk=", "t": "2024-05-06T00:00:00+00:00", "n": [None, None]}
    assert changes == (
        "1 key became a string",
        "1 binary value became base64",
        "1 time stamp became text",
        "2 numbers became null",
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({1: "a", "1": "b"}, "Two keys"),
        (["x" * CLIPBOARD_LIMIT], "exceed the clipboard's"),
        ([[1] * 1_000] * 1_000, "exceed the clipboard's"),
        (range(1), "none"),
    ],
)
def test_what_is_refused_has_a_reason(value: Any, reason: str) -> None:
    """In a sentence."""
    if reason == "none":
        assert copy_as_json(value).changes == ("1 other value became text",)
        return
    with pytest.raises(CopyError, match=reason):
        copy_as_json(value)


def test_deep_json_is_refused() -> None:
    """Deeper than readers of JSON take it; the notation goes deeper."""
    value: Any = 1
    for _ in range(JSON_DEPTH):
        value = [value]
    assert json.loads(copy_as_json(value).text) == value
    with pytest.raises(CopyError, match="nested"):
        copy_as_json([value])
    assert copy_as_notation([value]).text.startswith("[[[[")
    assert JSON_DEPTH >= MAX_VALUE_DEPTH


@pytest.mark.parametrize(
    "value",
    [
        "x" * (CLIPBOARD_LIMIT - 1),
        ["y" * (CLIPBOARD_LIMIT // 2)] * 2,
        list(range(10_000_000)),
        bytes(CLIPBOARD_LIMIT // 2),
        [1.5] * (CLIPBOARD_LIMIT // 5 + 1),
    ],
    ids=["string", "strings", "items", "binary", "floats"],
)
def test_what_the_clipboard_cannot_hold_is_refused(value: Any) -> None:
    """One character too much is too much, wherever it comes from."""
    with pytest.raises(CopyError, match="exceed"):
        copy_as_notation(value)


def test_what_just_fits_is_copied() -> None:
    """Up to the limit, whole."""
    assert len(copy_as_notation("x" * (CLIPBOARD_LIMIT - 2)).text) == CLIPBOARD_LIMIT
    assert copy_as_hex(b"\x00\xff").text == "00 ff"
    assert len(copy_as_hex(bytes(CLIPBOARD_LIMIT // 3)).text) < CLIPBOARD_LIMIT
    with pytest.raises(CopyError, match="exceed"):
        copy_as_hex(bytes(CLIPBOARD_LIMIT // 3 + 1))


def test_a_text_is_copied_unchanged_if_the_clipboard_takes_it() -> None:
    """Nothing at all, or too much, is refused with a sentence."""
    assert copy_as_text("a\n▌ b") == ClipboardText("a\n▌ b")
    with pytest.raises(CopyError, match="Nothing is shown"):
        copy_as_text("")
    with pytest.raises(CopyError, match="exceed"):
        copy_as_text("x" * (CLIPBOARD_LIMIT + 1))


@given(text=tricky_texts)
def test_json_hides_nothing_where_it_is_pasted(text: str) -> None:
    """What is invisible or reorders text is an escape, and the JSON means the same; what joins stays."""
    copied = copy_as_json({text: [text]}).text
    assert all(map(is_safe, copied.split("\n")))
    assert not any(map(has_hidden, copied.split("\n")))
    assert json.loads(copied) == {text: [text]}
