"""Which message answers which, in order and by a key path."""

from collections.abc import Callable
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui_ipc.ipc.wire import NESTING_LIMIT, encode
from tui_ipc.session import correlation as module
from tui_ipc.session.correlation import (
    DEPTH_LIMIT,
    UNSOLICITED,
    InOrderCorrelator,
    KeyCorrelator,
    comparable_at,
    make_correlator,
    parse_rule,
)
from tui_ipc.text.pattern_match import Difference

SCALARS = (
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.0, 1.0, 2.5, "", "1", "id", b"1"])
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "1", 1]), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Values of which many are alike in all but their types."""


def by(path: str) -> KeyCorrelator:
    """What ``Session(match=path)`` uses."""
    found = make_correlator(path)
    assert isinstance(found, KeyCorrelator)
    return found


@given(st.lists(st.booleans(), max_size=30))
def test_in_order_each_answer_belongs_to_the_oldest_message_that_waits(sends: list[bool]) -> None:
    """First in, first out, whatever the messages are; what comes while none waits is unasked."""
    pairing, waiting = InOrderCorrelator(), []
    for number, is_send in enumerate(sends, 1):
        if is_send:
            pairing.sent(number, number * 10, "x")
            waiting.append((number, number * 10))
        else:
            assert pairing.answered("y") == (waiting.pop(0) if waiting else UNSOLICITED)
        assert pairing.count() == len(waiting)
        assert pairing.oldest(3) == tuple(waiting[:3])


@given(st.lists(st.tuples(st.booleans(), VALUES), max_size=30))
def test_by_key_each_answer_belongs_to_the_oldest_message_with_the_same_value_there(
    happenings: list[tuple[bool, Any]],
) -> None:
    """Compared by their packed bytes, which tell 1, True and 1.0 apart: the slow and obvious way."""
    pairing = by("id")
    waiting: list[tuple[int, int, bytes]] = []
    for number, (is_send, value) in enumerate(happenings, 1):
        key = encode(_ordered(value))
        if is_send:
            pairing.sent(number, number * 10, {"id": value})
            waiting.append((number, number * 10, key))
        else:
            match = next((entry for entry in waiting if entry[2] == key), None)
            assert pairing.answered({"re": 0, "id": value}) == (match[:2] if match else UNSOLICITED)
            if match:
                waiting.remove(match)
        assert pairing.count() == len(waiting)
        assert pairing.oldest(2) == tuple(entry[:2] for entry in waiting[:2])


def _ordered(value: Any) -> Any:
    """The same value, so that two maps that are equal have equal bytes."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (str(type(key)), str(key)))
        return {"map": [[key, _ordered(value[key])] for key in keys]}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("value", [None, 1, "id", b"\x81\xa2id\x01", [], {}, {"ID": 1}, [{"id": 1}]])
def test_a_message_without_the_key_waits_for_nothing_and_answers_nothing(value: object) -> None:
    """On either side."""
    pairing = by("id")
    pairing.sent(1, 10, value)
    assert (pairing.count(), pairing.oldest(9)) == (0, ())
    pairing.sent(2, 20, {"id": None})
    assert pairing.answered(value) == UNSOLICITED
    assert pairing.answered({"id": None}) == (2, 20)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("id", {"id": 7}),
        ("header.id", {"header": {"id": 7}}),
        ("1", [0, 7]),
        ("1", (0, 7)),
        ("1", {1: 7}),
        ("1", {"1": 7, 1: 8}),
        ("calls.0.id", {"calls": [{"id": 7}]}),
        ("$.id", {"id": 7}),
        ("$.calls[0].id", {"calls": [{"id": 7}]}),
        ('$["the id, please"]', {"the id, please": 7}),
        ("$[1]", [0, 7]),
        ("$[1]", {1: 7}),
        ('$["1"]', {"1": 7, 1: 8}),
        ('$[b"id"]', {b"id": 7}),
        ("$.größe", {"größe": 7}),
        ("$", 7),
    ],
)
def test_a_path_leads_through_maps_by_key_and_through_lists_by_index(path: str, value: object) -> None:
    """A part of digits is a key of a map first, and a number where there is no such key."""
    assert comparable_at(value, parse_rule(path).path) == comparable_at({"x": 7}, ("x",)) is not None


def test_values_of_different_types_are_different() -> None:
    """Though Python finds three of them equal; also deep inside."""
    values: list[object] = [
        1,
        True,
        1.0,
        "1",
        b"1",
        0,
        False,
        0.0,
        None,
        [],
        {},
        [1],
        [True],
        {"a": 1},
        {"a": True},
    ]
    assert len({comparable_at({"id": value}, ("id",)) for value in values}) == len(values)


class Id(IntEnum):
    """A type of which the wire keeps only the number."""

    SEVEN = 7


@pytest.mark.parametrize(
    ("sent", "received"),
    [(Id.SEVEN, 7), ((1, 2), [1, 2]), (bytearray(b"x"), b"x"), ({"b": 1, "a": 2}, {"a": 2, "b": 1})],
)
def test_values_are_the_same_if_they_are_so_on_the_wire(sent: object, received: object) -> None:
    """What comes back has lost what Python alone knows."""
    assert comparable_at({"id": sent}, ("id",)) == comparable_at({"id": received}, ("id",)) is not None


@pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: {"a": value}])
def test_a_value_too_deep_to_compare_is_no_key(wrap: Callable[[object], object]) -> None:
    """A child may nest 1024 deep, where Python's recursion ends before."""
    value: object = 1
    for _ in range(DEPTH_LIMIT):
        value = wrap(value)
    assert comparable_at({"id": value}, ("id",)) is not None
    for _ in range(NESTING_LIMIT - DEPTH_LIMIT - 1):
        value = wrap(value)
        assert comparable_at({"id": value}, ("id",)) is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("2", [0, 7]),
        ("-1", [0, 7]),
        ("1", {True: 7}),
        ("1", {1.0: 7}),
        ("id.x", {"id": 7}),
        ("0", "text"),
        ("²", [0, 1, 2]),
        ("$[-1]", [0, 7]),
        ("$[true]", {1: 7}),
        ("$.id.x", {"id": 7}),
    ],
)
def test_a_path_that_leads_nowhere_finds_nothing(path: str, value: object) -> None:
    """Neither past the end of a list, nor into text, nor to a key of another type."""
    assert comparable_at(value, parse_rule(path).path) is None


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("", "is empty"),
        (".", "empty part"),
        ("a..b", "empty part"),
        (",!a", "is empty"),
        ("a,!", "is empty"),
        ("a,b", "'b' follows a comma; only !KEYPATH may"),
        ("a,", "follows a comma"),
        ("$x", r"cannot be read from 'x' on; after \$ come"),
        ("$.", "cannot be read from '.' on"),
        ("$.a[1", r"cannot be read from '\[1' on"),
        ("$.a[b]", "cannot be read"),
    ],
)
def test_an_empty_path_or_part_is_refused(path: str, sentence: str) -> None:
    """It could match nothing."""
    with pytest.raises(ValueError, match=sentence):
        make_correlator(path)


def test_every_path_that_a_report_prints_can_be_given_back() -> None:
    """Whatever the keys are."""
    for keys in (("echo", 1), ("a b", "c.d"), (b"x", 0, "id"), (True,), (), ('"', "1", "größe")):
        value: object = 7
        for key in reversed(keys):
            value = [None] * key + [value] if type(key) is int else {key: value}
        path = Difference(keys, 1, 2).path
        assert comparable_at(value, parse_rule(path).path) == comparable_at(7, ()), path


def test_what_has_a_key_that_no_answer_has_is_not_an_answer() -> None:
    """A server's own request with the same number; it takes nothing from the answer."""
    pairing = by("id,!method,!$.params.id")
    pairing.sent(1, 10, {"id": 7, "method": "add"})
    assert pairing.answered({"id": 7, "method": None}) == UNSOLICITED
    assert pairing.answered({"id": 7, "params": {"id": 1}}) == UNSOLICITED
    assert pairing.answered({"id": 7, "params": {}}) == (1, 10)


@pytest.mark.parametrize(
    ("sent", "came", "reason"),
    [
        ({"id": 1}, {"id": 1}, ""),
        ({"ID": 1}, {"id": 1}, "of 1 message that we sent, none has a value there"),
        ({"id": 1}, {"ID": 1}, "of 1 message that came, none has a value there and can be an answer"),
        ({"id": 1}, {"id": 1, "method": 2}, "of 1 message that came, none has a value there and can be"),
        (
            {"id": 1},
            {"id": "1"},
            "of 1 message that came, none has the same value there as one of 1 message that",
        ),
    ],
)
def test_a_path_that_never_matched_anything_is_told(sent: object, came: object, reason: str) -> None:
    """With the side on which it leads nowhere; not before messages passed both ways."""
    pairing = by("id,!method")
    assert not pairing.describe_misses()
    pairing.sent(1, 10, sent)
    assert not pairing.describe_misses()
    pairing.answered(came)
    beginning = f"no answer was matched by id,!method: {reason}" if reason else ""
    assert pairing.describe_misses().startswith(beginning)
    assert bool(pairing.describe_misses()) is bool(reason)


def test_beyond_the_limit_nothing_is_matched_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than matched wrongly; what waits is then unknown."""
    monkeypatch.setattr(module, "MAX_PENDING", 2)
    pairing = make_correlator()
    for number in (1, 2, 3, 4):
        pairing.sent(number, number, "x")
    assert (pairing.answered("y"), pairing.count(), pairing.oldest(9)) == (UNSOLICITED, None, ())


def test_beyond_the_limit_the_oldest_is_forgotten_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others still find their answers."""
    monkeypatch.setattr(module, "MAX_PENDING", 2)
    pairing = by("id")
    for number in (1, 2, 3):
        pairing.sent(number, number * 10, {"id": number % 2})
    assert pairing.oldest(9) == ((2, 20), (3, 30))
    assert pairing.answered({"id": 1}) == (3, 30)
    assert pairing.answered({"id": 1}) == UNSOLICITED
    assert pairing.answered({"id": 0}) == (2, 20)
