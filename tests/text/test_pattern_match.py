"""When two values are the same message."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from math import nan
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.text.conditions import Each, HasLength, InRange, IsType, Near, Unordered
from tui_ipc.text.notation import parse_value, render_value
from tui_ipc.text.pattern_match import (
    ABSENT,
    Difference,
    find_difference,
    is_same,
    iter_aligned_differences,
    iter_differences,
    match_pattern,
)
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE, Capture, Regex, Template, fill_names

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
    assert is_same(one, other)
    assert is_same(other, one)


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
    assert not is_same(one, other)
    assert not is_same(other, one)


ANY: dict[Any, Any] = {ANY_REST: ANY_REST}
A, B = Capture("a"), Capture("b")


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        (ANY_REST, None),
        (ANY_REST, [1]),
        ([ANY_REST], []),
        ([ANY_REST], [1, 2]),
        ([1, ANY_REST], [1]),
        ([1, ANY_REST], (1, 2, 3)),
        ([ANY_REST, 3], [1, 2, 3]),
        ([1, ANY_REST, 3], [1, 3]),
        ([1, ANY_REST, 3], [1, 2, 2, 3]),
        (ANY, {}),
        (ANY, {"a": 1, 2: 3}),
        ({"a": 1, **ANY}, {"b": 2, "a": 1}),
        ({"a": {"b": ANY_REST}, **ANY}, {"a": {"b": []}, True: 1}),
        ({1: "x", **ANY}, {1: "x", 2: "y"}),
        (Regex("[0-9]+"), "item 12, 13"),
        (Regex("^$"), ""),
        ([Regex("a"), {"k": Regex("b$")}], ["xax", {"k": "ab"}]),
        (A, {"any": "thing"}),
        ([A, A], [1, 1]),
        ([A, A], [[1, {}], (1, {})]),
        ([A, B], [1, 2]),
        ([ANY_VALUE, ANY_VALUE], [1, [2]]),
        (deep({"x": ANY_REST}), deep({"x": deep(1)})),
    ],
)
def test_placeholders_match(pattern: Any, value: Any) -> None:
    """Where a pattern has a placeholder, the message may hold what it stands for."""
    assert find_difference(pattern, value) is None


@pytest.mark.parametrize(
    ("pattern", "value", "path", "expected", "received"),
    [
        (5, 6, "$", 5, 6),
        (1, True, "$", 1, True),
        ([1, 2], [1, 3], "$[1]", 2, 3),
        ([1, 2], [1], "$[1]", 2, ABSENT),
        ([1], [1, 2], "$[1]", ABSENT, 2),
        ([1], {"a": 1}, "$", [1], {"a": 1}),
        ({"a": 1}, [1], "$", {"a": 1}, [1]),
        ([1, ANY_REST, 3], [1, 2], "$[1]", 3, 2),
        ([1, ANY_REST, 3], [1], "$[1]", 3, ABSENT),
        ([1, ANY_REST, 8, 9], [1, 8], "$[2]", 9, ABSENT),
        ([1, ANY_REST], [], "$[0]", 1, ABSENT),
        ([1, ANY_REST, 3, 4], [1, 2, 2, 5, 4], "$[3]", 3, 5),
        ({"a": 1}, {"a": 2}, "$.a", 1, 2),
        ({"a": 1}, {}, "$.a", 1, ABSENT),
        ({"a": 1, **ANY}, {"b": 1}, "$.a", 1, ABSENT),
        ({"a": 1}, {"a": 1, "b c": 2}, '$["b c"]', ABSENT, 2),
        ({1: 1}, {True: 1}, "$[1]", 1, ABSENT),
        ({"r": [0, {"name": "x"}]}, {"r": [0, {"name": "y"}]}, "$.r[1].name", "x", "y"),
        ({"a": ANY_REST}, {}, "$.a", ANY_REST, ABSENT),
        ([A], [], "$[0]", A, ABSENT),
        ([1, ANY_VALUE], [1], "$[1]", ANY_VALUE, ABSENT),
        ([Regex("x")], [], "$[0]", Regex("x"), ABSENT),
        (Regex("^b"), "ab", "$", Regex("^b"), "ab"),
        (Regex("1"), 1, "$", Regex("1"), 1),
        (Regex("a"), b"a", "$", Regex("a"), b"a"),
        (ANY, [], "$", ANY, []),
        ([ANY_REST], {}, "$", [ANY_REST], {}),
    ],
)
def test_a_difference_says_where(pattern: Any, value: Any, path: str, expected: Any, received: Any) -> None:
    """It is the first in the pattern's order, and holds both parts."""
    difference = find_difference(pattern, value)
    assert difference is not None
    assert (difference.path, difference.expected, difference.received) == (path, expected, received)


