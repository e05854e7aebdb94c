"""Whole scripts: their steps, blocks, order of steps, and errors."""

import contextlib
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.support.script_strategies import scripts
from tui_ipc.script.language.parser import parse_script, read_script
from tui_ipc.script.language.scanner import ScriptSyntaxError
from tui_ipc.script.language.steps import (
    Expect,
    ExpectClean,
    ExpectExit,
    ExpectNothing,
    ExpectOutput,
    ExpectSignal,
    Quit,
    Repeat,
    Restart,
    Script,
    Send,
    SendRaw,
    Signal,
    Sleep,
    Spawn,
    Step,
    Timeout,
)
from tui_ipc.script.language.writer import write_script
from tui_ipc.text.placeholders import ANY_REST, Capture, Regex, Template
from tui_ipc.text.safe_text import has_hidden

ID = Capture("id")


def steps(text: str) -> tuple[Step, ...]:
    return parse_script(text).steps


def fault(text: str) -> ScriptSyntaxError:
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script(text, "talk.tipc")
    return caught.value


def test_a_script_is_a_transcript() -> None:
    """Each line is a step, in order, and knows its line."""
    script = parse_script('# hello\n\n> {"op": "add"}\n< 5\nquit\n', "talk.tipc")
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
def test_a_comment_may_follow_a_step(text: str, step: Step) -> None:
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
        ("> [1, ...]", 1, 7, "a message that is sent is written out"),
        ("> None", 1, 3, "the JSON value is spelled null"),
        ("> one # two", 1, 7, "A comment, or part of the string?"),
        ("> 123456789012345678901234567890", 1, 3, "a message cannot hold this"),
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


ALL = """\
spawn ./child --flag 'two words'   # a comment
timeout 1.5s
expect stdout /ready \\/ [0-9]+/ within 500ms
> {"id": 1, "op": "add"}
< {"id": {{id}}, "result": /^5/, "more": [1, ..., 3], ...} within 2m
> [{{id}}, "{{id}}"]
<~ ...   # whatever
!< within 200ms
>raw 93 0102
signal TERM
repeat 100_000
  sleep 10ms
  repeat 2
    expect stderr //
  end
\trestart
end # of both
quit
< "farewell"
? exit 0
? clean
restart
? signal 9
"""


def test_every_step() -> None:
    """The whole language in one script."""
    assert steps(ALL) == (
        Spawn(("./child", "--flag", "two words")),
        Timeout(1.5),
        ExpectOutput("stdout", Regex("ready / [0-9]+"), 0.5),
        Send({"id": 1, "op": "add"}),
        Expect({"id": ID, "result": Regex("^5"), "more": [1, ANY_REST, 3], ANY_REST: ANY_REST}, 120.0),
        Send([ID, Template(("", "id", ""))]),
        Expect(ANY_REST, skipping=True),
        ExpectNothing(0.2),
        SendRaw(b"\x93\x01\x02"),
        Signal(15),
        Repeat(100_000, (Sleep(0.01), Repeat(2, (ExpectOutput("stderr", Regex("")),)), Restart())),
        Quit(),
        Expect("farewell"),
        ExpectExit(0),
        ExpectClean(),
        Restart(),
        ExpectSignal(9),
    )


def test_a_step_knows_the_columns_of_its_value() -> None:
    """Lines from 1, columns from 0: an update finds the value by them."""
    lines = ALL.split("\n")

    def valued(step: Step) -> str:
        return lines[step.line - 1][slice(*step.span)]

    block = steps(ALL)[10]
    assert isinstance(block, Repeat)
    assert [valued(step) for step in (*steps(ALL)[:10], block, *block.steps, *steps(ALL)[11:])] == [
        "./child --flag 'two words'",
        "1.5s",
        r"/ready \/ [0-9]+/",
        '{"id": 1, "op": "add"}',
        '{"id": {{id}}, "result": /^5/, "more": [1, ..., 3], ...}',
        '[{{id}}, "{{id}}"]',
        "...",
        "",
        "93 0102",
        "TERM",
        "100_000",
        "10ms",
        "2",
        "",
        "",
        '"farewell"',
        "0",
        "",
        "",
        "9",
    ]
    assert block.steps[1].line == 13


def test_the_command_of_a_script() -> None:
    """The first step names it, or none does."""
    assert parse_script("spawn a b").command == ("a", "b")
    assert parse_script("> 1").command is None
    assert parse_script("").command is None


