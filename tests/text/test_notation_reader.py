"""The notation of patterns: where placeholders may be, and the errors of those that may not."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.script_strategies import patterns, values
from tests.support.unicode_text import is_safe, tricky_texts
from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.script.language.values import render_pattern
from tui_ipc.text.conditions import (
    Each,
    HasLength,
    InRange,
    IsType,
    Near,
    NotationError,
    PlaceholderError,
    Unordered,
)
from tui_ipc.text.notation import NotationProblem, interpret, parse_leading_value, render_value
from tui_ipc.text.notation_reader import (
    read_regex,
    read_value,
)
from tui_ipc.text.placeholders import ANY_REST, ANY_VALUE, Capture, PlaceholderRules, Regex, Template
from tui_ipc.text.safe_text import has_hidden


def any_with(*alternatives: tuple[Any, ...]) -> Capture:
    return Capture("_", alternatives)


FIVE = datetime(2026, 11, 24, 5, tzinfo=UTC)
RULES = PlaceholderRules(lambda found: "", is_known=lambda name: name != "unknown")


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("...", ANY_REST),
        ("/a b/", Regex("a b")),
        (r"/a\/b\\\d/", Regex(r"a/b\\\d")),
        ("//", Regex("")),
        ("{{name}}", Capture("name")),
        ("{{ name }}", Capture("name")),
        ("{{_}}", ANY_VALUE),
        ("[...]", [ANY_REST]),
        ("[1, ..., 3]", [1, ANY_REST, 3]),
        ("(...,)", (ANY_REST,)),
        ("{...}", {ANY_REST: ANY_REST}),
        ('{"a": 1, ...}', {"a": 1, ANY_REST: ANY_REST}),
        ('{..., "a": ...,}', {ANY_REST: ANY_REST, "a": ANY_REST}),
        ('{"a":{{a}},"b":/}/}', {"a": Capture("a"), "b": Regex("}")}),
        ('[{"a": {{a}}}]', [{"a": Capture("a")}]),
        ('["...", "/a/", "{{unknown}}"]', ["...", "/a/", "{{unknown}}"]),
        ('["a {{ b }}, {{env.C}}!"]', [Template(("a ", "b", ", ", "env.C", "!"))]),
        (r'["\u007b{a}} {{{a}} {{unknown}}"]', [Template(("{{a}} {", "a", " {{unknown}}"))]),
        ('{"{{a}}": b"{{a}}", "{{unknown}}": 1}', {Template(("", "a", "")): b"{{a}}", "{{unknown}}": 1}),
        ("/^{{a}} {{unknown}}{2}$/", Regex("^{{a}} {{unknown}}{2}$", ("a",))),
        ("{{id: int}}", Capture("id", ((IsType("int"),),))),
        ("{{_:int 1..5|null}}", Capture("_", ((IsType("int"), InRange(1, 5)), (None,)))),
        (
            "[{{_: 1.. | ..-5 | -1.5e3..2}}]",
            [Capture("_", ((InRange(1, None),), (InRange(None, -5),), (InRange(-1500.0, 2),)))],
        ),
        ("{{x: 3.14 +- 0.01}}", Capture("x", ((Near(3.14, 0.01),),))),
        ("{{_: length 3}}", Capture("_", ((HasLength(3, 3),),))),
        (
            "{{_: length 1..3 | length 5.. | length ..2}}",
            Capture("_", ((HasLength(1, 3),), (HasLength(5, None),), (HasLength(None, 2),))),
        ),
        ('{{_: "a" | /b}}/ | ...}}', Capture("_", (("a",), (Regex("b}}"),), (ANY_REST,)))),
        ('{{_: {"a": {}} | {"b": {{b}}}}}', Capture("_", (({"a": {}},), ({"b": Capture("b")},)))),
        ("{{_: unordered [1, ..., {{x}}]}}", Capture("_", ((Unordered((1, ANY_REST, Capture("x"))),),))),
        ('{{_: b"" | each b"a"}}', any_with((b"",), (Each(b"a"),))),
        ("{{_: each int}}", Capture("_", ((Each(IsType("int")),),))),
        (
            '{{_: map each {"a": {{_: 1}}, ...}}}',
            Capture("_", ((IsType("map"), Each({"a": Capture("_", ((1,),)), ANY_REST: ANY_REST})),)),
        ),
        (
            '{{_: timestamp | timestamp("2026-11-24T05:00:00Z")}}',
            Capture("_", ((IsType("timestamp"),), (datetime(2026, 11, 24, 5, tzinfo=UTC),))),
        ),
        ('{"a": {"b": [[], {}]}}', {"a": {"b": [[], {}]}}),
        ("[.5]", [0.5]),
    ],
)
def test_placeholders_stand_for_values(text: str, pattern: Any) -> None:
    """A pattern is a value with placeholders in it."""
    assert read_value(text, 0, RULES) == (pattern, len(text))


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("[/a]", 1, "a regular expression that begins with / ends with another /"),
        ("[/a(b/]", 3, "not a regular expression: missing ), unterminated subpattern"),
        (r"[/a\/b(/]", 6, "not a regular expression: missing )"),
        ("[/x[[a]/]", 4, "not a regular expression: Possible nested set"),
        ("[/(?<=a*)b/]", 2, "not a regular expression: look-behind requires fixed-width pattern"),
        ("[/a{99999999999}/]", 2, "not a regular expression: the repetition number is too large"),
        ("[/(?L)a/]", 5, "not a regular expression: bad inline flags"),
        ("[/a\tb/]", 3, r"an invisible character; write \x09"),
        ("[/\\\u2028/]", 3, r"an invisible character; write \u2028"),
        ("[{{1}}]", 1, "a captured value is written {{name}}"),
        ("[{{a}]", 1, "a captured value is written {{name}}"),
        ("[..., 1, ...]", 9, "a second ... in […]"),
        ("{..., ...}", 6, "a second ... in {…}"),
        ("{/a/: 1}", 1, "the key of a map cannot be a placeholder; ... stands for any further entries"),
        ("{{{a}}: 1}", 0, "a captured value is written {{name}}"),
        ("{ {{a}}: 1}", 2, "the key of a map cannot be a placeholder"),
        ("{(1, ...): 1}", 5, "the key of a map cannot be a placeholder"),
        ("{(1, (/a/,)): 1}", 6, "the key of a map cannot be a placeholder"),
    ],
)
def test_an_invalid_placeholder(text: str, offset: int, words: str) -> None:
    """The first error is named, and the character at which it is."""
    with pytest.raises(PlaceholderError) as caught:
        read_value(text, 0, RULES)
    assert str(caught.value).startswith(words)
    assert caught.value.offset == offset


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("{...: 1}", 4, "expecting ',' or '}'"),
        ('{"a": 1 ...}', 8, "expecting ',' or '}'"),
        ("[....]", 4, "expecting ',' or ']'"),
        ('{"path": /usr/lib/}', 14, r"expecting ',' or '}' (a / inside /re/ is written \/)"),
        ('{"a" ...}', 5, "expecting ':'"),
    ],
)
def test_what_is_around_a_placeholder(text: str, offset: int, words: str) -> None:
    """The same may follow a placeholder as a value."""
    with pytest.raises(NotationError) as caught:
        read_value(text, 0, RULES)
    assert (str(caught.value), caught.value.offset) == (words, offset)


def test_a_placeholder_may_be_refused() -> None:
    """The caller says which placeholders a pattern may have."""
    parsed = parse_leading_value(
        '{"a": [/a/, {{b}}]}',
        PlaceholderRules(lambda found: "no" if isinstance(found, Capture) else ""),
    )
    assert parsed == NotationProblem("no", 12, is_placeholder=True)


@pytest.mark.parametrize("text", ["[...]", "{...}", "[/a/]", "[{{a}}]", "{{a}}"])
def test_a_value_has_no_placeholders(text: str) -> None:
    """In the message box they are not notation."""
    value, complaint = interpret(text)
    assert value == text
    assert complaint is not None
    assert not complaint.is_placeholder


@settings(deadline=None)
@given(patterns)
def test_what_is_rendered_reads_back(pattern: Any) -> None:
    """A pattern has a text, and the text means the pattern."""
    text = render_pattern(pattern)
    assert is_safe(text)
    assert not has_hidden(text)
    assert read_value(text, 0, RULES) == (pattern, len(text))


@settings(deadline=None)
@given(values)
def test_a_value_reads_the_same_in_a_pattern(value: Any) -> None:
    """Placeholders change the meaning of no text that had one; strings by themselves are read as JSON."""
    text = render_pattern(value)
    parsed = parse_leading_value(text + " # more", RULES)
    assert parsed == (value, len(text))
    assert interpret(text)[0] == value


@given(st.text() | tricky_texts)
def test_an_expression_is_shown_safely_and_means_the_same(text: str) -> None:
    """Whatever a regular expression holds, its text controls no terminal and finds the same."""
    shown = render_value(Regex(re.escape(text)))
    assert is_safe(shown)
    assert not has_hidden(shown)
    expression, end = read_regex(shown, 0)
    assert end == len(shown)
    assert re.fullmatch(expression.expression, text)


def test_patterns_may_nest_deeply() -> None:
    """As deeply as messages do, and deeper, without recursion."""
    for opener, closer in ("[", "]"), ("(", ",)"), ('{"a": ', "}"):
        text = opener * NESTING_LIMIT + "..." + closer * NESTING_LIMIT
        assert render_value(read_value(text, 0, RULES)[0]) == text
    with pytest.raises(NotationError):
        read_value("[" * 100_000 + "...", 0, RULES)