def test_the_first_difference_is_the_first_in_the_text() -> None:
    """A person reads from the left; what came beyond what was expected comes last."""
    pattern, value = {"b": [1, 2], "a": 3}, {"a": 0, "more": None, "b": [0, 2, 3]}
    assert [each.path for each in iter_differences(pattern, value)] == ["$.b[0]", "$.b[2]", "$.a", "$.more"]


def test_what_is_captured_stands_for_itself() -> None:
    """A name takes the first value at its place, and from then on matches only that."""
    assert match_pattern({"x": A, "y": [B, A]}, {"y": [2, 1], "x": 1}) == (None, {"a": 1, "b": 2})
    difference, _ = match_pattern([A, A], [1, True])
    assert difference == Difference((1,), A, True, known=1)
    assert match_pattern([ANY_VALUE, A], [1, 2]) == (None, {"a": 2})
    known = {"a": [1]}
    assert match_pattern({"x": A, "y": B}, {"x": (1,), "y": 2}, known) == (None, {"b": 2})
    assert find_difference(A, 1, known) == Difference((), A, 1, known=[1])
    assert known == {"a": [1]}


@pytest.mark.parametrize(
    ("pattern", "value", "words"),
    [
        ({"a": 5}, {"a": 6}, "$.a: 5 was expected, and 6 came"),
        (1, True, "$: 1 (integer) was expected, and true (boolean) came"),
        (Regex("a/b"), 1, r"$: /a\/b/ was expected, and 1 came"),
        ({"a": ANY_REST}, {}, "$.a: ... was expected, and nothing is there"),
        ([], [1], "$[0]: 1 came, and nothing was expected there"),
        ({"a": 1, **ANY}, [], '$: {"a": 1, ...} (map) was expected, and [] (array) came'),
        ([A, A], [1, 2], "$[1]: {{a}}, which is 1, was expected, and 2 came"),
        ("x" * 99, "y", '$: "xxxxxxx…" (99 characters) was expected, and "y" came'),
    ],
)
def test_a_difference_is_told(pattern: Any, value: Any, words: str) -> None:
    """In one line, in the notation, with the kinds where the values alone look alike."""
    difference = find_difference(pattern, value)
    assert difference is not None
    assert difference.describe(9 if len(str(pattern)) > 90 else None) == words


def test_what_is_sent_is_filled_in() -> None:
    """Names stand for their values, anywhere in a message, and the script's own value stays as it is."""
    value = {"h": A, "all": [1, (B, "{{a}}"), {"n": A}]}
    known = {"a": [7], "b": None}
    assert fill_names(value, known) == {"h": [7], "all": [1, [None, "{{a}}"], {"n": [7]}]}
    assert value == {"h": A, "all": [1, (B, "{{a}}"), {"n": A}]}
    assert fill_names(A, known) == [7]
    assert is_same(fill_names(deep(A), {"a": 1}), deep(1))


def test_what_has_no_names_is_sent_as_it_is() -> None:
    """Nothing is copied for nothing."""
    value = {"h": [1, (2,)]}
    assert fill_names(value, {}) is value


