"""What a script's lines mean, and what is said about those that mean nothing."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui_ipc.script.language import Expect, Quit, Script, ScriptSyntaxError, Send, Step, parse, write


def steps(text: str) -> tuple[Step, ...]:
    return parse(text).steps


def fault(text: str) -> ScriptSyntaxError:
    with pytest.raises(ScriptSyntaxError) as caught:
        parse(text, "talk.tipc")
    return caught.value


def test_a_script_is_a_transcript() -> None:
    """Each line is a step, in order, and knows where it stands."""
    script = parse('# hello\n\n> {"op": "add"}\n< 5\nquit\n', "talk.tipc")
    assert script == Script("talk.tipc", (Send({"op": "add"}), Expect(5), Quit()))
    assert [step.line for step in script.steps] == [3, 4, 5]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("> Hello from parent", "Hello from parent"),
        ('> "42"', "42"),
        (">\t42  \r", 42),
        ("  > [1, 2.5, null]", [1, 2.5, None]),
        (r'> b"\x00"', b"\x00"),
        ("> (1, 2)", (1, 2)),
        ('> timestamp("2026-11-24T05:00:00Z")', datetime(2026, 11, 24, 5, tzinfo=UTC)),
        ('> "  spaces  "', "  spaces  "),
        ('> ""', ""),
        ("> quit", "quit"),
        ("> > <", "> <"),
        ("> issue#5", "issue#5"),
    ],
)
def test_a_value_is_in_the_notation(text: str, value: Any) -> None:
    """What the message box takes, a script takes, without the spaces around it."""
    assert steps(text) == (Send(value),)


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ('> {"a": 1}   # a comment', Send({"a": 1})),
        ("< 42 # the answer", Expect(42)),
        ('< "a # b" # c # d', Expect("a # b")),
        ('> {"a": " # "}', Send({"a": " # "})),
        ('> [" #", 1] # and "this', Send([" #", 1])),
        ("quit # good bye", Quit()),
    ],
)
def test_a_comment_may_stand_behind_a_step(text: str, step: Step) -> None:
    """A # inside quotes is no comment."""
    assert steps(text) == (step,)


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# nothing", "   # nothing", "\ufeff# a mark of byte order", "\r\n \t\r\n"]
)
def test_some_lines_do_nothing(text: str) -> None:
    """Blank lines and comments are no steps."""
    assert steps(text) == ()


@pytest.mark.parametrize(
    ("text", "line", "column", "words"),
    [
        ("> 1\n  hello", 2, 3, 'unknown step "hello"; a line begins with >'),
        ("Quit", 1, 1, "it is written quit"),
        ("→ 1", 1, 1, "write > and a space"),
        (">1", 1, 2, "a space must follow '>'"),
        (">", 1, 2, 'a value must follow; the empty string is > ""'),
        ("<   # what?", 1, 5, "a value must follow"),
        (
            '> {"a": }',
            1,
            9,
            "not JSON: expecting a value; if a string is meant, quote it",
        ),
        ('>   {"a": 1', 1, 12, "not JSON: expecting"),
        ("> [1, ...]", 1, 7, "what is sent is told whole"),
        ("> None", 1, 3, "the JSON value is spelled null"),
        ("> one # two", 1, 7, "a comment, or part of the string?"),
        ("> 123456789012345678901234567890", 1, 3, "no message can hold this"),
        ("quit now", 1, 6, "only a comment can follow quit"),
        ("\x1f", 1, 1, r'unknown step "\u001f"'),
        ("quit quit", 1, 6, "only a comment can follow quit"),
        ("quit\n# a comment\n> 1", 3, 1, "by line 1 the child has ended"),
    ],
)
def test_a_line_without_meaning_is_an_error(text: str, line: int, column: int, words: str) -> None:
    """It names the place and says what is wrong; nothing is guessed."""
    error = fault(text)
    assert (error.name, error.line, error.column) == ("talk.tipc", line, column)
    assert words in error.sentence
    assert str(error).startswith(f"talk.tipc:{line}:{column}: ")


def test_an_error_shows_the_line() -> None:
    """The line stands below the sentence, and a mark points at the character."""
    _, shown, mark = str(fault('> 1\n\t> {"a": }')).split("\n")
    assert shown == r'    2 | \t> {"a": }'
    assert shown[mark.index("^")] == "}"


def test_an_error_shows_what_is_around_it() -> None:
    """A long line is cut on both sides of the fault."""
    _, shown, mark = str(fault("> [" + "1, " * 1000 + "!, " + "2, " * 1000)).split("\n")
    assert shown[mark.index("^")] == "!"
    assert len(shown) < 120
    assert shown.endswith("…")
    assert "| …" in shown


def test_an_error_is_safe_to_print() -> None:
    """A script from elsewhere cannot move the cursor."""
    assert "\x1b" not in str(fault("\x1b[2Jhello"))


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.just(UTC)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(0, 9), inner),
    max_leaves=10,
)
scripts = st.builds(
    lambda name, steps, end: Script(name, (*steps, *end)),
    st.text(),
    st.lists(st.builds(Send, values) | st.builds(Expect, values)),
    st.lists(st.just(Quit()), max_size=1),
)


@given(scripts)
@example(Script("", (Send("a # b"), Expect("\u2028\n"), Send(""))))
def test_what_is_written_reads_back(script: Script) -> None:
    """Any script has a text, and that text means the script."""
    assert parse(write(script), script.name) == script


@given(st.text(alphabet=st.sampled_from('<>#quit "{}[]:,1\n\t\r\x1b')) | st.text())
def test_any_text_is_a_script_or_an_error(text: str) -> None:
    """No text leads to any other outcome, and an error points into the text."""
    try:
        parse(text)
    except ScriptSyntaxError as error:
        found = error
    else:
        return
    source = text.removeprefix("\ufeff").split("\n")[found.line - 1]
    assert 1 <= found.column <= len(source) + 1
