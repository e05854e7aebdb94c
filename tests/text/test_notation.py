"""The notation: examples as a table, round trips as properties, and texts made to break it."""

import ast
import json
import math
import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.unicode_text import WHOLE, is_safe, tricky_texts
from tui_ipc.ipc.wire import NESTING_LIMIT
from tui_ipc.text.notation import describe_text, interpret, parse_value, render_value
from tui_ipc.text.placeholders import Regex
from tui_ipc.text.safe_text import has_hidden

UTC_MOMENT = datetime(2026, 11, 24, 5, 0, 0, 1, UTC)

# Strings that would do something to a terminal if they reached it as they are.
HOSTILE = [
    *map(chr, range(0x20)),
    *map(chr, range(0x7F, 0xA1)),
    *"\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202e\u2066\u2069\ufeff\U000e0001\ue000\U0010ffff",
    "\ud800",
    "\x1b[2J\x1b]0;title\x07",
    "\x9b31m",
    "abc\rdef\nghi",
]

numbers = st.integers(-(2**63), 2**64 - 1) | st.floats()
atoms = (
    st.none()
    | st.booleans()
    | numbers
    | st.text()
    | st.sampled_from(HOSTILE[:-4])
    | st.binary()
    | st.datetimes(
        timezones=st.integers(-86399, 86399).map(lambda seconds: timezone(timedelta(seconds=seconds)))
    )
)
keys = st.recursive(atoms, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)
messages = st.recursive(
    atoms,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
    ),
)
json_values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
)
python_literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.integers() | st.text() | st.binary(), inner, max_size=4)
    ),
)  # fmt: skip
near_misses = st.text(
    st.sampled_from("[](){}:,'\"\\bBrRuUNxj01e9+-._ \n\tntimespa\u202e\ud83d\ude00é"), max_size=40
)