def test_a_name_that_is_not_known_cannot_be_filled_in() -> None:
    """A parsed script never comes to this."""
    with pytest.raises(KeyError):
        fill_names([A], {"b": 1})


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
    assert is_same(parse_value(render_value(value)), value)


@given(scalars, scalars)
def test_scalars_differ_as_their_texts_do(one: Any, other: Any) -> None:
    """What a person sees as different is different, but for the sign of a zero."""
    if one != 0 or other != 0:
        assert is_same(one, other) == (render_value(one) == render_value(other))


@given(values, values)
def test_no_difference_is_being_the_same(one: Any, other: Any) -> None:
    """Where values are not the same there is a first difference, and it is between different things."""
    found = list(iter_differences(one, other))
    assert (not found) == is_same(one, other) == is_same(other, one)
    assert all(each.expected is not each.received for each in found)


@given(values, st.data())
def test_a_value_matches_itself_with_placeholders(value: Any, data: st.DataObject) -> None:
    """Whatever parts of a message are replaced by placeholders, the message still matches."""
    assert find_difference(with_placeholders(value, data), value) is None


NAMES = (Capture(f"name{number}") for number in count())


def with_placeholders(value: Any, data: st.DataObject) -> Any:
    """A pattern that the value matches; each of its names is in one place only."""
    choice = data.draw(st.integers(0, 3))
    if choice == 0:
        return next(NAMES)
    if isinstance(value, str):
        return Regex("^") if choice == 1 else value
    if isinstance(value, list):
        items = [with_placeholders(item, data) for item in value]
        if choice == 1:
            begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(items))] * 2)))
            items[begin:end] = [ANY_REST]
        return items
    if isinstance(value, dict):
        entries = {
            key: data.draw(st.just(ANY_REST) | st.just(with_placeholders(item, data)))
            for key, item in value.items()
        }
        if choice == 1:
            kept = data.draw(st.integers(0, len(entries)))
            return {ANY_REST: ANY_REST, **dict(list(entries.items())[:kept])}
        return entries
    return value


@pytest.mark.parametrize(
    ("expected", "received", "paths"),
    [
        ([1, 2, 3, 4], [1, 3, 4], ["$[1]"]),
        ([1, 3, 4], [1, 2, 3, 4], ["$[1]"]),
        ([*range(700)], [*range(1, 700)], ["$[0]"]),
        ([1, 2, 3, 4, 5], [1, 9, 3, 5], ["$[1]", "$[3]"]),
        ([1, 2, 3], [2, 3, 1], ["$[0]", "$[2]"]),
        ({"a": [1, {"b": [1, 2]}]}, {"a": [1, {"b": [2]}], "c": 1}, ["$.a[1].b[0]", "$.c"]),
        ([Regex("^a"), Regex("^b"), 3], ["b1", 3], ["$[0]"]),
        ([Capture("x"), 0, Capture("x"), 5], [1, 0, 2, 5], ["$[2]"]),
        ([1, ANY_REST, 4], [2, 3, 4], ["$[0]"]),
        ([1, 2], [1, 2], []),
        ([], [1, 2], ["$[0]", "$[1]"]),
        ([1, 2], [], ["$[0]", "$[1]"]),
    ],
)
def test_aligned_differences(expected: Any, received: Any, paths: list[str]) -> None:
    """One item too many or too few is one difference, wherever it is."""
    assert [each.path for each in iter_aligned_differences(expected, received)] == paths


@given(st.lists(st.integers(0, 3), max_size=8), st.lists(st.integers(0, 3), max_size=8))
def test_arrays_that_are_aligned_have_differences_if_they_differ(ours: list[int], theirs: list[int]) -> None:
    """And no more than without that."""
    aligned = list(iter_aligned_differences(ours, theirs))
    assert bool(aligned) == (ours != theirs)
    assert len(aligned) <= len(list(iter_differences(ours, theirs))) + min(len(ours), len(theirs))
    assert sum(each.received is ABSENT for each in aligned) - sum(
        each.expected is ABSENT for each in aligned
    ) == len(ours) - len(theirs)


