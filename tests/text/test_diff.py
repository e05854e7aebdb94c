"""Where a message is not what was expected, as a person sees it."""

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given

from tests.support.script_strategies import values
from tui_ipc.text import diff as contrast_module
from tui_ipc.text.diff import explain_difference
from tui_ipc.text.notation import render_value
from tui_ipc.text.pattern_match import find_difference
from tui_ipc.text.placeholders import ANY_REST, Capture, Regex, Template


def shown(expected: Any, received: Any) -> list[str]:
    """The lines of a report, without the titles."""
    difference = find_difference(expected, received)
    assert difference is not None
    return [text for _, text in explain_difference(difference, expected, received)]


def test_what_differs_is_marked_in_both() -> None:
    """And described in a sentence."""
    assert shown({"id": 1, "result": 5}, {"id": 1, "result": 66}) == [
        '{"id": 1, "result": 5}',
        "                    ^",
        '{"id": 1, "result": 66}',
        "                    ^^",
        "$.result: 5 was expected, and 66 came",
    ]


def test_of_strings_only_what_differs_in_them() -> None:
    """What they begin and end with alike is not marked."""
    assert shown(["x", "Hello from parent"], ["x", "Hello to the parent"])[:4] == [
        '["x", "Hello from parent"]',
        "             ^^^^",
        '["x", "Hello to the parent"]',
        "             ^^^^^^",
    ]


def test_of_bytes_likewise() -> None:
    """However long they are."""
    assert shown([b"\x00\xfe"], [b"\x00\xff"])[:4] == [
        r'[b"\x00\xfe"]',
        "          ^",
        r'[b"\x00\xff"]',
        "          ^",
    ]
    one, other = (bytes(1000) + b"it" + each + bytes(1000) for each in (b"A", b"BB"))
    line, mark = shown(one, other)[:2]
    assert line[mark.index("^") - 2 :].startswith(r"itA\x00")
    assert len(line) < 200


def test_where_characters_are_missing_the_place_is_marked() -> None:
    """One mark, below what follows."""
    assert shown("abc", "abcabc")[:4] == ['"abc"', "    ^", '"abcabc"', "    ^^^"]


@pytest.mark.parametrize(
    ("expected", "received", "lines"),
    [
        (
            {"a": 1, "b": 2},
            {"a": 1},
            ['{"a": 1, "b": 2}', "              ^", '{"a": 1}', "       ^"],
        ),
        (
            {"a": 1},
            {"a": 1, "b": [2]},
            ['{"a": 1}', "       ^", '{"a": 1, "b": [2]}', "              ^^^"],
        ),
        ([1], [1, 2], ["[1]", "  ^", "[1, 2]", "    ^"]),
        ([1, 2], [1], ["[1, 2]", "    ^", "[1]", "  ^"]),
        (
            {"a": [{}]},
            {"a": [{"b": 1}]},
            ['{"a": [{}]}', "        ^", '{"a": [{"b": 1}]}', "             ^"],
        ),
    ],
)
def test_what_is_missing_has_its_place_marked(expected: Any, received: Any, lines: list[str]) -> None:
    """Where it would stand."""
    assert shown(expected, received)[:4] == lines


def test_patterns_are_shown_as_they_are_written() -> None:
    """An item behind ``...`` is found in both, though it is another one in each."""
    expected = {
        "who": Regex("^p"),
        "list": [1, ANY_REST, {"x": 8}, 9],
        "id": Capture("id"),
        ANY_REST: ANY_REST,
    }
    received = {"id": 7, "list": [1, 2, 3, 4, {"x": 0}, 9], "who": "parent"}
    assert shown(expected, received) == [
        '{"who": /^p/, "list": [1, ..., {"x": 8}, 9], "id": {{id}}, ...}',
        "                                     ^",
        '{"id": 7, "list": [1, 2, 3, 4, {"x": 0}, 9], "who": "parent"}',
        "                                     ^",
        "$.list[4].x: 8 was expected, and 0 came",
    ]


def test_two_that_differ_altogether_need_no_mark() -> None:
    """There is nothing else to see."""
    assert shown(True, 1) == ["true", "1", "$: true (boolean) was expected, and 1 (integer) came"]


def test_of_long_ones_the_neighbourhood_is_shown() -> None:
    """Wherever it is."""
    expected = {"before": "x" * 10_000, "it": "a" * 500 + "b" + "c" * 500, "after": list(range(1000))}
    received = {**expected, "it": "a" * 500 + "B" + "c" * 500}
    lines = shown(expected, received)
    assert lines[:4] == [
        "…" + "a" * 48 + "b" + "c" * 48 + "…",
        " " * 49 + "^",
        "…" + "a" * 48 + "B" + "c" * 48 + "…",
        " " * 49 + "^",
    ]
    assert len(lines[4]) < 500