def same(left: Any, right: Any) -> bool:
    """Equal in type and value, down to the sign of zero; but a NaN equals a NaN."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return left.hex() == float.hex(right)
    if isinstance(left, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict):
        return same(list(left.items()), list(right.items()))
    return bool(left == right)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # A plain text is itself, to the last space.
        ("Hello from parent", "Hello from parent"),
        ("", ""),
        ("  hi ", "  hi "),
        ("it's", "it's"),
        ("'quoted'", "'quoted'"),
        # JSON is what it says, white space around it is not part of it.
        ("42", 42),
        (" 42\n", 42),
        ('"42"', "42"),
        ("-0.0", -0.0),
        ("1e3", 1000.0),
        ("NaN", math.nan),
        ("-Infinity", -math.inf),
        ("true", True),
        ("null", None),
        ('{"op": "add", "args": [2, 3]}', {"op": "add", "args": [2, 3]}),
        ('{"a": 1, "a": 2}', {"a": 2}),
        ('"\\ud83d\\ude00"', "😀"),
        ("18446744073709551616", 2**64),
        # Python's words, numbers and strings are no values when they stand alone.
        ("True", "True"),
        ("None", "None"),
        ("0x10", "0x10"),
        ("1_000", "1_000"),
        (".5", ".5"),
        ('"\\x41"', '"\\x41"'),
        ('"tab\there"', '"tab\there"'),
        # Bytes, tuples, lists and dicts are.
        (r'b"\x00"', b"\0"),
        (r" b'\'\"\\\n\101' ", b"'\"\\\nA"),
        (r'rb"\d"', rb"\d"),
        ("()", ()),
        ("(1,)", (1,)),
        ("(1, (2, 3))", (1, (2, 3))),
        ("[True, None, 'x', ]", [True, None, "x"]),
        ("[0x1F, 0b11, 0o17, 1_000, .5, 1., +3, -1e3]", [31, 3, 15, 1000, 0.5, 1.0, 3, -1000.0]),
        ('{1: b"x"}', {1: b"x"}),
        (
            '{None: 1, true: 2, 1.5: 3, b"k": 4, (1, "a"): 5}',
            {None: 1, True: 2, 1.5: 3, b"k": 4, (1, "a"): 5},
        ),
        ("{-0.0: NaN, -Infinity: Infinity}", {-0.0: math.nan, -math.inf: math.inf}),
        # Inside them a string takes the escapes of both languages.
        (
            r"""["\/", '\x41\a', "\U0001f600", "\ud83d\ude00", r"\d", b""]""",
            ["/", "A\a", "😀", "😀", r"\d", b""],
        ),
        # Time stamps.
        ('timestamp("2026-11-24T05:00:00.000001Z")', UTC_MOMENT),
        ("[timestamp('2026-11-24T07:00:00.000001+02:00')]", [UTC_MOMENT]),
        ('{timestamp( "2026-11-24T05:00:00.000001Z" ): 1}', {UTC_MOMENT: 1}),
    ],
)
def test_parse(text: str, value: Any) -> None:
    """Each kind of text is read as the module says."""
    assert same(parse_value(text), value)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1, 2", "not JSON: expecting ',' or ']' at column 6"),
        ("[1, 2}", "not JSON: expecting ',' or ']' at column 6"),
        ("[", "not JSON: expecting a value at column 2"),
        ("[1,,2]", "not JSON: expecting a value at column 4"),
        ('["a" "b"]', "not JSON: expecting ',' or ']' at column 6"),
        ("{a: 1}", "not JSON: expecting a value (a string needs quotes) at column 2"),
        ('{"a" 1}', "not JSON: expecting ':' at column 6"),
        ('{"a":}', "not JSON: expecting a value at column 6"),
        ("{1, 2}", "not JSON: expecting ':' at column 3"),
        ("{[1]: 2}", "not JSON: a list or a map cannot be a key at column 2"),
        ("{(1, [2]): 3}", "not JSON: a list or a map cannot be a key at column 2"),
        ("[1] x", "not JSON: text after the value at column 5"),
        ('"hello', "not JSON: unterminated string at column 1"),
        ("[b'abc", "not JSON: unterminated string at column 2"),
        (
            r'"\x41"',
            "not JSON: an escape that JSON does not have, or a control character, in the string at column 1",
        ),
        (r'["ab\q"]', "not JSON: unknown escape at column 5"),
        ("[nan]", "not JSON: expecting a value (a string needs quotes) at column 2"),
        ("[007]", "not JSON: not a number at column 2"),
        ("[1__0]", "not JSON: not a number at column 2"),
        ("[1j]", "not JSON: expecting a value at column 2"),
        ("[1\0]", "not JSON: expecting ',' or ']' at column 3"),
        ("(1)", "not a literal: expecting ',' at column 3"),
        ('b"é"', r"not a literal: bytes hold ASCII characters and \x escapes only at column 2"),
        (r'b"\u0041"', "not a literal: unknown escape at column 3"),
        (r'b"\777"', "not a literal: unknown escape at column 3"),
        (r'b"\/"', "not a literal: unknown escape at column 3"),
        ('timestamp("yesterday")', "not a literal: not an ISO 8601 time at column 1"),
        (
            'timestamp("2026-11-24T05:00:00")',
            "not a literal: a time without offset from UTC, such as Z, at column 1",
        ),
        ("True", "the JSON value is spelled true"),
    ],
)
def test_faulty_text_is_a_string_and_says_why(text: str, fault: str) -> None:
    """What begins like a value and is none is the string as typed, and the hint names the first fault."""
    assert parse_value(text) == text
    assert describe_text(text).endswith(f" — {fault}")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("42", '"42"'),
        ("Hello from parent", '"Hello from parent"'),
        ('say "hi"\\', r'"say \"hi\"\\"'),
        ("a\tb\x1b\u202e\U000e0001é😀", r'"a\tb\u001b\u202e\udb40\udc01é😀"'),
        ([None, True, 1.0, -0.0, math.nan, -math.inf], "[null, true, 1.0, -0.0, NaN, -Infinity]"),
        ({"a": {}, "b": [], "c": ()}, '{"a": {}, "b": [], "c": ()}'),
        ({1: b"\x00\"'\n", None: (1,), (1, 2): "x"}, r"""{1: b"\x00\"'\n", null: (1,), (1, 2): "x"}"""),
        (bytearray(b"ab"), 'b"ab"'),
        ([UTC_MOMENT], '[timestamp("2026-11-24T05:00:00.000001Z")]'),
        (
            [UTC_MOMENT.astimezone(timezone(timedelta(hours=2)))],
            '[timestamp("2026-11-24T07:00:00.000001+02:00")]',
        ),
        (2**4000, hex(2**4000)),
        ({1, 2}, "{1, 2}"),
    ],
)
def test_render(value: Any, text: str) -> None:
    """JSON wherever JSON has a spelling; Python's for bytes, tuples and other keys."""
    assert render_value(value) == text


@settings(deadline=None)
@given(messages)
@example({float("nan"): 1, float("nan"): 2})
@example({datetime.min.replace(tzinfo=timezone(timedelta(hours=14))): [datetime.max.replace(tzinfo=UTC)]})
def test_what_is_rendered_reads_back(value: Any) -> None:
    """Displaying a value and reading the text gives the value back, whatever a message can hold."""
    assert same(parse_value(render_value(value)), value)