def any_with(*terms: Any) -> Capture:
    return Capture("_", (terms,))


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        (any_with(IsType("int")), [1, -(2**63)], [1.0, True, "1", None]),
        (any_with(IsType("float")), [1.0, float("nan")], [1]),
        (any_with(IsType("number")), [1, 1.0], [False, "1"]),
        (any_with(IsType("string")), [""], [b"", 1]),
        (any_with(IsType("bytes")), [b""], ["", []]),
        (any_with(IsType("list")), [[], (1,)], [{}, ""]),
        (any_with(IsType("map")), [{}], [[]]),
        (any_with(IsType("bool")), [True], [1, 0]),
        (any_with(InRange(1, 5)), [1, 5, 2.5], [0, 5.1, True, "3", float("nan")]),
        (any_with(InRange(None, 5)), [-1e300, 5], [6]),
        (any_with(InRange(1, None)), [2**64 - 1, float("inf")], [0.9]),
        (any_with(Near(0.3, 1e-9)), [0.1 + 0.2, 0.3], [0.301, "0.3", float("nan")]),
        (any_with(HasLength(2, 3)), ["ab", b"abc", [1, 2], {1: 1, 2: 2}], ["a", [1] * 4, 2, None]),
        (any_with(IsType("int"), InRange(1, 5)), [3], [3.5, 6]),
        (Capture("_", ((IsType("int"),), (None,), ("a",))), [1, None, "a"], [1.0, "b", False]),
        (any_with(Unordered((1, 2, Regex("a")))), [[2, 1, "xa"], ["a", 1, 2]], [[1, 2], [1, 2, "a", "a"], 1]),
        (any_with(Unordered((1, 1, ANY_REST))), [[1, 1], [1, 2, 1, 3]], [[1], [2, 1]]),
        (any_with(Unordered(())), [[]], [[1], {}]),
        (any_with(Each(IsType("int"))), [[], [1, 2], {"a": 1}, {}], [[1, "a"], {"a": None}, 1]),
    ],
)
def test_conditions(pattern: Any, matching: list[Any], others: list[Any]) -> None:
    """Each is met by a value of its own, and in a list; nothing that is not there meets one."""
    for value in matching:
        assert find_difference(pattern, value) is None, value
        assert find_difference([1, pattern], [1, value]) is None
    for value in others:
        assert find_difference(pattern, value) is not None, value
    assert find_difference({"a": pattern}, {}) is not None


@given(st.lists(st.integers(0, 5), max_size=8), st.randoms())
def test_items_in_any_order_match_however_they_are_shuffled(items: list[int], random: Random) -> None:
    """Also where a pattern takes the item of another one at first."""
    patterns = [any_with(InRange(item, item + 1)) for item in items]
    random.shuffle(items)
    assert find_difference(any_with(Unordered(tuple(patterns))), items) is None


def test_a_value_with_a_condition_has_its_name_only_if_it_meets_it() -> None:
    """And what the alternative captures that matches."""
    pattern = Capture("id", (({"a": Capture("x"), "b": 1},), ({"a": Capture("y"), "b": 2},)))
    assert match_pattern(pattern, {"a": 5, "b": 2}) == (None, {"id": {"a": 5, "b": 2}, "y": 5})
    assert find_difference(pattern, {"a": 5, "b": 3}) is not None
    assert match_pattern([Capture("n", ((IsType("int"),),)), Capture("n")], [1, 1]) == (None, {"n": 1})
    assert find_difference(Capture("n", ((IsType("int"),),)), 2, {"n": 1}) is not None