@pytest.mark.parametrize(
    "vast",
    [list(range(1_000_000)), {"a": dict.fromkeys(range(1_000_000))}, ["x" * 10_000_000], b"x" * 10_000_000],
    ids=["items", "entries", "text", "bytes"],
)
def test_of_vast_ones_the_beginning_is_shown(vast: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """To write them out would take long; where they differ is described all the same."""
    whole: list[Any] = []

    def noted(value: Any, limit: int | None = None) -> str:
        whole.extend([value] if limit is None else [])
        return render_value(value, limit)

    monkeypatch.setattr(contrast_module, "render_value", noted)
    lines = shown({"it": [1], "rest": vast}, {"it": [2], "rest": vast})
    assert whole == []
    assert [line[:11] for line in lines[:2]] == ['{"it": [1],', '{"it": [2],']
    assert lines[2] == "$.it[0]: 1 was expected, and 2 came"
    assert max(map(len, lines)) < 300


def test_wide_characters_take_two_columns() -> None:
    """So that the mark is below what it marks, in a terminal."""
    assert shown(["日本", 1], ["日本", 2])[1] == "         ^"
    assert shown(["e\u0301", 1], ["e\u0301", 2])[1] == "      ^"


@pytest.mark.parametrize(
    ("expected", "received", "lines"),
    [
        ({1: "x"}, {True: "x"}, ['{1: "x"}', "    ^^^", '{true: "x"}', "          ^"]),
        ({1.0: [2]}, {1: [2]}, ["{1.0: [2]}", "      ^^^", "{1: [2]}", "       ^"]),
        ({float("nan"): [1]}, {float("nan"): [2]}, ["{NaN: [1]}", "       ^", "{NaN: [2]}", "       ^"]),
    ],
)
def test_keys_that_python_takes_for_equal_are_shown_as_they_are(
    expected: Any, received: Any, lines: list[str]
) -> None:
    """Also NaN, which equals no key for Python."""
    assert shown(expected, received)[:4] == lines


def test_a_key_with_a_name_is_marked_where_it_is() -> None:
    """In the message, the map that has the key is marked."""
    expected = {"u": {Template(("", "id", "")): 1}}
    difference = find_difference(expected, {"u": {"7": 2}}, {"id": 7})
    assert difference is not None
    assert [text for _, text in explain_difference(difference, expected, {"u": {"7": 2}})] == [
        '{"u": {"{{id}}": 1}}',
        "                 ^",
        '{"u": {"7": 2}}',
        "      ^^^^^^^^",
        '$.u["{{id}}"]: 1 was expected, and 2 came',
    ]


def test_what_looks_alike_is_written_with_escapes() -> None:
    """An accent of its own is drawn as the letter that has it, and some characters are drawn as others."""
    assert shown("caf\u00e9", "cafe\u0301")[-1] == r'$: "caf\u00e9" was expected, and "cafe\u0301" came'
    assert shown("K", "\u212a")[-1] == r'$: "K" was expected, and "\u212a" came'
    assert shown({"a\u3164": 1}, {"a": 1})[-1] == r'$["a\u3164"]: 1 was expected, and nothing is there'


def test_what_nests_deeply_is_no_trouble() -> None:
    """Deeper than Python's stack is."""
    expected: Any = 1
    received: Any = 2
    for _ in range(5000):
        expected, received = [expected], [received]
    assert shown(expected, received)[0] == "…" + "[" * 48 + "1" + "]" * 48 + "…"


@given(values, values)
def test_any_two_values_can_be_contrasted(expected: Any, received: Any) -> None:
    """Each line has a title, or is a mark below such a line."""
    difference = find_difference(expected, received)
    if difference is None:
        return
    details = explain_difference(difference, expected, received)
    assert [title for title, _ in details if title] == ["expected", "received", "differs"]
    for (title, line), (below, mark) in pairwise(details):
        if not below:
            assert title
            assert re.fullmatch(" *\\^+", mark)
            assert mark.index("^") <= 2 * len(line)


def test_a_difference_within_an_emoji_is_marked() -> None:
    """What joins is shown where it is cut off from what it joins, as in a joined emoji and its parts."""
    expected, received = "a 👩\u200d💻!", "a 👩💻!"
    difference = find_difference(expected, received)
    assert difference is not None
    shown = explain_difference(difference, expected, received)
    assert shown[0] == ("expected", '"a 👩‹U+200D›💻!"')
    assert shown[1] == ("", " " * 5 + "^" * 8)
    assert shown[2] == ("received", '"a 👩💻!"')
