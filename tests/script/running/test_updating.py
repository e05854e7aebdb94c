"""Expectations rewritten by what came: what changes, and all that does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ipc.messages import arrived, keys, values
from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.script.language import Expect, Script, parse
from tui_ipc.script.running.comparison import compare
from tui_ipc.script.running.updating import Learned, merge, rewritten
from tui_ipc.script.syntax.patterns import ANYTHING, REST, Captured, Matching
from tui_ipc.session.notation import render

holes = st.one_of(
    st.sampled_from((REST, ANYTHING, Matching("a|b"), Matching("^"))), st.sampled_from("xyz").map(Captured)
)


def one_rest(items: list[Any]) -> list[Any]:
    """At most one ``...`` stands in an array."""
    return [item for place, item in enumerate(items) if item is not REST or REST not in items[:place]]


patterns: st.SearchStrategy[Any] = st.recursive(
    values | holes,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(one_rest),
        st.dictionaries(keys, inner, max_size=4),
        st.dictionaries(keys, inner, max_size=3).map(lambda entries: {REST: REST, **entries}),
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("pattern", "received", "merged"),
    [
        (5, 6, 6),
        (5, "5", "5"),
        (REST, 6, REST),
        (Matching("^a"), "abc", Matching("^a")),
        (Matching("^a"), "cba", "cba"),
        (Captured("h"), [1], Captured("h")),
        ([1, REST, 3], [1, 2, 4], [1, REST, 4]),
        ([1, REST, 3], [2], [2, REST]),
        ([REST, 3], [], [REST]),
        ([1, 2, 3], [1, 5], [1, 5]),
        ([Matching("a"), 2], ["a", 3, 4], [Matching("a"), 3, 4]),
        ({"a": 1, "b": Captured("h")}, {"b": 2, "a": 2}, {"a": 2, "b": Captured("h")}),
        ({"a": 1, "b": 2}, {"c": 3, "b": 2}, {"b": 2, "c": 3}),
        ({REST: REST, "a": 1, "b": 2}, {"c": 3, "b": 5}, {REST: REST, "b": 5}),
        ({"a": {"b": [REST]}}, {"a": 5}, {"a": 5}),
        ([Captured("h"), Captured("h")], [1, 2], [Captured("h"), 2]),
        (Captured("known"), 2, 2),
        (Captured("known"), 1, Captured("known")),
        ({1: "a"}, {True: "b"}, {True: "b"}),
    ],
    ids=render,
)
def test_a_pattern_changes_only_where_it_was_not_met(pattern: Any, received: Any, merged: Any) -> None:
    """Holes that were met stay, and the order of keys."""
    found, _ = merge(pattern, received, {"known": 1})
    assert render(found) == render(merged)


@given(patterns, values.map(arrived))
def test_a_merged_pattern_is_met_and_then_stays(pattern: Any, received: Any) -> None:
    """By what came; merging again changes nothing, and names what it captures."""
    merged, captured = merge(pattern, received, {"x": 1})
    assert compare(merged, received, {"x": 1}) is None
    assert merge(merged, received, {"x": 1}) == (merged, captured)


@given(patterns, values.map(arrived))
def test_merging_changes_neither_side(pattern: Any, received: Any) -> None:
    """Both may be in use elsewhere."""
    before = render(pattern), render(received)
    merge(pattern, received, {})
    assert (render(pattern), render(received)) == before


def test_a_pattern_as_deep_as_messages_go_is_merged() -> None:
    """Nothing recurses."""
    pattern: Any = 1
    received: Any = 2
    for _ in range(NESTING_LIMIT):
        pattern, received = [pattern, REST], [received]
    merged, _ = merge(pattern, received, {})
    assert render(merged) == "[" * NESTING_LIMIT + "2" + ", ...]" * NESTING_LIMIT


def test_what_a_hole_captures_is_known_though_the_rest_of_the_message_is_new() -> None:
    """Later lines may use it."""
    assert merge({"id": Captured("h"), "n": 1}, {"id": 7, "n": 2}, {})[1] == {"h": 7}


def test_rounds_that_agree_are_learned_from() -> None:
    """As one expectation."""
    changes: dict[int, Any] = {}
    learned = Learned(changes)
    step = Expect([1, REST], line=4)
    assert learned.note(step, [2], {}) == {}
    assert learned.note(step, [2, 5], {}) == {}
    assert changes == {4: [2, REST]}


@pytest.mark.parametrize("rounds", [(1, 2), (2, 1), (2, 3)])
def test_rounds_that_disagree_are_told(rounds: tuple[int, int]) -> None:
    """No value is right for both, whichever of them was expected."""
    learned = Learned({})
    step = Expect(1, line=4)
    assert learned.note(step, rounds[0], {}) == {}
    assert learned.note(step, rounds[1], {}) is None


def changed(text: str, changes: dict[int, Any]) -> str:
    return rewritten(text, parse(text), changes)


def test_only_the_value_of_a_line_changes() -> None:
    """Indentation, spaces, comments, the end of the line and other lines stay as they are."""
    text = '# head\r\n  >  "a"\t# sent\r\n\t<   {"n":1}   within 2s  # due\r\n\r\n<~ [1]# more\nquit'
    text = text.replace("[1]#", "[1] #")
    after = changed(text, {3: {"n": 2}, 5: [2, REST]})
    assert after == text.replace('{"n":1}', '{"n": 2}').replace("[1]", "[2, ...]")


def test_the_first_line_may_begin_with_a_byte_order_mark() -> None:
    """Which counts as no column, and stays."""
    assert changed("\ufeff< 1\nquit\n", {1: 2}) == "\ufeff< 2\nquit\n"


def test_a_line_in_a_block_changes() -> None:
    """However deep it stands."""
    text = "repeat 2\n  repeat 3\n    > 1\n    < 1 # one\n  end\nend\n"
    assert changed(text, {4: 2}) == text.replace("< 1", "< 2")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("Hello", "Good bye", "< Good bye"),
        ('"Hello"', "Good bye", '< "Good bye"'),
        ("Hello", "42", '< "42"'),
        ("Hello", " padded ", '< " padded "'),
        ("Hello", "within 2s", '< "within 2s"'),
        ("Hello", "a # b", '< "a # b"'),
        ("Hello", "two\nlines", '< "two\\nlines"'),
        ("Hello", "", '< ""'),
        ("Hello", "...", '< "..."'),
        ("Hello", "/re/", '< "/re/"'),
        ("Hello", 5, "< 5"),
    ],
)
def test_a_string_stays_without_quotes_where_that_can_be(old: str, new: Any, line: str) -> None:
    """Else it gets them."""
    after = changed(f"< {old}\n", {1: new})
    assert after == f"{line}\n"
    (step,) = parse(after).steps
    assert isinstance(step, Expect)
    assert render(step.value) == render(new)


@given(st.lists(st.tuples(patterns, values.map(arrived)), min_size=1, max_size=4))
def test_a_rewritten_script_is_met_and_stays(pairs: list[tuple[Any, Any]]) -> None:
    """Its expectations are those that were learned; to learn again changes no byte."""
    text = "".join(f"< {render(pattern)}  # {place}\n" for place, (pattern, _) in enumerate(pairs))
    after = learn(text, parse(text), [received for _, received in pairs])
    assert learn(after, parse(after), [received for _, received in pairs]) == after


def learn(text: str, script: Script, received: list[Any]) -> str:
    """The text once these messages came, one after the other."""
    changes: dict[int, Any] = {}
    learned = Learned(changes)
    known: dict[str, Any] = {}
    for step, message in zip(script.steps, received, strict=True):
        assert isinstance(step, Expect)
        captured = learned.note(step, message, known)
        assert captured is not None
        known |= captured
    return rewritten(text, script, changes)