@settings(deadline=None)
@given(json_values)
def test_rendered_json_is_json(value: Any) -> None:
    """A value that JSON can hold is rendered so that any JSON reader takes it."""
    assert same(json.loads(render_value(value)), value)


@settings(deadline=None)
@given(json_values)
def test_json_reads_the_same_inside_a_literal(value: Any) -> None:
    """The reader of literals gives JSON the meaning that the JSON reader gives it."""
    assert same(parse_value(f"({json.dumps(value)},)"), (value,))


@settings(deadline=None)
@given(python_literals.filter(lambda value: isinstance(value, (bytes, tuple, list, dict))))
@example([-1, 1e-7, 1e22, "\\'\"\x7f", {b"'": ()}])
def test_what_repr_writes_is_read_as_python_reads_it(value: Any) -> None:
    """A value copied from a Python prompt is read as Python would."""
    assert same(parse_value(repr(value)), ast.literal_eval(repr(value)))


@settings(deadline=None)
@given(st.text() | near_misses)
def test_no_text_breaks_it(text: str) -> None:
    """Any text has a value, a rendering and a one-line hint, without an error or a warning."""
    assert_shown_safely(text)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 100_000 + "1" + "}" * 100_000,
        "(" * 100_000 + ",)" * 100_000,
        "{" + "(" * 500_000 + ",)" * 500_000 + ": 1}",
        "9" * 10_000,
        "[" + "9" * 10_000 + "]",
        "[0x" + "f" * 10_000 + "]",
        "\0",
        r"b'\d'",
        "[1 is 1, 0x1for x, 1if]",
        r'"\ud800"',
        "\ud800",
    ],
    ids=lambda text: ascii(text[:20]),
)
def test_nor_does_a_text_made_to_break_it(text: str) -> None:
    """Endless nesting, endless numbers, and what makes Python's own readers warn, recurse or give up."""
    assert_shown_safely(text)


def assert_shown_safely(text: str) -> None:
    value = parse_value(text)
    for shown in (render_value(value), render_value(value, 20), describe_text(text)):
        assert is_safe(shown)
        assert not has_hidden(shown)


@given(text=tricky_texts, limit=st.none() | st.integers(0, 30))
def test_a_value_shows_what_is_invisible(text: str, limit: int | None) -> None:
    """Whatever meets in a string, what is shown needs no sanitizer, wherever it is cut, and reads back."""
    for value in (text, {text: [text]}, Regex(re.escape(text))):
        shown = render_value(value, limit)
        assert is_safe(shown)
        assert not has_hidden(shown)
    assert parse_value(render_value(text)) == text


@pytest.mark.parametrize("text", WHOLE)
def test_what_a_writing_system_needs_stays_whole_in_a_value(text: str) -> None:
    """Emoji that are joined of several, and words that need a joiner, are written as they are."""
    assert render_value([text, "yes\u3164", f"{text}\u200d\u200c"]) == (
        rf'["{text}", "yes\u3164", "{text}\u200d\u200c"]'
    )


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_nothing_that_a_child_sends_controls_the_terminal(value: str) -> None:
    """Controls, bidirectional ones too, separators and surrogates are shown as escapes, wherever they are."""
    for shown in (
        render_value(value),
        render_value({value: [value]}, 30),
        render_value(value.encode(errors="replace")),
    ):
        assert is_safe(shown)
        assert shown.isprintable()
        assert shown.replace("…", "").isascii()
    assert parse_value(render_value(value)) == value


@settings(deadline=None)
@given(messages, st.integers(0, 80))
def test_a_limit_changes_nothing_that_fits_and_bounds_the_rest(value: Any, limit: int) -> None:
    """What fits is whole; what does not is cut within the limit and a few characters for mark and total."""
    whole, shown = render_value(value), render_value(value, limit)
    if len(whole) <= limit:
        assert shown == whole
    else:
        assert "…" in shown
        assert len(shown) <= limit + len(', b"…"') + len(" (100 characters)")


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        ("Hello from parent", 10, '"Hello fr…" (17 characters)'),
        (bytes(1000), 12, r'b"\x00\x00…" (1 000 bytes)'),
        ("\\" * 9, 8, r'"\\\\\\…" (9 characters)'),
        ("\x1b" * 9, 12, r'"\u001b…" (9 characters)'),
        (list(range(1000)), 10, "[0, 1, 2, …] (1 000 items)"),
        ({"op": "add", "args": [1, 2]}, 16, '{"op": "add", "a…"} (2 keys)'),
        ([["a" * 30], 1], 12, '[["aaaaaa…"]] (2 items)'),
        ((1234567,), 5, "(…,) (1 item)"),
        ("abc", 0, '"…" (3 characters)'),
        (123456, 3, "…"),
    ],
)
def test_cut(value: Any, limit: int, text: str) -> None:
    """A cut falls between escapes, closes what is open, and the size of the whole follows."""
    assert render_value(value, limit) == text