def test_what_is_wrong_within_a_condition_is_said() -> None:
    """Not only that the whole does not meet it."""
    users = any_with(IsType("map"), Each({"age": any_with(InRange(0, 150))}))
    found = find_difference({"users": users}, {"users": {"7": {"age": 200}}})
    assert found is not None
    assert found.describe() == '$.users["7"].age: 0..150 was expected, and 200 came'
    assert [each.describe() for each in iter_differences(any_with(Unordered((1, 2))), [2, 3])] == [
        "$[2]: 1 was expected, and nothing is there",
        "$[1]: 3 came, and nothing was expected there",
    ]


def test_names_in_a_string_and_in_an_expression_stand_for_the_text_of_their_values() -> None:
    """A string as it is, other values in the notation; no character of it is special in an expression."""
    known = {"host": "a.b", "port": 80, "map": {"x": None}}
    template = Template(("http://", "host", ":", "port", "/"))
    assert find_difference(template, "http://a.b:80/", known) is None
    found = find_difference(template, "http://a.b:81/", known)
    assert found is not None
    assert found.describe() == (
        '$: "http://{{host}}:{{port}}/", which is "http://a.b:80/", was expected, and "http://a.b:81/" came'
    )
    assert find_difference(Template(("", "map", "")), '{"x": null}', known) is None
    assert find_difference(template, "http://a.b:80/") is not None  # a name that has no value
    assert find_difference(Regex("^{{host}}{2}$", ("host",)), "a.ba.b", known) is None
    assert find_difference(Regex("^{{host}}$", ("host",)), "axb", known) is not None


def test_named_groups_capture() -> None:
    """Anew each time, as a string; one that matches nothing does not."""
    pattern = {"url": Regex(r"port (?P<port>\d+)(?P<path>/.*)?"), ANY_REST: ANY_REST}
    assert match_pattern(pattern, {"url": "port 80"}, {"port": "1"}) == (None, {"port": "80"})


def test_names_in_a_key_stand_for_the_text_of_their_values() -> None:
    """So that an entry is found by what was captured before, also within the same message."""
    key = Template(("user ", "id", ""))
    assert find_difference({key: 1}, {"user 7": 1}, {"id": 7}) is None
    assert match_pattern([Capture("id"), {key: Capture("x")}], [7, {"user 7": 1}])[1] == {"id": 7, "x": 1}
    found = find_difference({"users": {key: 1}}, {"users": {"user 7": 2}}, {"id": 7})
    assert found is not None
    assert found.describe() == '$.users["user {{id}}"]: 1 was expected, and 2 came'
    lines = [each.describe() for each in iter_differences({key: 1}, {"user 7": 1})]
    assert lines == [
        '$["user {{id}}"]: 1 was expected, and nothing is there',
        '$["user 7"]: 1 came, and nothing was expected there',
    ]
    assert fill_names({key: [key]}, {"id": 7}) == {"user 7": ["user 7"]}


class Unexpected(list[Any]):
    """A list whose further items nobody may look at."""

    def __iter__(self) -> Iterator[Any]:
        yield from (self[0], self[1])
        pytest.fail("a further item was looked at")


def test_items_that_nobody_expected_are_not_looked_at() -> None:
    """The first difference is known before: a message may have millions of items."""
    for expected in ([1], [1, 3], [2, 3, 4]):
        assert find_difference(expected, Unexpected([1, 2, 3])) is not None
    first = next(iter_aligned_differences([2], Unexpected(range(1, 10_000))))
    assert (first.keys, first.expected, first.received) == ((0,), 2, 1)


@pytest.mark.parametrize("key", [True, 1.0, float("nan"), (1,)])
def test_one_key_that_is_like_a_number_is_told_apart(key: Any) -> None:
    """In a map whose other keys are numbers and text, on either side."""
    for one, other in ({1: 0, "a": 0}, {key: 0, "a": 0}), ({key: 0, "a": 0}, {1: 0, "a": 0}):
        assert [each.keys for each in iter_differences(one, other)] == [
            (next(iter(one)),),
            (next(iter(other)),),
        ]
        assert find_difference(one, one) is None