@settings(deadline=None)
@given(scripts())
@example(
    Script("", (Send("a # b"), Expect("\u2028\n"), Send(""), Expect("..."), Expect("/x/"), Send("{{a}}")))
)
def test_what_is_written_reads_back(script: Script) -> None:
    """Any script has a text, and that text means the script."""
    assert parse_script(write_script(script), script.name) == script


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from('<>#!?~ quit/.{}[]:,1s"\n\t\r\x1b\\')) | st.text())
def test_any_text_is_a_script_or_an_error(text: str) -> None:
    """No text leads to any other outcome, and an error points into the text."""
    assert_understood(text)


@settings(deadline=None)
@given(
    scripts().map(write_script) | st.just(ALL),
    st.integers(0),
    st.integers(0, 1),
    st.characters() | st.sampled_from("\n\"'/#{}[]<>\\ 0") | st.just(""),
)
def test_a_script_with_a_slip_is_a_script_or_an_error(text: str, at: int, removed: int, added: str) -> None:
    """One character more, less or another, anywhere in a script."""
    at %= len(text) + 1
    assert_understood(text[:at] + added + text[at + removed :])


def assert_understood(text: str) -> None:
    try:
        script = parse_script(text)
    except ScriptSyntaxError as error:
        found = error
    else:
        written = write_script(script)
        assert write_script(parse_script(written)) == written
        if all(character.isprintable() or character in "\n\t" for character in text):
            assert parse_script(written) == script  # else an expression has an escape of the same meaning
        return
    source = text.removeprefix("\ufeff").split("\n")[found.line - 1]
    assert 1 <= found.column <= len(source) + 1
    assert not any(has_hidden(line) for line in str(found).split("\n"))


@pytest.mark.parametrize(
    "text",
    [
        "> " + "x # " * 50_000,
        "< " + "[" * 100_000,
        "< /" + "a" * 200_000,
        "< " + "/a" * 100_000,
        "< " + "within 1 " * 50_000,
        "< " + "{{" * 100_000,
        "spawn " + "a " * 100_000,
        "spawn " + "'a'" * 100_000,
        ">raw " + "00 " * 100_000,
        "repeat " + "9" * 100_000,
        "sleep " + "9" * 100_000 + "s",
        "> 1\n" * 50_000,
        "repeat 2\n> 1\nend\n" * 20_000,
        "< " + "(" * 100_000 + "a" + ")" * 100_000,
        "< /" + "(" * 5_000 + "a" + ")" * 5_000 + "/",
        "q" * 200_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_no_text_takes_time_out_of_proportion(text: str) -> None:
    """A script from elsewhere is read or refused in reasonable time, however long."""
    began = time.process_time()
    with contextlib.suppress(ScriptSyntaxError):
        parse_script(text)
    assert time.process_time() - began < 10  # a second at most; were it quadratic, far more


@pytest.mark.parametrize(
    "text",
    [
        "quit\n? exit 0\n? clean\nrestart\n> 1",
        "quit\nexpect stdout /bye/\n< 1\nsleep 1s\ntimeout 1s\n? clean",
        "? signal TERM\n? clean",
        "repeat 1\n> 1\nquit\nend",
        "repeat 3\n> 1\nquit\n? exit 0\nrestart\nend\n> 2",
        "quit\nrepeat 3\nrestart\n> 1\nquit\nend",
        "repeat 2\n< {{id}}\n> {{id}}\nend\n> {{id}}",
        "signal TERM\n> 1\n? signal TERM",
        "repeat 2\n" * 16 + "> 1\n" + "end\n" * 16,
    ],
)
def test_an_order_that_can_be(text: str) -> None:
    """A child that ended can be looked at, and begun again."""
    assert parse_script(text).steps


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("> 1\nspawn x", 2, "spawn is the first step, and line 1 comes before it"),
        ("repeat 1\nspawn x\nend", 2, "spawn is the first step, and line 1 comes before it"),
        ("spawn x\nspawn y", 2, "the child was spawned in line 1; restart begins its next run"),
        ("quit\n>raw 01", 2, "by line 1 the child has ended"),
        ("? exit 0\nquit", 2, "by line 1 the child has ended"),
        ("? clean\n!<", 2, "by line 1 the child has ended"),
        ("quit\n? exit 0\nsignal TERM", 3, "by line 1 the child has ended"),
        ("quit\n? exit 0\n? exit 0", 3, "line 2 already says how the child ends"),
        ("? signal TERM\n? exit 0", 2, "line 1 already says how the child ends"),
        ("quit\n? clean\n? clean", 3, "line 2 already says it"),
        ("repeat 2\n> 1\nquit\nend", 4, "line 2 cannot be repeated: by line 3 the child has ended"),
        ("repeat 2\nrepeat 2\n> 1\nend\nquit\nend", 6, "line 3 cannot be repeated: by line 5"),
        ("repeat 2\n? exit 0\nend", 3, "line 2 cannot be repeated: line 2 already says"),
        ("end", 1, "this end has no repeat before it"),
        ("> 1\n  repeat 2\n> 1\nrepeat 3\n>2\nend", 5, "a space must follow"),
        ("> 1\n  repeat 2\n> 1\nrepeat 3\n> 2\nend", 2, "this block has no end"),
        ("repeat 2\n# nothing\nend", 3, "the block of line 1 has no step to repeat"),
        ("repeat 2\n" * 17, 17, "blocks nest at most 16 deep"),
        ("> {{id}}\n< {{id}}", 1, "nothing is named id above; < {{id}} captures it, and set id VALUE"),
        ("< [{{a}}, {{b}}]\n> {{c}}", 2, "nothing is named c above, only a, b"),
        ("< {{handle}}\n> {{handel}}", 2, "nothing is named handel above; did you mean handle?"),
        ("repeat 2\n> {{id}}\n< {{id}}\nend", 2, "nothing is named id above"),
    ],
)
def test_an_order_that_cannot_be(text: str, line: int, words: str) -> None:
    """What would fail in every run is an error of the script."""
    with pytest.raises(ScriptSyntaxError) as caught:
        parse_script(text)
    error = caught.value
    assert (error.line, error.sentence[: len(words)]) == (line, words)