def test_a_cut_costs_no_more_than_its_limit() -> None:
    """64 MiB are shown in a line as quickly as a line."""
    size = 64 * 1024 * 1024
    values = [bytes(size), "\x1b" * size, [bytes(size)] * 1_000_000, dict.fromkeys(range(100_000), "x")]
    began = time.process_time()
    for value in values:
        render_value(value, 100)
    assert time.process_time() - began < 0.05


def test_a_megabyte_is_read_in_reasonable_time() -> None:
    """No text takes time out of proportion, above all none that fails only at its end."""
    size = 1_000_000
    texts = [
        "x" * size,
        '"' + "\\u0041" * (size // 6),
        "b'" + "\\x00" * (size // 4) + "'",
        "[" + "1, " * (size // 3),
        "['" + "\\n" * (size // 2),
        "[" + "1" * size + "j]",
        "[" + "1_" * (size // 2) + "e]",
        "[" + "-" * size,
        "(" * size,
        " " * size + "[",
        "timestamp(" + " " * size,
        "[" + "b" * size,
    ]
    for text in texts:
        began = time.process_time()
        describe_text(text)
        assert time.process_time() - began < 10, text[:20]  # a second at most; were it quadratic, hours


@pytest.mark.parametrize(("opener", "closer"), [("[", "]"), ("(", ",)"), ("{1: ", "}")])
def test_the_deepest_message_reads_back(opener: str, closer: str) -> None:
    """Depth up to the wire's limit is read and rendered, though Python's own readers give up before it."""
    text = opener * NESTING_LIMIT + "1" + closer * NESTING_LIMIT
    assert not isinstance(parse_value(text), str)
    assert render_value(parse_value(text)) == text


def test_a_tuple_deeper_than_any_message_is_a_string() -> None:
    """As a key it would be hashed, and hashing a tuple 200 000 levels deep ends the process."""
    text = "(" * (NESTING_LIMIT + 1) + ",)" * (NESTING_LIMIT + 1)
    assert parse_value(text) == text
    assert describe_text(text).endswith("tuple more than 1024 levels deep at column 1025")


def test_rendering_does_not_recurse() -> None:
    """No depth is too deep to show."""
    value: Any = []
    for _ in range(100_000):
        value = [value]
    assert render_value(value) == "[" * 100_001 + "]" * 100_001
    assert render_value(value, 9) == "[[[[…]]]] (1 item)"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Hello from parent", "string, 18 bytes"),
        ("", "string, 1 byte"),
        ("é", "string, 3 bytes"),
        ("42", "integer, 1 byte"),
        ('"42"', "string, 3 bytes"),
        ("1.5", "float, 9 bytes"),
        ("true", "boolean, 1 byte"),
        ("null", "null, 1 byte"),
        ('b"abc"', "binary, 5 bytes"),
        ("[1, 2]", "array, 2 items, 3 bytes"),
        ("(1,)", "array, 1 item, 2 bytes"),
        ("{}", "map, 0 keys, 1 byte"),
        ('{"a": 1, "b": 2,}', "map, 2 keys, 7 bytes"),
        ('timestamp("2026-11-24T05:00:00Z")', "time stamp, 6 bytes"),
    ],
)
def test_describe(text: str, hint: str) -> None:
    """Kind, count where there is something to count, and the size on the wire."""
    assert describe_text(text) == hint


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (str(2**70), "integer"),
        ("[" * 1100 + "]" * 1100, "array, 1 item"),
        (r'"\ud800"', "string"),
    ],
)
def test_describe_says_what_cannot_be_sent(text: str, kind: str) -> None:
    """What no message holds is named before it is sent."""
    assert describe_text(text).startswith(f"{kind}, cannot be sent: ")


@pytest.mark.parametrize(
    ("text", "offset"),
    [('{"a": }', 6), ("[1, 2", 5), ("(1 2)", 3), ('b"é"', 1), ("None", None)],
)
def test_a_complaint_names_the_character(text: str, offset: int | None) -> None:
    """Whoever shows the text can point at what is wrong with it."""
    value, complaint = interpret(text)
    assert value == text
    assert complaint is not None
    assert complaint.offset == offset


@pytest.mark.parametrize("text", ['{"a": 1}', "null", "b'x'", "plain text", "", '"None"'])
def test_no_complaint_about_what_is_meant(text: str) -> None:
    """JSON, literals and text that looks like neither are all well written."""
    assert interpret(text)[1] is None