def find_faults(text: str) -> list[int]:
    return [fault.line for fault in read_script(text).faults]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x\n> 1\ny", [1, 3]),
        ("repeat x\n> 1\nend", [1]),
        ("repeat 2\nx\nend\n> 1", [2]),
        ("< {{id}} within 2\n> {{id}}", [1]),
        ("set a {{env.NONE}}\nset b {{a}}\n> {{b}}", [1]),
        ("quit\n> 1\n> 2\n> 3", [2]),
        ("repeat 2\nrepeat 3\nx", [3, 2, 1]),
        ("repeat 1\n" * 18 + "> 1\n" + "end\n" * 18 + "end", [17, 18, 38]),
    ],
)
def test_all_faults_are_found_and_none_that_follows_from_another(text: str, lines: list[int]) -> None:
    """A faulty line still begins a block, or captures."""
    assert find_faults(text) == lines


@given(st.lists(st.sampled_from(["> 1", "x", "repeat 2", "repeat", "end", "quit", "< {{a", "> {{a}}"])))
def test_any_lines_can_be_read(lines: list[str]) -> None:
    """There is a fault for each line that is one whatever the others are."""
    faults = find_faults("\n".join(lines))
    assert {number for number, line in enumerate(lines, 1) if line in ("x", "repeat")} <= {*faults}
    assert len(faults) <= 2 * len(lines)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("> /re/", [3]),
        ('> "/re/"', []),
        ("> /usr/bin", []),
        ("< /abc", [3]),
        ("< /a(b/c", [3]),
        ("< /usr/bin", []),
        ("<~ /tmp/", [4]),
        ("< /tmp\\//", []),
        ("> 0x10", [3]),
        ("> 1_000", [3]),
        ("> .5", [3]),
        ("> 3 apples", []),
        ("> nan", [3]),
        ("> -inf", [3]),
        ("> NaN", []),
        ("> \u201chello\u201d", [3]),
        ('> {"a": 1, "b": {"a": 2}}', []),
        ('> {"a": 1, "b": {"a": 2, "a": 3}}', [26]),
        ('< {"a": 1, "a": {{x}}}', [12]),
        ("> {1: 2, true: 3}", [10]),
    ],
)
def test_what_was_probably_not_meant_is_warned_of(text: str, columns: list[int]) -> None:
    """With its place; quotes say that it is meant."""
    assert [warning.column for warning in parse_script(text).warnings] == columns
